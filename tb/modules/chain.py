"""The layers of a network in their chain, and what lets vectors into layers that never wait."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model import artifact, reference
from model.artifact import Network, load
from model.format import Format, Int
from model.images import write_images
from model.shared import shared
from model.spec import NetworkSpec
from model.stage import PACK_CYCLES
from model.words import Field
from tb.job import Job
from tb.modules.case import Contract, Parameters, Prepared, plain
from tb.modules.description import Illegal, Module
from tb.modules.graph import unrolled
from tb.modules.layer import Q12
from tb.modules.mutant import mistake
from tb.modules.operator import Operator, Vector, corner_vectors, served, uniform
from tb.sim.made_up import made_up
from tb.streams import LAST, Beat

# The parameters that mlp_top hands to its layers: those that say their shapes, with their legal
# values, and the others.
OF_LAYERS = {
    "N_LAYERS": "1 .. 99",
    "N": "each 1 or more",
    "X_W": "each 2 .. 16",
    "W_W": "each 2 .. 16",
    "ACC_W": "each 4 .. 63",
    "SHIFT": "each 0 or more",
    "RELU": "each 0 .. 1",
    "TABLE_W": "each 0 .. 12",
    "SIMD": "each 1 or more",
    "PE": "each 1 or more",
}
BESIDE = ("LOADABLE", "PLAN_AT", "PLANS", "MEM_DIR")


class Chain(Operator):
    """All layers of a network file."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.network: Network = load(Path(job.options["network"]))
        spec, lanes = self.network.spec, self.parameters["LANES"]
        self.gathers = lanes < spec.n_in
        gather = PACK_CYCLES if self.gathers else 0
        self.latency = gather + sum(layer.latency for layer in spec.layers)
        self.interval = max(spec.n_in // lanes, *(layer.cycles for layer in spec.layers))
        last = spec.layers[-1]
        self.inputs = (Field("x", spec.x.width, lanes, signed=True), LAST)
        self.outputs = (Field("x", last.y.width, last.n_out, signed=True),)

    def corners(self) -> list[Vector]:
        """Ends of the range; where vectors come in beats, those that end early, which vanish."""
        spec = self.network.spec
        vectors = corner_vectors(spec.x, spec.n_in)
        if self.gathers:
            vectors.insert(1, self._values(spec.n_in - self.inputs[0].lanes))
        return [{"x": x} for x in vectors]

    def _values(self, count: int) -> Int:
        fmt = self.network.spec.x
        return uniform(fmt.q_min, fmt.q_max, count)

    def draw(self) -> Vector:
        return {"x": self._values(self.network.spec.n_in)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return served(self.inputs[0], vector["x"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        spec = self.network.spec
        if len(vector["x"]) != spec.n_in:
            return []
        made = reference.trace(self.network, np.array(vector["x"])[None])
        return [{"x": made[spec.logits_key][0].tolist()}]


def parameters_of(spec: NetworkSpec, mem_dir: str) -> Parameters:
    """Parameters of `mlp_layers` in the `mlp_top` of this spec."""
    of_top = spec.parameters(mem_dir)
    found = {name: of_top[name] for name in (*OF_LAYERS, *BESIDE) if name in of_top}
    return found | {"LANES": spec.in_lanes if spec.memory else spec.n_in}


@dataclass(frozen=True, eq=False)
class OfChain:
    """The layers of a network; ``make`` makes it where a case asks for it."""

    name: str
    make: Callable[[], Network]

    @functools.cached_property
    def network(self) -> Network:
        """The network."""
        return self.make()

    @property
    def shown(self) -> Parameters:
        """Number of layers, features of a beat."""
        found = parameters_of(self.network.spec, "")
        return {name: found[name] for name in ("N_LAYERS", "LANES")}

    def prepare(self, folder: Path) -> Prepared:
        """Write the network and its images; return the parameters of its layers."""
        path = folder / "network.json"
        artifact.save(self.network, path)
        write_images(self.network, folder)
        return parameters_of(self.network.spec, str(folder)), {"network": str(path)}


def some_shared() -> Network:
    """A network whose first layer has a plan, and whose second has none."""
    network = unrolled([4, 5, 3], 2)
    first, second = network.spec.layers
    spec = network.spec.with_layers([first, second.refolded((1, 1), None)])
    return dataclasses.replace(network, spec=spec)


def by_table() -> Network:
    """A network that never waits, with an activation by table."""
    made = made_up([4, 3, 2], activations=[("tanh", Q12), None])
    return shared(made.refolded(made.spec.unrolled()))


_made_up = functools.partial(functools.partial, made_up)
_unrolled = functools.partial(functools.partial, unrolled)
_FOLDED = _made_up([4, 6, 3], folds=[(2, 3), (3, 1)])
# Features of a beat are a word of a memory.
_WIDE = _made_up([32, 4, 3], folds=[(2, 2), (2, 3)], in_lanes=2, weight_format=Format(8, 8))

ON_BOTH = (
    OfChain("4x6x3", _FOLDED),
    OfChain("4x5x3-never-waits", _unrolled([4, 5, 3], 2)),
)
MORE = (
    OfChain("4x5x3-one-plan", some_shared),
    OfChain("4x3x2-table", by_table),
    OfChain("32x4x3-in-beats", _WIDE),
    OfChain("4x6x3-loadable", _made_up([4, 6, 3], folds=[(2, 3), (6, 3)], loadable=True)),
    OfChain("3x2-never-waits", _unrolled([3, 2], 4)),
)

MODULES = (
    Module(
        "mlp_credits",
        None,
        {"W": "1 or more", "PLACES": "2 or more"},
        on_both=(plain(W=6, PLACES=5),),
        more=(plain(W=1, PLACES=2), plain(W=9, PLACES=9)),
        mutated=("6-5", "1-2"),
        illegal=(Illegal({"PLACES": 1}, "PLACES=1"),),
        mistakes=(
            mistake(
                "lets-one-too-many-in",
                "6-5",
                "<= PLACES[COUNT_W-1:0];",
                "<= PLACES[COUNT_W-1:0] + 1'b1;",
            ),
            mistake("forgets-a-place", "6-5", "out_valid && out_ready};", "kept && out_ready};"),
            mistake(
                "passes-what-is-kept", "6-5", "out_data  = !kept ?", "out_data  = done_valid ?"
            ),
            mistake("reads-the-spare-alone", "9-9", "from_memory <= pull", "from_memory <= 1'b0"),
            mistake(
                "keeps-none-behind-the-first",
                "9-9",
                "wire push  = done_valid && kept",
                "wire push  = 1'b0 && kept",
            ),
        ),
        contracts=(
            Contract(plain(W=1, PLACES=3), 2, quick=True, mistake="passes-what-is-kept"),
            Contract(plain(W=1, PLACES=5), 4),
        ),
        bench="parts_bench",
    ),
    Module(
        "mlp_layers",
        Chain,
        {
            **OF_LAYERS,
            "LANES": "divides N[0]",
            "LOADABLE": "0 .. 1",
            "PLAN_AT": "each 0 or more",
            "PLANS": "each 0 or more",
            "MEM_DIR": "image",
        },
        on_both=ON_BOTH,
        more=MORE,
        mutated=("4x6x3", "4x5x3-never-waits"),
        mistakes=(
            mistake(
                "keeps-a-place-too-few",
                "4x5x3-never-waits",
                "cycles(N_LAYERS) + 1",
                "cycles(N_LAYERS)",
            ),
        ),
    ),
)
