"""Write a network as a core to take away: Verilog, ROM images, bench, and files for other tools."""

import argparse
from pathlib import Path

from common import cli
from model import Network
from scripts.expected import FILE, read_expected
from scripts.predict import features_of
from syn.folds import refolded
from syn.package import content, folder
from syn.package.quoted import plural


def run(arguments: argparse.Namespace) -> None:
    """Write the folder of the core, whole or not at all."""
    network = Network.load(arguments.build / "network.json")
    network = refolded(network, arguments.fold)
    if arguments.samples is not None:
        features = features_of(arguments.samples, network)
    else:
        features = read_expected(arguments.build / FILE)["features"]
    made = arguments.output or arguments.build / "core"
    core = content.Core.of(network, features, arguments.index)
    written = folder.write(made, core.facts, content.texts(core))
    spec = network.spec
    folds = ", ".join(f"{layer.name} {layer.simd}x{layer.pe}" for layer in spec.layers)
    print(f"{made}: {core.module}, {'written' if written else 'is up to date'}")
    print(f"fold {folds}; {plural(spec.interval, 'cycle')} per sample, latency {spec.latency}")
    print(f"{core.vectors.results} golden results; {made}/README.md says how to use it")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.core", description=__doc__)
    cli.add_build(built)
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its folder."""
    parser.add_argument(
        "--fold",
        default="default",
        help="serial, default, unrolled, shared, or SIMDxPE of each layer: 4x3,30x1",
    )
    parser.add_argument(
        "--samples",
        type=Path,
        help="what its bench sends: a .csv or an .npz (default: the samples of the recipe)",
    )
    parser.add_argument(
        "--index",
        type=int,
        default=0,
        metavar="BITS",
        help="number results in blocks of 2^BITS, and say which are lost (default: 0, none)",
    )
    parser.add_argument("--output", type=Path, help="folder of the core (default: BUILD/core)")


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
