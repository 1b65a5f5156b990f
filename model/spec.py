"""The shape of a network: formats, layers, folds, and everything that follows from them.

Every width, shift, cycle count, latency and RTL parameter is derived here, once. Nothing in
this file knows a weight's value, except `accumulator_width`, which bounds sums of them.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.format import Format, require, require_divisor, require_whole, tree_levels
from model.plain import build

Parameter = int | str | tuple[int, ...]

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


def to_plain(spec: NetworkSpec) -> dict[str, Any]:
    """The spec as dicts, lists and scalars, for JSON."""
    plain = dataclasses.asdict(spec)
    plain["layers"] = list(plain["layers"])
    return plain


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


COMBINATIONS = list(itertools.product(SCORES, DIVIDERS))
