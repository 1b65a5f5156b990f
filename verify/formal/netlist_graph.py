"""And-inverter graphs, and the question asked of them: is this literal 0 for all values?

A literal is twice a node's number, plus one where it is inverted: 0 is never, 1 is always.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from verify.formal.pdr import VERDICT, run_abc, verdict

NEVER, ALWAYS = 0, 1
Word = list[int]
# Inputs of a function whose every value is run.
FEW = 20


@dataclass
class Graph:
    """Nodes by number: 0 is the constant, an input has no operands, all others are ANDs."""

    operands: list[tuple[int, int] | None] = field(default_factory=lambda: [None])
    _known: dict[tuple[int, int], int] = field(default_factory=dict)

    def fresh(self) -> int:
        """Literal of a new input."""
        self.operands.append(None)
        return 2 * (len(self.operands) - 1)

    def conjunction(self, a: int, b: int) -> int:
        """Literal of an AND, which is the same for the same operands."""
        if a > b:
            a, b = b, a
        if a == NEVER or a == b ^ 1:
            return NEVER
        if a in (ALWAYS, b):
            return b
        found = self._known.get((a, b))
        if found is None:
            self.operands.append((a, b))
            found = self._known[a, b] = 2 * (len(self.operands) - 1)
        return found

    def disjunction(self, a: int, b: int) -> int:
        """Literal of an OR."""
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def either(self, condition: int, then: int, other: int) -> int:
        """Literal of ``then`` where the condition holds, else of ``other``."""
        if then == other:
            return then
        chosen = self.conjunction(condition, then)
        return self.disjunction(chosen, self.conjunction(condition ^ 1, other))

    def differ(self, a: int, b: int) -> int:
        """Literal of an exclusive OR."""
        return self.either(a, b ^ 1, b)

    def table(self, bits: str, inputs: Sequence[int]) -> int:
        """Literal of a LUT: bits from the highest index down, inputs from the lowest up."""
        if not inputs:
            return int(bits)
        half = len(bits) // 2
        then, other = bits[:half], bits[half:]
        low, top = inputs[:-1], inputs[-1]
        if top in (NEVER, ALWAYS):
            return self.table(then if top else other, low)
        return self.either(top, self.table(then, low), self.table(other, low))

    def product(self, a: Word, b: Word) -> Word:
        """The signed product of two words, in as many bits as both have: rows, added up."""
        width = len(a) + len(b)
        wide = a + [a[-1]] * (width - len(a))
        total = [NEVER] * width
        for k, bit in enumerate(b):
            row = [NEVER] * k + [self.conjunction(bit, x) for x in wide[: width - k]]
            # The top bit of two's complement weighs less than nothing.
            minus = k == len(b) - 1
            total = self.sum(total, [x ^ 1 for x in row] if minus else row, int(minus))
        return total

    def sum(self, a: Word, b: Word, carry: int) -> Word:
        """The sum of two words of one width and a carry, modulo that width."""
        found = []
        for x, y in zip(a, b, strict=True):
            half = self.differ(x, y)
            found.append(self.differ(half, carry))
            carry = self.disjunction(self.conjunction(x, y), self.conjunction(half, carry))
        return found

    def below(self, roots: Sequence[int]) -> list[int]:
        """Numbers of the nodes that these literals rest on, in order."""
        seen = set()
        todo = [root >> 1 for root in roots]
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += [operand >> 1 for operand in self.operands[node] or ()]
        return sorted(seen - {0})


def write_aiger(graph: Graph, roots: Sequence[int], path: Path) -> None:
    """Write a binary AIGER file whose outputs are these literals."""
    nodes = graph.below(roots)
    inputs = [node for node in nodes if graph.operands[node] is None]
    gates = [node for node in nodes if graph.operands[node] is not None]
    number = {0: 0} | {node: k for k, node in enumerate([*inputs, *gates], 1)}
    lines = [f"aig {len(nodes)} {len(inputs)} 0 {len(roots)} {len(gates)}"]
    lines += [str(2 * number[root >> 1] + (root & 1)) for root in roots]
    body = bytearray()
    for node in gates:
        own = 2 * number[node]
        low, high = sorted(2 * number[x >> 1] + (x & 1) for x in graph.operands[node] or ())
        for delta in (own - high, high - low):
            while delta > 127:
                body.append(delta & 127 | 128)
                delta >>= 7
            body.append(delta)
    path.write_bytes(("\n".join(lines) + "\n").encode() + bytes(body))


def patterns(graph: Graph, roots: Sequence[int], given: Callable[[int], int], width: int) -> Word:
    """Values of literals in ``width`` cases, a bit each; ``given`` are those of an input's node."""
    every = (1 << width) - 1
    values = {0: 0}

    def value(literal: int) -> int:
        return values[literal >> 1] ^ (every if literal & 1 else 0)

    for node in graph.below(roots):
        pair = graph.operands[node]
        values[node] = given(node) if pair is None else value(pair[0]) & value(pair[1])
    return [value(root) for root in roots]


def exhausted(graph: Graph, root: int, nodes: Sequence[int]) -> int:
    """Return a literal for all values of its inputs, a bit each; ``nodes`` are what it rests on."""
    count = sum(graph.operands[node] is None for node in nodes)
    every = (1 << (1 << count)) - 1
    values = {0: 0}
    left = count
    for node in nodes:
        pair = graph.operands[node]
        if pair is None:
            left -= 1
            # 2^left zeros, as many ones, and so on.
            values[node] = every // ((1 << (1 << left)) + 1) << (1 << left)
        else:
            a, b = (values[literal >> 1] ^ (every if literal & 1 else 0) for literal in pair)
            values[node] = a & b
    return values[root >> 1] ^ (every if root & 1 else 0)


def decide(graph: Graph, root: int, folder: Path) -> bool | None:
    """Decide if a literal is 0 for all values of its inputs; None where ABC gives it up.

    Of a few inputs, all values are run.
    """
    if root in (NEVER, ALWAYS):
        return root == NEVER
    nodes = graph.below([root])
    if sum(graph.operands[node] is None for node in nodes) <= FEW:
        return exhausted(graph, root, nodes) == 0
    write_aiger(graph, [root], folder / "question.aig")
    asked = ("read_aiger question.aig", "strash", "iprove", f"write_status {VERDICT}")
    run_abc(asked, folder, "prove")
    return {"UNSAT": True, "SAT": False}.get(verdict(folder)[1])


def outputs(path: Path) -> Word:
    """Literals of the outputs of an AIGER file without latches."""
    lines = path.read_bytes().split(b"\n")
    count = int(lines[0].split()[4])
    return [int(line) for line in lines[1 : 1 + count]]
