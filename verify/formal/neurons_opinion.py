"""A second opinion on neurons: the lemmas of a run in gates, without Bitwuzla, decided by ABC.

Nothing of a solver's terms is used: every word is literals of an and-inverter graph, whose
constants are those of a word. What is expected of a product is built otherwise than the product of
the RTL: by digits -1, 0 and 1 of the weight, where the RTL's has a row a bit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.jobs import Figures
from model import artifact
from model.artifact import Network
from verify.formal import neurons_proof
from verify.formal.netlist_graph import ALWAYS, NEVER, Graph, write_aiger
from verify.formal.neurons_design import Design
from verify.formal.neurons_layer import design, subject
from verify.formal.neurons_rows import Run
from verify.formal.neurons_words import Word, Words, constant, number
from verify.formal.pdr import VERDICT, run_abc, verdict
from verify.formal.softmax_proofs import ProofError

# Questions that are left to Bitwuzla, by the end of their names: sums of any values in two orders
# share nothing inside. Then what a layer's opinion counts.
LEFT = "order of its sum"
OPINIONS, PAIRS, GATES = "questions", "pairs of bits", "gates"
# Conflicts after which ABC gives a pair up.
CONFLICTS = 1_000_000


class Gates(Words):
    """Words of one proof as literals of a graph; questions are asked of ABC, all at once.

    ``asked`` are the questions, ``pairs`` their bits that are not the same literal; ``left`` are
    questions that are not asked.
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self.asked: list[str] = []
        self.pairs: list[tuple[int, int]] = []
        self.left: list[str] = []

    def fresh(self, name: str, width: int) -> Word:
        """A word of any value."""
        return tuple(self.graph.fresh() for _ in range(width))

    def add(self, a: Word, b: Word) -> Word:
        """The sum, modulo 2 to the width of both."""
        return tuple(self.graph.sum([*a], [*b], NEVER))

    def multiply(self, a: Word, b: Word) -> Word:
        """The product with a constant, modulo 2 to the width of both, by digits -1, 0 and 1."""
        left = number(b)
        assert left is not None, "a product must have a constant operand"
        left -= (left >> (len(b) - 1)) << len(b)
        total = constant(0, len(a))
        for k in range(len(a)):
            digit = 0 if left % 2 == 0 else 2 - left % 4
            left = (left - digit) // 2
            row = (*constant(0, k), *a[: len(a) - k])
            if digit == 1:
                total = self.add(total, row)
            elif digit == -1:
                total = self._minus(total, row)
        return total

    def either(self, condition: Word, then: Word, other: Word) -> Word:
        """``then`` where the one bit of ``condition`` is 1, else ``other``."""
        (bit,) = condition
        return tuple(self.graph.either(bit, x, y) for x, y in zip(then, other, strict=True))

    def holds(self, kind: str, a: Word, b: Word) -> Word:
        """One bit: if a comparison of two words is true."""
        if kind == "EQUAL":
            return self._same(a, b)
        if kind == "BV_UGT":
            return (self._below(b, a),)
        # Of signed words the top bits count the other way round.
        x, y = ((*word[:-1], word[-1] ^ 1) for word in (a, b))
        return (self._below(x, y) if kind == "BV_SLT" else self._below(y, x),)

    def apply(self, kind: str, words: Sequence[Word], function: Any = None) -> Word:
        """The word of an operator of bit vectors, by its name in Bitwuzla."""
        graph, a, b = self.graph, words[0], words[-1]
        if kind in ("BV_AND", "BV_OR", "BV_XOR"):
            made = {"BV_AND": graph.conjunction, "BV_OR": graph.disjunction, "BV_XOR": graph.differ}
            return tuple(made[kind](x, y) for x, y in zip(a, b, strict=True))
        if kind == "BV_NOT":
            return tuple(x ^ 1 for x in a)
        if kind == "BV_SUB":
            return self._minus(a, b)
        if kind == "BV_MUL":
            return self._rows(a, b)
        if kind == "BV_COMP":
            return self._same(a, b)
        if kind in ("BV_REDOR", "BV_REDAND"):
            bit = NEVER if kind == "BV_REDOR" else ALWAYS
            for x in a:
                bit = graph.disjunction(bit, x) if kind == "BV_REDOR" else graph.conjunction(bit, x)
            return (bit,)
        raise ProofError(f"operator must be of a known kind, got {kind}")

    def require_equal(self, what: str, found: Word, expected: Word) -> None:
        """Note the question if two words are equal, which `decide` asks."""
        if what.endswith(LEFT):
            self.left.append(what)
            return
        self.asked.append(what)
        self.pairs += [(x, y) for x, y in zip(found, expected, strict=True) if x != y]

    def decide(self, folder: Path) -> None:
        """Ask all that was noted; raise `ProofError` unless ABC proves every pair equal."""
        if self.pairs and not equal(self.graph, self.pairs, folder):
            raise ProofError(f"{self.asked[0]} and others: ABC does not prove them")

    def _minus(self, a: Word, b: Word) -> Word:
        return tuple(self.graph.sum([*a], [x ^ 1 for x in b], ALWAYS))

    def _rows(self, a: Word, b: Word) -> Word:
        total = constant(0, len(a))
        for k, bit in enumerate(b):
            row = (self.graph.conjunction(bit, x) for x in a[: len(a) - k])
            total = self.add(total, (*constant(0, k), *row))
        return total

    def _same(self, a: Word, b: Word) -> Word:
        found = NEVER
        for x, y in zip(a, b, strict=True):
            found = self.graph.disjunction(found, self.graph.differ(x, y))
        return (found ^ 1,)

    def _below(self, a: Word, b: Word) -> int:
        """Literal of: an unsigned word is less than another."""
        found = NEVER
        for x, y in zip(a, b, strict=True):
            found = self.graph.either(self.graph.differ(x, y), y, found)
        return found


def equal(graph: Graph, pairs: Sequence[tuple[int, int]], folder: Path) -> bool:
    """Return True where ABC's `&cec` proves the literals of each pair equal for all inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    write_aiger(graph, [literal for pair in pairs for literal in pair], folder / "question.aig")
    asked = ("&r question.aig", f"&cec -m -d -C {CONFLICTS}", f"write_status {VERDICT}")
    run_abc(asked, folder, "opinion")
    return verdict(folder)[1] == "UNSAT"


def opinion(found: Design, network: Network, index: int, folder: Path) -> Figures:
    """Ask ABC of every neuron of a layer; raise `ProofError` where one is not proved."""
    words = Gates()
    Run(subject(words, network, index, cut=False), found).prove()
    words.decide(folder)
    counts = (len(words.asked), len(words.pairs), len(words.graph.operands))
    return dict(zip((OPINIONS, PAIRS, GATES), counts, strict=True))


def layer(name: str, index: int) -> Figures:
    """Ask of a layer that ships; raise `ProofError` as `opinion` does."""
    network = artifact.load(neurons_proof.file(name))
    folder = neurons_proof.FOLDER / f"{name}-opinion{index}"
    return opinion(design(network, index, folder), network, index, folder / "abc")
