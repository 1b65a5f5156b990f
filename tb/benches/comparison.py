"""Compares arrays with what they must be, and names the first element that differs."""

import os
from pathlib import Path

import numpy as np
from cocotb.utils import get_sim_time

from model.format import Int
from tb.job import COUNTS


class Comparison:
    """Values compared, and the first that differs: where, when, expected and got."""

    def __init__(self) -> None:
        self.compared = 0

    def equal(self, sample: int, phase: str, part: str, expected: Int, got: Int) -> None:
        """Raise AssertionError where an element differs."""
        assert expected.shape == got.shape, f"{part}: {got.shape} values, expected {expected.shape}"
        self.compared += expected.size
        differing = np.argwhere(expected != got)
        if len(differing):
            place = tuple(differing[0].tolist())
            raise AssertionError(
                f"sample {sample}, {phase}, {part}, element {list(place)}: expected "
                f"{expected[place]}, got {got[place]}, at {int(get_sim_time('ns'))} ns "
                f"({len(differing)} of {expected.size} differ)"
            )

    def conclude(self) -> None:
        """Leave how many values were compared; none is a failure."""
        assert self.compared > 0, "nothing was compared"
        if "VERBATIM_JOB" in os.environ:
            with Path(COUNTS).open("a") as counts:
                counts.write(f"{self.compared}\n")
