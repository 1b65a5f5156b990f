"""Measure IrisNet on each family of FPGAs: docs/results/silicon.md, and blocks of two pages."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from common import cli, files, markdown
from common.markdown import table_of_numbers
from common.paths import GOLDEN_IRIS, ROOT
from model import artifact
from syn import utilization
from syn.folds import SHARED, refolded
from syn.targets import target
from syn.utilization import Facts

PAGE, README = "docs/results/silicon.md", "README.md"
INTEGRATE = "docs/integrate.md"
BLOCK = "silicon"


@dataclass(frozen=True)
class Build:
    """A row of the page: a fold on a device, what it is there for, and its seeds of placement."""

    fold: str
    target: str
    device: str | None
    reason: str
    seeds: tuple[int, ...] = utilization.SEEDS
    route: bool = True


BUILDS = (
    Build("default", "ecp5", "85k", "the recipe's fold", seeds=(1, 2, 3, 4, 5)),
    Build("1x1,2x1,2x1,1x1", "ice40", "up5k", "the 8 DSPs of the device, two for the softmax"),
    Build("serial", "ice40", "hx8k", "one multiplier a layer, none of them a DSP"),
    Build("default", "xc7", None, "the recipe's fold, synthesized only: there is no open router"),
    Build(
        SHARED,
        "ecp5",
        "85k",
        "a result a cycle, by sums that outputs share; placed, not routed",
        route=False,
    ),
)


def summary(found: Sequence[tuple[Build, Facts]]) -> str:
    """A row a build, with the clock as the median of its seeds."""
    columns = ["device", "multipliers", "LUT", "FF", "DSP", "BRAM", "MHz", "cycles per result"]
    columns += ["latency in cycles", "latency in ns", "results/s"]
    rows = []
    for build, facts in found:
        cells, clock = dict(facts["cells"]), facts["clock"] or {}
        cells |= facts["placed"] or {}
        name = " ".join(filter(None, (facts["target"], facts["device"])))
        products = sum(simd * pe for simd, pe in facts["fold"].values())
        multipliers = 0 if build.fold == SHARED else products
        kinds = [f"{cells[kind]:,}" for kind in ("LUT", "FF", "DSP", "BRAM")]
        times = [clock.get(key, "") for key in ("median", "latency in ns", "results per second")]
        shown = [f"{value:,}" if value != "" else "" for value in times]
        if clock and not build.route:
            shown[0] += " expected"
        cycles = [str(facts["cycles"][key]) for key in ("interval", "latency")]
        rows.append([name, str(multipliers), *kinds, shown[0], *cycles, *shown[1:]])
    return table_of_numbers(columns, rows)


def section(build: Build, facts: Facts) -> str:
    """One build in full: estimate, cells, clock of each seed, modules, warnings."""
    name = " ".join(filter(None, (facts["target"], facts["device"])))
    fold = ", ".join(f"{layer} {simd}x{pe}" for layer, (simd, pe) in facts["fold"].items())
    if build.fold == SHARED:
        fold += ", each product a part of a sum"
    kinds = [facts["lut"] if kind == "LUT" else kind for kind in facts["cells"]]
    parts = [f"## {name}: {build.reason}", f"SIMD x PE: {fold}."]
    rows = [
        [key, *(f"{source[kind]:,}" if kind in source else "" for kind in facts["cells"])]
        for key, source in (
            ("estimated from the spec", facts["estimate"]),
            ("synthesized", facts["cells"]),
            ("placed", facts["placed"] or {}),
            ("there are", facts["available"] or {}),
        )
        if source
    ]
    parts.append(table_of_numbers(["", *kinds], rows))
    if facts["clock"]:
        clock = facts["clock"]
        by_seed = ", ".join(f"{value} with seed {seed}" for seed, value in clock["MHz"].items())
        what = "MHz" if build.route else "MHz, expected"
        parts.append(
            f"{what}: {by_seed}; least {clock['least']}, median {clock['median']}, most "
            f"{clock['most']}."
        )
    rows = [
        [f"`{module}`", *map(str, cells.values())] for module, cells in facts["modules"].items()
    ]
    parts.append(table_of_numbers(["module", *kinds], rows))
    parts += [f"Warning of the tools: {line}" for line in facts["warnings"]]
    return "\n\n".join(parts)


def page(found: Sequence[tuple[Build, Facts]]) -> str:
    """The whole of docs/results/silicon.md."""
    tools = ", ".join(f"{name} {version}" for name, version in found[0][1]["tools"].items())
    date = max(facts["date"] for _, facts in found)
    parts = [
        "# FPGA resources",
        f"Written by `make study-silicon` on {date}, with {tools}. Nothing here was typed.",
        "The network is the golden IrisNet, softmax included; every fold computes the same "
        "integers. The clock is nextpnr's, between registers; where a build is not routed, it is "
        "what nextpnr expects before it routes. The table has the median of the seeds. An ECP5 is "
        "placed without pins, as a part of a larger design, and its multipliers by a "
        "[floorplan](../decisions/0014-a-floorplan-of-multipliers.md). LUTs are those of "
        "the placed design where there is one. Modules are counted in the flattened netlist, "
        "each cell for the instance that names it.",
        summary(found),
        *(section(build, facts) for build, facts in found),
    ]
    return "\n\n".join(parts) + "\n"


def run(arguments: argparse.Namespace) -> None:
    """Measure every build, then write the pages."""
    network, found = artifact.load(GOLDEN_IRIS), []
    with Progress(console=Console(stderr=True)) as bar:
        for build in BUILDS:
            chosen = target(build.target)
            device = chosen.device(build.device)
            facts = utilization.measure(
                *(refolded(network, build.fold), chosen, device, build.seeds, bar),
                route=build.route,
            )
            found.append((build, facts))
    text = json.dumps([facts for _, facts in found], indent=1)
    files.write_atomically(ROOT / "build" / "silicon.json", text + "\n")
    files.write_atomically(arguments.docs / Path(PAGE).name, page(found))
    for path in (arguments.readme, arguments.integrate):
        markdown.fill(path, {BLOCK: summary(found)})
    print(f"{PAGE}, {README} and {INTEGRATE}: written")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.silicon", description=__doc__)
    cli.add_docs(built)
    built.add_argument("--readme", type=Path, default=Path(README), help="page with the block")
    built.add_argument(
        "--integrate", type=Path, default=Path(INTEGRATE), help="another page with it"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
