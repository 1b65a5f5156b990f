"""Every module at every parameter set, on both simulators."""

import pytest

from tb.rows import ROWS, Row
from tb.runner import BUILD, RTL, SIMULATORS, SimulationFailed, simulate


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_module_equals_its_reference(row: Row, simulator: str) -> None:
    assert row.run(simulator).passed > 0


def test_every_module_has_a_row() -> None:
    modules = {path.stem for path in RTL.glob("*.v")}
    assert {row.module for row in ROWS} == modules - {"mlp_top"}  # tb/test_top.py has that one


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ("SCORE", r"mlp_softmax: SCORE is softer: need taylor2 or exp"),
        ("DIVIDER", r"mlp_softmax\.u_normalize: DIVIDER is softer: need lut or divider"),
    ],
)
def test_illegal_choice_stops_the_softmax(parameter: str, sentence: str, simulator: str) -> None:
    (row,) = [row for row in ROWS if row.name == "softmax-3by1-8.4-taylor2-lut"]
    parameters, options = row.prepare(BUILD / "rows" / row.name)
    with pytest.raises(SimulationFailed, match=sentence):
        simulate(
            row.module,
            {**parameters, parameter: "softer"},
            simulator=simulator,
            bench=row.bench,
            options=options,
            name=f"illegal-{parameter}",
        )
