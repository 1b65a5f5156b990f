"""A user's Python files: what lies beside them is importable, and counts as a source."""

import os
import string
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import model
from common.errors import CommandError
from model import recipe
from model.data import datasets
from model.frontends import load
from model.frontends.load import ModuleError, instantiate
from model.qat import checkpoint, training
from model.qat.checkpoint import CheckpointError
from scripts import train

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load("iris")
TRAIN, _ = datasets.split(FLOWERS, 0.2, 0)

BLOCKS = """
from torch import nn
def block(a, b):
    return nn.Sequential(nn.Linear(a, b), nn.ReLU())
"""
MINE = """
from torch import nn
from {helper} import block
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(block(4, 12), nn.Linear(12, 3))
"""


def of(folder, reference="mine.py:Net"):
    """The recipe of iris with a user's module, trained for a moment."""
    return replace(
        IRIS,
        module=reference,
        folder=folder,
        folds=recipe.Goal(target_cycles=64),
        training=replace(IRIS.training, epochs=2),
        fine_tuning=replace(IRIS.fine_tuning, epochs=0),
        softmax=replace(IRIS.softmax, score="exp"),
    )


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder, plan):
    return sorted(str(path.relative_to(folder)) for path in load.sources(plan))


@pytest.mark.parametrize("helper", ["blocks", "model", "common", "utils", "tb"])
def test_a_helper_beside_the_module_is_imported_and_is_a_source(tmp_path, helper):
    write(tmp_path, mine_py=MINE.format(helper=helper), **{f"{helper}_py": BLOCKS})
    assert names(tmp_path, of(tmp_path)) == sorted(["mine.py", f"{helper}.py"])
    assert sys.modules["model"] is model


def test_packages_their_parts_and_late_imports_are_sources(tmp_path):
    write(
        tmp_path,
        mine_py=MINE.format(helper="parts.deep.blocks"),
        parts____init___py="",
        parts__deep__blocks_py="from ..more import WIDTH\nimport late\n" + BLOCKS,
        parts__more_py="WIDTH = 3\n",
        late_py="",
        other_py="",
    )
    (tmp_path / "parts" / "__init__.py").write_text("")
    parts = [f"parts/{name}.py" for name in ("__init__", "deep/blocks", "more")]
    assert names(tmp_path, of(tmp_path)) == ["late.py", "mine.py", *parts]


def test_a_package_beside_the_recipe_needs_no_search_path(tmp_path):
    write(tmp_path, nets__mine_py=MINE.format(helper="nets.blocks"), nets__blocks_py=BLOCKS)
    plan = of(tmp_path, "nets.mine:Net")
    assert names(tmp_path, plan) == ["nets/blocks.py", "nets/mine.py"]
    assert load.sources(IRIS) == []


def test_a_data_file_that_the_module_reads_is_a_source(tmp_path):
    reads = "\nfrom pathlib import Path\nPath(__file__).with_name('width.txt').read_text()\n"
    write(tmp_path, blocks_py=BLOCKS, mine_py=MINE.format(helper="blocks") + reads)
    (tmp_path / "width.txt").write_text("12")
    assert names(tmp_path, of(tmp_path)) == ["blocks.py", "mine.py", "width.txt"]


def test_helpers_of_one_name_in_two_folders_do_not_meet(tmp_path):
    for width in (12, 7):
        folder = tmp_path / str(width)
        text = MINE.format(helper="blocks").replace("12", str(width))
        write(folder, mine_py=text, blocks_py=BLOCKS + f"\nWIDTH = {width}\n")
        module, found = instantiate("mine.py:Net", folder)
        assert module[1].in_features == width
        assert found == {(folder / name).resolve() for name in ("mine.py", "blocks.py")}


@pytest.mark.parametrize("file", ["mine.py", "blocks.py"])
def test_a_change_in_any_source_makes_the_checkpoint_stale(tmp_path, file):
    write(tmp_path, mine_py=MINE.format(helper="blocks"), blocks_py=BLOCKS)
    plan, path = of(tmp_path), tmp_path / "checkpoint.pt"
    trained = training.learn(plan, FLOWERS, TRAIN)
    checkpoint.save(trained, plan, FLOWERS, path)
    checkpoint.load(plan, FLOWERS, path)
    # Of the same length and within the same second, as byte code would not notice.
    text = (tmp_path / file).read_text()
    changed = text.replace("nn.ReLU()", "nn.Tanh()").replace("(4, 12)", "(4, 11)")
    assert changed != text
    (tmp_path / file).write_text(changed)
    with pytest.raises(CheckpointError, match="was trained from another recipe, data or code"):
        checkpoint.load(plan, FLOWERS, path)


def test_a_change_of_a_helper_is_seen_at_the_next_import(tmp_path):
    write(tmp_path, mine_py=MINE.format(helper="blocks"), blocks_py=BLOCKS)
    assert type(instantiate("mine.py:Net", tmp_path)[0][0][1]) is torch.nn.ReLU
    write(tmp_path, blocks_py=BLOCKS.replace("nn.ReLU()", "nn.Tanh()"))
    assert type(instantiate("mine.py:Net", tmp_path)[0][0][1]) is torch.nn.Tanh
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_missing_helper_and_a_missing_file_are_named(tmp_path):
    write(tmp_path, mine_py=MINE.format(helper="blocks"))
    with pytest.raises(ModuleError, match="ModuleNotFoundError: No module named 'blocks'"):
        load.sources(of(tmp_path))
    plan = replace(of(tmp_path), checkpoint="none.pt", training=None)
    with pytest.raises(ModuleError, match=r"none\.pt: cannot be read: no such file"):
        load.sources(plan)


# What make is told


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "Makefile").write_text("made:\n\t@echo made\n\t@touch made\n-include dep.d\n")
    return tmp_path


def make(folder):
    done = subprocess.run(["make"], cwd=folder, capture_output=True, text=True, check=True)
    return "made" in done.stdout.splitlines()


REFUSED = "&;=\\%|"


@pytest.mark.parametrize("character", [*"a0_é", *string.punctuation.replace("/", ""), *"\n\t\r "])
def test_every_character_of_a_path_is_watched_or_refused(watched, character):
    for name in (f"a{character}b", f"{character}touch pwned{character}", f"a{character}"):
        path = Path("folder", name)
        if not character.isprintable() or character in REFUSED or name.endswith(" "):
            with pytest.raises(CommandError, match="a path that make watches must not have"):
                train.make_rule(Path("made"), [path])
            continue
        (watched / "folder").mkdir(exist_ok=True)
        (watched / path).write_text("")
        (watched / "made").unlink(missing_ok=True)
        (watched / "dep.d").write_text(train.make_rule(Path("made"), [path]))
        assert make(watched)
        os.utime(watched / path, (1, 1))
        assert not make(watched)
        os.utime(watched / path, (4e9, 4e9))
        assert make(watched)
        (watched / path).unlink()
        assert make(watched)
    assert not (watched / "pwned").exists()


@pytest.mark.parametrize("name", ["x\ntouch pwned", "x\n\ttouch pwned", "~/x", "a\u2028b", "a;b"])
def test_a_name_that_could_be_a_command_is_refused_before_anything_is_trained(tmp_path, name):
    with pytest.raises(CommandError, match="a path that make watches must not have"):
        train.make_rule(Path("made"), [Path(name)])
