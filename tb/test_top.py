"""Whole networks through mlp_top, on both simulators: every value of every stream."""

import pytest

from model.spec import Format
from tb.functional import directed
from tb.network_run import run_network
from tb.networks import made_up
from tb.rows import COMBINATIONS
from tb.tools import BUILD, SIMULATORS

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


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", MADE_UP)
def test_top_equals_reference(name: str, simulator: str) -> None:
    network = MADE_UP[name]
    x = directed(network, 40)
    folder = BUILD / "rows" / f"top-{name}"
    outcome, _ = run_network(network, x, simulator, folder=folder, name=f"top-{name}")
    assert outcome.passed > 0
