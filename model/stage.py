"""The interface of a stage of the pipeline: a network is a tuple of stages.

Sums and maxima over the stages give the latency, the interval, the area, the ROM images, the
streams and the RTL parameters of a network, so that a new layer, activation or output is a new
stage and changes none of those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from model.format import Format, Int
from model.words import Field

Parameter = int | str | tuple[int, ...]

# What leaves a core whole bytes, in units of 1/255 where it is a probability.
PROBABILITY_W = 8
PROBABILITY_ONE = 255

# Cycles from the edge that accepts a beat to the edge that hands its result over.
PACK_CYCLES = 1
UNPACK_CYCLES = 1
ACCUMULATE_CYCLES = 1
REGISTER_CYCLES = 0

# A LUT4 reads 16 words of one bit; a deeper table is a tree of them, or one block RAM.
LUT_WORDS = 16
BLOCK_RAM_WORDS = 256


@dataclass(frozen=True)
class Payload:
    """One bus of a stream: its channel, its lanes, its signal.

    ``channel`` is the key of `reference.trace`, or ``NAME.x`` for what enters stage ``NAME``.
    """

    channel: str
    field: Field
    signal: str


@dataclass(frozen=True)
class Stream:
    """``<prefix>valid`` and ``<prefix>ready`` in an instance below the top, and what they carry."""

    scope: str
    prefix: str
    payloads: tuple[Payload, ...]

    @property
    def valid(self) -> str:
        """The signal that offers a beat."""
        return f"{self.prefix}valid"

    @property
    def ready(self) -> str:
        """The signal that takes it."""
        return f"{self.prefix}ready"

    @property
    def part(self) -> str:
        """Owner of the stream: the stage's name, ``s_axis`` or ``m_axis``."""
        return self.payloads[0].channel.partition(".")[0]

    def path(self, top: str, signal: str) -> str:
        """Full name of a signal of this stream, as waveforms have it."""
        return ".".join(filter(None, (top, self.scope, signal)))


@dataclass(frozen=True)
class Area:
    """Multipliers, LUT4s, flip-flops, and bits of ROM, deep ones in block RAM among them."""

    multipliers: int
    luts: int
    flip_flops: int
    rom_bits: int

    def __add__(self, other: "Area") -> "Area":
        return Area(
            self.multipliers + other.multipliers,
            self.luts + other.luts,
            self.flip_flops + other.flip_flops,
            self.rom_bits + other.rom_bits,
        )

    def __sub__(self, other: "Area") -> "Area":
        return Area(
            self.multipliers - other.multipliers,
            self.luts - other.luts,
            self.flip_flops - other.flip_flops,
            self.rom_bits - other.rom_bits,
        )


def index_width(count: int) -> int:
    """Bits of an index below ``count``, at least one.

    >>> [index_width(count) for count in (1, 2, 3, 128, 129, 4096)]
    [1, 1, 2, 7, 8, 12]
    """
    return max(1, (count - 1).bit_length())


def user_width(count: int) -> int:
    """Bits of ``tuser``, which holds the index of one of ``count`` logits: whole bytes.

    >>> [user_width(count) for count in (1, 128, 129, 4096)]
    [8, 8, 16, 16]
    """
    return 8 if index_width(count) < 8 else 16


def rom_area(width: int, depth: int) -> Area:
    """A table: its register, and LUTs where it is too shallow for a block RAM."""
    blocks = 0 if depth >= BLOCK_RAM_WORDS or depth == 1 else -(-depth // LUT_WORDS)
    return Area(0, width * blocks, width, width * depth)


def ram_area(width: int, depth: int) -> Area:
    """A table that is written too: LUTs where it is too shallow for a block RAM.

    Two more in three store as many bits as read them; then the rows are chosen from.
    """
    rows = 0 if depth >= BLOCK_RAM_WORDS else -(-depth // LUT_WORDS)
    return Area(0, 2 * width * rows, 0, 0)


class Stage(Protocol):
    """A module of the pipeline that takes a vector a beat and hands a vector a beat over."""

    kind: ClassVar[str]

    hosts: ClassVar[tuple[str, ...]]
    """Modules of rtl/ that hold the signals of its streams."""

    @property
    def name(self) -> str:
        """Name of the stage, the first part of its keys in a trace."""

    @property
    def n_in(self) -> int:
        """Values of a vector that enters."""

    @property
    def n_out(self) -> int:
        """Values of a vector that leaves."""

    @property
    def x(self) -> Format:
        """Format of the values that enter."""

    @property
    def y(self) -> Format | None:
        """Format of the values that leave; None where they are not codes, such as probabilities."""

    @property
    def out_width(self) -> int:
        """Bits of one value that leaves."""

    @property
    def key(self) -> str:
        """Key in a trace of the vector that leaves."""

    @property
    def title(self) -> str:
        """Its name with what distinguishes it, such as ``fc1, ReLU``."""

    @property
    def detail(self) -> str:
        """Further detail in a few words, such as ``8-bit weights``."""

    @property
    def formats(self) -> tuple[str, str, str, int]:
        """Formats of inputs, weights and outputs as ``width/frac``, and bits of the sum."""

    @property
    def cycles(self) -> int:
        """Cycles per vector, back to back."""

    @property
    def latency(self) -> int:
        """Cycles from vector accepted to vector handed over."""

    @property
    def multipliers(self) -> int:
        """Multipliers that the weights keep busy; 0 where there are no weights."""

    @property
    def fold(self) -> str:
        """The fold in words, such as ``4x3`` or ``1 a cycle``."""

    @property
    def formula(self) -> str:
        """The formula of ``cycles`` with its numbers, such as ``(4/4)*(30/3)``."""

    @property
    def area(self) -> Area:
        """Estimated FPGA resources."""

    def refolded(self, fold: tuple[int, int] | None, lanes: int | None) -> Self:
        """The same stage at another ``(simd, pe)``, or number of lanes, as far as it has either."""

    def streams(self, index: int) -> tuple[Stream, ...]:
        """The streams inside stage ``index`` of `mlp_top`, in data-path order."""

    def parameters(self) -> dict[str, Parameter]:
        """Its share of the parameters of `mlp_top`; tuples of several stages are joined."""

    def image_shapes(self, index: int) -> dict[str, tuple[int, int]]:
        """``(words, bits of a word)`` of each ROM image of stage ``index``, by file name."""

    def images(
        self, index: int, weights: Mapping[str, Int], biases: Mapping[str, Int]
    ) -> dict[str, list[int]]:
        """Words of each ROM image of stage ``index``, by file name."""


class Output(Stage, Protocol):
    """A stage that is the last of a network: what leaves it leaves the core.

    Its ``out_width`` is whole bytes, and a trace has ``NAME.class`` where it has ``classes``.
    """

    @property
    def classes(self) -> int:
        """Classes that ``tuser`` tells apart; 0 where it is always 0."""
