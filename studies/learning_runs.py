"""Many runs of learning side by side: in integers, in integers with one thing changed, in floats.

The arithmetic is that of `model/learning/backprop.py`, for all runs at once and in float32, which
holds each of its values but the sums of backward, for which it is float64: tests and the study
itself compare masters with the reference. Arrays have the run as their first axis.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import reference
from model.format import Format, Int
from model.learning import backprop
from model.learning.backprop import DELTA, LFSR_TAPS, LFSR_W, MASTER, WEIGHT, Lfsr, Plan
from model.stage import PROBABILITY_ONE

Real = NDArray[np.floating]

ROUNDINGS = ("dither", "floor", "towards 0", "half to even", "dropped bits", "a word a weight")
SLOPES = ("exact", "one", "sign")


@dataclass(frozen=True)
class Rule:
    """Arithmetic of the integers; by default it is that of the core.

    ``rounding`` is that of updates, one of `ROUNDINGS`, or a tuple with one for each of equal
    groups of runs. ``weight_w`` are the top bits of a master that forward and backward read;
    ``floor`` rounds deltas down.
    """

    master_w: int = MASTER.width
    rounding: str | tuple[str, ...] = "dither"
    delta: Format = DELTA
    floor: bool = False
    weight_w: int = WEIGHT.width
    slope: str = "exact"

    @property
    def guard(self) -> int:
        """Bits of a master below its weight."""
        return self.master_w - WEIGHT.width


@dataclass
class Samples:
    """Values or codes ``[runs, samples, n_in]`` and labels ``[runs, samples]``."""

    x: NDArray[Any]
    labels: Int

    @classmethod
    def shared(cls, x: NDArray[Any], labels: Int, runs: int) -> "Samples":
        """The same samples for each run."""
        return cls(np.broadcast_to(x, (runs, *x.shape)), np.broadcast_to(labels, (runs, len(x))))


class Clocks:
    """The LFSRs of all runs: order and dither of each sample."""

    def __init__(self, plan: Plan, seeds: Sequence[int], *, start: bool) -> None:
        self.plan = plan
        lfsrs = [Lfsr(seed) for seed in seeds]
        begun = [backprop.start(plan, lfsr) if start else [] for lfsr in lfsrs]
        self.start = [np.stack(rows) for rows in zip(*begun, strict=True)]
        self.state = np.array([lfsr.state for lfsr in lfsrs])

    def step(self, count: int = 1) -> Int:
        """The next words."""
        for _ in range(count):
            self.state = (self.state >> 1) ^ np.where(self.state & 1, LFSR_TAPS, 0)
        return self.state

    def order(self) -> Int:
        """Indices of an epoch ``[runs, samples]``."""
        return np.stack([backprop.order(self.plan.samples, int(w)) for w in self.step(LFSR_W)])


class Integers:
    """Runs in integers from random starts, or from ``masters`` of each weight set."""

    def __init__(
        self,
        plan: Plan,
        seeds: Sequence[int],
        rule: Rule | None = None,
        masters: Sequence[Int] | None = None,
    ) -> None:
        self.plan, self.rule = plan, rule or Rule()
        self.clocks = Clocks(plan, seeds, start=masters is None)
        less = MASTER.width - self.rule.master_w
        begun = self.clocks.start if masters is None else masters
        self.masters = [(rows >> less).astype(np.float32) for rows in begun]
        self.rng = np.random.default_rng(list(seeds))
        self.slopes = backprop.slopes(plan.x(plan.layers).frac)

    def weights(self) -> list[Real]:
        """Top bits of each set's masters as forward and backward read them, in LSBs of a weight."""
        lost = WEIGHT.width - self.rule.weight_w
        unit = np.float32(2.0 ** -(self.rule.guard + lost))
        tops = [np.floor(rows[:, :, :-1] * unit) for rows in self.masters]
        return [top * np.float32(2.0**lost) for top in tops] if lost else tops

    def biases(self, layer: int) -> Real:
        """Biases of a layer, in LSBs of its accumulator."""
        rows = self.masters[self.plan.sets[layer]][:, :, -1]
        unit = np.float32(2.0 ** (self.plan.x(layer).frac - self.rule.guard))
        biases: Real = np.floor(rows * unit)
        return biases

    def forward(self, x: Real, weights: Sequence[Real]) -> list[Real]:
        """Inputs of each layer ``[runs, samples, n]``, then the logits."""
        xs, plan = [x], self.plan
        for layer, number in enumerate(plan.sets):
            sums = xs[-1] @ weights[number].transpose(0, 2, 1) + self.biases(layer)[:, None, :]
            y = np.rint(sums * np.float32(2.0 ** -plan.shift(layer)))
            np.clip(y, 0 if plan.relu[layer] else -128, 127, out=y)
            xs.append(y)
        return xs

    def answers(self, samples: Samples) -> Int:
        """Classes ``[runs, samples]``."""
        logits = self.forward(samples.x.astype(np.float32), self.weights())[-1].astype(np.int64)
        return reference.softmax(logits, self.plan.softmax)["class"]

    def correct(self, samples: Samples) -> list[int]:
        """Samples of each run that get their label."""
        return correct(self.answers(samples), samples)

    def error(self, logits: Int, labels: Int) -> tuple[Real, Int]:
        """Deltas of the logits ``[runs, n]``, and the classes."""
        made = reference.softmax(logits, self.plan.softmax)
        e = made["probabilities"].copy()
        e[np.arange(len(labels)), labels] -= PROBABILITY_ONE
        scale = 2.0 ** (self.rule.delta.frac - backprop.ERROR_FRAC)
        if self.plan.score == "taylor2" and self.rule.slope == "exact":
            exact = e * self.slopes[logits & 0xFF] * (scale * 2.0**-backprop.SLOPE_FRAC)
        elif self.plan.score == "taylor2" and self.rule.slope == "sign":
            above = logits + (1 << self.plan.x(self.plan.layers).frac) >= 0
            exact = np.where(above, e, -e) * scale
        else:
            exact = e * scale
        return self.delta(exact), made["class"]

    def delta(self, exact: Real) -> Real:
        """Deltas from what they are without rounding."""
        rounded = np.floor(exact) if self.rule.floor else np.rint(exact)
        fmt = self.rule.delta
        return np.clip(rounded, fmt.q_min, fmt.q_max).astype(np.float32)

    def learn(self, x: Real, labels: Int, eta: int) -> Int:
        """Learn one sample a run, ``[runs, n_in]``; the classes that were predicted before."""
        plan, weights = self.plan, self.weights()
        xs = [part[:, 0, :] for part in self.forward(x[:, None, :], weights)]
        exact = [rows.astype(np.float64) for rows in weights]
        delta, classes = self.error(xs[-1].astype(np.int64), labels)
        deltas = [delta]
        for layer in range(plan.layers - 1, 0, -1):
            sums = (deltas[0].astype(np.float64)[:, None, :] @ exact[plan.sets[layer]])[:, 0, :]
            below = self.delta(sums * 2.0**-WEIGHT.frac)
            if plan.relu[layer - 1]:
                below *= xs[layer] != 0
            deltas.insert(0, below)
        words = self.clocks.step()
        for layer in range(plan.layers - 1, -1, -1):
            self.move(layer, xs[layer], deltas[layer], eta, words)
        return classes

    def move(self, layer: int, x: Real, delta: Real, eta: int, words: Int) -> None:
        """Update the masters of a layer."""
        rule, rows = self.rule, self.masters[self.plan.sets[layer]]
        fx = self.plan.x(layer).frac
        dropped = rule.delta.frac + fx - (WEIGHT.frac + rule.guard) + eta
        ones = np.full((len(x), 1), 2.0**fx, np.float32)
        product = delta[:, :, None] * np.concatenate([x, ones], axis=1)[:, None, :]
        kinds = (rule.rounding,) if isinstance(rule.rounding, str) else rule.rounding
        size = len(rows) // len(kinds)
        for number, kind in enumerate(kinds):
            group = slice(number * size, (number + 1) * size)
            rows[group] -= self.steps(product[group], dropped, words[group], kind)
        most = 2.0 ** (rule.master_w - 1)
        np.clip(rows, -most, most - 1, out=rows)

    def steps(self, product: Real, dropped: int, words: Int, kind: str) -> Real:
        """Products without their ``dropped`` low bits, rounded by one of `ROUNDINGS`."""
        unit = np.float32(2.0**-dropped)
        if kind == "dither":
            low = words & ((1 << dropped) - 1)
            if dropped > LFSR_W:
                low = low << (dropped - LFSR_W)
            product += low.astype(np.float32)[:, None, None]
        elif kind == "a word a weight":
            product += self.rng.integers(0, 1 << dropped, product.shape, dtype=np.int32)
        if kind == "dropped bits":
            half = dropped // 2
            whole: Real = np.floor(product * unit)
            rest = (product - whole * np.float32(2.0**dropped)).astype(np.int32)
            high, low = rest >> (dropped - half), rest & ((1 << half) - 1)
            whole += high > low
            return whole
        product *= unit
        turn = {"towards 0": np.trunc, "half to even": np.rint}.get(kind, np.floor)
        return turn(product, out=product)

    def epoch(self, samples: Samples, epoch: int, order: Int | None = None) -> Int:
        """Learn an epoch, in the order of the LFSR; wrong answers of each run."""
        order = self.clocks.order() if order is None else order
        runs, eta = np.arange(len(order)), self.plan.rate(epoch)
        wrong = np.zeros(len(order), np.int64)
        for j in order.T:
            labels = samples.labels[runs, j]
            wrong += self.learn(samples.x[runs, j].astype(np.float32), labels, eta) != labels
        return wrong

    def train(self, samples: Samples) -> None:
        """Learn all epochs."""
        for epoch in range(self.plan.epochs):
            self.epoch(samples, epoch)

    def digests(self) -> list[str]:
        """sha256 of the masters of each run."""
        runs = range(len(self.masters[0]))
        return [backprop.digest([rows[r].astype(np.int64) for rows in self.masters]) for r in runs]


class Floats:
    """The same runs in float64, by SGD with start, order and rate of the integers."""

    def __init__(self, plan: Plan, seeds: Sequence[int]) -> None:
        self.plan, self.clocks = plan, Clocks(plan, seeds, start=True)
        self.parameters = [rows * MASTER.lsb for rows in self.clocks.start]

    def forward(self, x: Real) -> list[Real]:
        """Inputs of each layer ``[runs, samples, n]``, then the logits."""
        xs = [x]
        for layer, number in enumerate(self.plan.sets):
            rows = self.parameters[number]
            y = xs[-1] @ rows[:, :, :-1].transpose(0, 2, 1) + rows[:, :, -1][:, None, :]
            xs.append(np.maximum(y, 0.0) if self.plan.relu[layer] else y)
        return xs

    def scores(self, logits: Real) -> Real:
        """Scores of the softmax."""
        if self.plan.score == "exp":
            scores: Real = np.exp(logits - logits.max(axis=-1, keepdims=True))
            return scores
        return (1.0 + (1.0 + logits) ** 2) / 2

    def correct(self, samples: Samples) -> list[int]:
        """Samples of each run that get their label."""
        return correct(self.scores(self.forward(samples.x)[-1]).argmax(axis=-1), samples)

    def learn(self, x: Real, labels: Int, rate: float) -> None:
        """Learn one sample a run."""
        plan = self.plan
        xs = [part[:, 0, :] for part in self.forward(x[:, None, :])]
        logits = xs[-1]
        scores = self.scores(logits)
        delta = scores / scores.sum(axis=1, keepdims=True)
        delta[np.arange(len(labels)), labels] -= 1.0
        if plan.score == "taylor2":
            u = 1.0 + logits
            delta *= 2 * u / (1.0 + u * u)
        # As `floats.sgd`: all gradients come from parameters that have not moved.
        steps = [np.zeros_like(rows) for rows in self.parameters]
        ones = np.ones((len(x), 1))
        for layer in range(plan.layers - 1, -1, -1):
            number = plan.sets[layer]
            inputs = np.concatenate([xs[layer], ones], axis=1)
            steps[number] += delta[:, :, None] * inputs[:, None, :]
            if layer:
                delta = (delta[:, None, :] @ self.parameters[number][:, :, :-1])[:, 0, :]
                if plan.relu[layer - 1]:
                    delta *= xs[layer] > 0
        for rows, step in zip(self.parameters, steps, strict=True):
            rows -= rate * step

    def train(self, samples: Samples) -> None:
        """Learn all epochs."""
        runs = np.arange(len(samples.labels))
        for epoch in range(self.plan.epochs):
            rate = 2.0 ** -self.plan.rate(epoch)
            for j in self.clocks.order().T:
                self.clocks.step()
                self.learn(samples.x[runs, j], samples.labels[runs, j], rate)


def correct(classes: Int, samples: Samples) -> list[int]:
    """Samples of each run whose class is their label."""
    return [int(count) for count in (classes == samples.labels).sum(axis=1)]


def of_samples(plan: Plan, samples: int) -> Plan:
    """The plan for another number of samples."""
    return dataclasses.replace(plan, samples=samples)
