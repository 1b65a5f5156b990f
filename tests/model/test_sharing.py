"""Additions that outputs share: each graph and plan is its matrix, a changed one is refused."""

import dataclasses

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS
from model import sharing, sum_plan
from model.artifact import load
from model.format import Int, SpecError

RNG = np.random.default_rng(7)
ENDS = [
    np.zeros((2, 3), np.int64),
    np.eye(3, dtype=np.int64),
    np.full((3, 2), -128),
    np.array([[1], [-1], [85], [-85], [0]]),
    np.array([[127, -128, 1]]),
]
DRAWN = [
    RNG.integers(-(1 << width - 1), 1 << width - 1, (rows, columns))
    for width in (2, 4, 8, 16)
    for rows, columns in ((1, 9), (7, 1), (6, 6), (12, 10))
]


def levels(matrix: Int) -> int:
    """Levels that any matrix of 16-bit weights and as many inputs can be added up in."""
    return sharing.least_levels(matrix.shape[1] * sharing.digits_at_most(16))


@pytest.mark.parametrize("matrix", [*ENDS, *DRAWN], ids=lambda matrix: str(matrix.shape))
@pytest.mark.parametrize(("low", "high"), [(-128, 127), (0, 127), (-100, -3)])
@pytest.mark.parametrize("every", [1, 3])
def test_graph_and_plan_are_the_matrix(matrix: Int, low: int, high: int, every: int) -> None:
    graph = sharing.shared(matrix, low, high, levels(matrix))
    sharing.check(graph, matrix, levels(matrix))
    plan = sum_plan.planned(graph, low, high, 40, levels=levels(matrix), every=every)
    sum_plan.check(plan, matrix, low, high, 40)
    assert plan.stages == sum_plan.stages(levels(matrix), every)
    sums = graph.intervals(low, high)[graph.inputs :]
    assert plan.adder_bits(graph.inputs) == sum(sharing.bits(*ends) for ends in sums)
    halves = zip(plan.words[1::2], plan.words[2::2], strict=True)
    assert plan.entries == tuple(low | high << 32 for low, high in halves)


def test_outputs_share_sums() -> None:
    row = RNG.integers(-128, 128, 20)
    alone, often = (sharing.shared(np.tile(row, (n, 1)), -128, 127, 8) for n in (1, 5))
    assert len(often.additions) < 1.1 * len(alone.additions)
    matrix = load(GOLDEN_IRIS).weights["fc2"]
    graph = sharing.shared(matrix, -128, 127, 7)
    digits = sum(len(list(sharing.signed_digits(int(v)))) for v in matrix.flat)
    assert len(graph.additions) < 0.55 * (digits - len(matrix))


def test_each_interval_is_reached() -> None:
    matrix = DRAWN[10]
    graph = sharing.shared(matrix, -128, 127, levels(matrix))
    for row, (least, greatest) in zip(graph.rows, graph.intervals(-128, 127), strict=True):
        assert row @ np.where(row > 0, 127, -128) == greatest
        assert row @ np.where(row > 0, -128, 127) == least


def test_too_few_levels_are_refused() -> None:
    with pytest.raises(SpecError, match=r"levels must be at least 3 for a sum of 8 terms, got 2"):
        sharing.shared(np.full((1, 2), 85), -128, 127, 2)


def test_a_changed_addition_is_no_graph_of_the_matrix() -> None:
    matrix = DRAWN[10]
    graph = sharing.shared(matrix, -128, 127, 9)
    for index, it in enumerate(graph.additions):
        changed = list(graph.additions)
        changed[index] = dataclasses.replace(it, b_sign=-it.b_sign)
        with pytest.raises(SpecError, match="must be row"):
            sharing.check(dataclasses.replace(graph, additions=tuple(changed)), matrix, 9)


@pytest.mark.parametrize("bit", [0, 16, 32, 40, 48, 57, 58, 59])
def test_a_changed_entry_is_no_plan_of_the_matrix(bit: int) -> None:
    matrix = DRAWN[10]
    graph = sharing.shared(matrix, -128, 127, 9)
    plan = sum_plan.planned(graph, -128, 127, 40, levels=9, every=2)
    refused = 0
    sums = [k for k, w in enumerate(plan.entries) if k >= 6 and not w & sum_plan.ALONE]
    for place in sums:
        entries = list(plan.entries)
        entries[place] ^= 1 << bit
        if place >= plan.values and bit in (16, 40, 48, 59):
            continue
        try:
            sum_plan.check(dataclasses.replace(plan, entries=tuple(entries)), matrix, -128, 127, 40)
        except SpecError:
            refused += 1
        else:
            # A wider value is no fault.
            assert bit == 48, (place, bit)
    assert refused > 0
