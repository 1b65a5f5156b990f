"""Tests of every streaming module, on the module that the job names."""

from collections.abc import Sequence

import cocotb
import numpy as np
from cocotb.utils import get_sim_time

from tb.benches.drivers import (
    Clocked,
    Port,
    Sink,
    Source,
    Stall,
    in_bursts,
    never,
    randomly,
    reset_cycles,
)
from tb.benches.elaboration import check_elaboration
from tb.benches.scoreboard import Scoreboard
from tb.job import job
from tb.modules.operator import Vector
from tb.modules.registry import operator_of
from tb.streams import PERIOD_NS

JOB = job()
OPERATOR = operator_of(JOB)
RANDOM_VECTORS = 60
DRAIN_CYCLES = 4
RESET_CYCLES = OPERATOR.latency + 2 * OPERATOR.interval + 2
# In how many of them a reset comes, unless the job asks for its own.
SOME_RESETS = 80
RESETS = JOB.options.get("resets")

# A DUT that hangs fails soon: stalls on both sides make a run at most 8 times as long.
VECTORS = max(RANDOM_VECTORS, len(OPERATOR.corners()))
BEATS = max(len(OPERATOR.beats_in(OPERATOR.draw())), len(OPERATOR.beats_out(OPERATOR.draw())))
LIMIT_CYCLES = 8 * VECTORS * (OPERATOR.interval + BEATS) + 8 * OPERATOR.latency + 200
RESET_LIMIT_CYCLES = RESET_CYCLES * (
    RESET_CYCLES + 4 * OPERATOR.latency + 8 * OPERATOR.interval + 40
)

every_stall = cocotb.parametrize(
    source=[never, randomly, in_bursts], sink=[never, randomly, in_bursts]
)


class Bench:
    """The DUT between a source and a sink."""

    def __init__(self, dut) -> None:
        check_elaboration(dut, JOB)
        self.dut = dut
        if hasattr(dut, "load"):
            dut.load.value = 0
        self.clocked = Clocked(dut)
        self.source = Source(self.clocked, Port(dut, "in_", OPERATOR.inputs))
        self.sink = Sink(self.clocked, Port(dut, "out_", OPERATOR.outputs))

    async def check(
        self, vectors: Sequence[Vector], source: Stall = never, sink: Stall = never
    ) -> None:
        """Stream ``vectors`` through the DUT and hold every value against the reference."""
        beats_in = [beat for vector in vectors for beat in OPERATOR.beats_in(vector)]
        expected = [beat for vector in vectors for beat in OPERATOR.beats_out(vector)]
        scoreboard = Scoreboard()
        for field in OPERATOR.outputs:
            values = np.array([beat[field.name] for beat in expected])
            scoreboard.expect(field.name, field, values)
        sending = cocotb.start_soon(self.source.send(beats_in, source))
        async for beat in self.sink.receive(len(expected), sink):
            for name, word in beat.items():
                scoreboard.observe(name, word, int(get_sim_time("ns")))
        await sending
        await self.sink.expect_silence(OPERATOR.latency + DRAIN_CYCLES)
        if hasattr(self.dut, "load_full") and not JOB.parameters.get("LOADABLE"):
            assert self.dut.load_full.value == 1, "what takes no words must say that it is full"
        scoreboard.conclude()


async def opened(dut) -> Bench:
    """A bench out of reset."""
    bench = Bench(dut)
    await bench.clocked.start()
    return bench


@cocotb.test(timeout_time=PERIOD_NS * LIMIT_CYCLES, timeout_unit="ns")
@every_stall
async def equals_reference_at_corners(dut, source, sink):
    """Range ends, ties, saturation limits: whatever the operator calls a corner."""
    bench = await opened(dut)
    await bench.check(OPERATOR.corners(), source, sink)


@cocotb.test(timeout_time=PERIOD_NS * LIMIT_CYCLES, timeout_unit="ns")
@every_stall
async def equals_reference_at_random(dut, source, sink):
    """Random vectors; a failure reruns with the seed printed in its log."""
    bench = await opened(dut)
    await bench.check([OPERATOR.draw() for _ in range(RANDOM_VECTORS)], source, sink)


@cocotb.test(timeout_time=PERIOD_NS * LIMIT_CYCLES, timeout_unit="ns")
async def takes_as_many_cycles_as_its_formulas(dut):
    """Latency of a vector, and the interval between vectors back to back, exactly."""
    bench = await opened(dut)
    # As many as fill it, and more: none of them waits for a place.
    count = 8 + OPERATOR.latency // OPERATOR.interval
    vectors = [OPERATOR.draw() for _ in range(count)]
    await bench.check(vectors)
    beats_in, beats_out = len(OPERATOR.beats_in(vectors[0])), len(OPERATOR.beats_out(vectors[0]))
    last_in = bench.source.taken[beats_in - 1 :: beats_in]
    first_out = bench.sink.taken[::beats_out]
    assert len(last_in) == len(first_out) == len(vectors)
    latency = first_out[0] - last_in[0]
    assert latency == OPERATOR.latency, f"latency {latency}, the formula says {OPERATOR.latency}"
    intervals = np.diff(first_out)
    assert (intervals == OPERATOR.interval).all(), (
        f"intervals {intervals}, the formula says {OPERATOR.interval}"
    )


@cocotb.test(timeout_time=PERIOD_NS * LIMIT_CYCLES, timeout_unit="ns")
async def offers_a_result_before_anybody_is_ready(dut):
    """Valid waits for no ready: a sink may wait for valid."""
    bench = await opened(dut)
    beats = OPERATOR.beats_in(OPERATOR.draw())
    sending = cocotb.start_soon(bench.source.send(beats))
    for _ in range(OPERATOR.latency + OPERATOR.interval + len(beats) + DRAIN_CYCLES):
        await bench.clocked.edge
    assert bench.sink.port.valid.value, "out_: nothing is offered while nobody is ready"
    sending.cancel()


@cocotb.test(timeout_time=PERIOD_NS * RESET_LIMIT_CYCLES, timeout_unit="ns")
async def survives_reset_at_every_cycle(dut):
    """A reset in whatever cycle leaves nothing behind, also of what is offered meanwhile."""
    bench = await opened(dut)
    for cycle in reset_cycles(RESET_CYCLES, SOME_RESETS, RESETS):
        lost = [beat for _ in range(4) for beat in OPERATOR.beats_in(OPERATOR.draw())]
        sending = cocotb.start_soon(bench.source.send(lost))
        bench.sink.port.ready.value = cycle % 3 != 0
        for _ in range(cycle):
            await bench.clocked.edge
        sending.cancel()
        await bench.clocked.reset(bench.source.port)
        await bench.sink.expect_silence(DRAIN_CYCLES)
        await bench.check([OPERATOR.draw() for _ in range(2)])
