"""The shape of a network: formats, layers, folds, and everything that follows from them.

Every width, shift, cycle count, latency and RTL parameter is derived here, once. Nothing in
this file knows a weight's value, except `accumulator_width`, which bounds sums of them.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from model.errors import VerbatimError

Int = NDArray[np.int64]
Parameter = int | str | tuple[int, ...]

MIN_WIDTH, MAX_WIDTH = 2, 16
MIN_FRAC, MAX_FRAC = -16, 31
MAX_CLASSES = 64
MAX_ACC_W = 63
MAX_LOGIT_FRAC = 16

# The softmax's outputs are unsigned bytes in units of 1/255.
PROBABILITY_W = 8
PROBABILITY_ONE = 255

# Reciprocal table of the `reciprocal` divider: 2**8 entries of 16 bits fill one 4-kbit block RAM.
RECIPROCAL_ADDR_W = 8
RECIPROCAL_W = 16

# Bits of the `exp` score: with 16, rounded up, no loser of all int8 triples at frac 4 is off by
# more than 1 LSB after an exact division; with 14 some are.
EXP_SCORE_W = 16

SCORES = ("taylor2", "exp")
DIVIDERS = ("reciprocal", "restoring")
# As files of version 0.1 call them.
FORMER_DIVIDERS = {"lut": "reciprocal", "divider": "restoring"}

# Cycles from the edge that accepts a beat to the edge that hands its result over.
FOLD_CYCLES = 1
ROM_CYCLES, FETCH_CYCLES, MULTIPLY_CYCLES, ACCUMULATE_CYCLES = 1, 1, 1, 1
REQUANTIZE_CYCLES = 2
RELU_CYCLES = 0
REGISTER_CYCLES = 0
PACK_CYCLES = 1
UNPACK_CYCLES = 1
TAYLOR2_CYCLES = 3
EXP_CYCLES = 2
NORMALIZE_SUM_CYCLES = 2
SCALE_CYCLES = 2
REMAINDER_CYCLES = 1
DIVIDER_CYCLES = 1 + PROBABILITY_W


class SpecError(VerbatimError):
    """A network, format or fold that the hardware cannot be: the message says what is legal."""


def tree_levels(lanes: int) -> int:
    """Registered levels of a binary tree over ``lanes`` leaves: ``ceil(log2(lanes))``.

    >>> [tree_levels(lanes) for lanes in (1, 2, 3, 4, 5)]
    [0, 1, 2, 2, 3]
    """
    return (lanes - 1).bit_length()


def require(condition: bool, sentence: str) -> None:
    """Raise `SpecError` with ``sentence`` unless ``condition`` holds."""
    if not condition:
        raise SpecError(sentence)


def require_whole(owner: str, low: int, high: int, **values: object) -> None:
    """Each value must be an int in ``low..high``; a bool is not an int here."""
    for key, value in values.items():
        legal = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        require(legal, f"{owner}: {key} is {value!r}, legal is a whole number from {low} to {high}")


def require_divisor(owner: str, whole_name: str, whole: int, **values: int) -> None:
    """Each value must be a positive divisor of ``whole``."""
    for key, value in values.items():
        require_whole(owner, 1, whole, **{key: value})
        divisors = [d for d in range(1, whole + 1) if whole % d == 0]
        legal = ", ".join(map(str, divisors))
        require(
            whole % value == 0,
            f"{owner}: {key} is {value}, legal is a divisor of {whole_name} = {whole}: {legal}",
        )


@dataclass(frozen=True)
class Format:
    """Signed fixed point: ``value = q * 2**-frac`` with ``q`` in ``width`` bits, zero point 0.

    >>> Format(8, 4).max_value
    7.9375
    >>> Format(1, 0)
    Traceback (most recent call last):
    model.spec.SpecError: format: width is 1, legal is a whole number from 2 to 16
    """

    width: int
    frac: int

    def __post_init__(self) -> None:
        require_whole("format", MIN_WIDTH, MAX_WIDTH, width=self.width)
        require_whole("format", MIN_FRAC, MAX_FRAC, frac=self.frac)

    @property
    def q_min(self) -> int:
        """Least code."""
        return -(1 << (self.width - 1))

    @property
    def q_max(self) -> int:
        """Largest code."""
        return (1 << (self.width - 1)) - 1

    @property
    def max_value(self) -> float:
        """Largest value that has a code."""
        return self.q_max * self.lsb

    @property
    def lsb(self) -> float:
        """Value of one code step."""
        return 2.0**-self.frac

    @property
    def byte_width(self) -> int:
        """Bits of one lane on an AXI4-Stream: whole bytes."""
        return 8 * math.ceil(self.width / 8)


@dataclass(frozen=True)
class LayerSpec:
    """A linear layer, its requantization and, where ``relu``, the ReLU behind it.

    ``weights`` names the weight matrix: layers that share a matrix name the same one.
    ``simd`` inputs times ``pe`` outputs are multiplied in each cycle.
    """

    name: str
    weights: str
    n_in: int
    n_out: int
    x: Format
    w: Format
    y: Format
    acc_w: int
    relu: bool
    simd: int
    pe: int

    def __post_init__(self) -> None:
        owner = f"layer {self.name}"
        for key in ("name", "weights"):
            value = getattr(self, key)
            require(
                isinstance(value, str) and value.isidentifier(),
                f"{owner}: {key} is {value!r}, legal is an identifier",
            )
        require(isinstance(self.relu, bool), f"{owner}: relu is {self.relu!r}, legal is a boolean")
        require_whole(owner, 1, 4096, n_in=self.n_in, n_out=self.n_out)
        require_divisor(owner, "n_in", self.n_in, simd=self.simd)
        require_divisor(owner, "n_out", self.n_out, pe=self.pe)
        require(
            self.shift >= 0,
            f"{owner}: the output's frac is {self.y.frac}, legal is at most "
            f"{self.w.frac + self.x.frac} = frac of weights + frac of inputs",
        )
        require_whole(owner, self.min_acc_w, MAX_ACC_W, acc_w=self.acc_w)

    @property
    def shift(self) -> int:
        """Fraction bits that requantization drops."""
        return self.w.frac + self.x.frac - self.y.frac

    @property
    def min_acc_w(self) -> int:
        """Least accumulator: holds a product, and an output before it is shifted."""
        return max(self.x.width + self.w.width, self.y.width + self.shift)

    @property
    def steps(self) -> int:
        """Cycles for one group of ``pe`` outputs."""
        return self.n_in // self.simd

    @property
    def groups(self) -> int:
        """Beats in which the layer's output leaves."""
        return self.n_out // self.pe

    @property
    def cycles(self) -> int:
        """Cycles per vector, back to back."""
        return self.steps * self.groups

    @property
    def multipliers(self) -> int:
        """Multipliers, all of them busy in each of the ``cycles``."""
        return self.simd * self.pe

    @property
    def linear_cycles(self) -> int:
        """Latency of ``mlp_linear``: vector accepted to first beat of sums handed over."""
        last_step_fetched = FOLD_CYCLES + self.steps - 1 + ROM_CYCLES + FETCH_CYCLES
        return last_step_fetched + self.dot_cycles + ACCUMULATE_CYCLES

    @property
    def dot_cycles(self) -> int:
        """Latency of ``mlp_dot``: inputs and weights to their sum."""
        return MULTIPLY_CYCLES + tree_levels(self.simd)

    @property
    def latency(self) -> int:
        """Latency of ``mlp_layer``: vector accepted to vector handed over."""
        last_beat = self.linear_cycles + self.cycles - self.steps
        pack = 0 if self.pe == self.n_out else PACK_CYCLES
        return last_beat + REQUANTIZE_CYCLES + RELU_CYCLES + REGISTER_CYCLES + pack


@dataclass(frozen=True)
class SoftmaxSpec:
    """Scores of the logits, normalized to bytes that sum to 255. ``lanes`` classes per cycle."""

    n: int
    x: Format
    score: str
    divider: str
    lanes: int

    def __post_init__(self) -> None:
        owner = "softmax"
        current = FORMER_DIVIDERS.get(self.divider, self.divider)
        object.__setattr__(self, "divider", current)
        require_whole(owner, 2, MAX_CLASSES, n=self.n)
        require_divisor(owner, "n", self.n, lanes=self.lanes)
        for key, legal in (("score", SCORES), ("divider", DIVIDERS)):
            value = getattr(self, key)
            require(
                value in legal, f"{owner}: {key} is {value!r}, legal is one of {', '.join(legal)}"
            )
        require_whole(owner, 0, MAX_LOGIT_FRAC, **{"frac of the logits": self.x.frac})

    @property
    def max_score(self) -> int:
        """Largest score: the polynomial at the largest logit, or the table's first entry."""
        if self.score == "exp":
            # All ones, in bits that tell a distance of 1 from none.
            return (1 << max(EXP_SCORE_W, self.x.frac + 1)) - 1
        return (self.x.q_max + (1 << self.x.frac)) ** 2 + (1 << 2 * self.x.frac)

    @property
    def score_w(self) -> int:
        """Unsigned bits of one score."""
        return self.max_score.bit_length()

    @property
    def total_w(self) -> int:
        """Unsigned bits of the sum of scores; at least the reciprocal table's address and a one."""
        return max((self.n * self.max_score).bit_length(), RECIPROCAL_ADDR_W + 1)

    @property
    def class_w(self) -> int:
        """Bits of a class index."""
        return (self.n - 1).bit_length()

    @property
    def beats(self) -> int:
        """Cycles per vector, back to back."""
        return self.n // self.lanes

    @property
    def score_cycles(self) -> int:
        """Latency of the score module: vector accepted to first beat of scores handed over."""
        if self.score == "exp":
            return self.max_cycles + UNPACK_CYCLES + EXP_CYCLES
        return UNPACK_CYCLES + TAYLOR2_CYCLES

    @property
    def max_cycles(self) -> int:
        """Latency of ``mlp_softmax_max``: vector accepted to vector and its largest logit."""
        return UNPACK_CYCLES + self.beats - 1 + tree_levels(self.lanes) + ACCUMULATE_CYCLES

    @property
    def sum_cycles(self) -> int:
        """Latency of ``mlp_softmax_sum``: last beat of scores to their vector and total."""
        return tree_levels(self.lanes) + ACCUMULATE_CYCLES

    @property
    def divide_cycles(self) -> int:
        """Latency of the divider: scores and total to the first beat of quotients."""
        if self.divider == "restoring":
            return UNPACK_CYCLES + DIVIDER_CYCLES
        return NORMALIZE_SUM_CYCLES + UNPACK_CYCLES + SCALE_CYCLES

    @property
    def remainder_cycles(self) -> int:
        """Latency of ``mlp_softmax_remainder``: last beat of quotients to the probabilities."""
        return tree_levels(self.lanes) + ACCUMULATE_CYCLES + REMAINDER_CYCLES

    @property
    def normalize_cycles(self) -> int:
        """Latency of ``mlp_softmax_normalize``: last beat of scores to the probabilities."""
        return self.sum_cycles + self.divide_cycles + self.beats - 1 + self.remainder_cycles

    @property
    def latency(self) -> int:
        """Latency of ``mlp_softmax``: logits accepted to probabilities handed over."""
        return self.score_cycles + self.beats - 1 + self.normalize_cycles


@dataclass(frozen=True)
class NetworkSpec:
    """A chain of layers and the softmax behind it, between two AXI4-Streams.

    ``in_lanes`` features enter and ``out_lanes`` probabilities leave in one beat.
    """

    name: str
    layers: tuple[LayerSpec, ...]
    softmax: SoftmaxSpec
    in_lanes: int
    out_lanes: int

    def __post_init__(self) -> None:
        owner = f"network {self.name}"
        require(
            isinstance(self.name, str) and self.name.isidentifier(),
            f"network: name is {self.name!r}, legal is an identifier",
        )
        require_whole(owner, 1, 99, **{"number of layers": len(self.layers)})
        names = [layer.name for layer in self.layers]
        require(len(set(names)) == len(names), f"{owner}: layer names repeat: {', '.join(names)}")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            require(
                (before.n_out, before.y) == (after.n_in, after.x),
                f"{owner}: {before.name} gives {before.n_out} x {before.y}, "
                f"{after.name} takes {after.n_in} x {after.x}",
            )
        last = self.layers[-1]
        require(
            (last.n_out, last.y) == (self.softmax.n, self.softmax.x),
            f"{owner}: {last.name} gives {last.n_out} x {last.y}, "
            f"the softmax takes {self.softmax.n} x {self.softmax.x}",
        )
        require_divisor(owner, "number of inputs", self.n_in, in_lanes=self.in_lanes)
        require_divisor(owner, "number of outputs", self.n_out, out_lanes=self.out_lanes)

    @property
    def n_in(self) -> int:
        """Features of one sample."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Classes."""
        return self.softmax.n

    @property
    def x(self) -> Format:
        """Format of the features."""
        return self.layers[0].x

    @property
    def logits_key(self) -> str:
        """Key of the logits in a trace."""
        last = self.layers[-1]
        return f"{last.name}.relu" if last.relu else f"{last.name}.y"

    @property
    def latency(self) -> int:
        """Cycles from the last beat of a sample to the first beat of its probabilities."""
        inside = sum(layer.latency for layer in self.layers) + self.softmax.latency
        return PACK_CYCLES + inside + UNPACK_CYCLES

    @property
    def interval(self) -> int:
        """Cycles per sample in steady state: the slowest part's."""
        parts = [self.n_in // self.in_lanes, self.softmax.beats, self.n_out // self.out_lanes]
        return max(parts + [layer.cycles for layer in self.layers])

    def parameters(self, mem_dir: str) -> dict[str, Parameter]:
        """Parameters of ``mlp_top``; a tuple has one entry a layer, the first layer first."""

        def each(attribute: str) -> tuple[int, ...]:
            return tuple(int(getattr(layer, attribute)) for layer in self.layers)

        return {
            "N_LAYERS": len(self.layers),
            "N": (self.n_in, *each("n_out")),
            "X_W": (self.x.width, *(layer.y.width for layer in self.layers)),
            "W_W": tuple(layer.w.width for layer in self.layers),
            "ACC_W": each("acc_w"),
            "SHIFT": each("shift"),
            "RELU": each("relu"),
            "SIMD": each("simd"),
            "PE": each("pe"),
            "LOGIT_FRAC": self.softmax.x.frac,
            "SCORE": self.softmax.score,
            "DIVIDER": self.softmax.divider,
            "SCORE_W": self.softmax.score_w,
            "TOTAL_W": self.softmax.total_w,
            "SOFTMAX_LANES": self.softmax.lanes,
            "IN_LANES": self.in_lanes,
            "OUT_LANES": self.out_lanes,
            "MEM_DIR": mem_dir,
        }

    def folded(
        self,
        folds: Mapping[str, tuple[int, int]],
        *,
        in_lanes: int,
        softmax_lanes: int,
        out_lanes: int,
    ) -> "NetworkSpec":
        """The same network at other ``(simd, pe)`` by layer name, and other lanes."""
        unknown = set(folds) - {layer.name for layer in self.layers}
        require(not unknown, f"network {self.name}: fold of unknown layer {', '.join(unknown)}")
        layers = tuple(
            dataclasses.replace(layer, simd=folds[layer.name][0], pe=folds[layer.name][1])
            if layer.name in folds
            else layer
            for layer in self.layers
        )
        return dataclasses.replace(
            self,
            layers=layers,
            softmax=dataclasses.replace(self.softmax, lanes=softmax_lanes),
            in_lanes=in_lanes,
            out_lanes=out_lanes,
        )

    def unrolled(self) -> "NetworkSpec":
        """The same network with a multiplier for each weight: one sample per cycle."""
        folds = {layer.name: (layer.n_in, layer.n_out) for layer in self.layers}
        return self.folded(
            folds, in_lanes=self.n_in, softmax_lanes=self.n_out, out_lanes=self.n_out
        )

    def at_each_fold(self) -> "dict[str, NetworkSpec]":
        """The ends of the range of folds, and the network's own between them."""
        return {"serial": self.serial(), "default": self, "unrolled": self.unrolled()}

    def serial(self) -> "NetworkSpec":
        """The same network with one multiplier a layer and one value a beat."""
        folds = {layer.name: (1, 1) for layer in self.layers}
        return self.folded(folds, in_lanes=1, softmax_lanes=1, out_lanes=1)


def accumulator_width(layer_weights: Int, biases: Int, x_interval: tuple[int, int]) -> int:
    """Signed bits that no partial sum of ``w @ x + b`` can leave, in whatever order it is taken.

    ``layer_weights`` is ``[n_out, n_in]``, ``biases`` ``[n_out]``, in accumulator LSBs; inputs lie
    in ``x_interval`` inclusive. Interval arithmetic: all positive terms, and all negative ones.

    >>> accumulator_width(np.array([[1, -1]]), np.array([0]), (-128, 127))
    9
    """
    low, high = x_interval
    extremes = np.stack([layer_weights * low, layer_weights * high])
    most = np.maximum(extremes.max(axis=0), 0).sum(axis=1) + np.maximum(biases, 0)
    least = np.minimum(extremes.min(axis=0), 0).sum(axis=1) + np.minimum(biases, 0)
    return 1 + max(int(most.max()), max(0, -int(least.min()) - 1)).bit_length()


def output_interval(layer: LayerSpec) -> tuple[int, int]:
    """Codes that a layer can put out, inclusive: what its successor's sums are bounded by."""
    return (0 if layer.relu else layer.y.q_min, layer.y.q_max)


def to_plain(spec: NetworkSpec) -> dict[str, Any]:
    """The spec as dicts, lists and scalars, for JSON."""
    plain = dataclasses.asdict(spec)
    plain["layers"] = list(plain["layers"])
    return plain


def build(kind: type, owner: str, plain: object) -> Any:
    """An instance of dataclass ``kind`` from a mapping of its fields.

    Fields with a default may be left out; one that does not count in comparisons is no key.
    Raises `SpecError`; the sentence begins with ``owner``, the path to the mapping or its part.

    >>> build(Format, "formats.input", {"width": 8, "frac": 99})
    Traceback (most recent call last):
    model.spec.SpecError: formats.input: format: frac is 99, legal is a whole number from -16 to 31
    """
    require(isinstance(plain, Mapping), f"{owner}: found {plain!r}, legal is a table of keys")
    assert isinstance(plain, Mapping)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.compare}
    for key in plain:
        require(key in fields, f"{owner}: unknown key {key!r}, legal are {', '.join(fields)}")
    for key, field in fields.items():
        needed = field.default is field.default_factory is dataclasses.MISSING
        require(key in plain or not needed, f"{owner}: key {key!r} is missing")
    values: dict[str, Any] = dict(plain)
    for key in plain:
        nested, alternatives = _tables_of(fields[key].type)
        if nested and (isinstance(values[key], Mapping) or not alternatives):
            values[key] = build(nested, f"{owner}.{key}", values[key])
    try:
        return kind(**values)
    except SpecError as error:
        own_name = owner.rpartition(".")[2]
        raise SpecError(f"{owner}: {str(error).removeprefix(f'{own_name}: ')}") from error


def _tables_of(declared: object) -> tuple[type | None, list[object]]:
    """The dataclass in a field's type, and what else may stand there: ``int | Format``.

    None where an alternative may be a table too.
    """
    members = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    tables = [m for m in members if isinstance(m, type) and dataclasses.is_dataclass(m)]
    others = [m for m in members if m not in tables and m is not NoneType]
    plain = all(isinstance(other, type) for other in others)
    return (tables[0] if len(tables) == 1 and plain else None), others


def from_plain(plain: object) -> NetworkSpec:
    """The inverse of `to_plain`; unknown, missing and illegal entries raise `SpecError`."""
    require(isinstance(plain, Mapping), f"spec: found {plain!r}, legal is a table of keys")
    assert isinstance(plain, Mapping)
    layers = plain.get("layers")
    require(
        isinstance(layers, Sequence) and not isinstance(layers, str),
        f"spec: layers is {layers!r}, legal is a list",
    )
    assert isinstance(layers, Sequence)
    built = tuple(
        build(LayerSpec, f"spec.layers[{index}]", layer) for index, layer in enumerate(layers)
    )
    plain = {**plain, "layers": built}
    spec: NetworkSpec = build(NetworkSpec, "spec", plain)
    return spec
