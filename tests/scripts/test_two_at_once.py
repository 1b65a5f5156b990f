"""Two commands on one build folder: the second waits, and both say what the first alone would."""

import argparse
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from common import cli
from common.paths import ROOT
from model import images
from tb.sim.made_up import made_up
from tests.builds import SIMULATOR, build_of

NETWORK = made_up([4, 5, 3])
# A thread that does not come by then never will.
SECONDS = 60


def sim(build: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scripts.sim", "--build", str(build), "--sim", SIMULATOR]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_simulations_of_one_folder_both_succeed(tmp_path: Path) -> None:
    build_of(NETWORK, tmp_path)
    images.write_images(NETWORK, tmp_path / "mem")
    running = [sim(tmp_path) for _ in range(2)]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert all("all equal" in out for out, _ in said)
    waited = [err for _, err in said if "another command works there, waiting" in err]
    assert len(waited) == 1
    report = json.loads((tmp_path / f"rtl-{SIMULATOR}.json").read_text())
    assert report["samples"] == len(report["classes"]) == 40


def test_recipes_of_one_name_run_in_folders_of_their_own(tmp_path: Path) -> None:
    builds = [tmp_path / name for name in ("one", "two")]
    for seed, build in enumerate(builds):
        build.mkdir()
        network = made_up([4, 5, 3], seed=seed)
        build_of(network, build)
        images.write_images(network, build / "mem")
    running = [sim(build) for build in builds]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert not any("waiting" in err for _, err in said)


def test_a_command_that_waits_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser(prog="command")
    parser.add_argument("--build", type=Path)
    monkeypatch.setattr(sys, "argv", ["command", "--build", str(tmp_path / "build")])
    order: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def first(_: argparse.Namespace) -> None:
        inside.set()
        assert go_on.wait(SECONDS)
        order.append("first")

    thread = threading.Thread(target=cli.main, args=(first, parser), kwargs={"alone": True})
    thread.start()
    assert inside.wait(SECONDS)
    threading.Timer(0.5, go_on.set).start()
    cli.main(lambda _: order.append("second"), parser, alone=True)
    thread.join(SECONDS)
    assert order == ["first", "second"]
    assert "another command works there, waiting" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
