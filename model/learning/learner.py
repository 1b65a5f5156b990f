"""A network that learns, sample by sample, and everything that its run is made of.

The arithmetic is `model/learning/backprop.py`; here are the counting of samples and epochs, the
file that a run can be stopped to and continued from, and the ordinary network of its masters.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import VerbatimError, reason
from common.files import digest as digest_of
from common.files import write_atomically
from model import artifact, reference
from model.artifact import Network
from model.bounds import output_interval
from model.data.scaling import Scaling
from model.format import Int, SpecError, require_integer
from model.learning.backprop import (
    COUNT_W,
    GUARD,
    LFSR_W,
    MASTER,
    WEIGHT,
    Lfsr,
    Plan,
    backward,
    codes,
    digest,
    error,
    forward,
    order,
    start,
    update,
)
from model.learning.counts import Counts
from model.plain import build
from model.spec import NetworkSpec
from model.stages.linear import LayerSpec

FORMAT, VERSION = "verbatim-learning", 1
COUNTERS = ("lfsr", "word", "epoch", "position")
CODE_BITS = 16


class LearningError(VerbatimError):
    """Samples, labels or a state that cannot be learned from: the message names what was found."""


@dataclass(frozen=True)
class Learned:
    """All that one sample became: inputs of each layer and logits, probability bytes, the class
    predicted before it was learned, and deltas; these are empty where nothing was learned."""

    xs: list[Int]
    probabilities: Int
    predicted: int
    deltas: list[Int] = field(default_factory=list)


@dataclass
class State:
    """Everything that a training run is made of between two samples.

    ``word`` is what the order of this epoch was drawn from; ``position`` counts the samples learned
    in this epoch.
    """

    masters: list[Int]
    lfsr: int
    word: int
    epoch: int
    position: int

    @property
    def digest(self) -> str:
        """sha256 of the masters alone."""
        return digest(self.masters)

    def copy(self) -> "State":
        """A state that shares nothing with this one."""
        return dataclasses.replace(self, masters=[rows.copy() for rows in self.masters])


class Learner:
    """A network that learns one sample at a time.

    It counts samples and epochs by itself: after ``plan.samples`` of them it draws the order of the
    next epoch. `indices` says which sample that order wants; any other may be learned in its place.
    ``counts`` begin at 0 with the learner.
    """

    def __init__(self, plan: Plan, state: State) -> None:
        check(plan, state)
        self.plan, self.state, self.counts = plan, state, Counts()

    @classmethod
    def begin(cls, plan: Plan, seed: int) -> "Learner":
        """A network at random weights, before its first sample. ``seed`` is 1 .. 65535.

        Raises `SpecError` where it is not.
        """
        require_integer("learning", 1, (1 << LFSR_W) - 1, seed=seed)
        lfsr = Lfsr(seed)
        masters = start(plan, lfsr)
        word = lfsr.step(LFSR_W)
        return cls(plan, State(masters, word, word, 0, 0))

    def predict(self, x: Int) -> Learned:
        """Predict one sample of codes ``[n_in]``."""
        xs = forward(self.plan, self.state.masters, x, self.counts)
        made = reference.softmax(xs[-1], self.plan.softmax)
        return Learned(xs, made["probabilities"], int(made["class"]))

    def learn(self, x: Int, label: int) -> Learned:
        """Predict one sample of codes ``[n_in]``, then learn its label."""
        plan, state = self.plan, self.state
        seen = self.predict(x)
        delta = error(plan, seen.probabilities, seen.xs[-1], label)
        deltas = backward(plan, state.masters, seen.xs, delta, self.counts)
        lfsr = Lfsr(state.lfsr)
        eta, dither = plan.rate(state.epoch), lfsr.step()
        update(plan, state.masters, seen.xs, deltas, eta=eta, dither=dither, counts=self.counts)
        self.counts.wrong += seen.predicted != label
        state.position += 1
        if state.position == plan.samples:
            state.position, state.epoch = 0, min(state.epoch + 1, (1 << COUNT_W) - 1)
            state.word = lfsr.step(LFSR_W)
        state.lfsr = lfsr.state
        return dataclasses.replace(seen, deltas=deltas)

    @property
    def index(self) -> int:
        """The sample that the order of this epoch wants next."""
        return int(order(self.plan.samples, self.state.word)[self.state.position])

    def indices(self) -> Iterator[int]:
        """The samples that the rest of this epoch wants; the last one ends it."""
        yield from order(self.plan.samples, self.state.word)[self.state.position :].tolist()

    def epoch(self, x: Int, labels: Int) -> int:
        """Learn the rest of this epoch of ``x [samples, n_in]``; return the wrong predictions.

        Raises `LearningError` where the samples are not the plan's.
        """
        check_samples(self.plan, x, labels)
        wrong = 0
        for j in list(self.indices()):
            wrong += self.learn(x[j], int(labels[j])).predicted != labels[j]
        return wrong


def check(plan: Plan, state: State) -> None:
    """Raise `LearningError` unless the state is one of this plan."""
    shapes = [(n_out, n_in + 1) for n_out, n_in in plan.shapes]
    found = [rows.shape for rows in state.masters]
    if found != shapes:
        raise LearningError(f"masters have shapes {found}, expected {shapes}")
    for number, rows in enumerate(state.masters):
        if rows.dtype != np.int64 or rows.min() < MASTER.q_min or rows.max() > MASTER.q_max:
            raise LearningError(
                f"masters[{number}] must be 16-bit integers, got {rows.dtype} "
                f"in {rows.min()} .. {rows.max()}"
            )
    most = (1 << LFSR_W) - 1
    for key, low, high in (
        ("lfsr", 1, most),
        ("word", 1, most),
        ("epoch", 0, (1 << COUNT_W) - 1),
        ("position", 0, plan.samples - 1),
    ):
        value = getattr(state, key)
        if type(value) is not int or not low <= value <= high:
            raise LearningError(f"{key} must be an integer from {low} to {high}, got {value!r}")


def check_samples(plan: Plan, x: Int, labels: Int) -> None:
    """Raise `LearningError` unless codes ``[samples, n_in]`` and labels fit the plan."""
    if x.shape != (plan.samples, plan.sizes[0]):
        expected = (plan.samples, plan.sizes[0])
        raise LearningError(f"samples must have shape {expected}, got {x.shape}")
    legal = plan.x(0)
    if x.min() < legal.q_min or x.max() > legal.q_max:
        raise LearningError(
            f"codes must be integers from {legal.q_min} to {legal.q_max}, "
            f"got {x.min()} .. {x.max()}"
        )
    if labels.shape != (plan.samples,):
        raise LearningError(f"labels must have shape ({plan.samples},), got {labels.shape}")
    if labels.min() < 0 or labels.max() >= plan.sizes[-1]:
        raise LearningError(
            f"labels must be integers from 0 to {plan.sizes[-1] - 1}, "
            f"got {labels.min()} .. {labels.max()}"
        )


def network(
    plan: Plan,
    masters: list[Int],
    *,
    name: str = "learned",
    provenance: Mapping[str, Any] | None = None,
    scaling: Scaling | None = None,
) -> Network:
    """The ordinary network of these masters, one multiplier a layer.

    Accumulators hold the sums of any weights, as the learning core's do.
    """
    layers, weights, biases = [], {}, {}
    interval = (plan.x(0).q_min, plan.x(0).q_max)
    for index, number in enumerate(plan.sets):
        key, shared = f"fc{index + 1}", f"fc{plan.sets.index(number) + 1}"
        weights[shared], biases[key] = codes(plan, masters, index)
        n_out, n_in = plan.shapes[number]
        most = n_in * -WEIGHT.q_min * max(-interval[0], interval[1]) - MASTER.q_min
        acc_w = max(most.bit_length() + 1, CODE_BITS)
        x, y = plan.x(index), plan.x(index + 1)
        layer = LayerSpec(key, shared, n_in, n_out, x, WEIGHT, y, acc_w, plan.relu[index], 1, 1)
        layers.append(layer)
        interval = output_interval(layer)
    spec = NetworkSpec(name, (*layers, plan.softmax), 1, 1)
    return Network(spec, weights, biases, dict(provenance or {}), scaling)


def masters_of(plan: Plan, source: Network) -> list[Int]:
    """Masters whose network is ``source``: the middle of what each weight and bias could be.

    Raises `LearningError` where its shape is not the plan's, or a bias is beyond a master's range.
    """
    masters = []
    for number, (n_out, n_in) in enumerate(plan.shapes):
        layer = plan.sets.index(number)
        owner = f"layer {layer}"
        if len(source.spec.layers) != plan.layers:
            found = len(source.spec.layers)
            raise LearningError(f"the network has {found} layers, expected {plan.layers}")
        part = source.spec.layers[layer]
        formats = plan.x(layer), WEIGHT, plan.x(layer + 1)
        if (part.n_out, part.n_in) != (n_out, n_in) or (part.x, part.w, part.y) != formats:
            raise LearningError(
                f"{owner}: {part.n_in} -> {part.n_out} with {part.x}, {part.w}, "
                f"{part.y}, expected {n_in} -> {n_out} with {formats}"
            )
        weights = (source.weights[part.weights] << GUARD) + (1 << GUARD >> 1)
        lost = GUARD - part.x.frac
        biases = (source.biases[part.name] << lost) + (1 << lost >> 1)
        if biases.min() < MASTER.q_min or biases.max() > MASTER.q_max:
            raise LearningError(
                f"{owner}: biases {biases.min()} .. {biases.max()} in masters' LSBs, "
                f"expected {MASTER.q_min} .. {MASTER.q_max}"
            )
        masters.append(np.column_stack([weights, biases]))
    return masters


def plan_of(plain: object) -> Plan:
    """The plan of a JSON object; unknown, missing and illegal entries raise `SpecError`."""
    if isinstance(plain, Mapping):
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
    plan: Plan = build(Plan, "plan", plain)
    return plan


def save(plan: Plan, state: State, path: Path) -> None:
    """Write a run's file, whole or not at all: plan and state under the sha256 of all of it."""
    check(plan, state)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "plan": json.loads(json.dumps(dataclasses.asdict(plan))),
        "masters": [rows.tolist() for rows in state.masters],
        **{key: getattr(state, key) for key in COUNTERS},
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    lines.append(f'"sha256": "{digest_of(content)}"')
    write_atomically(path, "{\n" + ",\n".join(lines) + "\n}\n")


def load(path: Path) -> tuple[Plan, State]:
    """Read a run's file.

    Raises `LearningError`, naming the file, where it is missing, truncated, edited, of another
    version, or no state that a core can go on from.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise LearningError(f"{path}: cannot be read: {reason(error)}") from error
    try:
        content = artifact.parse(text, "checkpoint of learning", FORMAT, (VERSION,))
        artifact.require_keys("file", content, {"format", "version", "plan", "masters", *COUNTERS})
        plan = plan_of(content["plan"])
        masters = content["masters"]
        if not isinstance(masters, list):
            raise LearningError(f"masters must be a list, got {type(masters).__name__}")
        named = artifact.arrays("masters", {str(key): rows for key, rows in enumerate(masters)})
        state = State(list(named.values()), *(content[key] for key in COUNTERS))
        check(plan, state)
    except (LearningError, artifact.ArtifactError, SpecError) as found:
        raise LearningError(f"{path}: {found}") from found
    except RecursionError as found:
        raise LearningError(f"{path}: is nested too deeply for a checkpoint") from found
    return plan, state
