"""Constant tables that the hardware holds as ROM and the reference as arrays."""

import decimal
import functools
from typing import Protocol

import numpy as np

from model.format import Format, Int
from model.stage import PROBABILITY_ONE

# Reciprocal table of the `reciprocal` divider: 2**8 entries of 16 bits fill one 4-kbit block RAM.
RECIPROCAL_ADDR_W = 8
RECIPROCAL_W = 16

# Decimal digits of the exponential: no entry is so close to an integer that 30 do not suffice.
DIGITS = 30


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


class Exponential(Protocol):
    """Parameters of the table of the `exp` score."""

    @property
    def x(self) -> Format:
        """Format of the logits."""

    @property
    def max_score(self) -> int:
        """Its first entry."""


def exponential(spec: Exponential) -> Int:
    """``max_score * exp(-d * lsb)``, rounded up, for each distance ``d``; ``[2**width]``.

    Rounded up, because the division rounds down: a loser is then never rounded down twice. Every
    entry is at least 1, none is larger than the one before it, and the first is larger than all.

    >>> from model.stages.softmax import SoftmaxSpec
    >>> spec = SoftmaxSpec(n=3, x=Format(8, 4), score="exp", divider="reciprocal", lanes=1)
    >>> exponential(spec)[[0, 1, 16, 255]]     # exp of 0, -1/16, -1, -255/16
    array([65535, 61565, 24109,     1])
    """
    return _exponential(spec.x, spec.max_score)


@functools.cache
def _exponential(x: Format, most: int) -> Int:
    # Every entry is at least 1, and from the first 1 on they all are.
    table = np.ones(1 << x.width, dtype=np.int64)
    with decimal.localcontext(prec=DIGITS):
        step, first = decimal.Decimal(1 << x.frac), decimal.Decimal(most)
        for distance in range(len(table)):
            exact = first * (-distance / step).exp()
            if exact <= 1:
                break
            table[distance] = int(exact.to_integral_value("ROUND_CEILING"))
    table.flags.writeable = False
    return table
