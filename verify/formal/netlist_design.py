"""A flattened design as Yosys writes it in JSON: registers, and functions of their values."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.formal.netlist_graph import NEVER, Graph, Word
from verify.formal.softmax_proofs import ProofError

# A bit of a net: its number, or a constant.
Bit = int | str
Name = tuple[str, int]
# What a bit may be: literals of "may be 1" and "may be 0", the inverse of one another unless it may
# be either.
Rails = tuple[int, int]
# Cells that are a table of their inputs, with the parameter that holds it.
TABLES = {
    "LUT4": ("INIT", ("A", "B", "C", "D"), "Z"),
    "SB_LUT4": ("LUT_INIT", ("I0", "I1", "I2", "I3"), "O"),
}

Product = Callable[[Word, Word], Word]


@dataclass(frozen=True)
class Netlist:
    """Cells by the bits that they drive, registers with what they become, names of bits."""

    drivers: Mapping[int, tuple[Mapping[str, Any], str, int]]
    registers: Mapping[int, Bit]
    names: Mapping[int, tuple[Name, ...]]
    bits: Mapping[Name, Bit]
    inputs: Mapping[Name, int]
    outputs: Mapping[Name, Bit]
    products: int

    def readers(self) -> dict[Bit, list[Bit]]:
        """Return for each bit those that are calculated from it within a cycle."""
        found: dict[Bit, list[Bit]] = {}
        for bit, (cell, _, _) in self.drivers.items():
            for source in _inputs(cell):
                found.setdefault(source, []).append(bit)
        return found


def read(path: Path, top: str) -> Netlist:
    """Read a module; raises `ProofError` where a register has another clock than ``clk``."""
    module = json.loads(path.read_text())["modules"][top]
    ports = module["ports"]
    (clock,) = ports["clk"]["bits"]
    drivers, registers, products = {}, {}, 0
    for label, cell in module["cells"].items():
        wires = cell["connections"]
        if cell["type"] == "$scopeinfo":
            continue
        if cell["type"] == "$_DFF_P_":
            if wires["C"] != [clock]:
                raise ProofError(f"{label}: clock must be clk")
            registers[wires["Q"][0]] = wires["D"][0]
            continue
        products += cell["type"] == "$mul"
        for port in _outputs(cell):
            for index, bit in enumerate(wires[port]):
                drivers[bit] = (cell, port, index)
    bits: dict[Name, Bit] = {}
    names: dict[int, list[Name]] = {}
    for name, net in module["netnames"].items():
        if not net["hide_name"]:
            for index, bit in enumerate(net["bits"]):
                bits[name, index] = bit
                if isinstance(bit, int):
                    names.setdefault(bit, []).append((name, index))
    sides: dict[str, dict[Name, Any]] = {"input": {}, "output": {}}
    for name, port in ports.items():
        for index, bit in enumerate(port["bits"]):
            sides[port["direction"]][name, index] = bit
    return Netlist(
        drivers,
        registers,
        {bit: tuple(found) for bit, found in names.items()},
        bits,
        sides["input"],
        sides["output"],
        products,
    )


@dataclass
class Functions:
    """Functions of a netlist's bits in a graph, of values that registers and inputs are given."""

    graph: Graph
    netlist: Netlist
    product: Product
    values: dict[Bit, Rails] = field(default_factory=dict)
    # Where set, x is any value; else one that is free.
    unknown: bool = False

    def give(self, bit: Bit, literal: int) -> None:
        """Give a register or an input its value."""
        self.values[bit] = (literal, literal ^ 1)

    def rails(self, root: Bit) -> Rails:
        """Return what a bit may be."""
        values, todo = self.values, [root]
        while todo:
            bit = todo[-1]
            if bit in values:
                todo.pop()
                continue
            if isinstance(bit, str):
                values[bit] = self._constant(bit)
                continue
            if bit not in self.netlist.drivers:
                values[bit] = self._any()
                continue
            cell = self.netlist.drivers[bit][0]
            needed = [b for b in _inputs(cell) if b not in values]
            if needed:
                todo += needed
                continue
            todo.pop()
            self._evaluate(cell)
        return values[root]

    def literal(self, root: Bit) -> int:
        """Return the literal of a bit that is not unknown."""
        one, zero = self.rails(root)
        if zero != one ^ 1:
            raise ProofError(f"bit {root}: must be known")
        return one

    def _constant(self, bit: str) -> Rails:
        return (int(bit), 1 - int(bit)) if bit in ("0", "1") else self._any()

    def _any(self) -> Rails:
        if self.unknown:
            return (1, 1)
        literal = self.graph.fresh()
        return (literal, literal ^ 1)

    def _evaluate(self, cell: Mapping[str, Any]) -> None:
        wires, kind, graph = cell["connections"], cell["type"], self.graph
        if kind == "$_NOT_":
            one, zero = self.values[wires["A"][0]]
            self.values[wires["Y"][0]] = (zero, one)
        elif kind == "$_AND_":
            (a1, a0), (b1, b0) = (self.values[wires[port][0]] for port in "AB")
            found = (graph.conjunction(a1, b1), graph.disjunction(a0, b0))
            self.values[wires["Y"][0]] = found
        elif kind in TABLES:
            parameter, ports, output = TABLES[kind]
            given = [self.literal(wires[port][0]) for port in ports]
            self.give(wires[output][0], graph.table(cell["parameters"][parameter][-16:], given))
        elif kind == "$mul":
            words = [self._operand(cell, port) for port in "AB"]
            word = self.product(*words)
            for index, bit in enumerate(wires["Y"]):
                self.give(bit, word[min(index, len(word) - 1)])
        else:
            raise ProofError(f"cell must be of a known kind, got {kind}")

    def _operand(self, cell: Mapping[str, Any], port: str) -> Word:
        """Signed word of an operand, as short as it can be."""
        word = [self.literal(bit) for bit in cell["connections"][port]]
        if int(cell["parameters"][f"{port}_SIGNED"], 2) == 0:
            word.append(NEVER)
        while len(word) > 1 and word[-1] == word[-2]:
            word.pop()
        return word


def _outputs(cell: Mapping[str, Any]) -> list[str]:
    return [TABLES[cell["type"]][2]] if cell["type"] in TABLES else ["Y"]


def _inputs(cell: Mapping[str, Any]) -> list[Bit]:
    driven = _outputs(cell)
    wires = cell["connections"]
    return [bit for port in wires if port not in driven for bit in wires[port]]
