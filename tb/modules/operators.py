"""Each streaming module as its users see it: what goes in, what must come out, after how long.

An operator turns a vector into the beats that carry it in and the beats that must carry its result
out, both by the reference; `tb/benches/stream_bench.py` holds the tests that every one of them
must pass.
"""

import functools
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model import reference, tables
from model.artifact import Network, load
from model.bounds import output_interval
from model.format import Format, Int
from model.stage import PACK_CYCLES, PROBABILITY_ONE, PROBABILITY_W, REGISTER_CYCLES, UNPACK_CYCLES
from model.stages.linear import FOLD_CYCLES, RELU_CYCLES, REQUANTIZE_CYCLES, LayerSpec
from model.stages.softmax import SoftmaxSpec
from model.tables import RECIPROCAL_ADDR_W, RECIPROCAL_W
from model.words import Field
from tb.job import Job
from tb.streams import LAST, Beat

Vector = dict[str, Int]

# Up to so many bits of logits in a vector, a softmax is tested on all vectors.
EXHAUSTIVE_BITS = 9
# Logits of up to so many bits have a table of which every entry is tested.
TABLE_BITS = 8


def served(field: Field, values: Int, **beside: int) -> list[Beat]:
    """``values`` as beats of the field's lanes, `last` on the final one, constants beside each."""
    rows = values.reshape(-1, field.lanes).tolist()
    constants = {name: [value] for name, value in beside.items()}
    return [
        {field.name: row, "last": [index == len(rows) - 1], **constants}
        for index, row in enumerate(rows)
    ]


def beat(field: Field, values: Int, last: Int) -> list[Beat]:
    """One beat of the field's lanes, which may or may not be the last of a vector."""
    return [{field.name: values.tolist(), "last": last.tolist()}]


class Operator:
    """One module under one set of parameters. Subclasses say what is theirs."""

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    # Cycles from a vector's last beat taken to the first beat of its result handed over, and
    # between the results of vectors back to back, when nobody stalls.
    latency: int
    interval: int = 1

    def __init__(self, job: Job) -> None:
        self.parameters: dict[str, Any] = dict(job.parameters)

    def corners(self) -> list[Vector]:
        """Vectors at the edges of what the module takes."""
        raise NotImplementedError

    def draw(self) -> Vector:
        """A random vector; from `random`, whose seed the log prints."""
        raise NotImplementedError

    def beats_in(self, vector: Vector) -> list[Beat]:
        """The beats that carry a vector in."""
        raise NotImplementedError

    def beats_out(self, vector: Vector) -> list[Beat]:
        """The beats that must come out."""
        raise NotImplementedError


def _uniform(low: int, high: int, count: int) -> Int:
    return np.array([random.randint(low, high) for _ in range(count)])


def _spread(values: Sequence[int], count: int) -> Iterator[Int]:
    """Chunks of ``count`` values that hold all of ``values``."""
    cycle = list(values) + list(values)[: -len(values) % count]
    for start in range(0, len(cycle), count):
        yield np.array(cycle[start : start + count])


def _ends(fmt: Format) -> list[int]:
    return [fmt.q_min, fmt.q_min + 1, -1, 0, 1, fmt.q_max - 1, fmt.q_max]


def _corner_vectors(fmt: Format, count: int) -> list[Int]:
    """All elements at one end, and the ends mixed."""
    constant = [np.full(count, value) for value in _ends(fmt)]
    return constant + [
        _uniform(0, 1, count) * (fmt.q_max - fmt.q_min) + fmt.q_min for _ in range(9)
    ]


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


class Requantize(Operator):
    latency = REQUANTIZE_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        lanes, self.acc_w, self.out_w, self.shift = (
            self.parameters[name] for name in ("LANES", "ACC_W", "OUT_W", "SHIFT")
        )
        self.lanes = lanes
        self.inputs = (Field("acc", self.acc_w, lanes, signed=True), LAST)
        self.outputs = (Field("y", self.out_w, lanes, signed=True), LAST)

    def corners(self) -> list[Vector]:
        """Sign change, ties and all one bit above them, saturation limits, both range ends."""
        step, least = 1 << self.shift, -(1 << (self.acc_w - 1))
        half, scale = step // 2, step << (self.out_w - 1)
        pivots = [0, half, step, 3 * half, 5 * half, scale - step, scale - half, scale, -least]
        pivots += [half + (1 << bit) for bit in range(self.shift - 1)]
        near = sorted({s * p + d for p in pivots for s in (1, -1) for d in (-1, 0, 1)})
        legal = [acc for acc in near if least <= acc < -least]
        accs = enumerate(_spread(legal, self.lanes))
        return [{"acc": acc, "last": np.array([index & 1])} for index, acc in accs]

    def draw(self) -> Vector:
        """Uniform over the accumulator, or near a rounding boundary in the output's range."""
        most = 1 << (self.acc_w - 1)
        acc = _uniform(-most, most - 1, self.lanes)
        if random.random() < 0.5:
            inside = _uniform(-1 << self.out_w, 1 << self.out_w, self.lanes) << self.shift
            acc = np.clip((inside >> 1) + _uniform(-1, 1, self.lanes), -most, most - 1)
        return {"acc": acc, "last": _uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return beat(self.inputs[0], vector["acc"], vector["last"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        y = reference.requantize(vector["acc"], shift=self.shift, width=self.out_w)
        return beat(self.outputs[0], y, vector["last"])


class Relu(Operator):
    latency = RELU_CYCLES

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.lanes, width = self.parameters["LANES"], self.parameters["W"]
        self.format = Format(width, 0)
        self.inputs = (Field("x", width, self.lanes, signed=True), LAST)
        self.outputs = (Field("y", width, self.lanes, signed=True), LAST)

    def corners(self) -> list[Vector]:
        vectors = enumerate(_corner_vectors(self.format, self.lanes))
        return [{"x": x, "last": np.array([index & 1])} for index, x in vectors]

    def draw(self) -> Vector:
        x = _uniform(self.format.q_min, self.format.q_max, self.lanes)
        return {"x": x, "last": _uniform(0, 1, 1)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return beat(self.inputs[0], vector["x"], vector["last"])

    def beats_out(self, vector: Vector) -> list[Beat]:
        return beat(self.outputs[0], reference.relu(vector["x"]), vector["last"])


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
        return {"data": _uniform(0, self.most, 1), "last": _uniform(0, 1, 1)}

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
        return _uniform(self.format.q_min, self.format.q_max, count)

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
        vectors = _corner_vectors(self.format, self.n)
        return [{"x": x, "tag": np.array([i % self.tags])} for i, x in enumerate(vectors)]

    def draw(self) -> Vector:
        x = _uniform(self.format.q_min, self.format.q_max, self.n)
        return {"x": x, "tag": _uniform(0, self.tags - 1, 1)}

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


class _OfLayer(Operator):
    """A module that computes one layer of a network file."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.network: Network = load(Path(job.options["network"]))
        index = job.options["layer"]
        self.layer: LayerSpec = self.network.spec.layers[index]
        # What may come in: accumulators are no wider than that needs.
        fmt = self.layer.x
        before = self.network.spec.layers[index - 1] if index else None
        self.least, self.most = output_interval(before) if before else (fmt.q_min, fmt.q_max)
        self.interval = self.layer.cycles
        self.inputs = (Field("x", self.layer.x.width, self.layer.n_in, signed=True),)

    def corners(self) -> list[Vector]:
        """Ends of the range; and for each output the inputs that drive its sum to its ends."""
        weights = self.network.weights[self.layer.weights]
        vectors = _corner_vectors(self.layer.x, self.layer.n_in)
        for row in weights[:8]:
            vectors += [np.where(sign * row > 0, self.most, self.least) for sign in (1, -1)]
        return [{"x": np.clip(x, self.least, self.most)} for x in vectors]

    def draw(self) -> Vector:
        return {"x": _uniform(self.least, self.most, self.layer.n_in)}

    def beats_in(self, vector: Vector) -> list[Beat]:
        return [{"x": vector["x"].tolist()}]

    def sums(self, vector: Vector) -> Int:
        return reference.linear(
            vector["x"],
            self.network.weights[self.layer.weights],
            self.network.biases[self.layer.name],
        )


class Linear(_OfLayer):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.layer.linear_cycles
        self.outputs = (Field("acc", self.layer.acc_w, self.layer.pe, signed=True), LAST)

    def beats_out(self, vector: Vector) -> list[Beat]:
        return served(self.outputs[0], self.sums(vector))


class Layer(_OfLayer):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.layer.latency
        self.outputs = (Field("x", self.layer.y.width, self.layer.n_out, signed=True),)

    def beats_out(self, vector: Vector) -> list[Beat]:
        y = reference.requantize(
            self.sums(vector), shift=self.layer.shift, width=self.layer.y.width
        )
        return [{"x": (reference.relu(y) if self.layer.relu else y).tolist()}]


class _OfSoftmax(Operator):
    """A part of the softmax, or all of it."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        plain = dict(job.options["softmax"])
        self.spec = spec = SoftmaxSpec(**plain | {"x": Format(**plain["x"])})
        self.interval = spec.beats
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
        vectors = _corner_vectors(fmt, n)
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
            return self._annotated(_uniform(fmt.q_min, fmt.q_max, n))
        near = random.randint(fmt.q_min, fmt.q_max) + _uniform(-2, 2, n)
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


class _OfScores(_OfSoftmax):
    """A part that takes scores: of whatever bits, though no logits have some of them."""

    def corners(self) -> list[Vector]:
        """Those of every part; and each bit of each score by itself, all others 0."""
        vectors = super().corners()
        divide = {"reciprocal": reference.quotients, "restoring": reference.exact_quotients}
        for lane, bit in itertools.product(range(self.spec.n), range(self.spec.score_w)):
            scores = np.zeros(self.spec.n, np.int64)
            scores[lane] = 1 << bit
            total, winner = scores.sum(), np.array(lane)
            made = divide[self.spec.divider](scores, np.array(total))
            vector = {"scores": scores, "total": np.array([total]), "quotients": made}
            vector |= {"p": reference.remainder(made, winner), "class": np.array([lane])}
            vectors.append(vector)
        return vectors


class Max(_OfSoftmax):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.max_cycles
        self.inputs, self.outputs = (self.logits,), (self.logits, self.max)


class Score(_OfSoftmax):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.score_cycles
        self.inputs, self.outputs = (self.logits,), (self.beat_of_scores, LAST)

    def corners(self) -> list[Vector]:
        """Those of every part; for a table, each of its entries too."""
        vectors = super().corners()
        if self.spec.score == "exp" and self.spec.x.width <= TABLE_BITS:
            most = self.spec.x.q_max
            for distances in _spread(range(1 << self.spec.x.width), self.spec.n - 1):
                vectors.append(self._annotated(np.array([most, *(most - distances)])))
        return vectors


class Sum(_OfScores):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.sum_cycles
        self.inputs = (self.beat_of_scores, LAST)
        self.outputs = (self.all_scores, self.total, self.winner)


class Divide(_OfScores):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.divide_cycles
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


class Remainder(_OfSoftmax):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.remainder_cycles
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


class Normalize(_OfScores):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.normalize_cycles
        self.inputs = (self.beat_of_scores, LAST)
        self.outputs = (self.probabilities, self.winner)


class Softmax(_OfSoftmax):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.latency = self.spec.latency
        self.inputs, self.outputs = (self.logits,), (self.probabilities, self.winner)


OPERATORS: dict[str, type[Operator]] = {
    "mlp_requantize": Requantize,
    "mlp_relu": Relu,
    "mlp_skid_buffer": Register,
    "mlp_stream_pack": Pack,
    "mlp_stream_unpack": Unpack,
    "mlp_fold": Fold,
    "mlp_linear": Linear,
    "mlp_layer": Layer,
    "mlp_softmax_taylor2": Score,
    "mlp_softmax_max": Max,
    "mlp_softmax_exp": Score,
    "mlp_softmax_sum": Sum,
    "mlp_softmax_reciprocal": Divide,
    "mlp_softmax_restoring": Divide,
    "mlp_softmax_remainder": Remainder,
    "mlp_softmax_normalize": Normalize,
    "mlp_softmax": Softmax,
}
