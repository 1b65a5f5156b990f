"""A constant matrix times a vector as additions that outputs share.

Each weight is written in canonical signed digits, so that an output is a sum of shifted inputs. Two
terms that occur together in several outputs, or several times in one, are added once: Hartley,
"Subexpression sharing in filters using canonic signed digit multipliers", 1996, over all outputs.
The pair that saves most bits of adders comes first. What is left of an output is a balanced tree.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from model.format import Int, SpecError, require

# A term of an output: a node, shifted to the left, by its sign.
Place = tuple[int, int]
Terms = dict[Place, int]


@dataclass(frozen=True)
class Addition:
    """``(a << a_shift) + b_sign * (b << b_shift)``, of nodes; one of the shifts is 0."""

    a: int
    b: int
    a_shift: int
    b_shift: int
    b_sign: int


@dataclass(frozen=True)
class Root:
    """An output: ``sign * (node << shift)``; None is the node of an output that is always 0."""

    node: int | None
    shift: int
    sign: int


@dataclass(frozen=True)
class Graph:
    """Nodes 0 to ``inputs - 1`` are the inputs, the others additions of nodes before them."""

    inputs: int
    additions: tuple[Addition, ...]
    roots: tuple[Root, ...]

    @property
    def depths(self) -> list[int]:
        """Additions one behind the other from an input to each node."""
        found = [0] * self.inputs
        for addition in self.additions:
            found.append(1 + max(found[addition.a], found[addition.b]))
        return found

    @property
    def rows(self) -> list[Int]:
        """Coefficients of the inputs in each node, ``[inputs]``: what the additions are of it."""
        found = list(np.eye(self.inputs, dtype=np.int64))
        for it in self.additions:
            found.append((found[it.a] << it.a_shift) + it.b_sign * (found[it.b] << it.b_shift))
        return found

    @property
    def matrix(self) -> Int:
        """The matrix that the graph multiplies by, ``[outputs, inputs]``."""
        rows, nothing = self.rows, np.zeros(self.inputs, np.int64)
        found = [
            nothing if root.node is None else root.sign * (rows[root.node] << root.shift)
            for root in self.roots
        ]
        return np.array(found, np.int64).reshape(len(self.roots), self.inputs)

    def intervals(self, low: int, high: int) -> list[tuple[int, int]]:
        """Least and greatest value of each node where inputs lie in ``low .. high``: both occur."""
        return [interval(row, low, high) for row in self.rows]


def interval(row: Int, low: int, high: int) -> tuple[int, int]:
    """Least and greatest value of coefficients ``row`` times inputs in ``low .. high``.

    >>> interval(np.array([2, -3]), -1, 4)
    (-14, 11)
    """
    ends = np.stack([row * low, row * high])
    return int(ends.min(axis=0).sum()), int(ends.max(axis=0).sum())


def bits(least: int, greatest: int) -> int:
    """Bits of a value in an interval, the sign's where it has one; one at least.

    >>> bits(0, 0), bits(0, 7), bits(-8, 7), bits(-9, -1)
    (1, 3, 4, 5)
    """
    return max(1, max(greatest.bit_length(), (-least - 1).bit_length()) + (least < 0))


def signed_digits(value: int) -> Iterator[Place]:
    """Places and signs of the canonical signed digits of ``value``, the least place first.

    >>> list(signed_digits(7)), list(signed_digits(-6))
    ([(0, -1), (3, 1)], [(1, 1), (3, -1)])
    """
    place = 0
    while value:
        if value & 1:
            digit = 2 - (value & 3)
            yield place, digit
            value -= digit
        value >>= 1
        place += 1


def least_levels(terms: int) -> int:
    """Levels of a balanced tree over ``terms``.

    >>> [least_levels(terms) for terms in (0, 1, 2, 3, 8, 9)]
    [0, 0, 1, 2, 3, 4]
    """
    return max(terms - 1, 0).bit_length()


def digits_at_most(width: int) -> int:
    """Signed digits of a weight of ``width`` bits, at most.

    >>> [max(len(list(signed_digits(v))) for v in range(-(1 << w - 1), 1 << w - 1)) for w in (2, 7)]
    [1, 4]
    >>> digits_at_most(2), digits_at_most(7)
    (1, 4)
    """
    return (width + 1) // 2


def shared(matrix: Int, low: int, high: int, levels: int) -> Graph:
    """The graph of ``matrix [outputs, inputs]``, at most ``levels`` additions one behind the other.

    Inputs lie in ``low .. high``. Raises `SpecError` where an output needs more levels.
    """
    return _Sharing(matrix, low, high, levels).graph()


def check(graph: Graph, matrix: Int, levels: int) -> None:
    """Raise `SpecError` unless the graph multiplies by ``matrix``, within ``levels``."""
    for number, (row, expected) in enumerate(zip(graph.matrix, matrix, strict=True)):
        require(
            np.array_equal(row, expected),
            f"graph: output {number} must be row {number} of the matrix, got another",
        )
    deepest = max(graph.depths, default=0)
    require(deepest <= levels, f"graph: depth must be at most {levels}, got {deepest}")


Pair = tuple[int, int, int, int]


@dataclass
class _Sharing:
    """State of the search: the terms that each output still has, and how often pairs occur.

    A pair ``(a, b, distance, sign)`` is ``a + sign * (b << distance)``, at any place and of either
    sign; ``(a, 0)`` is before ``(b, distance)``, so that it has one name.
    """

    matrix: Int
    low: int
    high: int
    levels: int
    additions: list[Addition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inputs = self.matrix.shape[1]
        self.depth = [0] * self.inputs
        width = bits(self.low, self.high)
        self.rows = list(np.eye(self.inputs, dtype=np.int64))
        self.widths = [width] * self.inputs
        self.outputs: list[Terms] = []
        for row in self.matrix:
            terms = {
                (node, place): sign
                for node, weight in enumerate(row)
                for place, sign in signed_digits(int(weight))
            }
            if least_levels(len(terms)) > self.levels:
                raise SpecError(
                    f"graph: levels must be at least {least_levels(len(terms))} for a sum of "
                    f"{len(terms)} terms, got {self.levels}"
                )
            self.outputs.append(terms)
        self.room = [(1 << self.levels) - len(terms) for terms in self.outputs]
        self.counts: Counter[Pair] = Counter()
        self.holders: defaultdict[Pair, set[int]] = defaultdict(set)

    def graph(self) -> Graph:
        """Share pairs until none occurs twice, then add up what is left of each output."""
        for number, terms in enumerate(self.outputs):
            listed = list(terms.items())
            for index, first in enumerate(listed):
                for second in listed[:index]:
                    pair = named(first, second)
                    self.counts[pair] += 1
                    self.holders[pair].add(number)
        self.queue = [(-self.saved(pair), pair) for pair, n in self.counts.items() if n > 1]
        heapq.heapify(self.queue)
        while self.queue:
            saved, pair = heapq.heappop(self.queue)
            now = self.saved(pair)
            if now <= 0:
                continue
            if -saved != now:
                heapq.heappush(self.queue, (-now, pair))
                continue
            self.share(pair)
        roots = tuple(self.root(terms) for terms in self.outputs)
        return Graph(self.inputs, tuple(self.additions), roots)

    def saved(self, pair: Pair) -> int:
        """Bits of adders that are saved by adding a pair once, as far as its counts say."""
        a, b, distance, _ = pair
        top = min(self.widths[a], self.widths[b] + distance)
        return (self.counts[pair] - 1) * max(top - max(distance, 0), 1)

    def share(self, pair: Pair) -> None:
        """Replace a pair by its sum wherever the depth allows it, if that is in two places."""
        a, b, distance, sign = pair
        depth = 1 + max(self.depth[a], self.depth[b])
        more = (1 << depth) - (1 << self.depth[a]) - (1 << self.depth[b])
        found: list[tuple[int, Place, Place]] = []
        for number in sorted(self.holders[pair]):
            terms, taken, room = self.outputs[number], set[Place](), self.room[number]
            for first in sorted(place for place in terms if place[0] == a):
                second = (b, first[1] + distance)
                if (
                    terms.get(second) == sign * terms[first]
                    and not {first, second} & taken
                    and room >= more
                ):
                    found.append((number, first, second))
                    taken |= {first, second}
                    room -= more
        if len(found) < 2:
            return
        node = self.add(pair)
        for number, first, second in found:
            terms = self.outputs[number]
            of_sum = terms[first]
            for place in (first, second):
                self.count(number, (place, terms.pop(place)), -1)
            place = (node, min(first[1], second[1]))
            self.count(number, (place, of_sum), 1)
            terms[place] = of_sum
            self.room[number] -= more

    def count(self, number: int, term: tuple[Place, int], change: int) -> None:
        """Count the pairs of a term with all others of an output."""
        for other in self.outputs[number].items():
            pair = named(term, other)
            self.counts[pair] += change
            if change > 0:
                self.holders[pair].add(number)
                if self.counts[pair] > 1:
                    heapq.heappush(self.queue, (-self.saved(pair), pair))

    def add(self, pair: Pair) -> int:
        """The node of a pair's sum."""
        a, b, distance, sign = pair
        addition = Addition(a, b, max(-distance, 0), max(distance, 0), sign)
        self.additions.append(addition)
        row = (self.rows[a] << addition.a_shift) + sign * (self.rows[b] << addition.b_shift)
        self.rows.append(row)
        self.widths.append(bits(*interval(row, self.low, self.high)))
        self.depth.append(1 + max(self.depth[a], self.depth[b]))
        return len(self.depth) - 1

    def root(self, terms: Terms) -> Root:
        """Add up what is left of an output: the two terms of least depth, then of least width."""
        queue = [self.ranked(place, sign) for place, sign in terms.items()]
        heapq.heapify(queue)
        while len(queue) > 1:
            first, second = heapq.heappop(queue)[2:], heapq.heappop(queue)[2:]
            (pair, place, sign) = oriented(first, second)
            heapq.heappush(queue, self.ranked((self.add(pair), place), sign))
        if not queue:
            return Root(None, 0, 1)
        _, _, (node, shift), sign = queue[0]
        return Root(node, shift, sign)

    def ranked(self, place: Place, sign: int) -> tuple[int, int, Place, int]:
        """A term in the order in which terms are added."""
        return self.depth[place[0]], self.widths[place[0]] + place[1], place, sign


Term = tuple[Place, int]


def named(first: Term, second: Term) -> Pair:
    """The pair that two terms are, wherever it occurs."""
    return oriented(first, second)[0]


def oriented(first: Term, second: Term) -> tuple[Pair, int, int]:
    """The pair that two terms are, its place and its sign."""
    if first > second:
        first, second = second, first
    (a, low), a_sign = first
    (b, high), b_sign = second
    return (a, b, high - low, a_sign * b_sign), min(low, high), a_sign
