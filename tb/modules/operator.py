"""A module as its users see it: what goes in, what must come out, after how long.

An `Operator` turns a vector into the beats that carry it in and the beats that must carry its
result out, both by the reference; `tb/benches/stream_bench.py` holds the tests that every one of
them must pass. A `Pipeline` is a part without a stream, for `tb/benches/pipeline_bench.py`.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from model.format import Format, Int
from model.words import Field
from tb.job import Job
from tb.streams import Beat

Vector = dict[str, Int]
Values = dict[str, list[int]]


class Operator:
    """One streaming module under one set of parameters."""

    bench: ClassVar[str] = "stream_bench"

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


class Pipeline:
    """A part without a stream, under one set of parameters: its ports, latency and function."""

    bench: ClassVar[str] = "pipeline_bench"
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    latency: int

    def __init__(self, job: Job) -> None:
        self.parameters: dict[str, Any] = dict(job.parameters)

    def respond(self, values: Values) -> Values:
        """The outputs that these inputs become."""
        raise NotImplementedError

    def draw(self) -> Values:
        """Random inputs, ends of the range among them."""
        return {
            field.name: [random.choice([*field.ends, field.draw()]) for _ in range(field.lanes)]
            for field in self.inputs
        }


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


def uniform(low: int, high: int, count: int) -> Int:
    """``count`` random integers from ``low`` to ``high``."""
    return np.array([random.randint(low, high) for _ in range(count)])


def spread(values: Sequence[int], count: int) -> Iterator[Int]:
    """Chunks of ``count`` values that hold all of ``values``."""
    cycle = list(values) + list(values)[: -len(values) % count]
    for start in range(0, len(cycle), count):
        yield np.array(cycle[start : start + count])


def ends(fmt: Format) -> list[int]:
    """Both ends of a format and their neighbours, and those of 0."""
    return [fmt.q_min, fmt.q_min + 1, -1, 0, 1, fmt.q_max - 1, fmt.q_max]


def corner_vectors(fmt: Format, count: int) -> list[Int]:
    """All elements at one end, and the ends mixed."""
    constant = [np.full(count, value) for value in ends(fmt)]
    return constant + [uniform(0, 1, count) * (fmt.q_max - fmt.q_min) + fmt.q_min for _ in range(9)]
