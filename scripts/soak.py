"""Send many random inputs through a network's RTL at three folds: every value of every stream."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from model import artifact
from scripts import cli, evidence
from tb.network_run import LONG_RUN, run_network
from tb.networks import codes
from tb.tools import BUILD, RTL, SIMULATORS

SEED = 3
COLUMNS = ("samples", "cycles", "seconds", "compared", "differing")


def run(arguments: argparse.Namespace) -> None:
    """Run fold after fold; one that passed with the same network, RTL and samples is kept."""
    network = artifact.load(arguments.network)
    sources = [arguments.network, *sorted(RTL.glob("*.v"))]
    content = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
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
            artifact.write_atomically(done, json.dumps(found) + "\n")
        table.add_row(fold, *(f"{found[column]:,}" for column in COLUMNS))
        totals = {column: totals[column] + found[column] for column in COLUMNS}
    Console().print(table)
    seconds = totals.pop("seconds")
    evidence.record(
        f"soak-{network.spec.name}-{arguments.sim}",
        level=3,
        claim="every value of every stream agrees at three folds, on random inputs",
        command="make soak",
        figures={name.replace("compared", "values compared"): n for name, n in totals.items()},
        seconds=seconds,
        seed=SEED,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.soak", description=__doc__)
    built.add_argument(
        "--network",
        type=Path,
        default=Path("tb/golden/iris.network.json"),
        help="the network's file (default: %(default)s)",
    )
    built.add_argument("--samples", type=int, default=10_000, help="default: %(default)s")
    cli.add_sim(built, SIMULATORS)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
