"""The starter is a recipe as it stands, and never overwrites a file."""

import argparse
from pathlib import Path

import pytest

from common.errors import CommandError, VerbatimError
from model import recipe
from model.data.userdata import DataFile
from model.folding import Goal
from model.recipe import RecipeError
from model.sparsity import Sparsity
from scripts import new

CSV = "size,kind\n1,a\n2,b\n"


def write(
    path: Path,
    data: Path | None = None,
    label: str | None = None,
    leave_out: tuple[str, ...] = (),
    header: str | None = None,
) -> recipe.Recipe:
    new.run(
        argparse.Namespace(
            recipe=path, data=data, label=label, leave_out=list(leave_out), header=header
        )
    )
    return recipe.load(path)


@pytest.mark.parametrize(
    ("file", "name"),
    [("mine.toml", "mine"), ("my-net-2.toml", "my_net_2"), ("9.toml", "network_9")],
)
def test_starter_is_a_recipe_of_that_name(tmp_path: Path, file: str, name: str) -> None:
    plan = write(tmp_path / file)
    assert (plan.name, plan.dataset, plan.hidden) == (name, "iris", (16,))
    assert plan.folds == Goal(target_cycles=32)


def test_starter_finds_its_samples_from_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    data = tmp_path / 'my "best" data.csv'
    data.write_text(CSV)
    plan = write(tmp_path / "recipes/mine.toml", data, "kind")
    assert plan.dataset == DataFile(f"../{data.name}", "kind")
    (found,) = plan.files()
    assert found.read_text() == CSV


def test_every_line_that_is_commented_out_is_legal_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    write(path)
    text = path.read_text()
    for old, uncommented in (
        ("hidden = [16]", "module = "),
        ("hidden = [16]", "onnx = "),
        ("target_cycles = 32", "max_multipliers = "),
        ("target_cycles = 32", "fc1 = "),
        ("", "[formats.layers.fc1]"),
        ("", "[area]"),
    ):
        changed = text.replace(f"# {uncommented}", uncommented)
        changed = changed.replace(old, f"# {old}", 1) if old else changed
        if uncommented == "onnx = ":
            before, _, rest = changed.partition("\n[training]")
            changed = before + rest[rest.index("[fine_tuning]") :]
            path.write_text(changed)
            with pytest.raises(RecipeError, match="features must not be 'standardize' beside"):
                recipe.load(path)
            changed = changed.replace("# features = {", "features = {")
            changed = changed.replace('features = "standardize"', "# ")
        if uncommented.startswith("[formats"):
            changed = changed.replace("# weights_width", "weights_width")
        if uncommented == "[area]":
            changed = changed.replace("# penalty", "penalty").replace("# lost", "lost")
        assert changed != text
        path.write_text(changed)
        area = recipe.load(path).area
        assert area == (Sparsity(penalty=0.001, lost=0.01) if uncommented == "[area]" else None)


@pytest.mark.parametrize("name", ["mine.toml", "mine.txt"])
def test_a_file_that_is_there_or_no_toml_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.toml").write_text("precious")
    with pytest.raises(CommandError, match=rf"{name}: (is there already|expected a path)"):
        write(tmp_path / name)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("mine.toml", "precious")]


@pytest.mark.parametrize(
    "name", ["my nets/a.toml", "it's.toml", "a$b.toml", "a\nb.toml", "a=b.toml"]
)
def test_a_path_that_make_would_take_apart_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    with pytest.raises(CommandError, match="its whole path must have no"):
        write(path)
    assert not path.exists()
    write(tmp_path / "né,+.toml")


def test_samples_that_are_none_leave_no_recipe(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("size,kind\nbig,a\n")
    with pytest.raises(VerbatimError, match="column 'size' is 'big'"):
        write(tmp_path / "mine.toml", data)
    assert not (tmp_path / "mine.toml").exists()


def test_what_is_wrong_with_samples_is_said_at_once_and_the_key_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.csv"
    rows = [f"{n},{(n * 37) % 11 / 4},{'ab'[n % 3 == 0]}\n" for n in range(1, 31)]
    data.write_text("".join(["Id,size,kind\n", *rows]))
    write(tmp_path / "mine.toml", data)
    said = capsys.readouterr()
    assert "2 features (Id, size), classes a, b" in said.out
    assert "WARNING: " in said.err and "feature 'Id' counts the samples from 1 to 30" in said.err
    plan = write(tmp_path / "other.toml", data, leave_out=("Id",), header="yes")
    assert plan.dataset == DataFile("data.csv", None, (), ("Id",), True)
    assert capsys.readouterr().err == ""


def test_a_file_without_header_has_all_its_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("1.5,2,a\n2.5,1,b\n3.5,4,a\n0.5,2,b\n\n")
    write(tmp_path / "mine.toml", data)
    assert "4 samples, 2 features (column_1, column_2)" in capsys.readouterr().out
