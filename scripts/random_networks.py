"""Draw networks at random and compare their implementations to the bit, on 1,000 inputs each."""

import argparse
import functools
from pathlib import Path

from model.spec import DIVIDERS, SCORES
from scripts import cli, evidence, pieces
from tb import random_networks
from tb.random_networks import FULL, IMPLEMENTATIONS, SAMPLES
from tb.tools import BUILD

NETWORKS = 200
FOLDER = BUILD / "random-networks"


def piece(seed: int) -> pieces.Figures:
    """The values compared of the network with this seed; a failure leaves a folder."""
    return {"compared": random_networks.check(seed, FULL, FOLDER / f"failed-{seed}")}


def run(arguments: argparse.Namespace) -> None:
    """Compare network after network, or the one that a failure has left."""
    if arguments.again:
        compared = random_networks.again(arguments.again)
        print(f"{arguments.again}: {compared:,} values compared, 0 differ")
        return
    seeds = range(arguments.seed, arguments.seed + arguments.count)

    found, seconds = pieces.run_pieces(
        "random networks",
        FOLDER / "done.json",
        pieces.digest(),
        {str(seed): functools.partial(piece, seed) for seed in seeds},
    )
    compared = found["compared"]
    specs = [random_networks.draw(seed, FULL).spec for seed in seeds]
    expected = sum(SAMPLES * random_networks.values_of(spec) for spec in specs)
    if compared != expected:
        raise cli.CommandError(f"{compared:,} values were compared, legal are {expected:,}")
    evidence.record(
        "random_networks",
        level=3,
        claim="networks drawn at random, every score and divider: "
        f"{', '.join(IMPLEMENTATIONS)} are the reference",
        command="make random-networks",
        figures={
            "networks": len(specs),
            "layers": sum(len(spec.layers) for spec in specs),
            "softmaxes": len(SCORES) * len(DIVIDERS),
            "compared": compared,
            "differing": 0,
        },
        seconds=seconds,
        seed=arguments.seed,
    )
    print(f"{len(specs)} networks, {compared:,} values compared, 0 differ, in {seconds:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.random_networks", description=__doc__)
    built.add_argument("--count", type=int, default=NETWORKS, help="default: %(default)s")
    built.add_argument("--seed", type=int, default=0, help="the first (default: %(default)s)")
    built.add_argument("--again", type=Path, help="a folder that a failure has left")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
