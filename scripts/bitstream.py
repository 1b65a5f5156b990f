"""Build the bitstream of a board that holds a network: synthesize, place at its pins, pack."""

import argparse
import shutil

from boards.bitstream import BOARDS, build, fitted
from common import cli, errors
from model import artifact


def run(arguments: argparse.Namespace) -> None:
    """Write the bitstream into the build folder, and print the resources that it uses."""
    if arguments.board not in BOARDS:
        legal = ", ".join(BOARDS)
        raise errors.CommandError(f"board must be one of {legal}, got {arguments.board!r}")
    board = BOARDS[arguments.board]
    network = fitted(artifact.load(arguments.build / "network.json"), board)
    bitstream, placed = build(network, board)
    written = arguments.build / board.bitstream
    partial = written.with_suffix(".partial")
    shutil.copy(bitstream, partial)
    partial.rename(written)
    folds = ", ".join(f"{layer.name} {layer.simd}x{layer.pe}" for layer in network.spec.layers)
    used = ", ".join(
        f"{placed.used[kind]:,} of {placed.available[kind]:,} {kind}" for kind in placed.used
    )
    print(f"{written}: {network.spec.name} for {board.name}, {written.stat().st_size:,} bytes")
    print(f"fold {folds}; {used}; {placed.megahertz} MHz, {board.hertz / 1_000_000:g} needed")
    print(f"a sample takes {network.spec.latency * 1e6 / board.hertz:,.1f} us beside the line")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.bitstream", description=__doc__)
    cli.add_build(built)
    built.add_argument(
        "--board",
        default="icebreaker",
        help=f"one of {', '.join(BOARDS)} (default: %(default)s)",
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
