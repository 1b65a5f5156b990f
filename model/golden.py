"""Golden outputs: what the reference said on a dataset, kept in git so that it cannot drift."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError
from model import reference
from model.artifact import Network
from model.format import Int


class GoldenError(VerbatimError):
    """A network that no longer gives its golden outputs: the message names the first difference."""


def tensor_sha256(tensor: Int) -> str:
    """Digest of a tensor's shape and values, the same on every machine."""
    content = hashlib.sha256(str(tensor.shape).encode())
    content.update(tensor.astype("<i8").tobytes())
    return content.hexdigest()


def outputs(network: Network, features: NDArray[np.float64]) -> dict[str, Any]:
    """Logits (codes), probabilities (LSB 1/255), classes, and the digest of every traced tensor.

    Features are ``[samples, n_in]``, in their own units.
    """
    traced = reference.trace(network, reference.encode(network, features))
    return {
        "logits": traced[network.spec.logits_key].tolist(),
        "probabilities": traced["softmax.probabilities"].tolist(),
        "class": traced["softmax.class"].tolist(),
        "sha256": {key: tensor_sha256(tensor) for key, tensor in traced.items()},
    }


def check(network: Network, features: NDArray[np.float64], golden: Mapping[str, Any]) -> int:
    """Number of golden values that the network was compared with, and gave.

    Raises `GoldenError` where a value, sample, tensor or key differs.
    """
    found = outputs(network, features)
    _require_equal("keys", sorted(found), sorted(golden))
    compared = 0
    for key in ("logits", "probabilities", "class"):
        _require_equal(f"number of samples of {key}", len(found[key]), len(golden[key]))
        for sample, (got, want) in enumerate(zip(found[key], golden[key], strict=True)):
            _require_equal(f"{key} of sample {sample}", got, want)
            compared += len(got) if isinstance(got, list) else 1
    _require_equal("names of tensors", list(found["sha256"]), list(golden["sha256"]))
    for key, got in found["sha256"].items():
        _require_equal(f"sha256 of {key}", got, golden["sha256"][key])
        compared += 1
    return compared


def _require_equal(what: str, found: object, golden: object) -> None:
    if found != golden:
        raise GoldenError(f"{what}: found {found}, golden is {golden}")
