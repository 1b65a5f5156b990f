"""Jobs of long commands: done once each, over the CPUs, with the time of all runs."""

import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from common import sources
from common.files import write_atomically

SOURCES = tuple(
    f"{room}/**/*" for room in ("common", "model", "syn", "boards", "tb", "rtl", "verify")
)

# Counts by name, such as values compared.
Figures = dict[str, int]
Piece = Callable[[], Figures]


def digest(*more: Path) -> str:
    """sha256 of what a verdict rests on: all sources that simulate, and ``more`` files."""
    return sources.digest([*sources.matching(*SOURCES), *more])


def run_pieces(
    name: str, path: Path, key: str, pieces: Mapping[str, Piece], workers: int | None = None
) -> tuple[Figures, float]:
    """Run each piece that ``path`` does not hold under the same key: all figures, and seconds.

    A piece returns what it counted and raises where it fails; so does this, and what has passed by
    then is kept, so that an interrupted campaign goes on where it was. The figures are summed over
    all pieces, the seconds are those of all runs.
    """
    stored = json.loads(path.read_text()) if path.exists() else {}
    done: dict[str, Figures] = stored["done"] if stored.get("key") == key else {}
    before = stored["seconds"] if done else 0.0
    begun = time.perf_counter()

    def seconds() -> float:
        return round(before + time.perf_counter() - begun, 1)

    def keep(piece: str, figures: Figures) -> None:
        done[piece] = figures
        content = {"key": key, "seconds": seconds(), "done": done}
        write_atomically(path, json.dumps(content, indent=1) + "\n")

    over_cores(
        lambda piece: pieces[piece](),
        [piece for piece in pieces if piece not in done],
        workers=workers or os.cpu_count() or 1,
        label=name,
        already=len(done),
        each=keep,
    )
    total: Counter[str] = Counter()
    for piece in pieces:
        total.update(done[piece])
    return dict(total), seconds()


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
