"""Speed of the bench of `mlp_top` beside that of an empty one, in turns in one simulation."""

import json
import time
from pathlib import Path

import cocotb

from common.files import write_atomically
from tb.benches.top_bench import INPUTS, JOB, LIMIT_NS, Bench

ROUNDS: int = JOB.options["rounds"]


@cocotb.test(timeout_time=2 * ROUNDS * LIMIT_NS, timeout_unit="ns")
async def compares_itself_with_an_empty_bench(dut):
    """All inputs of the job with every value compared, then as many cycles of an await of each
    edge alone, while the core is in reset, which puts cocotbext-axi to sleep too."""
    bench = Bench(dut)
    await bench.start()
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        first, start = bench.clocked.cycle, time.perf_counter()
        await bench.check(INPUTS)
        cycles, full = bench.clocked.cycle - first, time.perf_counter() - start
        dut.rst.value = 1
        await bench.clocked.edge
        start = time.perf_counter()
        for _ in range(cycles):
            await bench.clocked.edge
        empty = time.perf_counter() - start
        dut.rst.value = 0
        await bench.clocked.edge
        rounds.append((cycles / full, cycles / empty))
    write_atomically(Path(JOB.options["report"]), json.dumps(rounds) + "\n")
