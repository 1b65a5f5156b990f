"""Samples of the canonical networks: synthetic, seeded, shaped like the data of their sources.

Where real data is not to be had without a download, what is learned here is a made-up relation of
the same shape: what it shows is the hardware, and no accuracy of the field.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
SEED, SAMPLES = 16, 600


def _clusters(rng: np.random.Generator, n_in: int, classes: int, spread: float) -> Arrays:
    """A cloud for each class, around a centre of its own."""
    labels = rng.integers(0, classes, SAMPLES)
    labels[:classes] = np.arange(classes)
    centres = rng.normal(0, 1, (classes, n_in))
    features = centres[labels] + rng.normal(0, spread, (SAMPLES, n_in))
    return {"features": features.clip(-3.9, 3.9).round(4), "labels": labels}


def jet_tagging(rng: np.random.Generator) -> Arrays:
    """16 features of a jet, standardized; 5 kinds."""
    return _clusters(rng, 16, 5, 1.0)


def mnist_tfc(rng: np.random.Generator) -> Arrays:
    """784 pixels from 0 to 255, four fifths of them 0; 10 digits."""
    found = _clusters(rng, 784, 10, 1.0)
    return found | {"features": (found["features"].clip(0.8, 3.9) - 0.8).round(2) * 80 // 1}


def unsw_nb15(rng: np.random.Generator) -> Arrays:
    """593 bits of a connection; attack or none."""
    found = _clusters(rng, 593, 2, 2.0)
    return found | {"features": (found["features"] > 0).astype(np.float64)}


def anomaly_autoencoder(rng: np.random.Generator) -> Arrays:
    """640 values of a spectrogram, of 8 hidden causes; the target is the input."""
    causes = rng.normal(0, 1, (SAMPLES, 8))
    features = np.tanh(causes @ rng.normal(0, 0.4, (8, 640))).round(4)
    return {"features": features, "frames": features}


def control_policy(rng: np.random.Generator) -> Arrays:
    """8 states and 4 actions from -1 to 1."""
    states = rng.uniform(-1, 1, (SAMPLES, 8)).round(4)
    return {"features": states, "actions": np.tanh(states @ rng.normal(0, 1, (8, 4))).round(4)}


def regression(rng: np.random.Generator) -> Arrays:
    """13 measurements of a house and its price in thousands."""
    features = rng.uniform(-1, 1, (SAMPLES, 13)).round(4)
    price = 22 + 9 * np.tanh(features @ rng.normal(0, 1, 13)) + features[:, 0] * features[:, 1]
    return {"features": features, "price": price.round(2)}


def leaky(rng: np.random.Generator) -> Arrays:
    """12 features, 3 classes."""
    return _clusters(rng, 12, 3, 1.2)


MAKERS: dict[str, Callable[[np.random.Generator], Arrays]] = {
    maker.__name__: maker
    for maker in (
        jet_tagging,
        mnist_tfc,
        unsw_nb15,
        anomaly_autoencoder,
        control_policy,
        regression,
        leaky,
    )
}


def write(name: str, folder: Path) -> Path:
    """Write the samples of a network as ``<folder>/<name>.npz``."""
    path = folder / f"{name}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **MAKERS[name](np.random.default_rng(SEED)))  # type: ignore[arg-type]
    return path
