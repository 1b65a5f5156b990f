"""Parts without a stream: sums, products, the largest, shifts, delays and tables."""

import operator
import random
from dataclasses import dataclass
from pathlib import Path

from model.format import tree_levels
from model.images import read_image, write_image
from model.stages.linear import MULTIPLY_CYCLES
from model.words import Field
from tb.job import Job
from tb.modules.case import Parameters, Prepared, plain
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.operator import Pipeline, Values


class AdderTree(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        n, self.w = self.parameters["N"], self.parameters["W"]
        self.inputs = (Field("in_lanes", self.w, n),)
        self.outputs = (Field("out_sum", self.w),)
        self.latency = tree_levels(n)

    def respond(self, values: Values) -> Values:
        return {"out_sum": [sum(values["in_lanes"]) % (1 << self.w)]}


class Dot(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        simd, self.acc_w = self.parameters["SIMD"], self.parameters["ACC_W"]
        self.inputs = (
            Field("in_x", self.parameters["X_W"], simd, signed=True),
            Field("in_w", self.parameters["W_W"], simd, signed=True),
        )
        self.outputs = (Field("out_sum", self.acc_w, signed=True),)
        self.latency = MULTIPLY_CYCLES + tree_levels(simd)

    def respond(self, values: Values) -> Values:
        return {"out_sum": [sum(map(operator.mul, values["in_x"], values["in_w"]))]}


class ArgmaxTree(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        n, w = self.parameters["N"], self.parameters["W"]
        self.inputs = (Field("in_lanes", w, n),)
        self.outputs = (Field("out_max", w), Field("out_index", self.parameters["INDEX_W"]))
        self.latency = tree_levels(n)

    def respond(self, values: Values) -> Values:
        lanes = values["in_lanes"]
        return {"out_max": [max(lanes)], "out_index": [lanes.index(max(lanes))]}


class LeadingOne(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.w = self.parameters["W"]
        self.inputs = (Field("in_x", self.w),)
        self.outputs = (Field("out_y", self.w), Field("out_zeros", tree_levels(self.w)))
        self.latency = 1

    def draw(self) -> Values:
        """A leading one anywhere, whatever is below it."""
        length = random.randint(1, self.w)
        return {"in_x": [random.getrandbits(length) | 1 << (length - 1)]}

    def respond(self, values: Values) -> Values:
        (x,) = values["in_x"]
        zeros = self.w - x.bit_length()
        return {"out_y": [x << zeros], "out_zeros": [zeros]}


class Delay(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs = (Field("in_data", self.parameters["W"]),)
        self.outputs = (Field("out_data", self.parameters["W"]),)
        self.latency = self.parameters["CYCLES"]

    def respond(self, values: Values) -> Values:
        return {"out_data": values["in_data"]}


class Rom(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.depth, width = self.parameters["DEPTH"], self.parameters["WIDTH"]
        self.words = read_image(Path(self.parameters["FILE"]), self.depth, width)
        self.inputs = (Field("addr", max(1, (self.depth - 1).bit_length())),)
        self.outputs = (Field("data", width),)
        self.latency = 1

    def draw(self) -> Values:
        return {"addr": [random.randrange(self.depth)]}

    def respond(self, values: Values) -> Values:
        return {"data": [self.words[values["addr"][0]]]}


@dataclass(frozen=True)
class RandomWords:
    """A ROM of random words, the same every time."""

    width: int
    depth: int

    @property
    def name(self) -> str:
        """``70-12``."""
        return f"{self.width}-{self.depth}"

    @property
    def shown(self) -> Parameters:
        """Width and number of words."""
        return {"WIDTH": self.width, "DEPTH": self.depth}

    def prepare(self, folder: Path) -> Prepared:
        """Write the words; return the parameters."""
        image = folder / "words.mem"
        words = [random.Random(word).getrandbits(self.width) for word in range(self.depth)]
        write_image(image, words, self.width)
        return {**self.shown, "FILE": str(image)}, {}


MODULES = (
    Module(
        "mlp_adder_tree",
        AdderTree,
        {"N": "1 or more", "W": "1 or more"},
        on_both=(plain(N=5, W=12),),
        more=(plain(N=1, W=4), plain(N=8, W=16)),
        mutated=("5-12",),
        mistakes=(
            mistake(
                "adder-tree-drops-a-lane",
                "5-12",
                "if (i >= LEAVES + N) begin : g_zero",
                "if (i >= LEAVES + N - 1) begin : g_zero",
            ),
        ),
    ),
    Module(
        "mlp_argmax_tree",
        ArgmaxTree,
        {"N": "1 or more", "W": "1 or more", "INDEX_W": "log2(N) or more"},
        on_both=(plain(N=3, W=2, INDEX_W=2),),
        more=(plain(N=1, W=4, INDEX_W=1), plain(N=7, W=8, INDEX_W=6)),
        mutated=("3-2-2", "7-8-6"),
        illegal=(Illegal({"N": 5, "INDEX_W": 2}, "INDEX_W=2"),),
        mistakes=(
            mistake(
                "tie-goes-to-the-higher-index",
                "3-2-2",
                "node[2*i+1] > node[2*i]",
                "node[2*i+1] >= node[2*i]",
            ),
        ),
    ),
    Module(
        "mlp_leading_one",
        LeadingOne,
        {"W": "2 or more"},
        on_both=(plain(W=17),),
        more=(plain(W=2), plain(W=16)),
        mutated=("17",),
        mistakes=(
            mistake("leading-one-not-counted", "17", "level_in << STEP", "level_in << (STEP - 1)"),
            mistake("counts-a-level-wrongly", "16", "moved[LEVELS-1-i]", "moved[i]"),
        ),
        assumed=("in_x != 0",),
    ),
    Module(
        "mlp_dot",
        Dot,
        {
            "SIMD": "1 or more",
            "X_W": "2 .. 16",
            "W_W": "2 .. 16",
            "ACC_W": "X_W + W_W .. 63",
        },
        on_both=(plain(SIMD=4, X_W=8, W_W=8, ACC_W=20),),
        more=(
            plain(SIMD=1, X_W=2, W_W=16, ACC_W=18),
            plain(SIMD=6, X_W=16, W_W=3, ACC_W=32),
        ),
        mutated=("4-8-8-20",),
        illegal=(
            Illegal({"X_W": 1, "ACC_W": 40}),
            Illegal({"X_W": 17, "ACC_W": 40}),
            Illegal({"W_W": 1, "ACC_W": 40}),
            Illegal({"W_W": 17, "ACC_W": 40}),
            Illegal({"ACC_W": 15}),
            Illegal({"ACC_W": 64}),
        ),
        mistakes=(
            mistake(
                "unsigned-weights",
                "4-8-8-20",
                "wire signed [W_W-1:0]     w ",
                "wire [W_W-1:0] w ",
            ),
        ),
    ),
    Module(
        "mlp_delay",
        Delay,
        {"W": "1 or more", "CYCLES": "0 or more"},
        on_both=(plain(W=8, CYCLES=4),),
        more=(plain(W=3, CYCLES=0),),
        mutated=("8-4",),
    ),
    Module(
        "mlp_rom",
        Rom,
        {"WIDTH": "1 or more", "DEPTH": "1 or more", "FILE": "image"},
        on_both=(RandomWords(width=70, depth=12),),
        more=(RandomWords(width=13, depth=1),),
        mutated=("70-12",),
        mistakes=(mistake("rom-ignores-enable", "70-12", "if (en)", "if (en || !en)"),),
        assumed=("addr < {DEPTH}",),
    ),
)
