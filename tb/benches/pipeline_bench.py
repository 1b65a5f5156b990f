"""The parts without a stream: inputs come out as their function, LATENCY enabled cycles later."""

import operator
import random
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.utils import get_sim_time

from model.format import tree_levels
from model.images import read_image
from model.stages.linear import MULTIPLY_CYCLES
from model.words import Field
from tb.benches.drivers import Clocked
from tb.benches.elaboration import check_elaboration
from tb.benches.scoreboard import Scoreboard
from tb.job import job

JOB = job()
CYCLES = 2000

Values = dict[str, list[int]]


class Pipeline:
    """A module under one set of parameters: its ports, its latency and its function."""

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    latency: int

    def __init__(self, parameters: dict[str, Any]) -> None:
        raise NotImplementedError

    def respond(self, values: Values) -> Values:
        """What these inputs become."""
        raise NotImplementedError

    def draw(self) -> Values:
        """Random inputs, ends of the range among them."""
        return {
            field.name: [random.choice([*field.ends, field.draw()]) for _ in range(field.lanes)]
            for field in self.inputs
        }


class AdderTree(Pipeline):
    def __init__(self, parameters: dict[str, Any]) -> None:
        n, self.w = parameters["N"], parameters["W"]
        self.inputs = (Field("in_lanes", self.w, n),)
        self.outputs = (Field("out_sum", self.w),)
        self.latency = tree_levels(n)

    def respond(self, values: Values) -> Values:
        return {"out_sum": [sum(values["in_lanes"]) % (1 << self.w)]}


class Dot(Pipeline):
    def __init__(self, parameters: dict[str, Any]) -> None:
        simd, self.acc_w = parameters["SIMD"], parameters["ACC_W"]
        self.inputs = (
            Field("in_x", parameters["X_W"], simd, signed=True),
            Field("in_w", parameters["W_W"], simd, signed=True),
        )
        self.outputs = (Field("out_sum", self.acc_w, signed=True),)
        self.latency = MULTIPLY_CYCLES + tree_levels(simd)

    def respond(self, values: Values) -> Values:
        return {"out_sum": [sum(map(operator.mul, values["in_x"], values["in_w"]))]}


class ArgmaxTree(Pipeline):
    def __init__(self, parameters: dict[str, Any]) -> None:
        n, w = parameters["N"], parameters["W"]
        self.inputs = (Field("in_lanes", w, n),)
        self.outputs = (Field("out_max", w), Field("out_index", parameters["INDEX_W"]))
        self.latency = tree_levels(n)

    def respond(self, values: Values) -> Values:
        lanes = values["in_lanes"]
        return {"out_max": [max(lanes)], "out_index": [lanes.index(max(lanes))]}


class LeadingOne(Pipeline):
    def __init__(self, parameters: dict[str, Any]) -> None:
        self.w = parameters["W"]
        self.inputs = (Field("in_x", self.w),)
        self.outputs = (Field("out_y", self.w), Field("out_zeros", tree_levels(self.w)))
        self.latency = 1

    def draw(self) -> Values:
        """A leading one anywhere, whatever is below it."""
        length = random.randint(1, self.w)
        return {"in_x": [random.getrandbits(length) | 1 << (length - 1)]}

    def respond(self, values: Values) -> Values:
        (x,) = values["in_x"]
        zeros = self.w - x.bit_length()
        return {"out_y": [x << zeros], "out_zeros": [zeros]}


class Delay(Pipeline):
    def __init__(self, parameters: dict[str, Any]) -> None:
        self.inputs = (Field("in_data", parameters["W"]),)
        self.outputs = (Field("out_data", parameters["W"]),)
        self.latency = parameters["CYCLES"]

    def respond(self, values: Values) -> Values:
        return {"out_data": values["in_data"]}


class Rom(Pipeline):
    def __init__(self, parameters: dict[str, Any]) -> None:
        self.depth, width = parameters["DEPTH"], parameters["WIDTH"]
        self.words = read_image(Path(parameters["FILE"]), self.depth, width)
        self.inputs = (Field("addr", max(1, (self.depth - 1).bit_length())),)
        self.outputs = (Field("data", width),)
        self.latency = 1

    def draw(self) -> Values:
        return {"addr": [random.randrange(self.depth)]}

    def respond(self, values: Values) -> Values:
        return {"data": [self.words[values["addr"][0]]]}


PIPELINES = {
    "mlp_adder_tree": AdderTree,
    "mlp_argmax_tree": ArgmaxTree,
    "mlp_leading_one": LeadingOne,
    "mlp_dot": Dot,
    "mlp_delay": Delay,
    "mlp_rom": Rom,
}


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(enable=[1.0, 0.6], reset=[0.0, 0.02])
async def equals_its_function_after_its_latency(dut, enable, reset):
    """Every cycle of a long run: enabled ones move it, the others hold it, a reset clears it."""
    check_elaboration(dut, JOB)
    pipeline = PIPELINES[JOB.module](dict(JOB.parameters))
    has_reset = hasattr(dut, "rst")
    if not has_reset:
        reset = 0.0
    clocked, scoreboard = Clocked(dut), Scoreboard()
    seen: list[Values] = []
    expected: dict[str, list[list[int]]] = {field.name: [] for field in pipeline.outputs}
    got: dict[str, list[tuple[int, int]]] = {field.name: [] for field in pipeline.outputs}
    zero = {field.name: [0] * field.lanes for field in pipeline.inputs}
    if has_reset:
        dut.rst.value = 0
    await clocked.start()
    for _ in range(CYCLES):
        values = pipeline.draw()
        for field in pipeline.inputs:
            dut[field.name].value = field.pack(values[field.name])
        enabled, resets = random.random() < enable, random.random() < reset
        dut.en.value = enabled
        if has_reset:
            dut.rst.value = resets
        await clocked.edge
        history = [*seen, values] if pipeline.latency == 0 else seen
        depth = max(1, pipeline.latency)
        if len(history) >= depth:
            for name, result in pipeline.respond(history[-depth]).items():
                expected[name].append(result)
            for field in pipeline.outputs:
                got[field.name].append((int(dut[field.name].value), int(get_sim_time("ns"))))
        if resets:
            seen = [zero] * pipeline.latency
        elif enabled:
            seen.append(values)
    for field in pipeline.outputs:
        scoreboard.expect(field.name, field, np.array(expected[field.name]))
        for word, time_ns in got[field.name]:
            scoreboard.observe(field.name, word, time_ns)
    assert scoreboard.conclude() > CYCLES // 2
