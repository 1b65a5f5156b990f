"""Export a trained network: its integers, its ROM images, and what PyTorch says it computes."""

import argparse
import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from common import cli, files
from model import onnx_export, recipe
from model.data import datasets
from model.logits import require_winners, survey
from model.metrics import fit, measure, misfitting, shortfall
from model.qat import checkpoint, pruning, quantize, training
from scripts.expected import write_export


def run(arguments: argparse.Namespace) -> None:
    """Write ``network.json``, ``network.onnx``, ``mem/`` and ``expected.npz``.

    Only if PyTorch and reference agree on every value.
    """
    torch.set_num_threads(1)
    build = arguments.build
    plan = recipe.load(arguments.network)
    dataset = datasets.load(plan.dataset, plan.folder)
    train, test = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    with cli.step(build, "export"):
        trained = checkpoint.load(plan, dataset, build / checkpoint.FILE)
        origin = quantize.provenance(plan, dataset)
        network = quantize.export(trained.quantized, plan, origin, trained.scaling, trained.targets)
        network = dataclasses.replace(network, names=dataset.names)
        if trained.choice is not None:
            network = pruning.recorded(network, plan, trained.choice)
        scaled = trained.scaled(dataset.features)
        traced = trained.quantized.trace(scaled)
        calibration = {key: tensor[train] for key, tensor in traced.items()}
        require_winners(
            network.spec, survey(network.spec, calibration), arguments.allow_changed_winners
        )
        compared = quantize.compare(traced, network)
        with files.whole_file(build / "network.onnx") as temporary:
            temporary.write_bytes(onnx_export.model(network).SerializeToString(deterministic=True))
        expected: dict[str, NDArray[Any]] = {
            "features": dataset.features,
            "labels": dataset.labels,
            "train": train,
            "test": test,
            **_floats(trained, dataset, scaled),
            **traced,
        }
        write_export(network, expected, build)
    count = sum(compared.values())
    print(f"{build}: {count:,} values of PyTorch and reference compared, all equal")
    if trained.choice is not None:
        print(f"{build}: {pruning.summary(network)}")
    if dataset.targets is not None:
        values = network.values(traced[network.spec.output.key])
        for title, real in (("float", expected["float.values"]), ("quantized", values)):
            fits = [fit(dataset.targets[part], real[part]) for part in (train, test)]
            words = ", ".join(
                f"R2 {one.r2:.4f} and RMSE {one.rmse:.4g} on {one.samples} of {name}"
                for one, name in zip(fits, ("train", "test"), strict=True)
            )
            print(f"{build}: {title} network has {words}")
        cli.warn(filter(None, [misfitting(dataset.targets, expected["float.values"], values)]))
        return
    quantized = traced[f"{network.spec.output.name}.class"]
    for title, classes in (("float", expected["float.class"]), ("quantized", quantized)):
        scores = [measure(dataset.labels[part], classes[part]) for part in (train, test)]
        counts = ", ".join(
            f"{score.correct}/{score.samples} of {name}"
            for score, name in zip(scores, ("train", "test"), strict=True)
        )
        print(f"{build}: {title} network correct on {counts}")
    print(f"{build}: {survey(network.spec, traced)}")
    cli.warn(filter(None, [shortfall(dataset.labels, expected["float.class"], quantized)]))


def _floats(
    trained: training.Trained, dataset: datasets.Dataset, scaled: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Outputs of the float network, and the targets of a regression."""
    if dataset.targets is not None:
        return {"targets": dataset.targets, "float.values": training.values(trained, scaled)}
    floats = training.probabilities(trained.module, scaled)
    return {"float.probabilities": floats, "float.class": floats.argmax(axis=1)}


def parser() -> argparse.ArgumentParser:
    """``--allow-changed-winners`` exports a network whose score does not rank as its logits do."""
    built = cli.build_parser("scripts.export", __doc__)
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its recipe and folder."""
    parser.add_argument(
        "--allow-changed-winners",
        type=int,
        default=0,
        metavar="N",
        help="training samples to whose logits the score may give another class "
        "(default: %(default)s)",
    )


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
