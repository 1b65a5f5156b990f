"""The solver finds the best legal fold, and says what is nearest where there is none."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import folding
from model.folding import Fold, FoldingError, Goal, Lanes
from model.format import SpecError
from model.qat.quantize import LayerShape

IRIS = [
    LayerShape("fc1", 4, 30),
    LayerShape("fc2", 30, 30),
    LayerShape("fc2_2", 30, 30),
    LayerShape("fc3", 30, 3),
]
sizes = st.lists(st.integers(1, 12), min_size=2, max_size=4)


def layers_of(sizes):
    pairs = itertools.pairwise(sizes)
    return [LayerShape(f"fc{index}", n_in, n_out) for index, (n_in, n_out) in enumerate(pairs)]


def every_choice(layers):
    """``(cycles, multipliers)`` of every combination of legal folds, by trying them all."""
    for folds in itertools.product(*(list(folding.legal_folds(layer)) for layer in layers)):
        cycles = [fold.cycles(layer) for fold, layer in zip(folds, layers, strict=True)]
        yield max(cycles), sum(fold.multipliers for fold in folds)


def test_legal_folds_are_all_pairs_of_divisors():
    folds = list(folding.legal_folds(IRIS[0]))
    assert len(folds) == len(set(folds)) == 3 * 8
    assert Fold(1, 1) in folds and Fold(4, 30) in folds
    assert all(4 % fold.simd == 0 and 30 % fold.pe == 0 for fold in folds)


def test_thirty_cycles_of_irisnet_take_the_fewest_multipliers():
    folds = folding.solve(IRIS, Goal(target_cycles=30))
    assert folds == {
        "fc1": Fold(4, 1),
        "fc2": Fold(30, 1),
        "fc2_2": Fold(30, 1),
        "fc3": Fold(3, 1),
    }
    assert folding.keeping_up(IRIS, folds) == Lanes(1, 1, 1)


@given(sizes=sizes, cycles=st.integers(1, 200))
def test_a_target_of_cycles_takes_the_fewest_multipliers(sizes, cycles):
    layers = layers_of(sizes)
    folds = folding.solve(layers, Goal(target_cycles=cycles))
    assert all(folds[layer.name] in folding.legal_folds(layer) for layer in layers)
    assert max(folds[layer.name].cycles(layer) for layer in layers) <= cycles
    fewest = min(mults for needed, mults in every_choice(layers) if needed <= cycles)
    assert folding.total(folds) == fewest


@given(sizes=sizes, multipliers=st.integers(1, 200))
def test_a_limit_of_multipliers_takes_the_fewest_cycles(sizes, multipliers):
    layers = layers_of(sizes)
    affordable = [needed for needed, mults in every_choice(layers) if mults <= multipliers]
    if not affordable:
        with pytest.raises(FoldingError, match=f"must be at least {len(layers)}, one for each"):
            folding.solve(layers, Goal(max_multipliers=multipliers))
        return
    folds = folding.solve(layers, Goal(max_multipliers=multipliers))
    assert folding.total(folds) <= multipliers
    assert max(folds[layer.name].cycles(layer) for layer in layers) == min(affordable)


def test_both_limits_are_met_or_the_nearest_is_named():
    both = Goal(target_cycles=90, max_multipliers=40)
    assert folding.total(folding.solve(IRIS, both)) == 2 + 10 + 10 + 1
    with pytest.raises(FoldingError) as refused:
        folding.solve(IRIS, Goal(target_cycles=30, max_multipliers=40))
    assert str(refused.value) == (
        "folds: target_cycles = 30 needs 67 multipliers, max_multipliers is 40: the nearest "
        "possible is 60 cycles with 34 multipliers"
    )


def test_alternatives_trade_cycles_for_multipliers():
    choices = folding.alternatives(IRIS)
    cycles, multipliers = zip(*[(c, folding.total(folds)) for c, folds in choices], strict=True)
    assert list(cycles) == sorted(set(cycles)) and cycles[0] == 1 and cycles[-1] == 900
    assert list(multipliers) == sorted(set(multipliers), reverse=True) and multipliers[-1] == 4
    assert all(
        max(folds[layer.name].cycles(layer) for layer in IRIS) == cycles
        for cycles, folds in choices
    )


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "a goal must be given: target_cycles, max_multipliers"),
        ({"target_cycles": 0}, "target_cycles must be an integer from 1 to .*, got 0"),
        ({"max_multipliers": 1.5}, "max_multipliers must be an integer from 1 to .*, got 1.5"),
    ],
)
def test_an_illegal_goal_is_refused(keys, sentence):
    with pytest.raises(SpecError, match=f"folds: {sentence}"):
        Goal(**keys)
