"""The parts without a stream: inputs come out as their function, LATENCY enabled cycles later."""

import random

import cocotb
import numpy as np
from cocotb.utils import get_sim_time

from tb.benches.drivers import Clocked
from tb.benches.elaboration import check_elaboration
from tb.benches.scoreboard import Scoreboard
from tb.job import job
from tb.modules.operator import Values
from tb.modules.registry import pipeline_of

JOB = job()
CYCLES = 2000


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(enable=[1.0, 0.6], reset=[0.0, 0.02])
async def equals_its_function_after_its_latency(dut, enable, reset):
    """Every cycle of a long run: enabled ones move it, the others hold it, a reset clears it."""
    check_elaboration(dut, JOB)
    pipeline = pipeline_of(JOB)
    has_reset, has_enable = hasattr(dut, "rst"), hasattr(dut, "en")
    if not has_reset:
        reset = 0.0
    if not has_enable:
        enable = 1.0
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
        if has_enable:
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
