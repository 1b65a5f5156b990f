"""Build the bitstream of a board that holds a network, or learns: synthesize, place, pack."""

import argparse
import shutil
from pathlib import Path

from boards.bitstream import BOARDS, Board, build, build_learning, fitted, fitted_core
from boards.line import BAUDRATE, BYTE_BITS
from common import cli, errors
from model import artifact, loading, recipe, trimming
from model.data import datasets
from model.learning import from_recipe
from model.learning.backprop import Plan
from syn.synthesis import Placement


def run(arguments: argparse.Namespace) -> None:
    """Write the bitstream into the build folder, and print the resources that it uses."""
    if arguments.board not in BOARDS:
        legal = ", ".join(BOARDS)
        raise errors.CommandError(f"board must be one of {legal}, got {arguments.board!r}")
    board = BOARDS[arguments.board]
    if arguments.learn is not None:
        learn(arguments.build, board.learning, arguments.learn)
    else:
        predict(arguments.build, board)


def predict(folder: Path, board: Board) -> None:
    """The bitstream of the build folder's network."""
    network = artifact.load(folder / "network.json")
    if any(layer.plan for layer in network.spec.layers):
        raise errors.CommandError(
            f"network {network.spec.name}: must not share sums, which a board's link is too slow "
            "for: leave sharing out of the recipe"
        )
    if trimming.box_of(network) is not None:
        raise errors.CommandError(
            f"network {network.spec.name}: must not be trimmed, since a board's answers have no "
            "flag that says where the whole network may answer otherwise"
        )
    network = fitted(network, board)
    bitstream, placed = build(network, board)
    written = put(bitstream, folder)
    folds = ", ".join(f"{layer.name} {layer.simd}x{layer.pe}" for layer in network.spec.layers)
    print(f"{written}: {network.spec.name} for {board.name}, {written.stat().st_size:,} bytes")
    print(f"fold {folds}; {resources(placed, board)}")
    print(f"a sample takes {network.spec.latency * 1e6 / board.hertz:,.1f} us beside the line")
    if network.spec.loadable:
        core = folder / f"{board.name}.network.json"
        artifact.save(network, core)
        seconds = BYTE_BITS * loading.frame_bytes(network.spec) / BAUDRATE
        print(f"{core}: the core that loads are for; one takes {seconds:,.2f} s")


def learn(folder: Path, board: Board, path: Path) -> None:
    """The bitstream that learns what the recipe in a file describes."""
    wanted = recipe.load(path)
    plan = plan_of(wanted)
    core = fitted_core(plan, board)
    bitstream, placed = build_learning(core, board, wanted.name)
    written = put(bitstream, folder)
    seconds = core.cycles / board.hertz
    print(f"{written}: {wanted.name} learned on {board.name}, {written.stat().st_size:,} bytes")
    print(f"L = {core.lanes}; {resources(placed, board)}")
    print(
        f"a sample is learned in {seconds * 1e6:,.1f} us beside the line, "
        f"{plan.epochs} epochs in {plan.epochs * plan.samples * seconds:,.2f} s"
    )


def plan_of(wanted: recipe.Recipe) -> Plan:
    """The plan of a recipe's shape, softmax, and samples to train on."""
    data = datasets.load(wanted.dataset, wanted.folder)
    train, _ = datasets.split(data, wanted.split.test_fraction, wanted.split.seed)
    sizes = data.features.shape[1], len(data.class_names)
    return from_recipe.of_recipe(wanted, *sizes, len(train))


def put(bitstream: Path, folder: Path) -> Path:
    """A copy of the bitstream in the build folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / bitstream.name
    partial = written.with_suffix(".partial")
    shutil.copy(bitstream, partial)
    partial.rename(written)
    return written


def resources(placed: Placement, board: Board) -> str:
    """Cells that a placement uses, and its clock beside the one that the board needs."""
    used = ", ".join(
        f"{placed.used[kind]:,} of {placed.available[kind]:,} {kind}" for kind in placed.used
    )
    return f"{used}; {placed.megahertz} MHz, {board.hertz / 1_000_000:g} needed"


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.bitstream", description=__doc__)
    cli.add_build(built)
    options(built)
    built.add_argument(
        "--learn", type=Path, metavar="RECIPE", help="learn this network, from a random start"
    )
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its folder and what is learned."""
    parser.add_argument(
        "--board",
        default="icebreaker",
        help=f"one of {', '.join(BOARDS)} (default: %(default)s)",
    )


if __name__ == "__main__":
    cli.main(run, parser())
