"""Induction over the cycles of `mlp_linear`: which weight meets which element, products left open.

It is for all time, over one cycle. A place of the pipeline holds a cycle of a vector, or nothing;
whatever it holds, whoever stalls and resets, the registers of the next place become what
the network says that they hold of that cycle, or stay as they are. Multiplication is a function of
which nothing is known. Registers and inputs that a case does not name may have any value.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from verify.formal.neurons_design import Design, Values
from verify.formal.neurons_layer import Subject
from verify.formal.neurons_words import Word, constant
from verify.formal.softmax_proofs import ProofError

PREFIX = "g_linear.u_linear."
VECTOR, COUNTER = "u_vector.g_turn.x", "u_vector.u_fold"
FOLD = tuple(
    f"{COUNTER}.{name}" for name in ("out_valid", "last_beat", "step", "out_group", "out_cycle")
)
ACCUMULATORS = ("out_valid", "out_last", "out_acc")
# Sums are offered or not, and taken, or not because the spare place behind them is full.
OFFERED, FULL = "out_valid", "u_sum_skid_buffer.spare_valid"
MOVES = ({OFFERED: (0,)}, {OFFERED: (1,), FULL: (0,)})
STALLED = {OFFERED: (1,), FULL: (1,)}
NODE = re.compile(r"g_pe\[(\d+)\]\.u_dot\.g_node\[(\d+)\]\.(\w+\.)*(product_q|sum_q)")
DELAY = re.compile(r"u_(valid|place|group)\.g_stage\[(\d+)\]\.g_later\.data_q")
IDLE = None


@dataclass
class Control:
    """The induction for one layer; ``cases`` are the cycles that it went through."""

    subject: Subject
    design: Design
    cases: int = 0
    places: dict[str, int] = field(default_factory=dict)

    def prove(self) -> int:
        """Prove every case; return their number, or raise `ProofError` at the first that fails."""
        registers = (name for name in self.design.registers if name.startswith(PREFIX))
        names = [name.removeprefix(PREFIX) for name in registers]
        self.places = {name: self._place(name) for name in names}
        self._fold()
        for place in range(1, self.subject.last_place + 1):
            self._hand_over(place)
        self._accumulate()
        return self.cases

    def _place(self, name: str) -> int:
        """The place that a register belongs to; one without a place is an error."""
        last = self.subject.last_place
        known = {"x_read": 1, "u_weights.data": 1, "x_fetched": 2, "w_fetched": 2}
        known |= {"u_biases.data": last} | dict.fromkeys(ACCUMULATORS, last + 1)
        known |= dict.fromkeys((*FOLD, VECTOR), 0)
        if name in known:
            return known[name]
        delay, node = DELAY.fullmatch(name), NODE.fullmatch(name)
        if delay:
            return int(delay[2])
        if node:
            return last - (int(node[2]).bit_length() - 1)
        raise ProofError(f"{name}: must belong to a place of mlp_linear")

    def _width(self, name: str) -> int:
        return self.design.width(PREFIX + name)

    def _of(self, place: int) -> list[str]:
        return [name for name, found in self.places.items() if found == place]

    def _cycles(self) -> list[int | None]:
        return [IDLE, *range(self.subject.layer.cycles)]

    # What places hold

    def holds(self, place: int, cycle: int | None) -> dict[str, Word]:
        """Registers of a place that holds a cycle of the vector; those that may be anything miss.

        Of a place that holds nothing it is its valid bit.
        """
        found = {}
        for name in self._of(place):
            word = self._held(name, place, cycle)
            if word is not None:
                found[name] = word
        return found

    def _held(self, name: str, place: int, cycle: int | None) -> Word | None:
        width = self._width(name)
        if name in (f"{COUNTER}.out_valid", f"u_valid.g_stage[{place}].g_later.data_q"):
            return constant(cycle is not IDLE, width)
        if place == 0 and name != VECTOR:
            return constant(self._counted(name, cycle or 0), width)
        if cycle is IDLE:
            return None
        if name == VECTOR:
            return self.subject.turned(cycle)
        return self._carried(name, cycle, width)

    def _counted(self, name: str, cycle: int) -> int:
        steps, cycles = self.subject.layer.steps, self.subject.layer.cycles
        return {
            f"{COUNTER}.last_beat": int(cycle == cycles - 1),
            f"{COUNTER}.step": cycle % steps,
            f"{COUNTER}.out_group": cycle // steps,
            f"{COUNTER}.out_cycle": cycle,
        }[name]

    def _carried(self, name: str, cycle: int, width: int) -> Word:
        subject = self.subject
        layer, outputs = subject.layer, subject.outputs(cycle)
        if name.startswith("x_"):
            return subject.turned(cycle)[:width]
        if name in ("u_weights.data", "w_fetched"):
            weights = [subject.weight(n, i) for n in outputs for i in subject.elements(cycle)]
            return _joined(constant(weight, layer.w.width) for weight in weights)
        if name == "u_biases.data":
            return _joined(constant(subject.bias(n), layer.acc_w) for n in outputs)
        if name.startswith("u_place"):
            step, group = cycle % layer.steps, cycle // layer.steps
            return tuple(map(int, (group == layer.groups - 1, step == layer.steps - 1, step == 0)))
        if name.startswith("u_group"):
            return constant(cycle // layer.steps, width)
        node = NODE.fullmatch(name)
        assert node, name
        return subject.node(cycle, int(node[1]), int(node[2]))

    def summed(self, cycle: int) -> Word:
        """The accumulators after a cycle of the vector."""
        return _joined(self.subject.sums(cycle, pe) for pe in range(self.subject.layer.pe))

    # The cases

    def _fold(self) -> None:
        """The next cycle of the vector, or the first of the one that arrives, or nothing."""
        last = self.subject.layer.cycles - 1
        arriving = self.subject.words.fresh("arriving", len(self.subject.vector))
        for cycle, stall, rst, valid in itertools.product(
            self._cycles(), (*MOVES, STALLED), (0, 1), (0, 1)
        ):
            ready = cycle is IDLE or (stall in MOVES and cycle == last)
            if rst or (ready and not valid):
                expected = self.holds(0, IDLE)
            elif ready:
                expected = self.holds(0, 0) | {VECTOR: arriving}
            else:
                assert cycle is not IDLE
                expected = self.holds(0, cycle + 1 if stall in MOVES else cycle)
            values = {**self.holds(0, cycle), **stall, "in_x": arriving}
            values |= {"rst": (rst,), "in_valid": (valid,)}
            self._step(f"cycle {cycle} of the fold", values, expected, {"in_ready": (int(ready),)})

    def _hand_over(self, place: int) -> None:
        """A place becomes what the one before it holds, or stays as it is, or is emptied."""
        words, valid = self.subject.words, f"u_valid.g_stage[{place}].g_later.data_q"
        own = {name: words.fresh(name, self._width(name)) for name in self._of(place)}
        for stall in (*MOVES, STALLED):
            self._step(f"a reset of place {place}", {**stall, "rst": (1,)}, {valid: (0,)})
        self._step(f"a stall of place {place}", {**own, **STALLED, "rst": (0,)}, own)
        for cycle, stall in itertools.product(self._cycles(), MOVES):
            values = {**self.holds(place - 1, cycle), **stall, "rst": (0,)}
            self._step(f"place {place - 1}, cycle {cycle}", values, self.holds(place, cycle))

    def _accumulate(self) -> None:
        """A cycle's sums are added to those of its group so far, and handed over with the last."""
        layer, words, last = self.subject.layer, self.subject.words, self.subject.last_place
        names = [name for name in self._of(last + 1) if name != "out_valid"]
        own = {name: words.fresh(name, self._width(name)) for name in names}
        for stall in (*MOVES, STALLED):
            self._step("a reset of the sums", {**stall, "rst": (1,)}, {"out_valid": (0,)})
        stalled = {**own, **STALLED, "rst": (0,)}
        self._step("a stall of the sums", stalled, {**own, "out_valid": (1,)})
        for cycle, stall in itertools.product(self._cycles(), MOVES):
            values = {**own, **self.holds(last, cycle), **stall, "rst": (0,)}
            if cycle is IDLE:
                self._step("no sums", values, {**own, "out_valid": (0,)})
                continue
            step, group = cycle % layer.steps, cycle // layer.steps
            if step:
                values["out_acc"] = self.summed(cycle - 1)
            expected = {
                "out_valid": (int(step == layer.steps - 1),),
                "out_last": (int(group == layer.groups - 1),),
                "out_acc": self.summed(cycle),
            }
            # Nobody reads out_last where there is one group, and synthesis leaves it out.
            expected = {name: word for name, word in expected.items() if name in self.places}
            self._step(f"the sums of cycle {cycle}", values, expected)

    def _step(
        self, what: str, values: Values, expected: Values, outputs: Values | None = None
    ) -> None:
        """One cycle from these values: registers must become as expected, outputs be so now."""
        subject = self.subject
        known = {self._full(name): word for name, word in values.items()}
        wanted = {f"{self._full(name)}'": word for name, word in expected.items()}
        wanted |= outputs or {}
        found = self.design.cycle(subject.words, known, wanted, subject.words.uninterpreted)
        for name, word in wanted.items():
            said = f"{subject.layer.name}: {name} after {what}"
            subject.words.require_equal(said, found[name], word)
        self.cases += 1

    def _full(self, name: str) -> str:
        return PREFIX + name if name in self.places else name


def _joined(words: Iterator[Word]) -> Word:
    return tuple(bit for word in words for bit in word)
