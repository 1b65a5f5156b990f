"""Cost of a network whose every weight is a constant: adders of its digits, and LUTs they predict.

A product with a constant is a sum of shifted inputs, one for each non-zero digit of the constant
in canonical signed digits, which has the fewest of them (Reitwiesner, 1960).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.artifact import Network
from model.format import Int
from model.stages.linear import LayerSpec

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Cost:
    """Weights that are not 0 and count, of all; bits of adders and of requantizers; LUT4s."""

    kept: int
    weights: int
    adder_bits: int
    requantizer_bits: int
    luts: int


def digits(codes: Int) -> Int:
    """Non-zero canonical signed digits of each code.

    >>> digits(np.array([0, 1, -3, 7, 11])).tolist()
    [0, 1, 2, 2, 3]
    """
    size = np.abs(codes)
    found: Int = np.bitwise_count(size ^ (3 * size)).astype(np.int64)
    return found


def alive(uses: Sequence[str], masks: Mapping[str, Mask]) -> dict[str, Mask]:
    """The weights of ``masks[matrix] [n_out, n_in]`` through which an input reaches an output.

    ``uses`` are the matrices in the order of the data, one more than once where layers share it. A
    weight behind a unit without inputs multiplies a constant, one before a unit that nothing reads
    has no effect.

    >>> alive(["a", "b"], {"a": np.array([[True], [False]]), "b": np.array([[False, True]])})
    {'a': array([[False],
           [False]]), 'b': array([[False, False]])}
    """
    masks = dict(masks)
    while True:
        varies: Mask = np.ones(masks[uses[0]].shape[1], dtype=bool)
        read: Mask = np.ones(masks[uses[-1]].shape[0], dtype=bool)
        before = []
        for key in uses:
            before.append(varies)
            varies = np.any(masks[key] & varies, axis=1)
        found = {key: np.zeros_like(mask) for key, mask in masks.items()}
        for key, varying in zip(reversed(uses), reversed(before), strict=True):
            used = masks[key] & varying & read[:, None]
            found[key] |= used
            read = np.any(used, axis=0)
        if all((found[key] == masks[key]).all() for key in masks):
            return found
        masks = found


def cost(network: Network) -> Cost:
    """Cost of the network with all layers unrolled, whatever its own folds are.

    The LUTs are predicted by the slopes below; `make study-area` fits them again.
    """
    layers = network.spec.layers
    masks = {key: weights != 0 for key, weights in network.weights.items()}
    masks = alive([layer.weights for layer in layers], masks)
    adders = requantizers = 0
    for layer in layers:
        own = _rows(layer, network.weights[layer.weights] * masks[layer.weights])
        adders, requantizers = adders + own[0], requantizers + own[1]
    unrolled = network.spec.unrolled()
    rest = unrolled.area.luts - sum(layer.area.luts for layer in unrolled.layers)
    return Cost(
        kept=sum(int(mask.sum()) for mask in masks.values()),
        weights=sum(mask.size for mask in masks.values()),
        adder_bits=adders,
        requantizer_bits=requantizers,
        luts=predicted(adders, requantizers, rest),
    )


# LUT4s of an ECP5 for a bit of an adder, a bit of a requantizer, and an estimated LUT of the rest.
SLOPES = (0.65, 4.4, 1.5)


def predicted(adder_bits: int, requantizer_bits: int, rest: int) -> int:
    """LUT4s of an ECP5 after synthesis."""
    parts = (adder_bits, requantizer_bits, rest)
    return round(sum(slope * part for slope, part in zip(SLOPES, parts, strict=True)))


def _rows(layer: LayerSpec, weights: Int) -> tuple[int, int]:
    """Bits of adders and of requantizers of a layer, whose dead weights are 0."""
    terms = digits(weights).sum(axis=1)
    largest = np.abs(weights).sum(axis=1) * -layer.x.q_min
    widths = 1 + np.ceil(np.log2(np.maximum(largest, 1) + 1)).astype(np.int64)
    adders = int((np.maximum(terms - 1, 0) * widths).sum())
    return adders, int(widths[terms > 0].sum())
