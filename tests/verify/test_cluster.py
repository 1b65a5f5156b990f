"""Campaigns on a real Dask cluster on the loopback: a scheduler, and workers in clones."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common import jobs
from common.executors import CLUSTER, Checkout, Cluster, ExecutorError, Processes
from common.jobs import Job
from common.paths import ROOT
from verify.campaigns import random_networks
from verify.mutation import run as mutation
from verify.mutation.judge import of_netlist
from verify.mutation.netlist_mutants import proposed

HERE = "tests.verify.test_cluster"
PATIENCE = 40
# A quick case, and so many of its mutants.
CASE, MUTANTS, SEED = "relu-1-8", 2, 1
# Random networks of a layer, which compile soon.
NETWORKS = (34, 81)


def wait_for(true: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Return once it is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def free_address() -> str:
    """Of a port of the loopback on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}"


def clone(folder: Path) -> Path:
    """A clone of this checkout, with what is not committed yet, and its installed packages."""
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, folder], check=True)
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for name in set(_tracked(folder)) - set(names.splitlines()):
        (folder / name).unlink(missing_ok=True)
    for name in _tracked(folder):
        if not (ROOT / name).exists():
            (folder / name).unlink(missing_ok=True)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


def _tracked(folder: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=folder, check=True, capture_output=True, text=True
    )
    return listed.stdout.splitlines()


def dask(*words: str, folder: Path) -> subprocess.Popen[bytes]:
    """A command of Dask in a checkout, as docs/campaigns.md says, in a group of its own."""
    program = str(Path(sys.executable).with_name("dask"))
    with (folder / f"{words[0]}-{time.monotonic_ns()}.log").open("wb") as log:
        return subprocess.Popen(
            [program, *words],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def worker(address: str, folder: Path, threads: int = 1) -> subprocess.Popen[bytes]:
    """One worker of one thread in a checkout, nannied as workers are by default."""
    words = ["worker", address, "--nthreads", str(threads), "--nworkers", "1", "--no-dashboard"]
    return dask(*words, "--local-directory", str(folder / "build"), folder=folder)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process of Dask and what it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def workers_of(address: str) -> dict[str, Any]:
    """The workers that a scheduler has."""
    import distributed

    client_of: Any = distributed.Client
    with client_of(address, timeout=PATIENCE, set_as_default=False) as client:
        found: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
        return dict(found)


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two clones of this checkout."""
    folder = tmp_path_factory.mktemp("lab")
    return [clone(folder / name) for name in ("first", "second")]


@pytest.fixture(scope="module")
def scheduler(clones: list[Path]) -> Iterator[str]:
    """The address of a scheduler, without a worker."""
    address = free_address()
    port = address.rpartition(":")[2]
    words = ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    process = dask(*words, folder=clones[0])
    yield address
    stop(process)


@pytest.fixture
def lab(scheduler: str, clones: list[Path]) -> Iterator[str]:
    """The address of the scheduler, with a worker in each clone."""
    started = [worker(scheduler, folder) for folder in clones]
    wait_for(lambda: len(workers_of(scheduler)) == 2)
    yield scheduler
    for process in started:
        stop(process)
    wait_for(lambda: not workers_of(scheduler))


def verdicts(folder: Path) -> tuple[list[Any], list[Any]]:
    """What a slice of two campaigns finds, on the executor that the environment names."""
    given = proposed(CASE, MUTANTS, SEED)
    every = [of_netlist(CASE, given, number, MUTANTS, SEED) for number in range(MUTANTS)]
    judged = mutation.judge_all(every, 2, "mutants")
    networks = jobs.run("networks", random_networks.work(NETWORKS), folder, workers=2)
    return [(v.name, v.outcome, v.why) for v in judged], [found.result for found in networks]


def test_slices_give_the_verdicts_that_they_give_here(
    lab: str, clones: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for place, address in (("here", None), ("lab", lab)):
        for name in ("NOTICED", "PROVED"):
            monkeypatch.setattr(mutation, name, tmp_path / place / name)
        if address:
            monkeypatch.setenv(CLUSTER, address)
        found.append(verdicts(tmp_path / place))
    assert found[0] == found[1]
    outcomes = [outcome for _, outcome, _ in found[0][0]]
    assert len(outcomes) == MUTANTS and set(outcomes) <= {"killed", "equivalent"}
    assert all(result["compared"] > 1000 for result in found[0][1])
    built = [folder / "build" / "elaborated" for folder in clones]
    assert any(folder.exists() for folder in built), "nothing was simulated in a clone"


def waits(folder: str, name: str) -> dict[str, str]:
    """A job that says which process does it, and waits while it must."""
    Path(folder, f"{name}-{os.getpid()}.started").touch()
    wait_for(Path(folder, "go").exists)
    return {"by": str(os.getpid()), "in": str(Path.cwd())}


def test_killed_worker_loses_nothing(lab: str, clones: list[Path], tmp_path: Path) -> None:
    work = [
        Job(name, f"{HERE}:waits", {"folder": str(tmp_path), "name": name})
        for name in ("a", "b", "c", "d")
    ]
    killed: list[int] = []

    def kill_one() -> bool:
        started = sorted(tmp_path.glob("*.started"))
        if len(started) < 2:
            return False
        killed.append(int(re.findall(r"-(\d+)\.started", started[0].name)[0]))
        os.kill(killed[0], signal.SIGKILL)
        (tmp_path / "go").touch()
        return True

    import threading

    hand = threading.Thread(target=wait_for, args=(kill_one,))
    hand.start()
    done = jobs.run("waiting", work, tmp_path / "kept", executor=Cluster(lab))
    hand.join()
    assert len(done) == 4 and killed
    assert str(killed[0]) not in {found.result["by"] for found in done}
    assert {found.result["in"] for found in done} <= {str(folder) for folder in clones}


def test_worker_with_other_sources_is_named(scheduler: str, tmp_path: Path) -> None:
    other = clone(tmp_path / "other")
    source = other / "rtl" / "mlp_relu.v"
    source.write_text(source.read_text().replace("max(", "min("))
    process = worker(scheduler, other)
    try:
        wait_for(lambda: workers_of(scheduler))
        with pytest.raises(ExecutorError) as error:
            next(Cluster(scheduler).run([]), None)
    finally:
        stop(process)
    wait_for(lambda: not workers_of(scheduler))
    here = Checkout.here().sources[:8]
    sentence = (
        r"worker tcp://127\.0\.0\.1:\d+ must have the checkout and the tools of this machine, "
        rf"got sources [0-9a-f]{{8}} in place of {here}"
    )
    assert re.fullmatch(sentence, str(error.value))


def test_worker_of_several_threads_is_refused(scheduler: str, clones: list[Path]) -> None:
    process = worker(scheduler, clones[0], threads=2)
    try:
        wait_for(lambda: workers_of(scheduler))
        with pytest.raises(ExecutorError, match=r"must have 1 thread \(--nthreads 1\), got 2$"):
            next(Cluster(scheduler).run([]), None)
    finally:
        stop(process)
    wait_for(lambda: not workers_of(scheduler))


def test_scheduler_without_a_worker_is_one_sentence(scheduler: str) -> None:
    wait_for(lambda: not workers_of(scheduler))
    with pytest.raises(ExecutorError, match=rf"^the scheduler at {scheduler} has no worker yet$"):
        next(Cluster(scheduler).run([]), None)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "lab", "tcp://127.0.0.1:none"])
def test_unreachable_scheduler_is_one_sentence(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.executors.PATIENCE", 1)
    with pytest.raises(ExecutorError) as error:
        next(Cluster(address).run([]), None)
    assert str(error.value) == (
        "CLUSTER must be the address of a Dask scheduler that answers, such as "
        f"tcp://host:8786, got {address}"
    )


def test_checkouts_differ_in_sources_and_in_tools() -> None:
    here = Checkout.here()
    assert here.differs(here) is None
    tools = {**here.tools, "verilator": "0.1"}
    sentence = here.differs(Checkout(here.sources, tools))
    assert sentence == f"verilator 0.1 in place of {here.tools['verilator']}"
    assert Processes(2).workers == 2
