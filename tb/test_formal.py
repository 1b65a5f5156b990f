"""Two of the proofs that `make formal` runs, and that each promise is refuted on a broken copy."""

import pytest

from tb.formal import Proof, ProofError, proofs
from tb.named_mutants import Mutant, mutated
from tb.tools import BUILD

BROKEN = {
    "sum_is_255": Mutant(
        "sums-to-254", "mlp_softmax_settle", "8'd255 : remainder", "8'd254 : remainder", ""
    ),
    "first_largest_wins": Mutant(
        "tie-goes-to-the-later-beat", "mlp_softmax_total", "max > best", "max >= best", ""
    ),
    "none_is_above_nor_a_smaller_equal": Mutant(
        "times-256",
        "mlp_softmax_divider",
        "{score, 8'd0} - {8'd0, score}",
        "{score, 8'd0}",
        "",
    ),
    "stable_while_stalled": Mutant(
        "moves-on-while-stalled",
        "mlp_softmax_settle",
        "wire move = !out_valid || out_ready;",
        "wire move = !out_valid || out_ready || beat_last;",
        "",
    ),
    "nothing_is_invented": Mutant(
        "result-of-no-vector",
        "mlp_softmax_settle",
        "gathered_valid <= beat_valid && beat_last;",
        "gathered_valid <= beat_last;",
        "",
    ),
}


def proof(name: str) -> Proof:
    (found,) = [proof for proof in proofs() if proof.name == name]
    return found


@pytest.mark.parametrize("name", ["taylor2-lut-3by3-3.1", "taylor2-divider-2by1-2.0"])
def test_softmax_is_proved(name: str) -> None:
    proof(name).prove(folder=BUILD / "formal" / f"test-{name}")


@pytest.mark.parametrize("promise", BROKEN)
def test_broken_copy_is_refuted(promise: str) -> None:
    mutant = BROKEN[promise]
    rtl = mutated(mutant, BUILD / "mutants" / f"formal-{mutant.name}")
    with pytest.raises(ProofError, match=promise):
        proof("taylor2-divider-2by1-2.0").prove(
            rtl, folder=BUILD / "formal" / f"broken-{mutant.name}", promise=promise
        )
