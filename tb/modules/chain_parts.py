"""Gate and store of layers that never wait, as functions of their inputs, cycle by cycle."""

import random
from typing import Any

from model.words import Field
from tb.modules.learning_parts import Part, Values


class CreditsPart(Part):
    """Results that come in any cycle, one for each vector that entered, and wait for a taker."""

    cycles = 6000
    # Cycles in which the two sides are as busy as they are, then they change.
    phase = 60

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        width, self.places = parameters["W"], parameters["PLACES"]
        data = Field("done_data", width)
        self.inputs = (*map(Field, ("rst", "in_valid", "done_valid")), data, Field("out_ready"))
        flags = map(Field, ("in_ready", "enters", "out_valid"))
        self.outputs_of = (*flags, Field("out_data", width))
        self.started = False
        self.cycle = self.under_way = 0
        self.kept: list[int] = []
        self.busy = dict.fromkeys(("in_valid", "done_valid", "out_ready"), 0.5)

    def draw(self) -> Values:
        if self.cycle % self.phase == 0:
            self.busy = {name: random.choice([0.1, 0.5, 0.9, 1]) for name in self.busy}
        self.cycle += 1
        drawn = {name: random.random() < often for name, often in self.busy.items()}
        drawn["done_valid"] &= self.under_way > 0
        data = next(field for field in self.inputs if field.name == "done_data")
        reset = not self.started or random.random() < 0.004
        return {"rst": reset, **drawn, "done_data": data.draw()}

    def outputs(self, values: Values) -> Values:
        if not self.started:
            return {}
        ready = self.under_way + len(self.kept) < self.places
        leaving = [*self.kept, *([values["done_data"]] if values["done_valid"] else [])]
        found = {"in_ready": ready, "enters": ready and values["in_valid"]}
        found["out_valid"] = bool(leaving)
        return found | ({"out_data": leaving[0]} if leaving else {})

    def clock(self, values: Values) -> None:
        if values["rst"]:
            self.started, self.under_way, self.kept = True, 0, []
            return
        enters = self.outputs(values)["enters"]
        if values["done_valid"]:
            self.kept.append(values["done_data"])
        self.under_way += bool(enters) - bool(values["done_valid"])
        if self.kept and values["out_ready"]:
            self.kept.pop(0)


PARTS: dict[str, type[Part]] = {"mlp_credits": CreditsPart}
