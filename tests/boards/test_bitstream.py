"""Bitstreams: made of a small network for each board, and one sentence where one cannot be."""

import dataclasses

import pytest

from boards import bitstream
from boards.bitstream import BOARDS
from boards.design import for_serial_line
from common.errors import CommandError
from common.paths import GOLDEN_IRIS
from model import artifact
from model.learning.core import Core
from model.learning.plans import PLANS, with_score
from tb.sim.made_up import made_up

NETWORK = artifact.load(GOLDEN_IRIS)
SMALL = made_up([2, 3, 2])


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_small_network_becomes_a_bitstream(board: bitstream.Board) -> None:
    made, placed = bitstream.build(for_serial_line(SMALL), board)
    assert made.stat().st_size > 10_000
    assert placed.megahertz >= board.hertz / 1e6
    assert all(0 < placed.used[kind] <= placed.available[kind] for kind in ("LUT", "DSP"))


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
    assert design.parameters["CYCLES"] == round(board.hertz / 115_200)


def test_iris_learns_in_six_multipliers_of_a_small_board() -> None:
    found = {name: bitstream.fitted_core(PLANS["iris"], board) for name, board in BOARDS.items()}
    assert {name: core.lanes for name, core in found.items()} == {"icebreaker": 6, "ulx3s": 30}
    assert [core.cycles for core in found.values()] == [1063, 334]
