"""Every flower that a ruler of 0.1 cm can tell apart, through the RTL of IrisNet."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model import fast
from model.artifact import Network
from model.reference import quantize
from tb import native
from tb.tools import RTL

# Ends of each feature of the Iris data, in tenths of a cm, inclusive: 37 * 25 * 60 * 25 vectors.
ENDS = ((43, 79), (20, 44), (10, 69), (1, 25))
SHAPE = tuple(last - first + 1 for first, last in ENDS)
VECTORS = int(np.prod(SHAPE))


class BoxError(AssertionError):
    """A vector of the box that the RTL and the reference disagree on: the message names it."""


def features(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Vectors ``[samples, 4]`` in cm by their numbers ``0 .. VECTORS - 1``, the last axis first."""
    tenths = np.stack(np.unravel_index(indices, SHAPE), axis=1) + [first for first, _ in ENDS]
    return tenths / 10


def check(
    network: Network,
    indices: NDArray[np.int64],
    *,
    rtl: Path = RTL,
    mem: Path | None = None,
    optimize: bool = True,
) -> int:
    """Classes and probabilities of these vectors by the RTL and the reference: values compared.

    The RTL is `mlp_top` at the network's own fold, the reference is its fast path. ``mem`` is a
    folder of ROM images other than the network's. Raises `BoxError` at the first that differs.
    """
    x = quantize(features(indices), network.spec.x)
    found = native.stream(network, x, rtl=rtl, mem=mem, optimize=optimize)
    classes, probabilities = fast.predict_codes(network, x)
    have = np.column_stack([found.classes, found.probabilities])
    want = np.column_stack([classes, probabilities])
    if have.shape != want.shape:
        raise BoxError(f"{have.shape} results, legal are {want.shape}")
    for row in np.flatnonzero((have != want).any(axis=1))[:1]:
        raise BoxError(
            f"vector {indices[row]}, {features(indices[[row]])[0].tolist()} cm: class and "
            f"probabilities are {have[row].tolist()}, the reference has {want[row].tolist()}"
        )
    return have.size
