"""Synthesize IrisNet at many folds, widths and softmaxes: area against speed and accuracy."""

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress

from common import cli, files, jobs
from common.executors import Serial
from common.jobs import Job
from common.paths import BUILD, ROOT
from model import artifact, folding, recipe, reference
from model.artifact import Network
from model.data import datasets
from model.folding import Goal
from model.qat import quantize, training
from model.recipe import Recipe
from model.widths import Widths
from studies import sweep_page
from studies.peers import generate
from studies.peers.page import multipliers
from studies.sweep_page import Row
from syn import folds, synthesis, utilization
from syn.folds import SHARED
from syn.targets import target

HERE = "studies.sweep"
FOLDER = BUILD / "sweep"
RECIPE = ROOT / "model" / "networks" / "iris.toml"
TARGET = target("ecp5")

# Bits of weights and of values between layers.
WIDTHS = (8, 6, 4)
# The layer of the logits, and the fewest bits of them: with 4, one class is nearly all it learns.
LOGITS, LEAST_LOGITS = "fc3", 6
# Cycles of a result that a fold is asked for, the longest to build first: 1 is a network of sums,
# 900 a multiplier a layer.
CYCLES = (1, 15, 30, 90, 900)
SOFTMAXES = (("taylor2", "reciprocal"), ("exp", "restoring"))
# The other softmax adds the same to each fold.
OTHER_SOFTMAX_AT = (30, 900)


@dataclass(frozen=True)
class Point:
    """A build of the sweep."""

    bits: int
    score: str
    divider: str
    cycles: int

    @property
    def format(self) -> tuple[int, str, str]:
        """Format that a network is trained for."""
        return self.bits, self.score, self.divider


POINTS = [
    *(Point(bits, *SOFTMAXES[0], cycles) for cycles in CYCLES for bits in WIDTHS),
    *(Point(WIDTHS[0], *SOFTMAXES[1], cycles) for cycles in OTHER_SOFTMAX_AT),
]


def at_width(plan: Recipe, bits: int, score: str, divider: str) -> Recipe:
    """The recipe with weights and values of ``bits`` bits, fine-tuned for them.

    Features keep their width, as they come from outside, and logits have `LEAST_LOGITS` bits.
    """
    softmax = dataclasses.replace(plan.softmax, score=score, divider=divider)
    formats = dataclasses.replace(plan.formats, weights_width=bits, activations_width=bits)
    if bits < LEAST_LOGITS:
        logits = Widths(activations_width=LEAST_LOGITS)
        formats = dataclasses.replace(formats, layers={LOGITS: logits})
    if formats != plan.formats:
        formats = dataclasses.replace(formats, calibration="mse")
    return dataclasses.replace(plan, formats=formats, softmax=softmax)


def learned(bits: int, score: str, divider: str) -> dict[str, Any]:
    """Network at a width, trained and exported, and the number of correct samples."""
    torch.set_num_threads(1)
    plan = at_width(recipe.load(RECIPE), bits, score, divider)
    dataset = datasets.load(plan.dataset, plan.folder)
    train, _ = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, dataset, train)
    origin = quantize.provenance(plan, dataset)
    network = quantize.export(trained.quantized, plan, origin, trained.scaling)
    classes, _ = reference.predict(network, dataset.features)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.json")
        artifact.save(network, path)
        text = path.read_text()
    return {"network": text, "correct": int((classes == dataset.labels).sum())}


def loaded(text: str) -> Network:
    """The network whose file holds this text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.json")
        path.write_text(text)
        return artifact.load(path)


def measured(point: Mapping[str, Any], network: str, correct: int) -> Row:
    """A row of the sweep, of the network whose file holds this text."""
    whole = loaded(network)
    cycles = Point(**point).cycles
    if cycles == 1:
        shown = folds.refolded(whole, SHARED)
    else:
        shown = whole.refolded(folding.meeting(whole.spec, Goal(target_cycles=cycles)))
    silent, device = Progress(disable=True), TARGET.device(None)
    routed = cycles > 1
    facts = utilization.measure(shown, TARGET, device, (1,), silent, Serial(), route=routed)
    clock, placed = facts["clock"], facts["placed"]
    return {
        **point,
        "correct": correct,
        "multipliers": multipliers(shown.spec),
        "interval": facts["cycles"]["interval"],
        "latency in ns": clock["latency in ns"],
        "LUT": placed["LUT"],
        "FF": placed["FF"],
        "DSP": placed["DSP"],
        "MHz": clock["median"],
        "routed": routed,
        "results per second": clock["results per second"],
        "tools": facts["tools"],
    }


def rows(workers: int) -> list[Row]:
    """A row a point, of networks that are trained first."""
    rests_on = {**jobs.rests_on(HERE), "tools of synthesis": synthesis.versions()}
    formats = list(dict.fromkeys(point.format for point in POINTS))
    names = ("bits", "score", "divider")
    training_jobs = [
        Job(
            "-".join(map(str, key)),
            f"{HERE}:learned",
            dict(zip(names, key, strict=True)),
            jobs.rests_on(HERE, tops=[], files=[RECIPE]),
        )
        for key in formats
    ]
    done = jobs.run("training", training_jobs, FOLDER / "networks", workers=workers)
    networks = {key: found.result for key, found in zip(formats, done, strict=True)}
    points = [
        Job(
            "-".join(map(str, dataclasses.astuple(point))),
            f"{HERE}:measured",
            {"point": dataclasses.asdict(point), **networks[point.format]},
            rests_on,
        )
        for point in POINTS
    ]
    return [found.result for found in jobs.run("sweep", points, FOLDER, workers=workers)]


def _found_by_peers() -> list[Row]:
    """Results of `make study-peers`, if it ran."""
    found: list[Row] = json.loads(generate.ROWS.read_text()) if generate.ROWS.exists() else []
    return found


def run(arguments: argparse.Namespace) -> None:
    """Write ``sweep.md`` and its picture, when every point is there."""
    samples = len(datasets.load(recipe.load(RECIPE).dataset).labels)
    ordered = sorted(
        rows(arguments.jobs), key=lambda row: (row["score"], row["bits"], -row["interval"])
    )
    ordered.reverse()
    beside = [row for row in _found_by_peers() if not row["softmax"] and row["MHz"]]
    with files.whole_file(arguments.docs / sweep_page.PICTURE) as temporary:
        drawn = sweep_page.picture(ordered, samples, beside)
        drawn.savefig(temporary, dpi=120, format="png")
    page = sweep_page.page(ordered, samples, beside)
    files.write_atomically(arguments.docs / sweep_page.PAGE, page)
    files.write_atomically(BUILD / "sweep.json", json.dumps(ordered, indent=1) + "\n")
    print(f"{arguments.docs / sweep_page.PAGE}: {len(ordered)} builds")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.sweep", description=__doc__)
    built.add_argument("--jobs", type=int, default=2, help="builds at a time")
    cli.add_docs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
