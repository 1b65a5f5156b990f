"""Would the tests notice? Judge mutants of the RTL and of the exported data, and write it down."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from common import cli, errors, files, jobs
from common.jobs import Done, Job
from common.paths import ROOT
from tb.modules import learning
from tb.modules.registry import MUTANTS, SUBJECTS, case_named
from verify import cases, record
from verify.mutation import page
from verify.mutation.data_mutants import propose_data
from verify.mutation.judge import (
    NOTICED,
    PROVED,
    Case,
    Verdict,
    of_data,
    of_name,
    of_netlist,
    of_unchanged,
)
from verify.mutation.netlist_mutants import FOLDER, quotas

SEED = 1
COMMAND = "make verify-mutation"
# Parts of the core that learns, each at the settings that run under both simulators.
PARTS: dict[str, tuple[str, ...]] = {
    module.name: tuple(case.name for case in module.cases_on_both)
    for module in learning.MODULES
    if module.cases_on_both
}


class MutantsError(errors.CommandError):
    """Mutants that nobody noticed, or a netlist that does not even work unchanged."""


def netlist_cases(
    subjects: Mapping[str, Sequence[str]], count: int, seed: int, workers: int
) -> tuple[list[Case], list[Case]]:
    """A case of each module as it is, and one of each mutant by Yosys, over all ``subjects``."""
    shares = {case: share for case, share in quotas(count, subjects).items() if share}
    work = [
        Job(
            case,
            "verify.mutation.netlist_mutants:proposed",
            {"case": case, "count": share, "seed": seed},
            cases.rests_on(["verify.mutation.netlist_mutants"], case_named(case).module),
        )
        for case, share in shares.items()
    ]
    done = jobs.run("modules to mutate", work, FOLDER / "proposals", workers=workers)
    unchanged, mutants = [], []
    for (case, share), found in zip(shares.items(), done, strict=True):
        proposed = found.result
        unchanged.append(of_unchanged(case, proposed, share, seed))
        mutants += [
            of_netlist(case, proposed, number, share, seed)
            for number in range(len(proposed["changes"]))
        ]
    return unchanged, mutants


def require_unnoticed(unchanged: Sequence[Case], workers: int) -> None:
    """Raise `MutantsError` where a module fails without a mutant: all of its would be noticed."""
    for verdict in judge_all(unchanged, workers, "modules without a mutant"):
        if verdict.outcome == "killed":
            raise MutantsError(f"{verdict.name}: fails without a mutant: {verdict.why}")


def judge_all(every: Sequence[Case], workers: int, label: str) -> list[Verdict]:
    """A verdict on each case, in the order of the cases; what stands already is not run again."""
    noticed = jobs.run(label, [case.notice for case in every], NOTICED, workers=workers)
    proofs = {
        index: case.prove
        for index, case in enumerate(every)
        if case.prove and noticed[index].result["complaint"] is None
    }
    done: list[Done] = []
    if proofs:
        todo = list(proofs.values())
        done = jobs.run(f"{label}, proofs", todo, PROVED, workers=workers, each=_remark)
    proved = dict(zip(proofs, done, strict=True))
    return [case.verdict(noticed[n], proved.get(n)) for n, case in enumerate(every)]


def _remark(job: Job, told: Mapping[str, str]) -> str | None:
    return f"{job.name} survived: {told['why']}" if told["outcome"] == "survived" else None


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
    unchanged, by_yosys = netlist_cases(SUBJECTS, arguments.count, seed, workers)
    of_parts = netlist_cases(PARTS, arguments.parts, seed, workers)
    unchanged, by_yosys = unchanged + of_parts[0], by_yosys + of_parts[1]
    named = [of_name(mutant) for mutant in MUTANTS]
    data = [of_data(mutant) for mutant in propose_data(arguments.data, seed)]
    if arguments.standing:
        every = [*by_yosys, *named, *data]
        standing = [verdict for case in every if (verdict := case.standing())]
        write_down(standing, docs, seed, len(every))
        return
    require_unnoticed(unchanged, workers)
    verdicts = judge_all(by_yosys, workers, "mutants by Yosys")
    verdicts += judge_all(named, workers, "named mistakes")
    verdicts += judge_all(data, workers, "exported data")
    write_down(verdicts, docs, seed, len(verdicts))
    record.record(
        "mutants",
        level=9,
        claim="the tests notice every mutant that is not proved equivalent",
        command=COMMAND,
        figures=page.figures(verdicts),
        seconds=sum(verdict.seconds for verdict in verdicts),
        seed=seed,
        modules=["verify.mutation.run"],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.mutation.run", description=__doc__)
    seed = int(os.environ.get("SEED", SEED))
    for name, default, text in (
        ("count", 560, "mutants by Yosys, over all modules"),
        ("parts", 140, "mutants by Yosys, over the parts of the core that learns"),
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
    cli.add_docs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
