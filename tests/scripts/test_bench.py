"""`make bench` shows what it measured, judges none of it, and says which command failed."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from common.errors import CommandError
from common.paths import GOLDEN_IRIS
from common.tables import console
from model import artifact
from scripts import bench, bench_canonical, bench_learning
from tb.sim.simulators import SIMULATORS

SLOW = dict.fromkeys(("train", "export", "sim", "report", "compiling"), 1000.0) | {"total": 4000.0}
FIGURES: dict[str, Any] = {
    "machine": {"cpus": 3, "load_before": 9.5, "architecture": "abacus", "python": "3.11.0"},
    "simulators": {
        name: {
            "chain_seconds": {"first": SLOW, "again": SLOW},
            "chain_target_seconds": 40,
            "cycles_per_second": 1234,
        }
        for name in SIMULATORS
    },
    "predict": {"samples_per_second": 7, "batch": 10, "target_samples_per_second": 100_000},
    "library": {
        "fast_samples_per_second": 8,
        "target_fast_samples_per_second": 1_000_000,
        "onnx_samples_per_second": 6,
    },
    "native": {
        "samples_per_second": 9,
        "target_samples_per_second": 300_000,
        "cycles_per_sample": 3,
        "compiling_seconds": 77.5,
        "target_compiling_seconds": 15,
    },
    "learning": {
        "torch_samples_per_second": 11,
        "native_samples_per_second": 12,
        "target_native_samples_per_second": 5_000,
        "lanes": 30,
        "cycles_per_sample": 334,
        "placed": {"abacus, L = 6": 13},
        "learn_seconds": 555.5,
        "target_learn_seconds": 120,
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
        "at most 40",
        "1,234",
        "at least 100,000",
        "77.5",
        "at least 300,000",
        "native, L = 30, 334 cycles",
        "at least 5,000",
        "abacus, L = 6, placed",
        "555.5",
    ):
        assert words in printed


def test_table_fits_a_log() -> None:
    shown = console()
    with shown.capture() as printed:
        shown.print(bench.table(FIGURES))
    rows = [line for line in printed.get().splitlines() if "all streams tapped" in line]
    assert len(rows) == len(SIMULATORS)


def test_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"-m scripts\.train .* failed: .*nowhere\.toml"):
        bench.chain(tmp_path, tmp_path / "nowhere.toml", "icarus")


def test_learning_of_pytorch_is_counted() -> None:
    epoch = bench_learning.torch_step()
    assert bench.per_second(epoch, 120) > 0


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


def test_predictions_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "PREDICT_SECONDS", 0.01)
    network = artifact.load(GOLDEN_IRIS)
    assert bench.predictions_per_second(network) > 0
    assert min(bench.library_figures(network).values()) > 0
