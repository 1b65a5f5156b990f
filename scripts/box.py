"""Send every flower of the Iris data's 0.1 cm box through the RTL, and compare each result."""

import argparse
from pathlib import Path

import numpy as np

from model import artifact
from scripts import cli, evidence, pieces
from tb import box
from tb.tools import BUILD, ROOT

CHUNK = 50_000
GOLDEN = ROOT / "tb/golden/iris.network.json"


def run(arguments: argparse.Namespace) -> None:
    """Check chunk after chunk; one that passed with the same sources and network is kept."""
    network = artifact.load(arguments.network)

    def check(start: int) -> int:
        return box.check(network, np.arange(start, min(start + CHUNK, box.VECTORS)))

    compared, seconds = pieces.run_pieces(
        "the box",
        BUILD / "exhaustive" / "box.json",
        pieces.digest(arguments.network),
        range(0, box.VECTORS, CHUNK),
        check,
    )
    expected = box.VECTORS * (1 + network.spec.n_out)
    if compared != expected:
        raise cli.CommandError(f"{compared:,} values were compared, legal are {expected:,}")
    evidence.record(
        "box",
        level=3,
        claim="every vector of the 0.1 cm box of the Iris data: class and probabilities are the "
        "reference's, by the RTL at the fold that ships",
        command="make exhaustive",
        figures={"vectors": box.VECTORS, "compared": compared, "differing": 0},
        seconds=seconds,
    )
    print(f"{box.VECTORS:,} vectors, {compared:,} values compared, 0 differ, in {seconds:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.box", description=__doc__)
    built.add_argument(
        "--network", type=Path, default=GOLDEN, help="the network's file (default: the golden one)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
