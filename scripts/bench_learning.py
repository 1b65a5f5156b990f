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
from studies.silicon_learning import RATES
from tb.sim.learning import NativeLearner

# What this project aims at on 2 CPUs: samples learned per second at least, seconds at most.
NATIVE_TARGET, LEARN_TARGET = 5_000, 120
LANES = 30
# Samples between two readings of the clock.
BATCH = 10 * IRIS.samples

PerSecond = Callable[[Callable[[], object], int], int]


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


def figures(per_second: PerSecond, scratch: Path, network: Path) -> dict[str, Any]:
    """Samples learned per second on one core, cycles of a sample, seconds of `make learn`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    by_torch = per_second(torch_step(), IRIS.samples)
    torch.set_num_threads(threads)
    x, labels = samples_of("iris")
    core = Core(IRIS, LANES)
    with NativeLearner(core) as native:
        native.start(1)
        by_native = per_second(lambda: native.learn(x, labels, BATCH), BATCH)
    return {
        "torch_samples_per_second": by_torch,
        "native_samples_per_second": by_native,
        "target_native_samples_per_second": NATIVE_TARGET,
        "lanes": LANES,
        "cycles_per_sample": core.cycles,
        "placed": placed(),
        "learn_seconds": learn_seconds(scratch, network),
        "target_learn_seconds": LEARN_TARGET,
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
    unit = "samples learned per second"
    rows.add_row("PyTorch, SGD, batch 1", f"{found['torch_samples_per_second']:,}", "", unit)
    rows.add_row(
        f"native, L = {found['lanes']}, {found['cycles_per_sample']} cycles",
        f"{found['native_samples_per_second']:,}",
        f"at least {found['target_native_samples_per_second']:,}",
        unit,
    )
    for name, rate in found["placed"].items():
        rows.add_row(f"  {name}, placed", f"{rate:,}", "", unit)
    aim = f"at most {found['target_learn_seconds']}"
    rows.add_row("make learn, all compared", f"{found['learn_seconds']:.1f}", aim, "seconds")
