"""Nothing depends on power-on values, and what does is found, by each of the ways that look."""

import random
from pathlib import Path

import pytest

from tb.benches.drivers import reset_cycles
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import case_named
from tb.sim.runner import SimulationFailed
from tb.sim.simulators import SIMULATORS
from verify.campaigns.x_reset import InitialValue, check_power_on

# Control registers that no reset reaches.
NOT_RESET = {
    "spare_valid": ("mlp_skid_buffer", "skid_buffer-24"),
    "out_valid": ("mlp_stream_unpack", "stream_unpack-6-2-5-9"),
}


def test_no_register_has_an_initial_value() -> None:
    assert check_power_on() > 100


def test_initial_value_is_found(tmp_path: Path) -> None:
    begins = "endmodule", "initial spare_valid = 1'b0;\nendmodule"
    rtl = mutated(Mutant("", "mlp_skid_buffer", *begins, ""), tmp_path / "rtl")
    with pytest.raises(InitialValue, match=r"mlp_skid_buffer/spare_valid: a register with"):
        check_power_on(rtl, tmp_path / "yosys")


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", NOT_RESET)
def test_control_without_reset_is_found(name: str, simulator: str, tmp_path: Path) -> None:
    """As an X by Icarus; by Verilator from some of its initial values, as one bit has but two."""
    reset, never = f"if (rst)\n            {name}", f"if (1'b0)\n            {name}"
    module, case_name = NOT_RESET[name]
    rtl = mutated(Mutant("", module, reset, never, ""), tmp_path / "rtl")
    case = case_named(case_name)
    seeds, failed = (1,) if simulator == "icarus" else range(1, 5), 0
    for seed in seeds:
        try:
            case.run(simulator, rtl=rtl, name=f"no-reset-{name}", seed=seed)
        except SimulationFailed:
            failed += 1
    assert failed


def test_resets_come_in_every_cycle_that_is_asked_for() -> None:
    assert reset_cycles(7, 100, None) == list(range(7))
    assert reset_cycles(7, 2, [0, 100]) == list(range(7))
    assert reset_cycles(7, 2, [2, 5]) == [2, 3, 4]


def test_some_resets_reach_every_cycle_in_time() -> None:
    random.seed(1)
    drawn = [reset_cycles(250, 100, None) for _ in range(30)]
    assert all(83 <= len(cycles) <= 100 for cycles in drawn)
    assert {cycle for cycles in drawn for cycle in cycles} == set(range(250))
