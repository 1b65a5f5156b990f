"""mlp_top against the reference: every value of every stream, between two AXI4-Streams.

cocotbext-axi drives and takes the outer streams, so the core meets an AXI implementation that
was not written beside it.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import cocotb
import numpy as np
from cocotb.utils import get_time_from_sim_steps
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from model.artifact import load, pack_lanes, write_atomically
from model.spec import Int
from tb.elaboration import check_elaboration
from tb.runner import job
from tb.scoreboard import Scoreboard
from tb.stream import PERIOD_NS, Clocked, Stall, in_bursts, never, randomly
from tb.taps import expected_values, listen, taps

JOB = job()
NETWORK = load(Path(JOB.options["network"]))
SPEC = NETWORK.spec
INPUTS: Int = np.load(JOB.options["inputs"])
DRAIN_CYCLES = 8
# Samples of the tests that repeat the same run under many conditions.
FEW = 10
# No test takes longer, whoever stalls: 20 times the cycles of all samples.
LIMIT_NS = 20 * PERIOD_NS * (len(INPUTS) * SPEC.interval + 400 * SPEC.latency)

every_stall = cocotb.parametrize(
    source=[never, randomly, in_bursts], sink=[never, randomly, in_bursts]
)


def features(x: Int) -> bytes:
    """One sample as the bytes of its frame: each feature sign-extended to whole bytes."""
    width = SPEC.x.byte_width
    return pack_lanes(x, width).to_bytes(len(x) * width // 8, "little")


class Bench:
    """The core between an AXI source and an AXI sink, with a tap on every stream."""

    def __init__(self, dut) -> None:
        check_elaboration(dut, JOB)
        self.dut = dut
        self.clocked = Clocked(dut)
        self.scoreboard = Scoreboard()
        self.taken: list[int] = []
        self.given: list[int] = []
        self.frames: list[AxiStreamFrame] = []

    async def start(self, source: Stall = never, sink: Stall = never) -> None:
        """Reset the core, then let source and sink run, each with its stalls."""
        dut = self.dut
        await self.clocked.start()
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        for side, stall in ((self.source, source), (self.sink, sink)):
            side.log.setLevel("WARNING")
            side.set_pause_generator(stall())
        cocotb.start_soon(self._watch_outside())

    async def _watch_outside(self) -> None:
        """Note the cycle of each sample's last beat in and of its first beat out."""
        dut, first = self.dut, True
        while True:
            await self.clocked.edge
            if dut.s_axis_tvalid.value and dut.s_axis_tready.value and dut.s_axis_tlast.value:
                self.taken.append(self.clocked.cycle)
            if dut.m_axis_tvalid.value and dut.m_axis_tready.value:
                if first:
                    self.given.append(self.clocked.cycle)
                first = bool(dut.m_axis_tlast.value)

    async def run(self, x: Int) -> None:
        """Send samples ``x [samples, n_in]`` and show the scoreboard all that they become."""
        values = expected_values(NETWORK, x)
        for name, expected in values.items():
            self.scoreboard.expect(name, expected)
        self.scoreboard.expect("m_axis.tdata", values["softmax.probabilities"])
        self.scoreboard.expect("m_axis.tuser", values["softmax.class"])
        listening = cocotb.start_soon(listen(self.clocked, taps(self.dut, SPEC), self.scoreboard))
        for sample in x:
            self.source.send_nowait(features(sample))
        for _ in x:
            self._observe(await self.sink.recv(compact=False))
        await self.expect_silence()
        listening.cancel()

    async def check(self, x: Int) -> None:
        """Send samples ``x [samples, n_in]``; every value that they become must be equal."""
        self.scoreboard = Scoreboard()
        await self.run(x)
        self.scoreboard.conclude()

    def _observe(self, frame: AxiStreamFrame) -> None:
        now = int(get_time_from_sim_steps(frame.sim_time_start, "ns"))
        self.frames.append(frame)
        self.scoreboard.observe("m_axis.tdata", frame.tdata, now)
        classes = set(frame.tuser)
        assert len(classes) == 1, f"tuser moved within a frame: {frame.tuser}"
        self.scoreboard.observe("m_axis.tuser", [*classes], now)

    async def expect_silence(self) -> None:
        """No frame comes out of nowhere."""
        for _ in range(SPEC.interval + DRAIN_CYCLES):
            await self.clocked.edge
            assert not self.dut.m_axis_tvalid.value, "m_axis: a beat out of nowhere"
        assert self.sink.empty()


async def watch_multipliers(bench: Bench, busy: list[bool]) -> None:
    """For each cycle: are the multipliers of the slowest layer at work?"""
    slowest = max(range(len(SPEC.layers)), key=lambda k: SPEC.layers[k].cycles)
    linear = bench.dut.g_layer[slowest].u_layer.u_linear
    while True:
        await bench.clocked.edge
        busy.append(bool(linear.busy.value) and bool(linear.move.value))


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def computes_every_value(dut):
    """All inputs of the job, nobody stalls; latency and interval are what their formulas say."""
    bench = Bench(dut)
    await bench.start()
    busy: list[bool] = []
    start = bench.clocked.cycle
    cocotb.start_soon(watch_multipliers(bench, busy))
    await bench.run(INPUTS)
    latency = bench.given[0] - bench.taken[0]
    intervals = np.diff(bench.given)
    write_report(bench, latency, int(intervals.max()))
    bench.scoreboard.conclude()
    assert latency == SPEC.latency, f"latency {latency}, the formula says {SPEC.latency}"
    assert (intervals == SPEC.interval).all(), (
        f"intervals {sorted(set(intervals.tolist()))}, the formula says {SPEC.interval}"
    )
    if max(layer.cycles for layer in SPEC.layers) == SPEC.interval:
        # From the first result to the last input, every layer has work.
        steady = busy[bench.given[0] - start : bench.taken[-1] - start]
        assert steady and all(steady), f"multipliers idle in {steady.count(False)} cycles"


def write_report(bench: Bench, latency: int, interval: int) -> None:
    """What was compared, and the cycles it took, for whoever ran the bench."""
    report = {
        "samples": len(INPUTS),
        "streams": {
            name: {"compared": channel.compared, "differing": channel.differing}
            for name, channel in bench.scoreboard.channels.items()
        },
        "latency": {"measured": latency, "formula": SPEC.latency},
        "interval": {"measured": interval, "formula": SPEC.interval},
        "classes": [frame.tuser[0] for frame in bench.frames],
        "probabilities": [list(frame.tdata) for frame in bench.frames],
    }
    write_atomically(Path(JOB.options["report"]), json.dumps(report, indent=1) + "\n")


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@every_stall
async def computes_every_value_under_stalls(dut, source, sink):
    """The same values, in the same order, whoever stalls."""
    bench = Bench(dut)
    await bench.start(source, sink)
    await bench.check(INPUTS[:FEW])


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


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def survives_reset_at_every_cycle(dut):
    """A reset in whatever cycle of a sample leaves nothing of it behind."""
    bench = Bench(dut)
    await bench.start()
    cycles = SPEC.latency + SPEC.interval
    for cycle in reset_cycles(cycles):
        for sample in INPUTS[:3]:
            bench.source.send_nowait(features(sample))
        for _ in range(cycle):
            await bench.clocked.edge
        bench.source.clear()
        await bench.clocked.reset()
        bench.sink.clear()
        await bench.check(INPUTS[3:5])


def reset_cycles(cycles: int) -> Iterator[int]:
    """Every cycle, or where a sample takes too many, 100 spread over them."""
    yield from range(0, cycles, max(1, cycles // 100))
