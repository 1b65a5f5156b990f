"""What Verilator compiles for us: a compiler or a cache that is killed, and what is said of it."""

import subprocess
from pathlib import Path

import pytest

from common.programs import SimulatorError
from tb.sim import simulators
from tb.sim.verilator_cpp import build_harness

HARNESS = """
#include "Vdut.h"
int main() { Vdut dut; dut.eval(); return 0; }
"""
KILLED = "#!/bin/sh\nkill -9 $$\n"


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A harness of one cycle; nothing is built yet, and programs of ``bin`` come first."""
    monkeypatch.setattr(simulators, "BUILD", tmp_path / "build")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    path = tmp_path / "harness.cpp"
    path.write_text(HARNESS)
    return path


def program(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bin" / name
    path.write_text(KILLED)
    path.chmod(0o755)


def test_killed_cache_is_done_without(harness: Path, tmp_path: Path) -> None:
    program("ccache", tmp_path)
    built = build_harness("mlp_relu", {"LANES": 2}, harness)
    assert built.is_file()
    assert "Killed" in built.with_name("build.log").read_text()


@pytest.mark.parametrize(("level", "make"), [("0", "make"), ("1", r"make\[1\]")])
def test_killed_compiler_is_named(
    level: str, make: str, harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a shell has started it, and as `make test` has."""
    monkeypatch.setenv("MAKELEVEL", level)
    program("c++", tmp_path)
    with pytest.raises(SimulatorError, match=rf"mlp_relu: {make}: \*\*\* \[.*\] Killed; log: /"):
        build_harness("mlp_relu", {"LANES": 2}, harness)


def test_error_of_the_compiler_is_quoted(harness: Path) -> None:
    harness.write_text(HARNESS + "int lost() { return missing; }\n")
    with pytest.raises(SimulatorError, match=r"harness.cpp:4:\d+: error: .missing. was not"):
        build_harness("mlp_relu", {"LANES": 2}, harness)


def test_no_python_on_path_is_needed(harness: Path, tmp_path: Path) -> None:
    program("python", tmp_path)
    assert build_harness("mlp_relu", {"LANES": 2}, harness).is_file()


def test_what_only_the_linker_needs_is_not_kept(harness: Path) -> None:
    built = build_harness("mlp_relu", {"LANES": 2}, harness)
    subprocess.run([built], check=True)
    kept = {path.suffix for path in built.parent.iterdir()}
    assert {".log", ".json", ".cpp"} <= kept and not kept & {".o", ".a", ".gch"}
