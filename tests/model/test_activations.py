"""Activations by table from models on: read, trained, exported, equal in every value."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from common.paths import RECIPES
from model import fast, onnx_export, recipe, reference
from model.data import datasets
from model.format import Format
from model.frontends import onnx, torch_fx
from model.frontends.activations import Nonlinearity
from model.frontends.checks import require_equal
from model.frontends.torch_fx import FrontendError
from model.functions import FUNCTIONS, table
from model.qat import checkpoint, quantize, training

RNG = np.random.default_rng(3)
X = 3 * RNG.normal(size=(60, 4))


class Net(nn.Module):
    """Two Linears, and what ``forward`` makes of them."""

    def __init__(self, forward, act=None):
        super().__init__()
        self.a, self.b, self.one = nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6, 1)
        self.act, self.norm, self._forward = act or nn.Identity(), nn.BatchNorm1d(6), forward

    def forward(self, x):
        return self._forward(self, x)


def made(act):
    torch.manual_seed(0)
    if isinstance(act, nn.Module):
        return Net(lambda m, x: m.b(m.act(m.a(x))), act).eval()
    return Net(lambda m, x: m.b(act(m.a(x)))).eval()


def gated(x):
    return F.hardsigmoid(x) * x


SPELLED = {
    "tanh": [nn.Tanh(), torch.tanh, F.tanh, lambda x: x.tanh(), lambda x: x.tanh_()],
    "sigmoid": [nn.Sigmoid(), torch.sigmoid, lambda x: x.sigmoid()],
    "leaky_relu(0.01)": [nn.LeakyReLU(), F.leaky_relu],
    "leaky_relu(0.125)": [nn.LeakyReLU(0.125), lambda x: F.leaky_relu(x, 0.125, inplace=True)],
    "clamp(0, 6)": [nn.ReLU6(), F.relu6, lambda x: x.clamp(0, 6), nn.Hardtanh(0, 6)],
    "clamp(-1, 1)": [nn.Hardtanh(), F.hardtanh, lambda x: torch.clamp(x, min=-1, max=1)],
    "clamp(-2, 0.5)": [lambda x: F.hardtanh(x, max_val=0.5, min_val=-2)],
    "hardsigmoid": [nn.Hardsigmoid(), F.hardsigmoid],
    "hardswish": [nn.Hardswish(), F.hardswish, gated],
    "gelu": [nn.GELU(), F.gelu],
    "gelu_tanh": [nn.GELU("tanh"), lambda x: F.gelu(x, approximate="tanh")],
    "silu": [nn.SiLU(), F.silu, lambda x: x * torch.sigmoid(x), lambda x: x.sigmoid() * x],
    "elu(1)": [nn.ELU(), F.elu],
    "elu(0.5)": [nn.ELU(0.5), lambda x: F.elu(x, 0.5)],
    "softplus": [nn.Softplus(), F.softplus],
}


def shown(found):
    given = ", ".join(f"{a:g}" for a in found.arguments)
    return f"{found.function}({given})" if given else found.function


@pytest.mark.parametrize(
    ("name", "act"), [(name, act) for name, acts in SPELLED.items() for act in acts]
)
def test_each_spelling_is_its_function(name, act):
    net = made(act)
    first, second = torch_fx.layers(net)
    assert shown(first.activation) == name and not first.relu
    assert second.activation is None and not second.relu
    require_equal(net, [first, second], X)


def test_every_function_has_a_spelling():
    assert {name.partition("(")[0] for name in SPELLED} == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pytorch_computes_the_functions_of_the_tables(name):
    given = {"leaky_relu": (0.25,), "clamp": (-1.0, 2.0), "elu": (0.5,)}.get(name, ())
    x, y = Format(8, 4), Format(16, 11)
    codes = np.arange(x.q_min, x.q_max + 1)
    by_torch = Nonlinearity(name, given)(torch.tensor(codes * x.lsb)).numpy()
    entries = table(name, given, x, y)[codes] * y.lsb
    assert np.abs(entries - by_torch).max() <= y.lsb / 2 + 1e-7


REFUSED = {
    "prelu": (made(nn.PReLU(5)), r"nearest to it is nn\.LeakyReLU\(0\.25\)"),
    "selu": (made(nn.SELU()), r"nearest to it is nn\.ELU\(\)"),
    "mish": (made(F.mish), r"nearest to it is nn\.SiLU\(\)"),
    "beta": (made(nn.Softplus(beta=2)), r"nn\.Softplus\(\) right behind a Linear is, of beta 1"),
    "one-end": (made(lambda x: x.clamp(max=6)), "or with both min and max"),
    "twice": (made(lambda x: torch.tanh(torch.tanh(x))), "right behind a Linear it is"),
    "behind-relu": (made(lambda x: torch.tanh(torch.relu(x))), "right behind a Linear it is"),
    "in-place-gate": (made(lambda x: x * x.sigmoid_()), "two paths meet there"),
    "front": (Net(lambda m, x: m.b(m.a(torch.tanh(x)))), "right behind a Linear it is"),
    "steps": (Net(lambda m, x: torch.tanh(m.b(m.a(x))) * 2), "behind a ReLU it is where a Linear"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_activations_are_refused_with_the_nearest(name):
    net, words = REFUSED[name]
    with pytest.raises(FrontendError, match=words):
        torch_fx.layers(net.eval())


def test_a_norm_behind_an_activation_goes_to_the_next_layer():
    net = Net(lambda m, x: m.b(m.norm(torch.tanh(m.a(x))))).eval()
    with torch.no_grad():
        net.norm.running_mean.uniform_(-1, 1)
        net.norm.running_var.uniform_(0.5, 2)
    found = torch_fx.layers(net)
    assert shown(found[0].activation) == "tanh"
    require_equal(net, found, X)


def test_a_sigmoid_behind_the_last_layer_stays_an_output():
    net = Net(lambda m, x: torch.sigmoid(m.one(torch.sigmoid(m.a(x))))).eval()
    first, last = torch_fx.layers(net)
    assert shown(first.activation) == "sigmoid" and last.activation is None


def plan_of(folder, layers, **formats):
    """The recipe of iris with a module of these layers."""
    (folder / "own.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        f"        super().__init__(nn.Linear(4, 12), {layers})\n"
    )
    text = (RECIPES / "iris.toml").read_text()
    text = re.sub(r"^module = .*$", 'module = "own.py:Net"', text, flags=re.MULTILINE)
    text = re.sub(r"\[folds[^\[]*", "", text) + "\n[folds]\ntarget_cycles = 40\n"
    (folder / "own.toml").write_text(text.replace("taylor2", "exp"))
    plan = recipe.load(folder / "own.toml")
    return dataclasses.replace(
        plan,
        training=dataclasses.replace(plan.training, epochs=300, learning_rate=0.02),
        fine_tuning=dataclasses.replace(plan.fine_tuning, epochs=20),
        formats=dataclasses.replace(plan.formats, **formats),
    )


@pytest.mark.parametrize(
    ("layers", "last", "formats"),
    [
        ("nn.Tanh(), nn.Linear(12, 3), nn.Tanh()", "fc.tanh", {}),
        ("nn.LeakyReLU(0.25), nn.Linear(12, 3)", "fc.y", {"activations_width": 5}),
        ("nn.Hardswish(), nn.Linear(12, 3)", "fc.y", {"activations_width": 14}),
        ("nn.GELU(), nn.Linear(12, 3)", "fc.y", {"calibration": "mse"}),
    ],
)
def test_pytorch_reference_and_onnx_agree(layers, last, formats, tmp_path: Path):
    plan, data = plan_of(tmp_path, layers, **formats), datasets.load("iris")
    train, _ = datasets.split(data, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, data, train)
    network = quantize.export(trained.quantized, plan, {}, trained.scaling)
    first, second = network.spec.layers
    width = plan.formats.activations_width
    assert (first.y.width, first.z.width) == (width, min(width, 12))
    assert second.key.partition(".")[2] == last.partition(".")[2]
    traced = trained.quantized.trace(trained.scaled(data.features))
    compared = quantize.compare(traced, network)
    assert compared[first.key] == 150 * 12 and compared[second.key] == 150 * 3
    assert len(np.unique(traced[first.key])) > 4
    classes, results = reference.predict(network, data.features)
    assert (classes == data.labels).mean() > 0.85
    codes = reference.encode(network, data.features)
    for run in (onnx_export.predict_codes, fast.predict_codes):
        found = run(network, codes)
        assert (found[0] == classes).all() and (found[1] == results).all()
    path = tmp_path / checkpoint.FILE
    checkpoint.save(trained, plan, data, path)
    again = checkpoint.load(plan, data, path)
    assert again.quantized.formats == trained.quantized.formats
    assert quantize.export(again.quantized, plan, {}, again.scaling).spec == network.spec


def test_gradients_pass_through_a_table_as_through_its_function():
    function = Nonlinearity("tanh")
    stage = quantize.Activation("tanh", Format(8, 5))
    found = quantize.Table(function, stage, Format(8, 7))
    z = torch.tensor([-1.5, -0.25, 0.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    y = found(z)
    y.sum().backward()
    assert torch.equal(y, torch.tensor([-116, -31, 0, 59, 127]) / 128)
    inner = 1 - torch.tanh(z.detach()) ** 2
    assert torch.allclose(z.grad, inner * (torch.tanh(z.detach()) <= 127 / 128))


# ONNX


def const(name, *shape):
    return numpy_helper.from_array(RNG.uniform(-1, 1, shape).astype(np.float32), name)


def model_of(*nodes, opset=20):
    """Two layers with ``nodes`` from ``a`` to ``r`` between them."""
    float32 = TensorProto.FLOAT
    constants = {"low": -0.5, "high": 2.0, "slope": 0.25}
    parts = [const("w", 4, 6), const("b", 6), const("v", 6, 3), const("c", 3)]
    parts += [numpy_helper.from_array(np.float32(v), k) for k, v in constants.items()]
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "w", "b"], ["a"]),
            *nodes,
            helper.make_node("Gemm", ["r", "v", "c"], ["z"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", float32, [None, 4])],
        [helper.make_tensor_value_info("z", float32, [None, 3])],
        parts,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def node(kind, inputs="a", output="r", **attributes):
    return helper.make_node(kind, inputs.split(), [output], **attributes)


OPERATORS = {
    "tanh": [node("Tanh")],
    "sigmoid": [node("Sigmoid")],
    "leaky_relu(0.01)": [node("LeakyRelu")],
    "leaky_relu(0.1)": [node("LeakyRelu", alpha=0.1)],
    "leaky_relu(0.25)": [node("PRelu", "a slope")],
    "clamp(-0.5, 2)": [node("Clip", "a low high")],
    "hardsigmoid": [node("HardSigmoid", alpha=1 / 6)],
    "hardswish": [node("HardSigmoid", output="s", alpha=1 / 6), node("Mul", "a s")],
    "hardswish-1": [node("HardSwish")],
    "elu(0.3)": [node("Elu", alpha=0.3)],
    "gelu": [node("Gelu")],
    "gelu_tanh": [node("Gelu", approximate="tanh")],
    "softplus": [node("Softplus")],
    "silu": [node("Sigmoid", output="s"), node("Mul", "s a")],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_onnx_are_activations(name, tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(model_of(*OPERATORS[name]).SerializeToString())
    module = onnx.load(path)
    first, last = torch_fx.layers(module)
    assert shown(first.activation) == name.removesuffix("-1") and last.activation is None
    x = X.astype(np.float32)
    (wanted,) = onnxruntime.InferenceSession(path).run(["z"], {"x": x})
    with torch.no_grad():
        assert np.abs(module(torch.tensor(x)).numpy() - wanted).max() < 1e-5


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("HardSigmoid")], "its alpha and beta must be 1/6 and 0.5"),
        ([node("Clip", "a low")], "its min must be 0 and its max open"),
        ([node("PRelu", "a b")], "its slope must be one constant, as in LeakyRelu"),
        ([node("Sigmoid", output="s"), node("Mul", "s s")], "two paths meet there|its inputs"),
        ([node("Selu")], "Selu.* is not supported"),
    ],
)
def test_other_operators_are_refused(nodes, words, tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(model_of(*nodes).SerializeToString())
    with pytest.raises(Exception, match=words) as refused:
        torch_fx.layers(onnx.load(path))
    assert type(refused.value).__name__ in ("OnnxError", "FrontendError")
