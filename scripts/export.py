"""Export a trained network: its integers, its ROM images, and what PyTorch says it computes."""

import argparse
import dataclasses

import numpy as np
import torch

from common import cli, files
from model import artifact, images, onnx_export, recipe
from model.data import datasets
from model.logits import require_winners, survey
from model.metrics import measure, shortfall
from model.qat import checkpoint, quantize, training


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
        network = quantize.export(trained.quantized, plan, origin, trained.scaling)
        network = dataclasses.replace(network, names=dataset.names)
        scaled = trained.scaled(dataset.features)
        traced = trained.quantized.trace(scaled)
        calibration = {key: tensor[train] for key, tensor in traced.items()}
        require_winners(
            network.spec, survey(network.spec, calibration), arguments.allow_changed_winners
        )
        compared = quantize.compare(traced, network)
        floats = training.probabilities(trained.module, scaled)
        artifact.save(network, build / "network.json")
        images.write_images(network, build / "mem")
        with files.whole_file(build / "network.onnx") as temporary:
            temporary.write_bytes(onnx_export.model(network).SerializeToString(deterministic=True))
        expected = {
            "features": dataset.features,
            "labels": dataset.labels,
            "train": train,
            "test": test,
            "float.probabilities": floats,
            "float.class": floats.argmax(axis=1),
            **traced,
        }
        with files.whole_file(build / "expected.npz") as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **expected)
    print(f"{build}: {sum(compared.values())} values of PyTorch and reference compared, all equal")
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


def parser() -> argparse.ArgumentParser:
    """``--allow-changed-winners`` exports a network whose score does not rank as its logits do."""
    built = cli.build_parser("scripts.export", __doc__)
    built.add_argument(
        "--allow-changed-winners",
        type=int,
        default=0,
        metavar="N",
        help="training samples to whose logits the score may give another class "
        "(default: %(default)s)",
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
