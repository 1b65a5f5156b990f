"""Trim the networks in git, run IrisNet whole and trimmed on every input of its box: a page."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from common import cli, files, jobs, markdown
from common.jobs import Job
from common.paths import BUILD, GOLDEN, RECIPES
from model import artifact, backends, recipe, reference, trimming
from model.artifact import Network
from model.data import datasets
from model.format import Int
from model.spec import TOP
from model.trimming import Box, Constants
from studies.accuracy_page import SHIPPED
from syn import carried, synthesis, utilization
from syn.package import content
from syn.synthesis import Design
from syn.targets import KINDS, target

HERE = "studies.trimming"
PAGE = "trimming.md"
FOLDER = BUILD / "trimming"
IRIS = "iris"
# Inputs of a job.
PIECE = 1 << 20
FAMILY, DEVICE, SEEDS = "ecp5", "85k", (1, 2, 3)

TEXT = """# Trimmed networks

Written by `make study-trimming` on {date}; nothing here is typed by hand. `make trim
NETWORK=...` does the same for one network.

The box of a network is all inputs of which each feature is between the least and the largest of
its dataset, in codes. A neuron is *constant* where interval arithmetic, on pieces of the box, gives
it one output in all of them; what it adds becomes part of the biases behind it. A layer gets
neurons without weights where a number with more divisors folds into a smaller core.

{networks}

IrisNet, whole and trimmed, ran through the RTL on **all {inputs:,} inputs of its box**: {values:,}
values and classes of each, all equal. Outside of the box they may differ: `mlp_range` beside the
trimmed core raises a flag with the result of each sample that is.

On an ECP5 {device}, placed and routed, the clock being the median of {seeds} seeds; `mlp_range` is
synthesized by itself.

{silicon}
"""


def box_of_data(name: str) -> tuple[Network, Box]:
    """A network in git, and the box of its dataset."""
    network, plan = artifact.load(GOLDEN / f"{name}.network.json"), recipe.load(recipe_of(name))
    features = datasets.load(plan.dataset, plan.folder).features
    return network, Box.around(reference.encode(network, features), network.spec.x)


def recipe_of(name: str) -> Path:
    """File of the recipe of a network in git."""
    return RECIPES / f"{name}.toml"


def row(name: str, network: Network, smaller: Network, constant: Constants) -> list[str]:
    """Constant neurons, and products of all neurons, of those that vary, of those that stay."""
    hidden = network.spec.layers[:-1]
    found = [f"{len(constant.get(layer.name, {}))} of {layer.n_out}" for layer in hidden]
    counts = [
        trimming.multiplications(network),
        trimming.multiplications(network, constant),
        trimming.multiplications(smaller),
    ]
    return [name, ", ".join(found), *(f"{count:,}" for count in counts)]


def inputs_of(box: Box, start: int, stop: int) -> Int:
    """Inputs ``start`` to ``stop`` of a box in the order of its codes, the last feature fastest."""
    shape = tuple((box.high - box.low + 1).tolist())
    return box.low + np.stack(np.unravel_index(np.arange(start, stop), shape), axis=1)


def agree(whole: str, smaller: str, start: int, stop: int) -> dict[str, int]:
    """Run inputs of a trimmed network's box through the RTL of both; count what was compared.

    The networks are files. Raises `TrimmingError` at the first input of which results differ.
    """
    first, second = (artifact.load(files.found(path)) for path in (whole, smaller))
    box = trimming.box_of(second)
    assert box is not None
    codes = inputs_of(box, start, stop)
    run = backends.find("native", {})
    values = trimming.compare(first, second, codes, run, piece=len(codes))
    return {"inputs": len(codes), "values": values}


def exhaust(whole: Path, smaller: Path, workers: int | None, piece: int = PIECE) -> dict[str, int]:
    """Compare both networks on every input of the box, in pieces that are kept."""
    box = trimming.box_of(artifact.load(smaller))
    assert box is not None
    rests_on = jobs.rests_on(HERE, tops=[TOP], files=[whole, smaller])
    paths = {"whole": files.shown(whole), "smaller": files.shown(smaller)}
    work = [
        Job(
            str(start),
            f"{HERE}:agree",
            {**paths, "start": start, "stop": min(start + piece, box.inputs)},
            rests_on,
        )
        for start in range(0, box.inputs, piece)
    ]
    done = jobs.run("every input of the box", work, FOLDER / "jobs", workers=workers)
    return {key: sum(found.result[key] for found in done) for key in ("inputs", "values")}


def silicon(networks: Sequence[tuple[str, Network]]) -> str:
    """Cells, clock and cycles of each network, then the cells of the comparison."""
    family = target(FAMILY)
    device = family.device(DEVICE)
    columns = ["", *KINDS, "MHz", "cycles per result", "latency in cycles", "latency in ns"]
    rows = []
    with Progress(console=Console(stderr=True)) as bar:
        for name, network in networks:
            facts = utilization.measure(network, family, device, SEEDS, bar)
            clock, cycles = facts["clock"], facts["cycles"]
            cells = facts["cells"] | facts["placed"]
            numbers = [*(f"{cells[kind]:,}" for kind in KINDS), f"{clock['median']:,}"]
            times = [cycles["interval"], cycles["latency"], f"{clock['latency in ns']:,}"]
            rows.append([name, *numbers, *map(str, times)])
    beside = Design(content.RANGE, content.range_parameters(networks[-1][1]))
    work = [carried.netlist_job(beside, family, device)]
    (found,) = jobs.run("comparison", work, synthesis.FOLDER / "jobs", workers=1)
    cells = carried.netlist_of(found.result).cells
    rows.append([f"`{content.RANGE}`", *(f"{cells[kind]:,}" for kind in KINDS), *[""] * 4])
    return markdown.table_of_numbers(columns, rows)


def run(arguments: argparse.Namespace) -> None:
    """Trim every network, exhaust and synthesize IrisNet, write the page."""
    rows, iris = [], []
    for name in SHIPPED:
        network, box = box_of_data(name)
        constant = trimming.constants(network, box)
        smaller = trimming.trimmed(network, box, constant)
        rows.append(row(name, network, smaller, constant))
        if name == IRIS:
            iris = [("whole", network), ("trimmed", smaller)]
    path = FOLDER / f"{IRIS}.network.json"
    artifact.save(iris[-1][1], path)
    compared = exhaust(GOLDEN / f"{IRIS}.network.json", path, arguments.jobs)
    table = ["network", "constant neurons by hidden layer", "products", "without them", "trimmed"]
    facts: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "networks": markdown.table_of_numbers(table, rows),
        "device": DEVICE,
        "seeds": len(SEEDS),
        "silicon": silicon(iris),
    }
    text = TEXT.format(**facts, **compared)
    files.write_atomically(arguments.docs / PAGE, text)
    print(text)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    cli.add_docs(built)
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
