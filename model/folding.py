"""Folds of each layer: the legal ones, and those that meet a goal.

A layer of ``n_in`` inputs and ``n_out`` outputs takes ``(n_in/simd) * (n_out/pe)`` cycles with
``simd * pe`` multipliers; all layers work at once, so that the slowest sets the pace.
"""

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.errors import VerbatimError
from model.format import require, require_integer
from model.spec import NetworkSpec

MAX_CYCLES, MAX_MULTIPLIERS = 1 << 24, 1 << 24


class FoldingError(VerbatimError):
    """A goal that no fold meets: the message says what the nearest possible one is."""


class Shape(Protocol):
    """Sizes of a layer, as folding needs them."""

    @property
    def name(self) -> str:
        """The layer's."""

    @property
    def n_in(self) -> int:
        """Inputs."""

    @property
    def n_out(self) -> int:
        """Outputs."""


@dataclass(frozen=True)
class Fold:
    """``simd`` inputs times ``pe`` outputs of a layer in each cycle."""

    simd: int
    pe: int

    @property
    def multipliers(self) -> int:
        """Multipliers, all of them busy in every cycle of a vector."""
        return self.simd * self.pe

    def cycles(self, layer: Shape) -> int:
        """Cycles per vector."""
        return (layer.n_in // self.simd) * (layer.n_out // self.pe)


@dataclass(frozen=True)
class Goal:
    """Bounds that a fold must keep: cycles per sample, multipliers, or both.

    With ``target_cycles`` the fewest multipliers are taken, without it the fewest cycles.
    """

    target_cycles: int | None = None
    max_multipliers: int | None = None

    def __post_init__(self) -> None:
        limits = {"target_cycles": MAX_CYCLES, "max_multipliers": MAX_MULTIPLIERS}
        given = {key: value for key in limits if (value := getattr(self, key)) is not None}
        require(bool(given), "folds: a goal must be given: target_cycles, max_multipliers or both")
        for key, value in given.items():
            require_integer("folds", 1, limits[key], **{key: value})


@dataclass(frozen=True)
class Lanes:
    """Values per beat of the core's input, of its softmax, and of its output."""

    inputs: int
    softmax: int
    outputs: int


@dataclass(frozen=True)
class Plan:
    """The fold of each layer, and the lanes that keep up with the slowest of them."""

    folds: Mapping[str, Fold]
    lanes: Lanes


def divisors(whole: int) -> list[int]:
    """Ascending.

    >>> divisors(30)
    [1, 2, 3, 5, 6, 10, 15, 30]
    """
    return [d for d in range(1, whole + 1) if whole % d == 0]


def legal_folds(layer: Shape) -> Iterator[Fold]:
    """Every fold of a layer, from one multiplier to all of them."""
    for simd in divisors(layer.n_in):
        for pe in divisors(layer.n_out):
            yield Fold(simd, pe)


def steps(layer: Shape) -> list[tuple[int, Fold]]:
    """``(cycles, fold)`` worth having, fewest cycles first: fewer multipliers only for more cycles.

    Of folds that cost the same, the one with the fewest outputs side by side: each needs a
    requantizer.
    """
    best: list[tuple[int, Fold]] = []
    order = sorted(
        legal_folds(layer), key=lambda fold: (fold.cycles(layer), fold.multipliers, fold.pe)
    )
    for fold in order:
        if not best or fold.multipliers < best[-1][1].multipliers:
            best.append((fold.cycles(layer), fold))
    return best


def within(layers: Sequence[Shape], cycles: int) -> dict[str, Fold]:
    """The fold of each layer with the fewest multipliers in at most ``cycles``."""
    found = {}
    for layer in layers:
        choices = steps(layer)
        index = bisect.bisect_right([needed for needed, _ in choices], cycles) - 1
        found[layer.name] = choices[index][1]
    return found


def alternatives(layers: Sequence[Shape]) -> list[tuple[int, dict[str, Fold]]]:
    """``(cycles, folds)`` of the network, fewest cycles first, each with fewer multipliers."""
    reachable = sorted({cycles for layer in layers for cycles, _ in steps(layer)})
    found: list[tuple[int, dict[str, Fold]]] = []
    for cycles in reachable:
        folds = within(layers, cycles)
        if not found or total(folds) < total(found[-1][1]):
            slowest = max(folds[layer.name].cycles(layer) for layer in layers)
            found.append((slowest, folds))
    return found


def total(folds: Mapping[str, Fold]) -> int:
    """Multipliers of a network."""
    return sum(fold.multipliers for fold in folds.values())


def solve(layers: Sequence[Shape], goal: Goal) -> dict[str, Fold]:
    """The folds that meet a goal; raises `FoldingError` where none does, naming the nearest."""
    choices = alternatives(layers)
    affordable = [
        (cycles, folds)
        for cycles, folds in choices
        if goal.max_multipliers is None or total(folds) <= goal.max_multipliers
    ]
    if not affordable:
        least = total(choices[-1][1])
        raise FoldingError(
            f"folds: max_multipliers must be at least {least}, one for each layer, "
            f"got {goal.max_multipliers}"
        )
    if goal.target_cycles is None:
        return affordable[0][1]
    folds = within(layers, goal.target_cycles)
    if goal.max_multipliers is not None and total(folds) > goal.max_multipliers:
        cycles, nearest = affordable[0]
        raise FoldingError(
            f"folds: target_cycles = {goal.target_cycles} needs {total(folds)} multipliers, "
            f"max_multipliers is {goal.max_multipliers}: the nearest possible is {cycles} cycles "
            f"with {total(nearest)} multipliers"
        )
    return folds


def lanes_for(whole: int, cycles: int) -> int:
    """The fewest lanes, a divisor of ``whole``, that carry a vector in at most ``cycles``.

    >>> [lanes_for(64, cycles) for cycles in (100, 64, 63, 10, 1)]
    [1, 1, 2, 8, 64]
    """
    return next(lanes for lanes in divisors(whole) if whole // lanes <= cycles)


def keeping_up(
    layers: Sequence[Shape], folds: Mapping[str, Fold], n_out: int | None = None
) -> Lanes:
    """The fewest lanes at which neither input, softmax nor output is slower than the layers.

    ``n_out`` values leave, by default one for each output of the last layer.
    """
    cycles = math.inf if not layers else max(folds[layer.name].cycles(layer) for layer in layers)
    n_in, logits = layers[0].n_in, layers[-1].n_out
    wholes = n_in, logits, logits if n_out is None else n_out
    return Lanes(*(lanes_for(whole, int(cycles)) for whole in wholes))


def meeting(spec: NetworkSpec, goal: Goal) -> NetworkSpec:
    """The same network at the folds that meet a goal, with the fewest lanes that keep up.

    Raises `FoldingError` as `solve` does.
    """
    folds = solve(spec.layers, goal)
    lanes = keeping_up(spec.layers, folds, spec.n_out)
    return spec.folded(
        {name: (fold.simd, fold.pe) for name, fold in folds.items()},
        in_lanes=lanes.inputs,
        lanes=lanes.softmax,
        out_lanes=lanes.outputs,
    )
