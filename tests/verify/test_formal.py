"""The quick ones of what `make verify-formal` proves, and that each is refuted on a broken copy."""

import pytest

from common.paths import BUILD
from tb.modules.named_mutants import MUTANTS, Mutant, mutated
from verify.formal.properties import PROMISES, Contract, contracts
from verify.formal.softmax_proofs import Proof, ProofError, proofs

BROKEN = {
    "sum_is_255": Mutant(
        "sums-to-254", "mlp_softmax_remainder", "8'd255 : remainder", "8'd254 : remainder", ""
    ),
    "first_largest_wins": Mutant(
        "tie-goes-to-the-later-beat", "mlp_softmax_sum", "max > best", "max >= best", ""
    ),
    "none_is_above_nor_a_smaller_equal": Mutant(
        "times-256",
        "mlp_softmax_restoring",
        "{score, 8'd0} - {8'd0, score}",
        "{score, 8'd0}",
        "",
    ),
    "stable_while_stalled": Mutant(
        "moves-on-while-stalled",
        "mlp_softmax_remainder",
        "wire move = !out_valid || out_ready;",
        "wire move = !out_valid || out_ready || beat_last;",
        "",
    ),
    "nothing_is_invented": Mutant(
        "result-of-no-vector",
        "mlp_softmax_remainder",
        "gathered_valid <= beat_valid && beat_last;",
        "gathered_valid <= beat_last;",
        "",
    ),
}


def proof(name: str) -> Proof:
    (found,) = [proof for proof in proofs() if proof.name == name]
    return found


@pytest.mark.parametrize("name", ["taylor2-reciprocal-3by3-3.1", "taylor2-restoring-2by1-2.0"])
def test_softmax_is_proved(name: str) -> None:
    proof(name).prove(folder=BUILD / "formal" / f"test-{name}")


@pytest.mark.parametrize("promise", BROKEN)
def test_broken_copy_is_refuted(promise: str) -> None:
    mutant = BROKEN[promise]
    rtl = mutated(mutant, BUILD / "mutants" / f"formal-{mutant.name}")
    with pytest.raises(ProofError, match=promise):
        proof("taylor2-restoring-2by1-2.0").prove(
            rtl, folder=BUILD / "formal" / f"broken-{mutant.name}", promise=promise
        )


# One of each module that takes a solver seconds.
QUICK = (
    "skid_buffer-3",
    "stream_pack-4-2-2",
    "stream_unpack-3-1-2-1",
    "fold-3-2",
    "requantize-20-8-7",
    "relu-2-8",
    "linear-2-1-2-1",
    "softmax_taylor2-2-2-2-0",
    "softmax_max-2-2-2-0",
    "softmax_exp-2-2-2-0",
    "softmax_sum-2-2-2-0",
    "softmax_remainder-2-2-2-0",
)

# A mistake for each module's proof, by its name in tb/modules/named_mutants.py.
MISTAKES = {
    "skid_buffer-3": "loses-the-spare",
    "stream_pack-4-2-2": "keeps-a-short-vector",
    "stream_unpack-3-1-2-1": "payload-moves-while-stalled",
    "fold-3-2": "one-step-too-few",
    "requantize-20-8-7": "rounds-half-up",
    "relu-2-8": "no-relu",
    "linear-2-1-2-1": "no-bias",
    "softmax_taylor2-2-2-2-0": "polynomial-without-its-half",
    "softmax_max-2-2-2-0": "largest-of-too-few-lanes",
    "softmax_exp-2-2-2-0": "reads-the-next-entry-of-the-exponential",
    "softmax_sum-3-1-2-0": "tie-goes-to-the-later-beat",
    "softmax_reciprocal-3-1-2-0": "quotient-shifted-by-one",
    "softmax_restoring-2-2-2-0": "times-256",
    "softmax_remainder-2-2-2-0": "remainder-starts-at-256",
}

# A mistake for each promise of the contract.
BREACHES = {
    "stable_while_stalled": (
        "stream_unpack-3-1-2-1",
        Mutant(
            "turns-while-stalled",
            "mlp_stream_unpack",
            "else if (out_ready)\n            x <= x >> (LANES*W);",
            "else\n            x <= x >> (LANES*W);",
            "",
        ),
    ),
    "nothing_is_invented": (
        "stream_pack-4-2-2",
        Mutant("takes-any", "mlp_stream_pack", "in_last && complete", "in_last", ""),
    ),
    "each_result_in_order": (
        "requantize-9-4-3",
        Mutant("rounds-up", "mlp_requantize", "|| kept[0])", "|| 1'b1)", ""),
    ),
    "nothing_is_lost": (
        "stream_pack-4-2-2",
        Mutant("loses-all", "mlp_stream_pack", "in_last && complete", "in_last && 1'b0", ""),
    ),
    "nobody_waits_forever": (
        "stream_unpack-3-1-2-1",
        Mutant(
            "never-ready",
            "mlp_stream_unpack",
            "!out_valid || (out_ready && out_last)",
            "out_valid && out_ready && out_last",
            "",
        ),
    ),
    "no_more_than_fits": (
        "stream_pack-4-2-2",
        Mutant(
            "ever-ready",
            "mlp_stream_pack",
            "in_ready = !out_valid || out_ready",
            "in_ready = 1'b1",
            "",
        ),
    ),
}


def contract(name: str) -> Contract:
    (found,) = [contract for contract in contracts() if contract.name == name]
    return found


@pytest.mark.parametrize("name", QUICK)
def test_contract_is_proved(name: str) -> None:
    assert contract(name).prove(folder=BUILD / "formal" / f"test-{name}") >= 0


@pytest.mark.parametrize("name", MISTAKES)
def test_proof_is_refuted_on_a_broken_module(name: str) -> None:
    (mutant,) = [mutant for mutant in MUTANTS if mutant.name == MISTAKES[name]]
    assert mutant.module == contract(name).module
    rtl = mutated(mutant, BUILD / "mutants" / f"contract-{mutant.name}")
    with pytest.raises(ProofError, match="a promise is refuted"):
        contract(name).prove(rtl, folder=BUILD / "formal" / f"broken-{name}")


@pytest.mark.parametrize("promise", BREACHES)
def test_promise_of_the_contract_is_refuted(promise: str) -> None:
    name, mutant = BREACHES[promise]
    rtl = mutated(mutant, BUILD / "mutants" / f"breach-{mutant.name}")
    with pytest.raises(ProofError, match=f"{promise} is refuted"):
        contract(name).prove(rtl, folder=BUILD / "formal" / f"breach-{promise}", promise=promise)


def test_every_promise_and_every_module_has_its_mistake() -> None:
    assert set(BREACHES) == set(PROMISES)
    assert {contract(name).module for name in MISTAKES} == {c.module for c in contracts()}
