"""Is a netlist the RTL that it was made of? Register by register, for every state and input.

Each register of the RTL has the value of what the netlist calls by its name: a register, as a rule,
which may stand for several, or a constant. Where the netlist has no such name, as of a register
that has moved into a DSP, it is one of the netlist's that does the same in cases drawn at random;
else it is taken to be 0. These are guesses. It is shown that in every state of the netlist, and for
every input, the outputs are equal, and that in the next cycle all of this holds again.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.formal.netlist_design import TABLES, Bit, Functions, Name, Netlist, Rails
from verify.formal.netlist_graph import (
    ALWAYS,
    NEVER,
    Graph,
    Word,
    decide,
    outputs,
    patterns,
    write_aiger,
)
from verify.formal.pdr import run_abc
from verify.formal.softmax_proofs import ProofError

# Cases in which registers without a name are 0, and as many in which they are 1.
CASES = 128


@dataclass(frozen=True)
class Pair:
    """A function of the RTL by its name, what it may be, and the netlist's bit beside it."""

    name: Name
    rails: Rails
    bit: Bit


@dataclass
class Equality:
    """A netlist beside its RTL, as functions in one graph.

    ``absent`` are registers of the RTL whose names the netlist does not have.
    """

    rtl: Netlist
    netlist: Netlist
    graph: Graph = field(default_factory=Graph)

    def __post_init__(self) -> None:
        self._products: dict[tuple[tuple[int, ...], ...], Word] = {}
        product = self._cut if self.netlist.products else self.graph.product
        # What the RTL leaves open, such as a word beyond the end of a ROM, is any value.
        self.ours = Functions(self.graph, self.rtl, product, unknown=True)
        self.theirs = Functions(self.graph, self.netlist, product)
        for side in ("inputs", "outputs"):
            names = set(getattr(self.rtl, side)) ^ set(getattr(self.netlist, side))
            if names:
                raise ProofError(f"{side} must be those of the RTL, got others: {sorted(names)}")
        for name, bit in self.netlist.inputs.items():
            self.theirs.give(bit, self.graph.fresh())
            self.ours.values[self.rtl.inputs[name]] = self.theirs.values[bit]
        for register in self.netlist.registers:
            self.theirs.give(register, self.graph.fresh())
        self.absent: list[Name] = []
        self.pairs: list[Pair] = []
        self._match()

    def _cut(self, a: Word, b: Word) -> Word:
        """Return a product of which nothing is known but that equal operands have equal ones."""
        key = tuple(sorted((tuple(a), tuple(b))))
        if key not in self._products:
            self._products[key] = [self.graph.fresh() for _ in range(len(a) + len(b))]
        return self._products[key]

    def _match(self) -> None:
        becomes: dict[int, Bit] = {}
        known = {*self.netlist.registers, *self.netlist.drivers, *self.netlist.inputs.values()}
        named = {register: self._named(register, known) for register in self.rtl.registers}
        while found := self._doing_the_same(named):
            named |= found
        for register, bit in named.items():
            if bit is None:
                self.absent.append(self._name(register))
            self.ours.values[register] = self.theirs.rails("0" if bit is None else bit)
            if isinstance(bit, int) and bit not in self.netlist.registers:
                raise ProofError(f"{self._name(register)}: must be a register or a constant")
            becomes[register] = self.netlist.registers[bit] if isinstance(bit, int) else bit or "0"
        for name, bit in self.rtl.outputs.items():
            self.pairs.append(Pair(name, self.ours.rails(bit), self.netlist.outputs[name]))
        for register, bit in becomes.items():
            rails = self.ours.rails(self.rtl.registers[register])
            self.pairs.append(Pair(self._name(register), rails, bit))

    def _name(self, register: int) -> Name:
        return self.rtl.names.get(register, (("unnamed", register),))[0]

    def _named(self, register: int, known: set[int]) -> Bit | None:
        """Return the netlist's bit that has a name of this register, where there is one."""
        for name in self.rtl.names.get(register, ()):
            bit = self.netlist.bits.get(name)
            if bit in ("0", "1") or bit in known:
                return bit
        return None

    def _doing_the_same(self, named: Mapping[int, Bit | None]) -> dict[int, Bit]:
        """Registers without a name in the netlist, by what they become in cases drawn at random.

        All of those are 0 in half of the cases and 1 in the others.
        """
        ours = Functions(self.graph, self.rtl, self.ours.product, dict(self.ours.values), True)
        lost = [register for register, bit in named.items() if bit is None]
        spare = [bit for bit in self.netlist.registers if bit not in named.values()]
        for register, bit in named.items():
            ours.values[register] = self.theirs.rails("0" if bit is None else bit)
        for register in lost:
            ours.give(register, self.graph.fresh())
        own = {ours.rails(register)[0] for register in lost}
        own |= {self.theirs.literal(bit) for bit in spare}
        rails = [ours.rails(self.rtl.registers[register]) for register in lost]
        roots = [self.theirs.literal(self.netlist.registers[bit]) for bit in spare]
        draw, every, ones = random.Random(1), (1 << 2 * CASES) - 1, (1 << CASES) - 1

        def given(node: int) -> int:
            return ones if 2 * node in own else draw.getrandbits(2 * CASES)

        values = patterns(self.graph, [*itertools.chain(*rails), *roots], given, 2 * CASES)
        becoming = dict(zip(spare, values[2 * len(lost) :], strict=True))
        found: dict[int, Bit] = {}
        for register, one, zero in zip(lost, values[::2], values[1::2], strict=False):
            known = every & ~(one & zero)
            # What keeps its value in all cases tells nothing.
            if (one ^ ones) & known:
                same = [bit for bit, value in becoming.items() if not (value ^ one) & known]
                found |= {register: same[0]} if same else {}
        return found

    def differs(self, pair: Pair, theirs: Functions) -> int:
        """Literal of: the netlist's bit is none of what the RTL's may be."""
        one, zero = pair.rails
        bit = theirs.literal(pair.bit)
        wrong_one = self.graph.conjunction(one ^ 1, bit)
        return self.graph.disjunction(wrong_one, self.graph.conjunction(zero ^ 1, bit ^ 1))

    @property
    def products(self) -> int:
        """Products of the netlist, which are cut."""
        return self.netlist.products

    @property
    def open(self) -> int:
        """Functions of the RTL that may be open, such as words beyond the end of a ROM."""
        return sum(pair.rails[1] != pair.rails[0] ^ 1 for pair in self.pairs)

    def prove(self, folder: Path) -> list[Name]:
        """Prove every function; return the names of those that are undecided.

        Raises `ProofError` where one is refuted.
        """
        asked = [(pair, self.differs(pair, self.theirs)) for pair in self.pairs]
        left = [(pair, literal) for pair, literal in asked if literal != NEVER]
        swept = _swept(self.graph, [literal for _, literal in left], folder)
        undecided = []
        for (pair, literal), result in zip(left, swept, strict=True):
            if result == NEVER:
                continue
            answer = False if result == ALWAYS else decide(self.graph, literal, folder)
            if answer is False:
                raise ProofError(f"{_shown(pair.name)}: is refuted: the netlist is not the RTL")
            if answer is None:
                undecided.append(pair.name)
        return undecided

    def mutants(self, count: int, seed: int, folder: Path) -> Counter[str]:
        """Flip one bit of a LUT, ``count`` times, and ask again of all that rests on it.

        Returns how many are refuted, equal and undecided. A bit that no state and no input reads
        makes an equal netlist; those that constant inputs leave out are not drawn.
        """
        draw = random.Random(seed)
        cells = {id(c): c for c, _, _ in self.netlist.drivers.values() if c["type"] in TABLES}
        readers = self.netlist.readers()
        by_bit: dict[Bit, list[Pair]] = {}
        for pair in self.pairs:
            by_bit.setdefault(pair.bit, []).append(pair)
        found: Counter[str] = Counter()
        for cell in draw.sample(list(cells.values()), count):
            parameter, _, output = TABLES[cell["type"]]
            bits = cell["parameters"][parameter]
            place = len(bits) - 1 - draw.choice(_read_places(cell))
            behind = _behind(cell["connections"][output][0], readers)
            kept = {b: v for b, v in self.theirs.values.items() if b not in behind}
            changed = Functions(self.graph, self.netlist, self.theirs.product, kept)
            cell["parameters"][parameter] = (
                bits[:place] + str(1 - int(bits[place])) + bits[place + 1 :]
            )
            root = NEVER
            for pair in (pair for bit in behind for pair in by_bit.get(bit, ())):
                root = self.graph.disjunction(root, self.differs(pair, changed))
            cell["parameters"][parameter] = bits
            answer = decide(self.graph, root, folder)
            found[{True: "equal", False: "refuted", None: "undecided"}[answer]] += 1
        return found


def by_module(names: Iterable[Name], scopes: Mapping[str, str], top: str) -> Counter[str]:
    """Names by the module of the innermost instance that they are in."""
    found: Counter[str] = Counter()
    for name, _ in names:
        parts = name.split(".")
        inside = (".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
        found[next((scopes[place] for place in inside if place in scopes), top)] += 1
    return found


def _read_places(cell: Mapping[str, Any]) -> list[int]:
    """Return the places of a LUT's bits that its constant inputs let it read."""
    inputs = [cell["connections"][port][0] for port in TABLES[cell["type"]][1]]
    fixed = {k: int(bit) for k, bit in enumerate(inputs) if bit in ("0", "1")}
    return [n for n in range(16) if all(n >> k & 1 == bit for k, bit in fixed.items())]


def _behind(bit: Bit, readers: Mapping[Bit, list[Bit]]) -> set[Bit]:
    """Return a bit and all that is calculated from it within a cycle."""
    seen: set[Bit] = set()
    todo = [bit]
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo += readers.get(at, [])
    return seen


def _swept(graph: Graph, roots: list[int], folder: Path) -> list[int]:
    """Literals of these roots after ABC has merged nodes that it proved equal."""
    if not roots:
        return []
    write_aiger(graph, roots, folder / "miter.aig")
    run_abc(["read_aiger miter.aig", "strash", "fraig", "write_aiger swept.aig"], folder, "sweep")
    return outputs(folder / "swept.aig")


def _shown(name: Name) -> str:
    return f"{name[0]}[{name[1]}]"
