"""A network comes from a class, a user's file, a list of sizes or ONNX, or is refused by name."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import nn

from model import recipe
from model.data import datasets
from model.frontends import load as loading
from model.frontends import torch_fx
from model.frontends.irisnet import IrisNet
from model.frontends.load import ModuleError
from model.frontends.onnx import OnnxError, load

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load("iris")
MINE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(x)


class Curved(Net):
    def forward(self, x):
        return torch.erf(self.fc(x))


class Broken(Net):
    def __init__(self):
        raise RuntimeError("no GPU")
"""


def of(folder, **keys):
    """The recipe of iris with another network."""
    return replace(IRIS, **{"module": None, **keys}, folder=folder)


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("model.frontends.irisnet:Irisnet", "AttributeError: "),
        ("model.nothing:IrisNet", "ModuleNotFoundError: No module named 'model.nothing'"),
        ("torch.nn:Linear", "TypeError: "),
        ("mine.py:Other", "AttributeError: "),
        ("mine.py:Broken", "RuntimeError: no GPU"),
        ("none.py:Net", "FileNotFoundError: "),
    ],
)
def test_a_module_that_cannot_be_made_is_refused_by_name(mine, reference, reason):
    with pytest.raises(ModuleError, match=f"module '{reference}' cannot be made: {reason}"):
        loading.instantiate(reference, mine)


def test_something_that_is_no_module_is_refused():
    with pytest.raises(
        ModuleError, match=r"module 'collections:Counter' must be an nn\.Module, got a Counter"
    ):
        loading.instantiate("collections:Counter")


def test_a_class_of_the_users_own_file_is_found_beside_the_recipe(mine):
    module = loading.make(of(mine, module="mine.py:Net"), FLOWERS)
    assert [layer.name for layer in torch_fx.layers(module)] == ["fc"]


def test_a_refusal_names_the_line_of_the_users_own_file(mine):
    line = MINE[: MINE.index("torch.erf")].count("\n") + 1
    with pytest.raises(torch_fx.FrontendError, match=rf"mine\.py line {line}: return"):
        torch_fx.layers(loading.instantiate("mine.py:Curved", mine)[0])


def test_sizes_alone_make_a_network_with_a_relu_behind_each_hidden_layer(tmp_path):
    module = loading.make(of(tmp_path, hidden=(5, 6)), FLOWERS)
    found = [(x.name, x.linear.in_features, x.relu) for x in torch_fx.layers(module)]
    assert found == [("fc1", 4, True), ("fc2", 5, True), ("fc3", 6, False)]
    assert len(torch_fx.layers(loading.make(of(tmp_path, hidden=()), FLOWERS))) == 1


# Parameters that come with the network


def equal(one, other):
    return all(torch.equal(a, other[key]) for key, a in one.items()) and len(one) == len(other)


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.safetensors"])
def test_parameters_come_from_a_checkpoint(tmp_path, name):
    state = IrisNet().state_dict()
    if name.endswith("safetensors"):
        save_file(state, tmp_path / name)
    else:
        torch.save(state, tmp_path / name)
    plan = of(tmp_path, module=IRIS.module, checkpoint=name, training=None)
    assert equal(loading.make(plan, FLOWERS).state_dict(), state)


def executes(path):
    """A pickle that would create a file if it were executed."""

    class Evil:
        def __reduce__(self):
            return (Path.touch, (path.parent / "executed",))

    torch.save({"fc1.weight": Evil()}, path)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: None, "cannot be read: "),
        (lambda path: path.write_bytes(b"\0" * 100), "cannot be read: "),
        (executes, "cannot be read: "),
        (lambda path: torch.save([1, 2], path), "is no state_dict|cannot be read: "),
        (lambda path: torch.save(nn.Linear(1, 1).state_dict(), path), "does not fit|cannot be"),
    ],
)
def test_a_bad_checkpoint_is_refused_by_name_and_nothing_in_it_runs(tmp_path, name, write, reason):
    write(tmp_path / name)
    with pytest.raises(ModuleError, match=rf"{name}: ({reason})") as refused:
        loading.load_parameters(IrisNet(), tmp_path / name)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "executed").exists()


# ONNX


def array(name, *shape):
    rng = np.random.default_rng(len(name))
    return numpy_helper.from_array(rng.uniform(0.5, 1.5, shape).astype(np.float32), name)


def graph(*nodes, constants=()):
    """A file's content: nodes in a chain from x to y."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (None, None)) for n in "xy"]
    made = helper.make_graph(list(nodes), "g", values[:1], values[1:], list(constants))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs.split(), [output], name=f"n_{output}", **attributes)


PARTS = [array("w", 4, 6), array("b", 6), array("v", 3, 6), array("c", 3)]
NORM = [array(name, 6) for name in ("s", "t", "m", "q")]
GOOD = {
    "gemm": (
        [node("Gemm", "x w b", "h", alpha=0.5, beta=2.0), node("Relu", "h", "r"),
         node("Gemm", "r v c", "l", transB=1), node("Softmax", "l", "y", axis=1)],
        PARTS,
    ),
    "matmul": (
        [node("Flatten", "x", "f"), node("MatMul", "f w", "h"), node("Add", "h b", "a"),
         node("Relu", "a", "r"), node("Dropout", "r", "d"), node("MatMul", "d u", "l"),
         node("Add", "c l", "z"), node("LogSoftmax", "z", "y", axis=-1)],
        [*PARTS[:2], array("u", 6, 3), PARTS[3]],
    ),
    "norm": (
        [node("MatMul", "x w", "h"), node("BatchNormalization", "h s t m q", "n", epsilon=0.1),
         node("Relu", "n", "r"), node("Identity", "r", "i"), node("Gemm", "i v c", "y", transB=1)],
        [PARTS[0], *PARTS[2:], *NORM],
    ),
    "shared": (
        [node("Gemm", "x k e", "h"), node("Gemm", "h k e", "y")],
        [array("k", 4, 4), array("e", 4)],
    ),
    "shared-matmul": (
        [node("MatMul", "x k", "h"), node("Add", "h e", "r"), node("MatMul", "r k", "s"),
         node("Add", "s e", "y")],
        [array("k", 4, 4), array("e", 4)],
    ),
}  # fmt: skip


def run(model, x):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("name", GOOD)
def test_an_onnx_file_computes_what_onnxruntime_computes(name, tmp_path):
    model = graph(*GOOD[name][0], constants=GOOD[name][1])
    onnx.save(model, tmp_path / "net.onnx")
    module = loading.make(of(tmp_path, onnx="net.onnx", training=None), FLOWERS).eval()
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    assert np.allclose(module(torch.tensor(x)).detach().numpy(), run(model, x), atol=1e-5)
    found = torch_fx.layers(module)
    assert len(found) == 2
    assert len({layer.weights for layer in found}) == (1 if name.startswith("shared") else 2)


def test_an_export_of_pytorch_is_read_back(tmp_path):
    names = ("fc1", "fc2", "fc3")
    state = {key: value.numpy() for key, value in IrisNet().state_dict().items()}
    constants = [numpy_helper.from_array(value, key) for key, value in state.items()]
    parts, current = [], "x"
    for index, name in enumerate((names[0], names[1], names[1], names[2])):
        out = f"h{index}" if index < 3 else "y"
        parts.append(node("Gemm", f"{current} {name}.weight {name}.bias", out, transB=1))
        current = out
    onnx.save(graph(*parts, constants=constants), tmp_path / "net.onnx")
    found = torch_fx.layers(load(tmp_path / "net.onnx"))
    assert [layer.name for layer in found] == ["n_h0", "n_h1", "n_h1_2", "n_y"]
    assert found[1].linear is found[2].linear


BAD = {
    "erf": ([node("Gemm", "x w b", "h"), node("Erf", "h", "y")], r"'n_y' \(Erf\): is not supp"),
    "two-paths": (
        [node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("Add", "h r", "y")],
        r"'n_y' \(Add\): its inputs must be r, got h, r",
    ),
    "add-of-nothing": (
        [node("Relu", "x", "h"), node("Add", "h w", "y")],
        r"\(Add\): its constant must have one number for each feature",
    ),
    "softmax-over-samples": (
        [node("Gemm", "x w b", "h"), node("Softmax", "h", "y", axis=0)],
        r"\(Softmax\): its axis must be 1, got 0",
    ),
    "flatten-all": ([node("Flatten", "x", "y", axis=0)], r"\(Flatten\): its axis must be 1, got 0"),
    "transposed-input": ([node("Gemm", "x w b", "y", transA=1)], "transA must be 0, got 1"),
    "matrix-first": ([node("MatMul", "w x", "y")], "its matrix is not constant, or comes first"),
}


@pytest.mark.parametrize("name", BAD)
def test_another_onnx_graph_is_refused_by_file_and_node(name, tmp_path):
    nodes, reason = BAD[name]
    onnx.save(graph(*nodes, constants=PARTS[:2]), tmp_path / "net.onnx")
    with pytest.raises(OnnxError, match=rf"net\.onnx: .*{reason}"):
        load(tmp_path / "net.onnx")


@pytest.mark.parametrize("content", [None, b"", b"no protobuf"])
def test_a_file_that_is_no_onnx_is_refused_by_name(tmp_path, content):
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OnnxError, match=r"net\.onnx: (cannot be read: |holds no node)") as refused:
        load(path)
    assert "\n" not in str(refused.value)


# Damaged or odd ONNX files


def weights(values, name="w"):
    return numpy_helper.from_array(np.asarray(values), name)


GEMM = [node("Gemm", "x w", "y")]
ONES = np.ones((4, 3), np.float32)
NAN = np.where(np.arange(12).reshape(4, 3) == 5, np.nan, 1).astype(np.float32)
FAULTS = {
    "nan": (GEMM, [weights(NAN)], r"'n_y' \(Gemm\): its matrix\[1, 2\] is nan, expected a finite"),
    "inf": (GEMM, [weights(np.float32(np.inf) * ONES)], r"its matrix\[0, 0\] is inf, expected"),
    "huge": (GEMM, [weights(1e300 * ONES.astype(np.float64))], "leave the range of float32"),
    "strings": (GEMM, [weights([["a"] * 3] * 4)], "its matrix must be floats, got object of shape"),
    "integers": (GEMM, [weights(np.ones((4, 3), np.int64))], "must be floats, got int64 of shape"),
    "empty": (GEMM, [weights(np.zeros((4, 0), np.float32))], r"got float32 of shape \[4, 0\]"),
    "bias": (
        [node("Gemm", "x w b", "y")],
        [weights(ONES), weights(NAN[1], "b")],
        r"its bias\[2\] is nan, expected a finite number",
    ),
    "added": (
        [node("MatMul", "x w", "h"), node("Add", "h b", "y")],
        [weights(ONES), weights(NAN[1], "b")],
        r"'n_y' \(Add\): its bias\[2\] is nan",
    ),
    "norm": (
        [node("Gemm", "x w", "h"), node("BatchNormalization", "h s s s v", "y")],
        [weights(ONES), weights(ONES[0], "s"), weights(NAN[1], "v")],
        r"'n_y' \(BatchNormalization\): its var\[2\] is nan",
    ),
    "constant": ([node("Constant", "", "c"), *GEMM], [weights(ONES)], "is no valid ONNX|one value"),
    "of-constants": (
        [node("Tanh", "w", "t"), node("Gemm", "x t", "y")],
        [weights(ONES)],
        r"'n_t' \(Tanh\): is computed from constants alone, which is not supported",
    ),
    "many": (
        [node("Gemm", f"{a} w", b) for a, b in pairwise(["x", *map("h{}".format, range(99)), "y"])],
        [weights(np.eye(4, dtype=np.float32))],
        "has 100 layers, expected at most 99",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_an_onnx_file_is_said_by_node_and_once(name, tmp_path):
    nodes, constants, words = FAULTS[name]
    (tmp_path / "net.onnx").write_bytes(graph(*nodes, constants=constants).SerializeToString())
    with pytest.raises(OnnxError, match=rf"net\.onnx: .*{words}") as refused:
        load(tmp_path / "net.onnx")
    assert str(refused.value).isprintable() and str(refused.value).count("net.onnx") == 1


@pytest.mark.parametrize("name", ["training", "softmax", "forward", "T_destination", "0", "größe"])
def test_a_node_may_have_any_name(name, tmp_path):
    made = helper.make_node("Gemm", ["x", "w"], ["y"], name=name)
    onnx.save(graph(made, constants=[weights(ONES)]), tmp_path / "net.onnx")
    (layer,) = torch_fx.layers(load(tmp_path / "net.onnx"))
    assert layer.name.isidentifier() and layer.name not in torch_fx.RESERVED


@pytest.mark.parametrize(
    ("opset", "ir_version", "words"),
    [(999, 8, "its opset must be 7 to .*, got 999"), (6, 8, "opset .*, got 6"), (17, 99, "ir_ver")],
)
def test_versions_of_another_time_are_refused(tmp_path, opset, ir_version, words):
    model = graph(*GEMM, constants=[weights(ONES)])
    model.opset_import[0].version, model.ir_version = opset, ir_version
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(OnnxError, match=rf"net\.onnx: .*{words}"):
        load(tmp_path / "net.onnx")


def test_tensors_in_another_file_are_read_watched_and_missed(tmp_path):
    model = graph(*GEMM, constants=[weights(np.arange(12, dtype=np.float32).reshape(4, 3))])
    onnx.save(
        model,
        tmp_path / "net.onnx",
        save_as_external_data=True,
        location="net.data",
        size_threshold=0,
    )
    (layer,) = torch_fx.layers(load(tmp_path / "net.onnx"))
    assert layer.linear.weight.T.flatten().tolist() == list(range(12))
    plan = of(tmp_path, onnx="net.onnx", training=None)
    assert [path.name for path in loading.sources(plan)] == ["net.onnx", "net.data"]
    (tmp_path / "net.data").unlink()
    with pytest.raises(OnnxError, match=r"its tensors are in net\.data, which is missing"):
        load(tmp_path / "net.onnx")


def test_weights_that_are_dequantized_are_constants(tmp_path):
    codes = np.arange(-6, 6, dtype=np.int8).reshape(4, 3)
    nodes = [
        node("DequantizeLinear", "w s z", "d"),
        node("Transpose", "d", "t", perm=[1, 0]),
        node("Gemm", "x t", "y", transB=1),
    ]
    scale, zero = weights(np.float32(0.25), "s"), weights(np.int8(1), "z")
    onnx.save(graph(*nodes, constants=[weights(codes), scale, zero]), tmp_path / "net.onnx")
    (layer,) = torch_fx.layers(load(tmp_path / "net.onnx"))
    assert ((codes - 1) * 0.25 == layer.linear.weight.detach().numpy().T).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_onnx_file_is_one_sentence(tmp_path, share):
    data = graph(*GEMM, constants=[weights(ONES)]).SerializeToString()
    (tmp_path / "net.onnx").write_bytes(data[: int(share * len(data))])
    with pytest.raises(OnnxError, match=r"net\.onnx: ") as refused:
        load(tmp_path / "net.onnx")
    assert str(refused.value).isprintable()
