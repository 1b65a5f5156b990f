"""Every parameter of every module of a network's core, at both ends of its legal range.

The ends are read from the ranges that the descriptions state, which are those of the Verilog's
headers. Where no case drives one, a row here does. A width that only follows from others has the
ends that the specification can give it. Modules of the core that learns are left to its own tests:
a plan of it fixes their parameters together.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from common.paths import BUILD
from model.artifact import Network
from model.format import MAX_WIDTH, MIN_WIDTH, Format
from model.images import MEM_DIR
from model.shared import shared
from model.spec import NetworkSpec
from model.stage import Output, Parameter
from model.stages.linear import MAX_SIZE
from model.stages.output import ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import (
    DIVIDERS,
    EXP_SCORE_W,
    MAX_CLASSES,
    MAX_LOGIT_FRAC,
    SCORES,
    SoftmaxSpec,
)
from tb.modules import learning
from tb.modules.arithmetic import RandomWords
from tb.modules.case import Case, Parameters, Setting, plain
from tb.modules.chain import parameters_of
from tb.modules.declared import defaults
from tb.modules.description import Module
from tb.modules.graph import OfGraph
from tb.modules.guard import Ranges
from tb.modules.layer import OfLayer
from tb.modules.networks import MADE_UP
from tb.modules.output import OfOutput, OfTable
from tb.modules.ranges import bound, faults
from tb.modules.registry import MODULES
from tb.modules.situations import directed
from tb.modules.softmax import OfSoftmax
from tb.sim.made_up import made_up
from tb.sim.run_network import EVERY_SAMPLE, run_network

Q2, WIDEST = Format(2, 0), Format(16, 8)
MODULES_OF_CORE = {name: m for name, m in MODULES.items() if m not in learning.MODULES}


def with_sums(network: Network, acc_w: int | None, *, biases: bool = True) -> Network:
    """A network whose accumulators are ``acc_w`` bits wide, perhaps without biases."""
    layers = [
        dataclasses.replace(layer, acc_w=acc_w or layer.x.width + layer.w.width)
        for layer in network.spec.layers
    ]
    own = network.biases if biases else {k: 0 * v for k, v in network.biases.items()}
    return dataclasses.replace(network, spec=network.spec.with_layers(layers), biases=own)


# One input, one output, and sums that go on as they are: nothing is shifted away.
SMALLEST = with_sums(
    made_up(
        [1, 1],
        formats=[Format(8, 4), Format(10, 4)],
        weight_format=Q2,
        output="logits",
    ),
    None,
    biases=False,
)
# -32768 times -32768, eight times, in 63 bits.
LARGEST = with_sums(
    made_up(
        [8, 3, 2],
        folds=[(4, 3), (3, 1)],
        formats=[WIDEST] * 3,
        weight_format=Format(16, 14),
        integers="extreme",
    ),
    63,
)
# The same by one input: shifted by all that is there.
FARTHEST = with_sums(
    made_up([1, 2], formats=[Q2, Q2], weight_format=Q2, output="logits"), None, biases=False
)


def relu_behind(network: Network) -> Network:
    """A network with a ReLU behind its last layer too."""
    *others, last = network.spec.layers
    return dataclasses.replace(
        network,
        spec=network.spec.with_layers([*others, dataclasses.replace(last, relu=True)]),
    )


def softmax(names: Sequence[str], n: int, lanes: int, fmt: Format, *how: str) -> OfSoftmax:
    """The parameters ``names`` of a softmax."""
    return OfSoftmax(SoftmaxSpec(n, fmt, *how, lanes=lanes), tuple(names), "-".join(["", *how]))


def of_softmax(module: str, *how: str) -> list[Setting]:
    """The fewest classes of the narrowest format, and the most of the widest."""
    names = MODULES[module].parameters
    return [
        softmax(names, 2, 1, Q2, *how),
        softmax(names, MAX_CLASSES, 16, Format(16, MAX_LOGIT_FRAC), *how),
    ]


def outputs(module: str, *specs: Output) -> list[Setting]:
    """Outputs, or a part of them."""
    return [OfOutput(module, spec) for spec in specs]


COARSE, FINE = Format(16, -16), Format(16, 31)
SIGMOIDS = (
    SigmoidSpec(MAX_SIZE, Q2, lanes=64),
    SigmoidSpec(1, COARSE, lanes=1),
    SigmoidSpec(1, FINE, lanes=1),
)
LAYERS = {"smallest": lambda: SMALLEST, "largest": lambda: LARGEST}

# The narrowest inputs too, where outputs share sums.
GRAPHS = {**LAYERS, "narrowest": lambda: FARTHEST}


def shares(make: Callable[[], Network]) -> Network:
    """The network with all layers unrolled, and sums that outputs share."""
    return shared(make().refolded(make().spec.unrolled()))


ROWS: dict[str, list[Setting]] = {
    "mlp_adder_tree": [plain(N=3, W=1)],
    "mlp_argmax_tree": [plain(N=2, W=1, INDEX_W=1)],
    "mlp_dot": [
        plain(SIMD=3, X_W=16, W_W=2, ACC_W=20),
        plain(SIMD=4, X_W=16, W_W=16, ACC_W=63),
    ],
    "mlp_delay": [plain(W=1, CYCLES=2)],
    "mlp_rom": [RandomWords(width=1, depth=4)],
    "mlp_stream_pack": [plain(N=1, LANES=1, W=2), plain(N=2, LANES=1, W=16)],
    "mlp_input": [
        plain(N=1, LANES=1, OUT_LANES=1, W=2),
        plain(N=4, LANES=2, OUT_LANES=2, W=16),
    ],
    "mlp_vector": [plain(N=2, LANES=2, SIMD=1, GROUPS=1, W=16)],
    "mlp_stream_unpack": [
        plain(N=1, LANES=1, W=2, TAG_W=1),
        plain(N=2, LANES=1, W=16, TAG_W=1),
    ],
    "mlp_requantize": [plain(LANES=2, ACC_W=63, OUT_W=16, SHIFT=47)],
    "mlp_linear": [OfLayer(name, make) for name, make in LAYERS.items()],
    "mlp_graph": [OfGraph(name, partial(shares, make)) for name, make in GRAPHS.items()],
    "mlp_layer": [OfLayer(name, make, whole=True) for name, make in LAYERS.items()],
    "mlp_softmax_taylor2": of_softmax("mlp_softmax_taylor2", "taylor2", "reciprocal"),
    "mlp_softmax_max": of_softmax("mlp_softmax_max", "exp", "restoring"),
    "mlp_softmax_exp": of_softmax("mlp_softmax_exp", "exp", "restoring"),
    "mlp_softmax_sum": of_softmax("mlp_softmax_sum", "taylor2", "restoring"),
    "mlp_softmax_reciprocal": of_softmax("mlp_softmax_reciprocal", "taylor2", "reciprocal"),
    "mlp_softmax_restoring": of_softmax("mlp_softmax_restoring", "taylor2", "restoring"),
    "mlp_softmax_remainder": of_softmax("mlp_softmax_remainder", "taylor2", "restoring"),
    "mlp_softmax_normalize": of_softmax("mlp_softmax_normalize", "taylor2", "restoring"),
    "mlp_softmax": of_softmax("mlp_softmax", "taylor2", "reciprocal"),
    "mlp_range": [Ranges(1, 1, 2, 1), Ranges(4, 2, 16, 16)],
    "mlp_resize": [plain(LANES=2, X_W=1, Y_W=3), plain(LANES=2, X_W=3, Y_W=1)],
    "mlp_activation": [OfTable(1, 4, 0, 4, 1)],
    "mlp_argmax": outputs("mlp_argmax", ArgmaxSpec(MAX_SIZE, Q2, lanes=64)),
    "mlp_sigmoid": outputs("mlp_sigmoid", *SIGMOIDS),
    "mlp_output": outputs(
        "mlp_output",
        *SIGMOIDS,
        SoftmaxSpec(2, Q2, "taylor2", "restoring", lanes=1),
        SoftmaxSpec(64, Format(16, 16), "taylor2", "restoring", lanes=16),
    ),
}

NETWORKS: dict[str, Network] = {
    "smallest": SMALLEST,
    "largest": LARGEST,
    "farthest": FARTHEST,
    "99 layers": made_up([2] * 100, weight_format=Format(8, 7)),
    "relu at the end": relu_behind(
        made_up([3, 4, 3], weight_format=Format(8, 7), output="ranked", seed=3)
    ),
    "coarse": made_up(
        [2, 1], formats=[Format(16, -16), COARSE], weight_format=Format(2, 0), output="sigmoid"
    ),
    "fine": made_up(
        [2, 1], formats=[Format(16, 31), FINE], weight_format=Format(2, 0), output="sigmoid"
    ),
    "narrow softmax": made_up(
        [2, 2], formats=[Q2, Q2], weight_format=Q2, softmax=("taylor2", "restoring")
    ),
    # Words of fewer bits than the byte that brings them.
    "narrow weights to load": made_up([3, 2], weight_format=Q2, loadable=True),
    "wide softmax": made_up(
        [1, 64],
        formats=[Format(16, 15), Format(16, 16)],
        weight_format=Format(16, 15),
        softmax=("taylor2", "restoring"),
        softmax_lanes=16,
        out_lanes=16,
    ),
}

WIDE = "equals_reference_at_random/source=in_bursts/sink=randomly$|takes_as_many_cycles"
CASES = [
    Case(name, setting, module.bench or getattr(module.operator, "bench", ""), module.visible)
    for name, settings in ROWS.items()
    for module in [MODULES[name]]
    for setting in settings
]


def _softmax_widths() -> dict[str, tuple[int, int]]:
    """Ends of the widths of scores and totals, by the corners of what a softmax takes."""
    shapes = itertools.product(
        (2, MAX_CLASSES), (MIN_WIDTH, MAX_WIDTH), (0, MAX_LOGIT_FRAC), SCORES, DIVIDERS
    )
    specs = [SoftmaxSpec(n, Format(w, f), s, d, lanes=1) for n, w, f, s, d in shapes]
    scores, totals = [spec.score_w for spec in specs], [spec.total_w for spec in specs]
    return {"SCORE_W": (min(scores), max(scores)), "TOTAL_W": (min(totals), max(totals))}


def _lane_widths() -> tuple[int, int]:
    """Ends of the width of a lane that leaves: whole bytes."""
    narrow, wide = (LogitsSpec(1, Format(w, 0), lanes=1) for w in (MIN_WIDTH, MAX_WIDTH))
    return narrow.out_width, wide.out_width


# Widths that no recipe states, with the ends that the specification can give them.
OF_SOFTMAX = _softmax_widths()
VALUES = {"W": (MIN_WIDTH, MAX_WIDTH)}
FOLLOWING = {
    "mlp_stream_pack": VALUES,
    "mlp_vector": VALUES,
    "mlp_stream_unpack": VALUES,
    # The exponential's scores are wider at the finest format alone.
    "mlp_softmax_exp": {"SCORE_W": (EXP_SCORE_W, MAX_LOGIT_FRAC + 1)},
    "mlp_softmax_sum": OF_SOFTMAX,
    "mlp_softmax_reciprocal": OF_SOFTMAX,
    "mlp_softmax_restoring": OF_SOFTMAX,
    "mlp_softmax_normalize": OF_SOFTMAX,
    "mlp_softmax": OF_SOFTMAX,
    "mlp_output": OF_SOFTMAX | {"Y_W": _lane_widths()},
    "mlp_top": OF_SOFTMAX,
}


def ends(module: Module, name: str) -> list[str]:
    """Ends of a parameter's range as formulas, or every word that it may be."""
    words = module.parameters[name].removeprefix("each ")
    following = FOLLOWING.get(module.name, {})
    if name in following:
        return [str(end) for end in following[name]]
    if words == "image":
        return []
    if words.startswith('"'):
        return words.split(" or ")
    if words.startswith("divides "):
        return ["1", words.removeprefix("divides ")]
    least, _, most = words.removesuffix(" or more").partition(" .. ")
    return [least, most] if most else [least]


def is_driven(end: str, name: str, row: Parameters) -> bool:
    """Return whether a parameter is at this end in a row."""
    found = row.get(name)
    entries: tuple[Parameter, ...] = found if isinstance(found, tuple) else (found,)  # type: ignore[assignment]
    if end.startswith('"'):
        return end.strip('"') in entries
    return any(isinstance(entry, int) and entry == bound(end, row) for entry in entries)


def rows_of(module: Module, cases: Sequence[Case], folder: Path) -> Iterator[Parameters]:
    """Every set of parameters at which a module is simulated by itself, or as the whole core."""
    for case in cases:
        if case.module == module.name:
            yield defaults(module) | case.prepare(folder / case.name)[0]
    of_whole = {"mlp_top": NetworkSpec.parameters, "mlp_layers": parameters_of}.get(module.name)
    if of_whole:
        for network in (*MADE_UP.values(), *NETWORKS.values()):
            yield of_whole(network.spec, MEM_DIR)


def undriven(
    module: Module,
    rows: Sequence[Parameters],
    ends_of: Callable[[Module, str], list[str]] = ends,
) -> list[str]:
    """Ends that no row drives, ``NAME end``."""
    return [
        f"{name} {end}"
        for name in module.parameters
        for end in ends_of(module, name)
        if not any(is_driven(end, name, row) for row in rows)
    ]


def holes(module: Module, cases: Sequence[Case], folder: Path) -> list[str]:
    """Ends that neither these cases nor a whole core drive."""
    return undriven(module, list(rows_of(module, cases, folder)))


@pytest.mark.parametrize("module", MODULES_OF_CORE.values(), ids=lambda module: module.name)
def test_both_ends_of_every_parameter_are_driven(module: Module, tmp_path: Path) -> None:
    assert holes(module, [*module.cases, *module.cases_for_mutants, *CASES], tmp_path) == []


def test_a_hole_is_found(tmp_path: Path) -> None:
    module = MODULES["mlp_requantize"]
    assert holes(module, module.cases, tmp_path) == ["ACC_W 63"]
    wider = dataclasses.replace(module, parameters=module.parameters | {"LANES": "1 .. 9"})
    assert "LANES 9" in holes(wider, module.cases, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_module_equals_its_reference_at_the_ends(case: Case) -> None:
    parameters = case.prepare(BUILD / "cases" / f"end-{case.name}")[0]
    module = MODULES[case.module]
    assert faults(module.parameters, defaults(module) | parameters) == []
    # Of vectors with many values, some tests alone: they take half a minute of all.
    few = WIDE if parameters.get("N", 0) in (MAX_CLASSES, MAX_SIZE) else None
    folder = BUILD / "cases" / f"end-{case.name}"
    assert case.run("icarus", folder=folder, testcase=few).passed > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_network_equals_its_reference_at_the_ends(name: str) -> None:
    network = NETWORKS[name]
    folder = BUILD / "cases" / f"end-{name.replace(' ', '-')}"
    x = directed(network, 12)
    outcome, report = run_network(
        network, x, "icarus", folder=folder, name=folder.name, testcase=EVERY_SAMPLE
    )
    assert outcome.passed > 0
    assert all(stream["differing"] == 0 for stream in report["streams"].values())


def test_extreme_products_are_reached() -> None:
    x = directed(LARGEST, 12)
    weights = LARGEST.weights["fc1"]
    assert x.min() == weights.min() == -32768
    sums = weights.astype(np.int64) @ np.where(weights[0] < 0, -32768, 32767)
    assert np.abs(sums).max() > 1 << 32
