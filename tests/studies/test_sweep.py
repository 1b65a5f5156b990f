"""The sweep's page: what is best, what is drawn, and networks whose weights have fewer bits."""

from pathlib import Path

import pytest

from model import recipe
from studies import sweep, sweep_page
from studies.sweep import POINTS

ROW = {
    "bits": 8,
    "score": "taylor2",
    "divider": "reciprocal",
    "cycles": 30,
    "correct": 148,
    "multipliers": 82,
    "interval": 30,
    "latency in ns": 1000.0,
    "LUT": 5000,
    "FF": 8000,
    "DSP": 84,
    "MHz": 140.0,
    "routed": True,
    "results per second": 4_000_000,
    "tools": {"yosys": "1"},
}


@pytest.mark.parametrize(
    ("other", "best"),
    [
        ({"LUT": 4999}, False),
        ({"LUT": 4999, "correct": 147}, True),
        ({"LUT": 4999, "results per second": 3_999_999}, True),
        ({"DSP": 83}, False),
        ({"LUT": 4900, "DSP": 85}, True),
        ({"LUT": 5001}, True),
    ],
)
def test_best_is_what_nothing_beats(other: dict[str, int], best: bool) -> None:
    assert sweep_page.is_best(ROW, [ROW, ROW | other]) is best


def test_page_holds_every_build(tmp_path: Path) -> None:
    rows = [
        ROW
        | {"bits": p.bits, "score": p.score, "interval": p.cycles, "LUT": 9000 - p.cycles}
        | {"routed": p.cycles > 1}
        for p in POINTS
    ]
    peers = [ROW | {"name": "another", "LUT": 30_000, "results per second": 80_000_000}]
    text = sweep_page.page(rows, 150, peers)
    assert text.count("\n| 8 |") == sum(p.bits == 8 for p in POINTS)
    assert text.count("| 140 expected |") == sum(p.cycles == 1 for p in POINTS) > 0
    assert "Written by `make study-sweep`" in text and "yosys 1" in text
    assert "make study-peers" in text and "make study-peers" not in sweep_page.page(rows, 150, [])
    path = tmp_path / "sweep.png"
    figure = sweep_page.picture(rows, 150, peers)
    figure.savefig(path)
    assert path.stat().st_size > 10_000
    drawn = {line.get_marker() for axes in figure.axes for line in axes.get_lines()}
    (legend,) = figure.legends
    explained = {handle.get_marker() for handle in legend.legend_handles}
    assert drawn - {"None", ""} == explained - {"None", ""} == {"o", "s", "x"}


def test_fewer_bits_are_of_weights_and_values() -> None:
    plan = recipe.load(sweep.RECIPE)
    assert sweep.at_width(plan, 8, "taylor2", "reciprocal") == plan
    for bits, logits in ((6, 6), (4, 6)):
        narrow = sweep.at_width(plan, bits, "exp", "restoring")
        widths = [
            (narrow.formats.of_weights(layer), narrow.formats.of_outputs(layer))
            for layer in ("fc1", "fc2", "fc2_2", "fc3")
        ]
        assert widths == [(bits, bits)] * 3 + [(bits, logits)]
        assert narrow.formats.input == plan.formats.input
        assert (narrow.softmax.score, narrow.softmax.divider) == ("exp", "restoring")


def test_points_are_each_once() -> None:
    assert len(POINTS) == len(set(POINTS))
