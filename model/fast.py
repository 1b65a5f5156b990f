"""The reference's values by way of floating point, some fifty times as fast.

A matrix product in float is exact while no partial sum leaves the mantissa, and `acc_w` bounds
every partial sum. Scaling by a power of two is exact too, and ``np.rint`` rounds half to even: so
each step gives the codes that `model.reference` gives, which tests show and do not assume.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import reference
from model.artifact import Network
from model.format import Int
from model.stages.linear import LayerSpec

# Width of signed accumulators that a type holds exactly.
_EXACT = ((25, np.float32), (54, np.float64))

# Samples that the softmax takes at once, and multiplications of a product: below 2**18 of them
# OpenBLAS starts no thread, and threads that wait for a busy core cost more than they gain.
CHUNK = 1 << 13
_PRODUCT = (1 << 18) - 1
_FEWEST_ROWS = 64

Step = Callable[[NDArray[np.generic]], NDArray[np.generic]]


@dataclass(frozen=True)
class _FloatLayer:
    """A layer whose weights and biases are scaled such that its sums come in output LSBs."""

    weights: NDArray[np.floating]
    biases: NDArray[np.floating]
    least: int
    most: int

    def __call__(self, x: NDArray[np.generic]) -> NDArray[np.generic]:
        y = x.astype(self.weights.dtype, copy=False) @ self.weights
        y += self.biases
        np.rint(y, out=y)
        clipped: NDArray[np.generic] = np.clip(y, self.least, self.most, out=y)
        return clipped


@dataclass(frozen=True)
class _IntegerLayer:
    """A layer whose sums no float holds: the reference's own operators."""

    layer: LayerSpec
    weights: Int
    biases: Int

    def __call__(self, x: NDArray[np.generic]) -> NDArray[np.generic]:
        acc = reference.linear(x.astype(np.int64, copy=False), self.weights, self.biases)
        y = reference.requantize(acc, shift=self.layer.shift, width=self.layer.z.width)
        return reference.relu(y) if self.layer.relu else y


@dataclass(frozen=True)
class _Table:
    """The table of an activation."""

    entries: Int

    def __call__(self, x: NDArray[np.generic]) -> NDArray[np.generic]:
        return reference.activate(x.astype(np.int64, copy=False), self.entries)


def _step(layer: LayerSpec, weights: Int, biases: Int) -> Step:
    for bits, kind in _EXACT:
        if layer.acc_w <= bits:
            scale = 2.0**-layer.shift
            least = 0 if layer.relu else layer.z.q_min
            return _FloatLayer(
                np.ascontiguousarray((weights * scale).T.astype(kind)),
                (biases * scale).astype(kind),
                least,
                layer.z.q_max,
            )
    return _IntegerLayer(layer, weights, biases)


def _pieces(count: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` that cover ``count``."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _logits(steps: Sequence[Step], codes: Int, n_out: int, rows: int) -> Int:
    logits = np.empty((len(codes), n_out), np.int64)
    for piece in _pieces(len(codes), rows):
        x: NDArray[np.generic] = codes[piece]
        for step in steps:
            x = step(x)
        logits[piece] = x
    return logits


def predict_codes(network: Network, codes: Int) -> tuple[Int, Int]:
    """Classes ``[samples]`` and results ``[samples, n_out]`` of input codes.

    ``codes`` are ``[samples, n_in]`` in the network's input format; equal to `reference.trace`.
    """
    spec, end = network.spec, network.spec.output
    steps: list[Step] = []
    for layer in spec.layers:
        steps.append(_step(layer, network.weights[layer.weights], network.biases[layer.name]))
        if layer.activation:
            steps.append(_Table(layer.activation.table(layer.y)))
    rows = max(_FEWEST_ROWS, _PRODUCT // max(layer.n_in * layer.n_out for layer in spec.layers))
    classes = np.empty(len(codes), np.int64)
    bytes_alone = spec.tdata.ends == (0, 255)
    results = np.empty((len(codes), spec.n_out), np.uint8 if bytes_alone else np.int64)
    for piece in _pieces(len(codes), CHUNK):
        logits = _logits(steps, codes[piece], end.n_in, min(rows, CHUNK))
        made = reference.STAGES[end.kind](end, network, logits)
        classes[piece], results[piece] = reference.result(network, made)
    return classes, results
