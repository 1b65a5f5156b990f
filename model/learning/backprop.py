"""Training in integers, one sample at a time: what the learning core must equal, bit for bit.

`model/reference.py` goes forward; this file is the way back. A *master* is 16 bits at frac 14 and
its top byte is the weight; ``masters[s]`` is ``[n_out, n_in + 1]``, the last column is the bias.
A delta is the gradient of the loss at a layer's output, 16 bits at frac 12.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model import reference
from model.format import Format, Int, require, require_integer
from model.learning.counts import Counts, lost
from model.stage import PROBABILITY_ONE
from model.stages.softmax import SoftmaxSpec

MASTER, WEIGHT, DELTA = Format(16, 14), Format(8, 6), Format(16, 12)
GUARD = MASTER.width - WEIGHT.width
CODE_W = 8
INPUT_FRAC, HIDDEN_FRAC = 4, 3
LOGIT_FRAC = {"exp": 3, "taylor2": 1}
# A byte of the softmax counts as 1/256, a slope of 256 as 1.
ERROR_FRAC, SLOPE_FRAC = 8, 8
LFSR_W, LFSR_TAPS = 16, 0xB400
COUNT_W = 16
MAX_LAYERS, MAX_SIZE, MAX_RANGE = 16, 256, 14
MIN_DROPPED, MAX_DROPPED = 1, 16


@dataclass(frozen=True)
class Plan:
    """A chain of linear layers and how it is trained.

    ``sizes`` are the inputs, then the outputs of each layer; ``sets[l]`` is the weight set of layer
    ``l``, numbered in the order of first use; ``relu[l]`` is true where a ReLU follows. Weights of
    set ``s`` start in ``+-2**-ranges[s]``. The rate is ``2**-eta``, halved where each of ``drops``
    percent of the ``epochs`` have passed. Raises `SpecError` where no core can be this.
    """

    sizes: tuple[int, ...]
    sets: tuple[int, ...]
    relu: tuple[bool, ...]
    ranges: tuple[int, ...]
    epochs: int
    samples: int
    score: str = "exp"
    divider: str = "reciprocal"
    eta: int = 5
    drops: tuple[int, ...] = (50, 70, 80, 90)
    input_frac: int = INPUT_FRAC
    hidden_frac: int = HIDDEN_FRAC
    logit_frac: int | None = None

    def __post_init__(self) -> None:
        owner = "plan"
        for key in ("sizes", "sets", "relu", "ranges", "drops"):
            found = getattr(self, key)
            require(isinstance(found, tuple), f"{owner}: {key} must be a tuple, got {found!r}")
        layers = len(self.sizes) - 1
        require_integer(owner, 1, MAX_LAYERS, **{"number of layers": layers})
        for index, size in enumerate(self.sizes):
            require_integer(owner, 1, MAX_SIZE, **{f"sizes[{index}]": size})
        for key in ("sets", "relu"):
            count = len(getattr(self, key))
            require(
                count == layers,
                f"{owner}: {key} must have {layers} entries, one a layer, got {count}",
            )
        for index, relu in enumerate(self.relu):
            require(
                isinstance(relu, bool), f"{owner}: relu[{index}] must be a boolean, got {relu!r}"
            )
        require(
            not self.relu[-1],
            f"{owner}: relu[{layers - 1}] must be False, the last layer gives logits",
        )
        for index, number in enumerate(self.sets):
            require_integer(owner, 0, len({*self.sets[:index]}), **{f"sets[{index}]": number})
            first = self.sets.index(number)
            shapes = self.sizes[first : first + 2], self.sizes[index : index + 2]
            require(
                shapes[0] == shapes[1],
                f"{owner}: layers {first} and {index} share set {number} but are {shapes[0]} and "
                f"{shapes[1]}, expected equal shapes",
            )
        count = len(set(self.sets))
        require(
            len(self.ranges) == count,
            f"{owner}: ranges must have {count} entries, one a weight set, got {len(self.ranges)}",
        )
        for index, value in enumerate(self.ranges):
            require_integer(owner, 0, MAX_RANGE, **{f"ranges[{index}]": value})
        most = (1 << COUNT_W) - 1
        require_integer(owner, 1, most, epochs=self.epochs, samples=self.samples)
        require(
            len(self.drops) <= 4,
            f"{owner}: drops must have at most 4 entries, got {len(self.drops)}",
        )
        for index, value in enumerate(self.drops):
            require_integer(owner, 0, 100, **{f"drops[{index}]": value})
        if self.logit_frac is None:
            require(
                isinstance(self.score, str) and self.score in LOGIT_FRAC,
                f"{owner}: score must be one of {', '.join(LOGIT_FRAC)}, got {self.score!r}",
            )
            object.__setattr__(self, "logit_frac", LOGIT_FRAC[self.score])
        fracs = {"input_frac": self.input_frac, "hidden_frac": self.hidden_frac}
        require_integer(owner, 0, GUARD, **fracs, logit_frac=self.logit_frac)
        _ = self.softmax  # checks score, divider and classes
        for layer in range(layers):
            shift = self.shift(layer)
            require(
                shift >= 0, f"{owner}: logit_frac is {self.logit_frac}, layer {layer} needs less"
            )
            low = MIN_DROPPED - self.dropped(layer, 0)
            high = MAX_DROPPED - self.dropped(layer, len(self.drops))
            require_integer(owner, low, high, eta=self.eta)

    @property
    def layers(self) -> int:
        """Linear layers, a shared set counted at each use."""
        return len(self.sets)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """``(n_out, n_in)`` of each weight set."""
        firsts = [self.sets.index(number) for number in range(len(self.ranges))]
        return tuple((self.sizes[first + 1], self.sizes[first]) for first in firsts)

    def x(self, layer: int) -> Format:
        """Format of a layer's input; ``x(layers)`` is that of the logits."""
        if layer == 0:
            return Format(CODE_W, self.input_frac)
        last = layer == self.layers
        frac = self.logit_frac if last else self.hidden_frac
        assert frac is not None
        return Format(CODE_W, frac)

    def shift(self, layer: int) -> int:
        """Fraction bits that a layer's requantization drops."""
        return WEIGHT.frac + self.x(layer).frac - self.x(layer + 1).frac

    def dropped(self, layer: int, eta: int | None = None) -> int:
        """Fraction bits of ``delta * x`` that an update at rate ``2**-eta`` drops."""
        rate = self.eta if eta is None else eta
        return DELTA.frac + self.x(layer).frac - MASTER.frac + rate

    @property
    def thresholds(self) -> tuple[int, ...]:
        """The epochs, counted from 0, from which on the rate is halved once more.

        >>> IRIS.thresholds
        (50, 70, 80, 90)
        """
        return tuple(-(-drop * self.epochs // 100) for drop in self.drops)

    def rate(self, epoch: int) -> int:
        """``eta`` in an epoch: the rate is ``2**-eta``.

        >>> [IRIS.rate(epoch) for epoch in (0, 49, 50, 69, 70, 80, 90, 99)]
        [5, 5, 6, 6, 7, 8, 9, 9]
        """
        return self.eta + sum(epoch >= threshold for threshold in self.thresholds)

    @property
    def softmax(self) -> SoftmaxSpec:
        """The softmax behind the last layer."""
        return SoftmaxSpec(self.sizes[-1], self.x(self.layers), self.score, self.divider, lanes=1)


IRIS = Plan(
    sizes=(4, 30, 30, 30, 3),
    sets=(0, 1, 1, 2),
    relu=(True, False, True, False),
    ranges=(1, 2, 2),
    epochs=100,
    samples=120,
)


class Lfsr:
    """A 16-bit Galois register shifting right, ``x**16 + x**14 + x**13 + x**11 + 1``.

    Its period is 65535; a state is 1 .. 65535.

    >>> lfsr = Lfsr(1)
    >>> [hex(lfsr.step()) for _ in range(8)]
    ['0xb400', '0x5a00', '0x2d00', '0x1680', '0xb40', '0x5a0', '0x2d0', '0x168']
    """

    def __init__(self, state: int) -> None:
        require_integer("lfsr", 1, (1 << LFSR_W) - 1, state=state)
        self.state = state

    def step(self, count: int = 1) -> int:
        """The state after ``count`` steps."""
        for _ in range(count):
            self.state = (self.state >> 1) ^ (LFSR_TAPS if self.state & 1 else 0)
        return self.state


def signed(word: int) -> int:
    """A 16-bit word in two's complement.

    >>> signed(0x7fff), signed(0x8000)
    (32767, -32768)
    """
    return word - ((word & 0x8000) << 1)


def start(plan: Plan, lfsr: Lfsr) -> list[Int]:
    """Masters at random: set by set, row by row, 16 steps a weight; biases are 0 and take none.

    >>> small = Plan((2, 2), (0,), (False,), (1,), epochs=1, samples=1)
    >>> start(small, Lfsr(1))[0].tolist()
    [[7952, 1246, 0], [8164, -5874, 0]]
    """
    masters = []
    for (n_out, n_in), exponent in zip(plan.shapes, plan.ranges, strict=True):
        rows = np.zeros((n_out, n_in + 1), np.int64)
        for n, i in np.ndindex(n_out, n_in):
            rows[n, i] = signed(lfsr.step(LFSR_W)) >> (exponent + 1)
        masters.append(rows)
    return masters


def order(samples: int, word: int) -> Int:
    """The order of one epoch: ``j = a*i + b`` modulo a power of two, those below ``samples``.

    ``word`` is 16 bits of the LFSR: ``a = 2*high + 1``, which is odd, and ``b = low``.

    >>> order(5, 0x0103).tolist()     # a = 3, b = 3, modulo 8: 3 6 1 4 7 2 5 0
    [3, 1, 4, 2, 0]
    """
    size = 1 << (samples - 1).bit_length()
    a, b = 2 * (word >> 8) + 1, word & 0xFF
    j = (a * np.arange(size) + b) & (size - 1)
    return j[j < samples]


def slopes(frac: int) -> Int:
    """``256 * 2u / (1 + u*u)`` of ``u = 1 + q * 2**-frac``, to nearest, by the low byte of ``q``.

    The derivative of ``log`` of taylor2's score; ``[256]``, codes -256 .. 256.

    >>> slopes(1)[[0, 254, 252]].tolist()     # x = 0, -1, -2
    [256, 0, -256]
    """
    low = np.arange(1 << CODE_W)
    q = low - ((low & 0x80) << 1)
    one = 1 << frac
    u = q + one
    v = u * u + one * one
    table: Int = (4 * (u * one << SLOPE_FRAC) + v) // (2 * v)
    return table


def forward(plan: Plan, masters: Sequence[Int], x: Int, counts: Counts | None = None) -> list[Int]:
    """Inputs of each layer, then the logits: `model/reference.py` on the masters' top bytes."""
    xs = [x]
    for layer in range(plan.layers):
        weights, biases = codes(plan, masters, layer)
        acc = reference.linear(xs[-1], weights, biases)
        y = reference.requantize(acc, shift=plan.shift(layer), width=CODE_W)
        xs.append(reference.relu(y) if plan.relu[layer] else y)
        if counts is not None:
            shift, kept = plan.shift(layer), y > 0 if plan.relu[layer] else None
            counts.activations += lost(acc, y, shift=shift, width=CODE_W, kept=kept)
    return xs


def codes(plan: Plan, masters: Sequence[Int], layer: int) -> tuple[Int, Int]:
    """Weights ``[n_out, n_in]`` and biases ``[n_out]`` of a layer, biases in accumulator LSBs."""
    rows = masters[plan.sets[layer]]
    return rows[:, :-1] >> GUARD, rows[:, -1] >> (GUARD - plan.x(layer).frac)


def error(plan: Plan, probabilities: Int, logits: Int, label: int) -> Int:
    """Deltas of the logits ``[n]``: probability bytes minus one-hot, times the score's slope.

    >>> error(IRIS, np.array([55, 100, 100]), np.array([0, 5, 5]), 1).tolist()
    [880, -2480, 1600]
    """
    e = probabilities - PROBABILITY_ONE * (np.arange(plan.sizes[-1]) == label)
    if plan.score == "exp":
        shifted: Int = e << (DELTA.frac - ERROR_FRAC)
        return shifted
    slope = slopes(plan.x(plan.layers).frac)[logits & 0xFF]
    dropped = ERROR_FRAC + SLOPE_FRAC - DELTA.frac
    return reference.requantize(e * slope, shift=dropped, width=DELTA.width)


def backward(
    plan: Plan,
    masters: Sequence[Int],
    xs: Sequence[Int],
    delta: Int,
    counts: Counts | None = None,
) -> list[Int]:
    """Deltas of each layer's output, the first layer's first, from weights that have not moved.

    A ReLU stops the delta of an output that is 0.
    """
    deltas = [delta]
    for layer in range(plan.layers - 1, 0, -1):
        weights, _ = codes(plan, masters, layer)
        acc = deltas[0] @ weights
        below = reference.requantize(acc, shift=WEIGHT.frac, width=DELTA.width)
        if counts is not None:
            kept = xs[layer] != 0 if plan.relu[layer - 1] else None
            counts.deltas += lost(acc, below, shift=WEIGHT.frac, width=DELTA.width, kept=kept)
        deltas.insert(0, mask(below, xs[layer]) if plan.relu[layer - 1] else below)
    return deltas


def mask(delta: Int, y: Int) -> Int:
    """The delta behind a ReLU: 0 where the output is.

    >>> mask(np.array([7, 7, -7]), np.array([0, 1, 5])).tolist()
    [0, 7, -7]
    """
    return np.where(y == 0, 0, delta)


def moved(
    master: Int, product: Int, *, dither: int, dropped: int, counts: Counts | None = None
) -> Int:
    """``saturate(master - (product + dither mod 2**dropped) >> dropped)``, any shape.

    >>> up, down, none = -64, 64, 0
    >>> [int(moved(np.array(5), np.array(p), dither=0, dropped=6)) for p in (up, down, none)]
    [6, 4, 5]
    >>> [int(moved(np.array(5), np.array(1), dither=r, dropped=6)) for r in (62, 63, 64 + 63)]
    [5, 4, 4]
    >>> moved(np.array([-32768, 32767]), np.array([64, -64]), dither=0, dropped=6).tolist()
    [-32768, 32767]
    """
    step = (product + (dither & ((1 << dropped) - 1))) >> dropped
    aim = master - step
    new: Int = np.clip(aim, MASTER.q_min, MASTER.q_max)
    if counts is not None:
        counts.masters += int(np.count_nonzero(new != aim))
    return new


def update(
    plan: Plan,
    masters: Sequence[Int],
    xs: Sequence[Int],
    deltas: Sequence[Int],
    *,
    eta: int,
    dither: int,
    counts: Counts | None = None,
) -> None:
    """Move all masters in place, the last layer's first; a shared set moves once for each use."""
    for layer in range(plan.layers - 1, -1, -1):
        rows = masters[plan.sets[layer]]
        products = np.outer(deltas[layer], np.append(xs[layer], 1 << plan.x(layer).frac))
        dropped = plan.dropped(layer, eta)
        rows[:] = moved(rows, products, dither=dither, dropped=dropped, counts=counts)


def digest(masters: Sequence[Int]) -> str:
    """sha256 of all masters: by set, by row, bias last, 16 bits each, the low byte first."""
    return hashlib.sha256(b"".join(m.astype("<i2").tobytes() for m in masters)).hexdigest()
