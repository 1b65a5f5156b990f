"""Networks that come quantized by powers of two keep formats and codes: ONNX Runtime says the same.

Their QONNX form is read against an evaluation that is written here, since the runtime has no Quant.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from model import recipe, reference
from model.data import datasets
from model.format import Format
from model.frontends import torch_fx
from model.frontends.fixed_point import FixedPoint, exact_parameters
from model.frontends.onnx import load
from model.qat import checkpoint, quantize, training
from model.recipe import FineTuning, Goal

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load("iris")
RNG = np.random.default_rng(3)
QONNX, MICROSOFT = "qonnx.custom_op.general", "com.microsoft"
X_SCALE, H_SCALE, Z_SCALE = 2.0**-4, 2.0**-3, 2.0**-2
W_SCALE, V_SCALE = 2.0**-5, 2.0**-6
W = RNG.integers(-100, 101, (4, 10)).astype(np.int8)
V = RNG.integers(-100, 101, (10, 3)).astype(np.int8)
B = RNG.integers(-800, 801, 10).astype(np.int32)
C = RNG.integers(-800, 801, 3).astype(np.int32)
FEATURES = np.concatenate([FLOWERS.features, RNG.normal(0, 4, (850, 4))])


def const(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def node(operator, inputs, output, domain="", **attributes):
    return helper.make_node(
        operator, inputs.split(), [output], name=f"n_{output}", domain=domain, **attributes
    )


def constants(**changed):
    given = {
        "xs": X_SCALE, "hs": H_SCALE, "zs": Z_SCALE, "ws": W_SCALE, "vs": V_SCALE,
        "bs": X_SCALE * W_SCALE, "cs": H_SCALE * V_SCALE, "i0": np.int8(0), "e": np.int8(-128),
        "u0": np.uint8(0),
        "j0": np.int32(0), "low": np.uint8(0), "high": np.uint8(15), "w": W, "v": V, "b": B, "c": C,
        "fw": (W * W_SCALE + RNG.uniform(-0.4, 0.4, W.shape) * W_SCALE).astype(np.float32),
        "fv": (V * V_SCALE + RNG.uniform(-0.4, 0.4, V.shape) * V_SCALE).astype(np.float32),
        "fb": (B * X_SCALE * W_SCALE + 0.0001).astype(np.float32), "f0": 0.0,
        "fc": (C * H_SCALE * V_SCALE - 0.0003).astype(np.float32), "eight": 8.0, "four": 4.0,
        "ps": 1 / 256, "one": 1.0,
        **changed,
    }  # fmt: skip
    return [
        const(name, value, getattr(value, "dtype", np.float32)) for name, value in given.items()
    ]


def graph(nodes, *outputs, **changed):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (None, 4))
    ends = [helper.make_tensor_value_info(o, TensorProto.FLOAT, (None, None)) for o in outputs]
    made = helper.make_graph(list(nodes), "g", [x], ends, constants(**changed))
    opsets = [("", 17), (QONNX, 2), (MICROSOFT, 1)]
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=8
    )


def fixed(values, scale, zero, to):
    return [node("QuantizeLinear", f"{values} {scale} {zero}", f"{to}_q"),
            node("DequantizeLinear", f"{to}_q {scale} {zero}", to)]  # fmt: skip


def clipped(values, scale, zero, to, low, high):
    return [node("QuantizeLinear", f"{values} {scale} {zero}", f"{to}_q"),
            node("Clip", f"{to}_q {low} {high}", f"{to}_k"),
            node("DequantizeLinear", f"{to}_k {scale} {zero}", to)]  # fmt: skip


def stored(*names):
    """Constants of codes as numbers, with their biases."""
    zeros = {"b": "j0", "c": "j0"}
    return [
        node("DequantizeLinear", f"{name} {name}s {zeros.get(name, 'i0')}", f"d{name}")
        for name in names
    ]


DENSE = [
    *stored("w", "v", "b", "c"), *fixed("x", "xs", "i0", "f"), node("Gemm", "f dw db", "a"),
    node("Relu", "a", "r"), *fixed("r", "hs", "i0", "h"), node("Gemm", "h dv dc", "l"),
]  # fmt: skip
LAST = [*fixed("l", "zs", "i0", "z"), node("Softmax", "z", "p", axis=1)]
UNSIGNED = [
    *stored("w", "v", "b", "c"), *fixed("x", "xs", "i0", "f"), node("Gemm", "f dw db", "a"),
    *fixed("a", "hs", "u0", "h"), node("Gemm", "h dv dc", "l"), *fixed("l", "zs", "i0", "z"),
]  # fmt: skip
# Nodes; what the hidden values and logits are called; further constants.
FORMS = {
    "qdq": ([*DENSE, *LAST], "h", "z", {}),
    "sigmoid-between": (
        [*DENSE[:-4], *fixed("a", "hs", "i0", "g"), node("Sigmoid", "g", "s"),
         *fixed("s", "ps", "u0", "h"), DENSE[-1], *LAST], "h", "z",
        {"cs": np.float32(V_SCALE / 256), "vs": np.float32(2.0**-3), "zs": np.float32(2.0**-1)},
    ),
    "tanh-between": (
        [*DENSE[:-4], *fixed("a", "hs", "i0", "g"), node("Tanh", "g", "s"),
         *fixed("s", "ts", "i0", "h"), DENSE[-1], *LAST], "h", "z",
        {"ts": np.float32(2**-7), "cs": np.float32(V_SCALE / 128)},
    ),
    "logits-as-they-are": (DENSE, "h", "l", {}),
    "unsigned": (UNSIGNED, "h", "z", {}),
    "signed-before-relu": (
        [*DENSE[:-4], *fixed("a", "hs", "i0", "g"), node("Relu", "g", "h"), DENSE[-1], *LAST],
        "h", "z", {},
    ),
    "twice": ([*UNSIGNED[:7], *fixed("a", "hs", "u0", "g"), *fixed("g", "hs", "u0", "h"),
               *UNSIGNED[-3:]], "h", "z", {}),
    "qcdq": (
        [*fixed("fw", "ws", "i0", "dw"), *fixed("fv", "vs", "i0", "dv"), *stored("b", "c"),
         *fixed("x", "xs", "i0", "f"), node("Gemm", "f dw db", "a"),
         *clipped("a", "hs", "u0", "h", "low", "high"), node("Gemm", "h dv dc", "l"), *LAST],
        "h", "z", {},
    ),
    "per-channel": (
        [node("DequantizeLinear", "w ws iw", "dw", axis=1), *DENSE[1:], *LAST], "h", "z",
        {"ws": (2.0 ** -RNG.integers(3, 7, 10)).astype(np.float32), "iw": np.zeros(10, np.int8),
         "bs": np.float32(X_SCALE / 64)},
    ),
    "float-biases": ([*DENSE[:2], *DENSE[4:6], node("Gemm", "f dw fb", "a"), *DENSE[7:10],
                      node("Gemm", "h dv fc", "l"), *LAST], "h", "z", {}),
    "matmul-add": (
        [*DENSE[:6], node("MatMul", "f dw", "m"), node("Add", "m db", "a"), *DENSE[7:], *LAST],
        "h", "z", {},
    ),
    "fine-outputs": ([*DENSE, *LAST], "h", "z",
                     {"hs": np.float32(2**-10), "cs": np.float32(2**-16)}),
    "zero-at-the-end": ([*UNSIGNED[:7], *fixed("a", "hs", "e", "h"), *UNSIGNED[9:]], "h", "z", {}),
    "qoperator": (
        [node("QuantizeLinear", "x xs i0", "q"),
         node("QGemm", "q xs i0 w ws i0 b hs e", "hq", MICROSOFT),
         node("DequantizeLinear", "hq hs e", "h"),
         node("QuantizeLinear", "h hs e", "hq2"),
         node("QGemm", "hq2 hs e v vs i0 c zs i0", "zq", MICROSOFT),
         node("DequantizeLinear", "zq zs i0", "z")], "h", "z", {},
    ),
    "qlinear-matmul": (
        [node("QuantizeLinear", "x xs i0", "q"),
         node("QLinearMatMul", "q xs i0 w ws i0 hs e", "hq"),
         node("DequantizeLinear", "hq hs e", "h"),
         node("QuantizeLinear", "h hs e", "hq2"),
         node("QLinearMatMul", "hq2 hs e v vs i0 zs i0", "zq"),
         node("DequantizeLinear", "zq zs i0", "z")], "h", "z", {},
    ),
}  # fmt: skip


def run(model, x):
    """Every output, by ONNX Runtime without its own rewriting of graphs."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x.astype(np.float32)})


def plan(folder):
    return replace(
        IRIS,
        module=None,
        onnx="net.onnx",
        training=None,
        features="raw",
        fine_tuning=FineTuning(epochs=30, learning_rate=0.01),
        softmax=recipe.Softmax("exp", "restoring"),
        folds=Goal(target_cycles=64),
        folder=folder,
    )


@pytest.mark.parametrize("name", FORMS)
def test_a_quantized_network_is_taken_as_it_is(name, tmp_path):
    nodes, hidden, logits, changed = FORMS[name]
    ends = ["p"] if any("p" in n.output for n in nodes) else [logits]
    onnx.save(graph(nodes, *ends, **changed), tmp_path / "net.onnx")
    own = plan(tmp_path)
    trained = training.learn(own, FLOWERS, np.arange(150))
    network = quantize.export(trained.quantized, own, {}, trained.scaling)
    first, last = network.spec.layers
    x = FEATURES.astype(np.float32).astype(np.float64)
    traced = reference.trace(network, reference.quantize(x, network.spec.x))
    wanted_hidden, wanted_logits = run(graph(nodes, hidden, logits, **changed), x)
    assert (traced[first.key] * first.y.lsb == wanted_hidden).all()
    found = traced[last.key] * last.y.lsb
    if last.name in torch_fx.given(load(tmp_path / "net.onnx")).outputs:
        assert (found == wanted_logits).all()
    else:
        inside = np.abs(wanted_logits) < last.y.max_value
        assert (np.abs(found - wanted_logits)[inside] <= last.y.lsb / 2).all() and inside.any()
        sums = traced[f"{last.name}.acc"] * last.w.lsb * last.x.lsb
        assert (sums == wanted_logits).all()
    assert len(np.unique(wanted_hidden)) > 7 and len(np.unique(wanted_logits)) > 7
    codes = trained.quantized.trace(FLOWERS.features)
    quantize.compare(codes, network)
    checkpoint.save(trained, own, FLOWERS, tmp_path / "checkpoint.pt")
    again = checkpoint.load(own, FLOWERS, tmp_path / "checkpoint.pt")
    assert all((again.quantized.trace(FLOWERS.features)[k] == v).all() for k, v in codes.items())


def test_one_quantized_output_with_a_sigmoid_is_taken_as_it_is(tmp_path):
    one = {"v": V[:, :1], "c": C[:1]}
    nodes = [*DENSE, *fixed("l", "zs", "i0", "z"), node("Sigmoid", "z", "p")]
    onnx.save(graph(nodes, "p", **one), tmp_path / "net.onnx")
    own = replace(plan(tmp_path), output=recipe.AS_IT_ENDS)
    two = replace(FLOWERS, labels=(FLOWERS.labels > 0).astype(np.int64), class_names=("a", "b"))
    trained = training.learn(own, two, np.arange(150))
    network = quantize.export(trained.quantized, own, {}, trained.scaling)
    last = network.spec.layers[-1]
    assert (network.spec.output.kind, network.spec.output.n) == ("sigmoid", 1)
    x = FEATURES.astype(np.float32).astype(np.float64)
    traced = reference.trace(network, reference.quantize(x, network.spec.x))
    logits, wanted = run(graph(nodes, "z", "p", **one), x)
    assert (traced[last.key] * last.y.lsb == logits).all() and len(np.unique(logits)) > 7
    assert np.abs(traced["sigmoid.probabilities"] - 255 * wanted).max() < 0.501
    codes = trained.quantized.trace(FLOWERS.features)
    checkpoint.save(trained, own, two, tmp_path / "checkpoint.pt")
    again = checkpoint.load(own, two, tmp_path / "checkpoint.pt")
    assert all((again.quantized.trace(FLOWERS.features)[k] == v).all() for k, v in codes.items())


def test_formats_and_weights_are_those_of_the_file(tmp_path):
    onnx.save(graph([*DENSE, *LAST], "p"), tmp_path / "net.onnx")
    found = torch_fx.given(load(tmp_path / "net.onnx"))
    assert (found.x, *found.outputs.values()) == (Format(8, 4), Format(8, 3), Format(8, 2))
    assert [fmt.frac for fmt in found.weights.values()] == [5, 6]
    codes = [
        layer.linear.weight.detach() / found.weights[layer.weights].lsb for layer in found.layers
    ]
    assert all((code.numpy() == own.T).all() for code, own in zip(codes, (W, V), strict=True))


def test_an_input_without_a_sign_takes_features_of_at_least_0(tmp_path):
    nodes = [*DENSE[:4], *fixed("x", "xs", "u0", "f"), *DENSE[6:], *LAST]
    onnx.save(graph(nodes, "p"), tmp_path / "net.onnx")
    own = plan(tmp_path)
    trained = training.learn(own, FLOWERS, np.arange(150))
    network = quantize.export(trained.quantized, own, {}, trained.scaling)
    assert str(network.spec.x) == "9/4"
    x = np.abs(FEATURES).astype(np.float32).astype(np.float64)
    traced = reference.trace(network, reference.quantize(x, network.spec.x))
    last = network.spec.layers[-1]
    (wanted,) = run(graph(nodes, "z"), x)
    assert (traced[last.key] * last.y.lsb == wanted).all()
    below = replace(FLOWERS, features=FLOWERS.features - 5)
    with pytest.raises(training.TrainingError, match=r"features must be at least 0, got -4\.9"):
        training.learn(own, below, np.arange(150))


# QONNX


def quant(values, scale, bits, to, **attributes):
    given = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **attributes}
    return node("Quant", f"{values} {scale} f0 {bits}", to, QONNX, **given)


def of_quant(values, scale, bits, signed=1, narrow=0):
    """What QONNX defines."""
    low, high = (-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return np.clip(np.rint(values / scale), low, high) * scale


QUANTS = [
    quant("x", "xs", "eight", "f"), quant("fw", "ws", "four", "dw", narrow=1),
    quant("fv", "vs", "four", "dv", narrow=1), node("Gemm", "f dw fb", "a"), node("Relu", "a", "r"),
    quant("r", "hs", "four", "h", signed=0), node("Gemm", "h dv fc", "l"),
    quant("l", "zs", "eight", "z"),
]  # fmt: skip


def test_a_network_of_brevitas_is_taken_as_it_is(tmp_path):
    changed = {"ws": np.float32(2**-2), "vs": np.float32(2**-1), "hs": np.float32(0.5)}
    onnx.save(graph(QUANTS, "z", **changed), tmp_path / "net.onnx")
    values = {t.name: numpy_helper.to_array(t).astype(float) for t in constants(**changed)}
    # `fw` and `fv` have random parts: those of the file.
    for tensor in onnx.load(tmp_path / "net.onnx").graph.initializer:
        values[tensor.name] = numpy_helper.to_array(tensor).astype(float)
    own = plan(tmp_path)
    trained = training.learn(own, FLOWERS, np.arange(150))
    network = quantize.export(trained.quantized, own, {}, trained.scaling)
    first, last = network.spec.layers
    assert [str(f) for f in (network.spec.x, first.y, last.y)] == ["8/4", "5/1", "8/2"]
    traced = reference.trace(network, reference.quantize(FEATURES, network.spec.x))
    weights = [of_quant(values["fw"], 0.25, 4, narrow=1), of_quant(values["fv"], 0.5, 4, narrow=1)]
    hidden = np.maximum(of_quant(FEATURES, X_SCALE, 8) @ weights[0] + values["fb"], 0)
    hidden = of_quant(hidden, 0.5, 4, signed=0)
    logits = of_quant(hidden @ weights[1] + values["fc"], Z_SCALE, 8)
    assert (traced[first.key] * first.y.lsb == hidden).all()
    assert (traced[last.key] * last.y.lsb == logits).all()


# What is no power of two, and what is quantized in part

AGAIN = "set requantize = true in the recipe"
REFUSED = {
    "scale": ([*DENSE, *LAST], {"xs": 0.1},
              rf"scale must be a power of two, got 0\.1, nearest 2\*\*-3: {AGAIN}"),
    "weight-scale": ([*DENSE, *LAST], {"vs": 0.3},
                     rf"'n_l' \(Gemm\): its scale .* got 0\.3, nearest 2\*\*-2: {AGAIN}"),
    "zero-point": ([*DENSE, *LAST], {"i0": np.int8(3)},
                   rf"its zero point must be 0, got 3: {AGAIN}"),
    "input": ([*DENSE[:4], node("Gemm", "x dw db", "a"), *DENSE[7:], *LAST], {},
              "its input must be quantized too"),
    "hidden": ([*DENSE[:7], DENSE[7], node("Gemm", "r dv dc", "l"), *LAST], {},
               "the outputs of n_a must be quantized too"),
    "weights": ([*DENSE[:6], node("Gemm", "f fw db", "a"), *DENSE[7:], *LAST], {},
                "the weights of n_a must be quantized too"),
    "sum-before-bias": (
        [*DENSE[:6], node("MatMul", "f dw", "m"), *fixed("m", "hs", "i0", "g"),
         node("Add", "g db", "a"), *DENSE[7:], *LAST], {}, "node 'n_a' .* is not supported"),
    "narrow": ([quant("x", "xs", "eight", "f", narrow=1), *QUANTS[1:]], {},
               r"codes must be all of .* got -127 \.\. 127"),
    "mode": ([quant("x", "xs", "eight", "f", rounding_mode="FLOOR"), *QUANTS[1:]], {},
             "its rounding_mode must be ROUND, to nearest even, got FLOOR"),
    "clip": ([*DENSE[:7], *clipped("a", "hs", "u0", "h", "low", "ten"), *DENSE[-1:], *LAST],
              {"ten": np.uint8(10)}, r"codes must be all of .* got 0 \.\. 10"),
    "wide": ([*DENSE, *LAST], {"hs": np.float32(2**-25), "cs": np.float32(2**-31)},
             r"layer n_a: its weights take \d+ bits .* requantize = true"),
    "other-scale": ([*DENSE[:4], node("QuantizeLinear", "x xs i0", "q"),
                     node("DequantizeLinear", "q hs i0", "f"), *DENSE[6:], *LAST], {},
                    r"its scale and zero point must be 0\.0625 and 0, those of node 'n_q'"),
    "codes-alone": ([*DENSE[:4], node("QuantizeLinear", "x xs i0", "q"), node("Relu", "q", "f"),
                     *DENSE[6:], *LAST], {}, "put DequantizeLinear before"),
    "input-twice": ([*DENSE[:4], *fixed("x", "xs", "i0", "k"), *fixed("k", "hs", "i0", "f"),
                     *DENSE[6:], *LAST], {}, "once behind each layer and in front of the first"),
    "hidden-twice": ([*DENSE[:8], *fixed("r", "hs", "i0", "k"), *fixed("k", "zs", "i0", "h"),
                      *DENSE[-1:], *LAST], {}, "once behind each layer and in front of the first"),
    "front": ([*stored("w", "v", "b", "c"), node("Mul", "x one", "y"), *fixed("y", "xs", "i0", "f"),
               *DENSE[6:], *LAST], {}, "once behind each layer and in front of the first it is"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_another_quantization_is_refused_with_what_to_do(name, tmp_path):
    nodes, changed, words = REFUSED[name]
    end = "z"
    (tmp_path / "net.onnx").write_bytes(graph(nodes, end, **changed).SerializeToString())
    with pytest.raises(ValueError, match=words) as refused:
        torch_fx.given(load(tmp_path / "net.onnx"))
    assert str(refused.value).isprintable()


def test_other_scales_are_quantized_again_where_the_recipe_says_so(tmp_path):
    changed = {"xs": 0.05, "hs": 0.11, "zs": 0.3, "ws": 0.031, "vs": 0.017,
               "bs": 0.05 * 0.031, "cs": 0.11 * 0.017}  # fmt: skip
    onnx.save(graph([*DENSE, *LAST], "p", **changed), tmp_path / "net.onnx")
    own = replace(plan(tmp_path), requantize=True)
    trained = training.learn(own, FLOWERS, np.arange(150))
    wide = run(graph([*DENSE[:4], node("Gemm", "x dw db", "a"), DENSE[7],
                      node("Gemm", "r dv dc", "l")], "l", **changed), FLOWERS.features)  # fmt: skip
    module = load(tmp_path / "net.onnx", floats=True)
    logits = torch_fx.logits(module)(torch.tensor(FLOWERS.features).float())
    assert np.allclose(logits.detach(), wide[0], atol=1e-3)
    assert not any(isinstance(part, FixedPoint) for part in module)
    assert trained.quantized.formats.x.width == IRIS.formats.input.width


def test_the_float_weights_of_quantized_ones_are_kept_for_quantizing_again(tmp_path):
    onnx.save(graph(FORMS["qcdq"][0], "p"), tmp_path / "net.onnx")
    (first, _) = torch_fx.layers(load(tmp_path / "net.onnx", floats=True))
    stored_ones = {t.name: t for t in onnx.load(tmp_path / "net.onnx").graph.initializer}
    own = numpy_helper.to_array(stored_ones["fw"])
    assert (first.linear.weight.detach().numpy() == own.T).all()


def test_requantize_stands_beside_an_onnx_alone(tmp_path):
    with pytest.raises(ValueError, match="requantize must be true or false, beside an onnx"):
        replace(IRIS, requantize=True)


# Biases between the steps of a sum


@pytest.mark.parametrize("shift", [0, 1, 2, 5])
def test_a_bias_between_steps_rounds_as_it_does(shift):
    """All sums of a range, against the exact rounding of the real number."""
    x, y = Format(8, 4), Format(16, 8 - shift)
    fractions = torch.tensor([0.0, 0.1, 0.25, 0.499999, 0.5, 0.500001, 0.75, 0.999])
    biases = torch.cat([fractions, fractions + 3, fractions - 8]).double() * 2.0**-8
    weight, bias, w = exact_parameters(torch.full((24, 1), 2.0**-4), biases, 2.0**-4, x, y)
    sums = torch.arange(-128, 128).double()[:, None] * 2.0**-8
    found = x.lsb * torch.arange(-128, 128).double()[:, None] @ weight.T + bias
    steps = bias * 2.0 ** (w.frac + x.frac)
    assert torch.equal(steps, steps.round())
    assert torch.equal(torch.round(found / y.lsb), torch.round((sums + biases) / y.lsb))
