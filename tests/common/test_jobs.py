"""Jobs are done once, go on where they were interrupted, and forget what other sources said."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from common import executors, imports, jobs
from common.errors import CommandError
from common.executors import ExecutorError, Processes
from common.jobs import Done, Job
from common.paths import ROOT
from model import artifact
from verify.campaigns import input_grid, random_networks

NAMES = ("one", "two", "three")
HERE = "tests.common.test_jobs"


def piece(folder: str, name: str) -> dict[str, int]:
    """A job that leaves a mark each time it runs, and is stopped while a file is there."""
    with Path(folder, f"{name}.runs").open("a") as marks:
        marks.write("x")
    if Path(folder, f"{name}.stop").exists():
        raise KeyboardInterrupt
    return {"values": len(name)}


def work(folder: Path, key: str = "key") -> list[Job]:
    rests_on = {"sources": key}
    return [
        Job(name, f"{HERE}:piece", {"folder": str(folder), "name": name}, rests_on)
        for name in NAMES
    ]


def run(folder: Path, key: str = "key", workers: int = 1) -> dict[str, int]:
    done = jobs.run("it", work(folder, key), folder / "kept", workers=workers)
    return jobs.total(done)[0]


def runs(folder: Path) -> list[int]:
    paths = [folder / f"{name}.runs" for name in NAMES]
    return [len(path.read_text()) if path.exists() else 0 for path in paths]


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_are_done_once(tmp_path: Path, workers: int) -> None:
    for _ in range(2):
        assert run(tmp_path, workers=workers) == {"values": 11}
    assert runs(tmp_path) == [1, 1, 1]
    run(tmp_path, "other key", workers)
    assert runs(tmp_path) == [2, 2, 2]


def test_interrupted_campaign_goes_on(tmp_path: Path) -> None:
    (tmp_path / "three.stop").touch()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert len(list((tmp_path / "kept").glob("*.json"))) == 2
    (tmp_path / "three.stop").unlink()
    assert run(tmp_path) == {"values": 11}
    assert runs(tmp_path) == [1, 1, 2]


def test_other_arguments_are_another_job(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "other").mkdir()
    jobs.run("it", work(tmp_path / "other"), tmp_path / "kept", workers=1)
    assert runs(tmp_path / "other") == [1, 1, 1]


def test_total_adds_up_what_was_done_and_when(tmp_path: Path) -> None:
    done = [Done({"values": 3, "tests": 1}, 1.25), Done({"values": 4}, 100.0)]
    assert jobs.total(done) == ({"values": 7, "tests": 1}, 101.2)


def test_result_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    job = Job("odd", f"{HERE}:odd")
    first, again = (jobs.run("it", [job], tmp_path, workers=1) for _ in range(2))
    assert first == again and first[0].result == {"1": [2, 3]}


def odd() -> dict[int, tuple[int, int]]:
    """What JSON writes in another way."""
    return {1: (2, 3)}


# What is stopped


def dies(folder: str, times: int) -> int:
    """A job whose process is killed in the middle, so often; then its result."""
    mark = Path(folder, "deaths")
    deaths = len(mark.read_text()) if mark.exists() else 0
    if deaths < times:
        mark.write_text("x" * (deaths + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return deaths


def test_killed_process_loses_nothing(tmp_path: Path) -> None:
    arguments = {"folder": str(tmp_path), "times": 1}
    every = [*work(tmp_path), Job("dies", f"{HERE}:dies", arguments)]
    done = jobs.run("it", every, tmp_path / "kept", executor=Processes(2))
    assert [found.result for found in done[:3]] == [{"values": len(name)} for name in NAMES]
    assert done[3].result == 1


def test_job_that_kills_every_process_is_one_sentence(tmp_path: Path) -> None:
    job = Job("dies", f"{HERE}:dies", {"folder": str(tmp_path), "times": 9})
    with pytest.raises(ExecutorError, match=r"^3 worker processes were killed, as by a machine"):
        jobs.run("it", [job], tmp_path / "kept", executor=Processes(2))


# A command with two jobs, each of which starts a program that would run for a minute.
COMMAND = f"""
import signal
import sys
from pathlib import Path
from common import jobs
from common.executors import Processes
from common.jobs import Job

if __name__ == "__main__":
    # A shell has a command behind which it goes on ignore this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work = [Job(n, "{HERE}:starts", {{"folder": sys.argv[1], "name": n}}) for n in "ab"]
    jobs.run("it", work, Path(sys.argv[1], "kept"), executor=Processes(2))
"""


def starts(folder: str, name: str) -> int:
    """A job that waits for a program of its own, whose process it names in a file."""
    with subprocess.Popen(["sleep", "60"]) as program:
        Path(folder, f"{name}.part").write_text(str(program.pid))
        Path(folder, f"{name}.part").rename(Path(folder, f"{name}.pid"))
    return program.returncode


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_command_stops_what_it_started(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    command = [sys.executable, str(script), str(tmp_path)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        pids = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
        assert all(is_running(pid) for pid in pids)
        process.send_signal(how)
        wait_for(lambda: not any(is_running(pid) for pid in pids))
        assert process.wait(20) != 0


def wait_for(true: Any) -> None:
    """Return once it is true; fail after 20 seconds."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# What a verdict rests on


def test_key_follows_the_files_that_are_given(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text("one")
    before = jobs.rests_on("model.reference", tops=[], files=[path])
    assert jobs.rests_on("model.reference", tops=[], files=[path]) == before
    path.write_text("other")
    assert jobs.rests_on("model.reference", tops=[], files=[path]) != before


def test_sources_are_found_through_imports_strings_and_instances() -> None:
    found = {str(path.relative_to(ROOT)) for path in imports.behind("verify.campaigns.x_reset")}
    assert {
        "verify/campaigns/x_reset.py",
        "tb/sim/runner.py",  # imported by what it imports
        "tb/benches/stream_bench.py",  # a bench by its name
        "tb/golden/iris.network.json",  # data, through common.paths
    } <= found
    assert "boards/host.py" not in found and not any(path.startswith("tests") for path in found)
    assert ROOT / "tb/sim/native.cpp" in imports.behind("tb.sim.native")
    formal = {path.name for path in imports.behind("verify.formal.properties")}
    assert {"stream_contract.v", "softmax_exp_properties.v"} <= formal
    below = {path.name for path in imports.below("mlp_linear")}
    assert {
        "mlp_linear.v",
        "mlp_dot.v",
        "mlp_loadable_rom.v",
    } <= below and "mlp_softmax.v" not in below


@pytest.mark.parametrize("call", [imports.behind, imports.below])
def test_unknown_module_is_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="mlp_gone must be a module of"):
        call("mlp_gone")


# Campaigns


def test_box_that_compared_too_little_leaves_no_evidence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left: list[str] = []
    command = input_grid.parser().parse_args(["--jobs", "1"])
    monkeypatch.setattr(input_grid, "BUILD", tmp_path)
    monkeypatch.setattr(input_grid.record, "record", lambda name, **figures: left.append(name))
    monkeypatch.setattr(input_grid, "check", lambda network, indices: 4 * len(indices))
    input_grid.run(command)
    assert left == ["box"]
    for path in (tmp_path / "exhaustive/box").glob("*.json"):
        path.unlink()
    monkeypatch.setattr(input_grid, "check", lambda network, indices: 4 * len(indices) - 1)
    with pytest.raises(CommandError, match=r"5,550,000 values must be compared, got 5,549,972"):
        input_grid.run(command)
    assert left == ["box"]


def test_random_networks_that_compared_too_little_leave_no_evidence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(random_networks, "FOLDER", tmp_path)
    monkeypatch.setattr(random_networks, "check", lambda seed, size, folder: 1)
    monkeypatch.setattr(random_networks.record, "record", None)
    with pytest.raises(CommandError, match="values must be compared, got 3"):
        random_networks.run(random_networks.parser().parse_args(["--count", "3", "--jobs", "1"]))


def test_golden_network_is_the_default_of_the_box() -> None:
    assert artifact.load(input_grid.parser().parse_args([]).network).spec.name == "iris"


def test_cluster_is_asked_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(executors.CLUSTER, raising=False)
    assert executors.chosen(1) == executors.Serial()
    assert executors.chosen(3) == Processes(3)
    monkeypatch.setenv(executors.CLUSTER, "tcp://lab:8786")
    assert executors.chosen(1) == executors.chosen(3) == executors.Cluster("tcp://lab:8786")


def test_kept_result_holds_its_ingredients(tmp_path: Path) -> None:
    run(tmp_path)
    kept = [json.loads(path.read_text()) for path in (tmp_path / "kept").glob("*.json")]
    assert {found["rests_on"]["function"] for found in kept} == {f"{HERE}:piece"}
    assert all(found["rests_on"]["sources"] == "key" for found in kept)


def test_file_that_a_run_has_left_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    golden, named = ROOT / "tb/golden", "tb/golden/iris.network.json"
    assert imports._in_text(named, ROOT / "tb/job.py") == [ROOT / named]
    monkeypatch.setattr(imports, "BUILD", golden)
    assert imports._in_text(named, ROOT / "tb/job.py") == []
