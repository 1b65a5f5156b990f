"""Words of constants and solver terms, bit by bit, and the one question asked of them: equal?

A word is a tuple of bits, the lowest first. A bit is 0, 1, or ``(term, index)``: a bit of a term of
Bitwuzla, which is named by its number. What only moves bits stays bits, so that two ways to the
same bits meet without a solver; what calculates becomes a term.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from verify.formal.softmax_proofs import ProofError

Bit = Any  # 0, 1 or (term, index)
Word = tuple[Bit, ...]

# A query that takes longer is undecided.
SECONDS = 60


def constant(value: int, width: int) -> Word:
    """The word of an integer in two's complement.

    >>> constant(-2, 4)
    (0, 1, 1, 1)
    """
    return tuple(value >> k & 1 for k in range(width))


def number(word: Word) -> int | None:
    """The unsigned value of a constant word, None where a bit is no constant.

    >>> number((0, 1, 1, 1)), number((0, (7, 0)))
    (14, None)
    """
    value = 0
    for k, bit in enumerate(word):
        if bit == 1:
            value |= 1 << k
        elif bit != 0:
            return None
    return value


def sign_extended(word: Word, width: int) -> Word:
    """The same signed value in ``width`` bits, which are no fewer.

    >>> sign_extended((0, 1), 4)
    (0, 1, 1, 1)
    """
    return word + (word[-1],) * (width - len(word))


class Words:
    """Terms of one proof, and the solver that decides on them.

    ``decided`` counts the questions that Bitwuzla answered, ``alike`` those that needed no answer:
    both words were the same bits, or had been found equal before.
    """

    def __init__(self, seconds: int = SECONDS) -> None:
        # Imported where it is needed: no other command asks for it.
        import bitwuzla

        self.bitwuzla = bitwuzla
        self.manager = bitwuzla.TermManager()
        self.seconds = seconds
        self.decided = 0
        self.alike = 0
        self._terms: dict[int, Any] = {}
        self._equal: set[tuple[Word, Word]] = set()
        self._functions: dict[tuple[int, int], Any] = {}

    def fresh(self, name: str, width: int) -> Word:
        """A word of any value."""
        return self._word(self.manager.mk_const(self.manager.mk_bv_sort(width), name))

    def add(self, a: Word, b: Word) -> Word:
        """The sum, modulo 2 to the width of both."""
        if number(a) == 0 or number(b) == 0:
            return b if number(a) == 0 else a
        return self.apply("BV_ADD", [a, b])

    def multiply(self, a: Word, b: Word) -> Word:
        """The product, modulo 2 to the width of both."""
        return self.apply("BV_MUL", [a, b])

    def uninterpreted(self, a: Word, b: Word) -> Word:
        """A function of which nothing is known, in the place of a product."""
        key = (len(a), len(b))
        if key not in self._functions:
            sorts = [self.manager.mk_bv_sort(len(word)) for word in (a, b)]
            sort = self.manager.mk_fun_sort(sorts, sorts[0])
            self._functions[key] = self.manager.mk_const(sort, "product")
        return self.apply("APPLY", [a, b], function=self._functions[key])

    def either(self, condition: Word, then: Word, other: Word) -> Word:
        """``then`` where the one bit of ``condition`` is 1, else ``other``."""
        if then == other or condition == (1,):
            return then
        if condition == (0,):
            return other
        one = self.manager.mk_bv_value(self.manager.mk_bv_sort(1), 1)
        holds = self._made("EQUAL", [self.term(condition), one])
        return self._word(self._made("ITE", [holds, self.term(then), self.term(other)]))

    def holds(self, kind: str, a: Word, b: Word) -> Word:
        """One bit: if a comparison of two words is true."""
        one, zero = (self.manager.mk_bv_value(self.manager.mk_bv_sort(1), k) for k in (1, 0))
        condition = self._made(kind, [self.term(a), self.term(b)])
        return self._word(self._made("ITE", [condition, one, zero]))

    def apply(self, kind: str, words: Sequence[Word], function: Any = None) -> Word:
        """The word of an operator of bit vectors, or of an uninterpreted function."""
        terms = [self.term(word) for word in words]
        return self._word(self._made(kind, [function, *terms] if function else terms))

    def term(self, word: Word) -> Any:
        """The term of a word: runs of constants and of bits of one term, joined."""
        # Copies of the top bit of what is below them are an extension of the sign.
        end = len(word)
        while end > 1 and word[end - 1] == word[end - 2] and isinstance(word[end - 1], tuple):
            end -= 1
        base = self._joined(word[:end])
        if end == len(word):
            return base
        return self._made("BV_SIGN_EXTEND", [base], [len(word) - end])

    def require_equal(self, what: str, found: Word, expected: Word) -> None:
        """Raise `ProofError` unless two words are equal for all values of their terms.

        So where the solver finds a value that tells them apart, and where it does not decide.
        """
        if len(found) != len(expected):
            raise ProofError(f"{what}: is refuted: {len(found)} bits, expected {len(expected)}")
        if found == expected or (found, expected) in self._equal:
            self.alike += 1
            return
        options = self.bitwuzla.Options()
        options.set("time-limit-per", self.seconds * 1000)
        options.set("pp-normalize", True)
        solver = self.bitwuzla.Bitwuzla(self.manager, options)
        differ = self._made("DISTINCT", [self.term(found), self.term(expected)])
        solver.assert_formula(differ)
        answer = solver.check_sat()
        if answer == self.bitwuzla.Result.SAT:
            raise ProofError(f"{what}: is refuted")
        if answer != self.bitwuzla.Result.UNSAT:
            raise ProofError(f"{what}: is undecided after {self.seconds} seconds")
        self._equal.add((found, expected))
        self.decided += 1

    def _made(self, kind: str, *arguments: Any) -> Any:
        """The term of an operator by its name in Bitwuzla."""
        return self.manager.mk_term(getattr(self.bitwuzla.Kind, kind), *arguments)

    def _word(self, term: Any) -> Word:
        number = term.id()
        self._terms[number] = term
        return tuple((number, k) for k in range(term.sort().bv_size()))

    def _joined(self, word: Word) -> Any:
        """The term of a word, the highest run first, as a concatenation has it."""
        edges = [k for k, (low, high) in enumerate(pairwise(word), 1) if not _joins(low, high)]
        bounds = [0, *edges, len(word)]
        runs = [self._run(word[low:high]) for low, high in pairwise(bounds)][::-1]
        return runs[0] if len(runs) == 1 else self._made("BV_CONCAT", runs)

    def _run(self, run: Word) -> Any:
        if not isinstance(run[0], tuple):
            return self.manager.mk_bv_value(self.manager.mk_bv_sort(len(run)), number(run))
        term, low = self._terms[run[0][0]], run[0][1]
        if len(run) == term.sort().bv_size():
            return term
        return self._made("BV_EXTRACT", [term], [low + len(run) - 1, low])


def _joins(low: Bit, high: Bit) -> bool:
    """Return True where two neighbouring bits belong to one run."""
    if isinstance(low, tuple) and isinstance(high, tuple):
        return bool(low[0] == high[0] and low[1] + 1 == high[1])
    return not isinstance(low, tuple) and not isinstance(high, tuple)
