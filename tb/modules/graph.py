"""A layer's sums as additions that outputs share."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.artifact import Network
from model.format import Format
from model.images import write_image
from model.shared import shared
from model.words import Field, pack_lanes
from tb.job import Job
from tb.modules.case import Contract, Parameters, Prepared
from tb.modules.description import Illegal, Module
from tb.modules.layer import Q2, Q16, OfNetworkLayer, OfOneLayer
from tb.modules.mutant import mistake
from tb.modules.operator import Vector
from tb.sim.made_up import made_up
from tb.streams import Beat


class Graph(OfNetworkLayer):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.layer.linear_cycles
        self.inputs = (Field("x", self.layer.x.width, self.layer.n_in, signed=True),)
        self.outputs = (Field("acc", self.layer.acc_w, self.layer.n_out, signed=True),)

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{"x": vector["x"].tolist()}]

    def result(self, vector: Vector) -> list[Beat]:
        return [{"acc": self.sums(vector).tolist()}]


@dataclass(frozen=True, eq=False)
class OfGraph(OfOneLayer):
    """The sums of a layer that has a plan for them."""

    @property
    def shown(self) -> Parameters:
        """Sizes and widths."""
        layer = self.layer
        sizes: Parameters = {"N_IN": layer.n_in, "N_OUT": layer.n_out}
        return sizes | {"X_W": layer.x.width, "ACC_W": layer.acc_w}

    def prepare(self, folder: Path) -> Prepared:
        """Write the network and its images; return the module's parameters."""
        images, options = self.written(folder)
        plan = self.layer.plan
        assert plan is not None
        parameters: Parameters = {"WORDS": len(plan.words), "PLAN": plan.words}
        parameters["BIASES"] = f"{images}_biases.mem"
        return self.shown | parameters, options


class BesideWeights(OfGraph):
    """The same beside the matrix, which the properties of the module take."""

    def prepare(self, folder: Path) -> Prepared:
        """Write a word of all weights too, the first output's lowest."""
        parameters, options = super().prepare(folder)
        layer = self.layer
        matrix = self.network.weights[layer.weights].ravel()
        path = folder / "matrix.mem"
        write_image(path, [pack_lanes(matrix, layer.w.width)], matrix.size * layer.w.width)
        return parameters | {"W_W": layer.w.width, "WEIGHTS": str(path)}, options


def unrolled(sizes: list[int], every: int, **how: object) -> Network:
    """A made-up network whose layers share sums, with a register every so many additions."""
    made = made_up(sizes, **how)  # type: ignore[arg-type]
    return shared(made.refolded(made.spec.unrolled()), every)


def without_weights(make: Callable[[], Network], index: int, rows: slice) -> Network:
    """A network with weights of 0 alone in rows of a layer: no input reaches these outputs."""
    network = make()
    key = network.spec.layers[index].weights
    matrix = network.weights[key].copy()
    matrix[rows] = 0
    weights = {**network.weights, key: matrix}
    layers = [dataclasses.replace(layer, plan=None) for layer in network.spec.layers]
    spec = network.spec.with_layers(layers)
    return shared(dataclasses.replace(network, weights=weights, spec=spec))


_unrolled = functools.partial(functools.partial, unrolled)

# No input reaches the last output.
_SPARSE = functools.partial(without_weights, _unrolled([5, 6, 4], 2), 1, slice(3, None))

ON_BOTH = (OfGraph("6x4-behind-relu", _SPARSE, index=1),)
MORE = (
    OfGraph("5x6-every-1", _unrolled([5, 6], 1)),
    OfGraph("1x6-every-1", _unrolled([1, 6], 1)),
    OfGraph("4x3-16bit", _unrolled([4, 3], 3, formats=[Q16] * 2, weight_format=Format(16, 14))),
    OfGraph("9x5-extreme", _unrolled([9, 5], 2, integers="extreme")),
    OfGraph("7x4-2bit", _unrolled([7, 4], 4, formats=[Q2] * 2, weight_format=Q2)),
    OfGraph(
        "2x2-no-weights", functools.partial(without_weights, _unrolled([2, 2], 2), 0, slice(2))
    ),
)


def _tiny(sizes: list[int], every: int, *, quick: bool = False) -> Contract:
    """The contract at a made-up network's weights of 3 bits, and inputs of 2 bits."""
    how: dict[str, Any] = {"formats": [Q2] * 2, "weight_format": Format(3, 0)}
    setting = BesideWeights("-".join(map(str, sizes)), _unrolled(sizes, every, **how))
    latency = setting.network.spec.layers[0].linear_cycles
    mistake = "adds-what-it-must-subtract" if quick else None
    return Contract(setting, latency, quick=quick, mistake=mistake)


MODULES = (
    Module(
        "mlp_graph",
        Graph,
        {
            "N_IN": "1 or more",
            "N_OUT": "1 or more",
            "X_W": "2 .. 16",
            "ACC_W": "X_W + 2 .. 63",
            "WORDS": "1 + 2*(N_IN + N_OUT) or more",
            "PLAN": "each 0 or more",
            "BIASES": "image",
        },
        on_both=ON_BOTH,
        more=MORE,
        mutated=("5x6-every-1", "6x4-behind-relu"),
        illegal=(Illegal({"N_IN": 3, "WORDS": 7}, "WORDS=7"),),
        mistakes=(
            mistake(
                "adds-what-it-must-subtract",
                "5x6-every-1",
                "MINUS ? a - b : a + b",
                "a + b",
            ),
            mistake("subtracts-no-output", "6x4-behind-relu", "<= MINUS ? bias", "<= 1'b0 ? bias"),
            mistake("extends-no-sign", "5x6-every-1", "SIGNED && now[VALUE_W-1]", "1'b0"),
            mistake("extends-every-sign", "6x4-behind-relu", "SIGNED && now[", "now["),
            mistake("skips-a-register", "6x4-behind-relu", "if (REGISTERED) begin", "if (0) begin"),
            mistake("shifts-no-output", "1x6-every-1", ".value << SHIFT;", ".value;"),
            mistake("drops-the-bias", "5x6-every-1", ": bias[k*ACC_W +: ACC_W] + root", ": root"),
            mistake(
                "moves-while-stalled",
                "6x4-behind-relu",
                "move = !out_valid || out_ready;",
                "move = 1'b1;",
            ),
        ),
        contracts=(_tiny([2, 2], 1, quick=True), _tiny([3, 2], 2)),
    ),
)
