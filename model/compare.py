"""Traces of a network by two implementations: equal in every value, or the first that is not."""

from collections.abc import Mapping

import numpy as np

from common.errors import VerbatimError
from model.format import Int


class DifferenceError(VerbatimError):
    """A value on which two implementations differ: the message names it, and what each gives."""


def require_equal(
    found: Mapping[str, Int],
    wanted: Mapping[str, Int],
    finder: str,
    wanter: str = "the reference",
) -> dict[str, int]:
    """Values compared, by tensor of ``found``, which ``finder`` computed, ``wanted`` ``wanter``.

    Raises `DifferenceError` at the first value that differs, and where nothing was compared.
    """
    compared = {}
    for key, got in found.items():
        want = wanted[key]
        if got.shape != want.shape:
            raise DifferenceError(f"{key}: {finder} gives {got.shape}, {wanter} {want.shape}")
        different = np.argwhere(got != want)
        if different.size:
            sample, *element = where = tuple(different[0].tolist())
            neuron = f", neuron {', '.join(map(str, element))}" if element else ""
            raise DifferenceError(
                f"{key}: sample {sample}{neuron}: {finder} gives {got[where]}, "
                f"{wanter} {want[where]}; {len(different)} of {got.size} values differ"
            )
        compared[key] = got.size
    if not compared or not all(compared.values()):
        raise DifferenceError("at least one sample must be compared, got none")
    return compared
