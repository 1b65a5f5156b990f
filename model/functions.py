"""Activations by table: real functions of one number, and their correctly rounded tables.

A table has an entry for each code that can enter. Values are computed as fractions where they are
rational, else in decimal with so many digits that no entry can be rounded the wrong way.
"""

import decimal
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from model.format import Format, Int

# Digits of a value: few first, many where it lies so near a tie that the last ten of them decide.
DIGITS = (25, 90)

# Exponentials beyond this are 0, or infinite, in any format; they stay off them, since a function
# that comes near a tie without ever reaching it is rounded to the side that it is on.
FAR = Decimal(150)


@dataclass(frozen=True)
class Kind:
    """A function of ``x`` and its arguments, by name in a network's file.

    It is ``rational``, or else takes x and gives its value as a decimal.
    """

    function: Callable[..., Any]
    arguments: tuple[str, ...] = ()
    rational: bool = False


def _exp(x: Decimal) -> Decimal:
    return max(min(x, FAR), -FAR).exp()


def _sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + _exp(-x))


def _tanh(x: Decimal) -> Decimal:
    twice = _exp(-2 * abs(x))
    return ((1 - twice) / (1 + twice)).copy_sign(x)


def _erf(x: Decimal) -> Decimal:
    """By its Taylor series, whose terms are all positive in this form."""
    if abs(x) > 12:
        return (1 - _exp(-x * x)).copy_sign(x)
    term = total = x
    square, n = x * x, 0
    while n == 0 or total + term != total:
        n += 1
        term = term * 2 * square / (2 * n + 1)
        total += term
    return 2 * total * _exp(-square) / _PI.sqrt()


def _gelu(x: Decimal) -> Decimal:
    return x * (1 + _erf(x / Decimal(2).sqrt())) / 2


def _gelu_tanh(x: Decimal) -> Decimal:
    return x * (1 + _tanh((2 / _PI).sqrt() * (x + Decimal("0.044715") * x**3))) / 2


def _silu(x: Decimal) -> Decimal:
    return x * _sigmoid(x)


def _elu(x: Decimal, alpha: Fraction) -> Decimal:
    return x if x > 0 else _decimal(alpha) * (_exp(x) - 1)


def _softplus(x: Decimal) -> Decimal:
    return max(x, Decimal(0)) + (1 + _exp(-abs(x))).ln()


def _clamp(x: Fraction, low: Fraction, high: Fraction) -> Fraction:
    return min(max(x, low), high)


def _leaky_relu(x: Fraction, slope: Fraction) -> Fraction:
    return x if x > 0 else slope * x


def _hardsigmoid(x: Fraction) -> Fraction:
    return _clamp(x / 6 + Fraction(1, 2), Fraction(0), Fraction(1))


def _hardswish(x: Fraction) -> Fraction:
    return x * _hardsigmoid(x)


def _decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


FUNCTIONS: dict[str, Kind] = {
    "leaky_relu": Kind(_leaky_relu, ("slope",), rational=True),
    "clamp": Kind(_clamp, ("low", "high"), rational=True),
    "hardsigmoid": Kind(_hardsigmoid, rational=True),
    "hardswish": Kind(_hardswish, rational=True),
    "sigmoid": Kind(_sigmoid),
    "tanh": Kind(_tanh),
    "gelu": Kind(_gelu),
    "gelu_tanh": Kind(_gelu_tanh),
    "silu": Kind(_silu),
    "elu": Kind(_elu, ("alpha",)),
    "softplus": Kind(_softplus),
}

_PI = Decimal(
    "3.14159265358979323846264338327950288419716939937510582097494459230781"
    "640628620899862803482534211706798215"
)


@functools.cache
def table(function: str, arguments: tuple[float, ...], x: Format, y: Format) -> Int:
    """Codes of ``y`` for each code of ``x``, in two's complement: ``[2**x.width]``.

    Each is the function's value, rounded half to even and cut off at the ends of ``y``.

    >>> table("tanh", (), Format(4, 1), Format(8, 7))[[0, 1, 7, 8, 15]].tolist()
    [0, 59, 127, -128, -59]
    >>> table("leaky_relu", (0.25,), Format(3, 0), Format(4, 1)).tolist()
    [0, 2, 4, 6, -2, -2, -1, 0]
    """
    entries = [_entry(function, arguments, Fraction(code), x, y) for code in _codes(x)]
    found: Int = np.array(entries, dtype=np.int64)
    found.flags.writeable = False
    return found


def _codes(x: Format) -> Sequence[int]:
    """Codes of a format in the order of their addresses."""
    return [*range(x.q_max + 1), *range(x.q_min, 0)]


def _entry(
    function: str, arguments: tuple[float, ...], code: Fraction, x: Format, y: Format
) -> int:
    kind, given = FUNCTIONS[function], code * Fraction(2) ** -x.frac
    exact = tuple(map(Fraction, arguments))
    if kind.rational:
        rounded: int = round(kind.function(given, *exact) * Fraction(2) ** y.frac)  # half to even
    else:
        rounded = _rounded(kind, given, exact, y.frac)
    return max(min(rounded, y.q_max), y.q_min)


def _rounded(kind: Kind, given: Fraction, exact: tuple[Fraction, ...], frac: int) -> int:
    """Round a decimal function's value, with as many digits as that takes."""
    for digits in DIGITS:
        with decimal.localcontext(prec=digits + 10):
            value: Decimal = kind.function(_decimal(given), *exact) * Decimal(2) ** frac
            value = max(min(value, Decimal(1 << 20)), Decimal(-1 << 20))
            rounded = int(value.to_integral_value("ROUND_HALF_EVEN"))
            near = abs(abs(value - value.to_integral_value("ROUND_FLOOR")) - Decimal("0.5"))
            if near > Decimal(10) ** (10 - digits):
                return rounded
    # A tie itself, as x = 0 gives one, is no matter of digits.
    assert near == 0, f"{kind.function.__name__} of {given} is too near to a tie"
    return rounded
