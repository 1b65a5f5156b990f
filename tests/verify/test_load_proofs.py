"""Each promise of what loads weights is refuted on a broken copy, and none is without an assertion.

That they hold is for `make verify-formal`: a proof of all of them takes a minute.
"""

import re

import pytest

from common.paths import BUILD
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import mutant_named
from verify.formal import load_proofs
from verify.formal.softmax_proofs import ProofError

# A mistake for each promise of weights that load.
LOADS = {
    "what_answers_is_never_written": mutant_named("loads-the-bank-that-answers"),
    "answers_are_of_one_frame": mutant_named("loads-without-its-turn"),
    "turns_after_a_whole_right_frame": mutant_named("takes-a-wrong-checksum"),
    "turns_when_done": mutant_named("reset-changes-banks"),
    "turns_between_vectors": mutant_named("banks-change-under-way"),
    "refuses_all_others": mutant_named("refuses-in-silence"),
    "takes_unless_one_is_pending": mutant_named("takes-a-frame-while-one-is-complete"),
    "holds_back_only_while_one_is_pending": mutant_named("beats-are-never-released"),
    "no_beat_is_invented": Mutant(
        "offers-what-it-holds", "mlp_load", "out_valid = in_valid && !hold", "out_valid = hold", ""
    ),
    "stable_while_stalled": mutant_named("holds-a-beat-back-that-was-offered"),
    "nobody_waits_forever": Mutant(
        "never-changes", "mlp_load", "hold && !waits", "hold && waits", ""
    ),
    "bytes_go_to_the_memories": Mutant(
        "writes-what-it-did-not-take",
        "mlp_load",
        "s_load_tvalid && s_load_tready;",
        "s_load_tvalid;",
        "",
    ),
    "each_as_it_came": Mutant(
        "turns-each-byte",
        "mlp_load",
        "value     <= s_load_tdata",
        "value     <= {s_load_tdata[0], s_load_tdata[7:1]}",
        "",
    ),
    "reset_forgets_a_frame": Mutant(
        "takes-a-byte-in-a-reset",
        "mlp_load",
        "if (rst)\n                    byte_valid",
        "if (1'b0)\n                    byte_valid",
        "",
    ),
}
# Of a promise that speaks of several mistakes.
MORE_LOADS = [
    ("turns_after_a_whole_right_frame", mutant_named("takes-a-frame-of-any-length")),
    ("turns_after_a_whole_right_frame", mutant_named("takes-a-long-frame")),
]


@pytest.mark.parametrize(
    ("promise", "mutant"),
    [*LOADS.items(), *MORE_LOADS],
    ids=lambda value: value.name if isinstance(value, Mutant) else None,
)
def test_load_that_breaks_a_promise_is_refuted(promise: str, mutant: Mutant) -> None:
    (proof,) = load_proofs.proofs()
    rtl = mutated(mutant, BUILD / "mutants" / f"load-{mutant.name}")
    with pytest.raises(ProofError, match=f"{promise} is refuted"):
        proof.prove(rtl, folder=BUILD / "formal" / f"load-{mutant.name}", promise=promise)


def test_every_promise_of_a_load_is_asserted_and_has_its_mistake() -> None:
    # The solver looks at one assertion by its name: where none has it, there is nothing to refute.
    asserted = re.findall(r"(\w+): assert", load_proofs.WRAPPER.read_text())
    assert asserted and set(asserted) == set(load_proofs.PROMISES) == set(LOADS)
