"""Make an exported network and its outputs golden: written into the repository, to be committed."""

import argparse
import json
from pathlib import Path

from common import cli, files
from common.paths import GOLDEN
from model import artifact, golden, recipe
from model.data import datasets


def run(arguments: argparse.Namespace) -> None:
    """Write ``NAME.network.json`` and ``NAME.outputs.json`` into the golden folder."""
    plan = recipe.load(arguments.network)
    network = artifact.load(arguments.build / "network.json")
    outputs = golden.outputs(network, datasets.load(plan.dataset, plan.folder).features)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in outputs.items()]
    artifact.save(network, arguments.golden / f"{plan.name}.network.json")
    path = arguments.golden / f"{plan.name}.outputs.json"
    files.write_atomically(path, "{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path}: outputs of {len(outputs['class'])} samples")


if __name__ == "__main__":
    parser = cli.build_parser("scripts.golden", __doc__)
    parser.add_argument(
        "--golden",
        type=Path,
        default=GOLDEN,
        help="folder of golden files (default: %(default)s)",
    )
    cli.main(run, parser)
