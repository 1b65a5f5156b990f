"""mlp_top while new weights come: every result is one network's, whoever stalls, whatever comes.

The job names networks of one shape; the first is in the core at power-up. A sample is computed by
the network that was there when its last feature came, or by one that came before its result left;
never by two, and never by an older one than the sample in front of it.
"""

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import cocotb
import numpy as np

from model.artifact import load
from model.format import Int
from model.loading import CRC_BYTES, frame
from model.reference import result, trace
from model.words import Field
from tb.benches.drivers import Clocked, Port, Sink, Source, Stall, in_bursts, never, randomly
from tb.benches.elaboration import check_elaboration
from tb.benches.loads import Loader, beats
from tb.benches.scoreboard import Scoreboard
from tb.job import job
from tb.streams import LAST, PERIOD_NS, Beat

JOB = job()
NETWORKS = [load(Path(path)) for path in JOB.options["networks"]]
SPEC = NETWORKS[0].spec
FRAMES = [frame(SPEC, network) for network in NETWORKS]
INPUTS: Int = np.load(JOB.options["inputs"])
# Of each network, class and values for each input: ``[inputs][1 + n_out]``.
RESULTS = [
    np.column_stack(result(network, trace(network, INPUTS))).tolist() for network in NETWORKS
]
ANSWER = Field("answer", 17, 1 + SPEC.n_out, signed=True)
TDATA_IN = Field("data", SPEC.x.byte_width, SPEC.in_lanes, signed=True)
BEATS_IN, BEATS_OUT = SPEC.n_in // SPEC.in_lanes, SPEC.n_out // SPEC.out_lanes
FEW = 8
LIMIT_NS = 300 * PERIOD_NS * (len(FRAMES[0]) + FEW * SPEC.interval + SPEC.latency)


class Bench:
    """The core between a source and a sink of samples, and beside a loader."""

    def __init__(self, dut) -> None:
        check_elaboration(dut, JOB)
        self.dut, self.clocked = dut, Clocked(dut)
        self.loader = Loader(dut, self.clocked)
        self.source = Source(self.clocked, Port(dut, "s_axis_t", [TDATA_IN, LAST]))
        self.sink = Sink(self.clocked, Port(dut, "m_axis_t", [SPEC.tdata, LAST, SPEC.tuser]))
        # The networks that the core has held, and the cycle in which each was there.
        self.held, self.since = [0], [0]
        self.sent = 0

    async def start(self, *, power_up: bool = False) -> None:
        """Leave reset with the first network in the core: memories and bank outlive a reset."""
        await self.clocked.start()
        if not power_up:
            await self.loader.send(FRAMES[0])
            assert await self.loader.outcome()
        self.since = [self.clocked.cycle]

    async def replace(self, network: int, stall: Stall = never) -> None:
        """Load a network, and wait until it is there."""
        self.held.append(network)
        sending = cocotb.start_soon(self.loader.send(FRAMES[network], stall))
        while not self.dut.load_done.value:
            assert not self.dut.load_refused.value, "a load was refused"
            await self.clocked.edge
        self.since.append(self.clocked.cycle)
        await sending
        await self.clocked.edge

    async def refused(self, content: bytes, stall: Stall = never) -> None:
        """Send a frame that must be refused."""
        await self.loader.send(content, stall)
        assert not await self.loader.outcome(), f"a load of {len(content)} bytes was done"

    def beats(self, count: int) -> Iterator[Beat]:
        """The beats of the next samples."""
        for number in range(self.sent, self.sent + count):
            rows = INPUTS[number % len(INPUTS)].reshape(-1, SPEC.in_lanes).tolist()
            for beat, row in enumerate(rows):
                yield {"data": row, "last": [beat == BEATS_IN - 1]}

    async def check(self, count: int, source: Stall = never, sink: Stall = never) -> None:
        """Send samples, take their results, and hold each to the networks that it may have met."""
        first, taken, given = self.sent, len(self.source.taken), len(self.sink.taken)
        sending = cocotb.start_soon(self.source.send(list(self.beats(count)), source))
        self.sent += count
        found: list[list[int]] = []
        values: list[int] = []
        async for beat in self.sink.receive(count * BEATS_OUT, sink):
            values += SPEC.tdata.unpack(beat["data"])
            if beat["last"]:
                found.append([beat["user"], *values])
                values = []
        await sending
        self.judge(first, found, self.source.taken[taken:], self.sink.taken[given:])

    def judge(self, first: int, found: list[list[int]], taken: list[int], given: list[int]) -> None:
        """Compare results with those of the networks that came one behind the other."""
        scoreboard, expected, at = Scoreboard(), [], 0
        for n, values in enumerate(found):
            came, left = taken[(n + 1) * BEATS_IN - 1], given[n * BEATS_OUT]
            at = max(at, sum(cycle <= came for cycle in self.since) - 1)
            most = sum(cycle <= left for cycle in self.since) - 1
            sample = (first + n) % len(INPUTS)
            while at < most and RESULTS[self.held[at]][sample] != values:
                at += 1
            expected.append(RESULTS[self.held[at]][sample])
        scoreboard.expect("answer", ANSWER, np.array(expected))
        for values in found:
            scoreboard.observe("answer", ANSWER.pack(values), self.clocked.cycle * PERIOD_NS)
        assert scoreboard.conclude() == len(found) * (1 + SPEC.n_out)


def wrong_frames() -> Iterator[bytes]:
    """Frames with the wrong length, the wrong checksum, or with the right one of something else."""
    good = FRAMES[1]
    words, check = good[:-CRC_BYTES], good[-CRC_BYTES:]
    yield good[:-1]
    yield good + b"\0"
    yield words
    yield good[: len(good) // 2]
    yield good[:1]
    yield good + good
    for short in (words[:-1], words[:-CRC_BYTES], words + b"\0", words + bytes(8), b""):
        yield short + zlib.crc32(short).to_bytes(CRC_BYTES, "little")
    for bit in random.sample(range(8 * len(good)), 6):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)
    yield words + check[::-1]


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def holds_the_first_network_at_power_up(dut):
    """Before anything is loaded, and after resets."""
    bench = Bench(dut)
    await bench.start(power_up=True)
    await bench.check(FEW)
    await bench.clocked.reset()
    await bench.check(FEW)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def answers_as_each_network_that_is_loaded(dut):
    """One after the other, each several times: into both banks, from both."""
    bench = Bench(dut)
    await bench.start()
    for network in (1, 2, 1, 0, 0, 2):
        await bench.replace(network)
        await bench.check(FEW)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@cocotb.parametrize(
    stalls=[(never, never, never), (randomly, in_bursts, randomly), (never, randomly, in_bursts)]
)
async def changes_between_two_samples(dut, stalls):
    """Loads while samples go through without a pause: no result is of two networks."""
    bench = Bench(dut)
    await bench.start()
    load_stall, source, sink = stalls

    async def replace_all() -> None:
        for network in (1, 2, 0, 2, 1):
            await bench.replace(network, load_stall)

    replacing = cocotb.start_soon(replace_all())
    while not replacing.done():
        await bench.check(FEW, source, sink)
    await bench.check(FEW, source, sink)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@cocotb.parametrize(stall=[never, in_bursts])
async def refuses_what_is_wrong(dut, stall):
    """Whatever is wrong with a frame, the old weights answer, and the next good one is loaded."""
    bench = Bench(dut)
    await bench.start()
    for number, content in enumerate(wrong_frames()):
        await bench.refused(content, stall)
        if number % 4 == 0:
            await bench.check(2)
    await bench.check(FEW)
    await bench.replace(1, stall)
    await bench.check(FEW)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def waits_for_samples_under_way(dut):
    """While nobody takes a result, a load that is complete waits, and the next one waits for it."""
    bench = Bench(dut)
    await bench.start()
    count = SPEC.latency + 12
    bench.sink.port.ready.value = 0
    sending = cocotb.start_soon(bench.source.send(list(bench.beats(count))))
    for _ in range(count * SPEC.interval):
        await bench.clocked.edge
    loading = cocotb.start_soon(bench.loader.send([*FRAMES[1]]))
    for _ in range(len(FRAMES[1]) + 50):
        await bench.clocked.edge
        assert not dut.load_done.value, "a load is done before the samples under way"
    assert loading.done() and not dut.s_load_tready.value, "s_load: the next frame does not wait"
    taken = len(bench.source.taken) // BEATS_IN
    results = []
    async for beat in bench.sink.receive(count * BEATS_OUT):
        results += SPEC.tdata.unpack(beat["data"])
    await sending
    rows = np.array(results).reshape(count, -1).tolist()
    old, new = ([RESULTS[network][n % len(INPUTS)][1:] for n in range(count)] for network in (0, 1))
    assert taken < count and rows[:taken] == old[:taken], "a sample under way met new weights"
    changed = next((n for n in range(count) if rows == old[:n] + new[n:]), None)
    assert changed is not None, "the new weights never answered, or not from one sample on"
    bench.sent, bench.held, bench.since = 0, [1], [0]
    await bench.check(FEW)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def takes_frames_without_a_pause_between(dut):
    """A good one, a wrong one, two good ones: three are done, one is refused, the last answers."""
    bench = Bench(dut)
    await bench.start()
    outcomes = []

    async def watch() -> None:
        while True:
            await bench.clocked.edge
            if dut.load_done.value or dut.load_refused.value:
                outcomes.append(bool(dut.load_done.value))

    watching = cocotb.start_soon(watch())
    for content in (FRAMES[1], FRAMES[2][1:], FRAMES[2], FRAMES[1]):
        await bench.loader.send(content)
    for _ in range(SPEC.latency + 20):
        await bench.clocked.edge
    watching.cancel()
    assert outcomes == [True, False, True, True], outcomes
    bench.held = [1]
    await bench.check(FEW)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def forgets_a_load_at_a_reset(dut):
    """Wherever in its frame a reset comes: the old weights answer, and the rest is refused."""
    bench = Bench(dut)
    await bench.start()
    length = len(FRAMES[1])
    cuts = {0, 1, length // 2, length - CRC_BYTES, length - 1, *random.sample(range(length), 4)}
    for cut in sorted(cuts):
        sending = cocotb.start_soon(bench.loader.source.send(beats(FRAMES[1])))
        for _ in range(cut):
            await bench.clocked.edge
        sending.cancel()
        await bench.clocked.reset(bench.loader.source.port)
        await bench.check(2)
        await bench.refused(FRAMES[1][cut:] if 0 < cut < length else FRAMES[1][1:])
        await bench.check(2)
    await bench.replace(2)
    await bench.clocked.reset()
    bench.held, bench.since = [2], [0]
    await bench.check(FEW)
