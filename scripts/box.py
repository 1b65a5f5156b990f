"""Send every flower of the Iris data's 0.1 cm box through the RTL, and compare each result."""

import argparse
import functools
from pathlib import Path

import numpy as np

from model import artifact
from model.artifact import Network
from scripts import cli, evidence, pieces
from tb import box
from tb.tools import BUILD, ROOT

CHUNK = 50_000
GOLDEN = ROOT / "tb/golden/iris.network.json"


def piece(network: Network, start: int) -> pieces.Figures:
    """The values compared of a chunk of the box."""
    indices = np.arange(start, min(start + CHUNK, box.VECTORS))
    return {"compared": box.check(network, indices)}


def run(arguments: argparse.Namespace) -> None:
    """Check chunk after chunk; one that passed with the same sources and network is kept."""
    network = artifact.load(arguments.network)

    found, seconds = pieces.run_pieces(
        "the box",
        BUILD / "exhaustive" / "box.json",
        pieces.digest(arguments.network),
        {
            str(start): functools.partial(piece, network, start)
            for start in range(0, box.VECTORS, CHUNK)
        },
    )
    compared = found["compared"]
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
