"""The plan of `mlp_graph`: a list of values, each of values before it, and of outputs."""

from dataclasses import dataclass

import numpy as np

from model.format import Int, require, require_integer
from model.sharing import Graph, bits, interval

SIGNED, MINUS, ALONE, REGISTERED = (1 << bit for bit in (56, 57, 58, 59))
ENTRY_W, WORD_W, WIDTH_AT = 64, 32, 48
# Values and stages each have half a word.
MOST = (1 << 16) - 1
# Additions between two registers: all of a layer of 4,096 inputs.
MAX_EVERY = 16


@dataclass(frozen=True)
class Plan:
    """Entries of ``mlp_graph``: an entry for each of ``values``, then for each output.

    Between an input and an output are ``stages`` registers. Raises `SpecError` where the sizes or
    an entry have no place in the words.
    """

    stages: int
    values: int
    entries: tuple[int, ...]

    def __post_init__(self) -> None:
        require_integer("plan", 1, MOST, stages=self.stages, values=self.values)
        require(
            isinstance(self.entries, list | tuple) and len(self.entries) > self.values,
            "plan: entries must be a list, an entry for each value and each output",
        )
        for word in self.entries:
            require_integer("plan", 0, (1 << ENTRY_W) - 1, **{"an entry": word})
        object.__setattr__(self, "entries", tuple(self.entries))

    @property
    def flip_flops(self) -> int:
        """Bits of all registers between inputs and outputs."""
        return sum(width_of(word) for word in self.entries[: self.values] if word & REGISTERED)

    def adder_bits(self, inputs: int) -> int:
        """Bits of all sums and differences; the first values are the ``inputs``, which are none."""
        sums = (word for word in self.entries[inputs : self.values] if not word & ALONE)
        return sum(map(width_of, sums))

    @property
    def words(self) -> tuple[int, ...]:
        """The plan as ``mlp_graph`` takes it: its sizes, then two words an entry."""
        halves = ((word & 0xFFFFFFFF, word >> WORD_W) for word in self.entries)
        return self.values | self.stages << 16, *(half for both in halves for half in both)

    def widened(self, inputs: int, width: int) -> "Plan":
        """The same sums of ``inputs`` values, each of ``width`` bits with its sign."""
        sums = (
            word & ~(0xFF << WIDTH_AT) | width << WIDTH_AT | SIGNED
            for word in self.entries[inputs : self.values]
        )
        entries = (*self.entries[:inputs], *sums, *self.entries[self.values :])
        return Plan(self.stages, self.values, entries)


def entry(a: int, b: int, a_shift: int, b_shift: int, width: int, flags: int) -> int:
    """An entry, as ``mlp_graph`` takes it apart."""
    return a | b << 16 | a_shift << 32 | b_shift << 40 | width << WIDTH_AT | flags


def width_of(word: int) -> int:
    """Bits of the value of an entry."""
    return word >> WIDTH_AT & 0xFF


def stages(levels: int, every: int) -> int:
    """Registers between an input and a bias: one behind every ``every`` levels, and one at least.

    The bias is a level more, whose register is the output's.

    >>> [stages(7, every) for every in (1, 2, 3, 7)], stages(0, 2)
    ([7, 3, 2, 1], 1)
    """
    return max(1, -(-(levels + 1) // every) - 1)


def planned(graph: Graph, low: int, high: int, acc_w: int, *, levels: int, every: int) -> Plan:
    """The plan of a graph for inputs in ``low .. high``, with a register every ``every`` levels.

    A value is made as soon as it can be, at the level of its depth, and handed on from register to
    register until nothing reads it. All outputs are read where the bias is added: behind the last
    register, or behind the sums that are made there of what it holds.
    """
    last = stages(levels, every)
    made = [-(-depth // every) for depth in graph.depths]
    read: list[set[int]] = [set() for _ in made]
    for node, it in enumerate(graph.additions, start=graph.inputs):
        read[it.a].add(made[node])
        read[it.b].add(made[node])
    for root in graph.roots:
        if root.node is not None:
            read[root.node].add(last + 1)
    intervals = graph.intervals(low, high)
    widths = [min(acc_w, bits(*interval)) for interval in intervals]
    signs = [SIGNED if least < 0 else 0 for least, _ in intervals]
    entries = [entry(0, 0, 0, 0, widths[node], signs[node]) for node in range(graph.inputs)]

    def listed(node: int, a: int, b: int, shifts: tuple[int, int], flags: int) -> int:
        """The place in the list of a value of ``node``, added to its end."""
        entries.append(entry(a, b, *shifts, widths[node], signs[node] | flags))
        return len(entries) - 1

    places = held = {node: node for node in range(graph.inputs)}
    for stage in range(1, last + 2):
        now: dict[int, int] = {}
        kept: dict[int, int] = {}
        for node, it in enumerate(graph.additions, start=graph.inputs):
            if made[node] == stage:
                a, b = (now.get(operand, held.get(operand, -1)) for operand in (it.a, it.b))
                flags = (MINUS if it.b_sign < 0 else 0) | (0 if stage in read[node] else REGISTERED)
                now[node] = listed(node, a, b, (it.a_shift, it.b_shift), flags)
        places = {**held, **now}
        for node, place in places.items():
            if max(read[node], default=0) > stage:
                alone = node not in now or stage in read[node]
                kept[node] = listed(node, place, 0, (0, 0), ALONE | REGISTERED) if alone else place
        held = kept
    for root in graph.roots:
        place, flags = (0, ALONE) if root.node is None else (places[root.node], 0)
        entries.append(
            entry(place, 0, root.shift, 0, acc_w, flags | (MINUS if root.sign < 0 else 0))
        )
    return Plan(last, len(entries) - len(graph.roots), tuple(entries))


def check(plan: Plan, matrix: Int, low: int, high: int, acc_w: int) -> None:
    """Raise `SpecError` unless the entries, as `mlp_graph` reads them, multiply by ``matrix``.

    ``matrix [outputs, inputs]`` is compared with the integer row of each output. Both operands of a
    sum must come through as many registers, each output through ``stages``, and each value must
    fit its width for all inputs in ``low .. high``, unless that is the sum's own.
    """
    outputs, inputs = matrix.shape
    require(
        inputs <= plan.values == len(plan.entries) - outputs,
        f"plan: entries must be {inputs} inputs, sums and {outputs} outputs, got {plan.values} "
        f"values of {len(plan.entries)}",
    )
    rows = list(np.eye(inputs, dtype=object))
    ages = [0] * inputs
    for place, word in enumerate(plan.entries[: plan.values]):
        alone, shifts = bool(word & ALONE), (word >> 32 & 0xFF, word >> 40 & 0xFF)
        width, signed = width_of(word), bool(word & SIGNED)
        if place >= inputs:
            operands = [word & 0xFFFF, *([] if alone else [word >> 16 & 0xFFFF])]
            require(
                max(operands) < place and len({ages[operand] for operand in operands}) == 1,
                f"plan: value {place} must add values before it of the same cycle, got {operands}",
            )
            row, sign = rows[operands[0]] << shifts[0], -1 if word & MINUS else 1
            rows.append(row if alone else row + sign * (rows[operands[1]] << shifts[1]))
            ages.append(ages[operands[0]] + bool(word & REGISTERED))
        least, greatest = interval(rows[place], low, high)
        most = bits(low, high) if place < inputs else acc_w
        require(width > 0, f"plan: value {place} must have a bit or more, got {width}")
        fits = least >= (-1 << width - 1 if signed else 0) and greatest < 1 << width - signed
        require(
            width <= most and (fits or width == acc_w),
            f"plan: value {place} must fit its width, at most {most}, got {least} to {greatest} in "
            f"{width} bits",
        )
    for number, word in enumerate(plan.entries[plan.values :]):
        node, shift, sign = word & 0xFFFF, word >> 32 & 0xFF, -1 if word & MINUS else 1
        nothing = bool(word & ALONE)
        same = nothing or (node < plan.values and ages[node] == plan.stages)
        row = sign * (rows[node] << shift) if same and not nothing else 0 * rows[0]
        require(
            same and np.array_equal(row, matrix[number]),
            f"plan: output {number} must be row {number} of the matrix behind {plan.stages} "
            "registers, got another",
        )
