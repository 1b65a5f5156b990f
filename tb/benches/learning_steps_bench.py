"""mlp_learn_top a step at a time: samples learned or answered from one state to the next.

Nothing is judged here: what the core gave back is left for `tb.sim.stepped`.
"""

import dataclasses
import json
from pathlib import Path

import cocotb
import numpy as np

from common.files import whole_file, write_atomically
from model.learning import learner
from model.learning.core import uncounted
from tb.benches.learning_bench import JOB, LIMIT_NS, PLAN, Bench


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def gives_back_what_it_computes(dut):
    """From a seed or a state, ``count`` samples: in the core's own order where they are learned."""
    options = JOB.options
    learns, bench = options["learns"], Bench(dut)
    await bench.open()
    if options["before"]:
        _, state = learner.load(Path(options["before"]))
        await bench.load(state)
        assert dut.has_network.value, "a load of the right length was refused"
    else:
        await bench.start(options["seed"])
    asked: list[int] = []
    begun: list[int] = []

    async def feed() -> None:
        for index in range(options["count"]):
            asked.append(await bench.wanted() if learns else index)
            begun.append(bench.clocked.cycle)
            await bench.sources["s_axis_t"].send(bench.beats(asked[-1], learn=learns))

    feeding = cocotb.start_soon(feed())
    answers = [await bench.answer() for _ in range(options["count"])]
    await feeding
    cycles = bench.clocked.cycle - begun[0] if begun else 0
    after = await bench.save()
    counts = uncounted(int(dut.counts.value))
    learner.save(PLAN, after, Path(options["after"]))
    with whole_file(Path(options["answers"])) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            indices=np.array(asked, np.uint32),
            classes=np.array([winner for _, winner in answers], np.uint8),
            probabilities=np.array([values for values, _ in answers], np.uint8),
        )
    report = {"cycles": cycles, "counts": dataclasses.asdict(counts)}
    write_atomically(Path(options["report"]), json.dumps(report) + "\n")
