"""Measure the field's seven small networks: training, folds, compiling, simulating, synthesis.

Seconds are those of the processor, of every process that a step starts; memory is the most that one
of these processes held, in MByte. The last row compares the largest network with the smallest.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich import box
from rich.table import Table

from common import cli, sources, tables
from common.files import write_atomically
from common.paths import BUILD
from model import folding, images, recipe
from model.artifact import Network
from model.folding import Goal
from model.networks.canonical import data
from scripts import bench_compile
from syn import utilization
from syn.synthesis import IMAGES
from syn.targets import target
from syn.yosys import chosen, run_yosys
from tb.sim import native
from tb.sim.made_up import codes
from verify.campaigns import canonical

SAMPLES = 2000
FAMILY = "ecp5"
SYNTHESIS_SECONDS = 3600
NATIVE_TARGET = 2000
COLUMNS = {
    "weights": "weights",
    "multipliers": "multi-\npliers",
    "train": "train,\nexport",
    "fold": "fold\nsolver",
    "compile": "Verilator\ncompile",
    "rate": "native,\nsamples/s",
    "synthesis": f"Yosys,\n{FAMILY}",
    "memory": "peak,\nMByte",
}
STEPS = ("train", "fold", "compile", "synthesis")
GROWTH = "seconds per weight, {largest} / {smallest}"


def seconds_of(run: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of a call and of the processes that it waits for, and its result."""

    def used() -> float:
        own, others = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime

    start = used()
    result = run()
    return used() - start, result


def measure(name: str, scratch: Path, *, synthesis: bool = True) -> dict[str, float]:
    """Figures of one network by the keys of `COLUMNS`; without ``synthesis`` Yosys is left out."""
    folder = scratch / name
    shutil.rmtree(folder, ignore_errors=True)
    train, (network, _, _) = seconds_of(lambda: canonical.made(name, folder, 10))
    spec = network.spec
    goal = recipe.load(folder / f"{name}.toml").folds
    assert isinstance(goal, Goal)
    fold, _ = seconds_of(lambda: folding.meeting(spec, goal))
    fast = network.refolded(native.fast_fold(spec))
    compiling, _ = seconds_of(lambda: _compile_anew(fast, folder))
    x = codes(np.random.default_rng(data.SEED), fast, SAMPLES)
    streaming, _ = seconds_of(lambda: native.stream(fast, x, rtl=folder / "rtl"))
    found = {
        "weights": sum(matrix.size for matrix in network.weights.values()),
        "multipliers": sum(layer.multipliers for layer in spec.layers),
        "train": round(train, 1),
        "fold": round(fold, 2),
        "compile": round(compiling, 1),
        "rate": round(SAMPLES / streaming),
    }
    if synthesis:
        found["synthesis"] = round(seconds_of(lambda: _synthesize(network, folder / "yosys"))[0], 1)
    return found | {"memory": round(peak_megabytes())}


def measure_alone(name: str, scratch: Path, *, synthesis: bool = True) -> dict[str, float]:
    """Figures of `measure`, in a process of its own, so that its memory is that of one network."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_one_thread) as pool:
        return pool.submit(measure, name, scratch, synthesis=synthesis).result()


def peak_megabytes() -> float:
    """Most memory that this process, or one that it has waited for, has held."""
    sides = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in sides) / 1024


def growth(figures: Mapping[str, Mapping[str, float]]) -> tuple[str, dict[str, float]] | None:
    """Seconds per weight of the largest network over those of the smallest, by step, and a title.

    1 or less is no more than linear in weights. None where there are not two networks. A step that
    either did not run, or that took the smallest no time that can be measured, is left out.
    """
    by_size = sorted(figures, key=lambda name: figures[name].get("weights", 0))
    if len(by_size) < 2:
        return None
    smallest, largest = by_size[0], by_size[-1]
    small, large = figures[smallest], figures[largest]
    found = {
        step: round(large[step] / small[step] / (large["weights"] / small["weights"]), 3)
        for step in STEPS
        if step in large and small.get(step)
    }
    if large.get("rate") and small.get("rate"):
        seconds = small["rate"] / large["rate"]
        found["rate"] = round(seconds / (large["weights"] / small["weights"]), 3)
    return GROWTH.format(largest=largest, smallest=smallest), found


def _one_thread() -> None:
    torch.set_num_threads(1)


def _compile_anew(network: Network, folder: Path) -> None:
    """Compile the library of a network from sources that no build has seen, without a cache."""
    with bench_compile.anew(folder) as rtl:
        native.build(network.spec, rtl=rtl)


def _synthesize(network: Network, folder: Path) -> None:
    """Netlist of a network at its own fold."""
    folder.mkdir()
    images.write_images(network, folder / IMAGES)
    family = target(FAMILY)
    for path in (*sources.verilog(), *family.carries):
        shutil.copy(path, folder)
    design = utilization.design(network)
    names = sorted(path.name for path in sources.verilog())
    lines = [
        f"read_verilog {' '.join(names)}",
        f"chparam {chosen(design.parameters)} {design.module}",
        *family.script(None, design.multipliers, design.module, design.blocks),
    ]
    run_yosys(lines, folder, "yosys", seconds=SYNTHESIS_SECONDS)


def table(figures: dict[str, dict[str, float]]) -> Table:
    """The figures as a person reads them."""
    rows = Table(
        title=f"Processor seconds; native: at least {NATIVE_TARGET:,} samples per second of TFC",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    rows.add_column("network", no_wrap=True)
    for heading in COLUMNS.values():
        rows.add_column(heading, justify="right")
    for name, found in figures.items():
        rows.add_row(name, *(f"{found[key]:,}" if key in found else "" for key in COLUMNS))
    if compared := growth(figures):
        title, ratios = compared
        rows.add_section()
        rows.caption = f"last row: {title}; 1 or less is linear"
        rows.add_row("ratio", *(f"{ratios[key]:,}" if key in ratios else "" for key in COLUMNS))
    return rows


def run(arguments: argparse.Namespace) -> None:
    """Measure the networks that are named, print the table and write the figures."""
    names = arguments.network or list(data.MAKERS)
    figures = {
        name: measure_alone(name, arguments.scratch.resolve(), synthesis=not arguments.no_synthesis)
        for name in names
    }
    write_atomically(arguments.out, json.dumps(figures, indent=1) + "\n")
    tables.show(table(figures))
    print(f" {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.bench_canonical", description=__doc__)
    built.add_argument(
        "--network",
        action="append",
        choices=list(data.MAKERS),
        help="one of them, may be given several times (default: all)",
    )
    built.add_argument("--no-synthesis", action="store_true", help="leave Yosys out")
    for name, default, words in (
        ("scratch", BUILD / "bench-canonical", "folder to build in"),
        ("out", BUILD / "bench-canonical.json", "the figures"),
    ):
        built.add_argument(f"--{name}", type=Path, default=default, help=words)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
