"""Would the tests notice? Judge mutants of the RTL and of the exported data, and write it down."""

import argparse
import functools
import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from model import artifact
from scripts import cli, evidence, mutation_page
from tb.data_mutants import propose_data
from tb.mutation import Subject, quotas
from tb.named_mutants import MUTANTS
from tb.rows import row_of
from tb.tools import ROOT
from tb.verdicts import Case, Verdict, noticed, of_data, of_name, of_netlist, run_netlist

SEED = 1
COMMAND = "make mutants"
_CASES: list[Case] = []


class MutantsError(cli.CommandError):
    """Mutants that nobody noticed, or a netlist that does not even work unchanged."""


def netlist_cases(count: int, seed: int) -> list[Case]:
    """Mutants of every module by Yosys; first each module must pass its bench as a netlist.

    Raises `MutantsError` where one does not: every mutant of it would be noticed for that alone.
    """
    cases = []
    for name, share in quotas(count).items():
        subject = Subject(row_of(name))
        mutants = subject.propose(share, seed)
        whole, *folders = subject.write([None, *mutants])
        of_rows = [of_netlist(subject, *pair) for pair in zip(mutants, folders, strict=True)]
        if not all(case.is_judged for case in of_rows):
            complaint = noticed(functools.partial(run_netlist, subject, whole, subject.row.name))
            if complaint:
                raise MutantsError(f"{name}: fails without a mutant: {complaint}")
        cases += of_rows
    return cases


def judge_all(cases: Sequence[Case], workers: int) -> list[Verdict]:
    """A verdict on each case, in the order of the cases; what stands already is not run again."""
    _CASES[:] = cases
    with (
        Progress(
            *Progress.get_default_columns(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        ) as bar,
        multiprocessing.get_context("fork").Pool(workers) as pool,
    ):
        task = bar.add_task("mutants", total=len(cases))
        found = {}
        for index, verdict in pool.imap_unordered(_verdict, range(len(cases))):
            found[index] = verdict
            bar.advance(task)
            if verdict.outcome == "survived":
                bar.console.print(f"{verdict.name} survived: {verdict.change}, {verdict.source}")
    return [found[index] for index in range(len(cases))]


def _verdict(index: int) -> tuple[int, Verdict]:
    return index, _CASES[index].verdict()


def write_down(verdicts: Sequence[Verdict], docs: Path, seed: int) -> None:
    """Write the page and print its summary.

    Raises `MutantsError` where a mutant has survived, or where there was none.
    """
    if not verdicts:
        raise MutantsError("nothing was mutated")
    text = mutation_page.page(verdicts, seed)
    artifact.write_atomically(docs / "mutation.md", text)
    print(mutation_page.summary(verdicts))
    survivors = [verdict for verdict in verdicts if verdict.outcome == "survived"]
    if survivors:
        named = ", ".join(f"{verdict.name} ({verdict.source})" for verdict in survivors[:10])
        raise MutantsError(f"{len(survivors)} of {len(verdicts)} mutants survived: {named}")


def run(arguments: argparse.Namespace) -> None:
    """Judge everything, write the page, and fail where a mutant has survived."""
    cases = netlist_cases(arguments.count, arguments.seed)
    cases += [of_name(mutant) for mutant in MUTANTS]
    cases += [of_data(mutant) for mutant in propose_data(arguments.data, arguments.seed)]
    verdicts = judge_all(cases, arguments.workers)
    write_down(verdicts, ROOT / arguments.docs, arguments.seed)
    evidence.record(
        "mutants",
        level=9,
        claim="the tests notice every mutant that is not proved equivalent",
        command=COMMAND,
        figures=mutation_page.figures(verdicts),
        seconds=sum(verdict.seconds for verdict in verdicts) / arguments.workers,
        seed=arguments.seed,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.mutants", description=__doc__)
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
        "--docs", type=Path, default=Path("docs"), help="folder of the page (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
