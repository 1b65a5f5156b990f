"""Synthesize a network of wide inputs with and without a memory: a table in docs/decisions/."""

import argparse
import dataclasses
import statistics
from collections.abc import Sequence
from typing import Any

from common import cli, jobs, markdown
from common.jobs import Job
from common.paths import BUILD, ROOT
from model import folding
from model.artifact import Network
from model.folding import Goal
from model.format import Format
from studies.unnamed import unnamed
from syn import carried, utilization
from syn.synthesis import Design
from syn.targets import KINDS, target
from tb.sim.made_up import made_up

PAGE, BLOCK = "0022-wide-inputs-in-a-memory.md", "wide-inputs"
FOLDER = BUILD / "wide_inputs"

FAMILY, DEVICE = "ecp5", "85k"
MOST_MULTIPLIERS = 200
FOLDS = ("serial", f"{MOST_MULTIPLIERS} multipliers")
KEPT = {True: "memory", False: "two registers"}
COLUMNS = ("fold", "features in", *KINDS, "estimated LUT", "FF")

INTRODUCTION = """`make study-wide-inputs` writes this part: TFC, 784-64-64-64-10 with random
weights of 8 bits and inputs of 9, with `MEMORY` 0 and 1, by Yosys for an ECP5{clock}.

"""
CLOCK = "; its clock by nextpnr, of {seeds} placement{plural} the median"


def networks() -> dict[str, Network]:
    """TFC at a multiplier a layer, and at most at those of its recipe."""
    serial = made_up(
        [784, 64, 64, 64, 10],
        formats=[Format(9, 0), *4 * [Format(8, 4)]],
        weight_format=Format(8, 7),
        softmax=("exp", "reciprocal"),
    )
    goal = Goal(max_multipliers=MOST_MULTIPLIERS)
    folded = serial.refolded(folding.meeting(serial.spec, goal))
    return dict(zip(FOLDS, (serial, folded), strict=True))


def design(network: Network, *, memory: bool) -> Design:
    """The core of a network, whose features are in a memory or not, whatever its spec chooses."""
    found = utilization.design(network)
    return dataclasses.replace(found, parameters={**found.parameters, "MEMORY": int(memory)})


def work(given: Design, seeds: Sequence[int]) -> list[Job]:
    """Synthesis, then a placement for each seed."""
    family = target(FAMILY)
    device = family.device(DEVICE)
    assert device is not None
    placements = [carried.placement_job(given, family, device, seed) for seed in seeds]
    return [carried.netlist_job(given, unnamed(family), device), *placements]


def row(fold: str, network: Network, memory: bool, results: Sequence[Any]) -> list[str]:
    """Cells beside their estimate, and the clock where it was placed."""
    cells = carried.netlist_of(results[0]).cells
    clocks = [carried.placement_of(found).megahertz for found in results[1:]]
    estimate = network.spec.area_with(memory=memory)
    numbers = [*cells.values(), estimate.luts, estimate.flip_flops]
    clock = [f"{statistics.median(clocks):.1f}"] if clocks else []
    return [fold, KEPT[memory], *(f"{number:,}" for number in numbers), *clock]


def run(arguments: argparse.Namespace) -> None:
    """Synthesize each variant, place it where asked, then fill the part of the page."""
    seeds = tuple(range(1, arguments.seeds + 1))
    rows = []
    for fold, network in networks().items():
        if fold not in (arguments.fold or FOLDS):
            continue
        for memory in KEPT:
            todo = work(design(network, memory=memory), seeds)
            label = f"{fold}, {KEPT[memory]}"
            done = jobs.run(label, todo, FOLDER / "jobs", workers=arguments.jobs)
            rows.append(row(fold, network, memory, [found.result for found in done]))
    table = markdown.table([*COLUMNS, *(["MHz"] if seeds else [])], rows)
    clock = CLOCK.format(seeds=len(seeds), plural="" if len(seeds) == 1 else "s")
    said = INTRODUCTION.format(clock=clock if seeds else "")
    markdown.fill(ROOT / arguments.docs / PAGE, {BLOCK: said + table})
    print(table)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.wide_inputs", description=__doc__)
    cli.add_docs(built, "docs/decisions")
    cli.add_jobs(built)
    built.add_argument(
        "--fold",
        action="append",
        choices=FOLDS,
        help="one of them, may be given twice (default: both)",
    )
    built.add_argument(
        "--seeds", type=int, default=0, help="placements, of an hour each (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
