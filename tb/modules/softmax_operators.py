"""The softmax and its parts as their users see them, by the reference."""

import functools
import itertools
import random
from collections.abc import Sequence

import numpy as np

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
# Vectors of logits among which a whole softmax looks for those that tell a bit of a score.
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

    def corners(self) -> list[Vector]:
        """Those of every part; and each bit of each score by itself, all others 0."""
        vectors = super().corners()
        for lane, bit in itertools.product(range(self.spec.n), range(self.spec.score_w)):
            scores = np.zeros(self.spec.n, np.int64)
            scores[lane] = 1 << bit
            made = reference.normalized(scores, self.spec)
            vector = {"scores": scores, "total": made["totals"][None]}
            vector |= {"quotients": made["quotients"], "p": made["probabilities"]}
            vectors.append({**vector, "class": made["class"][None]})
        return vectors


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
        """Those of every part; and logits by which a bit of a score decides."""
        return [*super().corners(), *self._deciding()]

    def _deciding(self) -> list[Vector]:
        """For each bit of each lane of scores, stuck at 0 and at 1: logits that tell, if any do.

        A low bit decides a byte in one of a thousand vectors, which few random ones hold.
        """
        spec, rng = self.spec, np.random.default_rng(self.spec.n)
        fmt, size = spec.x, (LOOKED_AT, spec.n)
        drawn = rng.integers(fmt.q_min, fmt.q_max, size, endpoint=True)
        near = drawn[:, :1] + rng.integers(-2, 2, size, endpoint=True)
        drawn[::2] = np.clip(near, fmt.q_min, fmt.q_max)[::2]
        made, found = reference.softmax(drawn, spec), []
        for lane, bit in itertools.product(range(spec.lanes), range(spec.score_w)):
            for stuck in (0, 1 << bit):
                scores = made["scores"].copy()
                scores[:, lane :: spec.lanes] &= ~(1 << bit)
                scores[:, lane :: spec.lanes] |= stuck
                summed: Int = scores.sum(axis=1)
                other = reference.normalized(np.where(summed[:, None] > 0, scores, 1), spec)
                tells = other["class"] != made["class"]
                tells |= (other["probabilities"] != made["probabilities"]).any(axis=1)
                tells &= summed > 0
                if tells.any():
                    found.append(self._annotated(drawn[tells.argmax()]))
        return found
