"""A build folder belongs to one recipe: no other one, and no stranger's file, meets it there."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import CommandError
from common.paths import BUILD, RECIPES, ROOT
from scripts.claim import MARKER, claim, described


def test_first_recipe_has_the_folder_and_keeps_it(tmp_path: Path) -> None:
    build, mine = tmp_path / "build/mine", tmp_path / "mine.toml"
    for _ in range(2):
        claim(build, mine)
        assert (build / MARKER).read_text() == f"{mine}\n"
    with pytest.raises(CommandError) as caught:
        claim(build, tmp_path / "other/mine.toml")
    assert str(caught.value) == (
        f"{build}: must be the folder of {tmp_path}/other/mine.toml, is that of {mine}: rename one "
        "of the two files, or move the folder away"
    )
    assert [path.name for path in build.iterdir()] == [MARKER]


def test_folder_with_something_else_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match=r"must be empty or not exist before .*mine.toml is"):
        claim(tmp_path / "mine", tmp_path / "mine.toml")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_folder_of_a_shipped_recipe_from_before_there_were_marks_is_taken(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_text("")
    claim(tmp_path, RECIPES / "iris.toml")
    assert (tmp_path / MARKER).read_text() == "model/networks/iris.toml\n"


def test_path_in_the_project_leads_from_its_folder() -> None:
    assert described(BUILD / "mine.toml") == "build/mine.toml"
    assert described(Path("/nowhere/mine.toml")) == "/nowhere/mine.toml"


def test_what_cannot_be_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    words = ["--network", tmp_path / "mine.toml", "--build", tmp_path / "mine"]
    command = [sys.executable, "-m", "scripts.claim", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{tmp_path}/mine: cannot be used: " in done.stderr
