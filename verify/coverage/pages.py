"""Coverage for a person: the page of docs/ and the annotated sources."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from common.markdown import table
from verify.coverage.points import Collected, Point

TEMPLATE = Path(__file__).with_name("coverage.html")
MOST_NOTES = 6
FIGURES = ("kind", "points", "covered", "raw", "excused", "reviewed", "aim")

INTRODUCTION = """# Coverage

`make verify-coverage` writes this page.
Verilator counts lines, branches, toggles and expressions while
{runs} simulations run: each module at the parameter sets that the regression runs on both
simulators, whole networks, the golden one at two folds and with the other divider, and a design of
parameters that checks at elaboration must stop. Points are merged over instances, parameter sets
and runs: one of them must cover a point. A bit of a bus is a point for each of its two edges; in an
expression all bits of a bus are one.
`build/coverage/index.html` shows each of them in the source.

An aim that is not reached fails the command. So does an exclusion that excuses nothing, or more
than it says.

"""

SITUATIONS = """
## Situations

Counted by cocotb-coverage, sample by sample, after every value of the sample was found equal to the
reference's (`tb/benches/functional.py`).

"""

EXCLUSIONS = """
## Exclusions

What no stimulus can cover, by `verify/coverage/exclusions.toml`.

"""


def markdown(found: Collected, aims: Mapping[str, float]) -> str:
    """The page of docs/."""
    kinds = [
        (
            *(kind, f"{figure.points:,}", f"{figure.covered:,}", f"{figure.raw:.2f} %"),
            *(f"{figure.excused:,}", f"{figure.reviewed:.2f} %", f"{aims[kind]:g} %"),
        )
        for kind, figure in found.figures.items()
    ]
    situations: list[tuple[object, ...]] = [
        (name, len(bins), sum(map(bool, bins.values())), f"{min(bins.values()):,} times")
        for name, bins in found.situations.items()
    ]
    total = sum(map(len, found.situations.values()))
    situations.append(("all of them", total, total - len(found.missing_situations), ""))
    excuses = [
        (
            exclusion.module.replace("|", " or ").replace(".*", "all"),
            *(", ".join(exclusion.kinds), f"{points:,}", exclusion.reason),
        )
        for exclusion, points in Counter(found.excuses.values()).items()
    ]
    return "".join(
        (
            INTRODUCTION.format(runs=found.runs),
            table(FIGURES, kinds),
            SITUATIONS,
            table(("situations", "bins", "hit", "least often"), situations),
            EXCLUSIONS,
            table(("module", "kinds", "points", "reason"), excuses),
        )
    )


def html(found: Collected) -> str:
    """The annotated sources, as one page that needs no other file."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text())
    return template.render(
        runs=found.runs,
        figures=found.figures,
        functional=found.situations,
        modules=[_module(found, name) for name in found.sources],
    )


def _module(found: Collected, name: str) -> dict[str, Any]:
    by_line: dict[int, list[Point]] = defaultdict(list)
    for point in sorted(found.counts):
        if point.module == name:
            by_line[point.line].append(point)
    points = [point for line in by_line.values() for point in line]
    uncovered = [point for point in points if not found.counts[point]]
    excused = sum(point in found.excuses for point in uncovered)
    lines = enumerate(found.sources[name], start=1)
    return {
        "name": name,
        "points": len(points),
        "covered": len(points) - len(uncovered),
        "excused": excused,
        "missing": len(uncovered) - excused,
        "lines": [_line(found, number, text, by_line[number]) for number, text in lines],
    }


def _line(found: Collected, number: int, text: str, points: list[Point]) -> dict[str, Any]:
    uncovered = [point for point in points if not found.counts[point]]
    missing = [point for point in uncovered if point not in found.excuses]
    counted = [found.counts[point] for point in points if point.kind in ("line", "branch")]
    notes = [f"{point.kind} {point.what}" for point in missing or uncovered]
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES} more"]
    if not missing:
        notes += dict.fromkeys(found.excuses[point].reason for point in uncovered)
    state = "missed" if missing else "excused" if uncovered else "hit" if points else ""
    return {
        "number": number,
        "text": text,
        "count": f"{max(counted):,}" if counted else "",
        "state": state,
        "notes": notes,
    }
