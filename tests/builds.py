"""Build folders for tests, without training and simulating."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import files
from common.paths import GOLDEN_IRIS, ROOT
from model import artifact, recipe, reference
from model.artifact import Network
from model.data import datasets
from model.format import Int
from scripts.report import facts

SIMULATOR = "icarus"

# PyTorch has no such tensors.
HARDWARE_ONLY = {"softmax.quotients", "softmax.probabilities"}


def rtl_report(network: Network, traced: dict[str, Any]) -> dict[str, Any]:
    """What a bench in which everything is equal writes."""
    spec = network.spec
    return {
        "samples": len(traced["input"]),
        "streams": {
            stream: {"compared": traced[tensor].size, "differing": 0}
            for tensor, stream, _ in facts.streams(spec)
        }
        | {
            "m_axis.tuser": {
                "compared": traced["softmax.class"].size * (spec.n_out // spec.out_lanes),
                "differing": 0,
            }
        },
        "latency": {"measured": spec.latency, "formula": spec.latency},
        "interval": {"measured": spec.interval, "formula": spec.interval},
        "classes": traced["softmax.class"].tolist(),
        "results": traced["softmax.probabilities"].tolist(),
        "seconds": {"build": 1.5, "simulate": 0.5},
    }


def golden_build(folder: Path) -> Path:
    """Fill a folder as train, export and sim leave it, from the golden network."""
    network, iris = artifact.load(GOLDEN_IRIS), datasets.load("iris")
    plan = recipe.load(ROOT / "model/networks/iris.toml")
    train, test = datasets.split(iris, plan.split.test_fraction, plan.split.seed)
    return _fill(folder, network, iris.features, iris.labels, train, test)


def build_of(network: Network, folder: Path, samples: int = 40) -> Path:
    """Fill a folder likewise from any network, on random samples that it classifies correctly."""
    rng = np.random.default_rng(5)
    x = network.spec.x
    features = rng.integers(x.q_min, x.q_max + 1, (samples, network.spec.n_in)) * x.lsb
    labels = reference.trace(network, reference.encode(network, features))["softmax.class"]
    train, test = np.arange(samples - 10), np.arange(samples - 10, samples)
    return _fill(folder, network, features, labels, train, test)


def _fill(
    folder: Path,
    network: Network,
    features: NDArray[np.float64],
    labels: Int,
    train: Int,
    test: Int,
) -> Path:
    traced = reference.trace(network, reference.encode(network, features))
    np.savez(
        folder / "expected.npz",
        **{
            "features": features,
            "labels": labels,
            "train": train,
            "test": test,
            "float.class": labels,
            **{key: tensor for key, tensor in traced.items() if key not in HARDWARE_ONLY},
        },
    )
    artifact.save(network, folder / "network.json")
    for step in ("train", "export"):
        path = folder / "seconds" / f"{step}.json"
        files.write_atomically(path, json.dumps({"step": step, "seconds": 2.0}))
    content = rtl_report(network, traced)
    files.write_atomically(folder / f"rtl-{SIMULATOR}.json", json.dumps(content))
    return folder
