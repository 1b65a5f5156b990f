"""Both simulators see the same in every cycle, and it would be noticed if they did not."""

from pathlib import Path

import pytest

from tb.debug.waveform import WaveformError
from tb.modules.mutant import mutated
from tb.modules.networks import run_made_up
from tb.modules.registry import case_named, mutant_named
from tb.sim.runner import SimulationFailed
from verify.campaigns.simulator_agreement import (
    Cycle,
    Disagreement,
    compare,
    cycles_of,
    same_cycles,
)


@pytest.mark.parametrize("name", ["skid_buffer-24", "softmax_remainder-3by3-8.4"])
def test_module_is_the_same_in_every_cycle(name: str, tmp_path: Path) -> None:
    case = case_named(name)
    found = same_cycles(
        lambda simulator, waves: case.run(simulator, name=f"cycles-{name}", waves=waves), tmp_path
    )
    assert found.streams >= 2 and found.cycles > 1000


def test_network_is_the_same_in_every_cycle(tmp_path: Path) -> None:
    found = same_cycles(
        lambda simulator, waves: run_made_up(
            "one-layer", simulator, name="cycles-one-layer", waves=waves
        ),
        tmp_path,
    )
    assert found.streams > 40 and found.cycles > 3000


def test_design_that_differs_in_a_cycle_is_found(tmp_path: Path) -> None:
    """A bubble between vectors changes no value, and yet a cycle."""
    mutant = mutant_named("bubble-between-vectors")
    case = case_named(mutant.case)
    case.run("icarus", name="cycles-right", waves=tmp_path / "right.fst")
    with pytest.raises(SimulationFailed):
        rtl = mutated(mutant, tmp_path / "rtl")
        case.run("icarus", rtl=rtl, name="cycles-wrong", waves=tmp_path / "wrong.fst")
    sides = [cycles_of(tmp_path / f"{side}.fst") for side in ("right", "wrong")]
    assert compare(sides[0], sides[0]).streams == 2
    with pytest.raises(Disagreement, match=r"mlp_fold\.(in|out)_: cycle \d+ after the first reset"):
        compare(*sides)


FIRST: dict[str, list[Cycle]] = {
    "top.a_": [(0, 1), (1, 1, 7), (1, 0, 8)],
    "top.b_": [(0, 0), (0, 0), (1, 1, 9)],
}


@pytest.mark.parametrize(
    "second, sentence",
    [
        (FIRST | {"top.b_": [(0, 0), (0, 1), (1, 1, 9)]}, r"top\.b_: cycle 1 .*\(0, 0\).*\(0, 1\)"),
        (FIRST | {"top.a_": [(0, 1), (1, 1, 7), (1, 0, "x")]}, r"top\.a_: cycle 2 .*8.*'x'"),
        (FIRST | {"top.b_": FIRST["top.b_"][:2]}, r"top\.b_: cycle 2 .*verilator ended"),
        ({"top.a_": FIRST["top.a_"]}, r"only one simulator has the streams top\.b_"),
    ],
)
def test_first_difference_is_named(second: dict[str, list[Cycle]], sentence: str) -> None:
    with pytest.raises(Disagreement, match=sentence):
        compare(FIRST, second)


@pytest.mark.parametrize("nothing", [{}, {"top.a_": []}])
def test_nothing_compared_is_no_agreement(nothing: dict[str, list[Cycle]]) -> None:
    with pytest.raises(Disagreement, match="nothing was compared"):
        compare(nothing, nothing)


def test_missing_waveform_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WaveformError, match=r"none\.fst: is no waveform"):
        cycles_of(tmp_path / "none.fst")
