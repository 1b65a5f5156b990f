"""Every module at every parameter set under Icarus, and at those that matter under Verilator."""

import re

import pytest

from common import sources
from tb.modules.case import Case
from tb.modules.registry import CASES, MODULES, ON_BOTH_SIMULATORS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_module_equals_its_reference_under_icarus(case: Case) -> None:
    assert case.run("icarus").passed > 0


@pytest.mark.parametrize("case", ON_BOTH_SIMULATORS, ids=lambda case: case.name)
def test_module_equals_its_reference_under_verilator(case: Case) -> None:
    assert case.run("verilator").passed > 0


def test_every_module_has_a_case_on_both_simulators() -> None:
    # tb/test_top.py and tb/test_learning.py have these, and what the latter looks into.
    tops = {"mlp_top", "mlp_learn_top"}
    parts = {module.name for module in MODULES.values() if module.within == "mlp_learn_top"}
    modules = {path.stem for path in sources.verilog()} - tops
    assert {case.module for case in CASES} | parts == modules
    assert {case.module for case in ON_BOTH_SIMULATORS} | parts == modules
    assert all(re.match("mlp_(learn_|lfsr$|ram$)", name) for name in parts)


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
