"""The softmax and its parts as their users see them, by the reference."""

import functools
import itertools
import random
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from model import reference, tables
from model.format import Format, Int
from model.stage import PROBABILITY_ONE, PROBABILITY_W
from model.stages.softmax import SoftmaxSpec
from model.tables import RECIPROCAL_ADDR_W, RECIPROCAL_W
from model.words import Field
from tb.job import Job
from tb.modules.operator import Operator, Vector, corner_vectors, served, spread, uniform
from tb.streams import LAST, Beat

# Up to so many bits of logits in a vector, a softmax is tested on all vectors.
EXHAUSTIVE_BITS = 9
# Vectors among which a part looks for those that tell a bit of a score or of the total.
LOOKED_AT = 1 << 13
# Logits of up to so many bits have a table of which every entry is tested.
TABLE_BITS = 8


@functools.cache
def _telling(score_w: int, total_w: int) -> tuple[Int, Int]:
    """A total that reads each entry of the reciprocal table, and two scores that tell the entry.

    ``[256]`` and ``[256, 2]``: where there is such a score, its quotient is another one for the
    entry's neighbour below, or above.
    """
    table = tables.reciprocal()
    totals = (np.arange(len(table)) + len(table)) << (total_w - 1 - RECIPROCAL_ADDR_W)
    shift = total_w - 1 + RECIPROCAL_W - RECIPROCAL_ADDR_W
    scores = np.arange(1 << score_w)
    found = np.empty((len(table), 2), dtype=np.int64)
    for entry, total in enumerate(totals):
        legal = scores[: total + 1]
        quotients = (legal * table[entry]) >> shift
        for side, neighbour in enumerate((table[entry] - 1, table[entry] + 1)):
            tells = quotients != (legal * neighbour) >> shift
            found[entry, side] = legal[tells][-1] if tells.any() else legal[-1]
    return totals, found


def deciding(scores: Int, spec: SoftmaxSpec, seen: Sequence[str]) -> list[int]:
    """Indices of the vectors of ``scores [vectors, n]`` that tell stuck bits by what is ``seen``.

    For each bit of the total, and of each lane of scores before the sum and behind it, stuck at 0
    and at 1: one vector that tells, if any does. A low bit decides a byte in one of a thousand
    vectors, which few random ones hold.
    """
    made, found = reference.normalized(scores, spec), set()

    def look(broken: dict[str, Int], legal: NDArray[np.bool_]) -> None:
        differs = [(broken[key] != made[key]).reshape(len(scores), -1) for key in seen]
        tells: NDArray[np.bool_] = np.concatenate(differs, axis=1).any(axis=1) & legal
        if tells.any():
            found.add(int(tells.argmax()))

    def look_behind_the_sum(scores: Int, totals: Int) -> None:
        legal = totals > 0
        quotients = reference.divided(scores, np.where(legal, totals, 1), spec) & PROBABILITY_ONE
        p = reference.remainder(quotients, made["class"])
        look({**made, "quotients": quotients, "probabilities": p}, legal)

    for bit, high in itertools.product(range(spec.total_w), (False, True)):
        look_behind_the_sum(scores, _stuck(made["totals"], bit, high))
    for lane, bit in itertools.product(range(spec.lanes), range(spec.score_w)):
        for high in (False, True):
            broken = scores.copy()
            broken[:, lane :: spec.lanes] = _stuck(scores[:, lane :: spec.lanes], bit, high)
            look_behind_the_sum(broken, made["totals"])
            legal: NDArray[np.bool_] = np.any(broken, axis=1)
            look(reference.normalized(np.where(legal[:, None], broken, 1), spec), legal)
    return sorted(found)


def _stuck(values: Int, bit: int, high: bool) -> Int:
    """The values with one of their bits at 1, or at 0."""
    return values | (1 << bit) if high else values & ~(1 << bit)


class OfLogits(Operator):
    """A part of the softmax, or all of it."""

    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        """Latency in cycles."""
        raise NotImplementedError

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        plain = dict(job.options["softmax"])
        self.spec = spec = SoftmaxSpec(**plain | {"x": Format(**plain["x"])})
        self.latency, self.interval = self.cycles(spec), spec.beats
        self.logits = Field("x", spec.x.width, spec.n, signed=True)
        self.max = Field("max", spec.x.width, signed=True)
        self.beat_of_scores = Field("scores", spec.score_w, spec.lanes)
        self.all_scores = Field("scores", spec.score_w, spec.n)
        self.total = Field("total", spec.total_w)
        self.beat_of_quotients = Field("quotients", PROBABILITY_W, spec.lanes)
        self.probabilities = Field("p", PROBABILITY_W, spec.n)
        self.winner = Field("class", spec.class_w)

    def corners(self) -> list[Vector]:
        """Ends of the range, where the polynomial turns, and ties between first, last and all.

        Where there are few vectors of logits: every one of them.
        """
        fmt, n = self.spec.x, self.spec.n
        if fmt.width * n <= EXHAUSTIVE_BITS:
            codes = range(fmt.q_min, fmt.q_max + 1)
            return [self._annotated(np.array(x)) for x in itertools.product(codes, repeat=n)]
        turn = max(fmt.q_min, -1 << fmt.frac)
        vectors = corner_vectors(fmt, n)
        for low, high in itertools.product((turn, 0, fmt.q_min), (fmt.q_max, fmt.q_min, 1)):
            for winners in ([0], [n - 1], [0, n - 1], range(n)):
                x = np.full(n, low)
                x[list(winners)] = high
                vectors.append(x)
        return [self._annotated(x) for x in vectors]

    def draw(self) -> Vector:
        """Logits over the whole range, or all near one value, where scores are close."""
        fmt, n = self.spec.x, self.spec.n
        if random.random() < 0.5:
            return self._annotated(uniform(fmt.q_min, fmt.q_max, n))
        near = random.randint(fmt.q_min, fmt.q_max) + uniform(-2, 2, n)
        return self._annotated(np.clip(near, fmt.q_min, fmt.q_max))

    def _annotated(self, x: Int) -> Vector:
        """A vector of logits with all that the softmax makes of it."""
        made = reference.softmax(x, self.spec)
        values = {"x": x, "max": np.array([x.max()])}
        values |= {"scores": made["scores"], "total": np.array([made["totals"]])}
        values |= {"quotients": made["quotients"], "p": made["probabilities"]}
        return values | {"class": np.array([made["class"]])}

    def beats_of(self, fields: Sequence[Field], vector: Vector) -> list[Beat]:
        """The vector's values of these fields; the first may be served in several beats."""
        first, *beside = [field for field in fields if field != LAST]
        constants = {field.name: int(vector[field.name][0]) for field in beside}
        return served(first, vector[first.name], **constants)

    def beats_in(self, vector: Vector) -> list[Beat]:
        return self.beats_of(self.inputs, vector)

    def beats_out(self, vector: Vector) -> list[Beat]:
        return self.beats_of(self.outputs, vector)


class OfScores(OfLogits):
    """A part that takes scores: of whatever bits, though no logits have some of them."""

    # What a user sees of a vector, by the names of the reference.
    seen: ClassVar[tuple[str, ...]] = ("totals", "class")

    def corners(self) -> list[Vector]:
        """Those of every part; each bit of each score alone; and scores of which a bit decides."""
        spec, vectors = self.spec, super().corners()
        for lane, bit in itertools.product(range(spec.n), range(spec.score_w)):
            scores = np.zeros(spec.n, np.int64)
            scores[lane] = 1 << bit
            vectors.append(self._of_scores(scores))
        rng, size = np.random.default_rng(spec.n), (LOOKED_AT, spec.n)
        # Small totals too: behind their leading one, low bits of them are read.
        drawn = rng.integers(0, 1 << spec.score_w, size) >> rng.integers(0, spec.score_w, size)
        drawn = np.minimum(drawn, spec.max_score)[drawn.any(axis=1)]
        vectors += [self._of_scores(drawn[row]) for row in deciding(drawn, spec, self.seen)]
        return vectors

    def _of_scores(self, scores: Int) -> Vector:
        """A vector of scores with all that follows."""
        made = reference.normalized(scores, self.spec)
        vector = {"scores": scores, "total": made["totals"][None]}
        vector |= {"quotients": made["quotients"], "p": made["probabilities"]}
        return vector | {"class": made["class"][None]}


class Max(OfLogits):
    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.max_cycles

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs, self.outputs = (self.logits,), (self.logits, self.max)


class Score(OfLogits):
    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.score_cycles

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs, self.outputs = (self.logits,), (self.beat_of_scores, LAST)

    def corners(self) -> list[Vector]:
        """Those of every part; for a table, each of its entries too."""
        vectors = super().corners()
        if self.spec.score == "exp" and self.spec.x.width <= TABLE_BITS:
            most = self.spec.x.q_max
            for distances in spread(range(1 << self.spec.x.width), self.spec.n - 1):
                vectors.append(self._annotated(np.array([most, *(most - distances)])))
        return vectors


class Sum(OfScores):
    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.sum_cycles

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs = (self.beat_of_scores, LAST)
        self.outputs = (self.all_scores, self.total, self.winner)


class Divide(OfScores):
    seen = ("quotients",)

    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.divide_cycles

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs = (self.all_scores, self.total, self.winner)
        self.outputs = (self.beat_of_quotients, LAST, self.winner)

    def corners(self) -> list[Vector]:
        """Those of every part; for a table, each of its entries too."""
        spec, vectors = self.spec, super().corners()
        if spec.divider == "reciprocal" and spec.score_w <= 2 * TABLE_BITS:
            totals, scores = _telling(spec.score_w, spec.total_w)
            for entry, total in enumerate(totals):
                chosen = scores[entry, np.arange(spec.n) % scores.shape[1]]
                made = reference.quotients(chosen, np.array(total))
                vector = {"scores": chosen, "total": np.array([total]), "quotients": made}
                vectors.append({**vector, "class": np.array([entry % spec.n])})
        return vectors


class Remainder(OfLogits):
    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.remainder_cycles

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs = (self.beat_of_quotients, LAST, self.winner)
        self.outputs = (self.probabilities, self.winner)

    def corners(self) -> list[Vector]:
        """Those of every part; and a loser that takes all, as no divider would have it."""
        vectors = super().corners()
        for winner, loser in itertools.permutations(range(self.spec.n), 2):
            quotients = np.zeros(self.spec.n, np.int64)
            quotients[[winner, loser]] = PROBABILITY_ONE
            made = reference.remainder(quotients, np.array(winner))
            vectors.append({"quotients": quotients, "p": made, "class": np.array([winner])})
        return vectors


class Normalize(OfScores):
    seen = ("probabilities", "class")

    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.normalize_cycles

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs = (self.beat_of_scores, LAST)
        self.outputs = (self.probabilities, self.winner)


class Softmax(OfLogits):
    @staticmethod
    def cycles(spec: SoftmaxSpec) -> int:
        return spec.latency

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.inputs, self.outputs = (self.logits,), (self.probabilities, self.winner)

    def corners(self) -> list[Vector]:
        """Those of every part; and logits by which a bit of a score, or of the total, decides."""
        spec, rng = self.spec, np.random.default_rng(self.spec.n)
        fmt, size = spec.x, (LOOKED_AT, spec.n)
        drawn = rng.integers(fmt.q_min, fmt.q_max, size, endpoint=True)
        near = drawn[:, :1] + rng.integers(-2, 2, size, endpoint=True)
        drawn[::2] = np.clip(near, fmt.q_min, fmt.q_max)[::2]
        scores = reference.softmax(drawn, spec)["scores"]
        found = deciding(scores, spec, ("probabilities", "class"))
        return [*super().corners(), *(self._annotated(drawn[row]) for row in found)]
