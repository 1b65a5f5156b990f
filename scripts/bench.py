"""Measure how long the way from PyTorch to the table takes, and how fast its parts are."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from common import cli, errors, tables
from common.files import write_atomically
from common.paths import ROOT, RTL
from model import artifact, fast, onnx_export, reference
from model.artifact import Network
from scripts import bench_learning
from tb.sim import native
from tb.sim.made_up import codes
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tb.sim.simulators import SIMULATORS

# What this project aims at on 2 CPUs: seconds at most, samples per second at least.
CHAIN_TARGET = {"verilator": 40, "icarus": 25}
PREDICT_TARGET = 100_000
LIBRARY_TARGET = 1_000_000
NATIVE_TARGET, NATIVE_COMPILE_TARGET = 300_000, 15

BATCH, LARGE_BATCH = 10_000, 100_000
PREDICT_SECONDS = 1.0
FEW, MANY = 100, 1100
SEED = 1


def chain(build: Path, network: Path, simulator: str) -> dict[str, float]:
    """Wall seconds of each command that ``make sim`` runs, in the same order, and their sum."""
    seconds = {}
    for step, arguments in (
        ("train", ["--network", str(network)]),
        ("export", ["--network", str(network)]),
        ("sim", ["--sim", simulator]),
        ("report", ["--sim", simulator]),
    ):
        command = [sys.executable, "-m", f"scripts.{step}", "--build", str(build), *arguments]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds[step] = round(time.perf_counter() - start, 3)
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise errors.CommandError(
                f"{' '.join(command[1:])} failed: {words[-1] if words else ''}"
            )
    compiled = json.loads((build / f"rtl-{simulator}.json").read_text())["seconds"]["build"]
    return seconds | {"total": round(sum(seconds.values()), 3), "compiling": round(compiled, 3)}


def per_second(run: Callable[[], object], batch: int) -> int:
    """Samples per second of a run over ``batch`` of them, once warm."""
    run()
    batches, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < PREDICT_SECONDS:
        run()
        batches += 1
    return round(batches * batch / elapsed)


def predictions_per_second(network: Network) -> int:
    """Samples per second through `reference.predict`, in batches."""
    x = network.spec.x
    rng = np.random.default_rng(SEED)
    features = rng.uniform(x.q_min * x.lsb, x.max_value, (BATCH, network.spec.n_in))
    return per_second(lambda: reference.predict(network, features), BATCH)


def library_figures(network: Network) -> dict[str, int]:
    """Samples per second through the reference's fast path and through ONNX Runtime."""
    x = codes(np.random.default_rng(SEED), network, LARGE_BATCH)
    return {
        "fast_samples_per_second": per_second(lambda: fast.predict_codes(network, x), LARGE_BATCH),
        "target_fast_samples_per_second": LIBRARY_TARGET,
        "onnx_samples_per_second": per_second(
            lambda: onnx_export.predict_codes(network, x), LARGE_BATCH
        ),
    }


def native_figures(network: Network, scratch: Path) -> dict[str, Any]:
    """Samples per second through the RTL as a library, and the seconds of compiling it anew."""
    # A remark that was never compiled before, and no compiler cache.
    rtl = scratch / "native-rtl"
    shutil.rmtree(rtl, ignore_errors=True)
    shutil.copytree(RTL, rtl)
    with (rtl / "mlp_top.v").open("a") as top:
        top.write(f"// {time.time_ns()}\n")
    folded = network.refolded(native.fast_fold(network.spec))
    before = os.environ.get("CCACHE_DISABLE")
    os.environ["CCACHE_DISABLE"] = "1"
    start = time.perf_counter()
    native.build(folded.spec, rtl=rtl)
    compiling = time.perf_counter() - start
    del os.environ["CCACHE_DISABLE"]
    if before is not None:
        os.environ["CCACHE_DISABLE"] = before
    x = codes(np.random.default_rng(SEED), network, LARGE_BATCH)
    return {
        "samples_per_second": per_second(lambda: native.stream(folded, x, rtl=rtl), LARGE_BATCH),
        "target_samples_per_second": NATIVE_TARGET,
        "cycles_per_sample": folded.spec.interval,
        "compiling_seconds": round(compiling, 1),
        "target_compiling_seconds": NATIVE_COMPILE_TARGET,
    }


def cycles_per_second(network: Network, simulator: str, build: Path) -> float:
    """Clock cycles per second with every stream tapped; starting the simulator is left out."""
    x = network.spec.x
    rng = np.random.default_rng(SEED)
    seconds = []
    for samples in (FEW, MANY):
        codes = rng.integers(x.q_min, x.q_max + 1, (samples, network.spec.n_in))
        outcome, _ = run_network(
            network,
            codes,
            simulator,
            folder=build / "cycles",
            mem=build / "mem",
            name="bench",
            testcase=EVERY_SAMPLE,
        )
        seconds.append(outcome.run_seconds)
    return (MANY - FEW) * network.spec.interval / max(seconds[1] - seconds[0], 1e-9)


def measure(scratch: Path, network: Path, advance: Callable[[], None]) -> dict[str, Any]:
    """All figures; ``advance`` is called after each of the 10 measurements."""
    figures: dict[str, Any] = {
        "machine": {
            "cpus": len(os.sched_getaffinity(0)),
            "load_before": round(os.getloadavg()[0], 1),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        "simulators": {},
    }
    for simulator in SIMULATORS:
        build = (ROOT / scratch / simulator).resolve()
        shutil.rmtree(build, ignore_errors=True)
        runs = []
        for _ in range(2):
            runs.append(chain(build, network, simulator))
            advance()
        loaded = artifact.load(build / "network.json")
        figures["simulators"][simulator] = {
            "chain_seconds": dict(zip(("first", "again"), runs, strict=True)),
            "chain_target_seconds": CHAIN_TARGET[simulator],
            "cycles_per_second": round(cycles_per_second(loaded, simulator, build)),
        }
        advance()
    figures["predict"] = {
        "samples_per_second": predictions_per_second(loaded),
        "batch": BATCH,
        "target_samples_per_second": PREDICT_TARGET,
    }
    advance()
    figures["library"] = library_figures(loaded)
    advance()
    figures["native"] = native_figures(loaded, (ROOT / scratch).resolve())
    advance()
    figures["learning"] = bench_learning.figures(per_second, (ROOT / scratch).resolve(), network)
    advance()
    return figures


def table(figures: dict[str, Any]) -> Table:
    """The figures as a person reads them."""
    machine = figures["machine"]
    rows = Table(
        title=f"Measured on {machine['cpus']} CPUs ({machine['architecture']}) under a load of "
        f"{machine['load_before']} before it began, Python {machine['python']}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for column in ("what", "measured", "aim", "unit"):
        rows.add_column(column, justify="left" if column in ("what", "unit") else "right")
    for name, found in figures["simulators"].items():
        aim = f"at most {found['chain_target_seconds']}"
        for which, run in found["chain_seconds"].items():
            words = f"make sim, {name}, {which}"
            rows.add_row(words, f"{run['total']:.1f}", aim, "seconds, everything")
            for step in ("train", "export", "sim", "report"):
                note = f"seconds, {run['compiling']:.1f} of them compiling" if step == "sim" else ""
                rows.add_row(f"  {step}", f"{run[step]:.1f}", "", note or "seconds")
        words = f"{name}, all streams tapped"
        rows.add_row(words, f"{found['cycles_per_second']:,}", "", "cycles per second")
        rows.add_section()
    predict = figures["predict"]
    aim = f"at least {predict['target_samples_per_second']:,}"
    words = f"reference.predict of {predict['batch']:,}"
    rows.add_row(words, f"{predict['samples_per_second']:,}", aim, "samples per second")
    library, found = figures["library"], figures["native"]
    cycles = f"native RTL, {found['cycles_per_sample']} cycles a sample"
    for words, part, name in (
        ("  by its fast path", library, "fast_samples_per_second"),
        ("onnxruntime", library, "onnx_samples_per_second"),
        (cycles, found, "samples_per_second"),
    ):
        aim = f"at least {part[f'target_{name}']:,}" if f"target_{name}" in part else ""
        rows.add_row(words, f"{part[name]:,}", aim, "samples per second")
    aim = f"at most {found['target_compiling_seconds']}"
    rows.add_row("  compiling it", f"{found['compiling_seconds']:.1f}", aim, "seconds, once")
    bench_learning.add_rows(rows, figures["learning"])
    return rows


def run(arguments: argparse.Namespace) -> None:
    """Write the figures to ``--out`` and print them as a table; no figure fails it."""
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("measuring", total=3 * len(SIMULATORS) + 4)
        figures = measure(arguments.scratch, arguments.network, lambda: progress.advance(task))
    write_atomically(arguments.out, json.dumps(figures, indent=1) + "\n")
    tables.show(table(figures))
    print(f" {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    for name, default, words in (
        ("network", "model/networks/iris.toml", "the recipe"),
        ("scratch", "build/bench", "folder to build in, emptied first"),
        ("out", "build/bench.json", "the figures"),
    ):
        built.add_argument(
            f"--{name}", type=Path, default=Path(default), help=f"{words} (default: %(default)s)"
        )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
