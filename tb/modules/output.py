"""Stages behind the last layer, and tables of functions: outputs, winner, lanes of bytes."""

import dataclasses
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model import reference
from model.format import Format, Int
from model.images import read_image, write_image
from model.plain import build
from model.spec import OUTPUTS
from model.stage import PROBABILITY_W, Output, index_width
from model.stages.activation import TABLE_CYCLES
from model.stages.output import SIGMOID_IMAGE, ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import SoftmaxSpec
from model.words import Field, pack_lanes, unpack_lanes
from tb.job import Job
from tb.modules.case import Contract, Parameters, Prepared, plain
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.operator import (
    Operator,
    Pipeline,
    Values,
    Vector,
    beat,
    corner_vectors,
    spread,
    uniform,
)
from tb.streams import LAST, Beat

Q3, Q6, Q8, Q12, Q16 = Format(3, 1), Format(6, 2), Format(8, 4), Format(12, 3), Format(16, 12)
# Vectors of so few bits are tried one and all.
EXHAUSTIVE_BITS = 9
# What comes behind the layers needs none of their weights.
NO_NETWORK: Any = None


class Resize(Pipeline):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        lanes, x_w, self.y_w = (self.parameters[name] for name in ("LANES", "X_W", "Y_W"))
        self.inputs = (Field("in_x", x_w, lanes, signed=True),)
        self.outputs = (Field("out_y", self.y_w, lanes, signed=True),)
        self.latency = 0

    def respond(self, values: Values) -> Values:
        lanes = values["in_x"]
        return {"out_y": unpack_lanes(pack_lanes(lanes, self.y_w), self.y_w, len(lanes))}


class Activation(Operator):
    latency = TABLE_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        lanes, x_w, self.drop, self.width, y_w = (
            self.parameters[name] for name in ("LANES", "X_W", "DROP", "ADDR_W", "Y_W")
        )
        self.lanes, self.format = lanes, Format(x_w, 0)
        file = Path(self.parameters["FILE"])
        self.table = np.array(read_image(file, 1 << self.width, y_w))
        self.inputs = (Field("x", x_w, lanes, signed=True), LAST)
        self.outputs = (Field("y", y_w, lanes), LAST)

    def corners(self) -> list[Vector]:
        """The first and the last code of each address, ends and their neighbours among them."""
        half, step = 1 << (self.width - 1), 1 << self.drop
        codes = [a * step + end for a in range(-half, half) for end in {0, step - 1}]
        fmt = self.format
        codes += [fmt.q_min, fmt.q_min + 1, fmt.q_max - 1, fmt.q_max]
        vectors = enumerate(spread(codes, self.lanes))
        return [{"x": x, "last": np.array([index & 1])} for index, x in vectors]

    def draw(self) -> Vector:
        x = uniform(self.format.q_min, self.format.q_max, self.lanes)
        return {"x": x, "last": uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return beat(self.inputs[0], vector["x"], vector["last"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        address = reference.saturated_address(vector["x"], drop=self.drop, width=self.width)
        return beat(self.outputs[0], self.table[address], vector["last"])


class _OfOutput(Operator):
    """A module that takes a vector of logits and gives a vector of results, and perhaps a class."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        given = dict(job.options["output"])
        kind = OUTPUTS[given.pop("kind")]
        self.spec: Output = build(kind, "output", given)
        self.latency, self.interval = self.spec.latency, self.spec.cycles
        self.inputs = (Field("x", self.spec.x.width, self.spec.n_in, signed=True),)

    def corners(self) -> list[Vector]:
        """Ends of the range; each logit the largest by itself, and tied with the last one."""
        fmt, n = self.spec.x, self.spec.n_in
        if fmt.width * n <= EXHAUSTIVE_BITS:
            words = range(1 << fmt.width * n)
            return [{"x": np.array(unpack_lanes(word, fmt.width, n))} for word in words]
        vectors = corner_vectors(fmt, n)
        for low, high in ((fmt.q_min, fmt.q_max), (-1, 0), (fmt.q_min, fmt.q_min + 1)):
            for index in range(min(n, 16)):
                for winners in ([index], [index, n - 1]):
                    x = np.full(n, low)
                    x[winners] = high
                    vectors.append(x)
        return [{"x": x} for x in vectors]

    def draw(self) -> Vector:
        """Logits over the whole range, or all near one value, where ties are."""
        fmt, n = self.spec.x, self.spec.n_in
        x = uniform(fmt.q_min, fmt.q_max, n)
        if random.random() < 0.5:
            x = np.clip(x[0] + uniform(-1, 1, n), fmt.q_min, fmt.q_max)
        return {"x": x}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{"x": vector["x"].tolist()}]

    def made(self, vector: Vector) -> tuple[Int, Int]:
        """Class and results of a vector, as `reference.result` has them of a whole network."""
        made = reference.STAGES[self.spec.kind](self.spec, NO_NETWORK, vector["x"][None])
        results = made[self.spec.key].reshape(-1)
        return made.get(f"{self.spec.name}.class", np.zeros(1, np.int64)), results


class Argmax(_OfOutput):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        width = index_width(self.spec.n_in)
        self.outputs = (self.inputs[0], Field("class", width))

    def beats_out(self, vector: Vector) -> list[Beat]:
        winner, _ = self.made(vector)
        return [{"x": vector["x"].tolist(), "class": winner.tolist()}]


class Sigmoid(_OfOutput):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.outputs = (Field("p", PROBABILITY_W, self.spec.n_out),)

    def corners(self) -> list[Vector]:
        """Those of every output, and each logit of the format where they are few."""
        fmt = self.spec.x
        each = range(fmt.q_min, fmt.q_max + 1) if fmt.width <= PROBABILITY_W else ()
        return super().corners() + [{"x": x} for x in spread(each, self.spec.n_in)]

    def beats_out(self, vector: Vector) -> list[Beat]:
        return [{"p": self.made(vector)[1].tolist()}]


class OutputOf(_OfOutput):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        spec = self.spec
        self.outputs = (
            Field("y", spec.out_width, spec.n_out, signed=spec.y is not None),
            Field("class", index_width(spec.n_in)),
        )

    def beats_out(self, vector: Vector) -> list[Beat]:
        winner, results = self.made(vector)
        return [{"y": results.tolist(), "class": winner.tolist()}]


@dataclass(frozen=True)
class OfTable:
    """A table of random words, the same every time."""

    lanes: int
    x_w: int
    drop: int
    addr_w: int
    y_w: int

    @property
    def name(self) -> str:
        """``2-8-0-8-5``."""
        return "-".join(str(value) for value in dataclasses.astuple(self))

    @property
    def shown(self) -> Parameters:
        """Every parameter but the image."""
        names = ("LANES", "X_W", "DROP", "ADDR_W", "Y_W")
        return dict(zip(names, dataclasses.astuple(self), strict=True))

    def prepare(self, folder: Path) -> Prepared:
        """Write the table; return the parameters."""
        words = np.random.default_rng(1).integers(0, 1 << self.y_w, 1 << self.addr_w)
        write_image(folder / "table.mem", words.tolist(), self.y_w)
        return self.shown | {"FILE": str(folder / "table.mem")}, {}


@dataclass(frozen=True)
class OfOutput:
    """An output, or a part of it, under one set of parameters."""

    module: str
    spec: Output

    @property
    def name(self) -> str:
        """``ranked-6by3-8.4``."""
        spec = self.spec
        lanes = getattr(spec, "lanes", 1)
        ranked = spec.kind == "logits" and spec.classes
        kind = "" if self.module != "mlp_output" else f"{'ranked' if ranked else spec.kind}-"
        return f"{kind}{spec.n_in}by{lanes}-{spec.x.width}.{spec.x.frac}"

    @property
    def shown(self) -> Parameters:
        """Shape and format of the logits."""
        spec = self.spec
        lanes: int = getattr(spec, "lanes", 1)
        return {"N": spec.n_in, "LANES": lanes, "X_W": spec.x.width}

    def prepare(self, folder: Path) -> Prepared:
        """Write the tables; return the parameters, and the output as an option."""
        spec = self.spec
        shapes, words = spec.image_shapes(0), spec.images(0, {}, {})
        for name, (_, width) in shapes.items():
            write_image(folder / name, words[name], width)
        option = {"kind": spec.kind, **dataclasses.asdict(spec)}  # type: ignore[call-overload]
        parameters = self.shown
        if self.module == "mlp_sigmoid":
            parameters |= {"FRAC": spec.x.frac, "FILE": str(folder / SIGMOID_IMAGE)}
        elif self.module == "mlp_output":
            given = spec.parameters()
            parameters |= {"OUTPUT": spec.kind, "FRAC": spec.x.frac, "Y_W": spec.out_width}
            names = ("SCORE", "DIVIDER", "SCORE_W", "TOTAL_W", "ARGMAX")
            parameters |= {name: given[name] for name in names if name in given}
            parameters["MEM_DIR"] = str(folder)
        return parameters, {"output": option}


def _argmax(n: int, lanes: int, fmt: Format) -> OfOutput:
    return OfOutput("mlp_argmax", ArgmaxSpec(n, fmt, lanes=lanes))


def _sigmoid(n: int, lanes: int, fmt: Format) -> OfOutput:
    return OfOutput("mlp_sigmoid", SigmoidSpec(n, fmt, lanes=lanes))


def _output(spec: Output) -> OfOutput:
    return OfOutput("mlp_output", spec)


def _contract(n: int, lanes: int, *, quick: bool, wrong: str | None = None) -> Contract:
    setting = _argmax(n, lanes, Format(2, 0))
    return Contract(setting, setting.spec.latency, setting.spec.cycles, quick=quick, mistake=wrong)


MODULES = (
    Module(
        "mlp_resize",
        Resize,
        {"LANES": "1 or more", "X_W": "1 or more", "Y_W": "1 or more"},
        on_both=(plain(LANES=3, X_W=6, Y_W=8), plain(LANES=2, X_W=8, Y_W=5)),
        more=(plain(LANES=1, X_W=8, Y_W=8),),
        mutated=("3-6-8",),
        mistakes=(
            mistake("pads-with-the-lowest-bit", "3-6-8", "x[k*X_W + X_W-1]}}", "x[k*X_W]}}"),
        ),
    ),
    Module(
        "mlp_activation",
        Activation,
        {
            "LANES": "1 or more",
            "X_W": "2 .. 16",
            "DROP": "0 .. X_W - ADDR_W",
            "ADDR_W": "2 .. 12",
            "Y_W": "1 or more",
            "FILE": "image",
        },
        on_both=(OfTable(2, 8, 0, 8, 5), OfTable(1, 16, 4, 10, 8)),
        more=(OfTable(1, 2, 0, 2, 16), OfTable(3, 12, 0, 12, 4), OfTable(1, 9, 3, 6, 7)),
        mutated=("2-8-0-8-5", "1-9-3-6-7"),
        illegal=(
            Illegal({"LANES": 0}),
            Illegal({"X_W": 8, "ADDR_W": 6, "DROP": 3}, "DROP=3"),
            Illegal({"DROP": -1}, "DROP=-1"),
            Illegal({"ADDR_W": 1}),
            Illegal({"X_W": 16, "ADDR_W": 13}, "ADDR_W=13"),
        ),
        mistakes=(
            mistake(
                "address-wraps",
                "1-16-4-10-8",
                "kept[KEPT_W-1] ? LEAST : MOST",
                "kept[ADDR_W-1:0]",
            ),
            mistake(
                "address-saturates-to-the-wrong-side",
                "1-16-4-10-8",
                "kept[KEPT_W-1] ? LEAST : MOST",
                "kept[KEPT_W-1] ? MOST : LEAST",
            ),
            mistake("table-moves-while-it-waits", "2-8-0-8-5", ".en(in_ready)", ".en(1'b1)"),
            mistake(
                "lane-0-for-all", "2-8-0-8-5", "in_x[k*X_W+LOW +: KEPT_W]", "in_x[LOW +: KEPT_W]"
            ),
        ),
        contracts=(
            Contract(OfTable(2, 4, 0, 4, 3), TABLE_CYCLES, quick=True, mistake="lane-0-for-all"),
            Contract(OfTable(1, 5, 1, 3, 3), TABLE_CYCLES, quick=True, mistake="address-wraps"),
        ),
    ),
    Module(
        "mlp_argmax",
        Argmax,
        {"N": "2 .. 4096", "LANES": "divides N", "X_W": "2 .. 16"},
        on_both=(_argmax(3, 1, Q8), _argmax(6, 3, Q8)),
        more=(_argmax(3, 3, Q3), _argmax(130, 1, Q6), _argmax(2, 2, Q16)),
        mutated=("3by1-8.4", "6by3-8.4"),
        illegal=(
            Illegal({"N": 1, "LANES": 1}, "N=1"),
            Illegal({"N": 4097, "LANES": 1}, "N=4097"),
            Illegal({"N": 5, "LANES": 2}),
        ),
        mistakes=(
            mistake("tie-goes-to-the-later-logit", "3by1-8.4", "largest > best", "largest >= best"),
            mistake("class-of-the-beat-alone", "6by3-8.4", "base + index", "index"),
            mistake(
                "ranks-unsigned-logits",
                "3by1-8.4",
                "{!lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]}",
                "{lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]}",
            ),
            mistake(
                "keeps-the-best-of-the-vector-before", "3by1-8.4", "first || largest", "largest"
            ),
        ),
        contracts=(
            _contract(3, 1, quick=False, wrong="tie-goes-to-the-later-logit"),
            _contract(2, 2, quick=True),
        ),
    ),
    Module(
        "mlp_sigmoid",
        Sigmoid,
        {
            "N": "1 .. 4096",
            "LANES": "divides N",
            "X_W": "2 .. 16",
            "FRAC": "-16 .. 31",
            "FILE": "image",
        },
        on_both=(_sigmoid(3, 1, Q8), _sigmoid(4, 2, Q16)),
        more=(
            _sigmoid(1, 1, Format(8, 0)),
            _sigmoid(1, 1, Format(2, -3)),
            _sigmoid(2, 2, Format(16, 15)),
            _sigmoid(1, 1, Format(16, 4)),
        ),
        mutated=("3by1-8.4",),
        illegal=(Illegal({"N": 5, "LANES": 2}),),
        mistakes=(
            mistake(
                "drops-a-bit-too-few", "4by2-16.12", "WANTED - ADDR_W;", "WANTED - ADDR_W - 1;"
            ),
        ),
    ),
    Module(
        "mlp_output",
        OutputOf,
        {
            "OUTPUT": '"softmax" or "logits" or "argmax" or "sigmoid"',
            "N": "1 .. 4096",
            "LANES": "divides N",
            "X_W": "2 .. 16",
            "FRAC": "-16 .. 31",
            "SCORE": '"taylor2" or "exp"',
            "DIVIDER": '"reciprocal" or "restoring"',
            "SCORE_W": "1 or more",
            "TOTAL_W": "SCORE_W or more",
            "ARGMAX": "0 .. 1",
            "Y_W": "1 or more",
            "MEM_DIR": "image",
        },
        on_both=(
            _output(LogitsSpec(4, Q12, lanes=1)),
            _output(LogitsSpec(6, Q6, lanes=3, ranked=True)),
            _output(ArgmaxSpec(6, Q8, lanes=2)),
            _output(SigmoidSpec(1, Q8, lanes=1)),
            _output(SigmoidSpec(4, Q8, lanes=2)),
        ),
        more=(
            _output(SoftmaxSpec(3, Q8, "exp", "restoring", lanes=1)),
            _output(LogitsSpec(1, Q16, lanes=1)),
            _output(ArgmaxSpec(130, Q3, lanes=10)),
        ),
        mutated=("ranked-6by3-6.2", "argmax-6by2-8.4", "sigmoid-1by1-8.4"),
        illegal=(Illegal({"OUTPUT": "tanh"}, "tanh"),),
        mistakes=(mistake("class-of-the-wrong-bit", "sigmoid-1by1-8.4", "out_y[7]", "out_y[6]"),),
    ),
)
