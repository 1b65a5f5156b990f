"""Rates of learning for the bench: PyTorch, native RTL, and boards at their placed clocks."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from common import errors
from model.frontends.irisnet import IrisNet
from model.learning.backprop import IRIS
from model.learning.core import Core
from model.learning.plans import samples_of
from scripts import bench_pairs
from scripts.bench_pairs import rate
from studies.silicon_learning import RATES
from tb.sim.learning import NativeLearner

# Native learning beside PyTorch at least: 5,000 samples a second were aimed at where PyTorch was
# seen to learn 1,200.
NATIVE_TARGET = 4.0
LANES = 30
# Samples between two readings of the clock.
BATCH = 10 * IRIS.samples


def torch_step() -> Callable[[], object]:
    """A function that learns every sample of iris once: PyTorch's SGD, a sample a step."""
    x, labels = samples_of("iris")
    values, targets = torch.tensor(x * IRIS.x(0).lsb).float(), torch.tensor(labels)
    torch.manual_seed(0)
    module = IrisNet()
    optimizer = torch.optim.SGD(module.parameters(), lr=2.0**-IRIS.eta)
    # The loss takes logits, so the module's softmax is left out.
    module.softmax = torch.nn.Identity()  # type: ignore[assignment]

    def epoch() -> None:
        for j in range(len(values)):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(module(values[j : j + 1]), targets[j : j + 1])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return epoch


def figures(scratch: Path, network: Path) -> dict[str, Any]:
    """Samples learned per second on one core, cycles of a sample, seconds of `make learn`."""
    x, labels = samples_of("iris")
    core = Core(IRIS, LANES)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with NativeLearner(core) as native:
        native.start(1)
        rounds = bench_pairs.in_turns(
            rate(lambda: native.learn(x, labels, BATCH), BATCH), rate(torch_step(), IRIS.samples)
        )
    torch.set_num_threads(threads)
    ours = f"native, L = {LANES}, {core.cycles} cycles"
    return {
        "pair": bench_pairs.pair(ours, "PyTorch, SGD, batch 1", "learned/s", rounds, NATIVE_TARGET),
        "placed": placed(),
        "learn_seconds": learn_seconds(scratch, network),
    }


def placed(path: Path = RATES) -> dict[str, int]:
    """Samples learned per second by each core that `make study-silicon-learning` has placed."""
    found: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    return found


def learn_seconds(scratch: Path, network: Path) -> float:
    """Wall seconds of ``make learn``, everything compared, once its core is compiled."""
    build = scratch / "learn"
    shutil.rmtree(build, ignore_errors=True)
    command = [sys.executable, "-m", "scripts.learn", "--network", str(network)]
    command += ["--build", str(build), "--lanes", str(LANES)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise errors.CommandError(f"{' '.join(command[1:])} failed: {words[-1] if words else ''}")
    return round(time.perf_counter() - start, 1)


def add_rows(rows: Table, found: dict[str, Any]) -> None:
    """Add the rows of learning to the bench's table."""
    rows.add_section()
    bench_pairs.add_rows(rows, found["pair"])
    for name, learned in found["placed"].items():
        rows.add_row(f"  {name}, placed", f"{learned:,}", "", "learned/s")
    rows.add_row("make learn, all compared", f"{found['learn_seconds']:.1f}", "", "seconds")
