"""The networks that the regression runs through `mlp_top`: made-up ones, and the golden IrisNet."""

from typing import Any

from common.paths import BUILD, GOLDEN
from model.artifact import Network, load
from model.data import datasets
from model.format import Format, Int
from model.reference import quantize
from model.shared import shared
from model.stages.softmax import COMBINATIONS
from tb.modules.situations import directed
from tb.sim.made_up import made_up
from tb.sim.run_network import run_network
from tb.sim.runner import Outcome

IRIS = load(GOLDEN / "iris.network.json")
FOLDS = IRIS.spec.at_each_fold()

MADE_UP = {
    "serial": made_up([4, 6, 3]),
    "folded": made_up(
        [6, 10, 4, 5],
        folds=[(3, 2), (5, 4), (4, 1)],
        weight_format=Format(8, 8),
        in_lanes=2,
        softmax_lanes=5,
    ),
    "unrolled": made_up(
        [4, 5, 3],
        folds=[(4, 5), (5, 3)],
        weight_format=Format(8, 8),
        in_lanes=4,
        softmax_lanes=3,
        out_lanes=3,
        seed=35,
    ),
    "mixed-widths": made_up(
        [3, 4, 2],
        folds=[(1, 2), (2, 2)],
        formats=[Format(12, 6), Format(5, 2), Format(10, 3)],
        weight_format=Format(4, 2),
    ),
    "extreme": made_up([8, 4, 2], folds=[(8, 2), (2, 1)], integers="extreme", out_lanes=2),
    "one-layer": made_up([2, 2]),
    "shared": shared(
        made_up(
            [4, 6, 5, 3],
            folds=[(4, 6), (3, 5), (5, 3)],
            weight_format=Format(8, 8),
            in_lanes=2,
            softmax_lanes=3,
            seed=3,
        ),
        3,
    ),
    "loadable": made_up([4, 6, 3], folds=[(2, 3), (6, 3)], in_lanes=2, loadable=True),
    # A memory keeps the features: 17 words, of three beats each.
    "wide": made_up([51, 4, 3], folds=[(3, 2), (2, 3)], weight_format=Format(8, 8)),
    "tables": made_up(
        [4, 6, 5, 4, 3],
        folds=[(2, 3), (6, 5), (1, 1), (4, 3)],
        formats=[Format(8, 4), Format(8, 7), Format(6, 3), Format(9, 6), Format(8, 4)],
        weight_format=Format(8, 7),
        activations=[
            ("tanh", Format(8, 5)),
            ("leaky_relu", Format(10, 5)),
            ("gelu", Format(12, 6)),
            None,
        ],
        seed=2,
    ),
    "table-at-the-end": made_up(
        [3, 4],
        folds=[(3, 2)],
        formats=[Format(8, 4), Format(16, 15)],
        activations=[("tanh", Format(9, 5))],
        output="logits",
    ),
    "logits": made_up(
        [5, 6, 4],
        folds=[(5, 3), (2, 4)],
        formats=[Format(8, 4), Format(8, 4), Format(12, 3)],
        output="logits",
        out_lanes=2,
    ),
    "one-value": made_up([4, 3, 1], formats=[Format(8, 4)] * 2 + [Format(16, 9)], output="logits"),
    "ranked": made_up(
        [3, 4, 6],
        folds=[(3, 4), (2, 6)],
        weight_format=Format(8, 7),
        output="ranked",
        softmax_lanes=3,
        seed=6,
    ),
    "argmax": made_up([4, 130], output="argmax"),
    "argmax-unrolled": made_up(
        [3, 6],
        folds=[(3, 6)],
        weight_format=Format(8, 7),
        output="argmax",
        softmax_lanes=6,
        seed=9,
    ),
    "sigmoid": made_up([4, 6, 1], formats=[Format(8, 4)] * 3, output="sigmoid"),
    "sigmoids": made_up(
        [4, 6],
        formats=[Format(8, 4), Format(16, 12)],
        weight_format=Format(8, 8),
        folds=[(4, 2)],
        output="sigmoid",
        softmax_lanes=2,
        out_lanes=3,
    ),
    **{
        f"{score}-{divider}": made_up(
            [4, 6],
            formats=[Format(8, 4), Format(8, 2)],
            softmax=(score, divider),
            softmax_lanes=lanes,
        )
        for (score, divider), lanes in zip(COMBINATIONS, (1, 2, 3, 6), strict=True)
    },
}


def at(fold: str) -> Network:
    """The golden network at one of the folds, or ``shared``: unrolled, by sums of all outputs."""
    if fold == "shared":
        return shared(at("unrolled"))
    return IRIS.refolded(FOLDS[fold])


def flowers() -> Int:
    """All 150 flowers as input codes ``[150, 4]`` of the golden network."""
    return quantize(datasets.load("iris").features, IRIS.spec.x)


def run_made_up(key: str, simulator: str, **how: Any) -> Outcome:
    """Every test of the bench on inputs that bring many situations to one of `MADE_UP`."""
    network = MADE_UP[key]
    x = directed(network, 40)
    places: dict[str, Any] = {"folder": BUILD / "cases" / f"top-{key}", "name": f"top-{key}"}
    return run_network(network, x, simulator, **places | how)[0]


def run_golden(fold: str, simulator: str, samples: int, **how: Any) -> Outcome:
    """The first flowers through the golden network at one of its folds."""
    places: dict[str, Any] = {"folder": BUILD / "cases" / f"iris-{fold}", "name": f"iris-{fold}"}
    return run_network(at(fold), flowers()[:samples], simulator, **places | how)[0]
