"""Parts of the core that learns which compute: forward, backward and the update."""

import random
from typing import Any

import numpy as np

from model import reference
from model.format import tree_levels
from model.learning.backprop import CODE_W, DELTA, GUARD, MASTER, WEIGHT
from model.words import Field, pack_lanes, unpack_lanes
from tb.modules.learning_counts import is_lost
from tb.modules.learning_parts import Part, Values
from tb.modules.learning_walks import FormatsPart
from tb.modules.learning_words import Reset


def moved(master: int, product: int, dither: int, dropped: int, width: int) -> tuple[int, bool]:
    """A master of any width behind its update, and whether it saturated."""
    most, aim = 1 << (width - 1), master - ((product + dither) >> dropped)
    new = min(max(aim, -most), most - 1)
    return new, new != aim


class UpdatePart(Part):
    cycles = 6000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.low, self.high = parameters["DROP_MIN"], parameters["DROP_MAX"]
        self.width = parameters["M_W"]
        self.inputs = (
            Field("en"),
            Field("in_master", self.width, signed=True),
            Field("in_product", parameters["P_W"], signed=True),
            Field("in_dither", self.high),
            Field("in_drop", max(1, (self.high - self.low).bit_length())),
        )
        self.outputs_of = (Field("out_master", self.width, signed=True), Field("out_clamps"))
        self.past: list[Values] = []
        self.last: Values = {}

    def draw(self) -> Values:
        values = super().draw()
        dropped = random.randint(self.low, self.high)
        # Steps of the size of a master as often as any.
        near = values["in_product"] >> random.randint(0, self.parameters["P_W"] - 2)
        return values | {
            "in_product": random.choice([values["in_product"], near]),
            "in_dither": values["in_dither"] % (1 << dropped),
            "in_drop": dropped - self.low,
        }

    def outputs(self, values: Values) -> Values:
        if len(self.past) == 2 and self.past[0]["en"]:
            then = self.past[0]
            dropped = self.low + then["in_drop"]
            master, product, dither = (then[f"in_{key}"] for key in ("master", "product", "dither"))
            new, clamps = moved(master, product, dither, dropped, self.width)
            self.last = {"out_master": new, "out_clamps": clamps}
        return self.last

    def clock(self, values: Values) -> None:
        self.past = [*self.past[-1:], values]


class BiasPart(Part):
    """Rows in any order, each moved five cycles later, or not; meanwhile it is not read."""

    cycles = 6000

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.rows = parameters["ROWS"]
        self.low, self.high = parameters["DROP_MIN"], parameters["DROP_MAX"]
        self.inputs = (
            Field("row", max(1, (self.rows - 1).bit_length())),
            Field("frac", 4),
            Field("d", 16, signed=True),
            Field("dither", self.high),
            Field("drop", max(1, (self.high - self.low).bit_length())),
            Field("moves"),
            Field("host_write"),
            Field("host_data", 16, signed=True),
        )
        self.outputs_of = (
            *(Field("code", 16, signed=True), Field("master", 16, signed=True)),
            Field("clamps"),
        )
        self.masters: list[int | None] = [None] * self.rows
        # What came in and what was read, the last five cycles.
        self.past: list[Values] = []
        self.read: list[int | None] = []

    def draw(self) -> Values:
        under_way = {then["row"] for then in self.past}
        row = random.choice([row for row in range(self.rows) if row not in under_way])
        host = self.masters[row] is None or random.random() < 0.05
        small = random.randint(-300, 300)
        values = super().draw()
        return values | {
            "row": row,
            "frac": random.randint(0, GUARD),
            "d": random.choice([values["d"], small]),
            "drop": random.randint(0, self.high - self.low),
            "moves": len(self.past) == 5 and self.read[0] is not None and random.random() < 0.6,
            "host_write": host,
        }

    def outputs(self, values: Values) -> Values:
        found = {}
        if self.read and self.read[-1] is not None:
            found["master"] = self.read[-1]
        if len(self.read) >= 3 and self.read[-3] is not None:
            found["code"] = self.read[-3] >> (GUARD - self.past[-2]["frac"])
        if len(self.read) == 5 and self.read[0] is not None:
            found["clamps"] = self._moved()[1]
        return found

    def _moved(self) -> tuple[int, bool]:
        """The master of five cycles ago behind its update, and whether it saturated."""
        master = self.read[-5]
        assert master is not None
        beside, later = self.past[-4], self.past[-2]
        product = beside["d"] << beside["frac"]
        return moved(master, product, later["dither"], self.low + later["drop"], MASTER.width)

    def clock(self, values: Values) -> None:
        read = None if values["host_write"] else self.masters[values["row"]]
        if values["host_write"]:
            self.masters[values["row"]] = values["host_data"]
        elif values["moves"]:
            self.masters[self.past[-5]["row"]] = self._moved()[0]
        self.past = [*self.past[-4:], values]
        self.read = [*self.read[-4:], read]


class BackwardPart(Reset):
    """Sums leave a drain one by one; a group comes when the one before has left it, or later."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.lanes = parameters["LANES"]
        self.inputs = (
            Field("rst"),
            Field("in_load"),
            Field("in_count", self.lanes.bit_length()),
            Field("in_relu"),
            Field("in_y", CODE_W * self.lanes),
            Field("in_sum", parameters["SUM_W"], signed=True),
        )
        self.outputs_of = (
            *(Field("out_valid"), Field("out_d", DELTA.width, signed=True)),
            Field("out_clamps"),
        )
        self.clamps: bool | None = False
        self.zeros: list[list[bool]] = []
        self.left: list[bool] = []
        self.pipe: list[int | None] = [None, None]

    def draw(self) -> Values:
        values = super().draw()
        load = len(self.left) <= 1 and len(self.zeros) == 3 and random.random() < 0.5
        near = values["in_sum"] >> random.randint(0, self.parameters["SUM_W"] - 8)
        ys = [random.choice([0, 0, 1, 0x80, random.getrandbits(8)]) for _ in range(self.lanes)]
        return values | {
            "in_load": load,
            "in_count": random.randint(1, self.lanes),
            "in_y": pack_lanes(ys, CODE_W),
            "in_sum": random.choice([values["in_sum"], near]),
        }

    def shown(self, values: Values) -> Values:
        d = self.pipe[0]
        found: Values = {} if self.clamps is None else {"out_clamps": self.clamps}
        return found | ({"out_valid": 0} if d is None else {"out_valid": 1, "out_d": d})

    def clock(self, values: Values) -> None:
        super().clock(values)
        ys = unpack_lanes(values["in_y"], CODE_W, self.lanes)
        self.zeros = [*self.zeros[-2:], [y == 0 for y in ys]]

    def reset(self) -> None:
        self.left, self.pipe = [], [None, None]
        # A sum of the cycle of the reset may still be told.
        self.clamps = None

    def step(self, values: Values) -> None:
        d = None
        self.clamps = False
        if self.left:
            masked = self.left.pop(0)
            total = 0 if masked else values["in_sum"]
            d = int(reference.requantize(np.array(total), shift=WEIGHT.frac, width=DELTA.width))
            self.clamps = is_lost(total, WEIGHT.frac, DELTA.width)
        self.pipe = [self.pipe[1], d]
        if values["in_load"]:
            zero = self.zeros[0]
            relu = values["in_relu"]
            self.left = [bool(relu and zero[k]) for k in range(values["in_count"])]


class ForwardPart(Reset):
    """Rows of a few issues, with pauses, of layers that differ in shift and ReLU."""

    MOST = 4

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.lanes, self.high = parameters["LANES"], parameters["SHIFT_MAX"]
        self.spread = self.high - parameters["SHIFT_MIN"]
        self.inputs = (
            *(Field("rst"), Field("in_valid"), Field("in_first"), Field("in_last")),
            *(Field("in_last_row"), Field("in_final"), Field("in_relu"), Field("in_lacks", 4)),
            Field("in_bias", 16, signed=True),
            Field("in_products", 16 * self.lanes),
        )
        self.outputs_of = (
            *(Field("out_valid"), Field("out_last"), Field("out_final")),
            *(Field("out_y", CODE_W, signed=True), Field("out_clamps")),
        )
        # Whether each sum on its way saturates; the first one leaves the cycle after this.
        self.clamps: list[bool | None] = []
        self.left, self.first = 0, True
        self.row: Values = {}
        self.acc = 0
        self.pipe: list[Values | None] = [None] * (tree_levels(self.lanes) + 3)

    def draw(self) -> Values:
        values = super().draw()
        if not self.left:
            self.left, self.first = random.randint(1, self.MOST), True
            self.row = {key: values[key] for key in ("in_last_row", "in_final", "in_relu")}
            self.row["in_lacks"] = random.randint(0, self.spread)
        edge, small = (-(1 << 15), (1 << 15) - 1), (-200, 200)
        low, high = random.choice([edge, small])
        products = [
            random.choice([low, high, random.randint(low, high)]) for _ in range(self.lanes)
        ]
        given = {"in_products": pack_lanes(products, 16), "in_bias": random.randint(low, high)}
        place = {"in_first": self.first, "in_last": self.left == 1}
        return values | self.row | given | place | {"in_valid": random.random() < 0.8}

    def shown(self, values: Values) -> Values:
        found = {"out_valid": 0} if self.pipe[0] is None else self.pipe[0]
        clamps = self.clamps[0]
        return found if clamps is None else found | {"out_clamps": clamps}

    def reset(self) -> None:
        self.left = 0
        self.pipe = [None] * len(self.pipe)
        # A sum of the cycle of the reset may still be told.
        self.clamps = [None, *[False] * (len(self.pipe) - 2)]

    def step(self, values: Values) -> None:
        done, clamps = None, False
        if values["in_valid"]:
            self.acc = values["in_bias"] if values["in_first"] else self.acc
            self.acc += sum(unpack_lanes(values["in_products"], 16, self.lanes))
            self.left, self.first = self.left - 1, False
        if values["in_valid"] and values["in_last"]:
            shift = self.high - values["in_lacks"]
            y = reference.requantize(np.array(self.acc), shift=shift, width=CODE_W)
            y = reference.relu(y) if values["in_relu"] else y
            beside = {"out_last": values["in_last_row"], "out_final": values["in_final"]}
            done = {"out_valid": 1, "out_y": int(y)} | beside
            hidden = values["in_relu"] and self.acc < 0
            clamps = is_lost(self.acc, shift, CODE_W) and not hidden
        self.pipe = [*self.pipe[1:], done]
        self.clamps = [*self.clamps[1:], clamps]


class TimingPart(Part):
    """An issue in each cycle, and what each later cycle needs to know of it."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.formats, get = FormatsPart(parameters), parameters.__getitem__
        self.low, self.high = get("DROP_MIN"), get("DROP_MAX")
        layers = range(get("N_LAYERS"))
        self.of = [self.formats.outputs({"layer": layer}) for layer in layers]
        self.halvings = self.high - self.low - max(of["above"] for of in self.of)
        self.inputs = (
            *map(Field, ("rst", "in_valid", "in_backward", "in_update")),
            *(Field("in_layer", get("LAYER_W")), Field("in_place", 5)),
            *(Field("lfsr", 16), Field("halvings", 3)),
        )
        flags = "is_backward is_update is_first forward relu is_final sum_en update_en drain_load"
        self.outputs_of = (
            *map(Field, [*flags.split(), "relu_below", "moves", "bias_moves"]),
            *(Field("frac", 4), Field("lacks", 4), Field("place", 5), Field("dither", self.high)),
            Field("drop", max(1, (self.high - self.low).bit_length())),
            Field("count", get("LANES").bit_length()),
        )
        self.past: list[Values] = []

    def draw(self) -> Values:
        values = super().draw()
        phase = random.choice(["in_backward", "in_update", ""])
        phases = {name: name == phase for name in ("in_backward", "in_update")}
        return (
            values
            | phases
            | {
                "rst": not self.past or random.random() < 0.004,
                "in_layer": random.randrange(len(self.of)),
                "halvings": random.randint(0, self.halvings),
            }
        )

    def outputs(self, values: Values) -> Values:
        if len(self.past) < 5:
            return {}
        then = [{}, *reversed(self.past)]
        of: list[Values] = [{}, *(self.of[issue["in_layer"]] for issue in then[1:])]
        back, update = (
            [at.get("in_valid", 0) and at[name] for at in then[1:]]
            for name in ("in_backward", "in_update")
        )
        more = of[3]["above"] + then[2]["halvings"]
        ends = then[4]["in_place"] >> 1 & 1
        third = {name: of[3][name] for name in ("lacks", "relu", "is_final")}
        return third | {
            "is_backward": then[1]["in_backward"],
            "is_update": then[1]["in_update"],
            "is_first": then[1]["in_layer"] == 0,
            "frac": of[1]["frac"],
            "forward": then[3]["in_valid"] and not back[2] and not update[2],
            "place": then[3]["in_place"],
            "sum_en": back[2],
            "update_en": update[2],
            "drop": more,
            "dither": then[1]["lfsr"] % (1 << (self.low + more)),
            "drain_load": back[3] and then[4]["in_place"] >> 3 & 1,
            "count": of[4]["rest"] if ends else self.parameters["LANES"],
            "relu_below": of[4]["relu_below"],
            "moves": update[4],
            "bias_moves": update[4] and then[5]["in_place"] >> 2 & 1,
        }

    def clock(self, values: Values) -> None:
        self.past = [*self.past[-4:], values]
        if values["rst"]:
            # Its cycles pass on, its work does not.
            self.past = [issue | {"in_valid": 0} for issue in self.past]


PARTS: dict[str, type[Part]] = {
    "mlp_learn_backward": BackwardPart,
    "mlp_learn_bias": BiasPart,
    "mlp_learn_forward": ForwardPart,
    "mlp_learn_timing": TimingPart,
    "mlp_learn_update": UpdatePart,
}
