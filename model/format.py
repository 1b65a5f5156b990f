"""Fixed-point formats, and the checks of values that come from users."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError

Int = NDArray[np.int64]
MIN_WIDTH, MAX_WIDTH = 2, 16
MIN_FRAC, MAX_FRAC = -16, 31


class SpecError(VerbatimError):
    """A network, format or fold that the hardware does not support."""


def tree_levels(lanes: int) -> int:
    """Registered levels of a binary tree over ``lanes`` leaves: ``ceil(log2(lanes))``.

    >>> [tree_levels(lanes) for lanes in (1, 2, 3, 4, 5)]
    [0, 1, 2, 2, 3]
    """
    return (lanes - 1).bit_length()


def require(condition: bool, sentence: str) -> None:
    """Raise `SpecError` with ``sentence`` unless ``condition`` holds."""
    if not condition:
        raise SpecError(sentence)


def require_integer(owner: str, low: int, high: int, **values: object) -> None:
    """Raise `SpecError` unless each value is an int in ``low..high``; a bool is not an int here."""
    for key, value in values.items():
        legal = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        require(legal, f"{owner}: {key} must be an integer from {low} to {high}, got {value!r}")


def require_boolean(owner: str, **values: object) -> None:
    """Raise `SpecError` unless each value is true or false."""
    for key, value in values.items():
        require(isinstance(value, bool), f"{owner}: {key} must be true or false, got {value!r}")


def require_number(owner: str, low: float, high: float, **values: object) -> None:
    """Raise `SpecError` unless each value is a float strictly between ``low`` and ``high``."""
    for key, value in values.items():
        legal = isinstance(value, float) and math.isfinite(value) and low < value < high
        require(legal, f"{owner}: {key} must be a float between {low} and {high}, got {value!r}")


def require_divisor(owner: str, whole_name: str, whole: int, **values: int) -> None:
    """Raise `SpecError` unless each value is a positive divisor of ``whole``."""
    for key, value in values.items():
        require_integer(owner, 1, whole, **{key: value})
        divisors = [d for d in range(1, whole + 1) if whole % d == 0]
        legal = ", ".join(map(str, divisors))
        require(
            whole % value == 0,
            f"{owner}: {key} must be a divisor of {whole_name} = {whole} ({legal}), got {value}",
        )


@dataclass(frozen=True)
class Format:
    """Signed fixed point: ``value = q * 2**-frac`` with ``q`` in ``width`` bits, zero point 0.

    >>> Format(8, 4).max_value
    7.9375
    >>> Format(1, 0)
    Traceback (most recent call last):
    model.format.SpecError: format: width must be an integer from 2 to 16, got 1
    """

    width: int
    frac: int

    def __post_init__(self) -> None:
        require_integer("format", MIN_WIDTH, MAX_WIDTH, width=self.width)
        require_integer("format", MIN_FRAC, MAX_FRAC, frac=self.frac)

    def __str__(self) -> str:
        """``8/4``: width and fraction bits."""
        return f"{self.width}/{self.frac}"

    @property
    def q_min(self) -> int:
        """Least code."""
        return -(1 << (self.width - 1))

    @property
    def q_max(self) -> int:
        """Largest code."""
        return (1 << (self.width - 1)) - 1

    @property
    def max_value(self) -> float:
        """Largest value that has a code."""
        return self.q_max * self.lsb

    @property
    def lsb(self) -> float:
        """Value of one code step."""
        return 2.0**-self.frac

    @property
    def byte_width(self) -> int:
        """Bits of one lane on an AXI4-Stream: whole bytes."""
        return 8 * math.ceil(self.width / 8)
