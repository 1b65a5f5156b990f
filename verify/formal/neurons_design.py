"""The RTL of a module as Yosys reads it: registers, and their next values as functions.

Yosys elaborates the sources with their ROM images and writes them in the format BTOR2, which is
read here. A cycle is worked out for registers and inputs that are constants, terms, or both.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common import imports
from common.paths import RTL
from model.stage import Parameter
from syn.yosys import chosen, run_yosys
from verify.formal.neurons_words import Word, Words, constant, number, sign_extended
from verify.formal.softmax_proofs import ProofError

# From sources to registers and functions of single-bit conditions; ROMs become multiplexers.
ELABORATED = ("proc", "flatten", "opt_expr", "opt_clean", "memory_collect", "memory_map")

Values = Mapping[str, Word]
Product = Callable[[Word, Word], Word]


@dataclass
class Design:
    """Nodes of a BTOR2 file by number, in an order in which each follows from earlier ones.

    ``nodes`` are an operator, a width and arguments; ``registers``, ``inputs`` and ``outputs`` are
    nodes by name, ``following`` the node of a register's next value, ``aliases`` those of
    other signals. A register that is an output has that output's name.
    """

    nodes: dict[int, tuple[str, int, tuple[int, ...]]] = field(default_factory=dict)
    registers: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    following: dict[str, int] = field(default_factory=dict)

    def width(self, name: str) -> int:
        """Bits of a register, an input or a named signal."""
        found = self.registers.get(name) or self.inputs.get(name) or self.aliases[name]
        return self.nodes[found][1]

    def rename(self, old: str, new: str) -> None:
        """Give a register another name."""
        self.following[new] = self.following.pop(old)
        self.registers[new] = self.registers.pop(old)

    def name_inside(self, signals: Mapping[str, str]) -> None:
        """Name registers that are outputs by where they are: a register for each signal."""
        for signal, name in signals.items():
            for output in self.outputs:
                if output in self.registers and self.registers[output] == self.aliases.get(signal):
                    self.rename(output, name)

    def cycle(
        self, words: Words, values: Values, wanted: Iterable[str], product: Product | None = None
    ) -> dict[str, Word]:
        """Outputs and next values of registers, as ``NAME`` and ``NAME'``, of ``wanted`` alone.

        ``values`` are those of registers and inputs; what is not there is any value. ``product``
        takes the place of multiplication. Raises `ProofError` where a value has another width than
        what it is a value of.
        """
        names = list(wanted)
        roots = [
            self.following[name[:-1]] if name.endswith("'") else self._signal(name)
            for name in names
        ]
        given = {**self.registers, **self.inputs}
        done = {node: values[name] for name, node in given.items() if name in values}
        for name, node in given.items():
            if node in done and len(done[node]) != self.nodes[node][1]:
                raise ProofError(
                    f"{name}: is refuted: must have {len(done[node])} bits, "
                    f"got {self.nodes[node][1]}"
                )
        todo = list(roots)
        while todo:
            node = todo[-1]
            if node in done:
                todo.pop()
                continue
            operator, width, arguments = self.nodes[node]
            needed = [a for a in _operands(operator, arguments) if a not in done]
            if needed:
                todo += needed
                continue
            todo.pop()
            if operator in ("state", "input"):
                done[node] = words.fresh(f"any{node}", width)
            else:
                done[node] = _evaluated(words, operator, width, arguments, done, product)
        return {name: done[root] for name, root in zip(names, roots, strict=True)}

    def _signal(self, name: str) -> int:
        for known in (self.outputs, self.registers, self.aliases):
            if name in known:
                return known[name]
        raise KeyError(name)


def elaborate(
    top: str, parameters: Mapping[str, Parameter], folder: Path, rtl: Path = RTL
) -> Design:
    """Read a module at these parameters; ``folder`` holds the ROM images that they name.

    Raises `YosysError` where Yosys refuses it.
    """
    needed = imports.below(top, rtl=rtl)
    for source in needed:
        shutil.copy(source, folder)
    names = " ".join(path.name for path in needed)
    run_yosys(
        [
            f"read_verilog {names}",
            *([f"chparam {chosen(parameters)} {top}"] if parameters else []),
            f"hierarchy -check -top {top}",
            *ELABORATED,
            "opt_clean",
            f"write_btor {top}.btor",
        ],
        folder,
        "elaborate",
    )
    return read((folder / f"{top}.btor").read_text())


def read(text: str) -> Design:
    """The design of a BTOR2 file without arrays, as Yosys writes it.

    Raises `ValueError` on what it does not know, so that nothing is left out.
    """
    design, sorts = Design(), {}
    states: dict[int, str] = {}
    for line in text.splitlines():
        words = line.partition(";")[0].split()
        if not words:
            continue
        node, operator, rest = int(words[0]), words[1], words[2:]
        if operator == "sort":
            if rest[0] != "bitvec":
                raise ValueError(f"sort must be bitvec, got {line!r}")
            sorts[node] = int(rest[1])
        elif operator == "output":
            design.outputs[rest[1]] = int(rest[0])
        elif operator == "next":
            design.following[states[int(rest[1])]] = int(rest[2])
        elif operator in ("state", "input"):
            name = rest[1] if len(rest) > 1 else f"unnamed{node}"
            design.nodes[node] = (operator, sorts[int(rest[0])], ())
            known = design.registers if operator == "state" else design.inputs
            known[name] = node
            if operator == "state":
                states[node] = name
        elif operator == "const":
            design.nodes[node] = (operator, sorts[int(rest[0])], (int(rest[1], 2),))
        elif operator in _OPERATORS:
            arguments = tuple(int(word) for word in rest[1:] if re.fullmatch(r"-?\d+", word))
            design.nodes[node] = (operator, sorts[int(rest[0])], arguments)
            if operator == "uext" and rest[2] == "0" and len(rest) > 3:
                design.aliases[rest[3]] = arguments[0]
        else:
            raise ValueError(f"line must be of a known kind, got {line!r}")
    for output, node in design.outputs.items():
        if node in states:
            design.rename(states[node], output)
    idle = set(design.registers) - set(design.following)
    if idle:
        raise ValueError(f"registers must have a next value, got none of {', '.join(sorted(idle))}")
    return design


def _operands(operator: str, arguments: tuple[int, ...]) -> tuple[int, ...]:
    """Nodes among the arguments: the others are constants and places of bits."""
    if operator in ("state", "input", "const"):
        return ()
    return arguments[:1] if operator in ("slice", "uext", "sext") else arguments


def _evaluated(
    words: Words,
    operator: str,
    width: int,
    arguments: tuple[int, ...],
    done: Mapping[int, Word],
    product: Product | None,
) -> Word:
    if operator == "const":
        return constant(arguments[0], width)
    given = [done[node] for node in _operands(operator, arguments)]
    if operator == "slice":
        high, low = arguments[1:]
        return given[0][low : high + 1]
    if operator in ("uext", "sext"):
        filled = (0,) * (width - len(given[0]))
        return given[0] + filled if operator == "uext" else sign_extended(given[0], width)
    if operator == "mul" and product:
        return product(*given)
    found: Word = _OPERATORS[operator](words, *given)
    assert len(found) == width, f"{operator}: {len(found)} bits, expected {width}"
    return found


def _bitwise(kind: str, absorbing: int) -> Callable[..., Word]:
    """AND absorbs by 0, OR by 1: what is left are the bits of the other word."""

    def evaluated(words: Words, a: Word, b: Word) -> Word:
        bits = []
        for x, y in zip(a, b, strict=True):
            if absorbing in (x, y):
                bits.append(absorbing)
            elif x == 1 - absorbing or x == y:
                bits.append(y)
            elif y == 1 - absorbing:
                bits.append(x)
            else:
                return words.apply(kind, [a, b])
        return tuple(bits)

    return evaluated


def _not(words: Words, a: Word) -> Word:
    value = number(a)
    return words.apply("BV_NOT", [a]) if value is None else constant(~value, len(a))


def _arithmetic(kind: str, exact: Callable[[int, int], int]) -> Callable[..., Word]:
    def evaluated(words: Words, a: Word, b: Word) -> Word:
        x, y = number(a), number(b)
        if x is not None and y is not None:
            return constant(exact(x, y), len(a))
        return words.add(a, b) if kind == "BV_ADD" else words.apply(kind, [a, b])

    return evaluated


def _equal(words: Words, a: Word, b: Word) -> Word:
    x, y = number(a), number(b)
    if x is not None and y is not None:
        return (int(x == y),)
    return words.apply("BV_COMP", [a, b])


def _shifted(words: Words, a: Word, b: Word, left: bool) -> Word:
    by = number(b)
    if by is None:
        return words.apply("BV_SHL" if left else "BV_SHR", [a, b])
    by = min(by, len(a))
    return (0,) * by + a[: len(a) - by] if left else a[by:] + (0,) * by


def _reduced(words: Words, a: Word, absorbing: int) -> Word:
    if absorbing in a:
        return (absorbing,)
    if number(a) is not None:
        return (1 - absorbing,)
    return words.apply("BV_REDOR" if absorbing else "BV_REDAND", [a])


_OPERATORS: Mapping[str, Callable[..., Word]] = {
    "slice": lambda words, a: a,
    "uext": lambda words, a: a,
    "sext": lambda words, a: a,
    "concat": lambda words, high, low: low + high,
    "not": _not,
    "and": _bitwise("BV_AND", 0),
    "or": _bitwise("BV_OR", 1),
    "xor": _arithmetic("BV_XOR", lambda x, y: x ^ y),
    "add": _arithmetic("BV_ADD", lambda x, y: x + y),
    "sub": _arithmetic("BV_SUB", lambda x, y: x - y),
    "mul": _arithmetic("BV_MUL", lambda x, y: x * y),
    "eq": _equal,
    "neq": lambda words, a, b: _not(words, _equal(words, a, b)),
    "sll": lambda words, a, b: _shifted(words, a, b, left=True),
    "srl": lambda words, a, b: _shifted(words, a, b, left=False),
    "redor": lambda words, a: _reduced(words, a, 1),
    "redand": lambda words, a: _reduced(words, a, 0),
    "ite": lambda words, condition, then, other: words.either(condition, then, other),
}
