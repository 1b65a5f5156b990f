"""What long commands share: pieces that are done once, over the cores, and the time of all runs."""

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from model.artifact import write_atomically
from scripts.cores import over_cores
from tb.tools import ROOT

SOURCES = ("model", "tb", "rtl")

# Counts by name, such as values compared.
Figures = dict[str, int]
Piece = Callable[[], Figures]


def digest(*more: Path) -> str:
    """sha256 of what a verdict rests on: the sources of model, tb and rtl, and ``more`` files."""
    content = hashlib.sha256()
    sources = (path for folder in SOURCES for path in sorted((ROOT / folder).glob("*.*")))
    for path in (*(path for path in sources if not path.name.startswith("test_")), *more):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


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
