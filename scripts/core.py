"""Write a network as a core to take away: Verilog, ROM images, bench, and files for other tools."""

import argparse
from pathlib import Path

from common import cli
from model import artifact
from scripts.report.facts import read_expected
from syn.package import content, folder
from syn.package.quoted import plural
from syn.utilization import folded

EXPECTED = "expected.npz"


def run(arguments: argparse.Namespace) -> None:
    """Write the folder of the core, whole or not at all."""
    network = artifact.load(arguments.build / "network.json")
    network = network.refolded(folded(network.spec, arguments.fold))
    features = read_expected(arguments.build / EXPECTED)["features"]
    made = arguments.output or arguments.build / "core"
    core = content.Core.of(network, features)
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
    built.add_argument(
        "--fold",
        default="default",
        help="serial, default, unrolled, or SIMDxPE of each layer: 4x3,30x1",
    )
    built.add_argument("--output", type=Path, help="folder of the core (default: BUILD/core)")
    return built


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
