"""Induction over the cycles of `mlp_layer` behind its sums, to the vector that leaves.

It is as in `neurons_control`, for all time, of the places behind `mlp_linear`: the spare place
for sums, both stages of requantization, the vector that is gathered, and its spare place. In each
state of their valid bits, whoever stalls and resets, what is taken is there in the next cycle as
the reference says, what is not taken stays, and nothing else comes.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from verify.formal.neurons_design import Design, Values
from verify.formal.neurons_layer import Subject
from verify.formal.neurons_rows import relu, requantized, rounded
from verify.formal.neurons_words import Word, constant
from verify.formal.softmax_proofs import ProofError

SUM = "g_linear.u_linear.out"
SPARE, REQUANTIZE = "u_sum_skid_buffer.spare", "u_requantize"
# Valid bits in front of the codes: what is behind may not depend on them.
CODES = 2
PACK, VECTOR_SPARE = "g_pack.u_pack", "g_skid_buffer.u_skid_buffer.spare"


@dataclass
class Queue:
    """The induction for one layer; ``cases`` are the cycles that it went through."""

    subject: Subject
    design: Design
    cases: int = 0

    def prove(self) -> int:
        """Prove every case; return their number, or raise `ProofError` at the first that fails."""
        self._know_every_register()
        for state in _states(f"{SUM}_valid", *self._valid_bits()):
            self._requantize(state)
        for state in _states(*self._valid_bits()[CODES:]):
            if self.packs:
                for group in range(self.subject.layer.groups):
                    self._gather(state, group)
            self._leave(state)
        self._reset()
        return self.cases

    @property
    def packs(self) -> bool:
        """Return True if the outputs come in more than one beat."""
        return self.subject.layer.groups > 1

    @property
    def buffered(self) -> bool:
        """Return True if the vector that leaves has a spare place."""
        return f"{VECTOR_SPARE}_valid" in self.design.registers

    def _valid_bits(self) -> list[str]:
        found = [f"{SPARE}_valid", f"{REQUANTIZE}.middle_valid", f"{REQUANTIZE}.out_valid"]
        found += [f"{PACK}.out_valid"] if self.packs else []
        return found + ([f"{VECTOR_SPARE}_valid"] if self.buffered else [])

    def _know_every_register(self) -> None:
        """Raise `ProofError` where a register belongs to no place."""
        known = {*self._valid_bits(), f"{SPARE}_last", f"{SPARE}_data", f"{VECTOR_SPARE}_data"}
        known |= {f"{REQUANTIZE}.{name}" for name in ("middle", "middle_last", "out_y", "out_last")}
        known |= {f"{PACK}.count", f"{PACK}.out_x"}
        for name in self.design.registers:
            if name not in known and not name.startswith("g_linear.u_linear."):
                raise ProofError(f"{name}: must belong to a place of mlp_layer")

    def _fresh(self, *names: str) -> dict[str, Word]:
        """Any values for those of these registers that there are."""
        registers = self.design.registers
        return {
            name: self.subject.words.fresh(name, self.design.width(name))
            for name in names
            if name in registers
        }

    def _lanes(self, word: Word) -> list[Word]:
        width = len(word) // self.subject.layer.pe
        return [word[k : k + width] for k in range(0, len(word), width)]

    # If a place takes what is offered to it

    def _vector_taken(self, state: dict[str, int]) -> bool:
        return not state[f"{VECTOR_SPARE}_valid"] if self.buffered else bool(state["out_ready"])

    def _codes_taken(self, state: dict[str, int]) -> bool:
        if not self.packs:
            return self._vector_taken(state)
        return not state[f"{PACK}.out_valid"] or self._vector_taken(state)

    # The cases

    def _requantize(self, state: dict[str, int]) -> None:
        """Sums wait in the spare place or are rounded, and saturated a cycle later."""
        subject = self.subject
        layer, words = subject.layer, subject.words
        own = self._fresh(f"{SUM}_acc", f"{SUM}_last", f"{SPARE}_data", f"{SPARE}_last")
        own |= self._fresh(f"{REQUANTIZE}.out_y", f"{REQUANTIZE}.out_last")
        own |= self._fresh(f"{REQUANTIZE}.middle_last")
        before = words.fresh("before", layer.pe * layer.acc_w)
        own[f"{REQUANTIZE}.middle"] = self._rounded(before)
        taken = not state[f"{REQUANTIZE}.out_valid"] or self._codes_taken(state)
        source = SPARE if state[f"{SPARE}_valid"] else SUM
        data = own[f"{SPARE}_data" if source == SPARE else f"{SUM}_acc"]
        offered = state[f"{SUM}_valid"] or state[f"{SPARE}_valid"]
        expected = {
            f"{SPARE}_valid": constant(int(offered and not taken), 1),
            f"{SPARE}_data": data,
            f"{SPARE}_last": own.get(f"{source}_last"),
        }
        if taken:
            codes = [requantized(words, acc, layer.shift, layer.y.width)
                     for acc in self._lanes(before)]  # fmt: skip
            expected |= {
                f"{REQUANTIZE}.middle_valid": constant(offered, 1),
                f"{REQUANTIZE}.middle": self._rounded(data),
                f"{REQUANTIZE}.middle_last": own.get(f"{source}_last"),
                f"{REQUANTIZE}.out_valid": constant(state[f"{REQUANTIZE}.middle_valid"], 1),
                f"{REQUANTIZE}.out_y": _joined(codes),
                f"{REQUANTIZE}.out_last": own.get(f"{REQUANTIZE}.middle_last"),
            }
        else:
            kept = ("middle", "middle_last", "out_y", "out_last")
            expected |= {f"{REQUANTIZE}.{name}": own.get(f"{REQUANTIZE}.{name}") for name in kept}
            for name in ("middle_valid", "out_valid"):
                expected[f"{REQUANTIZE}.{name}"] = constant(state[f"{REQUANTIZE}.{name}"], 1)
        self._step("requantization", state, own, expected)

    def _rounded(self, accumulators: Word) -> Word:
        layer = self.subject.layer
        width = layer.acc_w - layer.shift + 1
        lanes = self._lanes(accumulators)
        return _joined(rounded(self.subject.words, acc, layer.shift)[:width] for acc in lanes)

    def _active(self, codes: Word) -> Word:
        """Return the codes behind the activation."""
        if not self.subject.layer.relu:
            return codes
        return _joined(relu(self.subject.words, code) for code in self._lanes(codes))

    def _gather(self, state: dict[str, int], group: int) -> None:
        """The codes of a group of outputs go behind those of the groups before it."""
        layer, last = self.subject.layer, group == self.subject.layer.groups - 1
        own = self._fresh(f"{REQUANTIZE}.out_y", f"{PACK}.out_x")
        own[f"{REQUANTIZE}.out_last"] = (int(last),)
        count = self.design.width(f"{PACK}.count")
        own[f"{PACK}.count"] = constant(group, count)
        offered, taken = state[f"{REQUANTIZE}.out_valid"], self._codes_taken(state)
        expected = {name: own[name] for name in (f"{PACK}.count", f"{PACK}.out_x")}
        if offered and taken:
            codes = self._active(own[f"{REQUANTIZE}.out_y"])
            expected[f"{PACK}.out_x"] = (own[f"{PACK}.out_x"] + codes)[len(codes) :]
            expected[f"{PACK}.count"] = constant(0 if last else group + 1, count)
        valid = offered and last if taken else state[f"{PACK}.out_valid"]
        expected[f"{PACK}.out_valid"] = constant(int(valid), 1)
        if layer.n_out * layer.y.width != len(own[f"{PACK}.out_x"]):
            raise ProofError(f"{layer.name}: a vector must have {layer.n_out} codes")
        self._step(f"group {group}", state, own, expected)

    def _leave(self, state: dict[str, int]) -> None:
        """The vector is offered, from its spare place first, and waits there while it must."""
        own = self._fresh(f"{REQUANTIZE}.out_y", f"{PACK}.out_x", f"{VECTOR_SPARE}_data")
        if self.packs:
            valid, vector = state[f"{PACK}.out_valid"], own[f"{PACK}.out_x"]
        else:
            codes = own[f"{REQUANTIZE}.out_y"]
            valid, vector = state[f"{REQUANTIZE}.out_valid"], self._active(codes)
        expected: dict[str, Word | None] = {}
        if self.buffered:
            if state[f"{VECTOR_SPARE}_valid"]:
                valid, vector = 1, own[f"{VECTOR_SPARE}_data"]
            waits = valid and not state["out_ready"]
            expected = {f"{VECTOR_SPARE}_valid": constant(int(waits), 1)}
            expected[f"{VECTOR_SPARE}_data"] = vector
        outputs = {"out_valid": constant(valid, 1)} | ({"out_x": vector} if valid else {})
        self._step("the vector", state, own, expected, outputs)

    def _reset(self) -> None:
        """A reset empties every place."""
        names = [*self._valid_bits(), *([f"{PACK}.count"] if self.packs else [])]
        expected: dict[str, Word | None] = {
            name: constant(0, self.design.width(name)) for name in names
        }
        self._step("a reset", {}, {}, expected, rst=1)

    def _step(
        self,
        what: str,
        state: dict[str, int],
        own: Values,
        expected: Mapping[str, Word | None],
        outputs: Values | None = None,
        rst: int = 0,
    ) -> None:
        """One cycle from this state; registers that synthesis left out have nothing to become."""
        values = {name: (bit,) for name, bit in state.items()} | dict(own) | {"rst": (rst,)}
        registers = self.design.registers
        wanted = {f"{name}'": word for name, word in expected.items() if name in registers}
        wanted |= dict(outputs or {})
        found = self.design.cycle(self.subject.words, values, wanted)
        for name, word in wanted.items():
            said = f"{self.subject.layer.name}: {name} after {what}"
            if word is None:
                raise ProofError(f"{said}: follows from a register that is not there")
            self.subject.words.require_equal(said, found[name], word)
        self.cases += 1


def _states(*valid_bits: str) -> Iterator[dict[str, int]]:
    """Every state of these bits, the vector that leaves taken or not."""
    names = [*valid_bits, "out_ready"]
    for bits in itertools.product((0, 1), repeat=len(names)):
        yield dict(zip(names, bits, strict=True))


def _joined(words: Iterator[Word] | list[Word]) -> Word:
    return tuple(bit for word in words for bit in word)
