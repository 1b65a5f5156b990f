"""Read what the regression left, and record the levels that it is evidence of."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from common import cli, errors, sources
from model.spec import TOP
from verify import record


@dataclass(frozen=True)
class Suite:
    """Modules of the regression that speak for a level, and what they claim together.

    ``tops`` are the modules of the RTL that they simulate, None all of them; ``reads`` are patterns
    of the sources that they read as text.
    """

    level: int
    claim: str
    modules: tuple[str, ...]
    tops: tuple[str, ...] | None = None
    reads: tuple[str, ...] = ()


SUITES = {
    "lint": Suite(
        0,
        "no warning, sources in order",
        ("tests.repo.test_lint", "tests.repo.test_structure"),
        reads=tuple(
            f"{room}/**/*"
            for room in ("boards", "common", "model", "scripts", "studies", "syn", "tb", "verify")
        ),
    ),
    "reference": Suite(
        1,
        "the reference equals exact rationals, PyTorch and the golden outputs",
        (
            "tests.model.test_reference",
            "tests.model.test_softmax",
            "tests.model.test_golden",
            "tests.model.test_training",
        ),
        tops=(),
    ),
    "modules": Suite(
        2, "each module equals its operator", ("tb.test_modules", "tb.test_parameters")
    ),
    "network": Suite(
        3,
        "every value of every stream agrees",
        ("tb.test_iris", "tb.test_divergence"),
        tops=(TOP,),
    ),
    "protocol": Suite(
        4, "streams keep their promises, cycles their formulas", ("tb.test_top",), tops=(TOP,)
    ),
}


@dataclass(frozen=True)
class Case:
    """One test: its module, whether it passed, its seconds, the values that it compared."""

    module: str
    passed: bool
    seconds: float
    compared: int


def read(junit: Path) -> list[Case]:
    """The tests of a JUnit file; raises `CommandError` where there is none."""
    try:
        root = ElementTree.parse(junit).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise errors.CommandError(f"{junit}: cannot be read: {error}") from error
    return [
        Case(
            module=case.get("classname", ""),
            passed=all(child.tag in ("properties", "system-out", "system-err") for child in case),
            seconds=float(case.get("time", "0")),
            compared=sum(
                int(found.get("value", "0"))
                for found in case.iter("property")
                if found.get("name") == "compared"
            ),
        )
        for case in root.iter("testcase")
    ]


def figures(name: str, cases: Iterable[Case]) -> tuple[dict[str, int], float]:
    """Figures and seconds of the tests of one suite; raises `CommandError` unless all passed."""
    of_suite = [case for case in cases if case.module in SUITES[name].modules]
    missing = set(SUITES[name].modules) - {case.module for case in of_suite}
    failed = [case for case in of_suite if not case.passed]
    if missing or failed:
        what = f"no test of {', '.join(sorted(missing))}" if missing else f"{len(failed)} failures"
        raise errors.CommandError(f"{name}: {what}: no evidence")
    found = {"tests": len(of_suite), "failed": 0}
    compared = sum(case.compared for case in of_suite)
    return found | ({"values compared": compared} if compared else {}), sum(
        case.seconds for case in of_suite
    )


def run(arguments: argparse.Namespace) -> None:
    """Record each suite."""
    cases = read(arguments.junit)
    for name, suite in SUITES.items():
        found, seconds = figures(name, cases)
        record.record(
            name,
            level=suite.level,
            claim=suite.claim,
            command="make test",
            figures=found,
            seconds=seconds,
            modules=suite.modules,
            tops=suite.tops,
            files=sources.matching(*suite.reads) if suite.reads else (),
        )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.regression", description=__doc__)
    built.add_argument(
        "--junit", type=Path, default=Path("build", "junit.xml"), help="default: %(default)s"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
