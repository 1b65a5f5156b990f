"""Parts of the core that learns which say what saturated, and count it."""

import random
from dataclasses import fields
from typing import Any

import numpy as np

from model.learning.counts import WIDE, Counts
from model.reference import requantize
from model.words import Field
from tb.modules.learning_parts import Part, Values

NAMES = tuple(field.name for field in fields(Counts))


def is_lost(acc: int, shift: int, width: int) -> bool:
    """Tell if ``width`` bits cannot hold a sum that drops ``shift`` of them."""
    exact = int(requantize(np.array(acc), shift=shift, width=WIDE))
    return not -(1 << (width - 1)) <= exact < 1 << (width - 1)


class ClampsPart(Part):
    """Sums on both sides of each limit, at the limits, and any."""

    cycles = 4000
    shown: bool | None = None

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.acc_w, self.out_w, self.shift = map(
            parameters.__getitem__, ("ACC_W", "OUT_W", "SHIFT")
        )
        self.inputs = (Field("in_valid"), Field("in_acc", self.acc_w, signed=True))
        self.outputs_of = (Field("out_clamps"),)

    def draw(self) -> Values:
        values = super().draw()
        half = (1 << self.shift) // 2
        limit = random.choice([-1, 1]) * ((1 << (self.out_w - 1 + self.shift)) - half)
        limit += random.choice([-1, 0, 1]) * half + random.randint(-2, 2)
        low, high = self.inputs[1].ends
        near = min(max(limit, low), high)
        return values | {"in_acc": random.choice([values["in_acc"], near, near])}

    def outputs(self, values: Values) -> Values:
        return {} if self.shown is None else {"out_clamps": self.shown}

    def clock(self, values: Values) -> None:
        lost = is_lost(values["in_acc"], self.shift, self.out_w)
        self.shown = bool(values["in_valid"]) and lost


class CountsPart(Part):
    """Events of each kind, masters several at once; rarely all of it begins anew.

    Narrow counts come to each of their bits, and begin again at 0.
    """

    cycles = 3000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.lanes, self.width = parameters["LANES"], parameters["COUNT_W"]
        self.inputs = (
            *(Field("clear"), Field("in_activation"), Field("in_delta")),
            *(Field("in_masters", self.lanes + 1), Field("in_wrong")),
        )
        self.outputs_of = tuple(Field(name, self.width) for name in NAMES)
        self.counts: Values | None = None
        # Masters of the last two cycles; none is known of those before the first.
        self.coming: list[int | None] = [None, None]

    def draw(self) -> Values:
        any_ = random.random() < 0.6
        clear = None in self.coming or random.random() < 0.003
        return super().draw() | {"clear": clear} | ({} if any_ else {"in_masters": 0})

    def outputs(self, values: Values) -> Values:
        return dict(self.counts or {})

    def clock(self, values: Values) -> None:
        masters = self.coming.pop(0)
        self.coming.append(values["in_masters"].bit_count())
        if values["clear"]:
            self.counts = dict.fromkeys(NAMES, 0)
        elif self.counts is not None:
            assert masters is not None
            events = (values["in_activation"], values["in_delta"], masters, values["in_wrong"])
            for name, event in zip(NAMES, events, strict=True):
                self.counts[name] = (self.counts[name] + event) % (1 << self.width)


PARTS: dict[str, type[Part]] = {
    "mlp_learn_clamps": ClampsPart,
    "mlp_learn_counts": CountsPart,
}
