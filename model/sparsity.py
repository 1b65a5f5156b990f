"""A recipe's key ``area``: how far weights are pruned, and how the level is chosen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from model.format import require, require_integer

# Each about 0.7 of the one before.
LEVELS = (0.7, 0.5, 0.35, 0.25, 0.18, 0.13, 0.09, 0.065, 0.045, 0.032)


@dataclass(frozen=True)
class Sparsity:
    """Training for few LUTs where every weight is a constant: pruned while it is fine-tuned.

    ``penalty`` times the sum of all absolute weights is added to each loss. ``levels`` are the
    parts of the weights that stay, one after another, each with the epochs of fine-tuning. On
    ``splits`` of the training samples it is cross-validated which level to stop at: the one of
    the fewest predicted LUTs whose accuracy (R2 of a regression) is at most ``lost`` below the
    best.
    """

    penalty: float = 0.001
    levels: Sequence[float] = LEVELS
    splits: int = 5
    lost: float = 0.01

    def __post_init__(self) -> None:
        for key, value in (("penalty", self.penalty), ("lost", self.lost)):
            legal = isinstance(value, float) and math.isfinite(value) and 0 <= value < 1
            require(legal, f"area: {key} must be a float from 0 to below 1, got {value!r}")
        levels = self.levels
        legal = isinstance(levels, list | tuple) and all(isinstance(v, float) for v in levels)
        legal = legal and len(levels) > 0
        falling = legal and all(a > b for a, b in zip((1.0, *levels), (*levels, 0.0), strict=True))
        require(
            falling,
            f"area: levels must be floats below 1 and above 0, each less than the one before, got "
            f"{levels!r}",
        )
        object.__setattr__(self, "levels", tuple(levels))
        require_integer("area", 2, 20, splits=self.splits)

    @property
    def walked(self) -> tuple[float, ...]:
        """The levels behind that of all weights."""
        return (1.0, *self.levels)

    def check(self, *, trained: bool, tuned: bool, labelled: bool) -> None:
        """Raise `SpecError` unless a network is trained, fine-tuned, and has classes or values."""
        require(
            trained,
            "recipe: area must have [training] beside it, since parameters that come with a "
            "network have seen the samples that its cross-validation holds out",
        )
        require(tuned, "recipe: fine_tuning must have at least 1 epoch beside area, got 0")
        require(
            labelled,
            "recipe: area must have classes or real targets, whose accuracy or R2 it "
            "cross-validates, got independent labels",
        )

    def epochs(self, trained: int, tuned: int) -> int:
        """Epochs of float training and fine-tuning at most, in each split and then of all."""
        return (self.splits + 1) * (trained + len(self.walked) * tuned)
