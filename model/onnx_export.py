"""The quantized network as an ONNX model, and what ONNX Runtime says it computes.

The second opinion on `model.reference`: other operators, another library, the same integers. Every
value of a trace can be an output, under the trace's own name. Operators: https://onnx.ai/onnx.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from common.files import digest
from model import reference, tables
from model.artifact import Network
from model.format import Int
from model.reference import FeatureError
from model.spec import NetworkSpec, to_plain
from model.stage import PROBABILITY_ONE
from model.stages.linear import LayerSpec
from model.stages.output import ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import SoftmaxSpec
from model.tables import RECIPROCAL_ADDR_W, RECIPROCAL_W

OPSET, IR_VERSION = 21, 10

# Width of accumulators that float64 holds exactly, at any power-of-two scale.
MAX_FLOAT_W = 53

_ONE_THREAD = onnxruntime.SessionOptions()
_ONE_THREAD.intra_op_num_threads = _ONE_THREAD.inter_op_num_threads = 1


class _Graph:
    """Nodes and constants in the order in which they are asked for."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, value: int | float | Int, name: str | None = None) -> str:
        """A scalar or tensor; the name of the one that was made of the same before."""
        array = np.asarray(value)
        name = name or f"{array.dtype}.{value if array.ndim == 0 else digest(array.tolist())[:8]}"
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def node(
        self, operator: str, *inputs: str | int | float | Int, name: str = "", **attributes: Any
    ) -> str:
        """The output of an operator on earlier outputs and on numbers; ``name`` names it."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = name or f"{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], output, **attributes))
        return output


def _quantize(graph: _Graph, network: Network) -> str:
    spec, features = network.spec, "features"
    if network.scaling is not None:
        offset, scale = np.array(network.scaling.offset), np.array(network.scaling.scale)
        features = graph.node("Div", graph.node("Sub", features, offset), scale)
    rounded = graph.node("Round", graph.node("Mul", features, 2.0**spec.x.frac))
    clipped = graph.node("Clip", rounded, float(spec.x.q_min), float(spec.x.q_max))
    return graph.node("Cast", clipped, name="input", to=TensorProto.INT64)


def _requantize(graph: _Graph, acc: str, layer: LayerSpec) -> str:
    name = f"{layer.name}.y"
    if layer.acc_w > MAX_FLOAT_W:
        rounded = _round_integers(graph, acc, layer.shift)
        return graph.node("Clip", rounded, layer.z.q_min, layer.z.q_max, name=name)
    scaled = graph.node("Mul", graph.node("Cast", acc, to=TensorProto.DOUBLE), 2.0**-layer.shift)
    rounded = graph.node("Round", scaled)
    clipped = graph.node("Clip", rounded, float(layer.z.q_min), float(layer.z.q_max))
    return graph.node("Cast", clipped, name=name, to=TensorProto.INT64)


def _round_integers(graph: _Graph, acc: str, shift: int) -> str:
    """``acc / 2**shift`` half to even, where float64 is too short for ``acc``."""
    # Down to a multiple first: Mod has the sign of its divisor, and Div is then exact.
    dropped = graph.node("Mod", acc, 1 << shift)
    floor = graph.node("Div", graph.node("Sub", acc, dropped), 1 << shift)
    # Above a half where the floor is even, from a half on where it is odd.
    odd = graph.node("Mod", floor, 2)
    doubled = graph.node("Add", graph.node("Mul", dropped, 2), odd)
    up = graph.node("Greater", doubled, 1 << shift)
    return graph.node("Add", floor, graph.node("Cast", up, to=TensorProto.INT64))


def _layer(graph: _Graph, x: str, layer: LayerSpec, network: Network) -> str:
    # Layers that share a matrix share the initializer: it is transposed once for all of them.
    weights = graph.constant(network.weights[layer.weights].T, f"weights.{layer.weights}")
    biases = graph.constant(network.biases[layer.name], f"biases.{layer.name}")
    acc = graph.node("Add", graph.node("MatMul", x, weights), biases, name=f"{layer.name}.acc")
    y = _requantize(graph, acc, layer)
    if layer.activation:
        table = graph.constant(layer.activation.table(layer.y), f"table.{layer.name}")
        # An index below 0 counts from the end, as two's complement does.
        return graph.node("Gather", table, y, name=layer.key)
    return graph.node("Max", y, 0, name=layer.key) if layer.relu else y


def _scores(graph: _Graph, logits: str, spec: SoftmaxSpec) -> str:
    name = "softmax.scores"
    if spec.score == "exp":
        most = graph.node("ReduceMax", logits, np.array([-1]), keepdims=1)
        distance = graph.node("Sub", most, logits)
        table = graph.constant(tables.exponential(spec), "exp")
        return graph.node("Gather", table, distance, name=name)
    moved = graph.node("Add", logits, 1 << spec.x.frac)
    squared = graph.node("Mul", moved, moved)
    return graph.node("Add", squared, 1 << 2 * spec.x.frac, name=name)


def _quotients(graph: _Graph, scores: str, totals: str, spec: SoftmaxSpec) -> str:
    """`totals` are ``[samples, 1]``."""
    name = "softmax.quotients"
    if spec.divider == "restoring":
        dividend = graph.node("Mul", scores, PROBABILITY_ONE)
        return graph.node("Div", dividend, totals, name=name)
    # The place of the leading one is the number of powers of two from 2 on that are reached.
    powers = graph.constant(1 << np.arange(spec.total_w + RECIPROCAL_W), "powers")
    reached = graph.node("GreaterOrEqual", totals, 2 << np.arange(spec.total_w - 1))
    counted = graph.node("Cast", reached, to=TensorProto.INT64)
    leading_one = graph.node("ReduceSum", counted, np.array([-1]), keepdims=1)
    moved = graph.node("Mul", totals, 1 << RECIPROCAL_ADDR_W)
    top = graph.node("Div", moved, graph.node("Gather", powers, leading_one))
    table = graph.constant(tables.reciprocal(), "reciprocals")
    entry = graph.node("Gather", table, graph.node("Sub", top, 1 << RECIPROCAL_ADDR_W))
    shift = graph.node("Add", leading_one, RECIPROCAL_W - RECIPROCAL_ADDR_W)
    product = graph.node("Mul", scores, entry)
    return graph.node("Div", product, graph.node("Gather", powers, shift), name=name)


def _softmax(graph: _Graph, logits: str, spec: SoftmaxSpec, network: Network) -> str:
    last = np.array([-1])
    scores = _scores(graph, logits, spec)
    totals = graph.node("ReduceSum", scores, last, keepdims=1)
    graph.node("Squeeze", totals, last, name="softmax.totals")
    quotients = _quotients(graph, scores, totals, spec)
    classes = graph.node("ArgMax", scores, name="softmax.class", axis=-1, keepdims=0)
    column = graph.node("Unsqueeze", classes, last)
    wins = graph.node("Equal", np.arange(spec.n), column)
    losers = graph.node("Where", wins, 0, quotients)
    taken = graph.node("ReduceSum", losers, last, keepdims=1)
    rest = graph.node("Sub", PROBABILITY_ONE, taken)
    return graph.node("Where", wins, rest, quotients, name=spec.key)


def _logits(graph: _Graph, logits: str, spec: LogitsSpec, network: Network) -> str:
    if spec.ranked:
        graph.node("ArgMax", logits, name=f"{spec.name}.class", axis=-1, keepdims=0)
    return graph.node("Identity", logits, name=spec.key)


def _argmax(graph: _Graph, logits: str, spec: ArgmaxSpec, network: Network) -> str:
    return graph.node("ArgMax", logits, name=spec.key, axis=-1, keepdims=0)


def _sigmoid(graph: _Graph, logits: str, spec: SigmoidSpec, network: Network) -> str:
    width, drop = tables.sigmoid_address(spec.x)
    half = 1 << (width - 1)
    # Down to a multiple first: Mod has the sign of its divisor, and Div is then exact.
    kept = graph.node("Sub", logits, graph.node("Mod", logits, 1 << drop))
    address = graph.node("Clip", graph.node("Div", kept, 1 << drop), -half, half - 1)
    table = graph.constant(tables.sigmoid(spec.x), "sigmoid")
    # An index below 0 counts from the end.
    p = graph.node("Gather", table, address, name=spec.key)
    if spec.classes:
        classes = graph.node("GreaterOrEqual", graph.node("Squeeze", p, np.array([-1])), 128)
        graph.node("Cast", classes, name=f"{spec.name}.class", to=TensorProto.INT64)
    return p


# The nodes of each kind of stage; each gives the name of what leaves it.
_STAGES: Mapping[str, Callable[[_Graph, str, Any, Network], str]] = {
    LayerSpec.kind: _layer,
    SoftmaxSpec.kind: _softmax,
    LogitsSpec.kind: _logits,
    ArgmaxSpec.kind: _argmax,
    SigmoidSpec.kind: _sigmoid,
}


def trace_names(spec: NetworkSpec) -> tuple[str, ...]:
    """Every name of `reference.trace`, in data-path order; each can be an output of the model."""
    payloads = (
        payload
        for stage, streams in zip(spec.stages, spec.streams, strict=True)
        for stream in streams
        for payload in stream.payloads
        if payload.channel != f"{stage.name}.x"  # what leaves the stage before it
    )
    return ("input", *(payload.channel for payload in payloads))


def output_names(spec: NetworkSpec) -> tuple[str, ...]:
    """Those of `trace_names` that leave a core: the class, where there are any, then the values."""
    output = spec.output
    names = [f"{output.name}.class"] if output.classes else []
    return tuple(dict.fromkeys((*names, output.key)))


def model(network: Network, outputs: Sequence[str] | None = None) -> onnx.ModelProto:
    """An ONNX model from ``features [samples, n_in]`` (float64, their own units) to ``outputs``.

    ``outputs`` are names of `trace_names`, by default those of `output_names`; each is an int64
    tensor, as in `reference.trace`. The model has passed ``onnx.checker`` with all of its shapes
    inferred.
    """
    spec, graph = network.spec, _Graph()
    outputs = output_names(spec) if outputs is None else outputs
    x = _quantize(graph, network)
    for stage in spec.stages:
        x = _STAGES[stage.kind](graph, x, stage, network)
    shape: list[str | int | None] = ["samples", spec.n_in]
    body = helper.make_graph(
        graph.nodes,
        spec.name,
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, shape)],
        [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in outputs],
        list(graph.constants.values()),
        doc_string="Fixed-point network: every value is an integer multiple of its format's LSB.",
    )
    built = helper.make_model(
        body,
        producer_name="verbatim",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        doc_string="Bit for bit the hardware's: probabilities in units of 1/255, logits in LSBs.",
    )
    helper.set_model_props(built, {"spec_sha256": digest(to_plain(spec))})
    built = onnx.shape_inference.infer_shapes(built, strict_mode=True)
    onnx.checker.check_model(built, full_check=True)
    return built


@functools.lru_cache(maxsize=8)
def _session(serialized: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(serialized, _ONE_THREAD, ["CPUExecutionProvider"])


def _run(network: Network, codes: Int, outputs: Sequence[str]) -> dict[str, Int]:
    x = network.spec.x
    if codes.ndim != 2 or codes.shape[1] != network.spec.n_in:
        raise FeatureError(
            f"codes must have shape (samples, {network.spec.n_in}), got {codes.shape}"
        )
    if codes.size and (codes.min() < x.q_min or codes.max() > x.q_max):
        raise FeatureError(
            f"codes must be from {x.q_min} to {x.q_max}, got {codes.min()} to {codes.max()}"
        )
    unscaled = dataclasses.replace(network, scaling=None)
    session = _session(model(unscaled, outputs).SerializeToString(deterministic=True))
    # A code times its LSB is exact in float64, and the model's quantization gives the code back.
    features = {"features": np.multiply(codes, x.lsb, dtype=np.float64)}
    return dict(zip(outputs, session.run(outputs, features), strict=True))


def predict_codes(network: Network, codes: Int) -> tuple[Int, Int]:
    """Classes ``[samples]`` and results ``[samples, n_out]`` of input codes.

    By ONNX Runtime on one thread. ``codes`` are int64 ``[samples, n_in]``; raises `FeatureError`
    where they have another shape or do not fit the input's format.
    """
    classes, results = reference.result(network, _run(network, codes, output_names(network.spec)))
    return classes, results.astype(np.uint8) if network.spec.tdata.ends == (0, 255) else results


def trace_codes(network: Network, codes: Int) -> dict[str, Int]:
    """As `reference.trace`, every tensor of it, by ONNX Runtime. Raises as `predict_codes`."""
    return _run(network, codes, trace_names(network.spec))
