"""Every module at every parameter set, on both simulators."""

import pytest

from tb.rows import ROWS, Row
from tb.runner import RTL, SIMULATORS


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_module_equals_its_reference(row: Row, simulator: str) -> None:
    assert row.run(simulator).passed > 0


def test_every_module_has_a_row() -> None:
    modules = {path.stem for path in RTL.glob("*.v")}
    assert {row.module for row in ROWS} == modules - {"mlp_top"}  # tb/test_top.py has that one
