"""Outputs beside the softmax from a recipe on: trained, exported, equal in every value."""

import dataclasses
import re
from pathlib import Path

import pytest

from common.paths import RECIPES
from model import onnx_export, recipe, reference
from model.artifact import load, save
from model.data import datasets
from model.format import SpecError
from model.qat import quantize, training
from model.recipe import Recipe, RecipeError

SHORT = {"epochs": 300}


def plan_of(output: str, folder: Path, *, dataset: str = "iris") -> Recipe:
    """The recipe of a shipped network with another output, and few epochs."""
    text = (RECIPES / f"{dataset}.toml").read_text()
    text = re.sub(r"\[softmax\][^\[]*", "", text)
    text = re.sub(r"^(module|hidden) = .*$", "hidden = [16]", text, flags=re.MULTILINE)
    text = re.sub(r"\[folds[^\[]*", "", text) + "\n[folds]\ntarget_cycles = 40\n"
    path = folder / "own.toml"
    path.write_text(f'output = "{output}"\n{text}')
    plan = recipe.load(path)
    assert plan.training is not None
    return dataclasses.replace(
        plan,
        training=dataclasses.replace(plan.training, **SHORT),
        fine_tuning=dataclasses.replace(plan.fine_tuning, epochs=10),
    )


@pytest.mark.parametrize(
    ("output", "dataset"),
    [("logits", "iris"), ("argmax", "iris"), ("sigmoid", "breast_cancer")],
)
def test_pytorch_reference_and_onnx_agree(output: str, dataset: str, tmp_path: Path) -> None:
    plan = plan_of(output, tmp_path, dataset=dataset)
    data = datasets.load(plan.dataset, plan.folder)
    train, _ = datasets.split(data, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, data, train)
    network = quantize.export(trained.quantized, plan, {}, trained.scaling)
    assert network.spec.output.kind == output
    assert network.spec.output.classes == len(data.class_names)
    traced = trained.quantized.trace(trained.scaled(data.features))
    assert sum(quantize.compare(traced, network).values()) > 1000
    classes, _ = reference.predict(network, data.features)
    assert (classes == traced[f"{output}.class"]).all()
    assert (classes == data.labels).mean() > 0.85
    codes = reference.encode(network, data.features)
    assert (onnx_export.predict_codes(network, codes)[0] == classes).all()
    save(network, tmp_path / "network.json")
    assert load(tmp_path / "network.json").spec == network.spec


def test_sigmoid_of_three_classes_is_refused(tmp_path: Path) -> None:
    plan = plan_of("sigmoid", tmp_path)
    data = datasets.load("iris")
    with pytest.raises(SpecError, match="output sigmoid must have a dataset of 2 classes, got 3"):
        training.learn(plan, data, datasets.split(data, 0.2, 0)[0])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('output = "tanh"', "output must be one of softmax, logits, argmax, sigmoid, got 'tanh'"),
        ('output = "argmax"', "softmax must not be given beside output argmax"),
    ],
)
def test_recipe_names_an_output_that_there_is(line: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f"{line}\n{(RECIPES / 'iris.toml').read_text()}")
    with pytest.raises(RecipeError, match=sentence):
        recipe.load(path)
