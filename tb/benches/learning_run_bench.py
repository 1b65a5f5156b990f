"""mlp_learn_top for `model.Network.learn`: whole epochs from one state to another."""

import json
from pathlib import Path

import cocotb

from common.files import write_atomically
from model.learning import learner
from model.learning.learner import Learner
from tb.benches.comparison import Comparison
from tb.benches.learning_bench import (
    JOB,
    LABELS,
    LIMIT_NS,
    PLAN,
    Bench,
    X,
    compare_counts,
    compare_state,
)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def learns_whole_epochs(dut):
    """Every answer, and after each epoch all masters, must be the reference's; a report is left."""
    options = JOB.options
    _, state = learner.load(Path(options["before"]))
    bench, comparison, run = Bench(dut), Comparison(), Learner(PLAN, state)
    await bench.clocked.start()
    await bench.load(state)
    assert dut.has_network.value, "a load of the right length was refused"
    wrong, cycles = [], 0
    for epoch in range(options["epochs"]):
        begun, missed = bench.clocked.cycle, 0
        feeding = cocotb.start_soon(bench.feed(PLAN.samples))
        for sample, j in enumerate(list(run.indices())):
            seen = run.learn(X[j], int(LABELS[j]))
            await bench.expect(comparison, epoch * PLAN.samples + sample, seen)
            missed += seen.predicted != LABELS[j]
        await feeding
        cycles += bench.clocked.cycle - begun
        wrong.append(int(missed))
        saved = await bench.save()
        compare_state(comparison, (epoch + 1) * PLAN.samples, run.state, saved)
        compare_counts(comparison, (epoch + 1) * PLAN.samples, run.counts, bench)
    comparison.conclude()
    learner.save(PLAN, saved, Path(options["after"]))
    report = json.dumps({"wrong": wrong, "cycles": cycles})
    write_atomically(Path(options["report"]), report + "\n")
