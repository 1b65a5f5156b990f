"""mlp_top against the reference: every value of every stream, between two AXI4-Streams.

Of a netlist, whose inner signals have no names, the outer streams are all that is compared.

cocotbext-axi drives and takes the outer streams, so the core meets an AXI implementation that
was not written beside it. Only the long run drives them itself, asleep while nothing happens.
"""

import itertools
import json
from pathlib import Path

import cocotb
import numpy as np
from cocotb.task import Task
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time, get_time_from_sim_steps
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from common.files import write_atomically
from model import loading
from model.artifact import load
from model.format import Int
from model.reference import result
from model.words import Field
from tb.benches import functional, loads
from tb.benches.drivers import (
    Clocked,
    Port,
    Sink,
    Source,
    Stall,
    high,
    in_bursts,
    never,
    randomly,
    reset_cycles,
)
from tb.benches.elaboration import check_elaboration
from tb.benches.monitors import expected_values, start_listening, taps
from tb.benches.scoreboard import Scoreboard
from tb.job import job
from tb.modules.situations import FEW
from tb.streams import LAST, PERIOD_NS

JOB = job()
NETWORK = load(Path(JOB.options["network"]))
SPEC = NETWORK.spec
INPUTS: Int = np.load(JOB.options["inputs"])
DRAIN_CYCLES = 8
# The inner signals of a netlist or a mutant have no names: then the outer streams are all that is
# compared.
SEALED = bool(JOB.netlist or JOB.options.get("sealed"))
# No test takes longer, whoever stalls: 20 times the cycles of all samples.
LIMIT_NS = 20 * PERIOD_NS * (len(INPUTS) * SPEC.interval + 400 * SPEC.latency)
# Cycles of a sample, and in how many of them a reset comes, unless the job asks for its own.
RESET_CYCLES = SPEC.latency + SPEC.interval
SOME_RESETS = 100
RESETS = JOB.options.get("resets")
RESET_COUNT = RESETS[1] - RESETS[0] if RESETS else SOME_RESETS + 1
RESET_LIMIT_NS = PERIOD_NS * RESET_COUNT * 10 * (RESET_CYCLES + 8 * SPEC.n_in + 40)

FRAME = Field("frame", SPEC.x.byte_width, SPEC.n_in, signed=True)
TDATA_IN = Field("data", SPEC.x.byte_width, SPEC.in_lanes, signed=True)
TDATA_OUT, TUSER = SPEC.tdata, SPEC.tuser
BEAT_BYTES = TDATA_OUT.width * TDATA_OUT.lanes // 8

every_stall = cocotb.parametrize(
    source=[never, randomly, in_bursts], sink=[never, randomly, in_bursts]
)


def frame(sample: Int) -> bytes:
    """One sample as the bytes of its frame: each feature sign-extended to whole bytes."""
    return FRAME.pack(sample).to_bytes(FRAME.width * FRAME.lanes // 8, "little")


class Bench:
    """The core with a tap on every stream."""

    def __init__(self, dut) -> None:
        check_elaboration(dut, JOB)
        self.dut = dut
        dut.s_axis_tvalid.value = 0
        dut.m_axis_tready.value = 0
        dut.s_load_tvalid.value = 0
        self.clocked = Clocked(dut)
        self.scoreboard = Scoreboard()
        self.stalls = never.__name__, never.__name__
        self.classes: list[int] = []
        self.results: list[list[int]] = []

    async def begin(self) -> None:
        """Reset the core; then load the network into it where the job says so."""
        await self.clocked.start()
        if JOB.options.get("load"):
            await loads.load(self.dut, self.clocked, loading.frame(SPEC, NETWORK))

    async def start(self, source: Stall = never, sink: Stall = never) -> None:
        """Reset the core, then let an AXI source and sink run, each with its stalls."""
        dut = self.dut
        await self.begin()
        self.stalls = source.__name__, sink.__name__
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        for side, stall in ((self.source, source), (self.sink, sink)):
            side.log.setLevel("WARNING")
            side.set_pause_generator(stall())

    def listen(self, x: Int) -> Task[None]:
        """Expect what samples ``x [samples, n_in]`` become; return the task that listens."""
        values = expected_values(NETWORK, x)
        classes, results = result(NETWORK, values)
        self.scoreboard.expect("m_axis.tdata", TDATA_OUT, results)
        beats = SPEC.n_out // SPEC.out_lanes
        users = classes[:, None].repeat(beats, axis=1)
        self.scoreboard.expect("m_axis.tuser", TUSER, users)
        tapped = [] if SEALED else taps(self.dut, SPEC)
        return start_listening(self.clocked, tapped, values, self.scoreboard)

    async def run(self, x: Int) -> None:
        """Send samples ``x [samples, n_in]`` and show the scoreboard all that they become."""
        listening = self.listen(x)
        for sample in x:
            self.source.send_nowait(frame(sample))
        for _ in x:
            self._observe(await self.sink.recv(compact=False))
        await self.expect_silence()
        assert self.sink.empty()
        listening.cancel()

    async def check(self, x: Int) -> None:
        """Send samples ``x [samples, n_in]``; every value that they become must be equal."""
        self.scoreboard = Scoreboard()
        await self.run(x)
        self.conclude(x)

    def conclude(self, x: Int) -> None:
        """All values of samples ``x`` must be equal; then count the situations they brought."""
        self.scoreboard.conclude()
        if JOB.options["functional"]:
            functional.count(NETWORK, x, *self.stalls)
            content = json.dumps(functional.counted())
            write_atomically(Path(JOB.options["functional"]), content)

    def _observe(self, received: AxiStreamFrame) -> None:
        now = int(get_time_from_sim_steps(received.sim_time_start, "ns"))
        self.classes.append(received.tuser[0])
        values: list[int] = []
        for start in range(0, len(received.tdata), BEAT_BYTES):
            word = int.from_bytes(received.tdata[start : start + BEAT_BYTES], "little")
            self.scoreboard.observe("m_axis.tdata", word, now)
            self.scoreboard.observe("m_axis.tuser", received.tuser[start], now)
            values += TDATA_OUT.unpack(word)
        self.results.append(values)

    async def expect_silence(self) -> None:
        """No beat comes out of nowhere, and no verdict on weights that nobody sent."""
        dut = self.dut
        for _ in range(SPEC.interval + DRAIN_CYCLES):
            await self.clocked.edge
            assert not high(dut.m_axis_tvalid), "m_axis: a beat out of nowhere"
            said = high(dut.load_done) or high(dut.load_refused)
            assert not said, "load_done, load_refused: a verdict out of nowhere"
            assert high(dut.s_load_tready) == SPEC.loadable, "s_load: ready for what it cannot take"


class Stopwatch:
    """Cycles in which a stream hands over the beats that `when` holds for."""

    def __init__(self, bench: Bench, valid, ready, when=None) -> None:
        self.cycles: list[int] = []
        cocotb.start_soon(self._run(bench.clocked, valid, ready, when))

    async def _run(self, clocked: Clocked, valid, ready, when) -> None:
        while True:
            if not high(valid):
                await RisingEdge(valid)
            await clocked.edge
            if high(valid) and high(ready) and (when is None or high(when)):
                self.cycles.append(clocked.cycle)


class Stopwatches:
    """Latency and interval of the core, and whether its slowest layer ever rests."""

    def __init__(self, bench: Bench) -> None:
        dut = bench.dut
        slowest = max(range(len(SPEC.layers)), key=lambda k: SPEC.layers[k].cycles)
        self.slowest = SPEC.layers[slowest]
        self.taken = Stopwatch(bench, dut.s_axis_tvalid, dut.s_axis_tready, dut.s_axis_tlast)
        self.given = Stopwatch(bench, dut.m_axis_tvalid, dut.m_axis_tready, dut.m_axis_tlast)
        self.begun: Stopwatch | None = None
        # Vectors that come into a memory begin unseen.
        if not SEALED and not (SPEC.memory and slowest == 0):
            block = dut.u_layers.g_layer[slowest].u_layer
            self.begun = Stopwatch(bench, block.in_valid, block.in_ready)

    @property
    def latency(self) -> int:
        """Last beat of the first sample to the first beat of its result."""
        return self.given.cycles[0] - (SPEC.n_out // SPEC.out_lanes - 1) - self.taken.cycles[0]

    @property
    def intervals(self) -> set[int]:
        """Cycles between results."""
        return set(np.diff(self.given.cycles).tolist())

    def check(self) -> None:
        """Hold all of them against their formulas."""
        assert self.latency == SPEC.latency, f"latency {self.latency}, formula {SPEC.latency}"
        assert self.intervals == {SPEC.interval}, (
            f"intervals {self.intervals}, formula {SPEC.interval}"
        )
        # A vector keeps the multipliers busy for exactly `cycles`: vectors that begin at that
        # distance leave none of them idle in any cycle.
        if self.begun and self.slowest.cycles == SPEC.interval:
            begun = set(np.diff(self.begun.cycles).tolist())
            assert begun == {SPEC.interval}, f"{self.slowest.name} begins a vector each {begun}"


def write_report(bench: Bench, stopwatches: Stopwatches) -> None:
    """Report of the values compared and the cycles taken."""
    channels = bench.scoreboard.channels
    report = {
        "samples": len(INPUTS),
        "streams": {
            name: {"compared": channel.compared, "differing": channel.differing}
            for name, channel in channels.items()
        },
        "latency": {"measured": stopwatches.latency, "formula": SPEC.latency},
        "interval": {"measured": max(stopwatches.intervals), "formula": SPEC.interval},
        "classes": bench.classes,
        "results": bench.results,
    }
    write_atomically(Path(JOB.options["report"]), json.dumps(report) + "\n")


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def computes_every_value(dut):
    """All inputs of the job, nobody stalls; latency and interval are what their formulas say."""
    bench = Bench(dut)
    await bench.start()
    stopwatches = Stopwatches(bench)
    await bench.run(INPUTS)
    write_report(bench, stopwatches)
    bench.conclude(INPUTS)
    stopwatches.check()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def computes_every_value_in_long_runs(dut):
    """The same without cocotbext-axi, which wakes in every cycle: for thousands of samples."""
    bench = Bench(dut)
    await bench.begin()
    source = Source(bench.clocked, Port(dut, "s_axis_t", [TDATA_IN, LAST]))
    sink = Sink(bench.clocked, Port(dut, "m_axis_t", [TDATA_OUT, LAST, TUSER]))
    stopwatches = Stopwatches(bench)
    bench.listen(INPUTS)
    beats_in, beats_out = SPEC.n_in // SPEC.in_lanes, SPEC.n_out // SPEC.out_lanes
    lanes = INPUTS.reshape(-1, SPEC.in_lanes)
    cocotb.start_soon(
        source.send(
            {"data": row, "last": [beat % beats_in == beats_in - 1]}
            for beat, row in enumerate(lanes)
        )
    )
    sample: list[int] = []
    async for beat in sink.receive(len(INPUTS) * beats_out):
        now = int(get_sim_time("ns"))
        bench.scoreboard.observe("m_axis.tdata", beat["data"], now)
        bench.scoreboard.observe("m_axis.tuser", beat["user"], now)
        sample += TDATA_OUT.unpack(beat["data"])
        assert beat["last"] == (len(sample) == SPEC.n_out), "m_axis: tlast stands elsewhere"
        if beat["last"]:
            bench.results.append(sample)
            bench.classes.append(beat["user"])
            sample = []
    await bench.expect_silence()
    write_report(bench, stopwatches)
    bench.conclude(INPUTS)
    stopwatches.check()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@every_stall
async def computes_every_value_under_stalls(dut, source, sink):
    """The same values, in the same order, whoever stalls."""
    bench = Bench(dut)
    await bench.start(source, sink)
    await bench.check(INPUTS[:FEW])


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def holds_every_value_until_it_is_taken(dut):
    """Nobody takes anything until nothing moves any more: then each layer holds what it has."""
    bench = Bench(dut)
    await bench.start()
    x = INPUTS[:FEW]
    bench.sink.clear_pause_generator()
    bench.sink.pause = True
    running = cocotb.start_soon(bench.run(x))
    for _ in range(len(x) * SPEC.interval + SPEC.latency):
        await bench.clocked.edge
    assert dut.m_axis_tvalid.value, "m_axis: no beat waits"
    bench.sink.pause = False
    await running
    bench.scoreboard.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def drops_samples_of_wrong_length(dut):
    """A frame that ends early or late vanishes whole; those around it are computed."""
    bench = Bench(dut)
    await bench.start()
    beats = SPEC.n_in // SPEC.in_lanes
    beat_bytes = SPEC.in_lanes * SPEC.x.byte_width // 8
    wrong = [n for n in (beats - 1, beats + 1, 2 * beats, 3 * beats + 1) if n > 0 and n != beats]
    for length, sample in zip(wrong, itertools.cycle(INPUTS), strict=False):
        bench.source.send_nowait(bytes(length * beat_bytes))
        await bench.check(np.array([sample, INPUTS[0]]))


@cocotb.test(timeout_time=RESET_LIMIT_NS, timeout_unit="ns")
async def survives_reset_at_every_cycle(dut):
    """A reset in whatever cycle of a sample leaves nothing of it behind."""
    bench = Bench(dut)
    await bench.start()
    for cycle in reset_cycles(RESET_CYCLES, SOME_RESETS, RESETS):
        for sample in INPUTS[:3]:
            bench.source.send_nowait(frame(sample))
        for _ in range(cycle):
            await bench.clocked.edge
        bench.source.clear()
        await bench.clocked.reset()
        bench.sink.clear()
        await bench.check(INPUTS[3:5])
