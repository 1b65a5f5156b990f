"""Leave out the neurons of a network that are constant for every input of its data's box.

Leaves a folder as export leaves it, from which `make sim TRIMMED=1`, `make core TRIMMED=1` and
`make synth TRIMMED=1` go on. The core flags each sample outside of the box.
"""

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from common import cli, tables
from common.errors import CommandError
from model import artifact, images, reference, trimming
from model.artifact import Network
from model.trimming import Box, Constants
from scripts.claim import claim
from scripts.expected import FILE, KEYS, read_expected, write_export

# The folder of the build folder that is like one itself.
FOLDER = "trimmed"
# Random inputs of the box on which results are compared, beside samples and corners.
DRAWN = 20_000
# Features of which a terminal shows the ranges.
SHOWN = 16


def run(arguments: argparse.Namespace) -> None:
    """Find the constant neurons, compare the network without them, write its folder."""
    build, margin = arguments.build, arguments.margin
    if margin < 0:
        raise CommandError(f"margin must be 0 or more, got {margin}")
    network = artifact.load(build / "network.json")
    if trimming.box_of(network) is not None:
        raise CommandError(f"{build}: network {network.spec.name} must not be trimmed already")
    expected = read_expected(build / FILE)
    codes = reference.encode(network, expected["features"])
    box = Box.around(codes, network.spec.x, margin)
    with Console(stderr=True).status(f"looking for constant neurons of {network.spec.name}"):
        constant = trimming.constants(network, box)
        smaller = trimming.trimmed(network, box, constant)
    inputs = np.concatenate([codes, box.corners(), box.draw(DRAWN)])
    compared = trimming.compare(network, smaller, inputs)
    folder = build / FOLDER
    claim(folder, arguments.network)
    kept: dict[str, NDArray[Any]] = {
        key: array
        for key, array in expected.items()
        if key in KEYS | {"targets"} or key.startswith("float.")
    }
    write_export(smaller, kept, folder)
    few = len(box.low) <= SHOWN
    tables.show(neurons(network, smaller, constant), *([ranges(network, box)] if few else []))
    before, after = network.spec, smaller.spec
    print(f"box: {box.inputs:,} inputs; {compared:,} values of {len(inputs):,} of them equal")
    print(f"without all constant neurons: {trimming.multiplications(network, constant):,} products")
    for name, key in (("cycles", "interval"), ("latency", "latency")):
        print(f"{name}: {getattr(before, key)} before, {getattr(after, key)} after")
    multipliers = (sum(layer.multipliers for layer in spec.layers) for spec in (before, after))
    print("multipliers: {} before, {} after".format(*multipliers))
    print(f"{folder}: network.json, {images.MEM_DIR}/, {FILE}")


def neurons(network: Network, smaller: Network, constant: Constants) -> Table:
    """Neurons and products of each layer, before and after."""
    found = Table(title=f"{network.spec.name}: neurons that are constant in the box")
    found.add_column("layer")
    for column in ("neurons", "constant", "left out", "products", "after"):
        found.add_column(column, justify="right")
    totals = np.zeros(5, int)
    for before, after in zip(network.spec.layers, smaller.spec.layers, strict=True):
        counts = [
            *(before.n_out, len(constant.get(before.name, {})), before.n_out - after.n_out),
            *(before.n_in * before.n_out, after.n_in * after.n_out),
        ]
        totals += counts
        found.add_row(before.name, *(f"{count:,}" for count in counts))
    found.add_section()
    found.add_row("all", *(f"{count:,}" for count in totals))
    return found


def ranges(network: Network, box: Box) -> Table:
    """Range of each feature in its own unit."""
    found = Table(title="range of each feature")
    found.add_column("feature")
    for column in ("least", "largest", "codes"):
        found.add_column(column, justify="right")
    named = () if network.names is None else network.names.features
    names = named or tuple(f"feature {k}" for k in range(len(box.low)))
    for name, low, high, (least, largest) in zip(
        names, box.low, box.high, trimming.in_units(network, box), strict=True
    ):
        found.add_row(name, f"{least:g}", f"{largest:g}", f"{low} .. {high}")
    return found


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = cli.build_parser("scripts.trim", __doc__)
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its recipe and folder."""
    parser.add_argument(
        "--margin",
        type=int,
        default=0,
        help="codes by which the box is wider than the data on each side (default: %(default)s)",
    )


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
