"""Simulate a network's layers at every legal fold, each on the bench of its module."""

import argparse
import functools
from pathlib import Path

from model import artifact
from scripts import cli, evidence, pieces
from tb.folds import fold_rows
from tb.rows import Row
from tb.tools import BUILD, SIMULATORS


def passed(row: Row, simulator: str) -> pieces.Figures:
    """The tests of a row, all of which pass."""
    return {"tests": row.run(simulator).passed}


def run(arguments: argparse.Namespace) -> None:
    """Run row after row; one that passed with the same network and sources is kept."""
    network = artifact.load(arguments.network)
    rows = list(fold_rows(network))
    name = f"all-folds-{network.spec.name}-{arguments.sim}"
    found, seconds = pieces.run_pieces(
        f"{network.spec.name}, every fold",
        BUILD / f"{name}.json",
        pieces.digest(arguments.network),
        {row.name: functools.partial(passed, row, arguments.sim) for row in rows},
    )
    path = evidence.record(
        name,
        level=2,
        claim=f"every legal fold of every layer of {network.spec.name} equals the reference",
        command="make all-folds",
        figures={"layers": len(network.spec.layers), "folds": len(rows)} | found,
        seconds=seconds,
    )
    count = f"{len(rows)} folds of {len(network.spec.layers)} layers"
    print(f"{path}: {count}, {found['tests']:,} tests passed")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.all_folds", description=__doc__)
    built.add_argument(
        "--network",
        type=Path,
        default=Path("tb/golden/iris.network.json"),
        help="the network's file (default: %(default)s)",
    )
    cli.add_sim(built, SIMULATORS)
    built.set_defaults(sim="icarus")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
