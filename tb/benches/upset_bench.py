"""mlp_board under upsets: one flip-flop turns over, and the board still answers, by itself."""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, Timer

from boards import protocol
from boards.protocol import Status
from tb.benches.board_bench import (
    BIT_PS,
    BYTE_BITS,
    CYCLES,
    ID,
    INPUTS,
    LIMIT_NS,
    PATIENCE_BITS,
    SPEC,
    Line,
    check,
    expected_answers,
)
from tb.streams import PERIOD_NS

# The registers of the link that hold more than a byte on its way, and those that hand a result on.
LINK = {
    "u_request": ("state", "dropping", "count", "left", "answer_status"),
    "u_reply": ("index", "failed"),
    "u_line.u_encode": ("state", "out_valid"),
    "u_line.u_decode": ("escaped", "bad", "out_valid"),
    "u_guard": ("count", "core_rst"),
    "u_line.u_rx": ("busy", "left", "count", "out_valid"),
    "u_line.u_tx": ("left", "count", "bits"),
    "u_top.u_input.g_pack.u_pack": ("out_valid", "count"),
    "u_top.u_unpack": ("out_valid", "count"),
    "u_top.u_output.g_softmax.u_softmax.u_normalize.u_remainder": ("out_valid",),
}
TRIALS = 54


def register(dut: Any, path: str) -> Any:
    """The handle of a register below the top."""
    for name in path.split("."):
        dut = getattr(dut, name)
    return dut


async def turn_over(dut: Any, path: str) -> str:
    """Turn over one bit, between two edges of the clock."""
    await FallingEdge(dut.clk)
    handle = register(dut, path)
    bit = random.randrange(len(handle))
    handle.value = int(handle.value) ^ 1 << bit
    return f"bit {bit} of {path}"


async def silence_of(line: Line) -> None:
    """Wait until nothing more can come, and forget it: what a host's patience does."""
    await Timer(PATIENCE_BITS * BIT_PS, unit="ps")
    line.forget()


def request_bits() -> int:
    """Bit times from the first byte of a request to the last of its answer."""
    frame = len(protocol.request(SPEC, 1, INPUTS[0].tolist()))
    return BYTE_BITS * (frame + protocol.reply_bytes(SPEC) + 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def one_upset_spoils_one_request(dut):
    """Whatever turns over, at whatever time: the request after the next is answered correctly."""
    line = Line(dut, strict=False)
    await line.start()
    paths = [f"{scope}.{name}" for scope, names in LINK.items() for name in names]
    for trial in range(TRIALS):
        sample = INPUTS[trial % len(INPUTS)]
        sending = cocotb.start_soon(line.send(protocol.request(SPEC, trial, sample.tolist())))
        await Timer(random.randrange(request_bits()) * BIT_PS + random.randrange(BIT_PS), unit="ps")
        said = await turn_over(dut, paths[trial % len(paths)])
        await sending
        await silence_of(line)
        try:
            await check(line, INPUTS[:1])
        except AssertionError as error:
            # An upset in a silent line is met by the next request.
            dut._log.info("%s: the next request was spoiled: %s", said, error)
            await silence_of(line)
        await check(line, INPUTS[1:2])


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@cocotb.parametrize(name=["out_valid", "count"], moment=["idle", "asked", "computing", "answering"])
async def no_upset_of_the_handing_over_gives_the_sample_before(dut, name, moment):
    """A register of the core's last module turns over: the sample's own answer, or none."""
    line, frame = Line(dut, strict=False), protocol.request(SPEC, 1, INPUTS[1].tolist())
    await line.start()
    statuses = set()
    for step in range(8):
        await check(line, INPUTS[:1])
        own = expected_answers(INPUTS[1:2], [1])[0]
        if moment == "idle":
            await turn_over(dut, f"u_top.u_unpack.{name}")
            await line.send(frame)
        else:
            answer = protocol.reply_bytes(SPEC) * BYTE_BITS * BIT_PS
            sending = cocotb.start_soon(line.send(frame))
            if moment == "asked":
                await Timer(len(frame) * BYTE_BITS * BIT_PS * (step + 1) // 10, unit="ps")
            else:
                while int(dut.busy.value) == 0:
                    await FallingEdge(dut.clk)
                waits = {"computing": SPEC.latency * PERIOD_NS * 1000, "answering": answer}
                await Timer(waits[moment] * (step + 1) // 9, unit="ps")
            await turn_over(dut, f"u_top.u_unpack.{name}")
            await sending
        found = protocol.reply(SPEC, await line.answer())
        assert found.network == ID
        assert found == own or found.status == Status.NO_RESULT, f"{found}, not {own}"
        statuses.add(found.status)
        await silence_of(line)
    if moment in ("idle", "asked"):
        assert statuses == {Status.COMPUTED}, "the core was not in reset between requests"
    if (name, moment) in (("out_valid", "computing"), ("count", "answering")):
        assert Status.NO_RESULT in statuses, "no upset met a result"


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def a_core_that_stops_is_told(dut):
    """The core's output is held back: a status in place of a result, then results again."""
    line = Line(dut, strict=False)
    await line.start()
    frame = protocol.request(SPEC, 1, INPUTS[1].tolist())
    sending = cocotb.start_soon(line.send(frame))
    await sending
    valid = dut.u_top.u_unpack.out_valid
    for _ in range(PATIENCE_BITS * CYCLES // 2):
        await FallingEdge(dut.clk)
        valid.value = 0
        if line.frames:
            break
    found = protocol.reply(SPEC, await line.answer())
    assert (found.status, found.network) == (Status.NO_RESULT, ID)
    await silence_of(line)
    await check(line, INPUTS[:2])
