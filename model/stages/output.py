"""Outputs, and those beside the softmax: logits as they are, the class alone, sigmoids."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from model import tables
from model.format import Format, Int, require, require_divisor, require_integer, tree_levels
from model.stage import (
    ACCUMULATE_CYCLES,
    PACK_CYCLES,
    PROBABILITY_W,
    UNPACK_CYCLES,
    Area,
    Parameter,
    Payload,
    Stream,
    index_width,
    rom_area,
    user_width,
)
from model.stages.activation import TABLE_CYCLES
from model.stages.linear import MAX_SIZE
from model.words import Field

SIGMOID_IMAGE = "sigmoid.mem"


@dataclass(frozen=True)
class Output:
    """Base of every output: ``n`` logits of format ``x``, ``lanes`` of them a cycle."""

    kind: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]] = ("mlp_output",)
    least: ClassVar[int] = 1
    most: ClassVar[int] = MAX_SIZE

    n: int
    x: Format
    lanes: int = field(kw_only=True)

    def __post_init__(self) -> None:
        require_integer(self.kind, self.least, self.most, n=self.n)
        require_divisor(self.kind, "n", self.n, lanes=self.lanes)

    @property
    def name(self) -> str:
        """Its kind: a network has one output."""
        return self.kind

    @property
    def n_in(self) -> int:
        """Logits."""
        return self.n

    @property
    def n_out(self) -> int:
        """Values that leave."""
        return self.n

    @property
    def y(self) -> Format | None:
        """None, unless the values that leave are codes."""
        return None

    @property
    def beats(self) -> int:
        """Beats of ``lanes`` logits."""
        return self.n // self.lanes

    @property
    def cycles(self) -> int:
        """Cycles per vector, back to back."""
        return self.beats

    @property
    def multipliers(self) -> int:
        """None."""
        return 0

    @property
    def title(self) -> str:
        """Its kind."""
        return self.kind

    @property
    def fold(self) -> str:
        """Logits per cycle."""
        return f"{self.lanes} a cycle"

    @property
    def formula(self) -> str:
        """The formula of ``cycles`` with its numbers."""
        return f"{self.n}/{self.lanes}"

    def refolded(self, fold: tuple[int, int] | None, lanes: int | None) -> Self:
        """The same output with other lanes."""
        return dataclasses.replace(self, lanes=lanes) if lanes else self

    def _streams(self, *results: Payload) -> tuple[Stream, ...]:
        logits = Field("x", self.x.width, self.n, signed=True)
        return (
            Stream("u_output", "in_", (Payload(f"{self.name}.x", logits, "in_x"),)),
            Stream("u_output", "out_", results),
        )

    def _class(self, width: int, signal: str) -> Payload:
        return Payload(f"{self.name}.class", Field("class", width), signal)

    def parameters(self) -> dict[str, Parameter]:
        """Its share of the parameters of `mlp_top`."""
        return {"OUTPUT": self.kind, "SOFTMAX_LANES": self.lanes}

    def image_shapes(self, index: int = 0) -> dict[str, tuple[int, int]]:
        """None."""
        return {}

    def images(
        self,
        index: int = 0,
        weights: Mapping[str, Int] | None = None,
        biases: Mapping[str, Int] | None = None,
    ) -> dict[str, list[int]]:
        """None."""
        return {}

    @property
    def max_cycles(self) -> int:
        """Latency of ``mlp_argmax``, ``mlp_softmax_max``: vector accepted to it and its largest."""
        return UNPACK_CYCLES + self.beats - 1 + tree_levels(self.lanes) + ACCUMULATE_CYCLES

    @property
    def _argmax_area(self) -> Area:
        x_w, class_w = self.x.width, index_width(self.n)
        vector = self.n * x_w
        tree = self.lanes * (x_w + class_w)
        return Area(0, vector + 2 * tree, vector + 2 * tree, 0)


@dataclass(frozen=True)
class LogitsSpec(Output):
    """The codes of the last layer as they are, each sign-extended to whole bytes.

    Where ``ranked``, the index of the largest, the lowest one on a tie, is beside them.
    """

    kind: ClassVar[str] = "logits"

    ranked: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            isinstance(self.ranked, bool),
            f"{self.kind}: ranked must be a boolean, got {self.ranked!r}",
        )
        if self.ranked:
            require_integer(f"{self.kind}, ranked", 2, MAX_SIZE, n=self.n)

    @property
    def classes(self) -> int:
        """Each logit is a class where they are ranked."""
        return self.n if self.ranked else 0

    @property
    def y(self) -> Format:
        """The format that enters."""
        return self.x

    @property
    def out_width(self) -> int:
        """Bits of a lane: whole bytes."""
        return self.x.byte_width

    @property
    def key(self) -> str:
        """Key in a trace of the vector that leaves."""
        return f"{self.name}.values"

    @property
    def cycles(self) -> int:
        """1 where nothing is ranked: then there is no register either."""
        return self.beats if self.ranked else 1

    @property
    def latency(self) -> int:
        """Cycles from vector accepted to vector handed over."""
        return self.max_cycles if self.ranked else 0

    @property
    def detail(self) -> str:
        """Tells if they are ranked."""
        return "with the class of the largest" if self.ranked else "as they are"

    @property
    def fold(self) -> str:
        """Logits per cycle."""
        return super().fold if self.ranked else "all"

    @property
    def formula(self) -> str:
        """The formula of ``cycles`` with its numbers."""
        return super().formula if self.ranked else "1"

    @property
    def formats(self) -> tuple[str, str, str, int]:
        """The format of the logits, twice."""
        return str(self.x), "", str(self.x), self.x.width

    def streams(self, index: int) -> tuple[Stream, ...]:
        """Logits in, logits out, and their class."""
        values = Field("values", self.out_width, self.n, signed=True)
        found = [Payload(self.key, values, "out_y")]
        if self.ranked:
            found.append(self._class(index_width(self.n), "out_class"))
        return self._streams(*found)

    def parameters(self) -> dict[str, Parameter]:
        """Its share of the parameters of `mlp_top`."""
        return super().parameters() | {"ARGMAX": int(self.ranked)}

    @property
    def area(self) -> Area:
        """Wires, or ``mlp_argmax``."""
        return self._argmax_area if self.ranked else Area(0, 0, 0, 0)


@dataclass(frozen=True)
class ArgmaxSpec(Output):
    """The index of the largest logit alone, the lowest one on a tie."""

    kind: ClassVar[str] = "argmax"
    least: ClassVar[int] = 2

    @property
    def classes(self) -> int:
        """Each logit is one."""
        return self.n

    @property
    def n_out(self) -> int:
        """The class."""
        return 1

    @property
    def out_width(self) -> int:
        """Bits of a lane: whole bytes."""
        return user_width(self.n)

    @property
    def key(self) -> str:
        """Key in a trace of what leaves, ``[samples]``."""
        return f"{self.name}.class"

    @property
    def latency(self) -> int:
        """Cycles from vector accepted to class handed over."""
        return self.max_cycles

    @property
    def detail(self) -> str:
        """The number of classes."""
        return f"one of {self.n}"

    @property
    def formats(self) -> tuple[str, str, str, int]:
        """Format of the logits, no weights, an index."""
        return str(self.x), "", "index", index_width(self.n)

    def streams(self, index: int) -> tuple[Stream, ...]:
        """Logits in, their class out."""
        return self._streams(self._class(self.out_width, "out_y"))

    @property
    def area(self) -> Area:
        """``mlp_argmax``, whose vector goes nowhere."""
        gathered = self.n * self.x.width
        return self._argmax_area + Area(0, 0, -gathered, 0)


@dataclass(frozen=True)
class SigmoidSpec(Output):
    """The sigmoid of each logit by itself, as a byte in units of 1/255, by table.

    A single one tells two classes apart: 1 from a byte of 128 on, as from a logit of 0 on.
    """

    kind: ClassVar[str] = "sigmoid"

    @property
    def classes(self) -> int:
        """Two of a single logit; several are independent of each other."""
        return 2 if self.n == 1 else 0

    @property
    def out_width(self) -> int:
        """Bits of one probability."""
        return PROBABILITY_W

    @property
    def key(self) -> str:
        """Key in a trace of the vector that leaves."""
        return f"{self.name}.probabilities"

    @property
    def latency(self) -> int:
        """Cycles from vector accepted to vector handed over."""
        return UNPACK_CYCLES + self.beats - 1 + TABLE_CYCLES + PACK_CYCLES

    @property
    def detail(self) -> str:
        """Number of classes."""
        return "two classes" if self.n == 1 else f"{self.n} independent"

    @property
    def formats(self) -> tuple[str, str, str, int]:
        """Format of the logits, no weights, bytes in units of 1/255, bits of an address."""
        return str(self.x), "", f"{PROBABILITY_W}/255", tables.sigmoid_address(self.x)[0]

    def streams(self, index: int) -> tuple[Stream, ...]:
        """Logits in, probabilities out, and the class of a single one."""
        found = [Payload(self.key, Field("p", PROBABILITY_W, self.n), "out_y")]
        if self.classes:
            found.append(self._class(1, "out_class"))
        return self._streams(*found)

    def parameters(self) -> dict[str, Parameter]:
        """Its share of the parameters of `mlp_top`."""
        return super().parameters() | {"LOGIT_FRAC": self.x.frac}

    def image_shapes(self, index: int = 0) -> dict[str, tuple[int, int]]:
        """The table: a byte for each address."""
        return {SIGMOID_IMAGE: (1 << tables.sigmoid_address(self.x)[0], PROBABILITY_W)}

    def images(
        self,
        index: int = 0,
        weights: Mapping[str, Int] | None = None,
        biases: Mapping[str, Int] | None = None,
    ) -> dict[str, list[int]]:
        """Words of the table; they depend on no weight."""
        return {SIGMOID_IMAGE: tables.sigmoid(self.x).tolist()}

    @property
    def area(self) -> Area:
        """A port of the table a lane, and the vector twice."""
        address_w = tables.sigmoid_address(self.x)[0]
        table = rom_area(self.lanes * PROBABILITY_W, 1 << address_w)
        ends = self.n * (self.x.width + PROBABILITY_W)
        return table + Area(0, ends + self.lanes * self.x.width, ends, 0)
