"""Streams: registers that cut ready, vectors from beats, beats from vectors, inputs, folds."""

from typing import Any

import numpy as np

from model.format import Format, Int
from model.stage import PACK_CYCLES, REGISTER_CYCLES, UNPACK_CYCLES
from model.stages.linear import FOLD_CYCLES
from model.words import Field
from tb.job import Job
from tb.modules.case import Contract, plain
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.operator import Operator, Vector, beat, corner_vectors, served, uniform
from tb.streams import LAST, Beat


class Register(Operator):
    latency = REGISTER_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.most = (1 << self.parameters["W"]) - 1
        self.inputs = self.outputs = (Field("data", self.parameters["W"]), LAST)

    def corners(self) -> list[Vector]:
        values = [0, self.most, 0, 1, self.most - 1]
        return [{"data": np.array([v]), "last": np.array([v & 1])} for v in values]

    def draw(self) -> Vector:
        return {"data": uniform(0, self.most, 1), "last": uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{name: values.tolist() for name, values in vector.items()}]

    def beats_out(self, vector: Vector) -> list[Beat]:
        return self.beats_in(vector)


class Pack(Operator):
    latency = PACK_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.n, lanes, width = (self.parameters[name] for name in ("N", "LANES", "W"))
        self.format, self.interval = Format(width, 0), self.n // lanes
        self.inputs = (Field("lanes", width, lanes, signed=True), LAST)
        self.outputs = (Field("x", width, self.n, signed=True),)

    def corners(self) -> list[Vector]:
        """Good vectors between ones that end early or late, which must vanish."""
        lanes = self.inputs[0].lanes
        lengths = [self.n, self.n - lanes, self.n, self.n + lanes, self.n, self.n + 5 * lanes]
        lengths += [self.n, lanes, 3 * self.n, self.n]
        # So long that a counter of beats would be where it was.
        lengths += [self.n + (lanes << self.interval.bit_length()), self.n, self.n]
        return [{"x": self._values(length)} for length in lengths if length > 0]

    def _values(self, count: int) -> Int:
        return uniform(self.format.q_min, self.format.q_max, count)

    def draw(self) -> Vector:
        return {"x": self._values(self.n)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return served(self.inputs[0], vector["x"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        return [{"x": vector["x"].tolist()}] if len(vector["x"]) == self.n else []


class Input(Pack):
    """Features in whole bytes, which are gathered as by `Pack`, or go on beat by beat."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        lanes, width = self.inputs[0].lanes, self.format.width
        self.gathers = self.parameters["OUT_LANES"] == self.n
        if not self.gathers:
            self.latency, self.interval = 0, 1
        self.inputs = (Field("data", self.format.byte_width, lanes, signed=True), LAST)
        self.outputs = (Field("x", width, self.parameters["OUT_LANES"], signed=True), LAST)

    def corners(self) -> list[Vector]:
        if self.gathers:
            return super().corners()
        vectors = enumerate(corner_vectors(self.format, self.inputs[0].lanes))
        return [{"x": x, "last": np.array([index & 1])} for index, x in vectors]

    def draw(self) -> Vector:
        if self.gathers:
            return super().draw()
        return {"x": self._values(self.inputs[0].lanes), "last": uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        if self.gathers:
            return super().beats_in(vector)
        return beat(self.inputs[0], vector["x"], vector["last"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        if self.gathers:
            return [found | {"last": [1]} for found in super().beats_out(vector)]
        return beat(self.outputs[0], vector["x"], vector["last"])


class Unpack(Operator):
    latency = UNPACK_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.n, lanes, width, tag_w = (
            self.parameters[name] for name in ("N", "LANES", "W", "TAG_W")
        )
        self.format, self.interval, self.tags = Format(width, 0), self.n // lanes, 1 << tag_w
        self.inputs = (Field("x", width, self.n, signed=True), Field("tag", tag_w))
        self.outputs = (Field("lanes", width, lanes, signed=True), LAST, Field("tag", tag_w))

    def corners(self) -> list[Vector]:
        vectors = corner_vectors(self.format, self.n)
        return [{"x": x, "tag": np.array([i % self.tags])} for i, x in enumerate(vectors)]

    def draw(self) -> Vector:
        x = uniform(self.format.q_min, self.format.q_max, self.n)
        return {"x": x, "tag": uniform(0, self.tags - 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{name: values.tolist() for name, values in vector.items()}]

    def beats_out(self, vector: Vector) -> list[Beat]:
        return served(self.outputs[0], vector["x"], tag=int(vector["tag"][0]))


class Fold(Operator):
    latency = FOLD_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.steps, self.groups = self.size
        self.interval = self.steps * self.groups
        self.inputs = ()
        self.outputs = (
            Field("first_step"),
            Field("last_step"),
            Field("last_group"),
            Field("group", max(1, (self.groups - 1).bit_length())),
            Field("cycle", max(1, (self.interval - 1).bit_length())),
        )

    @property
    def size(self) -> tuple[int, int]:
        """Steps and groups of a vector."""
        return self.parameters["STEPS"], self.parameters["GROUPS"]

    def corners(self) -> list[Vector]:
        return [{}] * 5

    def draw(self) -> Vector:
        return {}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{}]

    def beats_out(self, vector: Vector) -> list[Beat]:
        return [
            {
                "first_step": [step == 0],
                "last_step": [step == self.steps - 1],
                "last_group": [group == self.groups - 1],
                "group": [group],
                "cycle": [group * self.steps + step],
            }
            for group in range(self.groups)
            for step in range(self.steps)
        ]


class Inputs(Fold):
    """The places of a fold, and the values of the vector that belong to each."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.n, lanes, simd, width = (self.parameters[name] for name in ("N", "LANES", "SIMD", "W"))
        self.format, self.gathers = Format(width, 0), lanes < self.n
        self.latency = FOLD_CYCLES + (PACK_CYCLES if self.gathers else 0)
        self.interval = max(self.interval, self.n // lanes)
        self.inputs = (Field("lanes", width, lanes, signed=True), LAST)
        self.outputs = (*self.outputs, Field("x", width, simd, signed=True))

    @property
    def size(self) -> tuple[int, int]:
        return self.parameters["N"] // self.parameters["SIMD"], self.parameters["GROUPS"]

    def corners(self) -> list[Vector]:
        """Good vectors; where they come in beats, others between them, which must vanish."""
        lanes, n = self.inputs[0].lanes, self.n
        good = [{"x": x} for x in corner_vectors(self.format, n)]
        if not self.gathers:
            return good
        lengths = [n - lanes, n, n + lanes, n + 5 * lanes, lanes, n, 2 * n, 3 * n, n]
        # So long that a counter of words would be where it was.
        lengths.append(n + (self.parameters["SIMD"] << self.steps.bit_length()))
        return [*good, *({"x": self._values(length)} for length in lengths), *good[:2]]

    def _values(self, count: int) -> Int:
        return uniform(self.format.q_min, self.format.q_max, count)

    def draw(self) -> Vector:
        return {"x": self._values(self.n)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return served(self.inputs[0], vector["x"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        if len(vector["x"]) != self.n:
            return []
        words = np.tile(vector["x"], self.groups).reshape(-1, self.parameters["SIMD"]).tolist()
        places = super().beats_out(vector)
        return [place | {"x": word} for place, word in zip(places, words, strict=True)]


def _vector(n: int, lanes: int, simd: int, groups: int, w: int, **how: Any) -> Contract:
    """The contract of `mlp_vector`; a vector of several beats is in a memory."""
    latency = FOLD_CYCLES + (PACK_CYCLES if lanes < n else 0)
    setting = plain(N=n, LANES=lanes, SIMD=simd, GROUPS=groups, W=w)
    return Contract(setting, latency, max(n // simd * groups, n // lanes), **how)


# Features go on as a vector, or as they came.
BEAT = "LANES if OUT_LANES < N else N"

MODULES = (
    Module(
        "mlp_skid_buffer",
        Register,
        {"W": "1 or more"},
        on_both=(plain(W=24),),
        more=(plain(W=1),),
        mutated=("24",),
        mistakes=(
            mistake(
                "loses-the-spare",
                "24",
                "out_valid = in_valid || spare_valid;",
                "out_valid = in_valid;",
            ),
        ),
        contracts=(Contract(plain(W=3), REGISTER_CYCLES, quick=True, mistake="loses-the-spare"),),
    ),
    Module(
        "mlp_stream_pack",
        Pack,
        {"N": "1 or more", "LANES": "divides N", "W": "1 or more"},
        on_both=(plain(N=6, LANES=1, W=8), plain(N=4, LANES=4, W=8)),
        more=(plain(N=6, LANES=3, W=5),),
        mutated=("6-1-8", "4-4-8"),
        illegal=(
            Illegal({"N": 5, "LANES": 2}, "LANES=2"),
            Illegal({"N": 4, "LANES": -1}),
        ),
        mistakes=(
            mistake(
                "keeps-a-short-vector",
                "6-1-8",
                "in_valid && in_last && complete",
                "in_valid && in_last",
            ),
            mistake("counts-round", "6-1-8", "too_long ? count :", ""),
            mistake(
                "forgets-reset",
                "6-1-8",
                "if (rst)\n            count <=",
                "if (rst && in_last)\n            count <=",
            ),
        ),
        contracts=(
            Contract(
                plain(N=4, LANES=2, W=2), PACK_CYCLES, quick=True, mistake="keeps-a-short-vector"
            ),
            Contract(plain(N=3, LANES=1, W=1), PACK_CYCLES),
            Contract(plain(N=2, LANES=2, W=2), PACK_CYCLES),
        ),
    ),
    Module(
        "mlp_stream_unpack",
        Unpack,
        {"N": "1 or more", "LANES": "divides N", "W": "1 or more", "TAG_W": "1 or more"},
        on_both=(plain(N=6, LANES=2, W=5, TAG_W=9),),
        more=(plain(N=6, LANES=1, W=8, TAG_W=2), plain(N=4, LANES=4, W=8, TAG_W=1)),
        mutated=("6-2-5-9",),
        illegal=(
            Illegal({"N": 5, "LANES": 2}, "LANES=2"),
            Illegal({"N": 4, "LANES": -1}),
        ),
        mistakes=(
            mistake(
                "payload-moves-while-stalled",
                "6-1-8-2",
                "else if (out_ready)\n            x <= x >> (LANES*W);",
                "else\n            x <= x >> (LANES*W);",
            ),
        ),
        contracts=(
            Contract(
                plain(N=3, LANES=1, W=2, TAG_W=1),
                UNPACK_CYCLES,
                interval=3,
                quick=True,
                mistake="payload-moves-while-stalled",
            ),
            Contract(plain(N=2, LANES=2, W=2, TAG_W=1), UNPACK_CYCLES),
        ),
    ),
    Module(
        "mlp_fold",
        Fold,
        {"STEPS": "1 or more", "GROUPS": "1 or more"},
        on_both=(plain(STEPS=3, GROUPS=4),),
        more=(plain(STEPS=1, GROUPS=1),),
        mutated=("3-4",),
        mistakes=(
            mistake(
                "one-step-too-few",
                "3-4",
                "STEPS[STEP_W-1:0] - 1'b1",
                "STEPS[STEP_W-1:0] - 2'd2",
            ),
            mistake(
                "bubble-between-vectors",
                "3-4",
                "!out_valid || (out_ready && last_beat)",
                "!out_valid",
            ),
        ),
        contracts=(
            Contract(
                plain(STEPS=3, GROUPS=2),
                FOLD_CYCLES,
                interval=6,
                quick=True,
                mistake="one-step-too-few",
            ),
            Contract(plain(STEPS=1, GROUPS=1), FOLD_CYCLES),
        ),
    ),
    Module(
        "mlp_input",
        Input,
        {"N": "1 or more", "LANES": "divides N", "OUT_LANES": f"{BEAT} .. {BEAT}", "W": "2 .. 16"},
        on_both=(
            plain(N=6, LANES=2, OUT_LANES=6, W=9),
            plain(N=6, LANES=2, OUT_LANES=2, W=9),
        ),
        more=(plain(N=3, LANES=3, OUT_LANES=3, W=8),),
        mutated=("6-2-6-9", "6-2-2-9"),
        illegal=(
            Illegal({"N": 6, "LANES": 2, "OUT_LANES": 3}, "OUT_LANES=3", warning="WIDTHEXPAND"),
            Illegal({"N": 6, "LANES": 4, "OUT_LANES": 4}, "LANES=4"),
            Illegal({"N": 4, "LANES": -1, "OUT_LANES": 4}),
        ),
        mistakes=(
            mistake("loses-the-last", "6-2-2-9", "out_last  = in_last", "out_last  = 1'b1"),
            mistake("takes-beats-unasked", "6-2-2-9", "in_ready  = out_ready", "in_ready  = 1'b1"),
        ),
    ),
    Module(
        "mlp_vector",
        Inputs,
        {
            "N": "1 or more",
            "LANES": "divides N if LANES == N else SIMD",
            "SIMD": "divides N",
            "GROUPS": "1 or more",
            "W": "1 or more",
        },
        on_both=(
            plain(N=6, LANES=6, SIMD=2, GROUPS=3, W=5),
            plain(N=16, LANES=1, SIMD=2, GROUPS=3, W=4),
            plain(N=12, LANES=4, SIMD=4, GROUPS=2, W=8),
        ),
        more=(
            plain(N=6, LANES=1, SIMD=6, GROUPS=2, W=4),
            plain(N=8, LANES=1, SIMD=1, GROUPS=1, W=3),
            plain(N=1, LANES=1, SIMD=1, GROUPS=1, W=2),
        ),
        mutated=("6-6-2-3-5", "16-1-2-3-4", "12-4-4-2-8"),
        illegal=(
            Illegal({"N": 4, "SIMD": 3}, "SIMD=3"),
            # A width that the parameter makes impossible comes before the check.
            Illegal({"N": 2, "LANES": 2, "SIMD": 4}, "SIMD=4", together=False, warning="SELRANGE"),
            Illegal({"N": 4, "LANES": 2, "SIMD": 1}, "LANES=2", warning="SELRANGE"),
            Illegal({"N": 4, "LANES": 4, "SIMD": 2, "GROUPS": 0}, together=False),
        ),
        mistakes=(
            mistake(
                "vector-does-not-turn",
                "6-6-2-3-5",
                "x <= (x >> (SIMD*W)) | (x << ((N-SIMD)*W));",
                "x <= x;",
            ),
            mistake(
                "writes-what-is-read",
                "16-1-2-3-4",
                "words[{half ^ !full, count",
                "words[{half, count",
            ),
            mistake("reads-the-half-before", "16-1-2-3-4", "words[{half ^ swap,", "words[{half,"),
            mistake(
                "keeps-a-short-vector-of-memory", "16-1-2-3-4", "in_last && complete", "in_last"
            ),
            mistake("keeps-a-long-vector", "12-4-4-2-8", "too_long || !part", "!part"),
            mistake("first-word-only", "16-1-2-3-4", ": addr + 1'b1;", ": addr;"),
            mistake(
                "takes-no-beat-beside",
                "16-1-2-3-4",
                "in_ready     = !full || vector_ready",
                "in_ready     = !full",
            ),
            mistake("forgets-the-part", "16-1-2-3-4", "part[PARTS-1] ? FIRST", "1'b0 ? FIRST"),
        ),
        contracts=(
            _vector(4, 1, 2, 1, 1, quick=True, mistake="keeps-a-short-vector-of-memory"),
            _vector(4, 4, 2, 2, 1, quick=True, mistake="vector-does-not-turn"),
            _vector(2, 1, 1, 2, 2),
            _vector(4, 2, 2, 1, 1),
            _vector(3, 1, 3, 1, 1),
        ),
    ),
)
