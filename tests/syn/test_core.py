"""The bench of a core: it passes where the core was moved to, and fails on one wrong bit."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cores import (
    IRIS,
    SHARES,
    SMALL,
    WIDE,
    compiled_by_icarus,
    compiled_by_verilator,
    flip,
    moved,
    run,
)

# An expected byte and a weight, then a last beat, a feature and another weight.
FLIPS = (
    ("vectors/expected.mem", 100, 0),
    ("mem/linear03_weights.mem", 0, 79),
    ("vectors/expected.mem", 464, 16),
    ("vectors/sent.mem", 7, 6),
    ("mem/linear00_weights.mem", 9, 60),
)


@pytest.mark.parametrize(
    ("compiled", "flips"),
    [(compiled_by_icarus, FLIPS[:2]), (compiled_by_verilator, FLIPS)],
    ids=["icarus", "verilator"],
)
def test_moved_core_of_iris_passes_and_fails_on_each_flipped_bit(
    tmp_path: Path, compiled: Callable[[Path], list[str]], flips: tuple[tuple[str, int, int], ...]
) -> None:
    core = moved(IRIS, tmp_path)
    command = compiled(core)
    done = run(*command, cwd=core)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == (
        "PASS: iris_core: 219 results of 3 bytes, twice; latency 141, 30 cycles per sample"
    )
    for number, (file, word, bit) in enumerate(flips):
        copy = tmp_path / f"flipped-{number}"
        for part in ("mem", "vectors"):
            shutil.copytree(core / part, copy / part)
        flip(copy / file, word, bit)
        done = run(*command, cwd=copy)
        assert done.returncode != 0, file
        assert "FAIL: pass " in done.stdout and "PASS" not in done.stdout


def test_core_of_wide_beats_passes(tmp_path: Path) -> None:
    core = moved(WIDE, tmp_path)
    done = run(*compiled_by_icarus(core, "2012"), cwd=core)
    latency, interval = WIDE.spec.latency, WIDE.spec.interval
    assert done.stdout.splitlines() == [
        f"PASS: made_up_core: 80 results of 64 bytes, twice; latency {latency}, {interval} cycles "
        "per sample"
    ]


def test_core_of_shared_sums_passes_and_fails_on_another_plan(tmp_path: Path) -> None:
    core = moved(SHARES, tmp_path)
    assert [path.name for path in sorted((core / "mem").glob("*_weights.mem"))] == [
        "linear00_weights.mem"
    ]
    command = compiled_by_icarus(core, "2005")
    assert run(*command, cwd=core).stdout.startswith("PASS")
    wrapper = core / "made_up_core.v"
    text = wrapper.read_text()
    at = text.index("'h", text.index(".PLANS")) + 2
    # A sign of the last output's: its entry stands in the first line, behind a word of zeros.
    assert text[at : at + 8] == "0" * 8
    sign = f"{int(text[at + 8 : at + 10], 16) ^ 2:02x}"
    wrapper.write_text(text[: at + 8] + sign + text[at + 10 :])
    done = run(*compiled_by_icarus(core, "2005"), cwd=core)
    assert "FAIL" in done.stdout and "PASS" not in done.stdout


@pytest.mark.parametrize(
    ("file", "right", "wrong", "complaint"),
    [
        ("rtl/mlp_stream_pack.v", "in_last && complete", "complete", "must be"),
        ("rtl/mlp_stream_pack.v", "in_last && complete", "in_last", "must be"),
        ("rtl/mlp_stream_pack.v", "if (rst)\n            c", "if (1'b0)\n            c", "unknown"),
        ("rtl/mlp_stream_unpack.v", "<= in_valid;", "<= 1'b0;", "beats, got 0"),
        ("rtl/mlp_stream_unpack.v", "else if (out_ready)\n            x", "else\n x", "stalled"),
        ("made_up_tb.v", "INTERVAL = 6;", "INTERVAL = 5;", "results must take"),
        ("rtl/mlp_top.v", ", winner};", ", ~winner};", "result 0, beat 0: must be"),
        ("made_up_tb.v", "LATENCY  = 42;", "LATENCY  = 43;", "latency must be 43, got 42"),
    ],
)
def test_bench_sees_a_mistake(
    tmp_path: Path, file: str, right: str, wrong: str, complaint: str
) -> None:
    core = moved(SMALL, tmp_path)
    text = (core / file).read_text()
    assert right in text
    (core / file).write_text(text.replace(right, wrong, 1))
    done = run("iverilog", "-o", "x.vvp", "-f", "made_up.f", "made_up_tb.v", cwd=core)
    assert done.returncode == 0, done.stderr
    done = run("vvp", "-N", "x.vvp", cwd=core)
    assert done.returncode != 0 and "PASS" not in done.stdout
    assert complaint in done.stdout
