"""mlp_board at the end of its serial line: every answer, and every kind of bad request."""

import random
from collections.abc import Iterator
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import Timer

from boards import protocol
from boards.protocol import END, ESC, ESC_ESC, Reply, Status
from model.artifact import Network, load
from model.format import Int
from model.reference import result, trace
from model.words import Field
from tb.benches.scoreboard import Scoreboard
from tb.benches.serial_line import BYTE_BITS, SerialLine
from tb.job import job
from tb.streams import PERIOD_NS

JOB = job()
NETWORK = load(Path(JOB.options["network"]))
SPEC = NETWORK.spec
INPUTS: Int = np.load(JOB.options["inputs"])
CYCLES = int(JOB.parameters["CYCLES"])
BIT_PS = 1000 * PERIOD_NS * CYCLES
ID = protocol.network_id(NETWORK)
# A loadable board takes a tag with its top bit set for that of a load.
TAGS = 128 if SPEC.loadable else 256
ANSWER = Field("values", 33, 5 + SPEC.n_out, signed=True)
# Bits after which a board that is silent stays silent: a sample, then the longest frame.
PATIENCE_BITS = (
    2 * BYTE_BITS * (protocol.reply_bytes(SPEC) + 3) + SPEC.latency // CYCLES + SPEC.interval
)

# A second, of some 10 ms that the longest test takes.
LIMIT_NS = 10**9


class Line(SerialLine):
    """The serial line of the board that the job names."""

    def __init__(self, dut, *, strict: bool = True) -> None:
        super().__init__(dut, JOB, PATIENCE_BITS, strict=strict)


def expected_answers(samples: Int, tags: list[int], network: Network = NETWORK) -> list[Reply]:
    """The reference's answers to ``samples [n, n_in]``."""
    made = trace(network, samples)
    classes, results = result(network, made)
    return [
        Reply(
            tag,
            protocol.request_digest(SPEC, tag, sample),
            protocol.network_id(network),
            winner,
            tuple(row),
            Status.COMPUTED,
        )
        for tag, sample, winner, row in zip(
            tags, samples.tolist(), classes.tolist(), results.tolist(), strict=True
        )
    ]


def values(answer: Reply) -> list[int]:
    """All that an answer says."""
    return [
        *(answer.tag, answer.digest, answer.network, answer.winner),
        *(*answer.results, answer.status),
    ]


async def check(line: Line, samples: Int, rate: float = 1.0, network: Network = NETWORK) -> None:
    """Each sample is answered under its tag, equal to the reference in every byte."""
    scoreboard = Scoreboard()
    tags = [random.randrange(TAGS) for _ in samples]
    answers = [values(answer) for answer in expected_answers(samples, tags, network)]
    scoreboard.expect("answer", ANSWER, np.array(answers))
    for tag, sample in zip(tags, samples, strict=True):
        await line.send(protocol.request(SPEC, tag, sample.tolist()), rate)
        found = values(protocol.reply(SPEC, await line.answer()))
        scoreboard.observe("answer", ANSWER.pack(found), line.clocked.cycle * PERIOD_NS)
    scoreboard.conclude()


def bad_frames() -> Iterator[tuple[bytes, Status]]:
    """Requests that must not be computed, and what the board says of each."""
    good = protocol.request(SPEC, 7, INPUTS[0].tolist())
    payload = protocol.unslip(good[1:-1])
    for bit in random.sample(range(8 * len(payload)), 12):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8
        yield protocol.slip(bytes(flipped)), Status.DAMAGED
    for length in (1, 2, len(payload) - 1):
        yield protocol.slip(payload[:length]), Status.DAMAGED
    short, long = payload[:-3], payload[:-2] + b"\0"
    for wrong in (short, long, 40 * long, b"\0"):
        yield protocol.slip(protocol.checked(wrong)), Status.WRONG_LENGTH
    # What stands for ESC, as a lenient reader would take it.
    lenient = protocol.request(SPEC, ESC, INPUTS[0].tolist())
    yield lenient.replace(bytes([ESC, ESC_ESC]), bytes([ESC, 1]), 1), Status.DAMAGED
    yield bytes([END, 1, ESC, END]), Status.DAMAGED


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def answers_every_sample(dut):
    """All inputs of the job, in order."""
    line = Line(dut)
    await line.start()
    await check(line, INPUTS)
    await line.silence()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@cocotb.parametrize(rate=[0.97, 1.03])
async def answers_a_host_that_is_slow_or_fast(dut, rate):
    """A serial line has two clocks."""
    line = Line(dut)
    await line.start()
    await check(line, INPUTS[:3], rate)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def says_what_is_wrong_with_a_frame(dut):
    """One bit, one byte, one escape: no result, a status, and the next request is computed."""
    line = Line(dut)
    await line.start()
    for number, (frame, status) in enumerate(bad_frames()):
        await line.send(frame)
        found = protocol.reply(SPEC, await line.answer())
        wanted = Reply(0, 0, ID, 0, (0,) * SPEC.n_out, status)
        assert found == wanted, f"{frame.hex()}: {found}"
        if number % 8 == 0:
            await check(line, INPUTS[:1])
    await line.send(protocol.request(SPEC, 7, INPUTS[0].tolist()), broken=3)
    assert protocol.reply(SPEC, await line.answer()).status == Status.DAMAGED
    await check(line, INPUTS[:2])


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def survives_noise(dut):
    """Bytes between frames are answered as the frame they look like; spikes are not heard."""
    line = Line(dut)
    await line.start()
    for _ in range(4):
        await line.send(random.randbytes(5).replace(bytes([END]), b"\0") + bytes([END]))
        assert protocol.reply(SPEC, await line.answer()).status != Status.COMPUTED
        dut.rx.value = 0
        await Timer(BIT_PS // 4, unit="ps")
        dut.rx.value = 1
        await Timer(2 * BYTE_BITS * BIT_PS, unit="ps")
        await check(line, INPUTS[:1])
    dut.rx.value = 0  # a broken line: bytes without a stop bit, and perhaps one when it is mended
    await Timer(3 * BYTE_BITS * BIT_PS, unit="ps")
    dut.rx.value = 1
    await line.silence()
    await line.send(bytes([END]))
    await Timer(PATIENCE_BITS * BIT_PS, unit="ps")
    line.forget()
    await check(line, INPUTS[:1])


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def drops_what_comes_before_the_answer_has_left(dut):
    """Three requests without a pause: the first is answered, and only that."""
    line = Line(dut)
    await line.start()
    # The second ends before the answer does, the third after it.
    await line.send(b"".join(protocol.request(SPEC, tag, INPUTS[tag].tolist()) for tag in range(3)))
    assert protocol.reply(SPEC, await line.answer()) == expected_answers(INPUTS[:1], [0])[0]
    await line.silence()
    await check(line, INPUTS[:2])


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def survives_reset_in_the_middle(dut):
    """Wherever in a request or its answer: the next request is computed."""
    line = Line(dut)
    await line.start()
    frame = protocol.request(SPEC, 3, INPUTS[0].tolist())
    bits = 2 * BYTE_BITS * (len(frame) + protocol.reply_bytes(SPEC) + 3)
    for bit in range(1, bits, 37):
        sending = cocotb.start_soon(line.send(frame))
        await Timer(bit * BIT_PS + BIT_PS // 3, unit="ps")
        await line.clocked.edge
        sending.cancel()
        dut.rx.value = 1
        await line.clocked.reset()
        await Timer(2 * BYTE_BITS * BIT_PS, unit="ps")
        line.forget()
        await check(line, INPUTS[:1])
