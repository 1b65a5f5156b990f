"""A network whose logits lie where its score falls is not exported unnoticed."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common import cli
from common.paths import GOLDEN_IRIS
from model import artifact, recipe
from model.data import datasets
from model.logits import Survey, WinnersError, require_winners, survey
from model.qat import checkpoint, training
from model.qat.quantize import QuantizedNetwork
from scripts import export

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load(IRIS.dataset)
TRAIN, TEST = datasets.split(FLOWERS, IRIS.split.test_fraction, IRIS.split.seed)
SWAPPED = replace(
    IRIS,
    training=replace(IRIS.training, epochs=150, learning_rate=0.01),
    fine_tuning=replace(IRIS.fine_tuning, epochs=0),
)
SPEC = artifact.load(GOLDEN_IRIS).spec


@pytest.fixture(scope="module")
def swapped():
    """A network trained with the ordinary softmax, the polynomial put in its place afterwards."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "raise_logits", lambda layers, features, lowest: None)
        return training.learn(SWAPPED, FLOWERS, TRAIN)


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Runs the export of a trained network as a person does: status, and the folder written to."""

    def run(trained, plan, *arguments):
        (tmp_path / "recipe.toml").touch()
        checkpoint.save(trained, plan, FLOWERS, tmp_path / checkpoint.FILE)
        monkeypatch.setattr(recipe, "load", lambda path: plan)
        monkeypatch.setattr(sys, "argv", ["export", "--build", str(tmp_path), *arguments])
        try:
            cli.main(export.run, export.parser())
        except SystemExit as ended:
            return ended.code, tmp_path
        return 0, tmp_path

    return run


def changed(trained, samples):
    """Samples whose largest score is not that of their largest logit, counted from the tensors."""
    traced = trained.quantized.trace(FLOWERS.features[samples])
    return int((traced["fc3.y"].argmax(axis=1) != traced["softmax.scores"].argmax(axis=1)).sum())


def test_export_refuses_a_polynomial_swapped_in_afterwards(swapped, command, capsys):
    count = changed(swapped, TRAIN)
    assert count > 10
    status, build = command(swapped, SWAPPED)
    assert status == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith("python -m scripts.export: layer fc3: its logits reach down to -")
    assert f"changes the winners of {count} of 120 calibration samples" in errors
    assert "raise fine_tuning.epochs" in errors and "take score 'exp'" in errors
    assert {path.name for path in build.iterdir()} == {"recipe.toml", "checkpoint.pt"}


def test_export_allows_as_many_changed_winners_as_it_is_told_and_not_one_more(swapped, command):
    count = changed(swapped, TRAIN)
    assert command(swapped, SWAPPED, "--allow-changed-winners", str(count - 1))[0] == 2
    status, build = command(swapped, SWAPPED, "--allow-changed-winners", str(count))
    assert status == 0
    assert artifact.load(build / "network.json").spec.softmax.score == "taylor2"


def test_only_training_samples_are_calibration_data(swapped, command, capsys):
    assert changed(swapped, TEST) > 0
    status, _ = command(swapped, SWAPPED, "--allow-changed-winners", str(changed(swapped, TRAIN)))
    assert status == 0
    overruled = changed(swapped, np.arange(150))
    assert f"overrules the largest logit of {overruled} of 150" in capsys.readouterr().out


def test_the_other_score_takes_the_same_logits_as_they_are(swapped, command, capsys):
    plan = replace(SWAPPED, softmax=replace(SWAPPED.softmax, score="exp"))
    same = replace(
        swapped,
        quantized=QuantizedNetwork(swapped.quantized.module, swapped.quantized.formats, "exp"),
    )
    assert command(same, plan)[0] == 0
    assert "0 where the score falls; it overrules the largest logit of 0 of 150" in (
        capsys.readouterr().out
    )


def test_logits_that_fall_nowhere_pass_whatever_the_winners():
    tie = Survey(-1.0, 4.0, 9, falling=0, saturated=0, samples=3, overruled=1)
    require_winners(SPEC, tie, allowed=0)
    with pytest.raises(WinnersError, match="winners of 1 of 3 calibration samples"):
        require_winners(SPEC, replace(tie, falling=1), allowed=0)


def test_logits_that_fall_without_changing_a_winner_pass():
    frac = SPEC.softmax.x.frac
    traced = {
        "fc3.y": np.array([[-2, 4, 0]]) << frac,
        "softmax.class": np.array([1]),
    }
    found = survey(SPEC, traced)
    assert (found.falling, found.overruled) == (1, 0)
    require_winners(SPEC, found, allowed=0)


def test_a_relu_behind_the_last_layer_makes_the_logits():
    rectified = SPEC.with_layers((*SPEC.layers[:-1], replace(SPEC.layers[-1], relu=True)))
    assert (SPEC.logits_key, rectified.logits_key) == ("fc3.y", "fc3.relu")
