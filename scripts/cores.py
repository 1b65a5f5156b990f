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
    already: int = 0,
    each: Callable[[Item, Result], str | None] = lambda item, result: None,
) -> list[Result]:
    """``work`` on each item, the results in the order of the items.

    ``each`` is told every result once it is there, and may remark on it; the bar begins at
    ``already``. Raises what ``work`` or ``each`` raises. Items may hold what cannot be pickled;
    results may not.
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
        task = bar.add_task(label, total=already + len(items), completed=already)
        running = {pool.submit(_at, index): index for index in range(len(items))}
        try:
            for future in as_completed(running):
                index = running[future]
                result = found[index] = future.result()
                bar.advance(task)
                remark = each(items[index], result)
                if remark:
                    bar.console.print(remark)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[index] for index in range(len(items))]


def _at(index: int) -> Any:
    return _work(_items[index])
