"""Cost of a network whose every weight is a constant: adders of its sums, and LUTs they predict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.artifact import Network
from model.format import Int
from model.shared import shared
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
    """Cost of the network unrolled, by sums that outputs share, whatever its own folds are.

    The LUTs are predicted by the slopes below; `make study-area` fits them again.
    """
    masks = {key: weights != 0 for key, weights in network.weights.items()}
    masks = alive([layer.weights for layer in network.spec.layers], masks)
    living = {key: weights * masks[key] for key, weights in network.weights.items()}
    unrolled = network.spec.serial().unrolled()
    built = shared(replace(network, spec=unrolled, weights=living))
    layers = built.spec.layers
    adders = sum(layer.plan.adder_bits(layer.n_in) for layer in layers if layer.plan)
    requantizers = sum(_requantizer_bits(layer, living[layer.weights]) for layer in layers)
    return Cost(
        kept=sum(int(mask.sum()) for mask in masks.values()),
        weights=sum(mask.size for mask in masks.values()),
        adder_bits=adders,
        requantizer_bits=requantizers,
        luts=predicted(adders, requantizers, rest(built)),
    )


def rest(built: Network) -> int:
    """Estimated LUTs of all that is no layer, in an unrolled network of shared sums."""
    layers = sum(layer.body_area.luts - layer.spare_area.luts for layer in built.spec.layers)
    return built.spec.area.luts - layers


# LUT4s of an ECP5 for a bit of an adder, a bit of a requantizer, and an estimated LUT of the rest.
SLOPES = (1.33, 2.2, 0.91)


def predicted(adder_bits: int, requantizer_bits: int, rest: int) -> int:
    """LUT4s of an ECP5 after synthesis."""
    parts = (adder_bits, requantizer_bits, rest)
    return round(sum(slope * part for slope, part in zip(SLOPES, parts, strict=True)))


def _requantizer_bits(layer: LayerSpec, weights: Int) -> int:
    """Bits of the sums of a layer that vary; its dead weights are 0."""
    largest = np.abs(weights).sum(axis=1) * -layer.x.q_min
    widths = 1 + np.ceil(np.log2(np.maximum(largest, 1) + 1)).astype(np.int64)
    return int(widths[largest > 0].sum())
