"""What benches compare, count and expect, without a simulator: each check refuses what it must."""

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cocotb.types import Logic, LogicArray

from model.words import Field
from tb.benches import comparison, drivers
from tb.benches.comparison import Comparison
from tb.benches.elaboration import check_elaboration
from tb.benches.scoreboard import Scoreboard
from tb.job import COUNTS, Job

FIELD = Field("y", 8, 2, signed=True)
THREE = np.array([1, 2, 3])


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file in which a bench leaves its counts, as in a simulation."""
    monkeypatch.setenv("VERBATIM_JOB", "{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path / COUNTS


# Wires


class Wire:
    """Stands in for one of cocotb's: bits, and what it makes of them."""

    def __init__(self, bits: str) -> None:
        self.bits = bits
        self._handle = self

    def get_signal_val_binstr(self) -> str:
        return self.bits

    @property
    def value(self) -> Logic | LogicArray:
        return Logic(self.bits) if len(self.bits) == 1 else LogicArray(self.bits)


def test_wires_and_buses_are_read_as_cocotb_reads_them() -> None:
    assert [drivers.high(Wire(bit)) for bit in "01"] == [False, True]
    for bits in ("0", "1", "10", "0" * 99 + "1", "1" * 480):
        assert drivers.word(Wire(bits)) == int(Wire(bits).value) == int(bits, 2)


@pytest.mark.parametrize("bit", "XZxzU")
def test_wire_that_is_neither_0_nor_1_is_refused(bit: str) -> None:
    with pytest.raises(ValueError, match="Cannot convert"):
        drivers.high(Wire(bit))


@pytest.mark.parametrize("bits", ["X", "1X0", "z" + 70 * "1", 70 * "0" + "x"])
def test_bus_with_a_bit_that_is_neither_0_nor_1_is_refused(bits: str) -> None:
    with pytest.raises(ValueError, match=r"Cannot convert|non-0/1"):
        drivers.word(Wire(bits))


# The scoreboard


def scoreboard() -> Scoreboard:
    """Two streams of one beat of two values each, that of ``a`` observed."""
    board = Scoreboard()
    board.expect("a", FIELD, np.array([[1, 2]]))
    board.expect("b", FIELD, np.array([[3, 4]]))
    board.observe("a", FIELD.pack([1, 2]), 10)
    return board


def test_scoreboard_wants_every_stream_whole() -> None:
    board = scoreboard()
    with pytest.raises(AssertionError, match="b: 0 of 2 values came"):
        board.conclude()
    board.observe("b", FIELD.pack([3, 4]), 20)
    assert board.conclude() == 4


def test_scoreboard_names_the_first_element_of_a_beat_that_differs() -> None:
    board = scoreboard()
    board.observe("b", FIELD.pack([8, 9]), 20)
    sentence = r"b: sample 0, element 0: expected 3, got 8, at 20 ns \(2 of 4 values differ\)"
    with pytest.raises(AssertionError, match=sentence):
        board.conclude()


def test_scoreboard_remembers_a_difference_before_equal_values() -> None:
    board = Scoreboard()
    board.expect("a", FIELD, np.array([[1, 2], [3, 4]]))
    board.observe("a", FIELD.pack([1, 7]), 10)
    board.observe("a", FIELD.pack([3, 4]), 20)
    with pytest.raises(AssertionError, match="sample 0, element 1: expected 2, got 7, at 10 ns"):
        board.conclude()


def test_scoreboards_of_one_simulation_add_up(counts: Path) -> None:
    for _ in range(2):
        board = scoreboard()
        board.observe("b", FIELD.pack([3, 4]), 20)
        board.conclude()
    assert counts.read_text().split() == ["4", "4"]


def test_scoreboard_that_fails_counts_nothing(counts: Path) -> None:
    with pytest.raises(AssertionError):
        scoreboard().conclude()
    assert not counts.exists()


# Arrays


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Comparison:
    """A comparison at 70 ns."""
    monkeypatch.setattr(comparison, "get_sim_time", lambda unit: 70.0)
    return Comparison()


def test_comparison_names_the_first_element_that_differs(compared: Comparison) -> None:
    for got in ([1, 3, 2], [1, 1, 4]):
        sentence = (
            rf"sample 4, update, set 1, element \[1\]: expected 2, got {got[1]}, at 70 ns "
            r"\(2 of 3 differ\)"
        )
        with pytest.raises(AssertionError, match=sentence):
            compared.equal(4, "update", "set 1", THREE, np.array(got))


@pytest.mark.parametrize("got", [[1], [[1, 2, 3]], [1, 2], []])
def test_comparison_refuses_another_shape(got: list[Any], compared: Comparison) -> None:
    with pytest.raises(AssertionError, match=r"set 1: \(.*\) values, expected \("):
        compared.equal(0, "update", "set 1", np.array([1, 1, 1]), np.array(got))


def test_comparison_counts_values_and_refuses_none(compared: Comparison, counts: Path) -> None:
    with pytest.raises(AssertionError, match="nothing was compared"):
        compared.conclude()
    assert not counts.exists()
    compared.equal(0, "forward", "logits", THREE, THREE.copy())
    compared.equal(1, "forward", "logits", THREE, THREE.copy())
    compared.conclude()
    Comparison.conclude(compared)
    assert counts.read_text().split() == ["6", "6"]


# Parameters of the design


class Handle:
    """Stands in for a handle of a parameter."""

    def __init__(self, value: int) -> None:
        self.value = value


TEXT = int.from_bytes(b"exp.mem")


@pytest.mark.parametrize(
    ("believed", "elaborated", "found"),
    [
        (3, 3, None),
        (3, 4, "4"),
        (3, 0xFFFFFFFD, "4294967293"),
        (-3, 0xFFFFFFFD, None),
        (-3, 3, "-4294967293"),
        ("exp.mem", TEXT, None),
        ("exq.mem", TEXT, "b'exp.mem'"),
        ("exp.me", TEXT, "b'exp.mem'"),
        ((2, 5), 5 << 32 | 2, None),
        ((2, 5), 6 << 32 | 2, "25769803778"),
    ],
)
def test_parameter_of_another_build_is_refused(
    believed: Any, elaborated: int, found: str | None
) -> None:
    job = Job("mlp_relu", {"W": 8, "P": believed}, {})
    dut = {"W": Handle(8), "P": Handle(elaborated)}
    if found is None:
        check_elaboration(dut, job)
        return
    with pytest.raises(AssertionError, match=f"P was elaborated as {found}, the bench believes"):
        check_elaboration(dut, job)


def test_every_parameter_is_read_back() -> None:
    job = Job("mlp_relu", {"W": 8, "LANES": 3}, {})
    for wrong in ("W", "LANES"):
        dut = {"W": Handle(8), "LANES": Handle(3)} | {wrong: Handle(5)}
        with pytest.raises(AssertionError, match=f"{wrong} was elaborated as 5"):
            check_elaboration(dut, job)


def test_job_without_parameters_is_refused() -> None:
    with pytest.raises(AssertionError, match="the job names no parameter"):
        check_elaboration({}, Job("mlp_relu", {}, {}))


# Stalls and resets


def runs_of(pattern: drivers.Stall, cycles: int = 4000) -> list[tuple[bool, int]]:
    """Whether stalled, and for how many cycles."""
    drawn = itertools.islice(pattern(), cycles)
    return [(stalled, len(list(run))) for stalled, run in itertools.groupby(drawn)]


def test_stalls_are_what_their_names_say() -> None:
    random.seed(1)
    assert runs_of(drivers.never, 100) == [(False, 100)]
    stalled = sum(cycles for stalls, cycles in runs_of(drivers.randomly) if stalls)
    assert 1400 < stalled < 1800
    bursts = runs_of(drivers.in_bursts)
    for way in (True, False):
        lengths = {cycles for stalls, cycles in bursts[:-1] if stalls == way}
        assert lengths == set(range(1, 13))


def test_resets_reach_every_cycle() -> None:
    random.seed(1)
    assert drivers.reset_cycles(10, 80, None) == list(range(10))
    assert drivers.reset_cycles(10, 80, [3, 7]) == [3, 4, 5, 6]
    assert drivers.reset_cycles(10, 80, [7, 99]) == [7, 8, 9]
    drawn = [drivers.reset_cycles(100, 30, None) for _ in range(50)]
    assert set().union(*drawn) == set(range(100))
    assert {len(cycles) for cycles in drawn} <= {25, 26}
    assert all(b - a == 4 for cycles in drawn for a, b in itertools.pairwise(cycles))
