"""The RTL that learns as backends of `model.Network.learn`: named in `model.backends`."""

import dataclasses
import json
import tempfile
from pathlib import Path

import numpy as np

from common.paths import BUILD
from model.format import Int
from model.images import MEM_DIR
from model.learning import learner
from model.learning.backprop import Plan
from model.learning.core import TOP, Core
from model.learning.learner import State
from model.learning.teach import Taught
from tb.sim.learning import NativeLearner
from tb.sim.runner import simulate

LANES = 30


def native(
    plan: Plan, state: State, x: Int, labels: Int, epochs: int, *, lanes: int = LANES
) -> Taught:
    """Through the RTL as a library, each sample in the order that the core asks for."""
    wrong, cycles = [], 0
    with NativeLearner(Core(plan, lanes)) as core:
        core.load(state)
        for _ in range(epochs):
            taught = core.learn(x, labels, plan.samples)
            wrong.append(int((taught.classes != labels[taught.indices]).sum()))
            cycles += taught.cycles
        return Taught(core.save(), wrong, cycles)


def icarus(
    plan: Plan, state: State, x: Int, labels: Int, epochs: int, *, lanes: int = LANES
) -> Taught:
    """Through the RTL under Icarus, answers and masters compared with the reference on the way."""
    return _simulated(plan, state, x, labels, epochs, lanes, "icarus")


def verilator(
    plan: Plan, state: State, x: Int, labels: Int, epochs: int, *, lanes: int = LANES
) -> Taught:
    """As `icarus`, under Verilator."""
    return _simulated(plan, state, x, labels, epochs, lanes, "verilator")


def _simulated(
    plan: Plan, state: State, x: Int, labels: Int, epochs: int, lanes: int, simulator: str
) -> Taught:
    core, scratch = Core(plan, lanes), BUILD / "learn"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        mem, data = folder / MEM_DIR, folder / "samples.npz"
        core.write_images(mem)
        np.savez(data, x=x, labels=labels)
        learner.save(plan, state, folder / "before.json")
        options = {
            "plan": dataclasses.asdict(plan),
            "lanes": lanes,
            "data": str(data),
            "seed": 1,
            "count": epochs * plan.samples,
            "epochs": epochs,
            "before": str(folder / "before.json"),
            "after": str(folder / "after.json"),
            "report": str(folder / "report.json"),
        }
        simulate(
            TOP,
            core.parameters(MEM_DIR),
            simulator=simulator,
            bench="learning_run_bench",
            options=options,
            name=f"learn-{folder.name}",
            links={MEM_DIR: mem},
            optimize=True,
        )
        report = json.loads((folder / "report.json").read_text())
        _, after = learner.load(folder / "after.json")
    return Taught(after, report["wrong"], report["cycles"])
