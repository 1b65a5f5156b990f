"""Scaling of raw features before they are rounded to codes: by feature, an offset and a scale.

A core takes one format for all of its inputs. Features of very different ranges are brought to it
by whoever feeds the core; the network's file records how, so that everybody does the same.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from model.format import require

Real = NDArray[np.float64]

# Offsets are multiples of the scale's 16th: short numbers, the same on every machine.
OFFSET_STEPS = 16


@dataclass(frozen=True)
class Scaling:
    """``(x - offset) / scale``, by feature, in float64: a subtraction, then a division.

    Raises `SpecError` unless both have the same length, and each scale is positive and finite.
    """

    owner: ClassVar[str] = "features"

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        for key in ("offset", "scale"):
            values = getattr(self, key)
            legal = isinstance(values, list | tuple) and all(map(_is_number, values))
            require(legal, f"{self.owner}: {key} must be a list of finite numbers, got {values!r}")
            object.__setattr__(self, key, tuple(map(float, values)))
        require(
            len(self.offset) == len(self.scale) > 0,
            f"{self.owner}: offset and scale must have one number each for each column, got "
            f"{len(self.offset)} and {len(self.scale)}",
        )
        least = min(self.scale)
        require(least > 0, f"{self.owner}: scale must be above 0, got {least}")

    def apply(self, features: Real) -> Real:
        """Scaled features of ``[samples, n_in]``; the same bits on every machine."""
        scaled: Real = (features - np.array(self.offset)) / np.array(self.scale)
        return scaled

    def then(self, other: "Scaling") -> "Scaling":
        """One scaling that does what this one and then the other does, but for rounding.

        >>> Scaling((1.0,), (2.0,)).then(Scaling((3.0,), (4.0,)))
        Scaling(offset=(7.0,), scale=(8.0,))
        """
        both = zip(self.offset, self.scale, other.offset, other.scale, strict=True)
        parts = [(offset + moved * scale, scale * by) for offset, scale, moved, by in both]
        return Scaling(*zip(*parts, strict=True))


@dataclass(frozen=True)
class TargetScaling(Scaling):
    """The scaling of the targets of a regression, undone on its values."""

    owner: ClassVar[str] = "targets"

    @classmethod
    def standardizing(cls, targets: Real) -> "TargetScaling":
        """Find the scaling of targets ``[samples, n]``, as `standardize` does of features."""
        return cls(**vars(standardize(targets)))

    def undo(self, values: Real) -> Real:
        """Targets in their own units, of scaled ones ``[samples, n_out]``."""
        unscaled: Real = values * np.array(self.scale) + np.array(self.offset)
        return unscaled


def _is_number(value: object) -> bool:
    """Return whether it is a finite float, or an int that is one exactly; a bool is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= 1 << 53
    return isinstance(value, float) and math.isfinite(value)


def standardize(features: Real) -> Scaling:
    """Find the scaling that brings each feature of ``[samples, n_in]`` near mean 0 and deviation 1.

    Scales are powers of two, so that dividing by them rounds nothing; a constant feature has 1.

    >>> standardize(np.array([[100.0, 7.0], [300.0, 7.0]]))
    Scaling(offset=(200.0, 7.0), scale=(128.0, 1.0))
    """
    deviation = features.std(axis=0)
    exponent = np.rint(np.log2(np.where(deviation > 0, deviation, 1.0)))
    scale = 2.0**exponent
    step = scale / OFFSET_STEPS
    offset = np.rint(features.mean(axis=0) / step) * step
    return Scaling(tuple(offset.tolist()), tuple(scale.tolist()))
