"""docs/results/area.md: networks trained for area, by seed and level, and accuracy against LUTs."""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common import markdown
from model import adders
from studies import area_published
from studies.area_networks import Row

PAGE, PICTURE = "area.md", "area.png"
DECISION = "[decision](../decisions/0020-pruned-where-the-training-split-allows.md)"
COLOURS = ("#1f6feb", "#d9730d", "#2f9e5b", "#8250df", "#c2255c")
GREY = "#57606a"
# Panels in a line of the picture.
ACROSS = 3


def medians(rows: Sequence[Row]) -> dict[str, Row]:
    """The row of the median of LUTs of each network; of two, the larger.

    >>> rows = [{"name": "a", "seed": s, "cells": {"LUT": n}} for s, n in enumerate((9, 5, 7, 6))]
    >>> medians(rows)["a"]["seed"]
    2
    """
    return {
        name: sorted(own, key=lambda row: (row["cells"]["LUT"], row["seed"]))[len(own) // 2]
        for name, own in by_network(rows).items()
    }


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


def together(row: Row) -> tuple[int, int]:
    """Samples correct of both splits, and all samples."""
    correct, count = (row["train"][place] + row["test"][place] for place in (0, 1))
    return correct, count


def percent(row: Row) -> float:
    """Percent of all samples that are correct."""
    correct, count = together(row)
    return 100 * correct / count


def picture(rows: Sequence[Row], walked: Sequence[Row], piped: Sequence[Row]) -> Figure:
    """Accuracy against LUTs: a line through levels, dots for seeds, alkaid's medians."""
    networks = by_network(rows)
    lines = -(-len(networks) // ACROSS)
    figure = Figure(figsize=(3.6 * ACROSS, 3.4 * lines + 0.5), layout="constrained")
    for index, (name, own) in enumerate(networks.items()):
        axes = figure.add_subplot(lines, ACROSS, index + 1)
        levels, pipelines = (by_network(kind).get(name, []) for kind in (walked, piped))
        _panel(axes, own, levels, pipelines, COLOURS[index % len(COLOURS)])
        axes.set_title(name, fontsize=11)
        axes.set_xlabel("LUT4 of an ECP5")
        if index == 0:
            figure.supylabel("samples correct in percent, both splits", fontsize=10)
            figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=3)
    return figure


def _panel(
    axes: Axes, rows: Sequence[Row], walked: Sequence[Row], piped: Sequence[Row], colour: str
) -> None:
    kinds = (
        (walked, "o-", GREY, "levels of the first seed"),
        (rows, "o", colour, "seeds, at the level chosen"),
        (piped, "x", "black", "alkaid, the median's integers, no softmax"),
    )
    for own, mark, shade, label in kinds:
        points = sorted((row["cells"]["LUT"], percent(row)) for row in own)
        if points:
            axes.plot(*zip(*points, strict=True), mark, color=shade, markersize=5, label=label)
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=5)
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
                f"{_spread([together(row)[0] for row in own])} of {sum(samples)}",
                f"{_spread([row['cost']['kept'] for row in own])} of {own[0]['cost']['weights']:,}",
                *(_spread([row["cells"][kind] for row in own]) for kind in ("LUT", "FF")),
            ]
        )
    return markdown.table_of_numbers(columns, cells)


def beside(rows: Sequence[Row], piped: Sequence[Row]) -> str:
    """A row a network, of the build of median LUTs, and one for each pipeline of its integers."""
    columns = ["network", "seed", "design", "softmax", "LUT4 of layers", "LUT4 synthesized"]
    columns += ["LUT4 placed", "FF placed", "DSP", "placements", "MHz"]
    columns += ["latency in cycles", "latency in ns"]
    cells = []
    for name, row in medians(rows).items():
        built = row["median"]
        ours = {
            **built,
            "layers": sum(built["modules"][module]["LUT"] for module in LAYERS),
            "placements": len(built["clock"]["MHz"]),
            "MHz": built["clock"]["median"],
            "latency in ns": built["clock"]["latency in ns"],
        }
        designs = [("Verbatim", "yes", built["cycles"]["latency"], ours)]
        for pipe in by_network(piped).get(name, []):
            designs.append((f"alkaid, {pipe['stages']} stages", "no", pipe["stages"], pipe))
        for design, softmax, cycles, found in designs:
            cells.append(
                [
                    name,
                    str(row["seed"]),
                    design,
                    softmax,
                    f"{found['layers']:,}",
                    *(f"{found[part][kind]:,}" for part, kind in PARTS),
                    str(found["placements"]),
                    f"{found['MHz']:,}",
                    str(cycles),
                    f"{found['latency in ns']:,}",
                ]
            )
    return markdown.table_of_numbers(columns, cells)


# What computes layers: all that a pipeline without softmax and handshakes has, too.
LAYERS = ("mlp_graph", "mlp_requantize", "mlp_layer")
# The parts of a measured row that a table shows.
PARTS = (("cells", "LUT"), ("placed", "LUT"), ("placed", "FF"), ("placed", "DSP"))


def small(found: Sequence[Row]) -> str:
    """A row a small device: what the network takes of it, and its clock where it was placed."""
    columns = ["network", "seed", "device", "cells", "of them placed", "DSP", "BRAM", "MHz"]
    columns += ["latency in cycles", "latency in ns"]
    cells = []
    for row in found:
        clock, placed = row["clock"] or {}, row["placed"] or {}
        cells.append(
            [
                row["name"],
                str(row["seed"]),
                f"ice40 {row['device']}",
                f"{row['cells']['LUT']:,}",
                f"{placed['LUT']:,} of {row['available']['LUT']:,}" if placed else "",
                *(str(row["cells"][kind]) for kind in ("DSP", "BRAM")),
                f"{clock['median']:,}" if clock else "",
                str(row["cycles"]["latency"]),
                f"{clock['latency in ns']:,}" if clock else "",
            ]
        )
    return markdown.table_of_numbers(columns, cells)


def by_level(walked: Sequence[Row]) -> str:
    """A row a network and level of the first seed."""
    columns = ["network", "level", "train", "test", "weights kept", "LUT4", "FF"]
    cells = [[row["name"], f"{row['level']:g}", *_counts(row), *_cells(row)] for row in walked]
    return markdown.table_of_numbers(columns, cells)


def by_seed(rows: Sequence[Row]) -> str:
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
                *_counts(row),
                f"{row['cost']['luts']:,}",
                *_cells(row),
            ]
        )
    return markdown.table_of_numbers(columns, cells)


def _counts(row: Row) -> list[str]:
    parts = ("train", "test")
    return [*("/".join(map(str, row[part])) for part in parts), f"{row['cost']['kept']:,}"]


def _cells(row: Row) -> list[str]:
    return [f"{row['cells'][kind]:,}" for kind in ("LUT", "FF")]


def _added(rows: Sequence[Row], piped: Sequence[Row]) -> int:
    """LUTs that a placed build has more than its synthesis, at most."""
    placed = [row["median"] for row in medians(rows).values()] + list(piped)
    return max(int(found["placed"]["LUT"]) - int(found["cells"]["LUT"]) for found in placed)


def page(
    rows: Sequence[Row],
    walked: Sequence[Row],
    piped: Sequence[Row],
    fitting: Sequence[Row],
    slopes: Sequence[float],
) -> str:
    """docs/results/area.md; ``slopes`` are those that fit these builds best."""
    tools = ", ".join(f"{name} {version}" for name, version in rows[0]["tools"].items())
    built = [*rows, *walked]
    errors = [100 * (row["cost"]["luts"] / row["cells"]["LUT"] - 1) for row in built]
    best, own = (", ".join(f"{slope:g}" for slope in found) for found in (slopes, adders.SLOPES))
    return f"""# Training for area

Written by `make study-area` on {datetime.now(UTC).date().isoformat()}, with {tools}.
Networks of `model/networks/area/`, trained as their recipes say from several seeds of initial
weights: pruned while they are fine-tuned, to the level that cross-validation inside the training
split allows. The split into training and test is the same for every seed, and no test sample has a
part in the choice. Every weight is a constant, in sums that outputs share; a result leaves in each
cycle, the softmax is included; LUTs and flip-flops are those of Yosys for an ECP5, to which placing
adds {_added(rows, piped):,} LUT4s at most. Figures are the median over the seeds, with the least
and the most. The samples of `jet_tagging_area` are made up in the shape of jet tagging: its
accuracy is none of the field.

{summary(rows)}

![]({PICTURE})

## Beside alkaid

The build of the median LUTs of each network, and alkaid's pipelines of the same integers, which
give the same logits for every sample of the dataset and have no softmax and no handshakes. Both are
placed and routed on an ECP5 25k by the same commands; MHz is the median of the placements.

{beside(rows, piped)}

## Small devices

The same median build of the first network on iCE40s. The package of an UP5K has 39 pins, fewer than
a sample and a result in each cycle need: there it is synthesized, and not placed.

{small(fitting)}

## Levels

Networks of the first seed, pruned to a part of their weights whatever cross-validation says.

{by_level(walked)}

## Seeds

{by_seed(rows)}

LUTs are predicted from the integers ({DECISION}): here from {min(errors):+.0f} to
{max(errors):+.0f} percent off Yosys' count. The slopes that fit these builds best are {best}; those
of `model/adders.py` are {own}.

## Published

What papers on networks of look-up tables state for jet tagging: real jets with 16 features, LUTs of
six inputs on Virtex UltraScale+, no softmax. Nothing of this was measured here.

{area_published.table()}
"""
