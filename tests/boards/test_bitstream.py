"""Bitstreams: made of a small network for each board, and one sentence where one cannot be."""

import dataclasses
import re
from pathlib import Path

import pytest

from boards import bitstream, protocol
from boards.bitstream import BOARDS
from boards.design import BOARD_RTL, for_serial_line
from common.errors import CommandError
from common.paths import GOLDEN_IRIS
from model import artifact
from model.learning.backprop import Plan
from model.learning.core import Core
from model.learning.plans import PLANS, with_score
from scripts import bitstream as command
from tb.sim.made_up import made_up

NETWORK = artifact.load(GOLDEN_IRIS)
SMALL = made_up([2, 3, 2])
LEARNS = Core(Plan((2, 3, 2), (0, 1), (True, False), (1, 1), epochs=2, samples=5), 2)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_small_network_becomes_a_bitstream(board: bitstream.Board) -> None:
    made, placed = bitstream.build(for_serial_line(SMALL), board)
    assert made.stat().st_size > 10_000
    assert placed.megahertz >= board.hertz / 1e6
    assert all(0 < placed.used[kind] <= placed.available[kind] for kind in ("LUT", "DSP"))


def test_a_loadable_network_becomes_a_bitstream_and_the_core_that_loads_are_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, board = made_up([2, 3, 2], loadable=True), BOARDS["icebreaker"]
    artifact.save(network, tmp_path / "network.json")
    command.predict(tmp_path, board)
    assert (tmp_path / board.bitstream).stat().st_size > 10_000
    core = artifact.load(tmp_path / "icebreaker.network.json")
    assert protocol.network_id(core) == protocol.network_id(network)
    assert core.spec == bitstream.fitted(network, board).spec
    assert f"{tmp_path / 'icebreaker.network.json'}: the core" in capsys.readouterr().out


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_small_core_that_learns_becomes_a_bitstream(board: bitstream.Board) -> None:
    made, placed = bitstream.build_learning(LEARNS, board, "small")
    assert made.name.startswith(f"{board.name}-learn.")
    assert made.stat().st_size > 10_000
    assert placed.megahertz >= board.learning_hertz / 1e6
    assert all(0 < placed.used[kind] <= placed.available[kind] for kind in ("LUT", "DSP", "BRAM"))


def test_the_clock_of_learning_is_that_of_the_pll() -> None:
    """What the Verilog of the top sets, within what the PLL of an iCE40 may do."""
    text = (BOARD_RTL / "mlp_icebreaker_learn.v").read_text()
    divr, divf, divq = (
        int(re.findall(rf"\.{name}\(\d'd(\d+)\)", text)[0]) for name in ("DIVR", "DIVF", "DIVQ")
    )
    board = BOARDS["icebreaker"]
    reference = board.hertz / (divr + 1)
    inside = reference * (divf + 1)
    assert 10e6 <= reference <= 133e6 and 533e6 <= inside <= 1066e6
    assert inside / 2**divq == board.learning_hertz == board.learning.hertz
    assert "PLL" not in (BOARD_RTL / "mlp_ulx3s_learn.v").read_text()
    assert BOARDS["ulx3s"].learning == BOARDS["ulx3s"]


def test_a_clock_that_is_too_fast_is_one_sentence() -> None:
    board = dataclasses.replace(BOARDS["icebreaker"], hertz=200_000_000)
    with pytest.raises(CommandError, match=r"made_up reaches [\d.]+ MHz, the clock has 200"):
        bitstream.build(for_serial_line(SMALL), board)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_board_gets_no_more_multipliers_than_it_has(board: bitstream.Board) -> None:
    fitted = bitstream.fitted(NETWORK, board)
    assert sum(layer.multipliers for layer in fitted.spec.layers) <= board.multipliers
    assert (fitted.spec.in_lanes, fitted.spec.out_lanes) == (1, 1)
    assert board.pins_file.exists()


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("score", ["exp", "taylor2"])
def test_a_core_that_learns_gets_the_multipliers_that_are_left(
    board: bitstream.Board, name: str, score: str
) -> None:
    plan = with_score(PLANS[name], score)
    core = bitstream.fitted_core(plan, board)
    design = bitstream.learning_design(core, board)
    beside = bitstream.multipliers_beside(plan)
    assert core.lanes + beside == design.multipliers <= board.device.dsps
    most = min(bitstream.LANES, board.device.dsps - beside)
    assert core.cycles <= Core(plan, most).cycles
    assert design.parameters["LANES"] == core.lanes
    assert design.parameters["CYCLES"] == round(board.learning_hertz / 115_200)
    # The line bears a clock that is off by some percent; the divisor's share of it is this.
    assert board.learning_hertz / design.parameters["CYCLES"] == pytest.approx(115_200, rel=0.005)


def test_iris_learns_in_six_multipliers_of_a_small_board() -> None:
    found = {name: bitstream.fitted_core(PLANS["iris"], board) for name, board in BOARDS.items()}
    assert {name: core.lanes for name, core in found.items()} == {"icebreaker": 6, "ulx3s": 30}
    assert [core.cycles for core in found.values()] == [1063, 334]
