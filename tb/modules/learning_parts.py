"""Parts of the core that learns, each as a function of its inputs, cycle by cycle."""

import random
from collections.abc import Iterator
from typing import Any

from model.learning import backprop
from model.learning.backprop import LFSR_TAPS, Lfsr
from model.words import Field

Values = dict[str, int]


class Part:
    """A module under one set of parameters.

    In each cycle `outputs` gives what must stand at its outputs before the edge, an output left out
    may be anything; then `clock` takes the inputs of that cycle.
    """

    inputs: tuple[Field, ...]
    outputs_of: tuple[Field, ...]
    cycles = 3000

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.parameters = parameters

    def draw(self) -> Values:
        """Random inputs, ends of the range among them."""
        return {f.name: random.choice([*f.ends, f.draw(), f.draw()]) for f in self.inputs}

    def drives(self) -> Iterator[Values]:
        """The inputs of each cycle."""
        for _ in range(self.cycles):
            yield self.draw()

    def outputs(self, values: Values) -> Values:
        """Return what must stand at the outputs."""
        raise NotImplementedError

    def clock(self, values: Values) -> None:
        """The edge."""


class LfsrPart(Part):
    inputs = (Field("load"), Field("seed", 16), Field("en"))
    outputs_of = (Field("state", 16),)
    state: int | None = None

    def draw(self) -> Values:
        load = self.state is None or random.random() < 0.02
        seed = random.choice([0, 1, LFSR_TAPS, random.getrandbits(16)])
        return {"load": load, "seed": seed, "en": random.random() < 0.8}

    def outputs(self, values: Values) -> Values:
        return {} if self.state is None else {"state": self.state}

    def clock(self, values: Values) -> None:
        if values["load"]:
            self.state = values["seed"] or 1
        elif values["en"] and self.state is not None:
            self.state = Lfsr(self.state).step()


class RamPart(Part):
    """A word of parts: a part that was never written may be anything, and so all of its word."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.width, self.parts, self.depth = map(
            parameters.__getitem__, ("WIDTH", "PARTS", "DEPTH")
        )
        addr_w = max(1, (self.depth - 1).bit_length())
        self.inputs = (
            Field("write", self.parts),
            Field("write_addr", addr_w),
            Field("write_data", self.width * self.parts),
            Field("addr", addr_w),
        )
        self.outputs_of = (Field("data", self.width * self.parts),)
        self.words: dict[int, int] = {}
        self.written: dict[int, int] = {}
        self.data: int | None = None

    def draw(self) -> Values:
        place = {"write_addr": random.randrange(self.depth), "addr": random.randrange(self.depth)}
        return super().draw() | place

    def outputs(self, values: Values) -> Values:
        return {} if self.data is None else {"data": self.data}

    def clock(self, values: Values) -> None:
        write, at = values["write"], values["write_addr"]
        if not write or at != values["addr"]:
            known = self.written.get(values["addr"], 0) == (1 << self.parts) - 1
            self.data = self.words[values["addr"]] if known else None
        for k in range(self.parts):
            if write >> k & 1:
                mask = ((1 << self.width) - 1) << (k * self.width)
                self.words[at] = self.words.get(at, 0) & ~mask | values["write_data"] & mask
                self.written[at] = self.written.get(at, 0) | 1 << k


class LanePart(Part):
    """Every master, delta, input, dither and shift of narrow numbers, in each of the phases."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        get = parameters.__getitem__
        self.m_w, self.w_w, self.x_w, self.d_w = map(get, ("M_W", "W_W", "X_W", "D_W"))
        self.low, self.high = get("DROP_MIN"), get("DROP_MAX")
        self.sum_w = get("SUM_W")
        self.inputs = (
            Field("in_backward"),
            Field("in_update"),
            Field("in_w", self.w_w, signed=True),
            Field("in_x", self.x_w, signed=True),
            Field("in_d", self.d_w, signed=True),
            Field("sum_en"),
            Field("sum_first"),
            Field("drain_load"),
            Field("drain_next", self.sum_w, signed=True),
            Field("update_en"),
            Field("update_master", self.m_w, signed=True),
            Field("update_dither", self.high),
            Field("update_drop", max(1, (self.high - self.low).bit_length())),
        )
        self.outputs_of = (
            Field("out_product", self.w_w + self.x_w, signed=True),
            Field("out_master", self.m_w, signed=True),
            *(Field("drain", self.sum_w, signed=True), Field("out_clamps")),
        )
        self.clamps = False
        self.pipe: list[Values] = []
        self.sum: int | None = None
        self.drain: int | None = None
        self.master: int | None = None

    def drives(self) -> Iterator[Values]:
        def ends(width: int) -> range:
            return range(-(1 << (width - 1)), 1 << (width - 1))

        issue = {"in_backward": 0, "in_update": 0, "in_x": 0, "in_d": 0}
        issues = []
        for master in ends(self.m_w):
            issues += [issue | {"in_master": master, "in_x": x} for x in ends(self.x_w)]
            issues += [
                issue | {"in_master": master, "in_d": d, "in_backward": 1} for d in ends(self.d_w)
            ]
        for shift in range(self.low, self.high + 1):
            issues += [
                issue
                | {"in_master": master, "in_d": d, "in_x": x, "in_update": 1}
                | {"dither": dither, "drop": shift - self.low}
                for dither in range(1 << shift)
                for master in ends(self.m_w)
                for d in ends(self.d_w)
                for x in ends(self.x_w)
            ]
        last: list[Values] = [{}, {}]
        for values in [*issues, issue, issue, issue]:
            # Two cycles later: master, dither and drop stand beside the product.
            beside = last.pop(0)
            last.append(values)
            others = {f.name: f.draw() for f in self.inputs if f.name not in values}
            others |= {"update_master": beside.get("in_master", 0)}
            others |= {"update_en": beside.get("in_update", 0)}
            others |= {"update_dither": beside.get("dither", 0)}
            others |= {"update_drop": beside.get("drop", 0)}
            weight = values.get("in_master", 0) >> (self.m_w - self.w_w)
            given = {k: v for k, v in values.items() if k not in ("in_master", "dither", "drop")}
            yield others | {"in_w": weight} | given

    def product(self, at: int) -> int | None:
        """The exact product of the issue that many cycles ago."""
        if len(self.pipe) < at:
            return None
        issue = self.pipe[-at]
        weight: int = issue["in_w"]
        if issue["in_update"]:
            return issue["in_d"] * issue["in_x"]
        return weight * (issue["in_d"] if issue["in_backward"] else issue["in_x"])

    def outputs(self, values: Values) -> Values:
        found = {} if self.drain is None else {"drain": self.drain}
        product = self.product(2)
        if product is not None and not (self.pipe[-2]["in_update"] or self.pipe[-2]["in_backward"]):
            found["out_product"] = product
        if len(self.pipe) >= 4 and self.pipe[-4]["in_update"]:
            beside = self.pipe[-2]
            step = (self.product(4) or 0) + beside["update_dither"]
            moved = beside["update_master"] - (step >> (self.low + beside["update_drop"]))
            most = 1 << (self.m_w - 1)
            self.master = min(max(moved, -most), most - 1)
            self.clamps = self.master != moved
        if self.master is not None:
            found |= {"out_master": self.master, "out_clamps": self.clamps}
        return found

    def clock(self, values: Values) -> None:
        product = self.product(2)
        self.drain = self.sum if values["drain_load"] else values["drain_next"]
        if values["sum_en"] and product is not None:
            below = 0 if values["sum_first"] else self.sum
            total = None if below is None else below + product
            half = 1 << (self.sum_w - 1)
            self.sum = None if total is None else ((total + half) & (2 * half - 1)) - half
        self.pipe = [*self.pipe[-3:], values]


class MaskPart(Part):
    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.inputs = (Field("in_relu"), Field("in_zero"), Field("in_d", parameters["W"]))
        self.outputs_of = (Field("out_d", parameters["W"]),)

    def outputs(self, values: Values) -> Values:
        return {"out_d": 0 if values["in_relu"] and values["in_zero"] else values["in_d"]}


class RatePart(Part):
    """Epochs beside thresholds that lie near them, or anywhere."""

    N_DROPS = 4
    inputs = (Field("load"), Field("load_epoch", 16), Field("step"), Field("thresholds", 64))
    outputs_of = (Field("epoch", 16), Field("halvings", 3))

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.thresholds = [3, 5, 5, 9]
        self.epoch: int | None = None
        self.halvings: int | None = None

    def draw(self) -> Values:
        load = self.epoch is None or random.random() < 0.1
        start = random.choice([0, 4, 8, 65533, random.getrandbits(16)])
        if load:
            near = [min(65535, start + random.randint(0, 9)) for _ in range(self.N_DROPS)]
            bit = [start ^ 1 << random.randrange(16) for _ in range(self.N_DROPS)]
            any_ = [random.getrandbits(16) for _ in range(self.N_DROPS)]
            self.thresholds = random.choice([near, bit, any_])
        packed = sum(t << (16 * k) for k, t in enumerate(self.thresholds))
        step = random.random() < 0.5
        return {"load": load, "load_epoch": start, "step": step, "thresholds": packed}

    def outputs(self, values: Values) -> Values:
        found = {} if self.epoch is None else {"epoch": self.epoch}
        return found if self.halvings is None else found | {"halvings": self.halvings}

    def clock(self, values: Values) -> None:
        if self.epoch is not None:
            epoch = self.epoch
            self.halvings = sum(epoch >= threshold for threshold in self.thresholds)
        if values["load"]:
            self.epoch = values["load_epoch"]
        elif values["step"] and self.epoch is not None:
            self.epoch = min(self.epoch + 1, 65535)


class OrderPart(Part):
    """Epochs of any length, at every odd step: what is wanted is what the reference's order says.

    Long ones end by a reset.
    """

    samples = 11
    lengths = (11, 11, 11, 1, 2, 8, 120, 1030, 2049, 33000)
    inputs = (
        *(Field("rst"), Field("samples", 16), Field("draw"), Field("draw_word", 16)),
        *(Field("load"), Field("load_word", 16), Field("load_index", 16)),
        *(Field("load_position", 16), Field("step"), Field("out_ready")),
    )
    outputs_of = (
        *(Field("busy"), Field("out_valid"), Field("out_last")),
        *(Field("out_index", 16), Field("position", 16), Field("word", 16)),
    )
    cycles = 6000
    words = tuple(range(0, 65536, 257 * 2 + 1))

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.order: list[int] = []
        self.word, self.position, self.wait, self.taken, self.reset = 0, 0, 0, False, True
        self.turn = 0

    @property
    def busy(self) -> bool:
        """Return whether an epoch is under way."""
        return self.position < len(self.order)

    def passed_over(self) -> int:
        """Numbers between the last index and the next one."""
        a, b, size = (
            2 * (self.word >> 8) + 1,
            self.word & 0xFF,
            1 << (self.samples - 1).bit_length(),
        )
        at = (self.order[self.position - 1] + a) % size if self.position else b % size
        count = 0
        while at >= self.samples:
            at, count = (at + a) % size, count + 1
        return count

    def draw(self) -> Values:
        found = self.busy and not self.wait
        begins = not self.reset and not self.busy
        self.turn += begins
        if begins:
            self.samples = random.choice(self.lengths)
        ends = self.samples > 11 and self.busy and random.random() < 0.02
        word = self.words[self.turn % len(self.words)]
        fresh = self.turn % 2 == 1
        order = backprop.order(self.samples, word).tolist()
        position = random.randrange(self.samples)
        return {
            "rst": self.reset or ends,
            "samples": self.samples,
            "draw": begins and fresh,
            "draw_word": word,
            "load": begins and not fresh,
            "load_word": word,
            "load_index": order[position],
            "load_position": position,
            "step": found and random.random() < 0.4,
            "out_ready": random.random() < 0.4,
        }

    def outputs(self, values: Values) -> Values:
        if self.reset:
            return {}
        found: Values = {"busy": self.busy}
        valid = self.busy and not self.wait and not self.taken
        found["out_valid"] = valid
        if valid:
            found["out_index"] = self.order[self.position]
            found["out_last"] = self.position == self.samples - 1
            found |= {"position": self.position, "word": self.word}
        return found

    def clock(self, values: Values) -> None:
        ready = self.busy and not self.wait
        if values["rst"]:
            self.reset, self.order, self.position, self.wait = False, [], 0, 0
        elif values["draw"] or values["load"]:
            self.word = values["draw_word"]
            self.order = backprop.order(self.samples, self.word).tolist()
            self.position = 0 if values["draw"] else values["load_position"]
            self.wait, self.taken = (self.passed_over() if values["draw"] else 0), False
        elif values["step"]:
            self.position, self.taken = self.position + 1, False
            self.wait = self.passed_over() if self.busy else 0
        else:
            self.taken |= bool(ready and values["out_ready"])
            self.wait = max(0, self.wait - 1)


PARTS: dict[str, type[Part]] = {
    "mlp_lfsr": LfsrPart,
    "mlp_learn_ram": RamPart,
    "mlp_learn_lane": LanePart,
    "mlp_learn_mask": MaskPart,
    "mlp_learn_rate": RatePart,
    "mlp_learn_order": OrderPart,
}
