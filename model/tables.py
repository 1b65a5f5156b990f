"""Constant tables that the hardware holds as ROM and the reference as arrays."""

import numpy as np

from model.spec import PROBABILITY_ONE, RECIPROCAL_ADDR_W, RECIPROCAL_W, Int


def reciprocal() -> Int:
    """``255 / m`` for mantissas ``m`` in ``[1, 2)``, rounded down; ``[256]``, LSB ``2**-16``.

    Entry ``i`` serves every sum whose leading one is followed by the 8 bits ``i``. It divides by
    the *end* of that range, so that a quotient is never too large, and at most 1 LSB too small:
    a loser has at most half of the sum, hence at most 127.5 LSB, times a relative error
    below ``2**-8 + 2**-15``.

    >>> reciprocal()[[0, 255]]
    array([65025, 32640])
    """
    ends = (1 << RECIPROCAL_ADDR_W) + np.arange(1 << RECIPROCAL_ADDR_W, dtype=np.int64) + 1
    entries: Int = (PROBABILITY_ONE << RECIPROCAL_W) // ends
    return entries
