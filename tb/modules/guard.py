"""A comparison beside a core: the ranges in which a trimmed network is the whole one."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.format import Format, Int
from model.stage import PACK_CYCLES
from model.verilog import LIST_ENTRY_W
from model.words import Field
from tb.job import Job
from tb.modules.case import Contract, Parameters, Prepared
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.operator import Vector, served
from tb.modules.stream import Pack
from tb.streams import LAST, Beat


class Range(Pack):
    """Vectors gathered as by `Pack`, each of which becomes a flag."""

    latency = PACK_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.format = Format(Format(self.parameters["W"], 0).byte_width, 0)
        sign = 1 << LIST_ENTRY_W - 1
        self.low, self.high = (
            (np.array(self.parameters[name]) + sign) % (2 * sign) - sign for name in ("LOW", "HIGH")
        )
        self.inputs = (Field("data", self.format.width, self.inputs[0].lanes, signed=True), LAST)
        self.outputs = (Field("outside"),)

    def corners(self) -> list[Vector]:
        """Each value at the ends of its range and one beyond; then lengths as those of `Pack`."""
        ends: list[Int] = [self.low, self.high]
        for index in range(self.n):
            for end, beyond in ((self.low, -1), (self.high, 1)):
                x = end.copy()
                x[index] += beyond
                ends.append(np.clip(x, self.format.q_min, self.format.q_max))
        return [*({"x": x} for x in ends), *super().corners()]

    def _values(self, count: int) -> Int:
        """Values in range, of half of the vectors all; a vector that is too long goes round."""
        low, high = (np.resize(end, count) for end in (self.low, self.high))
        x = np.array([random.randint(a, b) for a, b in zip(low, high, strict=True)])
        if random.random() < 0.5:
            x[random.randrange(count)] = random.randint(self.format.q_min, self.format.q_max)
        return x

    def beats_in(self, vector: Vector) -> list[Beat]:
        return served(self.inputs[0], vector["x"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        if len(vector["x"]) != self.n:
            return []
        outside = (vector["x"] < self.low) | (vector["x"] > self.high)
        return [{"outside": [int(outside.any())]}]


@dataclass(frozen=True)
class Ranges:
    """Ranges drawn at random for ``n`` features of ``w`` bits: of one code, of some, of all."""

    n: int
    lanes: int
    w: int
    depth_w: int

    @property
    def name(self) -> str:
        """``6-2-9-2``."""
        return "-".join(map(str, self.shown.values()))

    @property
    def shown(self) -> Parameters:
        """Sizes and widths."""
        return {"N": self.n, "LANES": self.lanes, "W": self.w, "DEPTH_W": self.depth_w}

    def prepare(self, folder: Path) -> Prepared:
        """Return the sizes and the ranges; the first begins at 0, the last holds every code."""
        fmt = Format(self.w, 0)
        ends = np.random.default_rng(self.n).integers(fmt.q_min, fmt.q_max + 1, (2, self.n))
        ends.sort(axis=0)
        ends[:, 0] = 0, fmt.q_max // 2
        if self.n > 2:
            ends[1, 1] = ends[0, 1]
        if self.n > 1:
            ends[:, -1] = fmt.q_min, fmt.q_max
        low, high = (tuple(int(code) % (1 << LIST_ENTRY_W) for code in row) for row in ends)
        return self.shown | {"LOW": low, "HIGH": high}, {}


MODULES = (
    Module(
        "mlp_range",
        Range,
        {
            "N": "1 or more",
            "LANES": "divides N",
            "W": "2 .. 16",
            "DEPTH_W": "1 .. 16",
            "LOW": "each 0 or more",
            "HIGH": "each 0 or more",
        },
        on_both=(Ranges(6, 2, 9, 2), Ranges(4, 1, 8, 3)),
        more=(Ranges(3, 3, 8, 1),),
        mutated=("6-2-9-2", "3-3-8-1"),
        illegal=(
            Illegal({"N": 5, "LANES": 2}, "LANES=2"),
            Illegal({"W": 17}, "W=17"),
            Illegal({"N": 4, "LANES": -1}),
            Illegal({"DEPTH_W": 17}, "DEPTH_W=17"),
            Illegal({"W": 1}, "W=1"),
            Illegal({"DEPTH_W": 0}),
        ),
        mistakes=(
            mistake("forgets-what-it-has-found", "6-2-9-2", "outside = found ||", "outside ="),
            mistake("keeps-what-it-has-found", "6-2-9-2", "!in_last && outside", "outside"),
            mistake("same-range-for-all", "4-1-8-3", "LANES*$signed(place)", "0"),
            mistake("ends-are-outside", "4-1-8-3", ") > $signed(HIGH", ") >= $signed(HIGH"),
            mistake("flag-of-a-short-vector", "6-2-9-2", "in_last && complete", "in_last"),
            mistake("flag-of-a-long-vector", "6-2-9-2", "too_long ? count :", ""),
            mistake("overwrites-a-flag", "3-3-8-1", "{!tail[DEPTH_W],", "{tail[DEPTH_W],"),
        ),
        contracts=(
            Contract(
                Ranges(2, 1, 2, 1), PACK_CYCLES, quick=True, mistake="forgets-what-it-has-found"
            ),
            Contract(Ranges(2, 2, 2, 1), PACK_CYCLES),
        ),
    ),
)
