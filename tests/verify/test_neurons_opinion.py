"""The second opinion: gates calculate as integers do, a neuron is proved, other weights are not."""

import dataclasses
from pathlib import Path

import pytest

from common.paths import BUILD
from model import artifact
from model.artifact import Network
from verify.formal import neurons_proof
from verify.formal.neurons_layer import design
from verify.formal.neurons_opinion import GATES, OPINIONS, PAIRS, Gates, opinion
from verify.formal.neurons_words import constant, number
from verify.formal.softmax_proofs import ProofError

IRIS = artifact.load(neurons_proof.file("iris"))
FOLDER = BUILD / "formal" / "opinion-test"
FC3 = 3
WIDTH = 4


@pytest.mark.parametrize("a", range(1 << WIDTH))
def test_gates_calculate_as_integers_do(a: int) -> None:
    """On words of constants, which are the literals 0 and 1."""
    words, x = Gates(), constant(a, WIDTH)
    signed = [k - (k >> 3 << 4) for k in range(1 << WIDTH)]
    for b in range(1 << WIDTH):
        y = constant(b, WIDTH)
        expected = {
            "BV_SUB": (a - b) % 16,
            "BV_MUL": a * b % 16,
            "BV_AND": a & b,
            "BV_OR": a | b,
            "BV_XOR": a ^ b,
            "BV_COMP": a == b,
        }
        found = {kind: number(words.apply(kind, [x, y])) for kind in expected}
        assert found == expected
        assert number(words.add(x, y)) == (a + b) % 16
        assert number(words.multiply(x, y)) == a * b % 16
        assert words.holds("EQUAL", x, y) == (a == b,)
        assert words.holds("BV_UGT", x, y) == (a > b,)
        assert words.holds("BV_SLT", x, y) == (signed[a] < signed[b],)
        assert words.holds("BV_SGT", x, y) == (signed[a] > signed[b],)
        assert (words.either((0,), x, y), words.either((1,), x, y)) == (y, x)
    assert words.apply("BV_NOT", [x]) == constant(~a, WIDTH)
    assert words.apply("BV_REDOR", [x]) == (a > 0,)
    assert words.apply("BV_REDAND", [x]) == (a == 15,)


def test_operator_that_is_not_known_is_refused() -> None:
    with pytest.raises(ProofError, match=r"operator must be of a known kind, got BV_UDIV"):
        Gates().apply("BV_UDIV", [constant(1, 4), constant(2, 4)])


def test_product_of_the_rtl_is_that_of_the_network(tmp_path: Path) -> None:
    """By rows and by digits, of any value; with another constant it is not."""
    for by, proved in ((-77, True), (-76, False)):
        words = Gates()
        x = words.fresh("x", 12)
        rows = words.apply("BV_MUL", [x, constant(-77, 12)])
        words.require_equal("neuron 0: its tree", rows, words.multiply(x, constant(by, 12)))
        assert words.pairs
        if proved:
            words.decide(tmp_path / str(by))
        else:
            with pytest.raises(ProofError, match=r"neuron 0: its tree and others: ABC does not"):
                words.decide(tmp_path / str(by))


def test_neurons_of_a_layer_are_proved_and_another_weight_is_not() -> None:
    found = design(IRIS, FC3, FOLDER / "fc3")
    figures = opinion(found, IRIS, FC3, FOLDER / "fc3" / "abc")
    layer = IRIS.spec.layers[FC3]
    # Of each neuron two; in each cycle if a vector leaves, in the first if one is taken.
    assert figures[OPINIONS] == 2 * layer.n_out + layer.latency + 2
    assert 0 < figures[PAIRS] < figures[GATES]
    with pytest.raises(ProofError, match=r"fc3: in_ready and others: ABC does not"):
        opinion(found, with_weight(2, 29, 1), FC3, FOLDER / "fc3" / "abc")


def with_weight(output: int, element: int, change: int) -> Network:
    """IrisNet with another weight in fc3."""
    weights = {name: array.copy() for name, array in IRIS.weights.items()}
    weights["fc3"][output, element] += change
    return dataclasses.replace(IRIS, weights=weights)


def test_order_is_not_asked() -> None:
    words = Gates()
    words.require_equal("neuron 0: order of its sum", (0,), (1,))
    assert (words.left, words.asked) == (["neuron 0: order of its sum"], [])
    words.decide(FOLDER)
