"""mlp_learn_board at the end of its serial line: every kind of request, good and bad."""

import dataclasses
import random

import cocotb
import numpy as np
from cocotb.triggers import Timer

from boards import lessons
from boards.lessons import Kind, Reply, Request, Status
from boards.protocol import END, ESC, ESC_ESC, checked, slip, unslip
from model.format import Int
from model.learning.core import stream
from model.learning.learner import Learned, Learner, State, plan_of
from tb.benches.comparison import Comparison
from tb.benches.serial_line import BYTE_BITS, SerialLine
from tb.job import job

JOB = job()
PLAN, CHUNK = plan_of(JOB.options["plan"]), JOB.options["chunk"]
DATA = np.load(JOB.options["samples"])
X: Int = DATA["x"]
LABELS: Int = DATA["labels"]
SEED = random.randrange(1, 1 << 16)
ID = lessons.plan_id(PLAN)
WORDS = lessons.state_words(PLAN)
CYCLES = int(JOB.parameters["CYCLES"])
# What a request takes at most, and twice the longest reply, escaped.
PATIENCE_BITS = int(JOB.parameters["PATIENCE"]) // CYCLES
PATIENCE_BITS += 4 * BYTE_BITS * (lessons.longest_reply(PLAN, CHUNK) + 2)
LIMIT_NS = 10**9


class Line(SerialLine):
    """The board, and the reference that it must equal."""

    def __init__(self, dut) -> None:
        super().__init__(dut, JOB, PATIENCE_BITS)
        self.comparison, self.sample, self.step = Comparison(), 0, 0

    async def ask(self, request: Request, tag: int | None = None) -> Reply:
        """Send a request and return its reply, which must be its own."""
        tag = random.randrange(256) if tag is None else tag
        await self.send(request.frame(tag))
        found = lessons.reply(await self.answer())
        assert (found.tag, found.digest) == (tag, request.digest(tag)), f"another's: {found}"
        assert found.plan == ID
        return found

    async def done(self, request: Request, step: int, index: int | None) -> bytes:
        """The payload of a request that is computed, after which this step and sample are next."""
        found = await self.ask(request)
        assert found.status == Status.COMPUTED, found
        assert found.step == step, f"step {step} must be next, got {found.step}"
        assert index is None or found.index == index, f"sample {index}, got {found.index}"
        return found.payload

    async def refused(self, request: Request, status: Status) -> None:
        """A request has no result, for this reason."""
        found = await self.ask(request)
        assert (found.status, found.payload) == (status, b""), found

    async def begin(self, seed: int = SEED) -> Learner:
        """Start; the reference does the same."""
        run = Learner.begin(PLAN, seed)
        assert await self.done(Request(Kind.START, seed), 0, run.index) == b""
        self.step = 0
        return run

    def prediction(self, seen: Learned, payload: bytes) -> None:
        """A payload must be what the reference predicts."""
        self.sample += 1
        found = lessons.answer(PLAN, payload)
        expected = np.array([seen.predicted, *seen.probabilities])
        got = np.array([found.winner, *found.probabilities])
        self.comparison.equal(self.sample, "answer", "class, probabilities", expected, got)

    async def learn(self, run: Learner) -> None:
        """Learn the sample that is next, on both sides."""
        x, label = X[run.index], int(LABELS[run.index])
        request = lessons.learn(self.step, x.tolist(), label)
        seen = run.learn(x, label)
        self.step += 1
        self.prediction(seen, await self.done(request, self.step, run.index))

    async def save(self, run: Learner) -> None:
        """Every word of the state must be the reference's."""
        parts = []
        for number in range(-(-WORDS // CHUNK)):
            payload = await self.done(Request(Kind.SAVE, number), self.step, run.index)
            parts.append(lessons.words(payload, min(CHUNK, WORDS - number * CHUNK)))
        expected = stream(PLAN, run.state)
        self.comparison.equal(self.sample, "save", "words", expected, np.concatenate(parts))

    async def load(self, state: State) -> Learner:
        """Load a state, chunk by chunk; the reference goes on from it too."""
        requests = lessons.chunks(stream(PLAN, state), CHUNK)
        run = Learner(PLAN, state.copy())
        for request in requests:
            last = request is requests[-1]
            assert await self.done(request, request.number + 1, run.index if last else None) == b""
        self.step = len(requests)
        return run


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def learns_what_it_is_taught(dut):
    """From a start over the end of an epoch: each prediction, then each word of the state."""
    line = Line(dut)
    await line.start()
    run = await line.begin()
    await line.save(run)
    for _ in range(PLAN.samples + 3):
        await line.learn(run)
    await line.save(run)
    for x in X[:3]:
        payload = await line.done(lessons.predict(x.tolist()), line.step, run.index)
        line.prediction(run.predict(x), payload)
    await line.save(run)
    await line.silence()
    line.comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def goes_on_from_a_load(dut):
    """Elsewhere, in the middle of an epoch, and after a load that was cut short."""
    line = Line(dut)
    await line.start()
    before = Learner.begin(PLAN, 77)
    for _ in range(PLAN.samples // 2):
        before.learn(X[before.index], int(LABELS[before.index]))
    for chunk in lessons.chunks(stream(PLAN, before.state), CHUNK)[:2]:
        await line.done(chunk, chunk.number + 1, None)
    await line.refused(lessons.predict(X[0].tolist()), Status.NO_NETWORK)
    run = await line.load(before.state)
    await line.save(run)
    await line.learn(run)
    await line.save(run)
    for chunk in lessons.chunks(stream(PLAN, before.state), CHUNK)[:2]:
        await line.done(chunk, chunk.number + 1, None)
    await line.learn(await line.begin())
    line.comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def does_each_request_once(dut):
    """A request that comes again is answered again; one out of turn is not done."""
    line = Line(dut)
    await line.start()
    run = await line.begin()
    for _ in range(3):
        x, label = X[run.index], int(LABELS[run.index])
        request = lessons.learn(line.step, x.tolist(), label)
        await line.learn(run)
        again = await line.done(request, line.step, run.index)
        assert again == await line.done(request, line.step, run.index)
    for number in (line.step - 2, line.step + 1):
        request = lessons.learn(number, X[0].tolist(), 0)
        await line.refused(request, Status.WRONG_NUMBER)
    await line.save(run)
    # An answer that is gone is not given again.
    await line.refused(lessons.learn(line.step - 1, X[0].tolist(), 0), Status.WRONG_NUMBER)
    chunks = lessons.chunks(stream(PLAN, run.state), CHUNK)
    await line.refused(chunks[-1], Status.WRONG_NUMBER)
    for chunk in chunks:
        await line.done(chunk, chunk.number + 1, None)
        await line.done(chunk, chunk.number + 1, None)
    if len(chunks) > 2:
        await line.refused(chunks[1], Status.WRONG_NUMBER)
    line.step = len(chunks)
    await line.save(run)
    await line.learn(run)
    line.comparison.conclude()


def bad_requests() -> list[tuple[Request, Status]]:
    """Requests that no board does, and what it says of each."""
    x, chunk = X[0].tolist(), lessons.chunks(np.zeros(WORDS, np.int64), CHUNK)[0]
    longer = [dataclasses.replace(r, body=r.body + b"\0") for r in (lessons.predict(x), chunk)]
    shorter = [dataclasses.replace(r, body=r.body[:-1]) for r in (lessons.learn(0, x, 0), chunk)]
    unknown = Request(Kind.SAVE, 0)
    object.__setattr__(unknown, "kind", 5)
    chunks = -(-WORDS // CHUNK)
    return [
        *((request, Status.WRONG_LENGTH) for request in (*longer, *shorter)),
        (Request(Kind.SAVE, 0, b"\0"), Status.WRONG_LENGTH),
        (Request(Kind.START, 1, b"\0"), Status.WRONG_LENGTH),
        (Request(Kind.LOAD, 0, bytes(400)), Status.WRONG_LENGTH),
        (Request(Kind.START, 0), Status.ILLEGAL),
        (Request(Kind.SAVE, chunks), Status.ILLEGAL),
        (dataclasses.replace(chunk, number=chunks), Status.ILLEGAL),
        (lessons.learn(0, x, PLAN.sizes[-1]), Status.ILLEGAL),
        (unknown, Status.ILLEGAL),
    ]


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def says_what_is_wrong_with_a_request(dut):
    """A wrong length, number, kind or label: a status, and nothing of the state has moved."""
    line = Line(dut)
    await line.start()
    for request in (lessons.predict(X[0].tolist()), Request(Kind.SAVE, 0)):
        await line.refused(request, Status.NO_NETWORK)
    await line.refused(lessons.learn(0, X[0].tolist(), 0), Status.NO_NETWORK)
    run = await line.begin()
    for request, status in bad_requests():
        await line.refused(request, status)
    await line.learn(run)
    await line.save(run)
    line.comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def says_that_a_frame_is_damaged(dut):
    """A bit, a byte, an escape, a stop bit; what is between frames is a frame of its own."""
    line = Line(dut)
    await line.start()
    run = await line.begin()
    payload = checked(lessons.learn(0, X[0].tolist(), 0).payload(ESC))
    frames = [slip(payload[:length]) for length in (1, 3, 5, len(payload) - 1)]
    for bit in random.sample(range(8 * len(payload)), 8):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8
        frames.append(slip(bytes(flipped)))
    frames.append(slip(payload).replace(bytes([ESC, ESC_ESC]), bytes([ESC, 1]), 1))
    frames.append(random.randbytes(5).replace(bytes([END]), b"\0") + bytes([END]))
    for frame in frames:
        await line.send(frame)
        found = lessons.reply(await line.answer())
        assert found == Reply(0, 0, ID, Status.DAMAGED, 0, run.index, b""), found
    await line.send(slip(payload), broken=3)
    assert lessons.reply(await line.answer()).status == Status.DAMAGED
    assert unslip(slip(payload)[1:-1]) == payload
    await line.learn(run)
    await line.save(run)
    line.comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def drops_what_comes_before_the_answer_has_left(dut):
    """Three requests without a pause: the first is done, and only that."""
    line = Line(dut)
    await line.start()
    run = await line.begin()
    request = lessons.learn(0, X[run.index].tolist(), int(LABELS[run.index]))
    seen = run.learn(X[run.index], int(LABELS[run.index]))
    later = lessons.learn(1, X[0].tolist(), 0)
    await line.send(b"".join(r.frame(9) for r in (request, later, later)))
    found = lessons.reply(await line.answer())
    line.prediction(seen, found.payload)
    await line.silence()
    line.step = 1
    await line.learn(run)
    await line.save(run)
    line.comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def survives_reset_in_the_middle(dut):
    """Wherever in a request or its answer: there is no network, and a load brings it back."""
    line = Line(dut)
    await line.start()
    run = await line.begin()
    for bits in (30, 90, 150, 260):
        request = lessons.learn(line.step, X[run.index].tolist(), int(LABELS[run.index]))
        sending = cocotb.start_soon(line.send(request.frame(3)))
        await Timer(bits * line.bit_ps + line.bit_ps // 3, unit="ps")
        await line.clocked.edge
        sending.cancel()
        dut.rx.value = 1
        await line.clocked.reset()
        await Timer(2 * BYTE_BITS * line.bit_ps, unit="ps")
        line.forget()
        await line.refused(request, Status.NO_NETWORK)
        run = await line.load(run.state)
        await line.learn(run)
    await line.save(run)
    line.comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def a_core_that_stops_is_told(dut):
    """After its patience the board resets the core, says so, and can be started again."""
    line = Line(dut)
    await line.start()
    await line.begin()
    handle = dut.u_top.u_network.u_sequence.u_phase.phase
    stopping = cocotb.start_soon(stop(line, handle))
    found = await line.ask(lessons.learn(0, X[0].tolist(), 0))
    stopping.cancel()
    assert (found.status, found.payload) == (Status.NO_RESULT, b""), found
    await line.refused(lessons.predict(X[0].tolist()), Status.NO_NETWORK)
    run = await line.begin()
    await line.learn(run)
    await line.save(run)
    line.comparison.conclude()


async def stop(line: SerialLine, phase) -> None:
    """Hold the core in its idle phase, as an upset could."""
    while True:
        await line.clocked.edge
        phase.value = 0
