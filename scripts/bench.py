"""Measure how long the way from PyTorch to the table takes, and how fast its parts are.

What is aimed at are ratios of `scripts.bench_pairs`, each of two rates that one run measures in
turns. Seconds and rates by themselves are those of this machine under this load, and have no aim.
"""

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
from common.paths import GOLDEN_IRIS, ROOT, RTL
from model import artifact, fast, images, onnx_export, reference
from model.artifact import Network
from model.images import MEM_DIR
from model.spec import TOP
from scripts import bench_compile, bench_learning, bench_pairs
from scripts.bench_pairs import Pair, rate
from studies.peers import compare, generate
from studies.peers.page import ALKAID_TARGET
from tb.sim import native
from tb.sim.made_up import codes
from tb.sim.runner import simulate
from tb.sim.simulators import SIMULATORS

# Ratios at least, beside that to alkaid. They were measured on a busy machine and leave a margin:
# 0.45 and 5.8 of ONNX Runtime, 0.27 and 0.39 of an empty bench.
PREDICT_TARGET, FAST_TARGET = 0.3, 4.0
BENCH_TARGET = {"verilator": 0.2, "icarus": 0.3}

BATCH, LARGE_BATCH = 10_000, 100_000
# Samples of a round of a bench.
SIMULATED = 200
SEED = 1

# What `make sim` runs, in this order: the module of each step, and the option that it takes.
CHAIN = {
    "train": ("scripts.train", "--network"),
    "export": ("scripts.export", "--network"),
    "sim": ("scripts.sim", "--sim"),
    "report": ("scripts.report.terminal", "--sim"),
}

# Steps of `measure`: two chains and a pair of each simulator, and what comes after them.
MEASUREMENTS = 3 * len(SIMULATORS) + 5


def chain(build: Path, network: Path, simulator: str) -> dict[str, float]:
    """Wall seconds of each command that ``make sim`` runs, in the same order, and their sum."""
    seconds = {}
    arguments = {"--network": str(network), "--sim": simulator}
    for step, (module, option) in CHAIN.items():
        command = [sys.executable, "-m", module, "--build", str(build), option, arguments[option]]
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


def reference_pairs(network: Network) -> dict[str, Pair]:
    """The reference, and its fast path, beside ONNX Runtime on one thread."""
    spec = network.spec
    rng = np.random.default_rng(SEED)
    features = rng.uniform(spec.x.q_min * spec.x.lsb, spec.x.max_value, (BATCH, spec.n_in))
    x = codes(np.random.default_rng(SEED), network, LARGE_BATCH)
    by_onnx = rate(lambda: onnx_export.predict_codes(network, x), LARGE_BATCH)
    by_reference = rate(lambda: reference.predict(network, features), BATCH)
    by_fast_path = rate(lambda: fast.predict_codes(network, x), LARGE_BATCH)
    return {
        key: bench_pairs.pair(
            name, "ONNX Runtime", "samples/s", bench_pairs.in_turns(ours, by_onnx), target
        )
        for key, name, ours, target in (
            ("predict", "reference.predict", by_reference, PREDICT_TARGET),
            ("fast", "reference, fast path", by_fast_path, FAST_TARGET),
        )
    }


def native_figures(network: Network, scratch: Path) -> dict[str, Any]:
    """Samples per second through the RTL as a library, and the seconds of compiling it anew."""
    folded = network.refolded(native.fast_fold(network.spec))
    with bench_compile.anew(scratch) as rtl:
        start = time.perf_counter()
        native.build(folded.spec, rtl=rtl)
        compiling = time.perf_counter() - start
    return {
        "samples_per_second": round(native_rate(folded, rtl)()),
        "cycles_per_sample": folded.spec.interval,
        "compiling_seconds": round(compiling, 1),
    }


def native_rate(folded: Network, rtl: Path = RTL) -> bench_pairs.Rate:
    """Samples per second through the RTL as a library, once warm."""
    x = codes(np.random.default_rng(SEED), folded, LARGE_BATCH)
    native.stream(folded, x[:1], rtl=rtl)
    return rate(lambda: native.stream(folded, x, rtl=rtl), LARGE_BATCH)


def alkaid_pair() -> Pair:
    """The golden IrisNet as a library beside alkaid's, where `make study-peers` has installed it.

    alkaid's is its pipeline under Verilator, compiled with the same options; it gets codes and
    gives logits, where ours ends in classes and probabilities.
    """
    theirs = "alkaid, golden IrisNet"
    python = generate.installed()
    if python is None:
        return bench_pairs.missing(theirs, "not installed: make study-peers")
    network = artifact.load(GOLDEN_IRIS)
    given = compare.inputs(network)
    design = generate.generate(
        python, "alkaid_network", {"network": GOLDEN_IRIS}, [f"--cutoff={compare.CUTOFFS[0]}"]
    )
    rounds = bench_pairs.in_turns(
        native_rate(native.sharing_sums(network)),
        lambda: generate.simulate_pipeline(design, given.codes, given.logits).samples_per_second,
    )
    ours = "native RTL, shared sums"
    return bench_pairs.pair(ours, theirs, "samples/s", rounds, ALKAID_TARGET)


def cycles_pair(network: Network, simulator: str, build: Path) -> Pair:
    """Clock cycles per second of the bench of a network, and of one that is empty."""
    folder = build / "cycles"
    images.write_images(network, folder / MEM_DIR)
    artifact.save(network, folder / "network.json")
    np.save(folder / "inputs.npy", codes(np.random.default_rng(SEED), network, SIMULATED))
    simulate(
        TOP,
        network.spec.parameters(MEM_DIR),
        simulator=simulator,
        bench="speed_bench",
        options={
            "network": str(folder / "network.json"),
            "inputs": str(folder / "inputs.npy"),
            "report": str(folder / "rounds.json"),
            "functional": None,
            "rounds": bench_pairs.ROUNDS,
        },
        name="bench",
        links={MEM_DIR: folder / MEM_DIR},
        visible=network.spec.hosts,
        optimize=True,
    )
    # The first one warms both.
    _, *rounds = json.loads((folder / "rounds.json").read_text())
    names = f"bench, {simulator}", f"empty bench, {simulator}"
    return bench_pairs.pair(*names, "cycles/s", rounds, BENCH_TARGET[simulator])


def measure(scratch: Path, network: Path, advance: Callable[[], None]) -> dict[str, Any]:
    """All figures; ``advance`` is called after each of the `MEASUREMENTS`."""
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
            "cycles": cycles_pair(loaded, simulator, build),
        }
        advance()
    figures["compile"] = bench_compile.compile_pair(loaded, (ROOT / scratch).resolve())
    advance()
    figures["reference"] = reference_pairs(loaded)
    advance()
    figures["native"] = native_figures(loaded, (ROOT / scratch).resolve())
    advance()
    figures["alkaid"] = alkaid_pair()
    advance()
    figures["learning"] = bench_learning.figures((ROOT / scratch).resolve(), network)
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
        for which, run in found["chain_seconds"].items():
            rows.add_row(f"make sim, {name}, {which}", f"{run['total']:.1f}", "", "seconds")
            for step in CHAIN:
                note = f"{run['compiling']:.1f} of them compiling" if step == "sim" else ""
                rows.add_row(f"  {step}", f"{run[step]:.1f}", "", note)
        bench_pairs.add_rows(rows, found["cycles"])
        rows.add_section()
    bench_pairs.add_rows(rows, figures["compile"])
    rows.add_section()
    for pair in figures["reference"].values():
        bench_pairs.add_rows(rows, pair)
    rows.add_section()
    found = figures["native"]
    words = f"native RTL, {found['cycles_per_sample']} cycles a sample"
    rows.add_row(words, f"{found['samples_per_second']:,}", "", "samples/s")
    rows.add_row("  compiling it", f"{found['compiling_seconds']:.1f}", "", "seconds, once")
    bench_pairs.add_rows(rows, figures["alkaid"])
    bench_learning.add_rows(rows, figures["learning"])
    return rows


def run(arguments: argparse.Namespace) -> None:
    """Write the figures to ``--out`` and print them as a table; no figure fails it."""
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("measuring", total=MEASUREMENTS)
        figures = measure(arguments.scratch, arguments.network, lambda: progress.advance(task))
    write_atomically(arguments.out, json.dumps(figures, indent=1) + "\n")
    tables.show(table(figures))
    print(f" {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    for name, default, words in (
        ("network", Path("model/networks/iris.toml"), "the recipe"),
        ("scratch", Path("build", "bench"), "folder to build in, emptied first"),
        ("out", Path("build", "bench.json"), "the figures"),
    ):
        built.add_argument(
            f"--{name}", type=Path, default=default, help=f"{words} (default: %(default)s)"
        )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
