"""A layer of the network: linear, requantize, ReLU, and the three together."""

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model import artifact, reference
from model.artifact import Network, load
from model.bounds import output_interval
from model.format import Format, Int
from model.images import write_images
from model.shared import shared
from model.stage import PACK_CYCLES
from model.stages.linear import RELU_CYCLES, REQUANTIZE_CYCLES, LayerSpec
from model.words import Field
from tb.job import Job
from tb.modules.case import Contract, Parameters, Prepared, plain
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.operator import Operator, Vector, beat, corner_vectors, served, spread, uniform
from tb.sim.made_up import made_up
from tb.streams import LAST, Beat

Q2, Q8, Q12, Q16 = Format(2, 0), Format(8, 4), Format(12, 6), Format(16, 8)


class Requantize(Operator):
    latency = REQUANTIZE_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        lanes, self.acc_w, self.out_w, self.shift = (
            self.parameters[name] for name in ("LANES", "ACC_W", "OUT_W", "SHIFT")
        )
        self.lanes = lanes
        self.inputs = (Field("acc", self.acc_w, lanes, signed=True), LAST)
        self.outputs = (Field("y", self.out_w, lanes, signed=True), LAST)

    def corners(self) -> list[Vector]:
        """Sign change, ties and all one bit above them, saturation limits, both range ends."""
        step, least = 1 << self.shift, -(1 << (self.acc_w - 1))
        half, scale = step // 2, step << (self.out_w - 1)
        pivots = [0, half, step, 3 * half, 5 * half, scale - step, scale - half, scale, -least]
        pivots += [half + (1 << bit) for bit in range(self.shift - 1)]
        near = sorted({s * p + d for p in pivots for s in (1, -1) for d in (-1, 0, 1)})
        legal = [acc for acc in near if least <= acc < -least]
        accs = enumerate(spread(legal, self.lanes))
        return [{"acc": acc, "last": np.array([index & 1])} for index, acc in accs]

    def draw(self) -> Vector:
        """Uniform over the accumulator, or near a rounding boundary in the output's range."""
        most = 1 << (self.acc_w - 1)
        acc = uniform(-most, most - 1, self.lanes)
        if random.random() < 0.5:
            inside = uniform(-1 << self.out_w, 1 << self.out_w, self.lanes) << self.shift
            acc = np.clip((inside >> 1) + uniform(-1, 1, self.lanes), -most, most - 1)
        return {"acc": acc, "last": uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return beat(self.inputs[0], vector["acc"], vector["last"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        y = reference.requantize(vector["acc"], shift=self.shift, width=self.out_w)
        return beat(self.outputs[0], y, vector["last"])


class Relu(Operator):
    latency = RELU_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.lanes, width = self.parameters["LANES"], self.parameters["W"]
        self.format = Format(width, 0)
        self.inputs = (Field("x", width, self.lanes, signed=True), LAST)
        self.outputs = (Field("y", width, self.lanes, signed=True), LAST)

    def corners(self) -> list[Vector]:
        vectors = enumerate(corner_vectors(self.format, self.lanes))
        return [{"x": x, "last": np.array([index & 1])} for index, x in vectors]

    def draw(self) -> Vector:
        x = uniform(self.format.q_min, self.format.q_max, self.lanes)
        return {"x": x, "last": uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return beat(self.inputs[0], vector["x"], vector["last"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        return beat(self.outputs[0], reference.relu(vector["x"]), vector["last"])


class OfNetworkLayer(Operator):
    """A module that computes one layer of a network file."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.network: Network = load(Path(job.options["network"]))
        index = job.options["layer"]
        self.layer: LayerSpec = self.network.spec.layers[index]
        # What may come in: accumulators are no wider than that needs.
        fmt = self.layer.x
        before = self.network.spec.layers[index - 1] if index else None
        self.least: int
        self.most: int
        self.least, self.most = output_interval(before) if before else (fmt.q_min, fmt.q_max)
        lanes = self.parameters.get("LANES", self.layer.n_in)
        self.gathers = lanes < self.layer.n_in
        self.interval = max(self.layer.cycles, self.layer.n_in // lanes)
        self.inputs = (Field("x", self.layer.x.width, lanes, signed=True), LAST)

    def corners(self) -> list[Vector]:
        """Ends of the range; and for each output the inputs that drive its sum to its ends."""
        weights = self.network.weights[self.layer.weights]
        vectors = corner_vectors(self.layer.x, self.layer.n_in)
        for row in weights[:8]:
            vectors += [np.where(sign * row > 0, self.most, self.least) for sign in (1, -1)]
        if self.gathers:
            # Those that end early or late vanish.
            lanes, n = self.inputs[0].lanes, self.layer.n_in
            wrong = [uniform(self.least, self.most, length) for length in (n - lanes, n + lanes)]
            vectors = [vectors[0], *wrong, *vectors[1:]]
        return [{"x": np.clip(x, self.least, self.most)} for x in vectors]

    def draw(self) -> Vector:
        return {"x": uniform(self.least, self.most, self.layer.n_in)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return served(self.inputs[0], vector["x"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        return self.result(vector) if len(vector["x"]) == self.layer.n_in else []

    def result(self, vector: Vector) -> list[Beat]:
        """The beats that a whole vector becomes."""
        raise NotImplementedError

    @property
    def gather_cycles(self) -> int:
        """Latency that comes from beats in the place of vectors."""
        return PACK_CYCLES if self.gathers else 0

    def sums(self, vector: Vector) -> Int:
        return reference.linear(
            vector["x"],
            self.network.weights[self.layer.weights],
            self.network.biases[self.layer.name],
        )


class Linear(OfNetworkLayer):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.gather_cycles + self.layer.linear_cycles
        self.outputs = (Field("acc", self.layer.acc_w, self.layer.pe, signed=True), LAST)

    def result(self, vector: Vector) -> list[Beat]:
        return served(self.outputs[0], self.sums(vector))


class Layer(OfNetworkLayer):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.gather_cycles + self.layer.latency
        self.outputs = (Field("x", self.layer.y.width, self.layer.n_out, signed=True),)
        self._above_ties = self._search_above_ties()

    def corners(self) -> list[Vector]:
        """Those of every layer; and sums that lie one bit above a tie."""
        return [*super().corners(), *self._above_ties]

    def _search_above_ties(self) -> list[Vector]:
        """Inputs by which a bit of a sum decides alone: without it, a tie would be rounded down.

        For each bit that requantizing drops, and each of the first outputs, one that was found.
        """
        layer = self.layer
        rng = np.random.default_rng(layer.n_in)
        drawn = rng.integers(self.least, self.most, (1 << 16, layer.n_in), endpoint=True)
        sums = self.sums({"x": drawn})[:, :8]
        kept, dropped = sums >> layer.shift, sums & ((1 << layer.shift) - 1)
        first = 0 if layer.relu else -1 << (layer.z.width - 1)
        counts = (kept % 2 == 0) & (kept >= first) & (kept < (1 << (layer.z.width - 1)) - 1)
        found = []
        for bit in range(layer.shift - 1):
            decides = counts & (dropped == (1 << (layer.shift - 1)) + (1 << bit))
            outputs = np.flatnonzero(decides.any(axis=0))
            found += [{"x": drawn[decides[:, output].argmax()]} for output in outputs]
        return found

    def result(self, vector: Vector) -> list[Beat]:
        layer, x = self.layer, vector["x"][None]
        made = reference.STAGES[layer.kind](layer, self.network, x)
        return [{"x": made[layer.key][0].tolist()}]


@dataclass(frozen=True, eq=False)
class OfOneLayer:
    """One layer of a network."""

    name: str
    make: Callable[[], Network]
    index: int = 0

    @functools.cached_property
    def network(self) -> Network:
        """Made where a case asks for it: a bench reads all descriptions to run one."""
        return self.make()

    @property
    def layer(self) -> LayerSpec:
        """The layer."""
        return self.network.spec.layers[self.index]

    def written(self, folder: Path) -> tuple[Path, dict[str, Any]]:
        """Write the network and its images; return how theirs begin, and the bench's options."""
        path = folder / "network.json"
        artifact.save(self.network, path)
        write_images(self.network, folder)
        images = folder / f"linear{self.index:02d}"
        return images, {"network": str(path), "layer": self.index}


@dataclass(frozen=True, eq=False)
class OfLayer(OfOneLayer):
    """`mlp_linear`, or the ``whole`` `mlp_layer`.

    Its vectors come in beats of ``lanes``, or else of all values.
    """

    whole: bool = False
    lanes: int | None = None

    @property
    def shown(self) -> Parameters:
        """Sizes and fold."""
        layer = self.layer
        return {"N_IN": layer.n_in, "N_OUT": layer.n_out, "SIMD": layer.simd, "PE": layer.pe}

    def prepare(self, folder: Path) -> Prepared:
        """Write the network and its images; return the layer's parameters."""
        layer, (images, options) = self.layer, self.written(folder)
        parameters: Parameters = {
            "N_IN": layer.n_in,
            "N_OUT": layer.n_out,
            "X_W": layer.x.width,
            "W_W": layer.w.width,
            "ACC_W": layer.acc_w,
            "LANES": self.lanes or layer.n_in,
            "SIMD": layer.simd,
            "PE": layer.pe,
            "WEIGHTS": f"{images}_weights.mem",
            "BIASES": f"{images}_biases.mem",
        }
        if self.network.spec.loadable:
            parameters["LOADABLE"] = 1
        if self.whole:
            parameters |= {"Y_W": layer.y.width, "SHIFT": layer.shift, "RELU": int(layer.relu)}
            if layer.activation:
                parameters |= {"TABLE_W": layer.z.width, "TABLE": f"{images}_table.mem"}
            if layer.plan:
                words = layer.plan.words
                parameters |= {"WORDS": len(words), "PLAN": (*words, 0)}
        return parameters, options


_made_up = functools.partial(functools.partial, made_up)

ON_BOTH = {
    "6x4-by-3x2": _made_up([6, 4, 2], folds=[(3, 2), (1, 1)]),
    "5x4-unrolled": _made_up([5, 4, 2], folds=[(5, 4), (1, 1)]),
    "6x4-loadable": _made_up([6, 4, 2], folds=[(3, 2), (1, 1)], loadable=True),
    "4x3-16bit": _made_up(
        [4, 3, 2], folds=[(2, 3), (1, 1)], formats=[Q16] * 3, weight_format=Format(16, 14)
    ),
}
MORE = {
    "6x6-serial": _made_up([6, 6, 2]),
    "30x6-extreme": _made_up([30, 6, 2], folds=[(6, 1), (1, 1)], integers="extreme"),
    "8x4-2bit": _made_up(
        [8, 4, 2], folds=[(4, 2), (1, 1)], formats=[Q2] * 3, weight_format=Format(3, 1)
    ),
}

# Beats of a lane, into a memory of eight words of two values; and vectors that come in one word.
IN_BEATS = {
    "16x4-in-beats": (_made_up([16, 4, 2], folds=[(2, 2), (1, 1)]), 1),
    "8x4-in-words": (_made_up([8, 4, 2], folds=[(4, 4), (1, 1)]), 4),
}

BY_TABLE = {
    "6x4-tanh": _made_up([6, 4, 2], folds=[(3, 2), (1, 1)], activations=[("tanh", Q8), None]),
    "4x4-gelu": _made_up([4, 4, 2], folds=[(4, 4), (1, 1)], activations=[("gelu", Q12), None]),
}


def _in_beats(name: str, *, whole: bool = False) -> OfLayer:
    """A layer of `IN_BEATS`."""
    make, lanes = IN_BEATS[name]
    return OfLayer(name, make, whole=whole, lanes=lanes)


def _shared(make: Callable[[], Network]) -> Network:
    """The network with sums that outputs share."""
    return shared(make())


def _tiny(n_in: int, n_out: int, simd: int, pe: int, *, quick: bool = False) -> Contract:
    """The contract of `mlp_linear` with a made-up network's weights of 2-bit values."""
    folds = [(simd, pe), (1, 1)]
    make = _made_up([n_in, n_out, 2], folds=folds, formats=[Q2] * 3, weight_format=Q2)
    setting = OfLayer(f"{n_in}x{n_out}-tiny", make)
    layer = setting.network.spec.layers[0]
    mistake = "no-bias" if quick else None
    return Contract(setting, layer.linear_cycles, layer.cycles, quick=quick, mistake=mistake)


def _requantize(acc_w: int, out_w: int, shift: int) -> Contract:
    return Contract(plain(ACC_W=acc_w, OUT_W=out_w, SHIFT=shift), REQUANTIZE_CYCLES)


MODULES = (
    Module(
        "mlp_requantize",
        Requantize,
        {
            "LANES": "1 or more",
            "ACC_W": "OUT_W + SHIFT .. 63",
            "OUT_W": "2 .. ACC_W - SHIFT",
            "SHIFT": "0 .. ACC_W - OUT_W",
        },
        on_both=(
            plain(LANES=1, ACC_W=20, OUT_W=8, SHIFT=7),
            plain(LANES=2, ACC_W=17, OUT_W=16, SHIFT=0),
        ),
        more=(
            plain(LANES=3, ACC_W=9, OUT_W=8, SHIFT=1),
            plain(LANES=1, ACC_W=40, OUT_W=2, SHIFT=38),
        ),
        mutated=("1-20-8-7", "3-9-8-1", "2-17-16-0"),
        illegal=(
            Illegal({"LANES": 0}),
            Illegal({"ACC_W": 12, "OUT_W": 8, "SHIFT": 5}, "SHIFT=5"),
            Illegal({"ACC_W": 12, "OUT_W": 8, "SHIFT": 14}, "SHIFT=14", together=False),
            Illegal({"SHIFT": -1}, "SHIFT=-1"),
            Illegal({"OUT_W": 1}, "OUT_W=1"),
        ),
        mistakes=(
            mistake(
                "rounds-half-up",
                "1-20-8-7",
                "(padded[DROPPED:0] != {(DROPPED+1){1'b0}} || kept[0])",
                "1'b1",
            ),
            mistake(
                "truncates",
                "1-20-8-7",
                "+ {{KEPT_W{1'b0}}, round_up}",
                "+ {{KEPT_W{1'b0}}, round_up && 1'b0}",
            ),
            mistake(
                "wraps-instead-of-saturating",
                "1-20-8-7",
                "value[ROUNDED_W-1] ? Y_MIN : Y_MAX",
                "value[OUT_W-1:0]",
            ),
            mistake(
                "saturates-to-the-wrong-side",
                "3-9-8-1",
                "value[ROUNDED_W-1] ? Y_MIN : Y_MAX",
                "value[ROUNDED_W-1] ? Y_MAX : Y_MIN",
            ),
        ),
        contracts=(
            _requantize(9, 4, 3),
            _requantize(12, 8, 0),
            _requantize(16, 8, 8),
            Contract(
                plain(ACC_W=20, OUT_W=8, SHIFT=7),
                REQUANTIZE_CYCLES,
                quick=True,
                mistake="rounds-half-up",
            ),
            _requantize(24, 2, 12),
        ),
    ),
    Module(
        "mlp_relu",
        Relu,
        {"LANES": "1 or more", "W": "2 or more"},
        on_both=(plain(LANES=3, W=2),),
        more=(plain(LANES=1, W=8),),
        mutated=("3-2", "1-8"),
        mistakes=(
            mistake("no-relu", "1-8", "& {W{!x[k*W+W-1]}}", "| {W{1'b0}}"),
            mistake("relu-of-lane-0-only", "3-2", "x[k*W+W-1]", "x[W-1]"),
        ),
        contracts=(
            Contract(plain(LANES=2, W=8), RELU_CYCLES, gates=True, quick=True, mistake="no-relu"),
        ),
    ),
    Module(
        "mlp_linear",
        Linear,
        {
            "N_IN": "1 or more",
            "N_OUT": "1 or more",
            "X_W": "2 .. 16",
            "W_W": "2 .. 16",
            "ACC_W": "X_W + W_W .. 63",
            "LANES": "divides N_IN if LANES == N_IN else 1 if LOADABLE else SIMD",
            "SIMD": "divides N_IN",
            "PE": "divides N_OUT",
            "LOADABLE": "0 .. 1",
            "WEIGHTS": "image",
            "BIASES": "image",
        },
        on_both=(
            *(OfLayer(name, make) for name, make in ON_BOTH.items()),
            _in_beats("16x4-in-beats"),
        ),
        more=(
            *(OfLayer(name, make) for name, make in MORE.items()),
            _in_beats("8x4-in-words"),
        ),
        mutated=("6x4-by-3x2", "5x4-unrolled"),
        illegal=(
            Illegal({"N_IN": 0, "SIMD": 1}),
            Illegal({"N_OUT": 0, "PE": 1}),
            Illegal({"N_OUT": 4, "PE": -1}),
            Illegal({"N_IN": 6, "SIMD": 4}, "SIMD=4"),
            Illegal({"N_OUT": 3, "PE": 2}, "PE=2"),
            Illegal({"X_W": 17, "ACC_W": 40}, "X_W=17", together=False),
            Illegal({"ACC_W": 15}, "ACC_W=15", together=False),
            Illegal({"LOADABLE": 1, "LANES": 2}, "LANES=2"),
        ),
        mistakes=(
            mistake("stale-bias", "6x4-by-3x2", ".CYCLES(STAGES-1)", ".CYCLES(STAGES)"),
            mistake(
                "no-bias",
                "5x4-unrolled",
                "sum_first ? bias : out_acc",
                "sum_first ? {(PE*ACC_W){1'b0}} : out_acc",
            ),
            mistake("another-vector", "6x4-by-3x2", "x_read    <= x;", "x_read    <= ~x;"),
            mistake(
                "ignores-backpressure",
                "6x4-by-3x2",
                "move = !out_valid || out_ready;",
                "move = !out_valid || out_ready || busy;",
            ),
        ),
        contracts=(_tiny(2, 2, 1, 1), _tiny(2, 1, 2, 1, quick=True)),
    ),
    Module(
        "mlp_layer",
        Layer,
        {
            "N_IN": "1 or more",
            "N_OUT": "1 or more",
            "X_W": "2 .. 16",
            "W_W": "2 .. 16",
            "ACC_W": "X_W + W_W .. 63",
            "Y_W": "2 .. ACC_W - SHIFT",
            "SHIFT": "0 .. ACC_W - Y_W",
            "RELU": "0 .. 1",
            "TABLE_W": "0 .. 12",
            "LANES": "divides N_IN if LANES == N_IN else 1 if LOADABLE else SIMD",
            "SIMD": "divides N_IN",
            "PE": "divides N_OUT",
            "LOADABLE": "0 .. 1",
            "WORDS": "0 or more",
            "PLAN": "each 0 or more",
            "WEIGHTS": "image",
            "BIASES": "image",
            "TABLE": "image",
        },
        on_both=tuple(OfLayer(name, make, whole=True) for name, make in ON_BOTH.items()),
        more=(
            *(OfLayer(name, make, whole=True) for name, make in MORE.items()),
            *(OfLayer(name, make, whole=True) for name, make in BY_TABLE.items()),
            *(_in_beats(name, whole=True) for name in IN_BEATS),
            OfLayer("5x4-shared", functools.partial(_shared, ON_BOTH["5x4-unrolled"]), whole=True),
        ),
        mutated=("6x4-by-3x2", "5x4-unrolled", "6x4-tanh"),
    ),
)
