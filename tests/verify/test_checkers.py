"""Would the tests notice a checker that checks less? A slice of what `make verify-checkers` judges.

The slice is chosen by SEED, or by the commit where none is given; a failure names its mutant.
"""

import random
import re
from pathlib import Path
from typing import Any

import pytest

from common.jobs import Done
from common.paths import ROOT
from tests.verify.test_mutants import seed
from verify import record
from verify.checkers import judge, page, run
from verify.checkers.judge import CheckersError, Verdict
from verify.checkers.mutants import MUTANTS, Mutant

# Those whose tests simulate take seconds each.
SIMULATED = [mutant for mutant in MUTANTS if mutant.tests[0].startswith("tb/test_broken_")]
OTHERS = [mutant for mutant in MUTANTS if mutant not in SIMULATED]
DRAW = random.Random(seed())
SLICE = [*DRAW.sample(OTHERS, 5), *DRAW.sample(SIMULATED, 1)]


@pytest.mark.parametrize("mutant", SLICE, ids=lambda mutant: mutant.name)
def test_slice_is_killed(mutant: Mutant) -> None:
    told = judge.judged(mutant)
    assert told["outcome"] == "killed", f"SEED={seed()} {mutant.name}"
    assert told["test"] in mutant.tests[0] or mutant.tests[0].endswith(told["test"].split("[")[0])


def test_every_mutant_is_one_change_of_a_checker_with_a_test() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({judge.changed(mutant) for mutant in MUTANTS}) == len(MUTANTS)
    for mutant in MUTANTS:
        assert mutant.tests
        for test in mutant.tests:
            path, _, name = test.partition("::")
            text = (ROOT / path).read_text()
            function, _, case = name.rstrip("]").partition("[")
            assert re.search(rf"^def {function}\(", text, flags=re.MULTILINE), test
            assert case in text, test


# What judges them

TESTS = ("tests/common/test_paths.py",)
SOURCE = "common/paths.py"


def mutant(text: str, instead: str, tests: tuple[str, ...] = TESTS) -> Mutant:
    return Mutant("tried", SOURCE, text, instead, tests)


KILLED = mutant('else ROOT) / "build"', 'else ROOT) / "built"')
# In a checkout nothing is in front of a name.
SURVIVING = mutant("return PACKAGE + name if own else name", "return name")


def test_test_that_fails_kills(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(judge, "TREES", tmp_path)
    told = judge.judged(KILLED)
    assert told["outcome"] == "killed"
    assert told["test"] == "test_module_of_a_room_keeps_its_name_in_a_checkout"
    assert told["sentence"].startswith("AssertionError: assert PosixPath(")
    assert KILLED.text in (ROOT / SOURCE).read_text()
    assert list(tmp_path.iterdir()) == []


def test_mutant_that_no_test_notices_survives() -> None:
    assert judge.judged(SURVIVING) == {"outcome": "survived", "test": "", "sentence": ""}


@pytest.mark.parametrize(
    ("tried", "sentence"),
    [
        (
            mutant("ROOT / nothing", "ROOT"),
            "tried: its text must stand once in common/paths.py, go",
        ),
        (mutant("ROOT", "RTL"), r"tried: its text must stand once in .*, got \d+ times"),
        (mutant("return PACKAGE", "return return"), "tried: becomes no Python: invalid syntax"),
        (mutant("return PACKAGE", "return NOTHING"), "tried: must weaken a check, not break it: "),
        (mutant("return PACKAGE", "return PACKAGE", ("tests/none.py",)), "its tests must run, got"),
    ],
)
def test_what_is_no_mutant_is_no_kill(tried: Mutant, sentence: str) -> None:
    with pytest.raises(CheckersError, match=sentence):
        judge.judged(tried)


def test_tests_that_fail_anyway_judge_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge.unchanged(list(TESTS)) == 1
    failed = judge.Ran(1, "test_it", "it broke")
    monkeypatch.setattr(judge, "run_tests", lambda *_: failed)
    with pytest.raises(CheckersError, match="test_it: must pass without a mutant, got it broke"):
        judge.unchanged(list(TESTS))


JUNIT = "<testsuites><testsuite>{}</testsuite></testsuites>"
CASE = '<testcase name="test_it" classname="a">{}</testcase>'


@pytest.mark.parametrize(
    ("inside", "ran"),
    [
        ("", judge.Ran(0)),
        (CASE.format(""), judge.Ran(1)),
        (CASE.format('<error message="no fixture"/>'), judge.Ran(1)),
        (
            CASE.format("") + CASE.format('<failure message="it broke&#10;badly"/>'),
            judge.Ran(2, "test_it", "it broke badly"),
        ),
    ],
)
def test_only_a_test_that_fails_by_itself_is_read_as_one(
    inside: str, ran: judge.Ran, tmp_path: Path
) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text(JUNIT.format(inside))
    assert judge.read(junit) == ran


# What is written down


def verdict(tried: Mutant, outcome: str) -> Verdict:
    test = "test_it" if outcome == "killed" else ""
    told = {"outcome": outcome, "test": test, "sentence": "it broke"}
    return judge.verdict(tried, Done(told, 1.5))


GOOD = [verdict(mutant, "killed") for mutant in MUTANTS[:3]]
BAD = [*GOOD, verdict(MUTANTS[3], "survived")]


def test_page_has_every_verdict(tmp_path: Path) -> None:
    run.write_down(GOOD, tmp_path, 3)
    text = (tmp_path / run.PAGE).read_text()
    assert "3 of 3 judged." in text and "| sum | 3 | 3 | 0 |" in text
    assert "## Survived\n\nNone.\n" in text
    for found in GOOD:
        assert text.count(f"| `{found.mutant.name}` |") == 1
    assert page.figures(GOOD) == {"mutants": 3, "checkers": 1, "killed": 3, "survived": 0}


def test_survivor_is_named_and_fails_the_command(tmp_path: Path) -> None:
    name = MUTANTS[3].name
    with pytest.raises(CheckersError, match=rf"1 of 4 mutants survived: {name} \(tb/benches/"):
        run.write_down(BAD, tmp_path, 4)
    assert f"| `{name}` |" in (tmp_path / run.PAGE).read_text().partition("## Killed")[0]


def test_mutants_that_are_not_judged_fail_the_command(tmp_path: Path) -> None:
    for verdicts, of in ((GOOD, 4), ([], 0)):
        with pytest.raises(CheckersError, match=f"{len(verdicts)} of {of} mutants are judged"):
            run.write_down(verdicts, tmp_path, of)


@pytest.mark.parametrize("survives", [False, True])
def test_evidence_is_left_where_all_are_killed(
    survives: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left: list[dict[str, Any]] = []
    verdicts = BAD if survives else GOOD
    monkeypatch.setattr(run, "MUTANTS", tuple(found.mutant for found in verdicts))
    monkeypatch.setattr(run, "judge_all", lambda mutants, workers: verdicts)
    monkeypatch.setattr(run.record, "record", lambda name, **found: left.append(found))
    arguments = run.parser().parse_args(["--docs", str(tmp_path)])
    if survives:
        with pytest.raises(CheckersError, match="1 of 4 mutants survived"):
            run.run(arguments)
        assert left == []
        return
    run.run(arguments)
    assert left[0]["figures"]["killed"] == 3 and left[0]["level"] == 9
    assert {"tb.benches.scoreboard", "tb.test_divergence"} <= set(left[0]["modules"])


def test_claim_rests_on_every_checker_and_test_and_on_no_page() -> None:
    modules, given = run.evidence(MUTANTS)
    sources = record.rests_on(record.basis(modules, None, given))["sources"]
    for mutant in MUTANTS:
        assert {mutant.source, *(test.partition("::")[0] for test in mutant.tests)} <= set(sources)
    assert not [name for name in sources if name.startswith("docs/")]
    assert {"conftest.py", "verify/checkers/judge.py"} <= set(sources)


def test_what_stands_is_found_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "VERDICTS", tmp_path)
    (first, second) = MUTANTS[:2]
    (job,) = judge.jobs_of([first])
    told = {"outcome": "killed", "test": "test_it", "sentence": "it broke"}
    run.jobs.results.keep(tmp_path, job.name, job.key, {"result": told, "seconds": 1.5})
    (found,) = run.standing([first, second])
    assert (found.mutant, found.test) == (first, "test_it")
    changed = Mutant(first.name, first.source, first.text, first.instead + " ", first.tests)
    assert run.standing([changed]) == []
