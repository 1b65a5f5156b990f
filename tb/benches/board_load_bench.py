"""mlp_board while new weights come over its line: whole or not at all, and the ID tells which.

The job names networks of the board's shape beside its own, which is there at power-up.
"""

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import cocotb
from cocotb.triggers import FallingEdge, Timer

from boards import protocol
from boards.protocol import END, ESC, ESC_ESC, Reply, Status
from model.artifact import load
from model.loading import CRC_BYTES
from tb.benches.board_bench import (
    BIT_PS,
    BYTE_BITS,
    INPUTS,
    JOB,
    LIMIT_NS,
    NETWORK,
    SPEC,
    Line,
    check,
    expected_answers,
)
from tb.benches.upset_bench import silence_of

NETWORKS = [NETWORK, *(load(Path(path)) for path in JOB.options["loads"])]
BODIES = [protocol.load_body(SPEC, network) for network in NETWORKS]
IDS = [protocol.network_id(network) for network in NETWORKS]
# Core and ID, in front of the words.
NUMBERS = 8


def answer_to(body: bytes, tag: int, network: int, status: Status) -> Reply:
    """The answer that names a load ``body`` under ``tag``, of a board that holds ``network``."""
    digest = protocol.load_digest(tag, body)
    nothing = (0,) * SPEC.n_out
    return Reply(tag | protocol.TOP_BIT, digest, IDS[network], 0, nothing, status)


async def said(line: Line) -> Reply:
    """The next answer."""
    return protocol.reply(SPEC, await line.answer())


async def start(dut, *, strict: bool = True) -> Line:
    """Leave reset with the first network in the core: memories outlive a reset."""
    line = Line(dut, strict=strict)
    await line.start()
    await replace(line, 0)
    return line


async def replace(line: Line, network: int, tag: int = 5) -> None:
    """Load a network, which answers from now on."""
    await line.send(protocol.load(tag, BODIES[network]))
    found = await said(line)
    wanted = answer_to(BODIES[network], tag, network, Status.LOADED)
    assert found == wanted, f"{found}, not {wanted}"


async def answers_as(line: Line, network: int, count: int = 1) -> None:
    """Samples are answered as by this network, and under its ID."""
    await check(line, INPUTS[:count], network=NETWORKS[network])


async def holder(line: Line) -> int:
    """The network whose ID an answer has, which must be the network's in every byte."""
    await line.send(protocol.request(SPEC, 3, INPUTS[0].tolist()))
    found = await said(line)
    assert found.network in IDS, f"the ID {found.network:08x} is that of no network"
    network = IDS.index(found.network)
    assert found == expected_answers(INPUTS[:1], [3], NETWORKS[network])[0]
    return network


def checked_words(words: bytes) -> bytes:
    """Words with their CRC-32 behind them."""
    return words + zlib.crc32(words).to_bytes(CRC_BYTES, "little")


def damaged_loads(tag: int) -> Iterator[bytes]:
    """Loads that the line has damaged."""
    good = protocol.load(tag, BODIES[1])
    payload = protocol.unslip(good[1:-1])
    # What stands for ESC, as a lenient reader would take it.
    escaped = protocol.load(ESC & ~protocol.TOP_BIT, BODIES[1])
    yield escaped.replace(bytes([ESC, ESC_ESC]), bytes([ESC, 1]), 1)
    for bit in (7, *random.sample(range(8 * len(payload)), 2), 8 * len(payload) - 1):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8
        yield protocol.slip(bytes(flipped))
    yield protocol.slip(payload[:-1])
    yield protocol.slip(payload[:2])
    yield good[: len(good) // 2] + bytes([ESC, END])


def wrong_loads() -> Iterator[tuple[bytes, Status]]:
    """Bytes behind the tag of a load that comes whole and is wrong, and what is said of it."""
    body = BODIES[1]
    words = body[NUMBERS:-CRC_BYTES]
    for at in (0, 3):
        other = bytearray(body)
        other[at] ^= 1 << random.randrange(8)
        yield bytes(other), Status.WRONG_CORE
    for wrong in (words[:-1], words + b"\0", words + words, b""):
        yield body[:NUMBERS] + checked_words(wrong), Status.REFUSED
    for cut in (body[:-1], body + b"\0", body[: NUMBERS + 1]):
        yield cut, Status.REFUSED
    flipped = bytearray(body)
    flipped[random.randrange(NUMBERS, len(body))] ^= 16
    yield bytes(flipped), Status.REFUSED
    for length in (0, NUMBERS):
        yield body[:length], Status.WRONG_LENGTH


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def answers_as_each_network_that_is_loaded(dut):
    """Its own at power-up, then one after the other, into both banks; resets change nothing."""
    line = Line(dut)
    await line.start()
    assert await holder(line) == 0
    for network in (1, 2, 0, 1):
        await replace(line, network, random.randrange(128))
        await answers_as(line, network, len(INPUTS) if network == 2 else 2)
    await line.clocked.reset()
    await answers_as(line, 1, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def drops_a_load_that_is_damaged(dut):
    """One bit, one byte, one escape, one stop bit: the old weights answer."""
    line = await start(dut)
    nothing = (0,) * SPEC.n_out
    for number, frame in enumerate(damaged_loads(7)):
        await line.send(frame)
        found = await said(line)
        assert found == Reply(0, 0, IDS[0], 0, nothing, Status.DAMAGED), f"{frame.hex()}: {found}"
        if number % 3 == 0:
            await answers_as(line, 0)
    await line.send(protocol.load(7, BODIES[1]), broken=20)
    assert (await said(line)).status == Status.DAMAGED
    await answers_as(line, 0, 2)
    await replace(line, 1)
    await answers_as(line, 1, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def refuses_a_load_that_is_wrong(dut):
    """Its length, the CRC-32 of its words, its core: the old weights answer, under the old ID."""
    line = await start(dut)
    for number, (body, status) in enumerate(wrong_loads()):
        await line.send(protocol.load(number, body))
        found, wanted = await said(line), answer_to(body, number, 0, status)
        if status == Status.WRONG_LENGTH:
            wanted = Reply(0, 0, IDS[0], 0, wanted.results, status)
        assert found == wanted, f"{body.hex()}: {found}, not {wanted}"
        if number % 4 == 0:
            await answers_as(line, 0)
    await answers_as(line, 0, 2)
    await replace(line, 1)
    await answers_as(line, 1, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def ends_a_load_that_does_not_end(dut):
    """Wherever it breaks off: the next END ends it, as damaged; then requests are computed."""
    line = await start(dut)
    frame = protocol.load(1, BODIES[1])
    for cut in (2, len(frame) // 2, len(frame) - 1):
        await line.send(frame[:cut])
        await line.silence()
        await line.send(protocol.request(SPEC, 1, INPUTS[0].tolist()))
        # The END behind the last byte makes a load of all but that one whole.
        whole = cut == len(frame) - 1
        assert (await said(line)).status == (Status.LOADED if whole else Status.DAMAGED)
        await silence_of(line)
        await answers_as(line, 1 if whole else 0, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def drops_what_comes_before_the_answer_has_left(dut):
    """Loads and requests without a pause: the first is answered, and only that."""
    line = await start(dut)
    request = protocol.request(SPEC, 1, INPUTS[0].tolist())
    await line.send(request + protocol.load(1, BODIES[1]))
    assert await said(line) == expected_answers(INPUTS[:1], [1])[0]
    await line.silence()
    await answers_as(line, 0)
    # The request ends before the answer does, the third frame after it.
    for behind in (request + request, protocol.load(1, BODIES[1])):
        await line.send(protocol.load(2, BODIES[2]) + behind)
        assert await said(line) == answer_to(BODIES[2], 2, 2, Status.LOADED)
        await line.silence()
        await answers_as(line, 2)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def forgets_a_load_at_a_reset(dut):
    """Wherever in a load: the old weights answer, under the old ID; what is left is not loaded."""
    line = await start(dut)
    frame = protocol.load(3, BODIES[1])
    bits = BYTE_BITS * len(frame)
    for bit in (bits // 3, bits - 2 * BYTE_BITS - 3, bits - BYTE_BITS - 3):
        sending = cocotb.start_soon(line.send(frame))
        await Timer(bit * BIT_PS + BIT_PS // 3, unit="ps")
        await line.clocked.edge
        await line.clocked.reset()
        await sending
        # A reset within a byte may cost the END.
        await Timer(2 * BYTE_BITS * BIT_PS, unit="ps")
        await line.send(bytes([END]))
        await silence_of(line)
        await answers_as(line, 0)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def has_the_id_of_its_weights_whenever_a_reset_comes(dut):
    """In each cycle about the change: the old weights answer or the new, and the ID tells which."""
    line, old, met = await start(dut, strict=False), 0, set()
    # The banks change places 4 cycles behind the last byte of a load, unless a reset has come.
    for cycle in (3, 2, 4, 1, 5):
        new = 1 if old != 1 else 2
        sending = cocotb.start_soon(line.send(protocol.load(cycle, BODIES[new])))
        while not (int(dut.load_valid.value) and int(dut.load_last.value)):
            await FallingEdge(dut.clk)
        for _ in range(cycle):
            await FallingEdge(dut.clk)
        dut.rst.value = 1
        await FallingEdge(dut.clk)
        dut.rst.value = 0
        await sending
        await silence_of(line)
        found = await holder(line)
        assert found in (old, new)
        met.add(found == new)
        old = found
    assert met == {False, True}, "no reset came before the change, or none behind it"
