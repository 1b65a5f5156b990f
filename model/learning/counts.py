"""Numbers that a learning core keeps beside its masters: what saturated, and what was wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import reference
from model.format import Int

# Bits that hold every value before it saturates, and those of a count.
WIDE, COUNT_W = 62, 32


@dataclass
class Counts:
    """Numbers of values that saturated, and of samples learned whose class was wrong.

    ``activations`` are outputs of all layers, logits among them. A value counts where saturation
    changed it: what a ReLU or its mask makes 0 does not.
    """

    activations: int = 0
    deltas: int = 0
    masters: int = 0
    wrong: int = 0


def lost(acc: Int, y: Int, *, shift: int, width: int, kept: NDArray[np.bool_] | None = None) -> int:
    """Number of the ``kept`` values that saturation made ``y`` of ``acc / 2**shift``.

    >>> acc = np.array([2039, 2040, -2056, -2057])
    >>> y = reference.requantize(acc, shift=4, width=8)
    >>> y.tolist(), lost(acc, y, shift=4, width=8), lost(acc, y, shift=4, width=8, kept=y > 0)
    ([127, 127, -128, -128], 2, 1)
    """
    most = (1 << (width - 1)) - 1
    if y.max() < most and y.min() >= -most:
        return 0
    differs = y != reference.requantize(acc, shift=shift, width=WIDE)
    return int(np.count_nonzero(differs if kept is None else differs & kept))
