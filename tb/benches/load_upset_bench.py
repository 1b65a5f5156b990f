"""mlp_board under upsets while new weights come: the ID tells of weights that nobody has loaded."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer

from boards import protocol
from boards.protocol import Status
from tb.benches.board_bench import (
    BIT_PS,
    BYTE_BITS,
    CYCLES,
    INPUTS,
    LIMIT_NS,
    PATIENCE_BITS,
    SPEC,
)
from tb.benches.board_load_bench import (
    BODIES,
    IDS,
    NETWORKS,
    answers_as,
    holder,
    replace,
    said,
    start,
)
from tb.benches.upset_bench import register, silence_of, turn_over

# The registers of the link that only a loadable board has, but for the ID; and whether a load is on
# the line, or a request.
LINK = [
    *((name, loads) for name in ("state", "begun", "ours") for loads in (True, False)),
    *(("crc", False), ("count", False), ("count", True)),
    *((name, True) for name in ("foreign", "number", "status", "held", "tag")),
]


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def a_core_that_does_not_answer_a_load_is_told(dut):
    """The change is held back: a status, then results of the old weights again."""
    line = await start(dut)
    sending = cocotb.start_soon(line.send(protocol.load(1, BODIES[1])))
    complete = register(dut, "u_top.u_load.g_load.complete")
    for _ in range(BYTE_BITS * CYCLES * (len(BODIES[1]) + 8) + PATIENCE_BITS * CYCLES):
        await FallingEdge(dut.clk)
        complete.value = 0
        if line.frames:
            break
    await sending
    found = await said(line)
    assert (found.status, found.network) == (Status.NO_RESULT, IDS[0])
    await answers_as(line, 0, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def an_upset_that_changes_the_banks_is_told(dut):
    """The core believes that a load is complete: another ID, until there is one."""
    line = await start(dut)
    await replace(line, 1)
    request = protocol.request(SPEC, 1, INPUTS[0].tolist())
    sending = cocotb.start_soon(line.send(request))
    while int(dut.core_rst.value):
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    register(dut, "u_top.u_load.g_load.complete").value = 1
    await sending
    await silence_of(line)
    for _ in range(2):
        await line.send(request)
        assert (await said(line)).network not in IDS, "other weights answer under an ID"
    await replace(line, 2)
    await answers_as(line, 2, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def one_upset_spoils_one_load_or_request(dut):
    """Whatever turns over, in a load or a request: the frame after the next is answered."""
    line = await start(dut, strict=False)
    held = 0
    for trial, (name, loads) in enumerate(LINK):
        new = random.choice([n for n in range(len(NETWORKS)) if n != held])
        frame = protocol.load(trial, BODIES[new])
        if not loads:
            frame = protocol.request(SPEC, trial, INPUTS[0].tolist())
        sending = cocotb.start_soon(line.send(frame))
        bits = BYTE_BITS * (len(frame) + (2 if loads else protocol.reply_bytes(SPEC)))
        await Timer(random.randrange(bits) * BIT_PS + random.randrange(BIT_PS), unit="ps")
        what = await turn_over(dut, f"u_load.g_load.{name}")
        await sending
        await silence_of(line)
        try:
            held = await holder(line)
        except AssertionError as error:
            # An upset in a silent line is met by the next request; one in the ID of a load is seen
            # in its answer, and a host loads again.
            dut._log.info("%s: the next request was spoiled: %s", what, error)
            await silence_of(line)
            if name == "number":
                await replace(line, new)
            held = await holder(line)
