"""The quick ones of what `make verify-formal` proves, and that each is refuted on a broken copy."""

import pytest

from common.paths import BUILD
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import CONTRACTS, contract_named, mutant_named
from verify.formal.properties import PROMISES, prove
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
    "each_result_in_order": ("requantize-9-4-3", mutant_named("rounds-half-up")),
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


@pytest.mark.parametrize("name", [contract.name for contract in CONTRACTS if contract.quick])
def test_contract_is_proved(name: str) -> None:
    assert prove(contract_named(name), folder=BUILD / "formal" / f"test-{name}") >= 0


@pytest.mark.parametrize("name", [contract.name for contract in CONTRACTS if contract.mistake])
def test_proof_is_refuted_on_a_broken_module(name: str) -> None:
    contract = contract_named(name)
    mutant = mutant_named(str(contract.mistake))
    assert mutant.module == contract.module
    rtl = mutated(mutant, BUILD / "mutants" / f"contract-{mutant.name}")
    with pytest.raises(ProofError, match="a promise is refuted"):
        prove(contract, rtl, folder=BUILD / "formal" / f"broken-{name}")


@pytest.mark.parametrize("promise", BREACHES)
def test_promise_of_the_contract_is_refuted(promise: str) -> None:
    name, mutant = BREACHES[promise]
    rtl = mutated(mutant, BUILD / "mutants" / f"breach-{mutant.name}")
    with pytest.raises(ProofError, match=f"{promise} is refuted"):
        prove(
            contract_named(name),
            rtl,
            folder=BUILD / "formal" / f"breach-{promise}",
            promise=promise,
        )


def test_wait_that_no_bench_of_the_core_can_see_is_refuted() -> None:
    """The walk begins long before it comes to a word that is still written."""
    mutant = Mutant("waits-less", "mlp_learn_control", "quiet + 3'd1", "(quiet + 3'd1) ^ 3'd2", "")
    rtl = mutated(mutant, BUILD / "mutants" / f"breach-{mutant.name}")
    (contract,) = (found for found in CONTRACTS if found.module == mutant.module)
    folder = BUILD / "formal" / "breach-waits-less"
    with pytest.raises(ProofError, match="waits_for_the_last_write is refuted"):
        prove(contract, rtl, folder=folder, promise="waits_for_the_last_write")


def test_every_promise_and_every_module_has_its_mistake() -> None:
    assert set(BREACHES) == set(PROMISES)
    proved = {contract.module for contract in CONTRACTS}
    assert {contract.module for contract in CONTRACTS if contract.mistake} == proved
