"""No value of make's variables, and no path, reaches a shell or a makefile that takes it apart."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from common import paths
from common.paths import ROOT
from common.programs import SimulatorError
from tb.sim import simulators

VARIABLES = (
    *("SIM", "NETWORK", "WAVES", "TEST", "NETLIST"),
    *("TARGET", "DEVICE", "FOLD", "BOARD", "PYTHON"),
    *("LEARN", "LEARNED", "TRIMMED", "MARGIN", "L", "EPOCHS", "SEED"),
)
ODD = [*" \t\n:;|&<>'\"`\\*?!%=$#()[]{}"]
# Fine in a path, for make, for a shell and for Python.
EVEN = "né,+@^~-_.ü"


def make(
    *arguments: str, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What make says, and what it would do."""
    inherited = {k: v for k, v in os.environ.items() if k not in (*VARIABLES, "MAKEFLAGS")}
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *arguments],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def is_refused(done: subprocess.CompletedProcess[str], what: str) -> bool:
    """Whether make did nothing but say that ``what`` must be one word."""
    (first, *_) = done.stderr.splitlines()
    return done.returncode != 0 and not done.stdout and f"*** {what} must " in first


@pytest.mark.parametrize("odd", ODD, ids=[f"{ord(c):02x}" for c in ODD])
def test_odd_path_is_refused_in_one_sentence(odd: str) -> None:
    value = f"nets/a{odd}b.toml"
    assert is_refused(make("folds", f"NETWORK={value.replace('$', '$$')}"), "NETWORK")
    assert is_refused(make("folds", NETWORK=value), "NETWORK")
    assert paths.odd_characters(Path(value)) == [odd]


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_variable_runs_a_command(variable: str, tmp_path: Path) -> None:
    left = tmp_path / "left"
    for value in (f"$(shell touch {left})", f"`touch {left}`", f"x;touch {left}", "a b", ""):
        for done in (make("synth", f"{variable}={value}"), make("waves", **{variable: value})):
            assert is_refused(done, variable) or "must be" in done.stderr
            assert done.returncode != 0 and not done.stdout
    assert not left.exists()


def test_other_letters_reach_the_command_as_they_are(tmp_path: Path) -> None:
    recipe = tmp_path / EVEN / f"{EVEN}.toml"
    recipe.parent.mkdir()
    shutil.copy(ROOT / "model/networks/iris.toml", recipe)
    done = make("folds", f"NETWORK={recipe}")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "scripts.folds" in line]
    told = subprocess.run(
        [
            "sh",
            "-c",
            f'python() {{ for word; do echo "$word"; done; }}; {line.replace(".venv/bin/", "")}',
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert told[told.index("--network") + 1] == str(recipe)


@pytest.mark.parametrize("name", ["my checkout", "a:b", "a;b", "it's", "a$b", "a#b", "a\nb", "a,b"])
def test_checkout_in_an_odd_path_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for target in ("menu", "sim", "setup"):
        assert is_refused(make(target, folder=folder), "the path of this checkout")
    monkeypatch.setattr(simulators, "ROOT", folder)
    for simulator in simulators.SIMULATORS:
        with pytest.raises(SimulatorError, match="the path of this checkout must have no"):
            simulators.environment_of(simulator)


def test_a_learned_network_is_built_beside_the_trained_one() -> None:
    """Learning itself does not go into its own result."""
    for goal, where in (("sim", "build/iris/learned"), ("core", "build/iris/learned")):
        done = make(goal, "LEARNED=1")
        assert done.returncode == 0 and "scripts.train" not in done.stdout
        assert f"scripts.{goal} --build {where} " in done.stdout
    assert "--build build/iris --lanes" in make("learn", "LEARNED=1").stdout
    for simulator in ("icarus", "verilator"):
        assert f" --sim {simulator} " in make("learn", f"SIM={simulator}").stdout
    assert "SIM must be verilator or icarus, got 'vcs'" in make("learn", "SIM=vcs").stderr
    assert "scripts.report.terminal" in make("sim").stdout
    assert "scripts.report.terminal" not in make("sim", "LEARNED=1").stdout
    assert "LEARNED must be 0 or 1, got '2'" in make("sim", "LEARNED=2").stderr


def test_a_trimmed_network_is_built_beside_the_whole_one() -> None:
    """What is missing, or older than the whole one, is not made by the way."""
    for how, source in (((), "build/iris"), (("LEARNED=1",), "build/iris/learned")):
        for goal in ("sim", "core", "synth"):
            done = make(goal, "TRIMMED=1", *how)
            assert done.returncode == 0
            assert f"scripts.{goal} --build {source}/trimmed " in done.stdout
            assert "scripts.report.terminal" not in done.stdout
        done = make("trim", "TRIMMED=1", "MARGIN=3", *how)
        assert f"scripts.trim --network model/networks/iris.toml --build {source} --margin 3" in (
            done.stdout
        )
    assert "TRIMMED must be 0 or 1, got 'yes'" in make("sim", "TRIMMED=yes").stderr


@pytest.mark.parametrize("goal", ["report", "accuracy", "readme", "golden"])
def test_pages_are_of_the_trained_network(goal: str) -> None:
    for setting in ("TRIMMED=1", "LEARNED=1"):
        assert is_refused(make(goal, setting), f"{goal}: LEARNED and TRIMMED")
    assert make(goal).returncode == 0


def test_settings_of_python_stay_outside() -> None:
    """An optimized Python asserts nothing, a safe one does not find this folder."""
    done = subprocess.run(
        ["make", "--no-print-directory", "-f", "-", "show"],
        input=f"include {ROOT}/Makefile\nshow:\n\t@env | sed -n 's/^PYTHON[A-Z]*=.*/&/p'\n",
        cwd=ROOT,
        env=os.environ | {"PYTHONOPTIMIZE": "1", "PYTHONSAFEPATH": "1", "PYTHONHOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PYTHON=" in done.stdout
    assert not {"PYTHONOPTIMIZE", "PYTHONSAFEPATH", "PYTHONHOME"} & {
        line.partition("=")[0] for line in done.stdout.splitlines()
    }
