"""The command that trims: the folder that it leaves, and who takes it from there."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from common import cli
from common.errors import CommandError
from common.paths import RECIPES
from model import artifact, reference, trimming
from scripts import bitstream, core, predict, trim
from scripts.claim import MARKER
from scripts.expected import FILE, read_expected
from tb.sim.made_up import made_up
from tests.builds import build_of, golden_build
from tests.cores import OUTPUTS, compiled_by_icarus, run

RECIPE = str(RECIPES / "iris.toml")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command in this process; its output, or the sentence that it ends with."""

    def run(command, *arguments: object) -> str:  # type: ignore[no-untyped-def]
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "80")
        try:
            cli.main(command.run, command.parser())
        except SystemExit as ended:
            assert ended.code == 2
            return capsys.readouterr().err
        found = capsys.readouterr()
        return found.out + found.err

    return run


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    (tmp_path / "iris").mkdir()
    return golden_build(tmp_path / "iris")


def trim_iris(call: Callable[..., str], iris: Path, *how: object) -> str:
    return call(trim, "--network", RECIPE, "--build", iris, *how)


def test_folder_is_like_that_of_an_export(call: Callable[..., str], iris: Path) -> None:
    said = trim_iris(call, iris)
    assert re.search(r"│ all +│ +93 │ +14 │ +13 │ +2,010 │ +1,574 │", said), said
    assert re.search(r"│ feature 3 │ +0.125 │ +2.5 │ +2 .. 40 │", said)
    assert "box: 8,380,710 inputs; 80,664 values of 20,166 of them equal" in said
    assert max(map(len, said.splitlines()[:-3])) <= 80
    folder = iris / trim.FOLDER
    smaller = artifact.load(folder / "network.json")
    assert trimming.box_of(smaller) is not None
    assert (folder / MARKER).is_file() and list((folder / "mem").glob("*_weights.mem"))
    before, after = read_expected(iris / FILE), read_expected(folder / FILE)
    assert set(after) == {"features", "labels", "train", "test", "input", "float.class"}
    assert all((before[key] == after[key]).all() for key in after)
    assert trim_iris(call, iris) == said


def test_margin_widens_the_box(call: Callable[..., str], iris: Path) -> None:
    assert "box: 9,783,420 inputs" in trim_iris(call, iris, "--margin", 1)
    assert "margin must be 0 or more, got -1" in trim_iris(call, iris, "--margin", -1)


def test_trimmed_network_is_not_trimmed_again(call: Callable[..., str], tmp_path: Path) -> None:
    build = build_of(OUTPUTS["trimmed"], tmp_path)
    said = call(trim, "--network", RECIPE, "--build", build)
    assert "must not be trimmed already" in said and not (build / trim.FOLDER).exists()


def test_network_without_constant_neurons_stays_whole(
    call: Callable[..., str], tmp_path: Path
) -> None:
    network = made_up([3, 4])
    build = build_of(network, tmp_path)
    said = call(trim, "--network", RECIPE, "--build", build)
    assert re.search(r"│ all +│ +4 │ +0 │ +0 │ +12 │ +12 │", said), said
    smaller = artifact.load(build / trim.FOLDER / "network.json")
    codes = reference.encode(network, read_expected(build / FILE)["features"])
    assert trimming.compare(network, smaller, codes) == 5 * len(codes)


def test_core_is_made_from_it_and_passes(call: Callable[..., str], iris: Path) -> None:
    trim_iris(call, iris)
    assert "iris_core, written" in call(core, "--build", iris / trim.FOLDER)
    made = iris / trim.FOLDER / "core"
    assert (made / "rtl/mlp_range.v").is_file()
    facts = json.loads((made / "core.json").read_text())
    assert facts["box"] == {"low": [69, 32, 16, 2], "high": [126, 70, 110, 40]}
    done = run(*compiled_by_icarus(made), cwd=made)
    assert done.stdout.startswith("PASS: iris_core: "), done.stdout


def test_prediction_warns_of_samples_outside(
    call: Callable[..., str], iris: Path, tmp_path: Path
) -> None:
    trim_iris(call, iris)
    table = tmp_path / "samples.csv"
    table.write_text("5.1,3.5,1.4,0.2\n5.1,3.5,1.4,7.5\n6.3,3.3,6.0,2.5\n")
    arguments = ("--input", table, "--network", iris / trim.FOLDER / "network.json")
    said = call(predict, *arguments)
    assert "WARNING: " in said and "1 of 3 samples are outside of its box" in said
    table.write_text("5.1,3.5,1.4,0.2\n")
    assert "WARNING" not in call(predict, *arguments)


def test_board_refuses_it(tmp_path: Path) -> None:
    build = build_of(OUTPUTS["trimmed"], tmp_path)
    with pytest.raises(CommandError, match="must not be trimmed, since a board's answers"):
        bitstream.predict(build, bitstream.BOARDS["icebreaker"])


def test_nothing_is_written_where_results_differ(
    call: Callable[..., str], iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trimming, "constants", lambda *_: {"fc2": {index: 0 for index in range(9)}})
    assert "must give class and values" in trim_iris(call, iris)
    assert not (iris / trim.FOLDER).exists()
    assert np.load(iris / FILE)["features"].shape == (150, 4)
