"""Synthesize IrisNet at many folds, widths and softmaxes: area against speed and accuracy."""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from model import artifact, datasets, folding, quantize, recipe, reference, training
from model.artifact import Network
from model.folding import Goal
from model.recipe import Recipe
from scripts import cli, costs, pages
from tb.targets import target
from tb.tools import BUILD, ROOT

RECIPE = ROOT / "model" / "networks" / "iris.toml"
PAGE, PICTURE = "sweep.md", "sweep.png"
TARGET = target("ecp5")

BITS = (8, 6, 4)
# Cycles of a result that a fold is asked for: 900 is a multiplier a layer, 1 unrolls everything.
CYCLES = (900, 90, 30, 10, 3, 1)
SOFTMAXES = (("taylor2", "lut"), ("exp", "divider"))
# The other softmax is much the same at each width: at one width, and at the ends of the folds.
OTHER_SOFTMAX_AT = [(8, 900), (8, 30), (8, 1)]
COLOURS = {8: "#1f6feb", 6: "#d9730d", 4: "#2f9e5b"}
MARKS = {"taylor2": "o", "exp": "s"}


@dataclass(frozen=True)
class Point:
    """A build of the sweep."""

    bits: int
    score: str
    divider: str
    cycles: int


POINTS = [Point(bits, *SOFTMAXES[0], cycles) for bits in BITS for cycles in sorted(CYCLES)] + [
    Point(bits, *SOFTMAXES[1], cycles) for bits, cycles in OTHER_SOFTMAX_AT
]


def at_width(plan: Recipe, bits: int, score: str, divider: str) -> Recipe:
    """The recipe with weights of so many bits, fine-tuned for them; values keep their width."""
    softmax = dataclasses.replace(plan.softmax, score=score, divider=divider)
    calibration = plan.formats.calibration if bits == plan.formats.weights_width else "mse"
    formats = dataclasses.replace(plan.formats, weights_width=bits, calibration=calibration)
    return dataclasses.replace(plan, formats=formats, softmax=softmax)


def learned(bits: int, score: str, divider: str) -> tuple[Network, int]:
    """The network at a width, trained and exported, and how many samples it classifies right."""
    torch.set_num_threads(1)
    plan = at_width(recipe.load(RECIPE), bits, score, divider)
    dataset = datasets.load(plan.dataset, plan.folder)
    train, _ = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, dataset, train)
    origin = quantize.provenance(plan, dataset)
    network = quantize.export(trained.quantized, plan, origin, trained.scaling)
    classes, _ = reference.predict(network, dataset.features)
    return network, int((classes == dataset.labels).sum())


def measured(point: Point, learnt: tuple[Network, int]) -> dict[str, Any]:
    """A row of the sweep."""
    network, right = learnt
    silent = Progress(disable=True)
    shown = network.refolded(folding.meeting(network.spec, Goal(target_cycles=point.cycles)))
    facts = costs.measure(shown, TARGET, TARGET.device(None), (1,), silent)
    clock, placed = facts["clock"], facts["placed"]
    return {
        **dataclasses.asdict(point),
        "right": right,
        "multipliers": sum(layer.multipliers for layer in shown.spec.layers),
        "interval": facts["cycles"]["interval"],
        "latency in ns": clock["latency in ns"],
        "LUT": placed["LUT"],
        "FF": placed["FF"],
        "DSP": placed["DSP"],
        "MHz": clock["median"],
        "results per second": clock["results per second"],
        "tools": facts["tools"],
    }


def is_best(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> bool:
    """Whether no other build of the same accuracy or a better one is smaller and no slower."""
    return not any(
        other["right"] >= row["right"]
        and other["LUT"] + other["DSP"] < row["LUT"] + row["DSP"]
        and other["results per second"] >= row["results per second"]
        for other in rows
    )


def picture(rows: Sequence[dict[str, Any]], samples: int) -> Figure:
    """LUTs against results per second, and samples right against LUTs."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    speed, accuracy = figure.subplots(1, 2)
    for bits in BITS:
        own = sorted(
            (row for row in rows if row["bits"] == bits and row["score"] == SOFTMAXES[0][0]),
            key=lambda row: row["interval"],
        )
        colour, label = COLOURS[bits], f"{bits}-bit weights"
        speed.plot(
            [row["results per second"] for row in own],
            [row["LUT"] for row in own],
            color=colour,
            linewidth=1,
            alpha=0.5,
        )
        for axes, key in ((speed, "results per second"), (accuracy, "right")):
            _points(axes, [row for row in rows if row["bits"] == bits], key, colour, label)
    for row in rows:
        if row["bits"] == BITS[0] and row["score"] == SOFTMAXES[0][0]:
            place = (row["results per second"], row["LUT"])
            note = f"{row['interval']} cycles, {row['DSP']} DSP"
            speed.annotate(note, place, (6, -3), textcoords="offset points", fontsize=7)
    speed.set_xscale("log")
    speed.set_yscale("log")
    accuracy.set_yscale("log")
    speed.set_xlabel("results per second")
    accuracy.set_xlabel(f"samples right of {samples}")
    speed.set_ylabel("LUT4 of an ECP5")
    speed.set_title("area against speed", fontsize=11)
    accuracy.set_title("area against accuracy", fontsize=11)
    speed.legend(frameon=False, fontsize=8, loc="lower right")
    for axes in (speed, accuracy):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure


def _points(axes: Axes, rows: Sequence[dict[str, Any]], key: str, colour: str, label: str) -> None:
    for score, mark in MARKS.items():
        own = [row for row in rows if row["score"] == score]
        axes.scatter(
            [row[key] for row in own],
            [row["LUT"] for row in own],
            color=colour,
            marker=mark,
            s=26,
            label=label if score == SOFTMAXES[0][0] else None,
        )


def page(rows: Sequence[dict[str, Any]], samples: int) -> str:
    """docs/sweep.md."""
    tools = ", ".join(f"{name} {version}" for name, version in rows[0]["tools"].items())
    columns = ["weights", "softmax", "cycles per result", "multipliers", "LUT4", "FF", "DSP"]
    columns += ["MHz", "latency in ns", "results/s", f"right of {samples}", ""]
    cells = [
        (
            f"{row['bits']} bits",
            f"{row['score']}, {row['divider']}",
            row["interval"],
            f"{row['multipliers']:,}",
            *(f"{row[kind]:,}" for kind in ("LUT", "FF", "DSP")),
            row["MHz"],
            f"{row['latency in ns']:,}",
            f"{row['results per second']:,}",
            row["right"],
            "best" if is_best(row, rows) else "",
        )
        for row in rows
    ]
    table = pages.table(columns, cells, right=range(2, len(columns) - 1))
    return f"""# Area against speed and accuracy

Written by `make sweep` on {datetime.now(UTC).date().isoformat()}, with {tools}. IrisNet, softmax
included, on an ECP5 (85k, speed 8), placed and routed with seed 1. Weights of fewer bits are
trained for their width, values keep 8 bits. A fold has the fewest multipliers that give a result so
often; at one cycle a result every weight is a constant, and nothing is left of its multiplier but
what it needs. A build is best where none that is as right is smaller, counted in LUTs and DSPs, and
no slower.

![]({PICTURE})

{table}"""


def run(arguments: argparse.Namespace) -> None:
    """Write ``sweep.md`` and its picture, when every point is there."""
    samples = len(datasets.load(recipe.load(RECIPE).dataset).labels)
    networks = {
        key: learned(*key) for key in dict.fromkeys((p.bits, p.score, p.divider) for p in POINTS)
    }
    rows: dict[Point, dict[str, Any]] = {}
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=Console(stderr=True)) as bar,
        ThreadPoolExecutor(arguments.jobs) as pool,
    ):
        task = bar.add_task("sweep", total=len(POINTS))
        running = {
            pool.submit(measured, point, networks[point.bits, point.score, point.divider]): point
            for point in POINTS
        }
        try:
            for future in as_completed(running):
                rows[running[future]] = future.result()
                bar.advance(task)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    ordered = [rows[point] for point in POINTS]
    with cli.whole_file(arguments.docs / PICTURE) as temporary:
        picture(ordered, samples).savefig(temporary, dpi=120, format="png")
    artifact.write_atomically(arguments.docs / PAGE, page(ordered, samples))
    artifact.write_atomically(BUILD / "sweep.json", json.dumps(ordered, indent=1) + "\n")
    print(f"{arguments.docs / PAGE}: {len(ordered)} builds")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.sweep", description=__doc__)
    built.add_argument("--jobs", type=int, default=2, help="builds at a time")
    built.add_argument("--docs", type=Path, default=ROOT / "docs", help="folder of the page")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
