"""A step in front of the first layer goes from the module to the features' scaling, all the way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from model import recipe, reference
from model.data import datasets
from model.data.scaling import Scaling
from model.frontends import load
from model.qat import checkpoint, quantize, training
from model.recipe import FineTuning, Training

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load("iris")
NETS = """
import torch
from torch import nn


class InFront(nn.Sequential):
    def __init__(self):
        super().__init__(nn.BatchNorm1d(4), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


class Two(InFront):
    def forward(self, x):
        z = super().forward(x)
        return {"hidden": x, "logits": z}
"""


def plan(folder, **keys):
    (folder / "nets.py").write_text(NETS)
    given = {
        "module": "nets.py:InFront",
        "features": "raw",
        "folds": recipe.Goal(target_cycles=64),
        "training": Training(epochs=60, learning_rate=0.05),
        "fine_tuning": FineTuning(epochs=5, learning_rate=0.001),
        **keys,
    }
    return replace(IRIS, **given, folder=folder)


@pytest.mark.parametrize("features", ["raw", "standardize"])
def test_a_norm_in_front_is_trained_and_becomes_the_scaling(tmp_path, features):
    own = plan(tmp_path, features=features)
    train, _ = datasets.split(FLOWERS, own.split.test_fraction, own.split.seed)
    trained = training.learn(own, FLOWERS, train)
    assert trained.scaling is not None and len(set(trained.scaling.scale)) == 4
    network = quantize.export(trained.quantized, own, {}, trained.scaling)
    traced = trained.quantized.trace(trained.scaled(FLOWERS.features))
    assert quantize.compare(traced, network)["softmax.class"] == 150
    classes, _ = reference.predict(network, FLOWERS.features)
    floats = training.probabilities(trained.module, trained.scaled(FLOWERS.features))
    assert (floats.argmax(axis=1) == FLOWERS.labels).mean() > 0.9
    assert (classes == FLOWERS.labels).mean() > 0.9
    checkpoint.save(trained, own, FLOWERS, tmp_path / "checkpoint.pt")
    again = checkpoint.load(own, FLOWERS, tmp_path / "checkpoint.pt")
    assert again.scaling == trained.scaling
    found = again.quantized.trace(again.scaled(FLOWERS.features))
    assert all((found[key] == traced[key]).all() for key in traced)


def test_a_norm_in_front_of_given_parameters_folds_into_the_given_scaling(tmp_path):
    torch.manual_seed(0)
    own = plan(tmp_path, training=None, checkpoint="net.pt")
    module, _ = load.instantiate("nets.py:InFront", tmp_path)
    with torch.no_grad():
        module[0].running_mean.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        module[0].weight.copy_(torch.tensor([0.5, -1.0, 2.0, 0.25]))
    torch.save(module.state_dict(), tmp_path / "net.pt")
    given = Scaling((5.0, 3.0, 4.0, 1.0), (2.0, 0.5, 4.0, 1.0))
    trained = training.learn(replace(own, features=given), FLOWERS, np.arange(150))
    norm = module.eval()[0]
    wanted = norm(torch.tensor(given.apply(FLOWERS.features)).float()).detach().numpy()
    signs = np.array([1, -1, 1, 1])
    assert np.allclose(trained.scaled(FLOWERS.features) * signs, wanted, atol=1e-4)


def test_a_recipe_names_the_result_that_is_taken(tmp_path):
    own = plan(tmp_path, module="nets.py:Two", result="logits")
    assert isinstance(load.make(own, FLOWERS), nn.Module)
    trained = training.learn(own, FLOWERS, np.arange(150))
    assert trained.quantized.layers[-1].linear.out_features == 3


@pytest.mark.parametrize("result", [True, 1.5, []])
def test_a_result_is_a_name_or_a_number(tmp_path, result):
    with pytest.raises(ValueError, match="result must be the name or number of one"):
        plan(tmp_path, result=result)
