"""What the two large benches decide by themselves, on doctored cycles, words and memories."""

import dataclasses
import importlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS
from model.learning.backprop import Plan
from model.learning.core import Core, stream
from model.learning.learner import Learner
from model.words import pack_lanes
from tb.benches import comparison
from tb.benches.comparison import Comparison

PLAN = Plan((3, 4, 4, 2), (0, 1, 2), (True, True, False), (0, 0, 0), epochs=2, samples=9)
LANES = 3


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., ModuleType]:
    """Import a bench as the simulation of a job does."""
    monkeypatch.setattr(comparison, "get_sim_time", lambda unit: 70.0)

    def load(name: str, module: str, **options: Any) -> ModuleType:
        job = {"module": module, "parameters": {}, "options": options, "netlist": None}
        monkeypatch.setenv("VERBATIM_JOB", json.dumps(job))
        monkeypatch.chdir(tmp_path)
        bench = importlib.import_module(f"tb.benches.{name}")
        return importlib.reload(bench)

    return load


# mlp_top


@pytest.fixture
def top(imported: Callable[..., ModuleType], tmp_path: Path) -> ModuleType:
    inputs = tmp_path / "inputs.npy"
    np.save(inputs, np.zeros((5, 4), dtype=np.int64))
    return imported("top_bench", "mlp_top", network=str(GOLDEN_IRIS), inputs=str(inputs))


def stopwatches(top: ModuleType, **changed: Any) -> Any:
    """Those of five samples, as the formulas want them, or changed."""
    spec = top.SPEC
    latency, interval = spec.latency, spec.interval
    beats = spec.n_out // spec.out_lanes - 1
    cycles = {
        "taken": [50 + interval * k for k in range(5)],
        "given": [50 + latency + beats + interval * k for k in range(5)],
        "begun": [60 + interval * k for k in range(5)],
    }
    found = object.__new__(top.Stopwatches)
    for name, values in (cycles | changed).items():
        setattr(found, name, SimpleNamespace(cycles=values))
    found.slowest = max(spec.layers, key=lambda layer: layer.cycles)
    assert found.slowest.cycles == interval
    return found


def test_cycles_of_the_formulas_are_fine(top: ModuleType) -> None:
    stopwatches(top).check()


@pytest.mark.parametrize("offset", [-1, 1])
def test_another_latency_is_refused(top: ModuleType, offset: int) -> None:
    given = [cycle + offset for cycle in stopwatches(top).given.cycles]
    with pytest.raises(AssertionError, match=f"latency {top.SPEC.latency + offset}, formula"):
        stopwatches(top, given=given).check()


@pytest.mark.parametrize("offset", [-1, 1])
@pytest.mark.parametrize("sample", [1, 4])
def test_one_other_interval_is_refused(top: ModuleType, sample: int, offset: int) -> None:
    given = stopwatches(top).given.cycles
    given[sample:] = [cycle + offset for cycle in given[sample:]]
    with pytest.raises(AssertionError, match=r"intervals \{.*\}, formula"):
        stopwatches(top, given=given).check()


def test_layer_that_rests_is_refused(top: ModuleType) -> None:
    begun = stopwatches(top).begun.cycles
    begun[3] += 1
    with pytest.raises(AssertionError, match=r"\w+ begins a vector each \{"):
        stopwatches(top, begun=begun).check()


# mlp_learn_top


@pytest.fixture
def learning(imported: Callable[..., ModuleType], tmp_path: Path) -> ModuleType:
    data = tmp_path / "data.npz"
    np.savez(data, x=np.zeros((9, 3), dtype=np.int64), labels=np.arange(9) % 2)
    plan = dataclasses.asdict(PLAN)
    options = {"plan": plan, "lanes": LANES, "seed": 5, "count": 9, "data": str(data)}
    return imported("learning_bench", "mlp_learn_top", **options)


def state() -> Any:
    run = Learner.begin(PLAN, 5)
    run.learn(np.array([3, -4, 5]), 1)
    return run.state


def test_equal_states_are_fine(learning: ModuleType) -> None:
    found = Comparison()
    learning.compare_state(found, 0, state(), state())
    assert found.compared == sum(m.size for m in state().masters) + 4


@pytest.mark.parametrize("key", ["lfsr", "word", "epoch", "position"])
def test_counter_that_differs_is_named(learning: ModuleType, key: str) -> None:
    other = state()
    setattr(other, key, getattr(other, key) + 1)
    with pytest.raises(AssertionError, match=f"save, {key}, element"):
        learning.compare_state(Comparison(), 0, state(), other)


@pytest.mark.parametrize("number", range(3))
def test_master_that_differs_is_named(learning: ModuleType, number: int) -> None:
    other = state()
    other.masters[number] = other.masters[number].copy()
    other.masters[number][-1, -1] += 1
    with pytest.raises(AssertionError, match=f"save, set {number}, element"):
        learning.compare_state(Comparison(), 0, state(), other)


class Words:
    """Stands in for a memory."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.words = [SimpleNamespace(value=pack_lanes(row, 16)) for row in rows]


def bench_of(learning: ModuleType, fill: int = 0) -> Any:
    """A bench whose core holds the masters of `state`, rows filled up with ``fill``."""
    rows: list[list[int]] = []
    for master in state().masters:
        for row in master[:, :-1].tolist():
            row += [fill] * (-len(row) % LANES)
            rows += [row[start : start + LANES] for start in range(0, len(row), LANES)]
    biases = [[int(row[-1])] for master in state().masters for row in master]
    found = object.__new__(learning.Bench)
    engine = SimpleNamespace(
        u_lanes=SimpleNamespace(u_masters=Words(rows)),
        u_bias=SimpleNamespace(u_masters=Words(biases)),
    )
    network = SimpleNamespace(u_engine=engine)
    found.dut, found.stalls = SimpleNamespace(u_network=network), (None, None)
    return found


def test_masters_are_read_where_they_lie(learning: ModuleType) -> None:
    found = bench_of(learning).masters()
    assert all(np.array_equal(a, b) for a, b in zip(found, state().masters, strict=True))


def test_row_that_is_filled_up_with_anything_is_refused(learning: ModuleType) -> None:
    with pytest.raises(AssertionError, match="what fills up a row is not 0"):
        bench_of(learning, fill=1).masters()


class Carried:
    """Stands in for a source and a sink: takes anything, gives these beats."""

    def __init__(self, beats: list[dict[str, int]]) -> None:
        self.beats = beats

    def send(self, beats: object) -> "Carried":
        return self

    def __await__(self) -> Iterator[None]:
        return iter(())

    async def receive(self, count: int, stall: object = None) -> AsyncIterator[dict[str, int]]:
        for beat in self.beats[:count]:
            yield beat


def finished(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    return stopped.value.value


def saved(
    learning: ModuleType, monkeypatch: pytest.MonkeyPatch, words: list[int], last: int
) -> Any:
    """What a bench makes of a save of these words, whose tlast stands at ``last``."""
    bench = bench_of(learning)
    beats = [{"data": word, "last": index == last} for index, word in enumerate(words)]
    bench.saves, bench.sources = Carried(beats), {"s_save_t": Carried([])}
    monkeypatch.setattr(learning.cocotb, "start_soon", lambda task: task)
    return finished(bench.save())


def test_save_is_the_state(learning: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    words = stream(PLAN, state()).tolist()
    found = saved(learning, monkeypatch, words, len(words) - 1)
    learning.compare_state(Comparison(), 0, state(), found)


@pytest.mark.parametrize("place", [0, -2])
def test_save_whose_last_stands_elsewhere_is_refused(
    learning: ModuleType, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    words = stream(PLAN, state()).tolist()
    with pytest.raises(AssertionError, match="m_save: tlast stands elsewhere"):
        saved(learning, monkeypatch, words, place % len(words))


def test_save_of_another_order_is_refused(
    learning: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = stream(PLAN, state()).tolist()
    # Masters, then LFSR, order, next index, epoch, position: the order says the index too.
    words[-3] ^= 1
    with pytest.raises(AssertionError, match="m_save: sample, index: not the order's"):
        saved(learning, monkeypatch, words, len(words) - 1)


@pytest.mark.parametrize(
    ("beats", "sentence"),
    [
        ([(7, 0, 1), (8, 1, 1)], None),
        ([(7, 1, 1), (8, 1, 1)], "m_axis: tlast elsewhere"),
        ([(7, 0, 1), (8, 0, 1)], "m_axis: tlast elsewhere"),
    ],
)
def test_answer_has_its_last_at_its_end(
    learning: ModuleType, beats: list[tuple[int, int, int]], sentence: str | None
) -> None:
    bench = bench_of(learning)
    names = ("data", "last", "user")
    bench.answers = Carried([dict(zip(names, beat, strict=True)) for beat in beats])
    if sentence is None:
        assert finished(bench.answer()) == ([7, 8], 1)
        return
    with pytest.raises(AssertionError, match=sentence):
        finished(bench.answer())


def test_answer_of_two_classes_is_refused(learning: ModuleType) -> None:
    bench = bench_of(learning)
    bench.answers = Carried([{"data": 7, "last": 0, "user": 0}, {"data": 8, "last": 1, "user": 1}])
    with pytest.raises(AssertionError, match="a single class must stand beside one sample"):
        finished(bench.answer())


def test_core_of_the_bench_is_that_of_its_job(learning: ModuleType) -> None:
    assert Core(PLAN, LANES) == learning.CORE
