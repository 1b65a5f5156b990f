"""Send many random inputs through a network's RTL at three folds: every value of every stream."""

import argparse
from pathlib import Path

import numpy as np
from rich.table import Table

from common import cli, files, jobs, tables
from common.jobs import Job
from common.paths import BUILD, GOLDEN_IRIS
from model import artifact
from model.spec import TOP
from tb.sim.made_up import codes
from tb.sim.run_network import LONG_RUN, run_network
from tb.sim.simulators import SIMULATORS
from verify import record

HERE = "verify.campaigns.soak"
SEED = 3
COLUMNS = ("samples", "cycles", "seconds", "compared", "differing")


def fold(network: str, fold: str, sim: str, samples: int) -> dict[str, float]:
    """Figures of one fold of the network in this file, its cycles and its seconds."""
    whole = artifact.load(files.found(network))
    spec = whole.spec.at_each_fold()[fold]
    outcome, report = run_network(
        whole.refolded(spec),
        codes(np.random.default_rng(SEED), whole, samples),
        sim,
        folder=BUILD / "soak" / fold,
        name=f"soak-{fold}",
        testcase=LONG_RUN,
    )
    streams = report["streams"].values()
    return {
        "samples": samples,
        "cycles": samples * spec.interval,
        "seconds": round(outcome.run_seconds, 1),
        "compared": sum(stream["compared"] for stream in streams),
        "differing": sum(stream["differing"] for stream in streams),
    }


def run(arguments: argparse.Namespace) -> None:
    """Run every fold; one that passed with the same network, sources and samples is kept."""
    spec = artifact.load(arguments.network).spec
    rests_on = jobs.rests_on(HERE, tops=[TOP], files=[arguments.network])
    how = {"network": files.shown(arguments.network), "sim": arguments.sim}
    how["samples"] = arguments.samples
    name = f"{spec.name}-{arguments.sim}"
    work = [
        Job(f"{name}-{fold}", f"{HERE}:fold", {"fold": fold, **how}, rests_on)
        for fold in spec.at_each_fold()
    ]
    done = jobs.run("random inputs", work, BUILD / "soak", workers=arguments.jobs)
    table = Table("fold", *COLUMNS, title=f"random inputs, {arguments.sim}")
    for job, found in zip(work, done, strict=True):
        cells = (f"{found.result[column]:,}" for column in COLUMNS)
        table.add_row(job.arguments["fold"], *cells)
    tables.show(table)
    totals, seconds = jobs.total(done)
    del totals["seconds"]
    record.record(
        f"soak-{name}",
        level=3,
        claim="every value of every stream agrees at three folds, on random inputs",
        command="make verify-soak",
        figures={name.replace("compared", "values compared"): n for name, n in totals.items()},
        seconds=seconds,
        seed=SEED,
        modules=[HERE],
        tops=[TOP],
        files=[arguments.network],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.campaigns.soak", description=__doc__)
    built.add_argument(
        "--network",
        type=Path,
        default=GOLDEN_IRIS,
        help="the network's file (default: %(default)s)",
    )
    built.add_argument("--samples", type=int, default=10_000, help="default: %(default)s")
    cli.add_sim(built, SIMULATORS)
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
