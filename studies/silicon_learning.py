"""Measure the core that learns on two families of FPGAs: docs/results/silicon-learning.md."""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from boards.bitstream import BOARDS, learning_design
from common import cli, files
from common.markdown import table_of_numbers
from common.paths import BUILD
from model.learning.backprop import IRIS
from model.learning.core import TOP, Core
from syn import synthesis
from syn.synthesis import IMAGES, Design, Netlist, Placement
from syn.targets import KINDS, Device, Target, target

PAGE = "docs/results/silicon-learning.md"
SEEDS = "1,2,3"
# Samples learned a second by each build, for `make bench`.
RATES = BUILD / "learning-silicon.json"


@dataclass(frozen=True)
class Build:
    """A row of the page: a design on a device, and the files that place it."""

    name: str
    core: Core
    design: Design
    target: Target
    device: Device
    pins: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Found:
    """Result of the tools for a build."""

    netlist: Netlist
    placements: tuple[Placement, ...]

    @property
    def megahertz(self) -> float:
        """The median of the seeds."""
        return statistics.median(placement.megahertz for placement in self.placements)

    def rate(self, core: Core) -> float:
        """Samples that ``core`` learns per second at that clock."""
        return self.megahertz * 1e6 / core.cycles


def builds() -> tuple[Build, ...]:
    """The core alone on an ECP5; with its serial link at the pins of a board on an UP5K."""
    wide, narrow = Core(IRIS, 30), Core(IRIS, 6)
    images = BUILD / "synthesis" / "images" / f"learn-{IRIS.score}"
    wide.write_images(images)
    ecp5, board = target("ecp5"), BOARDS["icebreaker"].learning
    multipliers = wide.lanes + IRIS.softmax.area.multipliers
    alone = Design(TOP, wide.parameters(IMAGES), images, multipliers=multipliers)
    return (
        Build("ecp5 85k, the core alone", wide, alone, ecp5, ecp5.devices[0]),
        Build(
            "ice40 up5k, with its link, at the pins of an iCEBreaker",
            narrow,
            learning_design(narrow, board),
            board.target,
            board.device,
            (board.pins_file,),
        ),
    )


def measure(build: Build, seeds: Sequence[int], bar: Progress) -> Found:
    """Synthesize, place and route with each seed; what was made once is read again.

    Raises `SynthesisError` where a tool fails, as where the device is too small.
    """
    task = bar.add_task(build.name, total=1 + len(seeds))
    netlist = synthesis.synthesize(build.design, build.target, build.device)
    bar.advance(task)
    placements = []
    for seed in seeds:
        placements.append(
            synthesis.place(netlist, build.target, build.device, seed, files=build.pins)
        )
        bar.advance(task)
    return Found(netlist, tuple(placements))


def summary(found: Sequence[tuple[Build, Found]]) -> str:
    """A row a build: resources, clock, and what the clock means for samples."""
    columns = ["device", "L", "LUT", "FF", "DSP", "BRAM", "MHz", "cycles a sample", "samples/s"]
    columns += ["whole training in s"]
    rows = []
    for build, made in found:
        cells = made.netlist.cells | made.placements[0].used
        cycles, hertz = build.core.cycles, made.megahertz * 1e6
        samples = IRIS.epochs * IRIS.samples
        rows.append(
            [
                build.name,
                str(build.core.lanes),
                *(f"{cells[kind]:,}" for kind in KINDS),
                f"{made.megahertz:g}",
                f"{cycles:,}",
                f"{made.rate(build.core):,.0f}",
                f"{samples * cycles / hertz:.3f}",
            ]
        )
    return table_of_numbers(columns, rows)


def rates(found: Sequence[tuple[Build, Found]]) -> dict[str, int]:
    """Samples learned per second, by the name of the build and its lanes."""
    return {
        f"{build.name}, L = {build.core.lanes}": round(made.rate(build.core))
        for build, made in found
    }


def section(build: Build, made: Found) -> str:
    """One build in full: cells, clock of each seed, modules, warnings."""
    kinds = [build.target.lut if kind == "LUT" else kind for kind in KINDS]
    first = made.placements[0]
    rows = [
        [name, *(f"{cells[kind]:,}" if kind in cells else "" for kind in KINDS)]
        for name, cells in (
            ("synthesized", made.netlist.cells),
            ("placed", first.used),
            ("there are", first.available),
        )
    ]
    clocks = ", ".join(f"{p.megahertz:g} with seed {p.seed}" for p in made.placements)
    warnings = [*made.netlist.warnings]
    for placement in made.placements:
        warnings += [line for line in placement.warnings if line not in warnings]
    modules = [
        [f"`{module}`", *map(str, cells.values())] for module, cells in made.netlist.modules.items()
    ]
    return "\n\n".join(
        [
            f"## {build.name}",
            table_of_numbers(["", *kinds], rows),
            f"MHz: {clocks}; nextpnr was asked for {build.target.frequency}.",
            table_of_numbers(["module", *kinds], modules),
            *(f"Warning of the tools: {line}" for line in warnings),
        ]
    )


def page(found: Sequence[tuple[Build, Found]]) -> str:
    """The whole page."""
    tools = ", ".join(f"{name} {version}" for name, version in synthesis.versions().items())
    date = datetime.now(UTC).date().isoformat()
    board = BOARDS["icebreaker"].learning
    cycles = Core(IRIS, 6).cycles * IRIS.epochs * IRIS.samples
    parts = [
        "# FPGA resources of the core that learns",
        f"Written by `make study-silicon-learning` on {date}, with {tools}. "
        "Nothing here was typed.",
        "IrisNet with the exponential softmax, its masters and state included. The clock is "
        "nextpnr's, between registers, with the median of the seeds in the table; samples a "
        "second and the training of "
        f"{IRIS.epochs} epochs of {IRIS.samples} samples follow from it and from "
        "`Core.cycles`, which the benches hold against the RTL. LUTs are those of the placed "
        "design. On an iCE40 a logic cell holds a LUT, its carry and a flip-flop.",
        f"An iCEBreaker runs at the {board.hertz / 1e6:g} MHz of its PLL, not at the placed "
        f"clock: there the training takes {cycles / board.hertz:.2f} s of the core's time. Through "
        "the serial line the samples come slower than either learns. Energy was not measured.",
        summary(found),
        *(section(build, made) for build, made in found),
    ]
    return "\n\n".join(parts) + "\n"


def run(arguments: argparse.Namespace) -> None:
    """Measure every build, then write the page."""
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    with Progress(console=Console(stderr=True)) as bar:
        found = [(build, measure(build, seeds, bar)) for build in builds()]
    files.write_atomically(arguments.docs / Path(PAGE).name, page(found))
    files.write_atomically(RATES, json.dumps(rates(found), indent=1) + "\n")
    print(f"{PAGE}: written")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.silicon_learning", description=__doc__)
    cli.add_docs(built)
    built.add_argument("--seeds", default=SEEDS, help="seeds of placement (default: %(default)s)")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
