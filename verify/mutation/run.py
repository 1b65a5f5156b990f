"""Would the tests notice? Judge mutants of the RTL and of the exported data, and write it down."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from common import cli, errors, files
from common.jobs import over_cores
from common.paths import ROOT
from tb.modules.registry import MUTANTS, SUBJECTS, case_named
from verify import record
from verify.mutation import page
from verify.mutation.data_mutants import propose_data
from verify.mutation.judge import Case, Verdict, of_data, of_name, of_netlist, of_unchanged
from verify.mutation.netlist_mutants import NetlistMutant, Subject, quotas

SEED = 1
COMMAND = "make verify-mutation"


class MutantsError(errors.CommandError):
    """Mutants that nobody noticed, or a netlist that does not even work unchanged."""


def subjects(count: int, seed: int) -> dict[Subject, list[NetlistMutant]]:
    """Every module at its cases, and its mutants by Yosys."""
    found = [(Subject(case_named(name)), share) for name, share in quotas(count, SUBJECTS).items()]
    return {subject: subject.propose(share, seed) for subject, share in found}


def netlist_cases(chosen: dict[Subject, list[NetlistMutant]]) -> list[Case]:
    """A case of each mutant by Yosys."""
    return [of_netlist(subject, mutant) for subject, of_it in chosen.items() for mutant in of_it]


def judge_netlists(chosen: dict[Subject, list[NetlistMutant]], workers: int) -> list[Verdict]:
    """A verdict on each mutant by Yosys, once every module has passed its bench without one.

    Raises `MutantsError` where one does not: its mutants would all be noticed for that alone.
    """
    for subject, mutants in chosen.items():
        if not all(of_netlist(subject, mutant).stored() for mutant in mutants):
            subject.write([None, *mutants])
    unchanged = [of_unchanged(subject) for subject in chosen]
    for verdict in judge_all(unchanged, workers, "modules without a mutant"):
        if verdict.outcome == "killed":
            raise MutantsError(f"{verdict.name}: fails without a mutant: {verdict.why}")
    return judge_all(netlist_cases(chosen), workers, "mutants by Yosys")


def judge_all(cases: Sequence[Case], workers: int, label: str) -> list[Verdict]:
    """A verdict on each case, in the order of the cases; what stands already is not run again."""
    return over_cores(Case.verdict, cases, workers=workers, label=label, each=_remark)


def _remark(case: Case, verdict: Verdict) -> str | None:
    if verdict.outcome != "survived" or verdict.kind == "unchanged":
        return None
    return f"{verdict.name} survived: {verdict.change}, {verdict.source}"


def write_down(verdicts: Sequence[Verdict], docs: Path, seed: int, of: int) -> None:
    """Write the page of the verdicts, of so many mutants in all, and print its summary.

    Raises `MutantsError` where a mutant has survived, where one is not judged yet, and where there
    is none.
    """
    text = page.page(verdicts, seed, of)
    files.write_atomically(docs / "mutation.md", text)
    print(page.summary(verdicts))
    survivors = [verdict for verdict in verdicts if verdict.outcome == "survived"]
    if survivors:
        named = ", ".join(f"{verdict.name} ({verdict.source})" for verdict in survivors[:10])
        raise MutantsError(f"{len(survivors)} of {len(verdicts)} mutants survived: {named}")
    if not verdicts or len(verdicts) < of:
        raise MutantsError(f"{len(verdicts)} of {of} mutants are judged")


def run(arguments: argparse.Namespace) -> None:
    """Judge everything, or see what stands; write the page; fail where a mutant has survived."""
    seed, workers, docs = arguments.seed, arguments.workers, ROOT / arguments.docs
    chosen = subjects(arguments.count, seed)
    named = [of_name(mutant) for mutant in MUTANTS]
    data = [of_data(mutant) for mutant in propose_data(arguments.data, seed)]
    if arguments.standing:
        every = [*netlist_cases(chosen), *named, *data]
        standing = [verdict for case in every if (verdict := case.stored())]
        write_down(standing, docs, seed, len(every))
        return
    verdicts = judge_netlists(chosen, workers)
    verdicts += judge_all(named, workers, "named mistakes")
    verdicts += judge_all(data, workers, "exported data")
    write_down(verdicts, docs, seed, len(verdicts))
    record.record(
        "mutants",
        level=9,
        claim="the tests notice every mutant that is not proved equivalent",
        command=COMMAND,
        figures=page.figures(verdicts),
        seconds=sum(verdict.seconds for verdict in verdicts) / workers,
        seed=seed,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.mutation.run", description=__doc__)
    seed = int(os.environ.get("SEED", SEED))
    for name, default, text in (
        ("count", 560, "mutants by Yosys, over all modules"),
        ("data", 120, "mutants of the exported data"),
        ("seed", seed, "which of all that are possible"),
        ("workers", 2, "simulations side by side"),
    ):
        built.add_argument(
            f"--{name}", type=int, default=default, help=f"{text} (default: %(default)s)"
        )
    built.add_argument(
        "--standing", action="store_true", help="judge nothing, write down what is judged already"
    )
    built.add_argument(
        "--docs",
        type=Path,
        default=Path("docs/results"),
        help="folder of the page (default: %(default)s)",
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
