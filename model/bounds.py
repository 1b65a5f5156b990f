"""Bounds of sums and outputs, by interval arithmetic on the real weights."""

import numpy as np

from model.format import Format, Int
from model.stages.linear import LayerSpec


def accumulator_width(layer_weights: Int, biases: Int, x_interval: tuple[int, int]) -> int:
    """Signed bits that no partial sum of ``w @ x + b`` can leave, in whatever order it is taken.

    ``layer_weights`` is ``[n_out, n_in]``, ``biases`` ``[n_out]``, in accumulator LSBs; inputs lie
    in ``x_interval`` inclusive. Interval arithmetic: all positive terms, and all negative ones.

    >>> accumulator_width(np.array([[1, -1]]), np.array([0]), (-128, 127))
    9
    """
    low, high = x_interval
    extremes = np.stack([layer_weights * low, layer_weights * high])
    most = np.maximum(extremes.max(axis=0), 0).sum(axis=1) + np.maximum(biases, 0)
    least = np.minimum(extremes.min(axis=0), 0).sum(axis=1) + np.minimum(biases, 0)
    return 1 + max(int(most.max()), max(0, -int(least.min()) - 1)).bit_length()


def any_accumulator_width(n_in: int, w: Format, x_interval: tuple[int, int]) -> int:
    """As `accumulator_width` for whatever weights ``w`` has codes for.

    Biases may be as large as the largest sum of products.

    >>> any_accumulator_width(4, Format(8, 4), (-128, 127))
    19
    """
    most = n_in * max(abs(code * x) for code in (w.q_min, w.q_max) for x in x_interval)
    return 1 + (2 * most).bit_length()


def output_interval(layer: LayerSpec) -> tuple[int, int]:
    """Codes that a layer can put out, inclusive: what its successor's sums are bounded by."""
    if layer.activation:
        table = layer.activation.table(layer.y)
        return int(table.min()), int(table.max())
    return (0 if layer.relu else layer.y.q_min, layer.y.q_max)
