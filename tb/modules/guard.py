"""Beside a core: the ranges in which a trimmed network is the whole one; a watch of results."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.format import Format, Int
from model.stage import PACK_CYCLES
from model.verilog import LIST_ENTRY_W
from model.words import Field
from tb.job import Job
from tb.modules.case import Contract, Parameters, Prepared, plain
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
    Module(
        "mlp_watch",
        None,
        {
            "BEATS_IN": "1 or more",
            "BEATS_OUT": "1 or more",
            "INDEX_W": "1 .. 16",
            "WAIT": "2 or more",
        },
        on_both=(plain(BEATS_IN=3, BEATS_OUT=3, INDEX_W=2, WAIT=9),),
        more=(
            plain(BEATS_IN=1, BEATS_OUT=1, INDEX_W=1, WAIT=8),
            plain(BEATS_IN=4, BEATS_OUT=2, INDEX_W=3, WAIT=12),
            plain(BEATS_IN=1, BEATS_OUT=1, INDEX_W=16, WAIT=2),
        ),
        mutated=("3-3-2-9", "1-1-1-8"),
        illegal=(
            Illegal({"BEATS_IN": 0}, "BEATS_IN=0"),
            Illegal({"BEATS_OUT": 0}, "BEATS_OUT=0"),
            Illegal({"INDEX_W": 0}),
            Illegal({"INDEX_W": 17}, "INDEX_W=17"),
            Illegal({"WAIT": 1}, "WAIT=1"),
        ),
        mistakes=(
            mistake("misses-a-lost-result", "3-3-2-9", "(in_valid || unequal)", "in_valid"),
            mistake("misses-a-core-that-hangs", "3-3-2-9", "(in_valid || unequal)", "unequal"),
            mistake("misses-a-result-too-many", "3-3-2-9", " || !unequal", ""),
            mistake("misses-a-short-result", "3-3-2-9", "out_last != ending || ", ""),
            mistake("counts-a-short-sample", "3-3-2-9", "in_last && complete", "in_last"),
            mistake("counts-samples-round", "3-3-2-9", "too_long ? in_beat :", ""),
            mistake("takes-more-than-a-block", "3-3-2-9", "!samples[INDEX_W] && ", ""),
            mistake("open-while-lost", "3-3-2-9", " && !lost", ""),
            mistake("ends-while-a-result-waits", "3-3-2-9", "!take && !out_valid &&", "!take &&"),
            mistake(
                "goes-on-counting", "3-3-2-9", "if (rst || ends || !rests)", "if (rst || ends)"
            ),
        ),
        contracts=(
            Contract(
                plain(BEATS_IN=2, BEATS_OUT=2, INDEX_W=1, WAIT=3),
                0,
                gates=True,
                quick=True,
                mistake="misses-a-lost-result",
            ),
            Contract(plain(BEATS_IN=1, BEATS_OUT=1, INDEX_W=2, WAIT=2), 0, gates=True),
        ),
        bench="parts_bench",
    ),
)
