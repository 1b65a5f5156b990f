"""What `make verify-mutation` says of its verdicts, and that it fails where a mutant survived."""

from pathlib import Path

import pytest

from verify.mutation import page as mutation_page
from verify.mutation import run
from verify.mutation.judge import Outcome, Verdict


def verdict(name: str, outcome: Outcome) -> Verdict:
    change, source = "inv at Y[0] of $and", "mlp_relu.v:34"
    return Verdict("netlist", "mlp_relu", name, outcome, change, source, "because", 1.5)


GOOD = [verdict("relu-1-8-000", "killed"), verdict("relu-1-8-001", "equivalent")]
BAD = [*GOOD, verdict("relu-1-8-002", "survived")]


def test_good_verdicts_are_written_and_counted(tmp_path: Path) -> None:
    run.write_down(GOOD, tmp_path, 7, 2)
    page = (tmp_path / "mutation.md").read_text()
    assert "Seed 7, 2 of 2 judged." in page and "| by Yosys | 2 | 1 | 1 | 0 |" in page
    assert "## Survived\n\nNone.\n" in page
    assert mutation_page.figures(GOOD)["killed"] == 1


def test_survivor_is_named_with_its_source_line_and_fails_the_command(tmp_path: Path) -> None:
    with pytest.raises(run.MutantsError, match=r"1 of 3 .* relu-1-8-002 \(mlp_relu.v:34\)"):
        run.write_down(BAD, tmp_path, 7, 3)
    page = (tmp_path / "mutation.md").read_text()
    assert "| `relu-1-8-002` | mlp_relu.v:34 | `inv at Y[0] of $and` | because |" in page


def test_what_is_not_judged_yet_fails_the_command(tmp_path: Path) -> None:
    for verdicts, of in ((GOOD, 3), ([], 0)):
        with pytest.raises(run.MutantsError, match=f"{len(verdicts)} of {of} mutants"):
            run.write_down(verdicts, tmp_path, 7, of)


def test_survivor_leaves_no_evidence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorded: list[str] = []
    monkeypatch.setattr(run, "netlist_cases", lambda subjects, count, seed, workers: ([], []))
    monkeypatch.setattr(run, "MUTANTS", [])
    monkeypatch.setattr(run, "propose_data", lambda count, seed: [])
    monkeypatch.setattr(run.record, "record", lambda name, **figures: recorded.append(name))
    arguments = run.parser().parse_args(["--docs", str(tmp_path)])
    for verdicts in (BAD, []):
        monkeypatch.setattr(
            run,
            "judge_all",
            lambda cases, workers, label, v=verdicts: v if "Yosys" in label else [],
        )
        with pytest.raises(run.MutantsError):
            run.run(arguments)
    monkeypatch.setattr(
        run, "judge_all", lambda cases, workers, label: GOOD if "Yosys" in label else []
    )
    run.run(arguments)
    assert recorded == ["mutants"]
