"""Training, export and their commands: exact, repeatable, good enough, loud where they fail."""

import argparse
import copy
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from common import cli, files, results
from model import artifact, images, recipe, reference
from model.compare import DifferenceError
from model.data import datasets
from model.data.scaling import Scaling
from model.format import Format, SpecError
from model.frontends import torch_fx
from model.frontends.irisnet import IrisNet
from model.frontends.torch_fx import FrontendError
from model.logits import survey
from model.metrics import measure, misfit, shortfall
from model.qat import checkpoint, quantize, training
from model.qat.calibration import best_format, calibrate, fake_quantize
from model.qat.checkpoint import CheckpointError
from model.qat.losses import taylor2
from model.qat.quantize import QuantizedNetwork
from model.qat.training import TrainingError
from model.widths import InputFormat
from scripts import export, train
from studies import accuracy

NETWORK = Path("model/networks/iris.toml")
IRIS = recipe.load(NETWORK)
FLOWERS = datasets.load(IRIS.dataset)
TRAIN, TEST = datasets.split(FLOWERS, IRIS.split.test_fraction, IRIS.split.seed)
SHORT = replace(
    IRIS,
    training=replace(IRIS.training, epochs=60, learning_rate=0.01),
    fine_tuning=replace(IRIS.fine_tuning, epochs=20),
)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def short():
    return training.learn(SHORT, FLOWERS, TRAIN)


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """A build folder in which both commands ran on the recipe of the repository."""
    folder = tmp_path_factory.mktemp("iris")
    arguments = argparse.Namespace(network=NETWORK, build=folder, allow_changed_winners=0)
    train.run(arguments)
    export.run(arguments)
    return folder


def integers(trained, plan=SHORT):
    return quantize.export(trained.quantized, plan, {})


def test_the_recipe_reaches_the_accuracy_of_its_source(build):
    network = artifact.load(build / "network.json")
    classes, _ = reference.predict(network, FLOWERS.features)
    assert measure(FLOWERS.labels[TRAIN], classes[TRAIN]).correct >= 118
    assert measure(FLOWERS.labels[TEST], classes[TEST]).correct >= 29
    assert (len(TRAIN), len(TEST)) == (120, 30)


def test_no_layer_takes_more_than_30_cycles(build):
    spec = artifact.load(build / "network.json").spec
    assert max(layer.cycles for layer in spec.layers) == spec.interval == 30


def test_export_writes_images_and_every_tensor_that_pytorch_computed(build):
    network = artifact.load(build / "network.json")
    images.check_images(network.spec, build / "mem")
    expected = np.load(build / "expected.npz")
    assert expected["features"].tolist() == FLOWERS.features.tolist()
    assert expected["labels"].tolist() == FLOWERS.labels.tolist()
    assert expected["train"].tolist() == TRAIN.tolist()
    assert expected["test"].tolist() == TEST.tolist()
    wanted = reference.trace(network, reference.quantize(FLOWERS.features, network.spec.x))
    only_reference = {"softmax.quotients", "softmax.probabilities"}
    only_float = {"features", "labels", "train", "test", "float.class", "float.probabilities"}
    assert set(expected) - only_float == set(wanted) - only_reference
    for key in set(wanted) - only_reference:
        assert (expected[key] == wanted[key]).all(), key
    assert np.allclose(expected["float.probabilities"].sum(axis=1), 1, atol=1e-5)
    assert (expected["float.probabilities"].argmax(axis=1) == expected["float.class"]).all()


def test_both_commands_leave_their_seconds_and_no_temporary_file(build):
    for step in ("train", "export"):
        content = json.loads((build / "seconds" / f"{step}.json").read_text())
        assert content["step"] == step
        assert content["seconds"] > 0
    names = {path.name for path in build.iterdir()}
    exported = {"network.json", "network.onnx", "expected.npz", "mem"}
    assert names == {"checkpoint.pt", "checkpoint.d", *exported, "seconds"}


def test_export_gives_the_same_bytes_again(build, tmp_path):
    arguments = argparse.Namespace(network=NETWORK, build=tmp_path, allow_changed_winners=0)
    (tmp_path / "checkpoint.pt").write_bytes((build / "checkpoint.pt").read_bytes())
    export.run(arguments)
    paths = [Path("network.json"), Path("network.onnx"), Path("expected.npz")]
    paths += [path.relative_to(build) for path in sorted((build / "mem").iterdir())]
    assert len(paths) == 3 + len(images.image_shapes(artifact.load(build / "network.json").spec))
    for path in paths:
        assert (tmp_path / path).read_bytes() == (build / path).read_bytes(), path


def test_training_gives_the_same_network_again_and_another_for_another_seed(short, tmp_path):
    texts = []
    for number, plan in enumerate((SHORT, SHORT, replace(SHORT, seed=1))):
        trained = short if number == 0 else training.learn(plan, FLOWERS, TRAIN)
        artifact.save(integers(trained), tmp_path / f"{number}.json")
        texts.append((tmp_path / f"{number}.json").read_text())
    assert texts[0] == texts[1] != texts[2]


def test_training_never_sees_a_test_sample(short, tmp_path):
    features, labels = FLOWERS.features.copy(), FLOWERS.labels.copy()
    features[TEST], labels[TEST] = 9.9, 0
    disturbed = training.learn(SHORT, replace(FLOWERS, features=features, labels=labels), TRAIN)
    for key, weights in integers(short).weights.items():
        assert (weights == integers(disturbed).weights[key]).all()


def test_provenance_is_complete_and_knows_no_time():
    found = quantize.provenance(IRIS, FLOWERS)
    assert found == quantize.provenance(IRIS, FLOWERS)
    assert found["dataset_sha256"] == FLOWERS.sha256
    assert found["recipe_sha256"] == IRIS.sha256
    assert found["seeds"] == {"training": 0, "split": 0}
    assert set(found["versions"]) == {"python", "numpy", "torch", "scikit-learn"}
    assert found["versions"]["torch"].partition("+")[0] == torch.__version__.partition("+")[0]


def test_fine_tuning_lowers_the_loss_of_the_calibrated_network(short):
    calibrated = training.fine_tune(
        short.module,
        FLOWERS.features[TRAIN],
        FLOWERS.labels[TRAIN],
        replace(SHORT, fine_tuning=replace(SHORT.fine_tuning, epochs=0)),
    )

    def loss(network):
        traced = network.trace(FLOWERS.features[TRAIN])
        chosen = traced["softmax.scores"][np.arange(len(TRAIN)), FLOWERS.labels[TRAIN]]
        return -np.log(chosen / traced["softmax.totals"]).mean()

    assert loss(short.quantized) < loss(calibrated)


def test_raised_logits_start_at_minus_one_and_leave_the_ordinary_softmax_alone(short):
    module = training.copy.deepcopy(short.module).double()
    layers = torch_fx.layers(module)
    x = torch.tensor(FLOWERS.features)
    before = module(x)
    training.raise_logits(layers, FLOWERS.features, -1.0)
    logits = torch_fx.outputs(layers, x)[-1]
    assert logits.min().item() == pytest.approx(-1)
    assert torch.allclose(module(x), before, atol=1e-12)
    assert (taylor2(logits).argmax(dim=1) == before.argmax(dim=1)).all()


def test_logits_of_a_shared_last_layer_are_not_raised():
    linear = nn.Linear(3, 3).double()
    before = linear.bias.detach().clone()
    layers = torch_fx.layers(nn.Sequential(linear, linear, nn.Softmax(dim=1)))
    training.raise_logits(layers, np.ones((2, 3)), -1.0)
    assert torch.equal(linear.bias, before)


def test_fake_quantization_passes_the_gradient_except_where_it_saturates():
    x = torch.tensor([-9.0, -8.0, 0.03, 7.9, 8.1], dtype=torch.float64, requires_grad=True)
    y = fake_quantize(x, Format(8, 4))
    assert y.tolist() == [-8.0, -8.0, 0.0, 7.875, 7.9375]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(("largest", "frac"), [(0.0, 31), (7.9375, 4), (7.94, 3), (1e30, -16)])
def test_calibration_takes_the_finest_format_that_holds_the_largest_value(largest, frac):
    assert best_format(8, largest) == Format(8, frac)


def test_calibration_looks_at_negative_extremes_too():
    module = nn.Sequential(nn.Linear(1, 2), nn.Softmax(dim=1)).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[-1.5], [0.1]]))
        module[0].bias.fill_(0.0)
    formats = calibrate(torch_fx.layers(module), np.array([[2.0]]), IRIS.formats)
    assert formats.weights["layer_0"] == Format(8, 6)
    assert formats.outputs["layer_0"] == Format(8, 5)


def test_calibration_keeps_every_shift_and_the_logits_frac_legal():
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2), nn.Softmax(dim=1)).double()
    widths = replace(IRIS.formats, input=Format(8, -2))
    features = np.array([[400.0, -300.0], [100.0, 500.0]])
    plan = replace(SHORT, folds={f"layer_{n}": recipe.Fold(1, 1) for n in range(2)})

    def spec_of(scale):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(torch.linspace(-scale, scale, parameter.numel()).view_as(parameter))
        formats = calibrate(torch_fx.layers(module), features, widths)
        return quantize.export(QuantizedNetwork(module, formats, "taylor2"), plan, {}).spec

    for scale, logits_frac in ((1e-6, 16), (0.1, 4), (1.0, 0)):
        spec = spec_of(scale)
        assert min(layer.shift for layer in spec.layers) >= 0
        assert spec.softmax.x.frac == logits_frac
    for scale in (1e4, 1e9):
        spec = spec_of(scale)
        assert spec.layers[1].w.frac + spec.layers[1].x.frac == spec.softmax.x.frac == 0


def test_a_shared_layer_has_one_weight_matrix_and_biases_for_each_use(short):
    network = integers(short)
    assert set(network.weights) == {"fc1", "fc2", "fc3"}
    assert set(network.biases) == {"fc1", "fc2", "fc2_2", "fc3"}
    bias = short.quantized.layers[1].linear.bias.detach().numpy()
    for layer in network.spec.layers[1:3]:
        codes = np.rint(bias * 2.0 ** (layer.w.frac + layer.x.frac))
        assert network.biases[layer.name].tolist() == codes.tolist()


def test_a_layer_without_bias_is_exported_with_zeros():
    module = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Softmax(dim=1)).double()
    formats = calibrate(torch_fx.layers(module), FLOWERS.features, IRIS.formats)
    network = QuantizedNetwork(module, formats, "taylor2")
    plan = replace(SHORT, folds={"layer_0": recipe.Fold(1, 1)})
    exported = quantize.export(network, plan, {})
    assert exported.biases["layer_0"].tolist() == [0, 0, 0]
    assert sum(quantize.compare(network.trace(FLOWERS.features), exported).values()) > 0


def test_a_survey_counts_logits_that_saturate_or_lie_where_the_score_falls(short):
    spec = integers(short).spec
    frac = spec.softmax.x.frac
    one = 1 << frac
    traced = {
        "fc3.y": np.array([[-one, 0, one], [-one - 1, -128, 0], [127, -one, -one - 1]]),
        "softmax.class": np.array([2, 1, 0]),
    }
    found = survey(spec, traced)
    assert (found.lowest, found.highest) == (-128 / one, 127 / one)
    assert (found.count, found.falling, found.saturated) == (9, 3, 2)
    assert (found.samples, found.overruled) == (3, 1)
    assert "3 where the score falls; it overrules the largest logit of 1 of 3" in str(found)


@pytest.mark.parametrize("key", ["weights", "biases"])
def test_one_lsb_in_one_parameter_is_noticed_by_the_comparison(short, key):
    network = integers(short)
    traced = short.quantized.trace(FLOWERS.features)
    assert sum(quantize.compare(traced, network).values()) == sum(t.size for t in traced.values())
    changed = {name: array.copy() for name, array in getattr(network, key).items()}
    changed["fc1"].flat[-1] -= 1
    with pytest.raises(DifferenceError, match=r"fc1\.acc: sample 0, neuron 29: PyTorch gives"):
        quantize.compare(traced, replace(network, **{key: changed}))


@pytest.mark.parametrize("tensor", ["input", "fc2_2.relu", "softmax.totals", "softmax.class"])
def test_one_wrong_value_in_one_tensor_is_noticed_by_the_comparison(short, tensor):
    traced = short.quantized.trace(FLOWERS.features)
    traced[tensor] = traced[tensor].copy()
    traced[tensor].flat[-1] += 1
    # A changed input changes what the reference is run on, so that the first sums differ.
    noticed = "fc1.acc" if tensor == "input" else tensor
    place = "sample 149, neuron [0-9]+" if traced[noticed].ndim > 1 else "sample 149"
    with pytest.raises(DifferenceError, match=f"{noticed}: {place}: PyTorch gives"):
        quantize.compare(traced, integers(short))


def test_a_comparison_of_nothing_or_of_another_shape_is_no_agreement(short):
    with pytest.raises(DifferenceError, match="at least one sample must be compared, got none"):
        quantize.compare(short.quantized.trace(np.zeros((0, 4))), integers(short))
    traced = short.quantized.trace(FLOWERS.features)
    traced["fc1.y"] = traced["fc1.y"][:-1]
    with pytest.raises(DifferenceError, match=r"fc1\.y: PyTorch gives \(149, 30\), the reference"):
        quantize.compare(traced, integers(short))


def test_a_loss_that_is_not_finite_stops_training():
    module = IrisNet()
    features = FLOWERS.features * 1e38
    with pytest.raises(
        TrainingError, match=r"loss must be finite, got nan in epoch \d+ at learning_r"
    ):
        training.train_float(module, features, FLOWERS.labels, IRIS.training)


def test_a_dataset_of_another_shape_is_refused():
    wine = datasets.load("wine")
    with pytest.raises(TrainingError, match=r"= \(4, 3\), expected .* = \(13, 3\) of dataset wine"):
        training.learn(IRIS, wine, np.arange(100))


@pytest.mark.parametrize("wrong", [{"fc1": recipe.Fold(1, 1)}, {}])
def test_folds_of_other_layers_are_refused_before_training(wrong):
    with pytest.raises(SpecError, match=r"folds must name the layers fc1, fc2, fc2_2, fc3, got "):
        training.learn(replace(IRIS, folds=wrong), FLOWERS, TRAIN)


def test_a_checkpoint_of_another_recipe_other_data_or_damaged_is_refused(short, tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(short, SHORT, FLOWERS, path)
    again = checkpoint.load(SHORT, FLOWERS, path)
    for key, weights in integers(short).weights.items():
        assert (weights == integers(again).weights[key]).all()
    other = replace(FLOWERS, labels=1 - FLOWERS.labels.clip(0, 1))
    for plan, dataset in ((replace(SHORT, seed=1), FLOWERS), (SHORT, other)):
        with pytest.raises(CheckpointError, match=r"checkpoint\.pt: was trained from another rec"):
            checkpoint.load(plan, dataset, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: cannot be read, train first"):
        checkpoint.load(SHORT, FLOWERS, path)
    with pytest.raises(CheckpointError, match=r"none\.pt: cannot be read, train first"):
        checkpoint.load(SHORT, FLOWERS, tmp_path / "none.pt")
    torch.save({"sources_sha256": SHORT.sha256}, path)
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        checkpoint.load(SHORT, FLOWERS, path)


# The first bias of the fine-tuned chain.
FIRST = "linears.0.bias"


@pytest.mark.parametrize(
    ("keys", "entry", "sentence"),
    [
        (("float",), 1, "float has not the parameters fc1.weight, "),
        (("float", "fc1.bias"), torch.full((30,), float("nan")), "float.fc1.bias is not finite"),
        (("float", "fc1.bias"), torch.zeros(29), r"float.fc1.bias is no torch.float32 of \[30\]"),
        (("fine_tuned", FIRST), torch.zeros(30), f"fine_tuned.{FIRST} is no torch.float64"),
        (("fine_tuned", FIRST), "x", f"fine_tuned.{FIRST} is no torch.float64"),
        (("formats",), {}, "formats.weights is not for fc1, fc2, fc3"),
        (("formats", "outputs", "fc1"), {"width": 8}, "formats.outputs.fc1: key 'frac' is missing"),
        (("formats", "x", "width"), 99, "formats.x: .*width must be .*, got 99"),
    ],
)
def test_a_checkpoint_with_a_damaged_part_is_refused_by_its_name(
    short, tmp_path, keys, entry, sentence
):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(short, SHORT, FLOWERS, path)
    content = torch.load(path, weights_only=True)
    *parents, last = keys
    holder = content
    for key in parents:
        holder = holder[key]
    holder[last] = entry
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=rf"checkpoint\.pt: is damaged, .*{sentence}"):
        checkpoint.load(SHORT, FLOWERS, path)


def test_a_command_ends_a_known_error_with_one_sentence_and_status_2(monkeypatch, capsys, tmp_path):
    arguments = ["train", "--network", "none.toml", "--build", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        cli.main(train.run, cli.build_parser("scripts.train", "Train."))
    assert ended.value.code == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith("python -m scripts.train: none.toml: cannot be read: ")


def test_a_command_does_not_hide_an_error_that_nobody_foresaw(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train"])

    def run(arguments):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        cli.main(run, cli.build_parser("scripts.train", "Train."))


def test_a_failed_step_leaves_neither_seconds_nor_half_a_file(tmp_path):
    (tmp_path / "whole").write_text("before")
    with (
        pytest.raises(RuntimeError),
        cli.step(tmp_path, "fails"),
        files.whole_file(tmp_path / "whole") as temporary,
    ):
        temporary.write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    assert (tmp_path / "whole").read_text() == "before"


def test_cross_validation_tests_every_sample_once_for_each_seed():
    work = list(accuracy.jobs(SHORT, seeds=2, splits=5))
    assert len(work) == 10
    for seed in range(2):
        tested = [sample for job in work if job.seed == seed for sample in job.test]
        assert sorted(tested) == list(range(150))
    for job in work:
        assert sorted(job.train + job.test) == list(range(150))


def test_cross_validation_reports_the_points_that_quantization_costs():
    baselines = {"logistic": 144, "tree": 141}
    totals = {
        0: {"float": 147, "calibrated": 90, "fine_tuned": 144, "mse_4": 135, **baselines},
        1: {"float": 144, "calibrated": 120, "fine_tuned": 144, **baselines},
    }
    figures = accuracy.report(SHORT, totals, splits=5)
    mean = {"float": 97.0, "calibrated": 70.0, "fine_tuned": 96.0, "logistic": 96.0, "tree": 94.0}
    assert figures["mean_percent"] == mean
    assert figures["points_lost"] == 1.0
    assert figures["percent_at_width"]["mse"] == {"4": 90.0}


def test_cross_validation_counts_every_network_and_width_and_keeps_what_is_done(tmp_path):
    first, *_ = accuracy.jobs(SHORT, seeds=1, splits=5)
    few = replace(first, plan=replace(SHORT, fine_tuning=replace(SHORT.fine_tuning, epochs=2)))
    right = accuracy.correct(few)
    assert list(right) == few.columns == [*accuracy.NETWORKS, *few.columns[5:]]
    assert len(right) == 5 + len(accuracy.WAYS) * len(accuracy.WIDTHS)
    assert all(0 <= count <= 30 for count in right.values())
    assert all(right[name] >= 20 for name in ("float", "max_8", "channels_8", "logistic", "tree"))
    task = accuracy.task_of(few)
    found = {"result": dict.fromkeys(few.columns, 7), "seconds": 1.0}
    results.keep(tmp_path, task.name, task.key, found)
    totals = accuracy.cross_validate([few], 1, tmp_path)
    assert totals == {0: dict.fromkeys(few.columns, 7)}
    for other in (replace(few, seed=1), replace(few, plan=SHORT), replace(few, widths=False)):
        assert accuracy.task_of(other).key != task.key


# What is said before and after training


def trained_elsewhere(folder, module, **keys):
    torch.save(module.state_dict(), folder / "own.pt")
    return replace(SHORT, training=None, checkpoint="own.pt", folder=folder, **keys)


def test_weights_that_were_pruned_stay_zero(tmp_path, short):
    module = copy.deepcopy(short.module)
    torch.manual_seed(0)
    kept = {name: torch.rand_like(p) > 0.5 for name, p in module.named_parameters() if p.ndim == 2}
    with torch.no_grad():
        for name, mask in kept.items():
            module.get_parameter(name).mul_(mask)
    plan = trained_elsewhere(tmp_path, module)
    found = training.learn(plan, FLOWERS, TRAIN)
    before, after = module.state_dict(), found.quantized.module.state_dict()
    codes = quantize.export(found.quantized, plan, {}).weights
    for number, (name, mask) in enumerate(kept.items()):
        tuned = after[f"linears.{number}.weight"]
        assert (tuned[~mask] == 0).all() and (codes[name.removesuffix(".weight")][~mask] == 0).all()
        assert (tuned[mask] != before[name][mask]).any()


def test_standardized_features_are_refused_beside_parameters_trained_elsewhere(tmp_path):
    scaling = Scaling((0.0,) * 4, (2.0,) * 4)
    for features in ("raw", scaling):
        trained_elsewhere(tmp_path, IrisNet(), features=features)
    for source in ({"checkpoint": "own.pt"}, {"onnx": "own.onnx", "module": None}):
        with pytest.raises(
            SpecError, match=r"features must not be 'standardize' .* \(x - offset\)"
        ):
            replace(SHORT, training=None, features="standardize", **source)
    assert replace(SHORT, features="standardize").features == "standardize"


def test_a_module_with_a_hook_is_refused_before_training(monkeypatch):
    class Hooked(IrisNet):
        def __init__(self):
            super().__init__()
            self.fc3.register_forward_hook(lambda module, x, y: y.flip(1))

    class Outside(IrisNet):
        def __call__(self, x):
            return super().__call__(x).flip(1)

    for kind, words in ((Hooked, "fc3 has a forward hook"), (Outside, "own outputs differ")):
        monkeypatch.setattr("model.frontends.irisnet.IrisNet", kind)
        monkeypatch.setattr(training, "train_float", lambda *arguments: pytest.fail("trained"))
        with pytest.raises(FrontendError, match=words):
            training.learn(SHORT, FLOWERS, TRAIN)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"softmax": replace(IRIS.softmax, lanes=2)}, "lanes must be a divisor of n = 3"),
        ({"stream": recipe.Stream(3, 1)}, "in_lanes must be a divisor of number of inputs = 4"),
        ({"stream": recipe.Stream(1, 2)}, "out_lanes must be a divisor"),
        ({"folds": {**IRIS.folds, "fc1": recipe.Fold(3, 1)}}, "simd must be a divisor of n_in = 4"),
    ],
)
def test_what_export_refuses_is_said_before_training(changes, words, monkeypatch):
    monkeypatch.setattr(training, "train_float", lambda *arguments: pytest.fail("trained"))
    with pytest.raises(SpecError, match=words):
        training.learn(replace(SHORT, **changes), FLOWERS, TRAIN)


@pytest.mark.parametrize("calibration", ["max", "mse"])
@pytest.mark.parametrize("width", [2, 3, 8, 16])
def test_calibration_chooses_nothing_that_export_refuses(width, calibration):
    torch.manual_seed(0)
    formats = replace(IRIS.formats.at(width), calibration=calibration)
    for features in (1e-9, 1e-3, 1.0, 1e3, 1e6):
        x = FLOWERS.features[TRAIN] * features
        for scale in (0.0, 1e-6, 1.0, 1e3, 1e6):
            module = IrisNet()
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter.mul_(scale)
            for frac in (None, -16, 31):
                chosen = replace(formats, input=InputFormat(width, frac))
                plan = replace(SHORT, formats=chosen, softmax=replace(SHORT.softmax, score="exp"))
                training.rehearse(torch_fx.layers(module), x, plan)


def test_quantization_that_ruins_a_network_is_said_loudly():
    labels = np.arange(100) % 4
    good, bad = labels.copy(), np.zeros(100, np.int64)
    slightly = np.where(np.arange(100) < 5, 3 - labels, labels)
    assert shortfall(labels, good, good) is shortfall(labels, good, slightly) is None
    assert shortfall(labels, bad, bad) is shortfall(labels, bad, good) is None
    sentence = shortfall(labels, good, bad)
    assert sentence is not None
    assert sentence.startswith("the quantized network is correct on 25/100 samples, the float netw")
    assert "on 100/100: widen formats.weights_width" in sentence


def test_parameters_that_hardly_fit_the_data_are_said_with_the_order_that_would():
    labels, names = np.arange(90) % 3, ("a", "b", "c")
    assert misfit(labels, labels, names) is None
    noisy = np.where(np.arange(90) < 10, 0, labels)
    assert misfit(labels, noisy, names) is None
    sentence = misfit(labels, (labels + 1) % 3, names)
    assert sentence is not None and "in the order c, a, b it would be correct on 90" in sentence
    sentence = misfit(labels, np.zeros(90, np.int64), names)
    assert sentence is not None and "on 30/90 training samples: check the scaling" in sentence


def test_commands_warn_where_two_bits_ruin_the_network(tmp_path, capsys):
    text = NETWORK.read_text().replace("weights_width = 8", "weights_width = 2")
    text = text.replace('score = "taylor2"', 'score = "exp"').replace("epochs = 200", "epochs = 0")
    (tmp_path / "iris.toml").write_text(text.replace("epochs = 1000", "epochs = 300"))
    arguments = argparse.Namespace(
        network=tmp_path / "iris.toml", build=tmp_path / "build", allow_changed_winners=0
    )
    train.run(arguments)
    assert "WARNING" not in capsys.readouterr().err
    export.run(arguments)
    said = capsys.readouterr()
    assert "WARNING: the quantized network is correct on" in said.err
    assert "quantized network correct on" in said.out


def test_the_network_knows_the_names_of_its_features_and_classes(build):
    names = artifact.load(build / "network.json").names
    assert names is not None
    assert (names.features, names.classes) == (FLOWERS.feature_names, FLOWERS.class_names)
