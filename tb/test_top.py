"""Whole networks through mlp_top, on both simulators: every value of every stream."""

import pytest

from tb.modules.networks import MADE_UP, run_made_up
from tb.sim.simulators import SIMULATORS


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", MADE_UP)
def test_top_equals_reference(name: str, simulator: str) -> None:
    assert run_made_up(name, simulator).passed > 0
