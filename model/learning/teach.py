"""A network learned by any implementation: epochs over any number of samples, and the result."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from model.format import Int, require_integer
from model.learning.backprop import COUNT_W, LFSR_W, Lfsr, Plan
from model.learning.learner import Learner, LearningError, State
from model.names import Names

# Samples that are an epoch of a core: its counters have 16 bits.
PIECE = (1 << COUNT_W) - 1


@dataclass(frozen=True)
class Taught:
    """Result of an implementation: the state, and the wrong answers of each epoch.

    ``cycles`` are the clock cycles of all samples, None where no clock ran.
    """

    state: State
    wrong: Sequence[int]
    cycles: int | None = None


class Teacher(Protocol):
    """An implementation: learns whole epochs of codes ``[plan.samples, n_in]``, from a state.

    The state stands at the begin of an epoch, and is not changed.
    """

    def __call__(self, plan: Plan, state: State, x: Int, labels: Int, epochs: int) -> Taught:
        """Learn so many epochs."""


def by_reference(plan: Plan, state: State, x: Int, labels: Int, epochs: int) -> Taught:
    """The integer reference, as a `Teacher`."""
    run = Learner(plan, state.copy())
    return Taught(run.state, [int(run.epoch(x, labels)) for _ in range(epochs)])


def begin(plan: Plan, seed: int, masters: list[Int] | None) -> State:
    """The state before the first sample: at random, or at these masters.

    Raises `SpecError` where ``seed`` is not 1 .. 65535.
    """
    if masters is None:
        return Learner.begin(plan, seed).state
    require_integer("learning", 1, (1 << LFSR_W) - 1, seed=seed)
    lfsr = Lfsr(seed)
    word = lfsr.step(LFSR_W)
    return State(masters, lfsr.state, word, 0, 0)


def pieces(count: int) -> list[slice]:
    """The fewest slices that a core takes as an epoch, of as equal sizes as can be.

    >>> [piece.stop - piece.start for piece in pieces(100_001)]
    [50001, 50000]
    """
    parts = -(-count // PIECE)
    size, more = divmod(count, parts)
    ends = [n * size + min(n, more) for n in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def teach(
    teacher: Teacher,
    plan: Plan,
    state: State,
    code: Callable[[slice], Int],
    labels: Int,
    epochs: int,
) -> Taught:
    """Learn ``epochs`` of all samples, whose codes ``code`` makes a slice at a time.

    More than 65,535 samples are learned in pieces, one after the other, each in an order of its
    own: ``plan`` is that of the first piece, and counts each piece as an epoch.
    """
    parts = pieces(len(labels))
    if len(parts) == 1:
        return teacher(plan, state, code(parts[0]), labels, epochs)
    wrong, cycles = [0] * epochs, 0
    timed = True
    for epoch in range(epochs):
        for part in parts:
            piece = dataclasses.replace(plan, samples=part.stop - part.start)
            found = teacher(piece, state, code(part), labels[part], 1)
            state, wrong[epoch] = found.state, wrong[epoch] + sum(found.wrong)
            timed = timed and found.cycles is not None
            cycles += found.cycles or 0
    return Taught(state, wrong, cycles if timed else None)


def as_labels(y: ArrayLike, count: int, n_out: int, names: Names | None) -> Int:
    """Labels ``[count]`` as indices of classes, from indices or from names of classes.

    Raises `LearningError` on any other.
    """
    try:
        found = np.asarray(y)
    except ValueError as error:
        raise LearningError(f"y must have one label for each of {count} samples") from error
    if found.shape != (count,):
        raise LearningError(f"y must have shape ({count},), a label a sample, got {found.shape}")
    if found.dtype.kind in "iu":
        wrong = found[(found < 0) | (found >= n_out)]
        if wrong.size:
            raise LearningError(f"labels must be integers from 0 to {n_out - 1}, got {wrong[0]}")
        return found.astype(np.int64)
    if found.dtype.kind not in "UO" or not all(isinstance(name, str) for name in found):
        raise LearningError(
            f"y must be integers from 0 to {n_out - 1} or names of classes, got {found.dtype}"
        )
    known = names.classes if names else ()
    if not known:
        raise LearningError(
            f"y must be integers from 0 to {n_out - 1}, the network has no names of classes, "
            f"got {str(found[0])!r}"
        )
    index: Mapping[Any, int] = {name: n for n, name in enumerate(known)}
    strange = [name for name in found if name not in index]
    if strange:
        raise LearningError(f"a class must be one of {', '.join(known)}, got {str(strange[0])!r}")
    return np.array([index[name] for name in found], np.int64)
