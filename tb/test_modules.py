"""Every module at every parameter set under Icarus, and at those that matter under Verilator."""

import pytest

from common import sources
from tb.modules.rows import ON_BOTH_SIMULATORS, ROWS, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_module_equals_its_reference_under_icarus(row: Row) -> None:
    assert row.run("icarus").passed > 0


@pytest.mark.parametrize("row", ON_BOTH_SIMULATORS, ids=lambda row: row.name)
def test_module_equals_its_reference_under_verilator(row: Row) -> None:
    assert row.run("verilator").passed > 0


def test_every_module_has_a_row_on_both_simulators() -> None:
    modules = {path.stem for path in sources.verilog()} - {"mlp_top"}  # tb/test_top.py has that one
    assert {row.module for row in ROWS} == modules
    assert {row.module for row in ON_BOTH_SIMULATORS} == modules


def test_row_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
