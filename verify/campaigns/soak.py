"""Send many random inputs through a network's RTL at three folds: every value of every stream."""

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from common import cli, files, sources, tables
from common.paths import BUILD, GOLDEN_IRIS
from model import artifact
from tb.sim.made_up import codes
from tb.sim.run_network import LONG_RUN, run_network
from tb.sim.simulators import SIMULATORS
from verify import record

SEED = 3
COLUMNS = ("samples", "cycles", "seconds", "compared", "differing")


def run(arguments: argparse.Namespace) -> None:
    """Run fold after fold; one that passed with the same network, RTL and samples is kept."""
    network = artifact.load(arguments.network)
    content = sources.digest([arguments.network, *sources.verilog()])
    table = Table("fold", *COLUMNS, title=f"random inputs, {arguments.sim}")
    totals = dict.fromkeys(COLUMNS, 0)
    for fold, spec in network.spec.at_each_fold().items():
        asked = {"samples": arguments.samples, "seed": SEED, "sha256": content}
        done = BUILD / "soak" / f"{spec.name}-{fold}-{arguments.sim}.json"
        found = json.loads(done.read_text()) if done.exists() else {}
        if asked.items() - found.items():
            cycles = arguments.samples * spec.interval
            Console(stderr=True).print(f"{fold}: {arguments.samples:,} samples, {cycles:,} cycles")
            outcome, report = run_network(
                network.refolded(spec),
                codes(np.random.default_rng(SEED), network, arguments.samples),
                arguments.sim,
                folder=BUILD / "soak" / fold,
                name=f"soak-{fold}",
                testcase=LONG_RUN,
            )
            streams = report["streams"].values()
            found = asked | {
                "cycles": cycles,
                "seconds": round(outcome.run_seconds, 1),
                "compared": sum(stream["compared"] for stream in streams),
                "differing": sum(stream["differing"] for stream in streams),
            }
            files.write_atomically(done, json.dumps(found) + "\n")
        table.add_row(fold, *(f"{found[column]:,}" for column in COLUMNS))
        totals = {column: totals[column] + found[column] for column in COLUMNS}
    tables.show(table)
    seconds = totals.pop("seconds")
    record.record(
        f"soak-{network.spec.name}-{arguments.sim}",
        level=3,
        claim="every value of every stream agrees at three folds, on random inputs",
        command="make verify-soak",
        figures={name.replace("compared", "values compared"): n for name, n in totals.items()},
        seconds=seconds,
        seed=SEED,
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
    return built


if __name__ == "__main__":
    cli.main(run, parser())
