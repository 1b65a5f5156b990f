"""Parts of the core that learns which say what comes next, or where it lies, cycle by cycle."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.learning.backprop import MAX_RANGE, WEIGHT, Plan
from model.learning.core import UPDATE_CYCLES, Core
from model.words import Field
from tb.modules.case import Parameters, Prepared
from tb.modules.learning_parts import Part, Values
from tb.modules.learning_words import Reset


@dataclass(frozen=True)
class OfPlan:
    """A setting of a part of the core that learns a plan: the parameters ``keys`` of that core."""

    name: str
    plan: Plan
    lanes: int
    keys: tuple[str, ...]

    @property
    def shown(self) -> Parameters:
        """Number of layers and lanes."""
        return {"N_LAYERS": self.plan.layers, "LANES": self.lanes}

    def prepare(self, folder: Path) -> Prepared:
        """Return the parameters."""
        every = Core(self.plan, self.lanes).parameters("")
        return {key: every[key] for key in self.keys}, {}


def core_of(parameters: dict[str, Any]) -> Core:
    """The core whose part has these parameters; what they leave out is anything."""
    sizes, layers = tuple(parameters["N"]), parameters["N_LAYERS"]
    sets = tuple(parameters.get("SET", range(layers)))
    relu = tuple(map(bool, parameters.get("RELU", [0] * layers)))
    ranges = (MAX_RANGE,) * len(set(sets))
    fracs = parameters.get("FRAC", [4] + [3] * layers)
    hidden = fracs[1] if layers > 1 else 3
    plan = Plan(
        *(sizes, sets, relu, ranges, 1, 1),
        input_frac=fracs[0],
        hidden_frac=hidden,
        logit_frac=fracs[-1],
    )
    return Core(plan, parameters["LANES"])


def firsts(plan: Plan) -> list[int]:
    """The layer that uses each weight set first."""
    return [plan.sets.index(number) for number in range(len(plan.ranges))]


class LayersPart(Part):
    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.core = core_of(parameters)
        self.inputs = (Field("layer", parameters["LAYER_W"]),)
        numbers = ["cols", "last_row", "last_group", "word_base", "row_base", "x_base", "d_base"]
        self.outputs_of = (
            *(Field(name, parameters["ADDR_W"]) for name in numbers),
            *(Field("brief"), Field("fresh")),
        )
        self.cycles = 300

    def draw(self) -> Values:
        return {"layer": random.randrange(self.core.plan.layers)}

    def outputs(self, values: Values) -> Values:
        core, plan, layer = self.core, self.core.plan, values["layer"]
        before = firsts(plan)[: plan.sets[layer]]
        return {
            "cols": plan.sizes[layer],
            "last_row": plan.sizes[layer + 1] - 1,
            "last_group": core.groups(layer) - 1,
            "word_base": sum(map(core.words, before)),
            "row_base": sum(plan.sizes[first + 1] for first in before),
            "x_base": sum(map(core.groups, range(1, layer))),
            "d_base": sum(plan.sizes[layer + 2 :]),
            "brief": core.words(layer) < UPDATE_CYCLES,
            "fresh": plan.sets.index(plan.sets[layer]) == layer,
        }


class FormatsPart(Part):
    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.core = core_of(parameters)
        self.inputs = (Field("layer", parameters["LAYER_W"]),)
        self.outputs_of = (
            *(Field(name, 4) for name in ("frac", "above", "lacks")),
            *(Field(name) for name in ("relu", "relu_below", "is_final")),
            Field("rest", parameters["LANES"].bit_length()),
        )
        self.cycles = 300

    def draw(self) -> Values:
        return {"layer": random.randrange(self.core.plan.layers)}

    def outputs(self, values: Values) -> Values:
        plan, layer = self.core.plan, values["layer"]
        frac = plan.x(layer).frac
        return {
            "frac": frac,
            "above": frac - self.parameters["FRAC_MIN"],
            "lacks": self.parameters["SHIFT_MAX"] - WEIGHT.frac - frac + plan.x(layer + 1).frac,
            "relu": plan.relu[layer],
            "relu_below": layer > 0 and plan.relu[layer - 1],
            "is_final": layer == plan.layers - 1,
            "rest": self.core.rest(layer),
        }


class WalkPart(Part):
    """All masters in the order of a save, and a cycle for each layer that has none of its own."""

    cycles = 8000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.inputs = (Field("restart"), Field("step"))
        addr_w, lanes = parameters["ADDR_W"], parameters["LANES"]
        self.outputs_of = (
            *(Field("here"), Field("last"), Field("bias")),
            Field("layer", parameters["LAYER_W"]),
            *(Field("word", addr_w), Field("row", addr_w)),
            Field("lane", max(1, (lanes - 1).bit_length())),
        )
        self.places = self._places(core_of(parameters))
        self.at: int | None = None

    @staticmethod
    def _places(core: Core) -> list[Values]:
        plan = core.plan
        places: list[Values] = []
        word = row = 0
        for layer in range(max(firsts(plan)) + 1):
            if plan.sets.index(plan.sets[layer]) != layer:
                places.append({"here": 0})
                continue
            here = {"here": 1, "layer": layer, "last": 0}
            for _ in range(plan.sizes[layer + 1]):
                for i in range(plan.sizes[layer]):
                    group, lane = divmod(i, core.lanes)
                    places.append(here | {"bias": 0, "word": word + group, "lane": lane})
                places.append(here | {"bias": 1, "row": row})
                word, row = word + core.groups(layer), row + 1
        places[-1] = places[-1] | {"last": 1}
        return places

    @property
    def place(self) -> Values | None:
        """Its place; None before its begin and behind its end."""
        over = self.at is None or self.at == len(self.places)
        return None if over or self.at is None else self.places[self.at]

    def draw(self) -> Values:
        place = self.place
        restart = place is None or random.random() < 0.002
        return {"restart": restart, "step": bool(place and place["here"]) and random.random() < 0.8}

    def outputs(self, values: Values) -> Values:
        return self.place or {}

    def clock(self, values: Values) -> None:
        if values["restart"]:
            self.at = 0
        elif self.at is not None and self.place is not None:
            self.at += not self.place["here"] or bool(values["step"])


class PhasePart(Reset):
    """The phases of one sample after the other, learned or not; a pass ends when it is said."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.layers = parameters["N_LAYERS"]
        self.inputs = tuple(map(Field, ("rst", "begins", "in_learn", "pass", "answered")))
        layer_w = parameters["LAYER_W"]
        self.outputs_of = (
            *map(Field, ("idle", "forward", "backward", "update", "done")),
            *(Field("layer", layer_w), Field("next_layer", layer_w)),
        )
        # What is still to come of this sample: phases and their layers.
        self.left: list[tuple[str, int]] = []

    def draw(self) -> Values:
        active = bool(self.left) and self.left[0][0] != "answer"
        return super().draw() | {
            "begins": not self.left and random.random() < 0.5,
            "pass": active and random.random() < 0.4,
            "answered": random.random() < 0.3,
        }

    def shown(self, values: Values) -> Values:
        phases = ("idle", "forward", "backward", "update")
        if not self.left:
            return {name: name == "idle" for name in phases} | {"done": 0, "next_layer": 0}
        now, layer = self.left[0]
        ends = values["answered"] if now == "answer" else values["pass"]
        found: Values = {name: name == now for name in phases}
        found["done"] = bool(ends) and len(self.left) == 1
        if now != "answer":
            found["layer"] = layer
            following = self.left[1] if ends and len(self.left) > 1 else self.left[0]
            if not found["done"] and following[0] != "answer":
                found["next_layer"] = following[1]
        return found

    def reset(self) -> None:
        self.left = []

    def step(self, values: Values) -> None:
        if self.left:
            now = self.left[0][0]
            if values["answered"] if now == "answer" else values["pass"]:
                self.left.pop(0)
        elif values["begins"]:
            self.left = phases_of(self.layers, bool(values["in_learn"]))


def phases_of(layers: int, learn: bool) -> list[tuple[str, int]]:
    """Phases of one sample, each with its layer."""
    found = [("forward", layer) for layer in range(layers)]
    if not learn:
        return [*found, ("answer", 0)]
    down = range(layers - 1, -1, -1)
    found += [("backward", layer) for layer in down if layer]
    return found + [("update", layer) for layer in down]


class SequencePart(Reset):
    """Every issue of one sample after the other, as soon as what it needs is counted."""

    cycles = 8000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.core = core_of(parameters)
        addr_w = parameters["ADDR_W"]
        self.inputs = (
            *map(Field, ("rst", "in_valid", "in_learn", "answered")),
            *(Field("x_count", addr_w), Field("d_count", addr_w)),
        )
        self.outputs_of = (
            *map(Field, ("in_ready", "out_idle", "out_valid", "out_done")),
            *map(Field, ("out_backward", "out_update")),
            *(Field("out_layer", parameters["LAYER_W"]), Field("out_place", 5)),
            *(Field(f"out_{name}", addr_w) for name in ("word", "row", "x", "d")),
        )
        self.layout = LayersPart(parameters)
        plan = self.core.plan
        x_words = sum(map(self.core.groups, range(1, plan.layers)))
        self.most = {"x_count": x_words, "d_count": sum(plan.sizes[1:])}
        self.reset()

    def reset(self) -> None:
        self.passes: list[list[Values]] = []
        self.gap, self.since = 0, self.core.lanes
        self.counts = {"x_count": 0, "d_count": 0}
        self.answers = False

    def _pass(self, phase: str, layer: int) -> list[Values]:
        """The issues of a layer in a phase."""
        at = self.layout.outputs({"layer": layer})
        rows, groups = range(at["last_row"] + 1), range(at["last_group"] + 1)
        back = phase == "backward"
        if phase == "answer":
            return []
        pairs = (
            [(n, g) for g in groups for n in rows]
            if back
            else [(n, g) for n in rows for g in groups]
        )
        found = []
        for n, g in pairs:
            sums = (n, at["last_row"]) if back else (g, at["last_group"])
            bits = sums[0] == 0, sums[0] == sums[1], g == 0, g == groups[-1], n == rows[-1]
            found.append(
                {
                    "out_backward": back,
                    "out_update": phase == "update",
                    "out_layer": layer,
                    "out_place": sum(bit << (4 - k) for k, bit in enumerate(bits)),
                    "out_word": at["word_base"] + n * len(groups) + g,
                    "out_row": at["row_base"] + n,
                    "out_x": at["x_base"] + g,
                    "out_d": at["d_base"] + n,
                    "brief": at["brief"],
                }
            )
        return found

    def draw(self) -> Values:
        values = super().draw()
        issue = self.passes[0][0] if self.passes and self.passes[0] else None
        for key, most in self.most.items():
            # Rarely far ahead of what is needed next: issues are seen to wait.
            forward = issue is None or not (issue["out_backward"] or issue["out_update"])
            needed = issue["out_x" if key == "x_count" else "out_d"] if issue else 0
            needed = 0 if key == "d_count" and forward else needed
            comes = random.random() < 0.5 and self.counts[key] <= needed + random.choice((0, 0, 3))
            self.counts[key] = min(self.counts[key] + comes, most)
        return values | self.counts | {"answered": self.answers and random.random() < 0.3}

    def _issue(self) -> Values | None:
        """The issue of this cycle."""
        if not self.passes or not self.passes[0] or self.gap:
            return None
        issue = self.passes[0][0]
        if not (issue["out_backward"] or issue["out_update"]):
            there = issue["out_layer"] == 0 or issue["out_x"] < self.counts["x_count"]
        else:
            there = issue["out_d"] < self.counts["d_count"]
        ends = issue["out_backward"] and issue["out_place"] & 8
        return issue if there and not (ends and self.since < self.core.lanes) else None

    def shown(self, values: Values) -> Values:
        idle = not self.passes and not self.gap
        issue = self._issue()
        last = len(self.passes) == 1
        ends = issue is not None and len(self.passes[0]) == 1
        answered = bool(self.passes) and not self.passes[0] and values["answered"]
        found: Values = {"in_ready": idle, "out_idle": idle, "out_valid": issue is not None}
        found["out_done"] = last and bool(ends or answered)
        issued = {key: value for key, value in (issue or {}).items() if key != "brief"}
        return found | issued

    def step(self, values: Values) -> None:
        issue, idle = self._issue(), not self.passes and not self.gap
        self.gap = max(0, self.gap - 1)
        self.since = min(self.since + 1, self.core.lanes)
        if issue:
            self.passes[0].pop(0)
            if issue["out_backward"] and issue["out_place"] & 8:
                self.since = 1
            if not self.passes[0]:
                self.passes.pop(0)
                self.gap = 5 if issue["out_update"] and issue["brief"] else 0
        elif self.passes and not self.passes[0]:
            if values["answered"]:
                self.passes.pop(0)
        elif idle and values["in_valid"]:
            learn = bool(values["in_learn"])
            every = phases_of(self.core.plan.layers, learn)
            self.passes = [self._pass(*of) for of in every]
            self.counts = {"x_count": 0, "d_count": 0}
            self.since = self.core.lanes
        self.answers = bool(self.passes) and not self.passes[0]


PARTS: dict[str, type[Part]] = {
    "mlp_learn_formats": FormatsPart,
    "mlp_learn_layers": LayersPart,
    "mlp_learn_phase": PhasePart,
    "mlp_learn_sequence": SequencePart,
    "mlp_learn_walk": WalkPart,
}
