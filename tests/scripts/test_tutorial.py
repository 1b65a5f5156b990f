"""The tutorial does what it says: its commands are typed as they stand, and print what it shows."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from common.paths import ROOT

PAGE = ROOT / "docs/tutorial.md"
# What the machine needs is there where tests run; setting it up is tests/repo/test_setup.py's.
SET_UP = "make -o .venv/ready -o build/setup/icarus "


@dataclass
class Command:
    """A line to type, and lines that it must print."""

    text: str
    shown: list[str] = field(default_factory=list)


def commands(page: str) -> Iterator[Command]:
    """Every command of a page, in order."""
    current: Command | None = None
    for line in page.splitlines():
        if line.startswith("    $ "):
            if current is not None:
                yield current
            current = Command(line.removeprefix("    $ "))
        elif line.startswith("    ") and current is not None:
            current.shown.append(line.strip())
    if current is not None:
        yield current


def typed(command: Command) -> str:
    """What a command printed, in the folder of the project."""
    done = subprocess.run(
        ["bash", "-c", command.text.replace("make ", SET_UP, 1)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command.text}: {done.stderr}"
    return done.stdout


def missing(shown: list[str], printed: str) -> list[str]:
    """Lines that were not printed: each must be a line of its own, or the beginning of one."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    return [
        line for line in shown if not any(got.startswith(" ".join(line.split())) for got in lines)
    ]


def test_tutorial_is_short_and_ends_with_a_prediction(tmp_path: Path) -> None:
    for folder in ("build/tutorial", "build/fruit"):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    found = list(commands(PAGE.read_text()))
    assert 5 < len(found) < 15
    printed = ""
    for command in found:
        printed = typed(command)
        assert missing(command.shown, printed) == [], f"{command.text} printed {printed}"
    header, lime, lemon = (line.split(",") for line in printed.splitlines())
    assert header == ["class", "p_lemon", "p_lime"]
    assert (lime[0], lemon[0]) == ("lime", "lemon")
    assert int(lime[1]) + int(lime[2]) == int(lemon[1]) + int(lemon[2]) == 255


def test_a_command_that_fails_or_prints_something_else_is_noticed() -> None:
    (first, second) = commands("    $ echo one two\n    one\n    three\n\n    $ false\n")
    assert missing(first.shown, typed(first)) == ["three"]
    with pytest.raises(AssertionError, match="false: "):
        typed(second)
