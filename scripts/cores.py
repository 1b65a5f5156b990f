"""Work that takes minutes: over the cores, with a progress bar, each result once it is there."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: Callable[[Any], Any]
_items: Sequence[Any] = ()


def over_cores(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    label: str,
    say: Callable[[Result], str | None] = lambda result: None,
) -> list[Result]:
    """``work`` on each item, the results in the order of the items; ``say`` may remark on each.

    Raises what ``work`` raises. Items may hold what cannot be pickled; results may not.
    """
    global _work, _items
    _work, _items = work, items
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    found = {}
    fork = multiprocessing.get_context("fork")
    with (
        Progress(*columns, console=Console(stderr=True)) as bar,
        ProcessPoolExecutor(workers, fork) as pool,
    ):
        task = bar.add_task(label, total=len(items))
        running = {pool.submit(_at, index): index for index in range(len(items))}
        try:
            for future in as_completed(running):
                result = found[running[future]] = future.result()
                bar.advance(task)
                remark = say(result)
                if remark:
                    bar.console.print(remark)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[index] for index in range(len(items))]


def _at(index: int) -> Any:
    return _work(_items[index])
