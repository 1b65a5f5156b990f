"""A random slice of what `make verify-exhaustive` runs, and that it would notice."""

import pytest

from common.paths import BUILD
from model.stages.softmax import COMBINATIONS, SoftmaxSpec
from tb.modules.mutant import Mutant, mutated
from verify.campaigns.exhaustive import Case, ExhaustiveError

SLICE = 1 << 16
EXACT = Case("exp", "restoring", 4)

MUTANTS = {
    "sums-to-254": (
        Mutant("", "mlp_softmax_remainder", "8'd255 : remainder", "8'd254 : remainder", ""),
        "the sum is 255",
    ),
    "last-of-the-largest-wins": (
        Mutant("", "mlp_argmax_tree", "node[2*i+1] > node[2*i]", "node[2*i+1] >= node[2*i]", ""),
        "the winner is the first of the largest score",
    ),
    "divides-in-one-bit-less": (
        Mutant("", "mlp_softmax_restoring", "= rest[BITS];", "= {rest[BITS][7:1], 1'b0};", ""),
        r"a loser has exactly floor\(255 n / S\)",
    ),
    "drops-a-vector": (
        Mutant(
            "",
            "mlp_softmax_max",
            ".in_valid(beat_valid), .in_ready",
            ".in_valid(beat_valid && !(&largest[1:0])), .in_ready",
            "",
        ),
        "became",
    ),
}


@pytest.mark.parametrize(("score", "divider"), COMBINATIONS)
def test_softmax_keeps_its_promises_on_random_triples(score: str, divider: str) -> None:
    result = Case(score, divider, 4).run(SLICE)
    assert result["checked"] == SLICE
    for errors, count in ((result["losers"], 2 * SLICE), (result["winners"], SLICE)):
        assert sum(errors["counts"].values()) == count
    if divider == "restoring":
        assert result["losers_below"] == 0
    if (score, divider) == ("exp", "restoring"):
        assert result["losers"]["least"] >= -1.0 and result["losers"]["most"] <= 1.0
        assert result["winners"]["least"] >= -2.0 and result["winners"]["most"] <= 2.0


def test_it_takes_one_vector_a_cycle() -> None:
    result = EXACT.run(SLICE)
    assert result["cycles"] == SLICE + EXACT.spec.latency


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_breaks_a_promise(name: str) -> None:
    mutant, promise = MUTANTS[name]
    rtl = mutated(mutant, BUILD / "mutants" / f"exhaustive-{name}")
    with pytest.raises(ExhaustiveError, match=promise):
        EXACT.run(SLICE, rtl=rtl)


def test_shifted_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    words = EXACT.spec.images()
    shifted = {name: [*image[1:], image[-1]] for name, image in words.items()}
    monkeypatch.setattr(SoftmaxSpec, "images", lambda spec: shifted)
    with pytest.raises(ExhaustiveError, match=r"exp\.mem: is not ceil"):
        EXACT.run(SLICE)
