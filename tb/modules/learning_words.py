"""Parts of the core that learns which gather words and draw random ones, cycle by cycle."""

import random
from typing import Any

from model.learning.backprop import CODE_W, Lfsr, signed
from model.words import Field, pack_lanes
from tb.modules.learning_parts import Part, Values

LATE_RESET = 0.004


class Reset(Part):
    """A part that begins with a reset, and is reset now and then."""

    begun = False

    def draw(self) -> Values:
        values = super().draw()
        values["rst"] = not self.begun or random.random() < LATE_RESET
        return values

    def clock(self, values: Values) -> None:
        if values["rst"]:
            self.begun = True
            self.reset()
        elif self.begun:
            self.step(values)

    def outputs(self, values: Values) -> Values:
        return self.shown(values) if self.begun else {}

    def reset(self) -> None:
        """The edge in a reset."""
        raise NotImplementedError

    def step(self, values: Values) -> None:
        """The edge in another cycle."""
        raise NotImplementedError

    def shown(self, values: Values) -> Values:
        """The values that must stand at the outputs since the first reset."""
        raise NotImplementedError


class Packing:
    """Bytes as words of so many lanes, filled up with zeros."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.so_far: list[int] = []

    def word(self, x: int) -> int:
        """The word with one byte more."""
        return pack_lanes([*self.so_far, x], CODE_W)

    def whole(self, last: int) -> bool:
        """Tell if that byte ends it."""
        return bool(last) or len(self.so_far) + 1 == self.lanes

    def take(self, x: int, last: int) -> None:
        """One byte more."""
        self.so_far = [] if self.whole(last) else [*self.so_far, x]


class PackPart(Reset):
    inputs = (Field("rst"), Field("in_valid"), Field("in_last"), Field("in_x", CODE_W))

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.packing = Packing(parameters["LANES"])
        lanes = self.packing.lanes
        self.outputs_of = (
            *(Field("out_write", lanes), Field("out_word", CODE_W * lanes), Field("out_whole")),
        )

    def draw(self) -> Values:
        return super().draw() | {"in_last": random.random() < 0.2}

    def shown(self, values: Values) -> Values:
        at, lanes, x = len(self.packing.so_far), self.packing.lanes, values["in_x"]
        written = 1 << at if at else (1 << lanes) - 1
        return {
            "out_write": written if values["in_valid"] else 0,
            "out_word": pack_lanes([x] * lanes if at else [x], CODE_W),
            "out_whole": self.packing.whole(values["in_last"]),
        }

    def reset(self) -> None:
        self.packing.so_far = []

    def step(self, values: Values) -> None:
        if values["in_valid"]:
            self.packing.take(values["in_x"], values["in_last"])


class DitherPart(Part):
    inputs = (Field("above", 4), Field("halvings", 3), Field("lfsr", 16))

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.low, self.high = parameters["DROP_MIN"], parameters["DROP_MAX"]
        drop_w = max(1, (self.high - self.low).bit_length())
        self.outputs_of = (Field("dither", self.high), Field("drop", drop_w))
        self.past: list[Values] = []

    def draw(self) -> Values:
        more = random.randint(0, self.high - self.low)
        halvings = random.randint(0, min(7, more))
        return super().draw() | {"above": more - halvings, "halvings": halvings}

    def outputs(self, values: Values) -> Values:
        if len(self.past) < 2:
            return {}
        layer, word = self.past[-2], self.past[-1]["lfsr"]
        more = layer["above"] + layer["halvings"]
        return {"drop": more, "dither": word % (1 << (self.low + more))}

    def clock(self, values: Values) -> None:
        self.past = [*self.past[-1:], values]


class StartPart(Reset):
    """One master after the other; who asks may change its mind at any time."""

    inputs = (
        *(Field("rst"), Field("en"), Field("in_bias"), Field("in_range", 4)),
        Field("lfsr", 16),
    )
    outputs_of = (Field("lfsr_step"), Field("out_valid"), Field("out_master", 16, signed=True))
    steps = 0

    def draw(self) -> Values:
        wanted = {"en": random.random() < 0.9, "in_bias": random.random() < 0.01}
        return super().draw() | wanted | {"in_range": random.randint(0, 14)}

    def shown(self, values: Values) -> Values:
        made = values["en"] and (values["in_bias"] or self.steps == 16)
        found = {"out_valid": made, "lfsr_step": bool(values["en"]) and not made}
        if made:
            weight = signed(values["lfsr"]) >> (values["in_range"] + 1)
            found["out_master"] = 0 if values["in_bias"] else weight
        return found

    def reset(self) -> None:
        self.steps = 0

    def step(self, values: Values) -> None:
        found = self.shown(values)
        self.steps = 0 if found["out_valid"] else self.steps + found["lfsr_step"]


class RandomPart(Reset):
    """The generator with all its users: the next word is asked for by a sample two cycles ago."""

    inputs = (
        *(Field("rst"), Field("load"), Field("seed", 16), Field("learns"), Field("draws")),
        *(Field("starting"), Field("bias"), Field("range", 4)),
    )
    outputs_of = (
        Field("start_made"),
        Field("start_master", 16, signed=True),
        Field("lfsr", 16),
    )

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.start = StartPart({})
        self.lfsr: Lfsr | None = None
        self.learned = [0, 0]

    def draw(self) -> Values:
        load = self.lfsr is None or random.random() < 0.01
        rare = {name: random.random() < 0.05 for name in ("learns", "draws", "bias")}
        return (
            super().draw()
            | rare
            | {"load": load, "range": random.randint(0, 14), "starting": random.random() < 0.8}
        )

    def _of_start(self, values: Values) -> Values:
        state = self.lfsr.state if self.lfsr else 0
        asked = {"en": values["starting"], "in_bias": values["bias"], "in_range": values["range"]}
        return self.start.shown(asked | {"lfsr": state})

    def shown(self, values: Values) -> Values:
        if self.lfsr is None:
            return {}
        made = self._of_start(values)
        found = {"lfsr": self.lfsr.state, "start_made": made["out_valid"]}
        return found | ({"start_master": made["out_master"]} if made["out_valid"] else {})

    def clock(self, values: Values) -> None:
        made = self._of_start(values)
        if values["load"]:
            self.lfsr = Lfsr(values["seed"] or 1)
        elif self.lfsr and (self.learned[0] or made["lfsr_step"] or values["draws"]):
            self.lfsr.step()
        super().clock(values)

    def reset(self) -> None:
        self.learned = [0, 0]
        self.start.reset()

    def step(self, values: Values) -> None:
        made = self._of_start(values)
        self.start.steps = 0 if made["out_valid"] else self.start.steps + made["lfsr_step"]
        self.learned = [self.learned[1], values["learns"]]


class InputPart(Reset):
    """Samples of the right length and others; one is read while the next one comes."""

    cycles = 6000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.n, self.classes = parameters["N"], parameters["CLASSES"]
        self.lanes = parameters["LANES"]
        self.inputs = (
            *(Field("rst"), Field("in_valid"), Field("in_last"), Field("in_x", CODE_W)),
            *(Field("in_user", 9), Field("out_free"), Field("addr", parameters["ADDR_W"])),
        )
        self.outputs_of = (
            *(Field("in_ready"), Field("out_valid"), Field("out_learn")),
            *(Field("out_label", 8), Field("word", CODE_W * self.lanes)),
        )
        self.coming: list[int] = []
        self.whole: list[tuple[list[int], int]] = []
        self.word: int | None = None

    def draw(self) -> Values:
        ends = len(self.coming) == self.n - 1
        label = random.choice([random.randrange(self.classes), random.getrandbits(8)])
        return super().draw() | {
            "in_valid": random.random() < 0.8,
            "in_last": random.random() < (0.9 if ends else 0.03),
            "in_user": random.getrandbits(1) << 8 | label,
            "out_free": bool(self.whole) and random.random() < 0.1,
            "addr": random.randrange(-(-self.n // self.lanes)),
        }

    def shown(self, values: Values) -> Values:
        found: Values = {"in_ready": len(self.whole) < 2, "out_valid": bool(self.whole)}
        if self.whole:
            user = self.whole[0][1]
            label = user & 0xFF
            found |= {"out_label": label, "out_learn": user >> 8 and label < self.classes}
        return found if self.word is None else found | {"word": self.word}

    def reset(self) -> None:
        self.coming, self.whole, self.word = [], [], None

    def step(self, values: Values) -> None:
        self.word = None
        if self.whole:
            first = values["addr"] * self.lanes
            self.word = pack_lanes(self.whole[0][0][first : first + self.lanes], CODE_W)
        ready = len(self.whole) < 2
        if values["out_free"]:
            self.whole.pop(0)
        if values["in_valid"] and ready:
            self.coming.append(values["in_x"])
            if values["in_last"]:
                if len(self.coming) == self.n:
                    self.whole.append((self.coming, values["in_user"]))
                self.coming = []


class OperandsPart(Reset):
    """The values of a sample so far; of those that the counts say are there, some are read."""

    cycles = 6000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        get = parameters.__getitem__
        self.lanes, self.most_x, self.most_d = get("LANES"), get("WORDS"), get("DELTAS")
        addr_w = get("ADDR_W")
        self.inputs = (
            *(Field("rst"), Field("begins"), Field("y_valid"), Field("y_last"), Field("y", CODE_W)),
            *(Field("d_valid"), Field("d", 16), Field("x_addr", addr_w), Field("d_addr", addr_w)),
        )
        self.outputs_of = (
            *(Field("x_count", addr_w), Field("d_count", addr_w)),
            *(Field("x_word", CODE_W * self.lanes), Field("d_word", 16)),
        )
        self.packing = Packing(self.lanes)
        self.xs: list[int] = []
        self.ds: list[int] = []
        self.read: Values = {}

    def draw(self) -> Values:
        full = len(self.xs) == self.most_x, len(self.ds) == self.most_d
        between = not self.packing.so_far
        begins = between and random.random() < (0.3 if all(full) else 0.02)
        return super().draw() | {
            "begins": begins,
            "y_valid": not begins and not full[0] and random.random() < 0.6,
            "y_last": random.random() < 0.3,
            "d_valid": not full[1] and random.random() < 0.6,
            "x_addr": random.randrange(max(1, len(self.xs))),
            "d_addr": random.randrange(max(1, len(self.ds))),
        }

    def shown(self, values: Values) -> Values:
        return {"x_count": len(self.xs), "d_count": len(self.ds)} | self.read

    def reset(self) -> None:
        self.packing.so_far = []
        self.xs, self.ds, self.read = [], [], {}

    def step(self, values: Values) -> None:
        self.read = {"x_word": self.xs[values["x_addr"]]} if self.xs else {}
        if self.ds:
            self.read["d_word"] = self.ds[values["d_addr"]]
        if values["y_valid"]:
            y, last = values["y"], values["y_last"]
            if self.packing.whole(last):
                self.xs.append(self.packing.word(y))
            self.packing.take(y, last)
        if values["d_valid"]:
            self.ds.append(values["d"])
        if values["begins"]:
            self.xs, self.ds = [], []


PARTS: dict[str, type[Part]] = {
    "mlp_learn_dither": DitherPart,
    "mlp_learn_input": InputPart,
    "mlp_learn_operands": OperandsPart,
    "mlp_learn_pack": PackPart,
    "mlp_learn_random": RandomPart,
    "mlp_learn_start": StartPart,
}
