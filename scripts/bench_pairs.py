"""Pairs of rates that are measured in turns: their ratio is what `make bench` aims at.

A machine that is slow, or busy, slows both sides of a pair. One round measures ours and then
theirs, a fraction of a second each; the ratio is the median of the rounds' ratios, since a process
that comes in between spoils a round or two and not most of them. The best of each side would come
from two moments, which may have had two loads or two clocks. No ratio fails a command or a test.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table

ROUNDS = 7
ROUND_SECONDS = 0.3

# One call measures once: a rate per second.
Rate = Callable[[], float]
Pair = dict[str, Any]


def rate(run: Callable[[], object], count: int) -> Rate:
    """Samples per second of ``run``, which takes ``count`` of them, over a round."""

    def measure() -> float:
        runs, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < ROUND_SECONDS or not runs:
            run()
            runs += 1
        return runs * count / elapsed

    return measure


def in_turns(ours: Rate, theirs: Rate) -> list[tuple[float, float]]:
    """Rates of both sides in each round, after one of each that warms them."""
    ours(), theirs()
    return [(ours(), theirs()) for _ in range(ROUNDS)]


def pair(
    ours: str, theirs: str, unit: str, rounds: Sequence[tuple[float, float]], at_least: float
) -> Pair:
    """The figures of a pair: names and rates of its sides, their ratio, and its aim.

    A side's rate is the median of its rounds, so that the ratio, which compares within a round, is
    not always the quotient of the two.
    """
    first, second = (statistics.median(side) for side in zip(*rounds, strict=True))
    return {
        "ours": {"name": ours, "rate": round(first)},
        "theirs": {"name": theirs, "rate": round(second)},
        "unit": unit,
        "rounds": len(rounds),
        "ratio": round(statistics.median(a / b for a, b in rounds), 3),
        "at_least": at_least,
    }


def missing(theirs: str, reason: str) -> Pair:
    """The figures of a pair whose other side is not there."""
    return {"theirs": {"name": theirs}, "missing": reason}


def add_rows(rows: Table, found: Pair) -> None:
    """Add both sides of a pair and their ratio to the bench's table."""
    if "missing" in found:
        rows.add_row(found["theirs"]["name"], "", "", found["missing"])
        return
    for side in ("ours", "theirs"):
        rows.add_row(found[side]["name"], f"{found[side]['rate']:,}", "", found["unit"])
    aim = f"at least {found['at_least']:g}"
    rows.add_row("  ratio", f"{found['ratio']:.2f}", aim, f"median of {found['rounds']} rounds")
