"""Every streaming module at every parameter set, on both simulators."""

import pytest

from tb.operators import OPERATORS
from tb.rows import ROWS, Row
from tb.runner import RTL, SIMULATORS

# Modules without a stream of their own; tb/test_pipelines.py and tb/test_top.py drive them.
NOT_STREAMING = {"mlp_adder_tree", "mlp_argmax_tree", "mlp_delay", "mlp_rom", "mlp_top"}


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_module_equals_its_reference(row: Row, simulator: str) -> None:
    assert row.run(simulator) > 0


def test_every_module_has_a_row() -> None:
    modules = {path.stem for path in RTL.glob("*.v")}
    assert {row.module for row in ROWS} == set(OPERATORS) == modules - NOT_STREAMING
    assert modules >= NOT_STREAMING
