"""The linear stage: a layer with its requantization and, where it has one, its activation."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from model.format import Format, Int, require, require_divisor, require_integer, tree_levels
from model.stage import (
    ACCUMULATE_CYCLES,
    LUT_WORDS,
    PACK_CYCLES,
    REGISTER_CYCLES,
    Area,
    Parameter,
    Payload,
    Stream,
    index_width,
    ram_area,
    rom_area,
)
from model.stages.activation import TABLE_CYCLES, Activation
from model.sum_plan import Plan
from model.words import Field, pack_lanes

MAX_ACC_W = 63
MAX_SIZE = 4096
BYTE = 8

# Cycles from the edge that accepts a beat to the edge that hands its result over.
FOLD_CYCLES = 1
ROM_CYCLES, FETCH_CYCLES, MULTIPLY_CYCLES = 1, 1, 1
BIAS_CYCLES = 1
REQUANTIZE_CYCLES = 2
RELU_CYCLES = 0


@dataclass(frozen=True)
class LayerSpec:
    """A linear layer, its requantization and, where ``relu``, the ReLU behind it.

    In the place of a ReLU there may be another ``activation``, by table. ``weights`` names the
    weight matrix: layers that share a matrix name the same one.
    ``simd`` inputs times ``pe`` outputs are multiplied in each cycle; where there is a ``plan``,
    all of them, by additions that outputs share (`model.shared`).
    """

    kind: ClassVar[str] = "linear"
    hosts: ClassVar[tuple[str, ...]] = ("mlp_layers", "mlp_layer")

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
    activation: Activation | None = None
    plan: Plan | None = None

    def __post_init__(self) -> None:
        owner = f"layer {self.name}"
        for key in ("name", "weights"):
            value = getattr(self, key)
            require(
                isinstance(value, str) and value.isidentifier(),
                f"{owner}: {key} must be an identifier, got {value!r}",
            )
        require(isinstance(self.relu, bool), f"{owner}: relu must be a boolean, got {self.relu!r}")
        require(
            self.activation is None or not self.relu,
            f"{owner}: relu must be false beside an activation, got true",
        )
        require_integer(owner, 1, MAX_SIZE, n_in=self.n_in, n_out=self.n_out)
        require_divisor(owner, "n_in", self.n_in, simd=self.simd)
        require_divisor(owner, "n_out", self.n_out, pe=self.pe)
        require(
            self.shift >= 0,
            f"{owner}: the output's frac must be at most {self.w.frac + self.x.frac} = frac of "
            f"weights + frac of inputs, got {self.z.frac}",
        )
        require_integer(owner, self.min_acc_w, MAX_ACC_W, acc_w=self.acc_w)
        require(
            self.plan is None or self.cycles == 1,
            f"{owner}: simd x pe must be {self.n_in} x {self.n_out} beside a plan, got {self.fold}",
        )

    @property
    def z(self) -> Format:
        """Format that sums are requantized to: that of the output, or what the table takes."""
        return self.activation.x if self.activation else self.y

    @property
    def shift(self) -> int:
        """Fraction bits that requantization drops."""
        return self.w.frac + self.x.frac - self.z.frac

    @property
    def min_acc_w(self) -> int:
        """Least accumulator: holds a product, and an output before it is shifted."""
        return max(self.x.width + self.w.width, self.z.width + self.shift)

    @property
    def steps(self) -> int:
        """Cycles for one group of ``pe`` outputs."""
        return self.n_in // self.simd

    def in_memory(self, lanes: int) -> bool:
        """Tell if a memory keeps the vectors that come as beats of ``lanes``, and no register.

        It does from as many words on as a LUT reads; a word is what a step takes, in whole beats.
        """
        return self.steps >= LUT_WORDS and self.simd % lanes == 0

    @property
    def groups(self) -> int:
        """Beats in which the layer's output leaves."""
        return self.n_out // self.pe

    @property
    def cycles(self) -> int:
        """Cycles per vector, back to back."""
        return self.steps * self.groups

    @property
    def products(self) -> int:
        """Products of inputs and weights in each of the ``cycles``."""
        return self.simd * self.pe

    @property
    def multipliers(self) -> int:
        """Multipliers, all of them busy in each of the ``cycles``; a layer of sums has none."""
        return 0 if self.plan else self.products

    @property
    def linear_cycles(self) -> int:
        """Latency of ``mlp_linear`` or ``mlp_graph``: vector accepted to first sums handed over."""
        if self.plan:
            return self.plan.stages + BIAS_CYCLES
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
        activation = TABLE_CYCLES if self.activation else RELU_CYCLES
        return last_beat + REQUANTIZE_CYCLES + activation + REGISTER_CYCLES + pack

    @property
    def out_width(self) -> int:
        """Bits of one value that leaves."""
        return self.y.width

    @property
    def key(self) -> str:
        """Key in a trace of the vector that leaves."""
        if self.activation:
            return f"{self.name}.{self.activation.function}"
        return f"{self.name}.relu" if self.relu else f"{self.name}.y"

    @property
    def title(self) -> str:
        """``fc1, ReLU``."""
        if self.activation:
            return f"{self.name}, {self.activation.name}"
        return f"{self.name}, ReLU" if self.relu else self.name

    @property
    def detail(self) -> str:
        """Width of the weights."""
        return f"{self.w.width}-bit weights"

    @property
    def formats(self) -> tuple[str, str, str, int]:
        """Formats of inputs, weights and outputs, and bits of the accumulator."""
        return str(self.x), str(self.w), str(self.y), self.acc_w

    @property
    def fold(self) -> str:
        """SIMD x PE."""
        return f"{self.simd} x {self.pe}"

    @property
    def formula(self) -> str:
        """The formula of ``cycles`` with its numbers."""
        return f"({self.n_in}/{self.simd})*({self.n_out}/{self.pe})"

    def refolded(self, fold: tuple[int, int] | None, lanes: int | None) -> Self:
        """The same layer at another ``(simd, pe)``; it has no lanes of its own."""
        if fold in (None, (self.simd, self.pe)):
            return self
        return dataclasses.replace(self, simd=fold[0], pe=fold[1], plan=None)

    def streams(self, index: int) -> tuple[Stream, ...]:
        """Vector in, sums, requantized values, and what an activation makes of them."""
        scope, name = f"u_layers.g_layer[{index}].u_layer", self.name
        vector = Field("x", self.x.width, self.n_in, signed=True)
        sums = Field("acc", self.acc_w, self.pe, signed=True)
        values = Field("y", self.z.width, self.pe, signed=True)
        active = Field("a", self.y.width, self.pe, signed=True)
        found = [
            Stream(scope, "in_", (Payload(f"{name}.x", vector, "in_x"),)),
            Stream(scope, "acc_", (Payload(f"{name}.acc", sums, "acc"),)),
            Stream(scope, "y_", (Payload(f"{name}.y", values, "y"),)),
        ]
        if self.relu or self.activation:
            found.append(Stream(scope, "a_", (Payload(self.key, active, "a"),)))
        return tuple(found)

    def parameters(self) -> dict[str, Parameter]:
        """One entry of each list that `mlp_top` has of its layers."""
        return {
            "N": (self.n_out,),
            "X_W": (self.y.width,),
            "W_W": (self.w.width,),
            "ACC_W": (self.acc_w,),
            "SHIFT": (self.shift,),
            "RELU": (int(self.relu),),
            "TABLE_W": (self.z.width if self.activation else 0,),
            "SIMD": (self.simd,),
            "PE": (self.pe,),
        }

    def image_shapes(self, index: int) -> dict[str, tuple[int, int]]:
        """A word of weights for each cycle, a word of biases for each group of outputs.

        Then the table of an activation, a word for each code that enters it. A plan is of its
        weights, which have no image beside it.
        """
        weights = {f"linear{index:02d}_weights.mem": (self.cycles, self.products * self.w.width)}
        found = {} if self.plan else weights
        found[f"linear{index:02d}_biases.mem"] = (self.groups, self.pe * self.acc_w)
        table = {f"linear{index:02d}_table.mem": (1 << self.z.width, self.y.width)}
        return found | (table if self.activation else {})

    def images(
        self, index: int, weights: Mapping[str, Int], biases: Mapping[str, Int]
    ) -> dict[str, list[int]]:
        """A weight word holds ``pe`` rows of ``simd`` weights, in the order of `mlp_linear`.

        That is all steps of the first group of outputs, then the next group.
        """
        folded = weights[self.weights].reshape(self.groups, self.pe, self.steps, self.simd)
        rows = folded.transpose(0, 2, 1, 3).reshape(self.cycles, self.products)
        groups = biases[self.name].reshape(self.groups, self.pe)
        found = {
            f"linear{index:02d}_weights.mem": [pack_lanes(row, self.w.width) for row in rows],
            f"linear{index:02d}_biases.mem": [pack_lanes(row, self.acc_w) for row in groups],
        }
        if self.activation:
            table = self.activation.table(self.y)
            found[f"linear{index:02d}_table.mem"] = [pack_lanes([y], self.y.width) for y in table]
        return {name: words for name, words in found.items() if name in self.image_shapes(index)}

    @property
    def register_area(self) -> Area:
        """``mlp_vector`` where a vector comes in one beat: it turns. A plan needs none."""
        if self.plan:
            return Area(0, 0, 0, 0)
        vector = self.n_in * self.x.width
        return Area(0, vector, vector, 0)

    @property
    def memory_area(self) -> Area:
        """``mlp_vector`` where it comes in several: two vectors in a memory, addresses, a word."""
        word, address = self.simd * self.x.width, index_width(self.steps)
        memory = ram_area(word, 2 << address)
        return memory + Area(0, 8 * address, word + 3 * address, 0)

    @property
    def area(self) -> Area:
        """``mlp_layer`` where a vector comes in one beat."""
        return self.body_area + self.register_area

    @property
    def body_area(self) -> Area:
        """``mlp_layer`` but for ``mlp_vector``: fetch inputs, multiply, add, requantize, gather.

        Where every weight has a multiplier of its own, that is an adder, and the weight a constant.
        Where there is a plan, its adders are in the place of all products and sums.
        """
        products, x_w, w_w, y_w = self.products, self.x.width, self.w.width, self.z.width
        product_w, sum_w = x_w + w_w, self.acc_w
        kept_w = sum_w - self.shift + 1
        tree = self.pe * (self.simd - 1) * sum_w
        packed = 0 if self.pe == self.n_out else self.n_out * self.y.width
        flip_flops = (
            self.simd * x_w * 2  # read, fetched
            + products * product_w
            + tree
            + self.pe * (2 * sum_w + kept_w + 2 * y_w)
            + packed
        )
        table = Area(0, 0, 0, 0)
        if self.activation:
            table = rom_area(self.pe * self.y.width, 1 << y_w)
        luts = tree + self.pe * (3 * sum_w + 3 * kept_w + 3 * y_w)
        if self.plan:
            adders = self.plan.adder_bits(self.n_in) + self.pe * sum_w
            luts += adders - tree
            flip_flops += self.plan.flip_flops
            flip_flops -= self.simd * x_w * 2 + products * product_w + tree
            return table + Area(0, luts, flip_flops, 0)
        if self.cycles == 1:
            return table + Area(0, luts + products * product_w, flip_flops, 0)
        weights = rom_area(products * w_w, self.cycles)
        biases = rom_area(self.pe * sum_w, self.groups)
        return table + Area(products, luts, flip_flops + products * w_w, 0) + weights + biases

    @property
    def spare_area(self) -> Area:
        """Spares of its two skid buffers, which are not there where it never waits."""
        spare = self.pe * (self.acc_w + self.y.width)
        return Area(0, spare, spare, 0)

    @property
    def bank_area(self) -> Area:
        """Area added so that weights and biases can be replaced: a second bank, counters of a load.

        A weight with a multiplier of its own is then no constant.
        """
        words = (
            (self.cycles, self.multipliers * self.w.width),
            (self.groups, self.pe * self.acc_w),
        )
        area = Area(0, 0, 0, 0)
        for depth, width in words:
            parts = -(-width // BYTE)
            counters = index_width(parts) + index_width(depth) + 1
            bits = (2 << (depth - 1).bit_length()) * width
            area += Area(0, parts + 2 * counters, counters, bits - depth * width)
            if depth == 1:  # two words are flip-flops, and a choice between them
                area += Area(0, width, 2 * width, 0)
        if self.cycles == 1:
            product_w = self.x.width + self.w.width
            area += Area(self.multipliers, -self.multipliers * product_w, 0, 0)
        return area
