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

# Bits of an address of an activation's table: 2**12 bytes are eight block RAMs of 4 kbit.
MAX_TABLE_W = 12
# Integer bits of a logit, its sign among them, beyond which its sigmoid is 0 or 255.
SIGMOID_INTEGER_W = 4

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


def sigmoid_address(x: Format) -> tuple[int, int]:
    """Bits of an address of the sigmoid's table, and low bits of a logit that do not count.

    Beyond -8 .. 8 the byte is 0 or 255, so that bits above those saturate, one bit fewer where a
    step is so coarse that the last one below 8 is not 255 yet; of what is left, the table takes 12.

    >>> [sigmoid_address(Format(*x)) for x in ((8, 4), (8, 0), (16, 12), (16, -1), (16, -3))]
    [(8, 0), (4, 0), (12, 4), (4, 0), (2, 0)]
    """
    integer_w = SIGMOID_INTEGER_W + (x.frac < 0)
    above = max(0, x.width - x.frac - integer_w)
    wanted = max(2, x.width - above)
    address_w = min(wanted, MAX_TABLE_W)
    return address_w, wanted - address_w


@functools.cache
def sigmoid(x: Format) -> Int:
    """``255 / (1 + exp(-v))``, rounded half to even, ``[2**address_w]``, in two's complement.

    Entry ``a`` belongs to the middle ``v`` of the logits whose address it is: without dropped bits
    to one logit, and is its byte exactly; else it is off by less than 5/8 of an LSB.

    >>> sigmoid(Format(8, 4))[[0, 1, 127, 128, 255]].tolist()     # of 0, 1/16, 127/16, -8, -1/16
    [128, 131, 255, 0, 124]
    """
    address_w, drop = sigmoid_address(x)
    half, table = 1 << (address_w - 1), np.zeros(1 << address_w, dtype=np.int64)
    with decimal.localcontext(prec=DIGITS):
        for address in range(-half, half):
            middle = decimal.Decimal(((2 * address + 1) << drop) - 1) / 2
            exact = PROBABILITY_ONE / (1 + (-middle * decimal.Decimal(2) ** -x.frac).exp())
            table[address] = int(exact.to_integral_value("ROUND_HALF_EVEN"))
    table.flags.writeable = False
    return table


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
