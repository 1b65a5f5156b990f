"""Outputs by what a network ends in, and by its targets: sigmoids, and logits as they are."""

import dataclasses

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from common.errors import VerbatimError
from model import Network, artifact, onnx_export, recipe, reference
from model.data import datasets
from model.data.userdata import DataFile, as_found
from model.frontends import onnx as reader
from model.frontends import torch_fx
from model.qat import checkpoint, quantize, training

RNG = np.random.default_rng(5)
X = RNG.uniform(-1, 1, (80, 4)).round(3)
LABELS = np.stack([X[:, 0] > 0, X[:, 1] + X[:, 2] > 0, X[:, 3] > -0.5], axis=1).astype(int)
PRICES = np.stack([90 * X[:, 0] + 200, X[:, 1] * X[:, 2]], axis=1)

RECIPE = """
name = "own"
dataset = {{ {dataset} }}
{network}
seed = 0
split = {{ test_fraction = 0.2, seed = 0 }}
training = {{ epochs = 150, learning_rate = 0.02 }}
fine_tuning = {{ epochs = 10, learning_rate = 0.001 }}
formats = {{ input = {{ width = 8 }}, weights_width = 8, activations_width = 8 }}
folds = {{ target_cycles = 16 }}
"""
NETS = """
from torch import nn


class One(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1), nn.Sigmoid())


class Three(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), nn.Sigmoid())


class Bare(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 6), nn.PReLU(), nn.Linear(6, 2))
"""


def plan_of(folder, network, dataset='file = "own.npz"', **arrays):
    """A recipe beside its data and its modules."""
    np.savez(folder / "own.npz", features=X, **(arrays or {"labels": LABELS[:, 0]}))
    (folder / "nets.py").write_text(NETS)
    (folder / "own.toml").write_text(RECIPE.format(dataset=dataset, network=network))
    return recipe.load(folder / "own.toml")


def learned(plan, folder):
    """The network of a recipe, equal to PyTorch's and ONNX Runtime's, and its samples."""
    data = datasets.load(plan.dataset, folder)
    train, _ = datasets.split(data, 0.2, 0)
    trained = training.learn(plan, data, train)
    checkpoint.save(trained, plan, data, folder / "own.pt")
    trained = checkpoint.load(plan, data, folder / "own.pt")
    network = quantize.export(trained.quantized, plan, {}, trained.scaling, trained.targets)
    traced = trained.quantized.trace(trained.scaled(data.features))
    assert sum(quantize.compare(traced, network).values()) > 1000
    codes = reference.encode(network, data.features)
    classes, results = reference.predict(network, data.features)
    found = onnx_export.predict_codes(network, codes)
    assert np.array_equal(found[0], classes) and np.array_equal(found[1], results)
    artifact.save(dataclasses.replace(network, names=data.names), folder / "network.json")
    return Network.load(folder / "network.json"), data


@pytest.mark.parametrize("form", ["module", "onnx"])
def test_an_end_in_a_sigmoid_gives_a_sigmoid_unasked(form, tmp_path):
    plan = plan_of(tmp_path, 'module = "nets.py:One"')
    if form == "onnx":
        onnx.save(sigmoid_model(), tmp_path / "one.onnx")
        text = (
            (tmp_path / "own.toml")
            .read_text()
            .replace('module = "nets.py:One"', 'onnx = "one.onnx"')
        )
        lines = [line for line in text.splitlines() if not line.startswith("training")]
        (tmp_path / "own.toml").write_text("\n".join(lines).replace("epochs = 10", "epochs = 0"))
        plan = recipe.load(tmp_path / "own.toml")
    network, data = learned(plan, tmp_path)
    assert (network.spec.output.kind, network.spec.output.n) == ("sigmoid", 1)
    found = network.predict(data.features)
    assert found.probabilities.shape == (80, 1)
    wanted = data.labels
    if form == "onnx":
        with torch.no_grad():
            own = reader.load(tmp_path / "one.onnx")(torch.tensor(X, dtype=torch.float32))
        wanted = (own[:, 0] > 0.5).numpy()
    assert (found.classes == wanted).mean() > 0.95
    assert np.array_equal(found.classes, found.probabilities[:, 0] > 127)


def test_a_softmax_that_is_given_is_taken(tmp_path):
    softmax = 'softmax = { score = "exp", divider = "reciprocal" }'
    plan = plan_of(tmp_path, f'module = "nets.py:One"\n{softmax}')
    network, _ = learned(plan, tmp_path)
    assert (network.spec.output.kind, network.spec.output.n) == ("softmax", 2)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ('module = "nets.py:Bare"', "softmax or output must be given"),
        ("hidden = [4]", "key 'softmax' is missing"),
        ('module = "nets.py:Three"', "behind a Linear of one output, or for targets"),
        ('hidden = [4]\noutput = "argmax"\nranked = false', "beside output 'logits', got False"),
        ('hidden = [4]\noutput = "logits"\nranked = 1', "ranked must be true or false"),
    ],
)
def test_an_output_that_is_not_said_is_refused(network, words, tmp_path):
    with pytest.raises(VerbatimError, match=words):
        learned(plan_of(tmp_path, network), tmp_path)


@pytest.mark.parametrize("network", ['module = "nets.py:Three"', "hidden = [8]"])
def test_independent_labels_have_a_sigmoid_each(network, tmp_path):
    targets = 'file = "own.npz", targets = ["marks"]'
    plan = plan_of(tmp_path, f'{network}\noutput = "sigmoid"', targets, marks=LABELS)
    network, data = learned(plan, tmp_path)
    assert data.class_names == ("marks_0", "marks_1", "marks_2")
    assert (network.spec.output.kind, network.spec.output.n) == ("sigmoid", 3)
    found = network.predict(data.features)
    assert list(found.results) == ["probabilities"] and network.targets is None
    assert np.array_equal(network.values(found.probabilities), found.fractions)
    assert ((found.probabilities > 127) == LABELS).mean() > 0.95


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (LABELS[:, :1], "must have two targets or more, got marks alone: give it as label"),
        (LABELS + 1, "target 'marks_0' is 2, expected 0 or 1 beside output sigmoid"),
    ],
)
def test_labels_that_are_none_are_refused(marks, words, tmp_path):
    targets = 'file = "own.npz", targets = ["marks"]'
    plan = plan_of(tmp_path, 'hidden = [4]\noutput = "sigmoid"', targets, marks=marks)
    with pytest.raises(VerbatimError, match=words):
        learned(plan, tmp_path)


def test_logits_of_classes_go_without_a_ranking(tmp_path):
    plan = plan_of(tmp_path, 'module = "nets.py:Bare"\noutput = "logits"\nranked = false')
    network, data = learned(plan, tmp_path)
    assert not network.spec.output.ranked and network.spec.layers[0].activation
    values = network.predict(data.features).values
    assert (values.argmax(1) == data.labels).mean() > 0.95


@pytest.mark.parametrize("prices", [PRICES, PRICES[:, 0], PRICES.astype(np.float32)])
def test_an_npz_is_a_regression_too(prices, tmp_path):
    targets = 'file = "own.npz", targets = ["labels"]'
    plan = plan_of(tmp_path, 'hidden = [16]\noutput = "logits"', targets, labels=prices)
    assert as_found(DataFile("own.npz"), tmp_path) == plan.dataset
    network, data = learned(plan, tmp_path)
    assert np.array_equal(data.targets, prices.astype(float).reshape(80, -1))
    found = network.predict(data.features).values
    assert np.corrcoef(found[:, 0], data.targets[:, 0])[0, 1] > 0.97


@pytest.mark.parametrize(
    ("targets", "arrays", "words"),
    [
        ("", {"labels": PRICES}, r"float64 of shape \(80, 2\), .* targets = \['labels'\] \}"),
        (', targets = ["y"]', {"y": PRICES[1:]}, r"shape \(79, 2\), expected .* \(80,\) or \(80,"),
        (', targets = ["y"]', {"y": np.array(["a"] * 80)}, "expected real numbers of shape"),
        (', targets = ["y"]', {"labels": PRICES}, "expected features and y, and with them"),
        (', targets = ["y"]', {"y": PRICES * np.nan}, "expected finite numbers"),
    ],
)
def test_wrong_arrays_are_refused(targets, arrays, words, tmp_path):
    softmax = '\nsoftmax = { score = "exp", divider = "reciprocal" }'
    output = '\noutput = "logits"' if targets else softmax
    plan = plan_of(tmp_path, f"hidden = [4]{output}", f'file = "own.npz"{targets}', **arrays)
    with pytest.raises(VerbatimError, match=words):
        datasets.load(plan.dataset, tmp_path)


def sigmoid_model():
    """A network of one output and a sigmoid behind it."""
    make, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [
        make("Gemm", ["x", "w", "b"], ["h"]),
        make("Relu", ["h"], ["r"]),
        make("Gemm", ["r", "v", "c"], ["z"]),
        make("Sigmoid", ["z"], ["p"]),
    ]
    rng = np.random.default_rng(1)
    shapes = {"w": (4, 6), "b": (6,), "v": (6, 1), "c": (1,)}
    tensors = [
        onnx.numpy_helper.from_array(rng.normal(0, 1, shape).astype(np.float32), key)
        for key, shape in shapes.items()
    ]
    ends = [value("x", 1, ["n", 4])], [value("p", 1, ["n", 1])]
    graph = onnx.helper.make_graph(nodes, "one", *ends, tensors)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])


def gelu_model(order, sqrt=2**0.5, end=False):
    """A GELU between two Linears, written out; ``order`` says what is halved."""
    make = onnx.helper.make_node
    numbers = {"sqrt": sqrt, "inverse": 1 / sqrt, "one": 1.0, "half": 0.5}
    halves = {
        "last": [make("Mul", ["h", "a"], ["m"]), make("Mul", ["m", "half"], ["g"])],
        "first": [make("Mul", ["half", "h"], ["m"]), make("Mul", ["m", "a"], ["g"])],
        "sum": [make("Mul", ["a", "half"], ["m"]), make("Mul", ["m", "h"], ["g"])],
    }
    scaled = make("Mul", ["inverse", "h"], ["s"]) if order == "first" else None
    nodes = [
        make("Gemm", ["x", "w", "b"], ["h"]),
        scaled or make("Div", ["h", "sqrt"], ["s"]),
        make("Erf", ["s"], ["e"]),
        make("Add", ["e", "one"] if order == "sum" else ["one", "e"], ["a"]),
        *halves[order],
        make("Gemm", ["g", "v", "c"], ["z"]),
    ]
    rng = np.random.default_rng(1)
    shapes = {"w": (4, 6), "b": (6,), "v": (6, 3), "c": (3,)}
    tensors = {key: rng.normal(0, 1, shape) for key, shape in shapes.items()} | numbers
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "gelu",
        [value("x", 1, ["n", 4])],
        [value("z", 1, ["n", 3])] + [value("e", 1, ["n", 6])] * end,
        [onnx.numpy_helper.from_array(np.float32(v), k) for k, v in tensors.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])


@pytest.mark.parametrize("order", ["last", "first", "sum"])
def test_a_gelu_that_is_written_out_is_one(order, tmp_path):
    import onnxruntime

    onnx.save(gelu_model(order), tmp_path / "own.onnx")
    module = reader.load(tmp_path / "own.onnx")
    first, _ = torch_fx.layers(module)
    assert first.activation is not None and first.activation.function == "gelu"
    session = onnxruntime.InferenceSession(tmp_path / "own.onnx")
    (wanted,) = session.run(None, {"x": X.astype(np.float32)})
    with torch.no_grad():
        found = module(torch.tensor(X, dtype=torch.float32))
    assert np.abs(found.numpy() - wanted).max() < 1e-5


@pytest.mark.parametrize("how", [{"sqrt": 1.7}, {"end": True}])
def test_what_is_no_gelu_is_refused(how, tmp_path):
    onnx.save(gelu_model("last", **how), tmp_path / "own.onnx")
    with pytest.raises(reader.OnnxError, match=r"Erf|has outputs|two paths"):
        reader.load(tmp_path / "own.onnx", "z")


def test_a_prelu_of_one_slope_is_a_leaky_relu_of_it():
    net = nn.Sequential(nn.Linear(4, 6), nn.PReLU(init=0.125), nn.Linear(6, 3))
    first, _ = torch_fx.layers(net.eval())
    assert first.activation is not None
    assert (first.activation.function, first.activation.arguments) == ("leaky_relu", (0.125,))
