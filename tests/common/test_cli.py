"""A command that is stopped stops what it started; a full disk is named as the cause."""

import argparse
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common import cli
from common.files import write_atomically
from common.paths import ROOT
from common.programs import DISK_FULL, last_words
from tb.sim.simulators import complaint_in

PARSER = argparse.ArgumentParser(prog="command")
# A command whose program would run for a minute, and says, once it is waited for, which it is.
COMMAND = """
import argparse
import subprocess
from common import cli

def run(arguments):
    subprocess.run(["sh", "-c", "sleep 1; echo $$; exec sleep 60"])

cli.main(run, argparse.ArgumentParser())
"""


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_command_stops_its_program(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        program = int(process.stdout.readline())
        assert is_running(program)
        process.send_signal(how)
        assert process.wait(20) == 128 + how
        end = time.monotonic() + 10
        while is_running(program):
            assert time.monotonic() < end
            time.sleep(0.05)


def test_handlers_are_as_they_were_after_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["command"])
    before = signal.getsignal(signal.SIGTERM)
    during: list[object] = []
    cli.main(lambda _: during.append(signal.getsignal(signal.SIGTERM)), PARSER)
    assert during[0] != before == signal.getsignal(signal.SIGTERM)


def test_full_disk_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["command"])

    def full(_: argparse.Namespace) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "build/iris/network.json")

    with pytest.raises(SystemExit) as ended:
        cli.main(full, PARSER)
    assert ended.value.code == 2
    sentence = "command: build/iris/network.json: No space left on device\n"
    assert capsys.readouterr().err == sentence

    def other(_: argparse.Namespace) -> None:
        raise BrokenPipeError(errno.EPIPE, "no", "build")

    with pytest.raises(BrokenPipeError):
        cli.main(other, PARSER)


@pytest.mark.parametrize("place", ["folder", "file/below", "x" * 300])
def test_place_where_no_file_can_be_is_one_sentence(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(SystemExit) as ended:
        cli.main(lambda _: write_atomically(tmp_path / place, "text"), PARSER)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"command: {tmp_path}") and said.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_full_disk_is_what_a_program_is_quoted_with(tmp_path: Path) -> None:
    lines = [f"ar: libverilated.a: {DISK_FULL}", "make: *** [Vtop.mk:1] Error 1", "ERROR: failed"]
    done = subprocess.CompletedProcess([], 1, "", "\n".join(lines))
    assert last_words(done) == lines[0]
    (tmp_path / "build.log").write_text("%Error: make failed\n" + "\n".join(lines))
    assert complaint_in(tmp_path / "build.log") == lines[0]


def test_end_of_make_is_quoted_where_nothing_complains(tmp_path: Path) -> None:
    lines = ["/bin/sh: 1: python: not found", "make: *** [top.mk:1: top.cpp] Error 127"]
    after = ["make: Leaving directory '/build'", "%Error: 'make -f top.mk' exited with 2"]
    (tmp_path / "build.log").write_text("\n".join(lines + after))
    assert complaint_in(tmp_path / "build.log") == lines[1]
    (tmp_path / "build.log").write_text("\n".join(["top.cpp:1:1: error: lost", *lines, *after]))
    assert complaint_in(tmp_path / "build.log") == "top.cpp:1:1: error: lost"
    assert complaint_in(tmp_path / "no.log") == "no output"
