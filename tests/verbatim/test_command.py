"""The command in a checkout: its verbs, the networks that it finds, what it does again."""

import contextlib
import io
import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.errors import CommandError
from common.paths import GOLDEN_IRIS, RECIPES, ROOT
from scripts.claim import MARKER
from verbatim import cli, places, steps
from verbatim.places import Place, place
from verbatim.steps import Step
from verbatim.verbs import VERBS
from verbatim.version import version

Said = tuple[int, str, str]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Runs the command in an empty folder; its status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "BUILD", tmp_path / "build")

    def run(*words: str) -> Said:
        output, errors, status = io.StringIO(), io.StringIO(), 0
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            try:
                cli.main(words)
            except SystemExit as ending:
                status = int(ending.code or 0)
        return status, output.getvalue(), errors.getvalue()

    return run


def test_menu_has_every_verb_and_the_version_is_stated_once(command: Callable[..., Said]) -> None:
    status, said, errors = command()
    assert (status, errors) == (0, "") and said == command("--help")[1]
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == list(VERBS)
    assert command("--version") == (0, f"verbatim {version()}\n", "")
    text = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{version()}"' in text
    assert f"\n## {version()}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_verb_has_help_that_names_nothing_of_make(verb: str, command: Callable[..., Said]) -> None:
    status, said, _ = command(verb, "--help")
    assert status == 0 and said.startswith(f"usage: verbatim {verb} ")
    assert "--build" not in said and "python -m" not in said
    assert VERBS[verb].words[1:] in " ".join(said.split())


def test_command_is_a_process_with_a_status() -> None:
    for word, status in (("--version", 0), ("simulate", 2)):
        done = subprocess.run(
            [sys.executable, "-m", "verbatim", word],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status and done.stderr.count("\n") == status // 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("simulate",), "verbatim: verb must be one of new, folds, train, sim, "),
        (("sim", "irises"), "verbatim sim: network must be one of breast_cancer, digits, iris, "),
        (("folds", "mine.toml"), "verbatim folds: mine.toml: cannot be read: no such file"),
        (("train", "mine.json"), "verbatim train: mine.json: must be a recipe, a .toml"),
        (("core", "mine.json"), "verbatim core: mine.json: needs --samples, a .csv or an .npz "),
        (
            ("core", "mine.json", "--samples", "no.csv"),
            "verbatim core: no.csv: cannot be read: no such file or directory",
        ),
        (
            ("synth", "mine.json", "--target", "gpu"),
            "verbatim synth: target must be one of ecp5, ice40, xc7, got 'gpu'",
        ),
        (("predict", "x.csv"), "verbatim predict: --network must name a network, since build/ h"),
        (("core", "a b.json", "--samples", "x.csv"), "verbatim core: a b.json: its name must have"),
        (
            ("core", "bad.json", "--samples", "x.csv"),
            "verbatim core: bad.json: must be a network",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: tuple[str, ...], sentence: str, command: Callable[..., Said]
) -> None:
    for name in ("mine.json", "a b.json"):
        Path(name).write_text(GOLDEN_IRIS.read_text())
    Path("bad.json").write_text("{}")
    Path("x.csv").write_text("5.1,3.5,1.4,0.2\n")
    status, said, errors = command(*words)
    assert (status, said, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(sentence)
    assert not Path("build/bad").exists()


# Networks and their folders


def test_network_is_found_by_name_and_by_path(command: Callable[..., Said]) -> None:
    build = Path("build")
    assert place("iris") == Place("iris", RECIPES / "iris.toml", build / "iris")
    Path("mine.toml").write_text("")
    assert place("mine.toml") == Place("mine.toml", Path("mine.toml"), build / "mine")
    Path("mine.json").write_text("")
    found = place("mine.json")
    assert not found.is_recipe and found.network == build / "mine/network.json"


def test_network_in_a_folder_of_its_own_stays_there(command: Callable[..., Said]) -> None:
    Path("mine.json").write_text(GOLDEN_IRIS.read_text())
    Path("x.csv").write_text("5.1,3.5,1.4,0.2\n")
    assert command("core", "mine.json", "--samples", "x.csv")[0] == 0
    assert Path("build/mine", MARKER).read_text().endswith("mine.json\n")
    found = place("build/mine/network.json")
    assert found.build == Path("build/mine") and found.network == found.source
    status, said, _ = command("core", "build/mine/network.json", "--samples", "x.csv")
    assert status == 0 and said.startswith("build/mine/core: iris_core, is up to date\n")
    assert [path.name for path in Path("build").iterdir()] == ["mine"]
    # The only one needs no name.
    assert command("predict", "x.csv")[:2] == (0, "0\n")


def test_folder_of_another_network_is_refused_and_kept(command: Callable[..., Said]) -> None:
    Path("x.csv").write_text("5.1,3.5,1.4,0.2\n")
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(folder, "mine.json").write_text(GOLDEN_IRIS.read_text())
    assert command("core", "one/mine.json", "--samples", "x.csv")[0] == 0
    before = {path: path.read_bytes() for path in Path("build").rglob("*") if path.is_file()}
    status, said, errors = command("core", "two/mine.json", "--samples", "x.csv")
    assert (status, said, errors.count("\n")) == (2, "", 1)
    assert "build/mine: must be the folder of " in errors and "one/mine.json: rename" in errors
    after = {path: path.read_bytes() for path in Path("build").rglob("*") if path.is_file()}
    assert after == before


def test_changed_file_of_a_network_is_taken(command: Callable[..., Said]) -> None:
    text = GOLDEN_IRIS.read_text()
    Path("mine.json").write_text(text)
    steps.network(place("mine.json"))
    assert Path("build/mine/network.json").read_text() == text
    Path("mine.json").write_text(text + "\n")
    steps.network(place("mine.json"))
    assert Path("build/mine/network.json").read_text() == text + "\n"


# Steps


def step_of(folder: Path, code: str = "a") -> Step:
    return Step(folder / "build", "step", {"code": code})


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A folder in which a step was done, that read ``in`` and left ``build/out``."""
    (tmp_path / "build").mkdir()
    (tmp_path / "in").write_text("in")
    out = tmp_path / "build/out"
    step_of(tmp_path).do([tmp_path / "in"], lambda: put(out, "out"), lambda: [out])
    return tmp_path


def put(path: Path, text: str) -> None:
    path.write_text(text)


def test_step_is_done_once(done: Path) -> None:
    assert step_of(done).is_done()
    # A project that is moved stays as it is.
    moved = done.rename(done.with_name(f"{done.name}-moved"))
    assert step_of(moved).is_done()


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: put(folder / "in", "other"),
        lambda folder: (folder / "in").unlink(),
        lambda folder: put(folder / "build/out", "other"),
        lambda folder: (folder / "build/out").unlink(),
        lambda folder: put(folder / "build" / steps.RECORD, "no JSON"),
        lambda folder: put(folder / "build" / steps.RECORD, "[]"),
        lambda folder: (folder / "build" / steps.RECORD).unlink(),
    ],
)
def test_changed_file_does_a_step_again(done: Path, change: Callable[[Path], Any]) -> None:
    change(done)
    assert not step_of(done).is_done()


def test_changed_code_or_another_step_is_not_done(done: Path) -> None:
    assert not step_of(done, "b").is_done()
    assert not Step(done / "build", "other", {"code": "a"}).is_done()
    step_of(done, "b").do([], lambda: None, lambda: [])
    assert set(json.loads((done / "build" / steps.RECORD).read_text())) == {"step"}


def test_step_that_fails_is_not_done(done: Path) -> None:
    def fail() -> None:
        raise CommandError("no")

    with pytest.raises(CommandError):
        step_of(done, "b").do([done / "in"], fail, lambda: [])
    assert not step_of(done, "b").is_done() and step_of(done).is_done()


def test_file_that_changes_while_a_step_runs_does_it_again(done: Path) -> None:
    source, out = done / "in", done / "build/out"
    step_of(done).do([source], lambda: put(source, "later"), lambda: [out])
    assert not step_of(done).is_done()


def test_waveform_is_left_out_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        steps, "simulated", lambda place, simulator, *, waves: asked.append((simulator, waves))
    )
    shown: list[Namespace] = []
    monkeypatch.setattr("scripts.report.terminal.run", shown.append)
    cli.main(["sim", "iris", "--sim", "icarus"])
    cli.main(["sim", "iris", "--no-waves"])
    assert asked == [("icarus", True), ("verilator", False)]
    assert [one.sim for one in shown] == ["icarus", "verilator"]
