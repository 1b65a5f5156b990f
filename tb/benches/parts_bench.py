"""Parts with several streams or none: every output in every cycle is what its function says."""

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge, Timer
from cocotb.utils import get_sim_time

from tb.benches.elaboration import check_elaboration
from tb.benches.scoreboard import Scoreboard
from tb.job import job
from tb.modules import (
    chain_parts,
    guard_parts,
    learning_counts,
    learning_data,
    learning_parts,
    learning_walks,
    learning_words,
    loading_parts,
)
from tb.streams import PERIOD_NS

JOB = job()
PARTS = learning_parts.PARTS | learning_words.PARTS | learning_data.PARTS | learning_walks.PARTS
PARTS |= learning_counts.PARTS | loading_parts.PARTS | guard_parts.PARTS | chain_parts.PARTS


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def equals_its_function_in_every_cycle(dut):
    """Inputs are driven after an edge, outputs are read before the next one."""
    if JOB.parameters:
        check_elaboration(dut, JOB)
    part = PARTS[JOB.module](dict(JOB.parameters))
    clocked = hasattr(dut, "clk")
    expected: dict[str, list[int]] = {field.name: [] for field in part.outputs_of}
    got: dict[str, list[tuple[int, int]]] = {field.name: [] for field in part.outputs_of}
    if clocked:
        dut.clk.value = 0
    for values in part.drives():
        for field in part.inputs:
            value, (low, high) = int(values[field.name]), field.ends
            assert low <= value <= high, f"{field.name}: {value} is none of {field.width} bits"
            dut[field.name].value = value & ((1 << field.width) - 1)
        await Timer(PERIOD_NS // 2, unit="ns")
        for name, value in part.outputs(values).items():
            expected[name].append(int(value))
            got[name].append((int(dut[name].value), int(get_sim_time("ns"))))
        part.clock(values)
        if clocked:
            dut.clk.value = 1
            await RisingEdge(dut.clk)
        await Timer(PERIOD_NS // 2, unit="ns")
        if clocked:
            dut.clk.value = 0
    scoreboard = Scoreboard()
    for field in part.outputs_of:
        scoreboard.expect(field.name, field, np.array(expected[field.name])[:, None])
        for word, time_ns in got[field.name]:
            scoreboard.observe(field.name, word, time_ns)
    assert scoreboard.conclude() > 1000
