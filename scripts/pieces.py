"""What long commands share: pieces that are done once, a bar, and the seconds of all runs."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from model.artifact import write_atomically
from tb.tools import ROOT

SOURCES = ("model", "tb", "rtl")


def digest(*more: Path) -> str:
    """sha256 of what a verdict rests on: the sources of model, tb and rtl, and ``more`` files."""
    content = hashlib.sha256()
    sources = (path for folder in SOURCES for path in sorted((ROOT / folder).glob("*.*")))
    for path in (*(path for path in sources if not path.name.startswith("test_")), *more):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def run_pieces(
    name: str, path: Path, key: str, pieces: Iterable[int], check: Callable[[int], int]
) -> tuple[int, float]:
    """Check each piece that ``path`` does not hold under the same key: values compared, seconds.

    ``check`` returns the values that it compared and raises where a piece fails. What is done is
    written after each piece, so that an interrupted campaign goes on where it was.
    """
    done: dict[str, list[float]] = {}
    if path.exists():
        stored = json.loads(path.read_text())
        done = stored["done"] if stored["key"] == key else {}
    wanted = list(pieces)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=len(wanted))
        for piece in wanted:
            if str(piece) not in done:
                start = time.perf_counter()
                compared = check(piece)
                done[str(piece)] = [compared, round(time.perf_counter() - start, 3)]
                write_atomically(path, json.dumps({"key": key, "done": done}) + "\n")
            bar.advance(task)
    found = [done[str(piece)] for piece in wanted]
    return int(sum(compared for compared, _ in found)), sum(seconds for _, seconds in found)
