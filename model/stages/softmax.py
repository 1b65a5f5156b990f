"""The softmax stage: scores of the logits, normalized to bytes that sum to 255."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from model import tables
from model.format import Int, require, require_integer, tree_levels
from model.stage import (
    ACCUMULATE_CYCLES,
    PROBABILITY_W,
    UNPACK_CYCLES,
    Area,
    Parameter,
    Payload,
    Stream,
    rom_area,
)
from model.stages.output import Output
from model.tables import RECIPROCAL_ADDR_W, RECIPROCAL_W
from model.words import Field

MAX_CLASSES = 64
MAX_LOGIT_FRAC = 16

# Bits of the `exp` score: with 16, rounded up, no loser of all int8 triples at frac 4 is off by
# more than 1 LSB after an exact division; with 14 some are.
EXP_SCORE_W = 16

SCORES = ("taylor2", "exp")
DIVIDERS = ("reciprocal", "restoring")
COMBINATIONS = list(itertools.product(SCORES, DIVIDERS))
# As files of version 0.1 call them.
FORMER_DIVIDERS = {"lut": "reciprocal", "divider": "restoring"}

RECIPROCAL_IMAGE, EXP_IMAGE = "reciprocal.mem", "exp.mem"

# Cycles from the edge that accepts a beat to the edge that hands its result over.
TAYLOR2_CYCLES = 3
EXP_CYCLES = 2
NORMALIZE_SUM_CYCLES = 2
SCALE_CYCLES = 2
REMAINDER_CYCLES = 1
DIVIDER_CYCLES = 1 + PROBABILITY_W


def current_divider(name: object) -> object:
    """The name of a divider today; anything that version 0.1 had no divider for is left as it is.

    >>> [current_divider(name) for name in ("lut", "restoring", ["lut"])]
    ['reciprocal', 'restoring', ['lut']]
    """
    return FORMER_DIVIDERS.get(name, name) if isinstance(name, str) else name


@dataclass(frozen=True)
class SoftmaxSpec(Output):
    """Scores of the logits, normalized to bytes that sum to 255. ``lanes`` classes per cycle."""

    kind: ClassVar[str] = "softmax"
    hosts: ClassVar[tuple[str, ...]] = ("mlp_softmax", "mlp_softmax_normalize")
    least: ClassVar[int] = 2
    most: ClassVar[int] = MAX_CLASSES

    score: str
    divider: str

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = self.kind
        object.__setattr__(self, "divider", current_divider(self.divider))
        for key, legal in (("score", SCORES), ("divider", DIVIDERS)):
            value = getattr(self, key)
            require(
                value in legal, f"{owner}: {key} must be one of {', '.join(legal)}, got {value!r}"
            )
        require_integer(owner, 0, MAX_LOGIT_FRAC, **{"frac of the logits": self.x.frac})

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
    def score_cycles(self) -> int:
        """Latency of the score module: vector accepted to first beat of scores handed over."""
        if self.score == "exp":
            return self.max_cycles + UNPACK_CYCLES + EXP_CYCLES
        return UNPACK_CYCLES + TAYLOR2_CYCLES

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

    @property
    def classes(self) -> int:
        """All of them."""
        return self.n

    @property
    def out_width(self) -> int:
        """Bits of one probability."""
        return PROBABILITY_W

    @property
    def key(self) -> str:
        """Key in a trace of the vector that leaves."""
        return f"{self.name}.probabilities"

    @property
    def title(self) -> str:
        """``softmax, taylor2, reciprocal``."""
        return f"{self.name}, {self.detail}"

    @property
    def detail(self) -> str:
        """Score and divider."""
        return f"{self.score}, {self.divider}"

    @property
    def formats(self) -> tuple[str, str, str, int]:
        """Format of the logits, no weights, bytes in units of 1/255, and bits of the total."""
        return str(self.x), "", f"{PROBABILITY_W}/255", self.total_w

    def streams(self, index: int) -> tuple[Stream, ...]:
        """Logits, scores, their total, quotients, and the probabilities beside their class."""
        outer = "u_output.g_softmax.u_softmax"
        inner = f"{outer}.u_normalize"
        logits = Field("x", self.x.width, self.n, signed=True)
        scores = Field("scores", self.score_w, self.lanes)
        total = Field("total", self.total_w)
        quotients = Field("quotients", PROBABILITY_W, self.lanes)
        result = (
            Payload("softmax.probabilities", Field("p", PROBABILITY_W, self.n), "out_p"),
            Payload("softmax.class", Field("class", self.class_w), "out_class"),
        )
        return (
            Stream(outer, "in_", (Payload("softmax.x", logits, "in_x"),)),
            Stream(outer, "score_", (Payload("softmax.scores", scores, "scores"),)),
            Stream(inner, "total_", (Payload("softmax.totals", total, "total"),)),
            Stream(inner, "quotient_", (Payload("softmax.quotients", quotients, "quotients"),)),
            Stream(outer, "out_", result),
        )

    def parameters(self) -> dict[str, Parameter]:
        """Parameters of `mlp_top` for its softmax, which is its output unless told otherwise."""
        return {
            "LOGIT_FRAC": self.x.frac,
            "SCORE": self.score,
            "DIVIDER": self.divider,
            "SCORE_W": self.score_w,
            "TOTAL_W": self.total_w,
            "SOFTMAX_LANES": self.lanes,
        }

    def image_shapes(self, index: int = 0) -> dict[str, tuple[int, int]]:
        """The tables that this score and this divider read, and no others."""
        shapes = {}
        if self.score == "exp":
            shapes[EXP_IMAGE] = (1 << self.x.width, self.score_w)
        if self.divider == "reciprocal":
            shapes[RECIPROCAL_IMAGE] = (1 << RECIPROCAL_ADDR_W, RECIPROCAL_W)
        return shapes

    def images(
        self,
        index: int = 0,
        weights: Mapping[str, Int] | None = None,
        biases: Mapping[str, Int] | None = None,
    ) -> dict[str, list[int]]:
        """Words of those tables; they depend on no weight."""
        words = {}
        if self.score == "exp":
            words[EXP_IMAGE] = tables.exponential(self).tolist()
        if self.divider == "reciprocal":
            words[RECIPROCAL_IMAGE] = tables.reciprocal().tolist()
        return words

    @property
    def area(self) -> Area:
        """``mlp_softmax``: score, sum up, divide, leave the remainder to the winner."""
        n, lanes, score_w, total_w = self.n, self.lanes, self.score_w, self.total_w
        x_w = self.x.width
        area = Area(0, 2 * lanes * (score_w + total_w), n * (score_w + PROBABILITY_W) + total_w, 0)
        if self.score == "taylor2":
            area += Area(lanes, lanes * (2 * x_w + score_w), n * x_w + lanes * 4 * x_w, 0)
        else:
            table = rom_area(lanes * score_w, 1 << x_w)
            area += table + Area(0, (n + 2 * lanes) * x_w, (2 * n + 3 * lanes) * x_w, 0)
        if self.divider == "reciprocal":
            shift = total_w.bit_length() * total_w
            product_w = score_w + RECIPROCAL_W
            flip_flops = 3 * n * score_w + lanes * product_w
            area += rom_area(RECIPROCAL_W, 1 << RECIPROCAL_ADDR_W)
            area += Area(lanes, shift + lanes * 2 * product_w, flip_flops, 0)
        else:
            steps = PROBABILITY_W * total_w
            area += Area(0, lanes * 2 * steps, n * score_w + (1 + lanes) * steps, 0)
        return area
