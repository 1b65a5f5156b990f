"""The core that learns under a simulator that cocotb drives, to be used as the native one is."""

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np

from common.paths import BUILD
from model.format import Int, require_integer
from model.images import MEM_DIR
from model.learning import learner
from model.learning.backprop import LFSR_W, Plan
from model.learning.core import TOP, Core
from model.learning.counts import Counts
from model.learning.learner import LearningError, State, check, check_samples
from tb.sim.learning import Taught
from tb.sim.runner import simulate


class SteppedLearner:
    """A core as `NativeLearner` is one; each call simulates it from the state of the last one.

    Use it in a ``with`` block; it has no network before `start` or `load`. Raises what `simulate`
    raises.
    """

    def __init__(self, core: Core, simulator: str) -> None:
        self.core, self.simulator = core, simulator
        self.plan: Plan = core.plan
        self.state: State | None = None
        self.counted = Counts()
        scratch = BUILD / "learn"
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = tempfile.TemporaryDirectory(dir=scratch)
        core.write_images(Path(self.scratch.name, MEM_DIR))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.scratch.cleanup()

    def start(self, seed: int) -> None:
        """Begin at random weights. ``seed`` is 1 .. 65535."""
        require_integer("learning", 1, (1 << LFSR_W) - 1, seed=seed)
        self.state, self.counted = None, Counts()
        none = np.zeros((0, self.plan.sizes[0]), np.int64)
        self._step(none, np.zeros(0, np.int64), count=0, learns=False, seed=seed)

    def load(self, state: State) -> None:
        """Go on from a state."""
        check(self.plan, state)
        self.state, self.counted = state.copy(), Counts()

    def save(self) -> State:
        """The state between two samples."""
        return self._begun().copy()

    def counts(self) -> Counts:
        """Numbers of values that saturated and of wrong samples since the last start or load."""
        return dataclasses.replace(self.counted)

    def learn(self, x: Int, labels: Int, count: int) -> Taught:
        """Learn ``count`` samples of ``x [samples, n_in]`` in the core's own order."""
        check_samples(self.plan, x, labels)
        self._begun()
        return self._step(x, labels, count=count, learns=True)

    def predict(self, x: Int) -> Taught:
        """Answer each sample of codes ``[samples, n_in]``; nothing is learned."""
        self._begun()
        return self._step(x, np.zeros(len(x), np.int64), count=len(x), learns=False)

    def _begun(self) -> State:
        if self.state is None:
            raise LearningError(f"{TOP}: has no network before start or load")
        return self.state

    def _step(self, x: Int, labels: Int, *, count: int, learns: bool, seed: int = 1) -> Taught:
        folder = Path(self.scratch.name)
        data, before, after = (
            folder / name for name in ("samples.npz", "before.json", "after.json")
        )
        answers, report = folder / "answers.npz", folder / "report.json"
        np.savez(data, x=x, labels=labels)
        if self.state is not None:
            learner.save(self.plan, self.state, before)
        options: dict[str, Any] = {
            "plan": dataclasses.asdict(self.plan),
            "lanes": self.core.lanes,
            "data": str(data),
            "seed": seed,
            "count": count,
            "learns": learns,
            "before": "" if self.state is None else str(before),
            "after": str(after),
            "answers": str(answers),
            "report": str(report),
        }
        simulate(
            TOP,
            self.core.parameters(MEM_DIR),
            simulator=self.simulator,
            bench="learning_steps_bench",
            options=options,
            name=f"learn-{folder.name}",
            links={MEM_DIR: folder / MEM_DIR},
            optimize=True,
        )
        _, self.state = learner.load(after)
        told = json.loads(report.read_text())
        counts = Counts(**told["counts"])
        self.counted = Counts(
            **{key: value + getattr(counts, key) for key, value in vars(self.counted).items()}
        )
        with np.load(answers) as found:
            return Taught(
                found["indices"], found["classes"], found["probabilities"], told["cycles"]
            )
