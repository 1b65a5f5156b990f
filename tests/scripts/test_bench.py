"""`make bench` shows what it measured, judges none of it, and says which command failed."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from common.errors import CommandError
from common.paths import GOLDEN_IRIS, ROOT
from common.tables import Fitted, console
from model import artifact
from model.format import Int
from scripts import bench, bench_canonical, bench_compile, bench_learning, bench_pairs
from scripts.bench_pairs import Pair
from studies.peers import generate
from studies.peers.generate import Simulated
from tb.sim import run_network, runner
from tb.sim.simulators import SIMULATORS

SLOW = dict.fromkeys(("train", "export", "sim", "report", "compiling"), 1000.0) | {"total": 4000.0}


def pair(name: str) -> Pair:
    """A pair far below its aim."""
    return bench_pairs.pair(name, f"not {name}", "samples/s", [(1234.0, 12340.0)] * 3, 1.5)


FIGURES: dict[str, Any] = {
    "machine": {"cpus": 3, "load_before": 9.5, "architecture": "abacus", "python": "3.11.0"},
    "simulators": {
        name: {"chain_seconds": {"first": SLOW, "again": SLOW}, "cycles": pair(f"bench, {name}")}
        for name in SIMULATORS
    },
    "compile": pair("compiling"),
    "reference": {"predict": pair("reference.predict"), "fast": pair("fast path")},
    "native": {"samples_per_second": 9, "cycles_per_sample": 3, "compiling_seconds": 77.5},
    "alkaid": bench_pairs.missing("alkaid", "not installed: make study-peers"),
    "learning": {
        "pair": pair("native learning"),
        "placed": {"abacus, L = 6": 13},
        "learn_seconds": 555.5,
    },
}


def test_figures_far_beyond_their_aims_are_shown_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "measure", lambda scratch, network, advance: FIGURES)
    out = tmp_path / "bench.json"
    bench.run(bench.parser().parse_args(["--out", str(out)]))
    assert json.loads(out.read_text()) == FIGURES
    printed = capsys.readouterr().out
    for words in (
        "3 CPUs",
        "load of 9.5",
        "4000.0",
        "1,234",
        "12,340",
        "0.10",
        "at least 1.5",
        "median of 3 rounds",
        "77.5",
        "native learning",
        "not installed: make study-peers",
        "abacus, L = 6, placed",
        "555.5",
    ):
        assert words in printed


@pytest.mark.parametrize("width", [80, 100])
def test_table_fits_terminals(width: int) -> None:
    shown = Console(width=width)
    with shown.capture() as printed:
        shown.print(Fitted(bench.table(FIGURES)))
    lines = printed.get().splitlines()
    # One block: every row has its name and its unit.
    assert sum("make sim" in line and "seconds" in line for line in lines) == 2 * len(SIMULATORS)
    ratios = [" ".join(line.split()) for line in lines if line.lstrip().startswith("ratio")]
    assert ratios == ["ratio 0.10 at least 1.5 median of 3 rounds"] * 6


def test_no_second_is_an_aim() -> None:
    def aims(figures: Any, path: str = "") -> Iterator[str]:
        for key, value in figures.items() if isinstance(figures, dict) else ():
            yield from [f"{path}/{key}"] if "at_least" in key else aims(value, f"{path}/{key}")
            assert "target" not in key and "at_most" not in key

    found = list(aims(FIGURES))
    assert len(found) == 6 and "/learning/pair/at_least" in found


def test_sides_of_a_pair_are_measured_in_turns() -> None:
    calls = []

    def side(name: str, value: float) -> bench_pairs.Rate:
        def measure() -> float:
            calls.append(name)
            return value + len(calls)

        return measure

    rounds = bench_pairs.in_turns(side("ours", 100), side("theirs", 200))
    assert calls == ["ours", "theirs"] * (bench_pairs.ROUNDS + 1)
    assert rounds[0] == (103, 204) and len(rounds) == bench_pairs.ROUNDS


def test_ratio_is_of_both_sides_of_one_round() -> None:
    # The machine halves its speed between rounds, and something else runs in one of them.
    rounds = [(300.0, 200.0), (150.0, 100.0), (75.0, 50.0), (10.0, 50.0), (30.0, 20.0)]
    found = bench_pairs.pair("ours", "theirs", "samples/s", rounds, 1.25)
    assert found == {
        "ours": {"name": "ours", "rate": 75},
        "theirs": {"name": "theirs", "rate": 50},
        "unit": "samples/s",
        "rounds": 5,
        "ratio": 1.5,
        "at_least": 1.25,
    }
    slower = [(ours, 2 * theirs) for ours, theirs in rounds]
    assert bench_pairs.pair("ours", "theirs", "samples/s", slower, 1.25)["ratio"] == 0.75
    slower = [(ours / 2, theirs) for ours, theirs in rounds]
    assert bench_pairs.pair("ours", "theirs", "samples/s", slower, 1.25)["ratio"] == 0.75


def test_rate_counts_what_was_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.1, 10.2, 10.4])
    monkeypatch.setattr(bench_pairs.time, "perf_counter", lambda: next(clock))
    runs: list[int] = []
    assert bench_pairs.rate(lambda: runs.append(1), 20)() == pytest.approx(2 * 20 / 0.4)
    assert len(runs) == 2
    # A run that takes longer than a round counts too.
    clock = iter([10.0, 10.5, 12.0, 12.0])
    assert bench_pairs.rate(lambda: runs.append(1), 20)() == pytest.approx(20 / 2.0)


def test_alkaid_is_no_part_of_it_where_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "installed", lambda: None)
    monkeypatch.setattr(generate, "generate", lambda *_: pytest.fail("asks for alkaid"))
    assert bench.alkaid_pair()["missing"].startswith("not installed")


def test_alkaid_is_measured_beside_the_native_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = [], []

    def by_alkaid(design: object, codes: Int, logits: Int) -> Simulated:
        asked.append((design, len(codes), len(logits)))
        return Simulated(logits, 13, 1, 200.0)

    monkeypatch.setattr(generate, "installed", lambda: Path("python"))
    monkeypatch.setattr(generate, "generate", lambda *words: made.append(words) or "design")
    monkeypatch.setattr(generate, "simulate_pipeline", by_alkaid)
    monkeypatch.setattr(bench, "native_rate", lambda network: lambda: 500.0)
    found = bench.alkaid_pair()
    assert (found["ours"]["rate"], found["theirs"]["rate"], found["ratio"]) == (500, 200, 2.5)
    assert made == [
        (Path("python"), "alkaid_network", {"network": GOLDEN_IRIS}, ["--cutoff=5"]),
    ]
    assert asked == [("design", 1200, 1200)] * (bench_pairs.ROUNDS + 1)


def test_bench_and_empty_bench_run_in_one_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_pairs, "ROUNDS", 3)
    monkeypatch.setattr(bench, "SIMULATED", 2)
    network, before = artifact.load(GOLDEN_IRIS), runner.COMPARED["icarus"]
    found = bench.cycles_pair(network, "icarus", tmp_path)
    assert found["rounds"] == 2 and found["at_least"] == bench.BENCH_TARGET["icarus"]
    rounds = json.loads((tmp_path / "cycles/rounds.json").read_text())
    assert len(rounds) == 3 and min(min(pair) for pair in rounds) > 0
    assert found["ratio"] == round(sum(ours / theirs for ours, theirs in rounds[1:]) / 2, 3)
    # It compares all that a bench compares: 360 values of a sample.
    assert runner.COMPARED["icarus"] - before == 3 * 2 * 360


def test_compiling_is_what_the_first_of_two_runs_takes_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[bool, str, str | None]] = []

    def simulated(*_: object, optimize: bool, rtl: Path, **__: object) -> runner.Outcome:
        remark = (rtl / "mlp_top.v").read_text().splitlines()[-1]
        ran.append((optimize, remark, os.environ.get("CCACHE_DISABLE")))
        return runner.Outcome(1, 0, 0)

    def seconds(run: Callable[[], object]) -> float:
        run()
        return next(clock)

    clock = iter([13.0, 3.0, 27.0, 2.0])
    monkeypatch.delenv("CCACHE_DISABLE", raising=False)
    monkeypatch.setattr(run_network, "simulate", simulated)
    monkeypatch.setattr(bench_compile, "processor_seconds", seconds)
    found = bench_compile.compile_pair(artifact.load(GOLDEN_IRIS), tmp_path)
    assert (found["ours"]["rate"], found["theirs"]["rate"], found["ratio"]) == (360, 144, 2.5)
    assert [optimize for optimize, *_ in ran] == [False, False, True, True]
    # Each way compiles sources of its own, which its second run finds compiled.
    remarks = [remark for _, remark, _ in ran]
    assert remarks[0] == remarks[1] != remarks[2] == remarks[3]
    assert {cache for *_, cache in ran} == {"1"} and "CCACHE_DISABLE" not in os.environ


def test_seconds_of_the_processor_are_those_of_what_was_started() -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass"
    run = [sys.executable, "-c", spin]
    assert bench_compile.processor_seconds(lambda: subprocess.run(run, check=True)) >= 0.3


def test_chain_is_what_make_sim_runs() -> None:
    stamps = [
        f"--old-file={stamp}"
        for stamp in (".venv/ready", "build/setup/icarus", "build/setup/verilator")
    ]
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", *stamps, "sim"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}},
    )
    ran = re.findall(r"-m (scripts\.\S+) (.*)", done.stdout)
    found = [(module, words) for module, words in ran if module != "scripts.claim"]
    assert [module for module, _ in found] == [module for module, _ in bench.CHAIN.values()]
    for (_, words), (_, option) in zip(found, bench.CHAIN.values(), strict=True):
        assert f"{option} " in words and "--build " in words


def test_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"-m scripts\.train .* failed: .*nowhere\.toml"):
        bench.chain(tmp_path, tmp_path / "nowhere.toml", "icarus")


def test_learning_of_pytorch_is_counted() -> None:
    epoch = bench_learning.torch_step()
    assert bench_pairs.rate(epoch, 120)() > 0


def test_learning_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"-m scripts\.learn .* failed: .*nowhere\.toml"):
        bench_learning.learn_seconds(tmp_path, tmp_path / "nowhere.toml")


def test_placed_cores_are_those_of_the_study(tmp_path: Path) -> None:
    assert bench_learning.placed(tmp_path / "none.json") == {}
    (tmp_path / "some.json").write_text('{"up5k, L = 6": 20000}')
    assert bench_learning.placed(tmp_path / "some.json") == {"up5k, L = 6": 20000}


def test_seconds_are_those_of_the_processor_and_of_processes() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    seconds, done = bench_canonical.seconds_of(
        lambda: subprocess.run([sys.executable, "-c", burn], check=True)
    )
    assert done.returncode == 0 and 0.3 <= seconds < 3
    slept, _ = bench_canonical.seconds_of(lambda: time.sleep(0.3))
    assert slept < 0.2


def test_figures_of_small_networks_are_shown() -> None:
    figures = {
        "jet_tagging": dict.fromkeys(bench_canonical.COLUMNS, 1234.5),
        "leaky": {"weights": 617.25, "rate": 7},
    }
    shown = console()
    with shown.capture() as printed:
        shown.print(bench_canonical.table(figures))
    rows = printed.get().splitlines()
    first, second = (next(row for row in rows if name in row) for name in figures)
    assert first.count("1,234.5") == len(bench_canonical.COLUMNS) and second.split()[1:] == [
        "617.25",
        "7",
    ]
    (ratio,) = (row for row in rows if row.strip().startswith("ratio"))
    assert ratio.split()[1:] == ["0.003"]


def test_seconds_per_weight_of_the_largest_are_compared_with_the_smallest() -> None:
    few = {"weights": 100, "train": 2.0, "fold": 0.0, "synthesis": 3.0, "rate": 900}
    many = {"weights": 1000, "train": 10.0, "fold": 0.1, "synthesis": 60.0, "rate": 300}
    between = {"weights": 500, "train": 99.0, "synthesis": 99.0, "rate": 1}
    found = bench_canonical.growth({"b": between, "large": many, "small": few})
    assert found == (
        "seconds per weight, large / small",
        {"train": 0.5, "synthesis": 2.0, "rate": 0.3},
    )
    assert bench_canonical.growth({"small": few}) is None


def test_memory_is_that_of_the_largest_process() -> None:
    size = 300
    held = f"held = bytearray({size} << 20); held[::4096] = bytes(len(held[::4096]))"
    subprocess.run([sys.executable, "-c", held], check=True)
    assert bench_canonical.peak_megabytes() >= size


def test_reference_is_measured_beside_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_pairs, "ROUND_SECONDS", 0.001)
    monkeypatch.setattr(bench_pairs, "ROUNDS", 3)
    monkeypatch.setattr(bench, "BATCH", 100)
    monkeypatch.setattr(bench, "LARGE_BATCH", 100)
    found = bench.reference_pairs(artifact.load(GOLDEN_IRIS))
    assert set(found) == {"predict", "fast"}
    for pair in found.values():
        assert pair["theirs"]["name"] == "ONNX Runtime"
        assert min(pair["ours"]["rate"], pair["theirs"]["rate"], pair["ratio"]) > 0
