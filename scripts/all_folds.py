"""Simulate a network's layers at every legal fold, each on the bench of its module."""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from model import artifact
from model.artifact import write_atomically
from scripts import cli, evidence
from tb.folds import fold_rows
from tb.tools import BUILD, SIMULATORS

FOLDER = BUILD / "all-folds"


def simulated(path: Path, name: str, simulator: str) -> dict[str, float]:
    """Tests that a row of the network passed, and its seconds; raises where one failed."""
    start = time.perf_counter()
    (row,) = (row for row in fold_rows(artifact.load(path)) if row.name == name)
    outcome = row.run(simulator)
    return {"tests": outcome.passed, "seconds": round(time.perf_counter() - start, 1)}


def run(arguments: argparse.Namespace) -> None:
    """Run row after row; one that passed with the same network and RTL is kept."""
    network = artifact.load(arguments.network)
    names = [row.name for row in fold_rows(network)]
    content = artifact.digest([evidence.rtl_digest(), arguments.network.read_text()])[:16]
    kept = FOLDER / f"{network.spec.name}-{arguments.sim}-{content}.json"
    done: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    console = Console(stderr=True)
    with (
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
        ProcessPoolExecutor(arguments.processes, get_context("spawn")) as executor,
    ):
        task = progress.add_task(f"{network.spec.name}, folds", total=len(names))
        progress.advance(task, len(done))
        waiting = {
            executor.submit(simulated, arguments.network, name, arguments.sim): name
            for name in names
            if name not in done
        }
        try:
            for future in as_completed(waiting):
                done[waiting[future]] = future.result()
                write_atomically(kept, json.dumps(done, indent=0) + "\n")
                progress.advance(task)
        finally:
            executor.shutdown(cancel_futures=True)
    tests = int(sum(found["tests"] for found in done.values()))
    path = evidence.record(
        f"all-folds-{network.spec.name}-{arguments.sim}",
        level=2,
        claim=f"every legal fold of every layer of {network.spec.name} equals the reference",
        command="make all-folds",
        figures={"layers": len(network.spec.layers), "folds": len(done), "tests": tests},
        seconds=sum(found["seconds"] for found in done.values()),
    )
    print(f"{path}: {len(done)} folds of {len(network.spec.layers)} layers, {tests} tests passed")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.all_folds", description=__doc__)
    built.add_argument(
        "--network",
        type=Path,
        default=Path("tb/golden/iris.network.json"),
        help="the network's file (default: %(default)s)",
    )
    built.add_argument("--processes", type=int, default=2, help="at a time (default: %(default)s)")
    cli.add_sim(built, SIMULATORS)
    built.set_defaults(sim="icarus")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
