"""Synthesize a network for an FPGA, place and route it with several seeds, say what it costs."""

import argparse
import json

from rich.console import Console
from rich.progress import Progress

from common import cli, errors, files, tables
from model import artifact, trimming
from syn import targets, utilization
from syn.folds import refolded

# Stands for the first device of a family, or for none where it has none.
FIRST = "first"


def seeds(text: str) -> tuple[int, ...]:
    """``1,2,3`` as numbers; raises `CommandError` where it is something else."""
    try:
        return tuple(int(seed) for seed in text.split(","))
    except ValueError as error:
        raise errors.CommandError(
            f"seeds must be integers with commas between them, got {text!r}"
        ) from error


def run(arguments: argparse.Namespace) -> None:
    """Write ``synth-TARGET[-DEVICE].json`` into the build folder, and print its tables."""
    target = targets.target(arguments.target)
    device = target.device(None if arguments.device == FIRST else arguments.device)
    network = artifact.load(arguments.build / "network.json")
    network = refolded(network, arguments.fold)
    with Progress(console=Console(stderr=True)) as bar:
        found = utilization.measure(network, target, device, seeds(arguments.seeds), bar)
    name = "-".join(["synth", target.name, *([device.name] if device else [])])
    path = arguments.build / f"{name}.json"
    files.write_atomically(path, json.dumps(found, indent=1) + "\n")
    tables.show(*utilization.tables(found))
    for warning in found["warnings"]:
        print(f"warning: {warning}")
    if trimming.box_of(network) is not None:
        print("not counted: mlp_range, which flags samples outside of the box")
    print(f"{path}: written")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.synth", description=__doc__)
    cli.add_build(built)
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its folder."""
    for name, default, meaning in (
        ("target", "ecp5", "family: ecp5, ice40 or xc7"),
        ("device", FIRST, "part of the family (default: its first)"),
        (
            "fold",
            "default",
            "serial, default, unrolled, shared, or SIMDxPE of each: 4x3,30x1",
        ),
        ("seeds", "1,2,3", "seeds of placement (default: %(default)s)"),
    ):
        parser.add_argument(f"--{name}", default=default, help=meaning)


if __name__ == "__main__":
    cli.main(run, parser())
