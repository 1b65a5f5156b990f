"""Streams: the register that cuts ready, vectors from beats and beats from vectors, folds."""

import numpy as np

from model.format import Format, Int
from model.stage import PACK_CYCLES, REGISTER_CYCLES, UNPACK_CYCLES
from model.stages.linear import FOLD_CYCLES
from model.words import Field
from tb.job import Job
from tb.modules.case import Contract, plain
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.operator import Operator, Vector, corner_vectors, served, uniform
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
        lengths += [self.n, lanes, 3 * self.n, self.n, self.n]
        return [{"x": self._values(length)} for length in lengths if length > 0]

    def _values(self, count: int) -> Int:
        return uniform(self.format.q_min, self.format.q_max, count)

    def draw(self) -> Vector:
        return {"x": self._values(self.n)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return served(self.inputs[0], vector["x"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        return [{"x": vector["x"].tolist()}] if len(vector["x"]) == self.n else []


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
        self.steps, self.groups = self.parameters["STEPS"], self.parameters["GROUPS"]
        self.interval = self.steps * self.groups
        self.inputs = ()
        self.outputs = (
            Field("first_step"),
            Field("last_step"),
            Field("last_group"),
            Field("group", max(1, (self.groups - 1).bit_length())),
            Field("cycle", max(1, (self.interval - 1).bit_length())),
        )

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
)
