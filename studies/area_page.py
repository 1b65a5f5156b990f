"""docs/results/area.md: networks trained for area, by seed, and accuracy against LUTs."""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common import markdown
from model import adders

PAGE, PICTURE = "area.md", "area.png"
DECISION = "[decision](../decisions/0020-pruned-where-the-training-split-allows.md)"
COLOURS = ("#1f6feb", "#d9730d", "#2f9e5b", "#8250df")
GREY = "#57606a"

# A network of a seed, and what its build takes.
Row = dict[str, Any]


def median(rows: Sequence[Row]) -> Row:
    """The row of the median of synthesized LUTs; of two, the larger."""
    return sorted(rows, key=lambda row: (row["cells"]["LUT"], row["seed"]))[len(rows) // 2]


def by_network(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by the name of their network, in order."""
    return {
        name: [row for row in rows if row["name"] == name]
        for name in dict.fromkeys(row["name"] for row in rows)
    }


def choice(row: Row) -> dict[str, Any]:
    """The part of its file that speaks of the level."""
    found: dict[str, Any] = row["network"]["provenance"]["area"]
    return found


def picture(rows: Sequence[Row]) -> Figure:
    """LUTs against samples wrong: lines by level, as predicted; dots by seed, as built."""
    networks = by_network(rows)
    figure = Figure(figsize=(4.2 * len(networks), 4.4), layout="constrained")
    for index, (name, own) in enumerate(networks.items()):
        axes = figure.add_subplot(1, len(networks), index + 1)
        _panel(axes, own, COLOURS[index % len(COLOURS)])
        axes.set_title(name, fontsize=11)
        axes.set_xlabel("LUT4 of an ECP5, unrolled, softmax included")
        if index == 0:
            axes.set_ylabel("accuracy in percent")
            axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _panel(axes: Axes, rows: Sequence[Row], colour: str) -> None:
    for row in rows:
        facts = choice(row)
        curve = facts["cross_validated_luts"], [100 * s for s in facts["cross_validated"]]
        label = "levels, cross-validated and predicted" if row is rows[0] else None
        axes.plot(*curve, color=GREY, linewidth=0.6, alpha=0.6, label=label)
    for key, mark, face in (("train", "o", "none"), ("test", "o", colour)):
        points = [(row["cells"]["LUT"], 100 * row[key][0] / row[key][1]) for row in rows]
        kind = f"{key} split, built"
        axes.plot(*zip(*points, strict=True), mark, color=colour, markerfacecolor=face, label=kind)
    axes.set(xscale="log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def _spread(values: Sequence[float]) -> str:
    middle = statistics.median(values)
    shown = f"{middle:,.0f}" if float(middle).is_integer() else f"{middle:,.1f}"
    return f"{shown} ({min(values):,} .. {max(values):,})"


def summary(rows: Sequence[Row]) -> str:
    """A row a network: medians over its seeds, and the least and most."""
    columns = ["network", "seeds", "train correct", "test correct", "all correct"]
    columns += ["weights kept", "LUT4", "FF"]
    cells = []
    for name, own in by_network(rows).items():
        (samples,) = {(row["train"][1], row["test"][1]) for row in own}
        cells.append(
            [
                name,
                str(len(own)),
                f"{_spread([row['train'][0] for row in own])} of {samples[0]}",
                f"{_spread([row['test'][0] for row in own])} of {samples[1]}",
                f"{_spread([row['train'][0] + row['test'][0] for row in own])} of {sum(samples)}",
                f"{_spread([row['cost']['kept'] for row in own])} of {own[0]['cost']['weights']:,}",
                *(_spread([row["cells"][kind] for row in own]) for kind in ("LUT", "FF")),
            ]
        )
    return markdown.table_of_numbers(columns, cells)


def placed(rows: Sequence[Row]) -> str:
    """A row a network: the build of median LUTs, placed and routed."""
    columns = ["network", "seed", "LUT4 synthesized", "LUT4 placed", "FF placed", "MHz", "least"]
    columns += ["cycles per result", "latency in cycles", "latency in ns"]
    cells = []
    for name, own in by_network(rows).items():
        row = median(own)
        clock, cycles = row["clock"], row["cycles"]
        cells.append(
            [
                name,
                str(row["seed"]),
                *(f"{row[part][kind]:,}" for part, kind in PARTS),
                *(f"{clock[key]:,}" for key in ("median", "least")),
                *(str(cycles[key]) for key in ("interval", "latency")),
                f"{clock['latency in ns']:,}",
            ]
        )
    return markdown.table_of_numbers(columns, cells)


# The parts of a measured row that a table shows.
PARTS = (("cells", "LUT"), ("placed", "LUT"), ("placed", "FF"))


def seeds(rows: Sequence[Row]) -> str:
    """A row a network and seed."""
    columns = ["network", "seed", "level", "cross-validated", "train", "test", "weights kept"]
    columns += ["LUT4 predicted", "LUT4", "FF"]
    cells = []
    for row in rows:
        facts = choice(row)
        score = facts["cross_validated"][facts["levels"].index(facts["level"])]
        cells.append(
            [
                row["name"],
                str(row["seed"]),
                f"{facts['level']:g}",
                f"{score:.3f}",
                f"{row['train'][0]}/{row['train'][1]}",
                f"{row['test'][0]}/{row['test'][1]}",
                str(row["cost"]["kept"]),
                *(f"{value:,}" for value in (row["cost"]["luts"], *_cells(row))),
            ]
        )
    return markdown.table_of_numbers(columns, cells)


def _cells(row: Row) -> list[int]:
    return [row["cells"][kind] for kind in ("LUT", "FF")]


def page(rows: Sequence[Row], slopes: Sequence[float]) -> str:
    """docs/results/area.md; ``slopes`` are those that fit these builds best."""
    tools = ", ".join(f"{name} {version}" for name, version in rows[0]["tools"].items())
    errors = [100 * (row["cost"]["luts"] / row["cells"]["LUT"] - 1) for row in rows]
    best, own = (", ".join(f"{slope:g}" for slope in found) for found in (slopes, adders.SLOPES))
    return f"""# Training for area

Written by `make study-area` on {datetime.now(UTC).date().isoformat()}, with {tools}.
Networks of `model/networks/area/`, trained as their recipes say from several seeds of initial
weights: pruned while they are fine-tuned, to the level that cross-validation inside the training
split allows. The split into training and test is the same for every seed, and no test sample has a
part in the choice. Every weight is a constant, a result leaves in each cycle, the softmax is
included; LUTs and flip-flops are those of Yosys for an ECP5. Figures are the median over the seeds,
with the least and the most.

{summary(rows)}

![]({PICTURE})

Grey lines are the levels that were cross-validated, with LUTs as predicted; dots are the networks
that came of it, as built.

## Placed

The build of the median LUTs of each network, placed and routed for an ECP5 25k with several seeds
of the placement: the median of their clocks, and the least.

{placed(rows)}

## Seeds

{seeds(rows)}

LUTs are predicted by the digits of the weights ({DECISION}): here from {min(errors):+.0f} to
{max(errors):+.0f} percent off. The slopes that fit these builds best are {best}; those of
`model/adders.py` are {own}.
"""
