"""Find boxes of input codes in which a network's class is constant, by bounds and bisection.

A box is proved where a linear bound of the winner's lead over each rival is positive on all of it;
one that is not is cut in two. Each requantization lies between two lines over the interval of its
sum, by which a lead is carried back to the inputs. Slopes are multiples of ``2**-8`` output LSBs
in ``2**shift``, so that `studies.robustness.check`, which decides, finds the same by integers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import files
from model import artifact, fast
from model.artifact import Network
from model.format import Int

HERE = "studies.robustness.search"
Real = NDArray[np.float64]

# A slope of 1 output LSB for 2**shift accumulator LSBs.
UNIT = 256
# What float rounding may change of a bound, by its size.
ROUNDING = 1e-6
# Leaves of a tree of cuts, by how intervals of sums are found.
SHALLOW, DEEP = -1, -2
# Inputs up to which cutting boxes decides in seconds.
NARROW = 16
# Of an attack: rounds, codes kept and drawn in each, and features of a code that change.
ROUNDS, PARENTS, CHILDREN, CHANGED = 60, 32, 512, 2.0
# Output LSBs by which rounding, half an LSB of each of two logits, can change a lead.
LAST_ROUNDING = 1


@dataclass(frozen=True)
class _Layer:
    weights: Real
    biases: Real
    step: float
    least: float
    most: float

    def output(self, sums: Real) -> Real:
        """Requantized and clipped sums."""
        codes: Real = np.clip(np.rint(sums / self.step), self.least, self.most)
        return codes


@dataclass(frozen=True)
class _Lines:
    """Two lines ``slope * sum + offset`` over the interval of each sum, ``[boxes, n]`` each."""

    low_slope: Real
    low_offset: Real
    high_slope: Real
    high_offset: Real


@dataclass(frozen=True)
class Forms:
    """Leads of a class over its rivals: ``rows [forms, n_out]``, ``constants``, ``groups``.

    The class holds where every form of one group is at least 0.
    """

    rows: Real
    constants: Real
    groups: tuple[slice, ...]


class Prover:
    """Bounds of one network's leads over boxes of codes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.layers = [
            _Layer(
                network.weights[layer.weights].astype(float),
                network.biases[layer.name].astype(float),
                float(1 << layer.shift),
                0.0 if layer.relu else float(layer.y.q_min),
                float(layer.y.q_max),
            )
            for layer in network.spec.layers
        ]
        output = network.spec.softmax
        self.even = output.score == "taylor2"
        self.centre = float(1 << output.x.frac) if self.even else 0.0
        self.least, self.most = network.spec.x.q_min, network.spec.x.q_max

    def forms(self, winner: int) -> Forms:
        """Leads of a class.

        The polynomial is even about its least value: there a class leads by the sum and by the
        difference of two distances, on either side. A rival of a lower index must be led by 1,
        since it wins a tie.
        """
        rows, constants, n_out = [], [], self.network.spec.n_out
        signs, sides = ((1, -1), (1, -1)) if self.even else ((1,), (-1,))
        for sign in signs:
            for rival in range(n_out):
                for side in sides if rival != winner else ():
                    row = np.zeros(n_out)
                    row[winner], row[rival] = sign, side
                    rows.append(row)
                    constants.append(self.centre * (sign + side) - (rival < winner))
        size = len(rows) // len(signs)
        groups = tuple(slice(size * k, size * (k + 1)) for k in range(len(signs)))
        return Forms(np.array(rows), np.array(constants), groups)

    def leads(self, lows: Real, highs: Real, forms: Forms, deep: bool) -> tuple[Real, Real]:
        """Least value of each form over boxes ``[boxes, n_in]``, and its slopes at the inputs.

        ``[boxes, forms]`` and ``[boxes, forms, n_in]``. Intervals of sums follow from those of
        the layer before, or where ``deep`` from the inputs, which takes longer and finds more.
        """
        lines: list[_Lines] = []
        x_low, x_high = lows, highs
        for layer in self.layers:
            both = np.concatenate([layer.weights, -layer.weights])
            biases = np.concatenate([layer.biases, -layer.biases])
            found, _ = self._back(lines if deep else [], both, biases, x_low, x_high)
            found = np.ceil(found - ROUNDING * np.maximum(1, ROUNDING * np.abs(found)))
            low, high = found[:, : len(layer.biases)], -found[:, len(layer.biases) :]
            lines.append(_between(layer, low, high))
            if not deep:
                x_low, x_high = layer.output(low), layer.output(high)
        return self._back(lines, forms.rows, forms.constants, lows, highs)

    def _back(
        self, lines: list[_Lines], rows: Real, constants: Real, lows: Real, highs: Real
    ) -> tuple[Real, Real]:
        """Least value of forms in the outputs of the layer of the last lines, and its slopes."""
        form = np.broadcast_to(rows, (len(lows), *rows.shape))
        least = np.broadcast_to(constants, form.shape[:2])
        for layer, line in zip(reversed(self.layers[: len(lines)]), reversed(lines), strict=True):
            above, below = np.maximum(form, 0), np.minimum(form, 0)
            least = least + _dot(above, line.low_offset) + _dot(below, line.high_offset)
            sums = above * line.low_slope[:, None] + below * line.high_slope[:, None]
            least = least + sums @ layer.biases
            form = sums @ layer.weights
        return least + _dot(np.maximum(form, 0), lows) + _dot(np.minimum(form, 0), highs), form

    def classes(self, codes: Int) -> Int:
        """Classes of codes ``[samples, n_in]``, by the fast path of the reference."""
        return fast.predict_codes(self.network, codes)[0]

    def slack(self, codes: Int, forms: Forms) -> Real:
        """Lead over the nearest rival before the last rounding, ``[samples]``, in output LSBs."""
        x = codes.astype(float)
        for layer in self.layers:
            sums = x @ layer.weights.T + layer.biases
            x = layer.output(sums)
        lead = sums / self.layers[-1].step @ forms.rows.T + forms.constants
        return _lead(lead, forms)


def _dot(forms: Real, values: Real) -> Real:
    """``[boxes, forms, n]`` by ``[boxes, n]``."""
    product: Real = (forms @ values[:, :, None])[:, :, 0]
    return product


def _between(layer: _Layer, low: Real, high: Real) -> _Lines:
    """The lines that are nearest in the middle, of slope 0, 1 or that of the chord."""
    y_low, y_high, step = layer.output(low), layer.output(high), layer.step
    chord = np.floor((y_high - y_low) * step * UNIT / np.maximum(high - low, 1))
    found = []
    for sign in (-1.0, 1.0):
        best_slope, best_offset, best = (np.full_like(low, np.inf) for _ in range(3))
        kinks = [np.clip((y - sign / 2) * step, low, high) for y in (y_low, y_high)]
        for units in (np.zeros_like(low), chord, np.full_like(low, UNIT)):
            slope = units / (UNIT * step)
            offset = np.maximum.reduce(
                [
                    sign * (np.clip(p / step + sign / 2, y_low, y_high) - slope * p)
                    for p in (low, high, *kinks)
                ]
            )
            height = offset + sign * slope * (low + high) / 2
            better = height < best
            best = np.where(better, height, best)
            best_slope = np.where(better, slope, best_slope)
            best_offset = np.where(better, sign * offset, best_offset)
        found += [best_slope, best_offset]
    return _Lines(*found)


@dataclass(frozen=True)
class Found:
    """Result of a search in a box: cuts that prove it, codes of another class, or neither."""

    cuts: tuple[int, ...] | None = None
    other: Int | None = None


def box_of(prover: Prover, x: Int, radius: int) -> tuple[Int, Int]:
    """Least and largest codes within a radius that the input format has."""
    return np.maximum(x - radius, prover.least), np.minimum(x + radius, prover.most)


def prove(prover: Prover, x: Int, winner: int, radius: int, leaves: int, boxes: int) -> Found:
    """Prove the class of a box around codes ``x [n_in]``, or find codes of another class in it.

    Gives up after so many ``leaves`` or ``boxes``. Cuts are a tree in preorder: `SHALLOW` and
    `DEEP` are leaves, and ``feature, code`` parts a box behind that code.
    """
    low, high = box_of(prover, x, radius)
    lows, highs = low[None].astype(float), high[None].astype(float)
    forms = prover.forms(winner)
    # Nodes by number: a leaf, or a feature, a code and the numbers of its two parts.
    tree: dict[int, tuple[int, ...]] = {}
    numbers, seen, proved = np.zeros(1, int), 1, 0
    while len(lows):
        least, slopes = prover.leads(lows, highs, forms, True)
        good = _lead(least, forms) > ROUNDING - 1
        easy, _ = prover.leads(lows[good], highs[good], forms, False)
        marks = np.where(_lead(easy, forms) > ROUNDING - 1, SHALLOW, DEEP)
        tree |= {int(n): (int(mark),) for n, mark in zip(numbers[good], marks, strict=True)}
        proved += int(good.sum())
        left = ~good
        lows, highs, numbers, least, slopes = (
            a[left] for a in (lows, highs, numbers, least, slopes)
        )
        if not len(lows):
            break
        steep = _of_worst(least, slopes, forms)
        corners = np.where(steep > 0, lows, highs).astype(np.int64)
        others = np.flatnonzero(prover.classes(corners) != winner)
        if len(others):
            return Found(other=corners[others[0]])
        seen += 2 * len(lows)
        if seen > boxes or proved + len(lows) > leaves:
            return Found()
        rows = np.arange(len(lows))
        feature = ((np.abs(steep) + ROUNDING) * (highs - lows)).argmax(axis=1)
        at = np.floor((lows[rows, feature] + highs[rows, feature]) / 2)
        first = seen - 2 * len(lows) + 2 * rows
        for row in rows:
            tree[int(numbers[row])] = (
                *(int(feature[row]), int(at[row])),
                *(int(first[row]), int(first[row]) + 1),
            )
        lows, highs = _parts(lows, highs, feature, at)
        numbers = np.concatenate([first, first + 1])
    return Found(cuts=_preorder(tree))


def _parts(lows: Real, highs: Real, feature: Int, at: Real) -> tuple[Real, Real]:
    """The parts up to a code, then those behind it."""
    rows = np.arange(len(lows))
    upper, lower = highs.copy(), lows.copy()
    upper[rows, feature], lower[rows, feature] = at, at + 1
    return np.concatenate([lows, lower]), np.concatenate([upper, highs])


def _lead(least: Real, forms: Forms) -> Real:
    """Least lead ``[boxes]`` over all rivals, of the group in which it is largest."""
    lead: Real = np.max([least[:, group].min(axis=1) for group in forms.groups], axis=0)
    return lead


def _of_worst(least: Real, slopes: Real, forms: Forms) -> Real:
    """Slopes ``[boxes, n_in]`` of the form that fails most in the group that fails least."""
    worst = np.stack([least[:, group].min(axis=1) for group in forms.groups], axis=1)
    rows = np.arange(len(least))
    chosen = np.zeros(len(least), int)
    for index, group in enumerate(forms.groups):
        own = worst.argmax(axis=1) == index
        chosen[own] = least[own, group].argmin(axis=1) + group.start
    steep: Real = slopes[rows, chosen]
    return steep


def _preorder(tree: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    cuts: list[int] = []
    todo = [0]
    while todo:
        node = tree[todo.pop()]
        cuts += node[:2]
        todo += node[:1:-1]
    return tuple(cuts)


def attack(prover: Prover, x: Int, winner: int, radius: int) -> Int | None:
    """Look for codes of another class in a box: the best of many, changed at random, many times.

    Returns None where none is found, which proves nothing.
    """
    low, high = box_of(prover, x, radius)
    draw = np.random.default_rng(radius)
    forms = prover.forms(winner)
    _, slopes = prover.leads(low[None].astype(float), high[None].astype(float), forms, True)
    points = np.where(slopes[0] > 0, low, high)
    for _ in range(ROUNDS):
        changed = points[draw.integers(len(points), size=CHILDREN)]
        other = draw.integers(low, high + 1, size=changed.shape)
        at_end = draw.random(changed.shape) < 0.5
        other = np.where(at_end, np.where(other > x, high, low), other)
        changed = np.where(draw.random(changed.shape) < CHANGED / len(x), other, changed)
        points = np.unique(np.concatenate([points, changed]), axis=0)
        slack = prover.slack(points, forms)
        kept = np.argsort(slack, kind="stable")[:PARENTS]
        points = points[kept]
        if slack[kept[0]] < LAST_ROUNDING:
            others = np.flatnonzero(prover.classes(points) != winner)
            if len(others):
                found: Int = points[others[0]]
                return found
    return None


@dataclass(frozen=True)
class Sample:
    """The largest proved box of a sample, its cuts, and the nearest known codes of another class.

    ``other`` is None where none is known; ``rival`` is its class.
    """

    codes: Int
    winner: int
    radius: int
    cuts: tuple[int, ...]
    other: Int | None
    rival: int

    @property
    def distance(self) -> int | None:
        """Radius of the least box that holds ``other``."""
        return None if self.other is None else int(np.abs(self.other - self.codes).max())

    @property
    def plain(self) -> list[Any]:
        """Entry of a certificate."""
        other = [] if self.other is None else self.other.tolist()
        return [self.codes.tolist(), self.winner, self.radius, list(self.cuts), other, self.rival]


def from_plain(plain: list[Any]) -> Sample:
    """The sample of an entry of a certificate."""
    codes, winner, radius, cuts, other, rival = plain
    known = np.array(other, np.int64) if other else None
    return Sample(np.array(codes, np.int64), winner, radius, tuple(cuts), known, rival)


def effort(n_in: int) -> tuple[int, int]:
    """Leaves of a certificate and boxes looked at before a sample is left undecided.

    Many inputs need few leaves or very many, which would only keep the checker busy.
    """
    return (4_000, 40_000) if n_in <= NARROW else (128, 4_000)


def search(prover: Prover, x: Int) -> Sample:
    """The largest box around codes ``x [n_in]`` that is proved with the effort of its width."""
    leaves, boxes = effort(len(x))
    winner = int(prover.classes(x[None])[0])
    span = prover.most - prover.least
    radius, other = 0, None
    cuts: tuple[int, ...] = (SHALLOW,)
    while radius < span:
        found = prove(prover, x, winner, radius + 1, leaves, boxes)
        if found.cuts is None:
            other = found.other
            break
        radius, cuts = radius + 1, found.cuts
    for wider in range(radius + 1, span + 1):
        if other is not None:
            break
        other = attack(prover, x, winner, wider)
    rival = winner if other is None else int(prover.classes(other[None])[0])
    return Sample(x, winner, radius, cuts, other, rival)


def piece(network: str, codes: list[list[int]]) -> list[Any]:
    """Entries of a certificate for these codes, by the network of a file."""
    prover = Prover(artifact.load(files.found(network)))
    return [search(prover, x).plain for x in np.array(codes, np.int64)]
