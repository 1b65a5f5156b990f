"""Would the benches notice? Named mistakes, and a slice of what `make verify-mutation` judges.

The slice is chosen by SEED, or by the commit where none is given; a failure names its mutant. Its
mutants are those of the ledger's claim: a commit that breaks none of it finds none that survives.
Others are for a campaign, as by `make verify-mutation SEED=2`.
"""

import dataclasses
import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from common import sources
from common.paths import BUILD, ROOT
from tb.modules import learning
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import MODULES, MUTANTS, SUBJECTS, case_named
from tb.sim.runner import MAX_FAILURES, SimulationFailed
from verify.formal.pdr import Verdict
from verify.mutation import equivalence, judge, netlist_mutants, parts, run, within
from verify.mutation.netlist_mutants import (
    Mutants,
    NetlistMutant,
    Subject,
    quotas,
    subject_of,
)

SLICE_CASES = 4
MUTANTS_OF_CASE = 3
MUTANTS_JUDGED = run.parser().get_default("count")


@pytest.fixture(autouse=True)
def proofs_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tests that run at once may ask for the same mutant."""
    monkeypatch.setattr(equivalence, "FOLDER", tmp_path / "of-equivalence")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_bench_catches(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAX_FAILURES, "1")
    rtl = mutated(mutant, BUILD / "mutants" / mutant.name)
    case = case_named(mutant.case)
    assert case.module == (MODULES[mutant.module].within or mutant.module)
    with pytest.raises(SimulationFailed):
        case.run("icarus", rtl=rtl, name=f"mutant-{mutant.name}")


def seed() -> int:
    """SEED, or one that each commit has of its own."""
    if "SEED" in os.environ:
        return int(os.environ["SEED"])
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(head.stdout[:7] or "1", 16)


CASES_OF_SLICE = random.Random(seed()).sample(
    [name for names in SUBJECTS.values() for name in names], SLICE_CASES
)


@pytest.mark.parametrize("name", CASES_OF_SLICE)
def test_slice_is_killed_or_equivalent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # No proof depends on how busy a machine is.
    monkeypatch.setattr(judge, "PROOF_SECONDS", 10 * judge.PROOF_SECONDS)
    subject = Subject(case_named(name))
    mutants = subject.mutants(quotas(MUTANTS_JUDGED, SUBJECTS)[name], run.SEED)
    assert judge.complaint_of(subject, mutants, None) is None
    count = min(MUTANTS_OF_CASE, len(mutants.every))
    for mutant in random.Random(seed()).sample(mutants.every, count):
        outcome, why = judged(subject, mutants, mutant)
        assert outcome != "survived", (
            f"SEED={seed()} {mutant.name}: {mutant.sentence}, {mutant.source}: {why}"
        )


def judged(subject: Subject, mutants: Mutants, mutant: NetlistMutant) -> tuple[str, str]:
    """The outcome of a mutant by Yosys, and why."""
    complaint = judge.complaint_of(subject, mutants, mutant)
    if complaint is not None:
        return "killed", complaint
    told = judge.proof_of(subject, mutant)
    return str(told["outcome"]), str(told["why"])


def chosen(case: str, change: str, bench: str = "stream_bench") -> tuple[str, str]:
    """The verdict on one mutant of a case, by Yosys' names for it."""
    subject = Subject(dataclasses.replace(case_named(case), bench=bench))
    mutants = subject.mutants(1, 1, change)
    (mutant,) = mutants.every
    return judged(subject, mutants, mutant)


def test_mutant_that_no_bench_notices_survives() -> None:
    outcome, why = chosen("relu-1-8", "-mode inv -port Y -portbit 0", bench="idle_bench")
    assert (outcome, why) == ("survived", "a run of 0 cycles tells them apart")


def test_mutant_that_changes_nothing_is_proved_equivalent() -> None:
    # The sign bit of a ReLU is 0 whatever its gate says.
    outcome, why = chosen("relu-1-8", "-mode const0 -port Y -portbit 7")
    assert (outcome, why) == ("equivalent", "proved, 0 frames")


def test_mutant_of_what_nothing_reads_is_equivalent_without_a_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A core that is not loadable reads no word of a load, and is too large for a proof."""
    monkeypatch.setattr(equivalence, "decide", None)
    whole = Subject(case_named("top-4x6x3"))
    (mutant,) = whole.mutants(1, 1, "-mode inv -cell u_load -port s_load_tdata -portbit 4").every
    assert equivalence.compare(whole, mutant) == Verdict(True, 0)


def test_subject_finds_its_images_where_yosys_does_not_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Yosys' sandbox has a /tmp of its own; a parameter names the folder of a sigmoid's table."""
    monkeypatch.setattr(netlist_mutants, "FOLDER", tmp_path)
    assert (Subject(case_named("output-sigmoid-1by1-8.4")).folder / "whole.il").stat().st_size


def test_copies_with_another_cell_are_not_the_same() -> None:
    text = "module \\m\n  wire \\a\n  cell $not $1\n    connect \\A \\a\n  end\nend\n"
    for old, new, same in (
        ("$1", "$2", True),
        ("$not", "$pos", False),
        ("\\A \\a", "\\A 1'0", False),
        ("  wire \\a", "  wire width 2 \\a", False),
        ("  wire \\a", "  attribute \\init 1'0\n  wire \\a", False),
        ("  wire \\a\n", "  wire \\a\n  connect \\a 1'1\n", False),
    ):
        other = text.replace(old, new)
        assert (equivalence.contents(text) == equivalence.contents(other)) == same


@pytest.mark.parametrize(
    ("case", "change", "holds"),
    [
        # Nothing depends on the clocks of delays of no cycle, of tables that are read without
        # one, and of one register of many: the best score of earlier beats, where there is one.
        ("argmax-3by1-8.4", "-mode const1 -cell u_valid -port clk", {True}),
        ("argmax-3by1-8.4", "-mode inv -cell u_lanes -port clk", {True}),
        ("rom-70-12", "-mode const1 -port RD_CLK", {True}),
        ("vector-16-1-2-3-4", "-mode inv -port RD_CLK", {True}),
        ("softmax_sum-3by3-8.4", "-mode const0 -port CLK", {True, False}),
        # A register, a part and a memory that keep what they begin with.
        ("fold-3-4", "-mode const0 -port CLK", {False}),
        ("argmax-3by1-8.4", "-mode const1 -cell u_gather -port clk", {False}),
        ("vector-12-4-4-2-8", "-mode const1 -port WR_CLK", {False}),
    ],
)
def test_clock_that_stands_still_is_decided(case: str, change: str, holds: set[bool]) -> None:
    """Whether a mutant's clock matters."""
    subject = Subject(case_named(case))
    found = [equivalence.compare(subject, m) for m in subject.mutants(20, 1, change).every]
    assert {verdict and verdict.holds for verdict in found} == holds


def test_mutant_at_the_falling_edge_is_killed_by_a_rule() -> None:
    """A payload of a skid buffer may come half a cycle early: no bench sees it."""
    outcome, why = chosen("skid_buffer-24", "-mode inv -port CLK", bench="idle_bench")
    assert (outcome, why) == ("killed", judge.RULE)
    assert f"def {judge.RULE}(" in (ROOT / "tests/repo/test_structure.py").read_text()


def test_every_module_has_mutants_by_its_lines() -> None:
    modules = {path.stem for path in sources.verilog()} - {m.name for m in learning.MODULES}
    assert set(SUBJECTS) == modules
    shares = quotas(MUTANTS_JUDGED, SUBJECTS)
    assert set(shares) == {name for names in SUBJECTS.values() for name in names}
    assert MUTANTS_JUDGED <= sum(shares.values()) < MUTANTS_JUDGED + len(modules)
    assert all(
        case_named(name).module == module for module, names in SUBJECTS.items() for name in names
    )


def test_parts_with_a_bench_have_mutants_of_their_own() -> None:
    """The others are mutated within the whole core."""
    without = {module.name for module in learning.MODULES} - set(run.PARTS)
    assert without == set(within.PARTS)
    assert all(quotas(within.COUNT, {name: (name,) for name in without}).values())
    shares = quotas(140, run.PARTS)
    assert all(shares[name] for names in run.PARTS.values() for name in names)


def test_mutant_within_the_core_is_noticed_and_the_core_itself_is_not() -> None:
    """A core that keeps its network while another one comes, and counts on."""
    _, mutants = within.whole().mutants("mlp_learn_control", 4, 1)
    change = mutants[2].change
    assert "-mode inv" in change and mutants[2].source == "mlp_learn_control.v:117"
    assert within.notice("mlp_learn_control", None, 4, 1) == {"complaint": None}
    complaint = within.notice("mlp_learn_control", 2, 4, 1)["complaint"]
    assert complaint is not None and "mlp_learn_top: goes_on_from_a_saved_state" in complaint


def test_part_alone_is_told_from_its_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = within.prove("mlp_learn_control", 1, 4, 1)
    assert outcome["outcome"] == "killed" and "a promise is refuted" in str(outcome["why"])
    monkeypatch.setattr(within, "CONTRACTS", ())
    outcome = within.prove("mlp_learn_control", 1, 4, 1)
    assert outcome["outcome"] == "survived"
    assert re.fullmatch(r"a run of \d+ cycles tells them apart", str(outcome["why"]))


def test_user_who_keeps_no_promise_tells_a_part_from_its_mutant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a part's users owe it decides what is equivalent; without it the miter finds a run."""
    part = subject_of("learn_ram-3-3-5")
    mutant = part.mutants(6, 1).every[1]
    assert judge.proof_of(part, mutant)["outcome"] == "equivalent"
    monkeypatch.setattr(parts, "ASSUMED", {})
    assert judge.proof_of(part, mutant)["outcome"] == "survived"


@pytest.mark.parametrize(
    ("case", "change"),
    [
        # A total of 1, the only one to show bit 8 of a product, leaves bit 3 at 0 in any score's.
        ("softmax_reciprocal-3by1-8.4", "-mode cnot1 -port Q -portbit 8 -ctrlbit 3"),
        # Every beat counts as a vector's last, which it is where vectors have one.
        ("softmax_sum-3by3-8.4", "-mode const1 -cell u_scores -port out_data -portbit 45"),
    ],
)
def test_input_that_no_user_gives_would_tell_a_module_from_its_mutant(
    monkeypatch: pytest.MonkeyPatch, case: str, change: str
) -> None:
    """A score above its total; a vector of one beat without an end."""
    subject = subject_of(case)
    proposed, *control = re.split(r" (?=-ctrlbit)", change)
    (mutant,) = subject.mutants(1, 1, proposed).every
    for bit in control:  # Yosys draws it, whatever it is asked for
        chosen_bit = re.sub(r"-ctrlbit \d+", bit, mutant.change)
        mutant = dataclasses.replace(mutant, number=999, change=chosen_bit)
    assert judge.proof_of(subject, mutant)["outcome"] == "equivalent"
    monkeypatch.setattr(equivalence, "ASSUMED", {})
    assert judge.proof_of(subject, mutant)["outcome"] == "survived"


@pytest.mark.parametrize("name", ["top-4x6x3", "rom-70-12"])
def test_subject_has_the_parameters_of_its_case(name: str, tmp_path: Path) -> None:
    subject = Subject(case_named(name))
    parameters, options = case_named(name).prepare(tmp_path)
    here = {
        key: value.replace(str(subject.folder), str(tmp_path)) if isinstance(value, str) else value
        for key, value in subject.parameters.items()
    }
    assert here == parameters
    told = json.dumps(subject.options).replace(str(subject.folder), str(tmp_path))
    assert told == json.dumps(options)
    assert all(Path(value).exists() for value in subject.parameters.values() if "/" in str(value))


def test_mutant_names_its_source_line() -> None:
    change = "-mode inv -module m -cell $c -port A -portbit 3 -src a.v:1.2-3.4 -src b.v:75.5-76.8"
    mutant = NetlistMutant("case", 7, change)
    assert (mutant.name, mutant.source) == ("case-007", "b.v:75")
    assert mutant.sentence == "inv at A[3] of $c"


def test_part_with_memories_is_proved_equal_to_itself() -> None:
    """What lies beyond a memory's last word must be the same in both copies."""
    _, (mutant, *_) = within.whole().mutants("mlp_learn_engine", 1, 1)
    change = re.sub(r"-mode \w+", "-mode none", mutant.change)
    itself = dataclasses.replace(mutant, number=999, change=change)
    part = within.Alone(within.whole(), "mlp_learn_engine")
    assert equivalence.compare(part, itself, undefined_is_zero=True).holds


def test_contract_refutes_what_the_bench_of_the_core_cannot_see() -> None:
    """A wait that is too short by cycles of which the core has more than it needs."""
    core, module = within.whole(), "mlp_learn_control"
    change = f"inv at Y[1] of $add${module}.v:124$"
    (waits,) = (m for m in core.mutants(module, 11, 1)[1] if m.sentence.startswith(change))
    part = within.Alone(core, module)
    broken = within.breach(part, waits, module)
    assert broken and "learn_control: a promise is refuted after" in broken
    change = re.sub(r"-mode \w+", "-mode none", waits.change)
    assert (
        within.breach(part, dataclasses.replace(waits, number=999, change=change), module) is None
    )
