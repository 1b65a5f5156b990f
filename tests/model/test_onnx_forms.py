"""ONNX files as exporters write them: ends, sizes and constants beside the chain of layers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from model import recipe
from model.data import datasets
from model.frontends import load as loading
from model.frontends import torch_fx
from model.frontends.checks import require_equal
from model.frontends.onnx import OnnxError, load
from model.qat import checkpoint, quantize, training
from model.recipe import FineTuning, Goal

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load("iris")
RNG = np.random.default_rng(1)
X = RNG.normal(size=(30, 4))
ML = "ai.onnx.ml"


def const(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def many(name, *shape):
    return const(name, RNG.uniform(-1.5, 1.5, shape))


def node(operator, inputs, output, domain="", **attributes):
    return helper.make_node(
        operator, inputs.split(), output.split(), name=f"n_{output}", domain=domain, **attributes
    )


PARTS = [
    many("w", 4, 6), many("v4", 4, 3), many("b", 6), many("v", 6, 3), many("c", 3),
    many("u", 6, 1), many("d", 1),
    const("mean", [1.0, 2.0, 3.0, 4.0]), const("scale", [0.5, 2.0, 4.0, 0.25]), const("one", 1.0),
    const("classes", [0, 1, 2], np.int64), const("flat", [-1, 4], np.int64),
    const("all", [-1], np.int64), const("column", [-1, 1], np.int64), const("zero", 0.0),
    const("axis", [1], np.int64), const("first", 0, np.int64), const("four", [4], np.int64),
    const("start", [0], np.int64), const("kept", [0, 4], np.int64), const("nought", [0], np.int64),
    const("minus", [-1], np.int64), const("two", 2.0),
]  # fmt: skip
LAYERS = [
    node("MatMul", "x w", "h"), node("Add", "h b", "a"), node("Relu", "a", "r"),
    node("MatMul", "r v", "l"), node("Add", "l c", "z"),
]  # fmt: skip
ONE = [*LAYERS[:3], node("MatMul", "r u", "m"), node("Add", "m d", "z")]
SOFTMAX = node("Softmax", "z", "p", axis=1)


def behind(*nodes):
    """The layers behind nodes that give f of x."""
    return [*nodes, node("MatMul", "f w", "h"), *LAYERS[1:]]


def end(name):
    """An output with its type, which its name tells."""
    if name == "maps":
        numbers = helper.make_tensor_type_proto(TensorProto.FLOAT, ())
        maps = helper.make_map_type_proto(TensorProto.INT64, numbers)
        return helper.make_value_info(name, helper.make_sequence_type_proto(maps))
    kinds = {"label": TensorProto.INT64, "i": TensorProto.INT64, "e": TensorProto.INT64}
    kind = {**kinds, "j": TensorProto.INT32}.get(name, TensorProto.FLOAT)
    flat = name in ("label", "i", "j", "flat_y")
    return helper.make_tensor_value_info(name, kind, (None,) if flat else (None, None))


def graph(nodes, outputs, shape=(None, 4), kind=TensorProto.FLOAT):
    x = helper.make_tensor_value_info("x", kind, shape)
    ends = [end(name) for name in outputs]
    made = helper.make_graph(list(nodes), "g", [x], ends, PARTS)
    opsets = [
        helper.make_opsetid("", 17),
        helper.make_opsetid(ML, 3),
        helper.make_opsetid("my.own", 1),
    ]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def run(model, output, x):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (given,) = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(double)": np.float64}[given.type]
    return session.run([output], {given.name: x.astype(kind)})[0]


# Nodes, outputs, and the output that is taken.
FORMS = {
    "label-and-probabilities": (
        [node("Cast", "x", "f", to=1), *behind(), SOFTMAX, node("Identity", "p", "probabilities"),
         node("ArgMax", "probabilities", "i", axis=1),
         node("ArrayFeatureExtractor", "classes i", "e", ML), node("Reshape", "e all", "q"),
         node("Cast", "q", "label", to=7)],
        ("label", "probabilities"), "probabilities",
    ),
    "zipmap": (
        [*LAYERS, SOFTMAX, node("ArgMax", "p", "i", axis=1),
         node("ArrayFeatureExtractor", "classes i", "e", ML), node("Cast", "e", "label", to=7),
         node("ZipMap", "p", "maps", ML, classlabels_int64s=[0, 1, 2])],
        ("label", "maps"), "p",
    ),
    "scaler": ([node("Scaler", "x", "f", ML, offset=[1.0, 2.0, 3.0, 4.0], scale=[0.5] * 4),
                *behind(), SOFTMAX], ("p",), "p"),
    "sub-div": ([node("Sub", "x mean", "g"), node("Div", "g scale", "f"), *behind()], "z", "z"),
    "mul-add": ([node("Mul", "scale x", "g"), node("Add", "g mean", "f"), *behind()], "z", "z"),
    "number": ([node("Div", "x two", "f"), *behind()], "z", "z"),
    "one-minus": ([node("Sub", "one x", "f"), *behind()], "z", "z"),
    "reshape": ([node("Reshape", "x flat", "f"), *behind(), SOFTMAX], "p", "p"),
    "reshape-kept": ([node("Reshape", "x kept", "f"), *behind(), SOFTMAX], "p", "p"),
    "reshape-by-shape": (
        [node("Shape", "x", "s"), node("Gather", "s first", "n", axis=0),
         node("Unsqueeze", "n nought", "k"), node("Concat", "k minus", "t", axis=0),
         node("Reshape", "x t", "f"), *behind(), SOFTMAX], "p", "p",
    ),
    "reshape-by-slice": (
        [node("Shape", "x", "s"), node("Slice", "s start axis", "k"), node("Cast", "k", "k2", to=7),
         node("Concat", "k2 four", "t", axis=0), node("Reshape", "x t", "f"), *behind()], "z", "z",
    ),
    "clip": ([*LAYERS[:2], node("Clip", "a zero", "r"), *LAYERS[3:]], "z", "z"),
    "max": ([*LAYERS[:2], node("Max", "a zero", "r"), *LAYERS[3:]], "z", "z"),
    "sum": ([*LAYERS[:4], node("Sum", "l c", "z")], "z", "z"),
    "argmax": ([*LAYERS, node("ArgMax", "z", "i", axis=-1, keepdims=0)], "i", "i"),
    "argmax-cast": ([*LAYERS, SOFTMAX, node("ArgMax", "p", "i", axis=1, keepdims=0),
                     node("Cast", "i", "j", to=6)], "j", "j"),
    "argmax-squeezed": ([*LAYERS, node("ArgMax", "z", "i", axis=1),
                         node("Squeeze", "i axis", "k"), node("Cast", "k", "j", to=6)], "j", "j"),
    "two-outputs": ([*LAYERS, SOFTMAX], ("z", "p"), "p"),
    "sigmoid": ([*ONE, node("Sigmoid", "z", "p")], "p", "p"),
    "sigmoid-of-two": (
        [*ONE, node("Sigmoid", "z", "p"), node("Sub", "one p", "n"),
         node("Concat", "n p", "both", axis=1), node("ArgMax", "both", "i", axis=1),
         node("ArrayFeatureExtractor", "classes i", "e", ML)],
        ("e", "both"), "p",
    ),
    "value": ([*ONE, node("Reshape", "z column", "y")], "y", "y"),
    "value-alone": ([*ONE, node("Reshape", "z all", "flat_y")], ["flat_y"], "flat_y"),
    "squeezed": ([*ONE, node("Squeeze", "z axis", "flat_y")], ["flat_y"], "flat_y"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_form_computes_what_onnxruntime_computes(name, tmp_path):
    nodes, outputs, taken = FORMS[name]
    onnx.save(graph(nodes, outputs), tmp_path / "net.onnx")
    module = load(tmp_path / "net.onnx").eval()
    wanted = run(graph(nodes, [taken]), taken, X)
    found = module(torch.tensor(X).float()).detach().numpy()
    assert found.shape == wanted.shape and np.allclose(found, wanted, atol=1e-5)
    layers = torch_fx.layers(module)
    assert [layer.relu for layer in layers] == [True, False]
    require_equal(module, layers, X)


@pytest.mark.parametrize(
    ("shape", "kind"), [((None, 2, 2), TensorProto.FLOAT), ((None, 4), TensorProto.DOUBLE)]
)
def test_images_are_flattened_and_doubles_are_cast(shape, kind, tmp_path):
    reshaped = [node("Cast", "x", "g", to=1), node("Reshape", "g flat", "f"), *behind()]
    model = graph(reshaped, "z", shape, kind)
    onnx.save(model, tmp_path / "net.onnx")
    module = load(tmp_path / "net.onnx")
    wanted = run(model, "z", X.reshape(-1, *shape[1:]))
    assert np.allclose(module(torch.tensor(X).float()).detach().numpy(), wanted, atol=1e-5)


OTHERS = {
    "other-outputs": ([*LAYERS], ("r", "z"), r"has outputs r, z, expected one: .* result = .z"),
    "skip": ([*LAYERS[:3], node("Add", "r a", "y")], "y", "its inputs must be r, got r, a: two p"),
    "branch": ([*LAYERS, node("MatMul", "x v4", "k"), node("Add", "z k", "y")], "y", "two paths"),
    "concatenation": ([node("Relu", "x", "k"), node("Concat", "x k", "y", axis=1)], "y", "two pat"),
    "reshape-samples": ([node("Reshape", "x column", "y"), node("Relu", "y", "z")], "z", "Linear"),
    "clip-2": ([*LAYERS[:2], node("Clip", "a two", "r")], "r", "its min must be 0"),
    "cast-int": ([node("Cast", "x", "y", to=7)], "y", "it must be to floats"),
    "argmax-0": ([*LAYERS, node("ArgMax", "z", "i", axis=0)], "i", "its axis must be 1, got 0"),
    "argmax-last": ([*LAYERS, node("ArgMax", "z", "i", axis=1, select_last_index=1)], "i",
                    "of equal logits the first wins"),
    "divided": ([node("Div", "one x", "f"), *behind()], "z", "divides a constant by what comes"),
    "matrix-added": ([node("Add", "x w", "f"), *behind()], "z", "one number for each feature"),
    "dynamic": ([node("DynamicQuantizeLinear", "x", "q s o")], "q", "finds a scale for each"),
    "label": ([*LAYERS, node("ArgMax", "z", "i", axis=1),
               node("ArrayFeatureExtractor", "classes i", "e", ML)], "e", "is not supported"),
    "foreign": ([node("Relu", "x", "y", "my.own")], "y", r"'n_y' \(Relu\): is not supported"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_another_form_is_refused_by_file_and_node(name, tmp_path):
    nodes, outputs, words = OTHERS[name]
    (tmp_path / "net.onnx").write_bytes(graph(nodes, outputs).SerializeToString())
    with pytest.raises(ValueError, match=words) as refused:
        torch_fx.layers(load(tmp_path / "net.onnx"))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("result", "layers"), [("r", 1), (0, 1), ("z", 2), (1, 2)])
def test_a_result_is_taken_by_name_or_number(result, layers, tmp_path):
    onnx.save(graph(LAYERS, ("r", "z")), tmp_path / "net.onnx")
    assert len(torch_fx.layers(load(tmp_path / "net.onnx", result))) == layers


@pytest.mark.parametrize("result", ["nothing", 2])
def test_a_result_that_there_is_not_is_refused(result, tmp_path):
    onnx.save(graph(LAYERS, ("r", "z")), tmp_path / "net.onnx")
    with pytest.raises(OnnxError, match=r"net\.onnx: result must be .*, got "):
        load(tmp_path / "net.onnx", result)


# One output tells two classes apart


def two_classes(folder):
    """Two of the three flowers, and the recipe of a network with one output for them."""
    kept = FLOWERS.labels > 0
    names = FLOWERS.class_names[1:]
    data = replace(
        FLOWERS,
        features=FLOWERS.features[kept],
        labels=FLOWERS.labels[kept] - 1,
        class_names=names,
    )
    plan = replace(
        IRIS,
        module=None,
        onnx="net.onnx",
        training=None,
        features="raw",
        fine_tuning=FineTuning(epochs=0, learning_rate=0.001),
        softmax=recipe.Softmax("exp", "restoring"),
        folds=Goal(target_cycles=64),
        folder=folder,
    )
    return data, plan


def test_one_output_is_two_classes_all_the_way(tmp_path):
    nodes, outputs, _ = FORMS["sigmoid-of-two"]
    model = graph([node("Sub", "x mean", "f"), *behind()[:-2], *nodes[3:]], outputs)
    onnx.save(model, tmp_path / "net.onnx")
    data, plan = two_classes(tmp_path)
    trained = training.learn(plan, data, np.arange(100))
    assert trained.scaling.offset == (1, 2, 3, 4)
    wanted = run(model, "both", data.features)
    floats = training.probabilities(trained.module, trained.scaled(data.features))
    assert np.allclose(floats, wanted, atol=1e-5)
    network = quantize.export(trained.quantized, plan, {}, trained.scaling)
    last = network.spec.layers[-1]
    assert last.n_out == 2
    assert (network.weights[last.weights][0] == 0).all() and network.biases[last.name][0] == 0
    traced = trained.quantized.trace(trained.scaled(data.features))
    quantize.compare(traced, network)
    assert (traced["softmax.class"] == wanted.argmax(axis=1)).mean() > 0.9
    checkpoint.save(trained, plan, data, tmp_path / "checkpoint.pt")
    again = checkpoint.load(plan, data, tmp_path / "checkpoint.pt")
    assert (again.quantized.trace(again.scaled(data.features))["softmax.scores"]
            == traced["softmax.scores"]).all()  # fmt: skip


def test_one_output_is_trained_as_two_classes(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self):\n"
        "        super().__init__(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid())\n"
    )
    data, plan = two_classes(tmp_path)
    plan = replace(
        plan,
        onnx=None,
        module="mine.py:Net",
        training=recipe.Training(epochs=150, learning_rate=0.05),
        features="standardize",
    )
    trained = training.learn(plan, data, np.arange(100))
    traced = trained.quantized.trace(trained.scaled(data.features))
    assert (traced["softmax.class"] == data.labels).mean() > 0.9
    assert loading.make(plan, data)[2].out_features == 1


def test_one_output_for_three_classes_is_refused(tmp_path):
    onnx.save(graph(*FORMS["sigmoid"][:2]), tmp_path / "net.onnx")
    _, plan = two_classes(tmp_path)
    with pytest.raises(training.TrainingError, match=r"\(inputs, outputs\) = \(4, 2\), expected"):
        training.learn(plan, FLOWERS, np.arange(150))
