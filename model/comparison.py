"""Traces of a network by two implementations: equal in every value, or the first that is not."""

from collections.abc import Mapping

import numpy as np

from model.errors import VerbatimError
from model.spec import Int


class DifferenceError(VerbatimError):
    """A value on which two implementations differ: the message names it, and what each gives."""


def require_equal(found: Mapping[str, Int], wanted: Mapping[str, Int], who: str) -> dict[str, int]:
    """Values compared, by tensor of ``found``, which ``who`` computed, with the reference's.

    Raises `DifferenceError` at the first value that differs, and where nothing was compared.
    """
    compared = {}
    for key, got in found.items():
        want = wanted[key]
        if got.shape != want.shape:
            raise DifferenceError(f"{key}: {who} gives {got.shape}, the reference {want.shape}")
        different = np.argwhere(got != want)
        if different.size:
            sample, *neuron = where = tuple(different[0].tolist())
            raise DifferenceError(
                f"{key}: sample {sample}, neuron {neuron}: {who} gives {got[where]}, "
                f"the reference {want[where]}; {len(different)} of {got.size} values differ"
            )
        compared[key] = got.size
    if not compared or not all(compared.values()):
        raise DifferenceError("no sample was compared, legal is at least one")
    return compared
