"""Would the tests notice a checker that checks less? Judge each mutant, and write it down."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from common import cli, files, jobs
from common.paths import ROOT
from verify import record
from verify.checkers import judge, page
from verify.checkers.judge import VERDICTS, CheckersError, Verdict
from verify.checkers.mutants import MUTANTS, Mutant

HERE = "verify.checkers.run"
COMMAND = "make verify-checkers"
PAGE = "checkers.md"
# It names pages that the ledger writes, which would make the claim one of earlier sources at once.
OF_PAGES = "tests.verify.test_ledger"


def judge_all(mutants: Sequence[Mutant], workers: int) -> list[Verdict]:
    """A verdict on each mutant, once all of their tests have passed without one."""
    jobs.run("tests without a mutant", judge.jobs_without(mutants), VERDICTS, workers=workers)
    done = jobs.run("mutants of the checkers", judge.jobs_of(mutants), VERDICTS, workers=workers)
    return [judge.verdict(mutant, d) for mutant, d in zip(mutants, done, strict=True)]


def standing(mutants: Sequence[Mutant]) -> list[Verdict]:
    """The verdicts that stand already."""
    found = []
    for mutant, job in zip(mutants, judge.jobs_of(mutants), strict=True):
        done = jobs.standing(job, VERDICTS)
        found += [judge.verdict(mutant, done)] if done else []
    return found


def write_down(verdicts: Sequence[Verdict], docs: Path, of: int) -> None:
    """Write the page of the verdicts, on so many mutants in all, and print its summary.

    Raises `CheckersError` where a mutant has survived, where one is not judged yet, and where there
    is none.
    """
    files.write_atomically(docs / PAGE, page.page(verdicts, of))
    print(page.summary(verdicts))
    survived = [found.mutant for found in verdicts if found.outcome == "survived"]
    if survived:
        names = ", ".join(f"{mutant.name} ({mutant.source})" for mutant in survived[:10])
        raise CheckersError(f"{len(survived)} of {len(verdicts)} mutants survived: {names}")
    if not verdicts or len(verdicts) < of:
        raise CheckersError(f"{len(verdicts)} of {of} mutants are judged")


def evidence(mutants: Sequence[Mutant]) -> tuple[list[str], list[Path]]:
    """Return the modules and the files that the claim rests on.

    These are all that is changed and all tests of it, and those of this room, which name them.
    """
    modules = judge.modules_of(mutants)
    of_pages = [ROOT / f"{OF_PAGES.replace('.', '/')}.py"] if OF_PAGES in modules else []
    room = sorted(Path(__file__).parent.glob("*.py"))
    given = [*of_pages, *room, *(ROOT / name for name in judge.SETTINGS)]
    return [name for name in modules if name != OF_PAGES], given


def run(arguments: argparse.Namespace) -> None:
    """Judge every mutant, or see what stands; write the page; fail where one has survived."""
    docs = ROOT / arguments.docs
    if arguments.standing:
        write_down(standing(MUTANTS), docs, len(MUTANTS))
        return
    verdicts = judge_all(MUTANTS, arguments.workers)
    write_down(verdicts, docs, len(MUTANTS))
    modules, given = evidence(MUTANTS)
    record.record(
        "checkers",
        level=9,
        claim="the tests notice every mutant of the benches and of what judges results",
        command=COMMAND,
        figures=page.figures(verdicts),
        seconds=sum(found.seconds for found in verdicts),
        modules=modules,
        files=given,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    cli.add_workers(built, "copies")
    built.add_argument(
        "--standing", action="store_true", help="judge nothing, write down what is judged already"
    )
    cli.add_docs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
