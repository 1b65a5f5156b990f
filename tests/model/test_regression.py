"""Regressions from a file on: real targets, trained, exported, equal, in their own units again."""

import dataclasses

import numpy as np
import pytest
import torch

from common.errors import VerbatimError
from model import Network, artifact, onnx_export, recipe, reference
from model.data import datasets
from model.data.scaling import TargetScaling
from model.data.userdata import DataFile, as_found
from model.learning.from_recipe import of_recipe
from model.metrics import fit, misfitting
from model.qat import checkpoint, quantize, training
from model.recipe import RecipeError
from scripts import new
from studies import accuracy

RNG = np.random.default_rng(7)
X = RNG.uniform(-1, 1, (60, 3)).round(3)
Y = np.stack([200 + 90 * X[:, 0] - 40 * X[:, 1], X[:, 2] * X[:, 0]], axis=1).round(3)


def table(folder, targets=1):
    names = ["a", "b", "c", "price", "gain"][: 3 + targets]
    rows = np.hstack([X, Y[:, :targets]])
    text = "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows.tolist())])
    (folder / "own.csv").write_text(text + "\n")
    return folder / "own.csv"


def plan_of(folder, data, **changes):
    (folder / "own.toml").write_text(new.starter(folder / "own.toml", data))
    plan = recipe.load(folder / "own.toml")
    return dataclasses.replace(
        plan,
        training=dataclasses.replace(plan.training, epochs=150, learning_rate=0.03),
        fine_tuning=dataclasses.replace(plan.fine_tuning, epochs=15),
        **changes,
    )


@pytest.mark.parametrize("count", [1, 2])
def test_targets_are_learned_and_given_back_in_their_units(count, tmp_path):
    table(tmp_path, count)
    source = DataFile("own.csv", targets=("price", "gain")[:count])
    plan, data = plan_of(tmp_path, source), datasets.load(source, tmp_path)
    assert data.feature_names == ("a", "b", "c") and np.array_equal(data.targets, Y[:, :count])
    train, test = datasets.split(data, 0.2, 0)
    assert len(test) == 12
    trained = training.learn(plan, data, train)
    network = quantize.export(trained.quantized, plan, {}, trained.scaling, trained.targets)
    output = network.spec.output
    assert (output.kind, output.classes, output.n) == ("logits", 0, count)
    traced = trained.quantized.trace(trained.scaled(data.features))
    assert "logits.class" not in traced
    assert quantize.compare(traced, network)["logits.values"] == 60 * count
    codes = reference.encode(network, data.features)
    assert (onnx_export.predict_codes(network, codes)[1] == traced["logits.values"]).all()
    named = dataclasses.replace(network, names=data.names)
    artifact.save(named, tmp_path / "network.json")
    found = Network.load(tmp_path / "network.json").predict(data.features)
    assert set(found.results) == {"values"}
    step = output.y.lsb * np.array(trained.targets.scale)
    wanted = traced["logits.values"] * step + np.array(trained.targets.offset)
    assert np.array_equal(found.values, wanted)
    assert fit(Y[train, :1], found.values[train, :1]).r2 > 0.9
    floats = training.values(trained, trained.scaled(data.features))
    assert fit(Y[train, :1], floats[train, :1]).r2 > 0.9
    checkpoint.save(trained, plan, data, tmp_path / "own.pt")
    again = checkpoint.load(plan, data, tmp_path / "own.pt")
    assert again.targets == trained.targets


def test_a_starter_of_a_measured_column_is_a_regression(tmp_path, capsys):
    path = table(tmp_path)
    arguments = new.parser().parse_args([str(tmp_path / "mine.toml"), "--data", str(path)])
    new.run(arguments)
    assert "60 samples, 3 features (a, b, c), a regression on price" in capsys.readouterr().out
    plan = recipe.load(tmp_path / "mine.toml")
    assert plan.is_regression and plan.output == "logits"
    assert plan.dataset == DataFile("own.csv", targets=("price",))


def test_a_column_of_classes_stays_one(tmp_path):
    lines = "\n".join(f"{n}.5,{n % 3}" for n in range(40))
    (tmp_path / "own.csv").write_text(f"a,kind\n{lines}\n")
    source = DataFile("own.csv")
    assert as_found(source, tmp_path) == source


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"targets": ("cost",)}, "targets has 'cost', expected some of a, b, c, price"),
        ({"targets": ("price",), "label": "a"}, "without label and classes"),
        ({"targets": ("a", "b", "c", "price")}, "leaves no feature"),
        ({}, r"for a regression on it, dataset = \{ \.\.\., targets = \['price'\] \}"),
    ],
)
def test_wrong_targets_are_refused(source, words, tmp_path):
    table(tmp_path)
    with pytest.raises(VerbatimError, match=words):
        datasets.load(DataFile("own.csv", **source), tmp_path)


def test_a_regression_has_the_output_logits(tmp_path):
    table(tmp_path)
    text = new.starter(tmp_path / "own.toml", DataFile("own.csv", targets=("price",)))
    (tmp_path / "own.toml").write_text(text.replace('output = "logits"', 'output = "argmax"'))
    with pytest.raises(RecipeError, match=r"output must be 'logits' beside .*'argmax'"):
        recipe.load(tmp_path / "own.toml")


def test_what_is_of_classes_alone_refuses_a_regression(tmp_path):
    table(tmp_path)
    path = tmp_path / "own.toml"
    plan = plan_of(tmp_path, DataFile("own.csv", targets=("price",)))
    with pytest.raises(VerbatimError, match="tells classes apart, got targets of a regression"):
        of_recipe(plan, 3, 1, 40)
    arguments = accuracy.parser().parse_args(["--network", str(path), "--build", str(tmp_path)])
    with pytest.raises(VerbatimError, match="accuracy is of classes, got targets of a regression"):
        accuracy.run(arguments)


def test_an_end_that_changes_values_is_refused(tmp_path):
    table(tmp_path)
    (tmp_path / "own.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())\n"
    )
    source = DataFile("own.csv", targets=("price",))
    plan = plan_of(tmp_path, source, hidden=None, module="own.py:Net")
    data = datasets.load(source, tmp_path)
    with pytest.raises(VerbatimError, match="sigmoid behind the last Linear changes values of a"):
        training.learn(plan, data, np.arange(40))


def test_an_activation_at_the_end_gives_targets_as_they_are(tmp_path):
    y = np.tanh(X @ [1.0, 2.0, -1.0])
    np.savez(tmp_path / "own.npz", features=X, gain=y)
    (tmp_path / "own.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Tanh())\n"
    )
    source = DataFile("own.npz", targets=("gain",))
    plan = plan_of(tmp_path, source, hidden=None, module="own.py:Net")
    data = datasets.load(source, tmp_path)
    trained = training.learn(plan, data, np.arange(60))
    network = quantize.export(trained.quantized, plan, {}, trained.scaling, trained.targets)
    assert trained.targets is None
    found = network.values(reference.predict(network, X)[1])
    assert fit(y[:, None], found).r2 > 0.97 and np.abs(found).max() <= 1


def test_a_scaling_of_targets_is_undone_exactly():
    targets = np.array([[100.0, 7.0], [300.0, 7.0]])
    found = TargetScaling.standardizing(targets)
    assert isinstance(found, TargetScaling) and found.scale == (128.0, 1.0)
    assert np.array_equal(found.undo(found.apply(targets)), targets)
    assert np.abs(found.apply(targets)).max() < 1


def test_what_quantization_costs_a_regression_is_said():
    targets = np.arange(8.0)[:, None]
    assert misfitting(targets, targets, targets + 0.1) is None
    assert "has R2 0.4286, the float network 1.0000" in str(
        misfitting(targets, targets, targets.mean() + (targets - 3.5) * 0.2441)
    )


def test_the_loss_is_the_mean_squared_error(tmp_path):
    plan = plan_of(tmp_path, DataFile("own.csv", targets=("price",)))
    net = torch.nn.Sequential(torch.nn.Linear(3, 1))
    settings = dataclasses.replace(plan.training, epochs=400, learning_rate=0.05)
    training.train_float(net, X, X[:, :1] * 2 - 1, settings)
    assert torch.allclose(net[0].weight, torch.tensor([[2.0, 0, 0]]), atol=0.02)
    assert torch.allclose(net[0].bias, torch.tensor([-1.0]), atol=0.02)
