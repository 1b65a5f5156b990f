"""Deltas of the logits: the reference of `mlp_learn_error`, and its settings with their table."""

import dataclasses
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.images import write_image
from model.learning import backprop
from model.learning.backprop import IRIS, slopes
from model.learning.core import SLOPE_W, SLOPES_IMAGE, TAYLOR2_ERROR_CYCLES
from model.stage import UNPACK_CYCLES
from model.words import Field
from tb.job import Job
from tb.modules.case import Parameters, Prepared
from tb.modules.operator import Operator, Vector, served
from tb.streams import LAST, Beat


class LogitDeltas(Operator):
    """Deltas of the logits."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.n, score = self.parameters["N"], self.parameters["SCORE"]
        sizes = (*IRIS.sizes[:-1], self.n)
        self.plan = dataclasses.replace(IRIS, sizes=sizes, score=score, logit_frac=None)
        self.inputs = (
            Field("p", 8, self.n),
            Field("logits", 8, self.n, signed=True),
            Field("label", 8),
        )
        self.outputs = (Field("d", 16, signed=True), LAST)
        self.latency = UNPACK_CYCLES + (TAYLOR2_ERROR_CYCLES if score == "taylor2" else 0)
        self.interval = self.n

    def vector(self, p: list[int], logits: list[int], label: int) -> Vector:
        """One vector."""
        return {"p": np.array(p), "logits": np.array(logits), "label": np.array([label])}

    def corners(self) -> list[Vector]:
        """All of the probability at each class, against each label; every logit."""
        sure = [[255 * (k == j) for k in range(self.n)] for j in range(self.n)]
        vectors = [
            self.vector(p, [q] * self.n, label)
            for p in sure
            for label in range(self.n)
            for q in (-128, -2, 0, 127)
        ]
        every = [self.vector([255] + [0] * (self.n - 1), [q] * self.n, 1) for q in range(-128, 128)]
        return vectors + every

    def draw(self) -> Vector:
        p = [random.randint(0, 255) for _ in range(self.n)]
        logits = [random.randint(-128, 127) for _ in range(self.n)]
        return self.vector(p, logits, random.randrange(self.n))

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{name: values.tolist() for name, values in vector.items()}]

    def beats_out(self, vector: Vector) -> list[Beat]:
        label = int(vector["label"][0])
        d = backprop.error(self.plan, vector["p"], vector["logits"], label)
        return served(self.outputs[0], d)


@dataclass(frozen=True)
class WithSlopes:
    """A setting of `mlp_learn_error`, with its table."""

    n: int
    score: str

    @property
    def name(self) -> str:
        """``3-exp``."""
        return f"{self.n}-{self.score}"

    @property
    def shown(self) -> Parameters:
        """All but the table."""
        return {"N": self.n, "SCORE": self.score}

    def prepare(self, folder: Path) -> Prepared:
        """Write the table; return the parameters."""
        image = folder / SLOPES_IMAGE
        words = slopes(backprop.LOGIT_FRAC["taylor2"]) & ((1 << SLOPE_W) - 1)
        write_image(image, words.tolist(), SLOPE_W)
        return {**self.shown, "SLOPES": str(image)}, {}
