"""A simulation passes only when a test ran and passed, on the design that was asked for."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from common.paths import ROOT
from common.programs import SimulatorError
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import case_named
from tb.sim import simulators
from tb.sim.runner import SimulationFailed, _judge, simulate
from tb.sim.simulators import SIMULATORS, without_foreign

CASE = '<testcase name="t" classname="c">{}</testcase>'


@pytest.mark.parametrize(
    "inside, reason",
    [
        ("", "the bench holds no test"),
        (CASE.format('<failure message="it broke"/>'), "t: it broke"),
        (CASE.format("<error/>"), "t: error"),
        (CASE.format("<skipped/>"), "t: skipped"),
        (CASE.format("") + CASE.format("<skipped/>"), "t: skipped"),
    ],
)
def test_results_without_a_pass_are_failures(inside: str, reason: str, tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    results.write_text(f"<testsuites><testsuite>{inside}</testsuite></testsuites>")
    with pytest.raises(SimulationFailed, match=reason):
        _judge("mlp_relu", results, tmp_path / "simulation.log")


def test_a_simulation_without_results_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(SimulationFailed, match="ended without results"):
        _judge("mlp_relu", tmp_path / "results.xml", tmp_path / "simulation.log")


def test_a_design_that_does_not_compile_is_named(tmp_path: Path) -> None:
    rtl = mutated(Mutant("", "mlp_relu", "endmodule", "endmodul", ""), tmp_path / "rtl")
    with pytest.raises(SimulatorError, match=r"mlp_relu: icarus cannot build it: .*mlp_relu\.v"):
        simulate("mlp_relu", {"W": 8}, simulator="icarus", bench="idle_bench", rtl=rtl)


TOLD = """
import argparse
from common import cli
from tb.modules.registry import case_named
case = case_named("softmax-64by4-16.12-exp-restoring")
cli.main(lambda _: case.run("icarus", name="told"), argparse.ArgumentParser(prog="command"))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_ends_a_simulation_and_its_command(number: signal.Signals) -> None:
    command = [sys.executable, "-c", TOLD]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        programs: list[psutil.Process] = []
        while not programs and running.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                children = psutil.Process(running.pid).children(recursive=True)
                # Under way, and not just begun: cocotb-test knows it by then.
                programs = [c for c in children if c.name() == "vvp" and c.cpu_times().user > 0.2]
        assert programs, "the simulation must be under way"
        running.send_signal(number)
        _, said = running.communicate(timeout=30)
    assert (running.returncode, "Traceback" in said) == (128 + number, False), said
    assert not programs[0].is_running()


def test_handlers_of_signals_stand_again_behind_a_simulation() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert case_named("relu-1-8").run("icarus", name="handlers").passed
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


# A design that takes one bit of LANES: no simulator complains of that.
DEAF = """
module mlp_relu #(parameter W = 8, parameter [0:0] LANES = 1) (
    input wire in_valid, output wire in_ready, input wire in_last, input wire [W-1:0] in_x,
    output wire out_valid, input wire out_ready, output wire out_last, output wire [W-1:0] out_y
);
    assign {out_valid, in_ready, out_last} = {in_valid, out_ready, in_last};
    assign out_y = in_x & {W{!in_x[W-1]}};
endmodule
"""


def test_a_bench_notices_a_design_of_other_parameters(tmp_path: Path) -> None:
    (tmp_path / "mlp_relu.v").write_text(DEAF)
    with pytest.raises(SimulationFailed, match="LANES was elaborated as 1, the bench believes 3"):
        simulate(
            "mlp_relu",
            {"LANES": 3, "W": 8},
            simulator="icarus",
            bench="stream_bench",
            rtl=tmp_path,
            name="other-parameters",
        )


# The environment of another cocotb project

FOREIGN = {
    "COCOTB_TEST_FILTER": "x",
    "COCOTB_TESTCASE": "x",
    "COCOTB_TEST_MODULES": "nothing",
    "COCOTB_TOPLEVEL": "nothing",
    "COCOTB_RESULTS_FILE": "/nonexistent/results.xml",
    "COCOTB_RESOLVE_X": "ZEROS",
    "COCOTB_TRUST_INERTIAL_WRITES": "1",
    "COCOTB_MAX_FAILURES": "0",
    "COCOTB_LIST_TESTS": "1",
    "COCOTB_RANDOM_SEED": "none",
    "COCOTB_LOG_LEVEL": "nothing",
    "GPI_EXTRA": "nothing.so:nothing",
    "GPI_USERS": "nothing.so",
    "IVERILOG_DUMPER": "none",
    "LIBPYTHON_LOC": "/nonexistent/libpython.so",
    "MODULE": "nothing",
    "PYGPI_PYTHON_BIN": "/nonexistent/python",
    "PYTHONHOME": "/nonexistent",
    "PYTHONOPTIMIZE": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "error",
    "SIM": "questa",
    "SIM_ARGS": "--nothing",
    "TESTCASE": "x",
    "TOPLEVEL": "nothing",
    "TOPLEVEL_LANG": "vhdl",
    "VERILATOR_ROOT": "/nonexistent",
    "VERILOG_SOURCES": "nothing.v",
}
RELU = case_named("relu-3-2")


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_settings_of_another_project_change_nothing(
    simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> tuple[int, int]:
        name = f"foreign-{simulator}"
        outcome = RELU.run(simulator, folder=tmp_path, name=name, waves=tmp_path / "waves.fst")
        return outcome.passed, outcome.compared

    alone = run()
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    assert run() == alone and alone[1] > 0
    assert dict(os.environ) == before
    assert (tmp_path / "waves.fst").stat().st_size > 0


@pytest.mark.parametrize("name", ["COCOTB_TEST_FILTER", "COCOTB_TESTCASE", "PYTHONOPTIMIZE"])
def test_a_setting_of_another_project_changes_nothing_by_itself(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert RELU.run("icarus", folder=tmp_path, name=f"foreign-{name}").compared > 0


def test_no_python_on_path_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators, "BUILD", tmp_path / "build")
    (tmp_path / "python").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert RELU.run("verilator", folder=tmp_path, name="no-python").compared > 0


def test_all_that_cocotb_reads_is_taken_away() -> None:
    packages = ("cocotb", "cocotb_tools", "pygpi")
    sources = [path for package in packages for path in files_of(package)]
    text = "\n".join(path.read_text() for path in sources)
    named = re.compile(r"\"((?:COCOTB|GPI|PYGPI|LIBPYTHON)_[A-Z_]+)\"")
    read = {name for name in named.findall(text) if not name.endswith("_")}
    assert {"COCOTB_TEST_FILTER", "COCOTB_TESTCASE", "COCOTB_RESOLVE_X", "GPI_EXTRA"} <= read
    left = without_foreign(dict.fromkeys([*read, *FOREIGN], "x") | {"PATH": "p", "SEED": "1"})
    assert left == {"PATH": "p", "SEED": "1"}


def files_of(package: str) -> list[Path]:
    """The Python sources of an installed package."""
    found = importlib.util.find_spec(package)
    assert found and found.origin
    return list(Path(found.origin).parent.rglob("*.py"))


# Two at once

TWICE = """
import sys
from pathlib import Path
import numpy as np
from tb.sim.made_up import codes, made_up
from tb.sim.run_network import EVERY_SAMPLE, run_network
seed = int(sys.argv[2])
network = made_up([4, 5, 3], seed=seed)
x = codes(np.random.default_rng(seed), network, 20)
folder = Path(sys.argv[1]) / str(seed)
_, report = run_network(network, x, "icarus", folder=folder, name="twice", testcase=EVERY_SAMPLE)
print(sum(stream["differing"] for stream in report["streams"].values()))
"""


def test_simulations_of_one_name_wait_for_each_other(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", TWICE, str(tmp_path), str(seed)] for seed in range(1, 4)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for command in commands
    ]
    said = [process.communicate()[0].decode() for process in running]
    assert said == ["0\n"] * 3
