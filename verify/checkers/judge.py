"""The fate of a changed checker: a copy of the checkout has the change, and its tests run there.

A mutant is killed where one of its tests fails, and has survived where all pass. Nothing else is a
verdict: tests that do not run, that fail on the unchanged checkout, that break on a name or a type
instead of a check, and a text that does not stand once in its source are errors.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from common import jobs
from common.errors import CommandError
from common.jobs import Done, Job
from common.paths import BUILD, ROOT
from verify.checkers.mutants import MUTANTS, Mutant

HERE = "verify.checkers.judge"
FOLDER = BUILD / "checkers"
TREES, VERDICTS = FOLDER / "trees", FOLDER / "verdicts"
# A test that takes longer is no verdict.
SECONDS = 7200
# Characters of a failure's message that are kept.
MOST = 400
# Statuses of pytest.
PASSED, FAILED = 0, 1
# Read by every test, and imported by none.
SETTINGS = ("conftest.py", "pyproject.toml", "tb/conftest.py", "tests/conftest.py")
# Settings under which a test would be another one, and those of a pytest that this one runs in.
FOREIGN = re.compile(
    r"(PYTEST|COCOTB|GPI|VERBATIM)_\w+|PYTHONPATH|CI|CLUSTER|NETLIST|SEED|SIM|WAVES"
)
# What a change that is no weaker check, but broken Python, fails with.
BROKEN = re.compile(
    r"^E .*\b(NameError|UnboundLocalError|AttributeError|ImportError|SyntaxError)\b", re.MULTILINE
)

Outcome = Literal["killed", "survived"]


class CheckersError(CommandError):
    """A mutant that is none, or that survived, and tests that do not run: the message names it."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of a mutant; ``test`` and its ``sentence`` are empty where all have passed."""

    mutant: Mutant
    outcome: Outcome
    test: str
    sentence: str
    seconds: float


@dataclass(frozen=True)
class Ran:
    """Some tests in a copy: the first that failed with its message, or neither; how many."""

    count: int
    test: str = ""
    sentence: str = ""


def changed(mutant: Mutant, root: Path = ROOT) -> str:
    """Text of the source with the mutant in it.

    Raises `CheckersError` where the text does not stand in it once, or the result is no Python.
    """
    text = (root / mutant.source).read_text()
    if text.count(mutant.text) != 1:
        raise CheckersError(
            f"{mutant.name}: its text must stand once in {mutant.source}, "
            f"got {text.count(mutant.text)} times"
        )
    found = text.replace(mutant.text, mutant.instead)
    if mutant.source.endswith(".py"):
        try:
            ast.parse(found)
        except SyntaxError as error:
            raise CheckersError(f"{mutant.name}: becomes no Python: {error}") from error
    return found


@contextmanager
def copy_of_checkout(mutant: Mutant | None) -> Iterator[Path]:
    """A copy of the checkout with a mutant in it, or as it is, for as long as the block takes.

    What is built, installed or hidden is left out; what Python has compiled is kept, since it
    tells by itself that a source has changed.
    """
    text = None if mutant is None else changed(mutant)
    TREES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TREES, prefix="tree-") as name:
        folder = Path(name) / ROOT.name
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("build", ".*"))
        if mutant is not None and text is not None:
            source = folder / mutant.source
            for compiled in (source.parent / "__pycache__").glob(f"{source.stem}.*"):
                compiled.unlink()
            source.unlink()
            source.write_text(text)
        yield folder


def run_tests(folder: Path, tests: Sequence[str], label: str) -> Ran:
    """Run tests in a copy, up to the first that fails.

    Raises `CheckersError` where they do not run, or do not end.
    """
    junit = folder / "junit.xml"
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    # No plugin that is not named has a say.
    environment = kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    # Of the family of JUnit files that may hold what a test records.
    options = ["-q", "-x", "--tb=short", "-o", "junit_family=legacy", f"--junitxml={junit}"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckersError(f"{label}: its tests must end in {SECONDS} s") from error
    lines = (done.stdout + done.stderr).strip().split("\n")
    said = next((line for line in lines if re.match(r"E  |ERROR", line)), lines[-1]).strip()
    if done.returncode not in (PASSED, FAILED) or not junit.exists():
        raise CheckersError(f"{label}: its tests must run, got {said}")
    ran = read(junit)
    if (done.returncode == FAILED) != bool(ran.test) or ran.count == 0:
        raise CheckersError(f"{label}: a test must fail by itself, got {said}")
    if ran.test and (broken := BROKEN.search(done.stdout)):
        raise CheckersError(f"{label}: must weaken a check, not break it: {broken[0][1:].strip()}")
    return ran


def read(junit: Path) -> Ran:
    """Return the count of tests in a JUnit file, and the first that has failed by itself."""
    cases = list(ElementTree.parse(junit).iter("testcase"))
    for case in cases:
        failure = case.find("failure")
        if failure is not None:
            words = " ".join(str(failure.get("message", "")).split())
            return Ran(len(cases), str(case.get("name")), words[:MOST])
    return Ran(len(cases))


def unchanged(tests: list[str]) -> int:
    """Count of these tests, all of which pass in a copy as it is; raises `CheckersError` else."""
    with copy_of_checkout(None) as folder:
        ran = run_tests(folder, tests, tests[0])
    if ran.test:
        raise CheckersError(f"{ran.test}: must pass without a mutant, got {ran.sentence}")
    return ran.count


def judge(name: str) -> dict[str, str]:
    """The outcome of the mutant of this name, and the test that noticed it."""
    return judged(named(name))


def judged(mutant: Mutant) -> dict[str, str]:
    """The outcome of a mutant, and the test that noticed it."""
    with copy_of_checkout(mutant) as folder:
        ran = run_tests(folder, mutant.tests, mutant.name)
    outcome: Outcome = "killed" if ran.test else "survived"
    return {"outcome": outcome, "test": ran.test, "sentence": ran.sentence}


def named(name: str) -> Mutant:
    """The mutant of this name."""
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def module_of(path: str) -> str:
    """``tests.verify.test_ledger`` of ``tests/verify/test_ledger.py::test_it``."""
    return path.partition("::")[0].removesuffix(".py").replace("/", ".")


def modules_of(mutants: Sequence[Mutant]) -> list[str]:
    """Modules of the tests of some mutants, and of what they change."""
    paths = {path for mutant in mutants for path in (*mutant.tests, mutant.source)}
    return sorted({module_of(path) for path in paths if not path.endswith(".cpp")})


def rests_on(mutants: Sequence[Mutant]) -> dict[str, Any]:
    """Ingredients of verdicts on some mutants: their tests, sources, and all behind them."""
    found = jobs.rests_on(*modules_of(mutants), files=[ROOT / name for name in SETTINGS])
    return dict(found)


def jobs_of(mutants: Sequence[Mutant]) -> list[Job]:
    """A job each."""
    return [
        Job(
            mutant.name,
            f"{HERE}:judge",
            {"name": mutant.name},
            {**rests_on([mutant]), "change": asdict(mutant)},
        )
        for mutant in mutants
    ]


def jobs_without(mutants: Sequence[Mutant]) -> list[Job]:
    """A job for each file of tests of some mutants: they must pass on the checkout as it is."""
    tests: dict[str, list[str]] = {}
    for path in sorted({path for mutant in mutants for path in mutant.tests}):
        tests.setdefault(module_of(path), []).append(path)
    settings = [ROOT / name for name in SETTINGS]
    return [
        Job(
            f"unchanged-{module}",
            f"{HERE}:unchanged",
            {"tests": paths},
            dict(jobs.rests_on(module, files=settings)),
        )
        for module, paths in tests.items()
    ]


def verdict(mutant: Mutant, done: Done) -> Verdict:
    """The verdict that a job has given."""
    told = done.result
    return Verdict(mutant, told["outcome"], told["test"], told["sentence"], done.seconds)
