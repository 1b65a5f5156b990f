"""The network as ONNX: ONNX Runtime gives every value of the reference, and a wrong one is seen."""

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.paths import GOLDEN, GOLDEN_IRIS
from model import artifact, onnx_export, reference
from model.artifact import Network
from model.compare import DifferenceError, require_equal
from model.data import datasets
from model.format import Format
from model.reference import FeatureError
from model.stages.linear import MAX_ACC_W
from model.stages.softmax import DIVIDERS, SCORES
from tb.sim.made_up import codes, made_up
from verify.campaigns import onnx_runtime

NETWORK = artifact.load(GOLDEN_IRIS)
FLOWERS = datasets.load("iris").features
RNG = np.random.default_rng(1)

Node = Callable[..., str]

# Sums that float64 cannot hold, 47 of their bits shifted out.
WIDE_FORMATS = [Format(16, 31), Format(16, 15), Format(16, 8)]
WIDE = made_up([5, 4, 3], formats=WIDE_FORMATS, weight_format=Format(16, 31))


def with_large_biases(network: Network) -> Network:
    """The first layer's biases at both ends of 62 bits, and around ties of its requantization."""
    layer = network.spec.layers[0]
    half = 1 << (layer.shift - 1)
    biases = np.array([1 - (1 << 61), (1 << 61) - 1, 3 * half, 5 * half], dtype=np.int64)
    layers = (dataclasses.replace(layer, acc_w=MAX_ACC_W), *network.spec.layers[1:])
    spec = network.spec.with_layers(layers)
    return Network(spec, network.weights, network.biases | {layer.name: biases})


def require_agreement(network: Network, x: np.ndarray) -> dict[str, int]:
    """Values compared between ONNX Runtime and reference, by tensor."""
    found = onnx_export.trace_codes(network, x)
    wanted = reference.trace(network, x)
    assert list(found) == list(wanted)
    return require_equal(found, wanted, "ONNX Runtime")


def test_every_value_of_the_golden_network_agrees() -> None:
    x = np.concatenate([reference.quantize(FLOWERS, NETWORK.spec.x), codes(RNG, NETWORK, 3000)])
    compared = require_agreement(NETWORK, x)
    assert sum(compared.values()) == 3150 * (4 + 8 * 30 + 2 * 3 + 3 + 1 + 3 + 3 + 1)


@pytest.mark.parametrize("name", sorted(datasets.NAMED))
def test_real_features_give_what_predict_gives(name: str) -> None:
    network = artifact.load(GOLDEN / f"{name}.network.json")
    features = datasets.load(name).features
    require_agreement(network, reference.encode(network, features))
    session = onnxruntime.InferenceSession(onnx_export.model(network).SerializeToString())
    classes, probabilities = session.run(None, {"features": features})
    wanted = reference.predict(network, features)
    assert (classes == wanted[0]).all() and (probabilities == wanted[1]).all()


def test_classes_and_probabilities_alone_are_the_same() -> None:
    x = codes(RNG, NETWORK, 500)
    classes, probabilities = onnx_export.predict_codes(NETWORK, x)
    traced = reference.trace(NETWORK, x)
    assert probabilities.dtype == np.uint8 and classes.dtype == np.int64
    assert (classes == traced["softmax.class"]).all()
    assert (probabilities == traced["softmax.probabilities"]).all()


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Two layers at any widths and shifts, with any softmax."""
    widths, fracs = st.integers(2, 16), st.integers(0, 12)
    weights, x = Format(draw(widths), draw(fracs)), Format(draw(widths), draw(fracs))
    y = Format(draw(widths), draw(st.integers(0, weights.frac + x.frac)))
    logits = Format(draw(widths), draw(st.integers(0, min(16, weights.frac + y.frac))))
    return made_up(
        [draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(2, 12))],
        formats=[x, y, logits],
        weight_format=weights,
        softmax=(draw(st.sampled_from(SCORES)), draw(st.sampled_from(DIVIDERS))),
        integers=draw(st.sampled_from(["random", "extreme"])),
        seed=draw(st.integers(0, 1000)),
    )


@settings(max_examples=60)
@given(networks())
def test_every_value_of_any_network_agrees(network: Network) -> None:
    assert sum(require_agreement(network, codes(RNG, network, 40)).values()) > 40


def test_sums_beyond_float64_agree() -> None:
    network = with_large_biases(WIDE)
    assert network.spec.layers[0].shift == 47
    x = codes(RNG, network, 500)
    x[:3] = 0
    acc = reference.trace(network, x)["fc1.acc"]
    assert (acc.astype(np.float64).astype(object) != acc.astype(object)).any()
    require_agreement(network, x)


def test_rounding_in_integers_is_rounding_in_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "MAX_FLOAT_W", 0)
    assert "Round" not in {node.op_type for node in onnx_export.model(NETWORK).graph.node[4:]}
    require_agreement(NETWORK, codes(RNG, NETWORK, 2000))


def test_shared_weights_are_stored_once() -> None:
    constants = [tensor.name for tensor in onnx_export.model(NETWORK).graph.initializer]
    assert len(constants) == len(set(constants))
    assert [name for name in constants if name.startswith("weights.")] == [
        f"weights.{name}" for name in NETWORK.weights
    ]


# Shown able to fail


@pytest.mark.parametrize("key", ["weights", "biases"])
def test_one_lsb_in_any_matrix_of_the_model_is_noticed(key: str) -> None:
    x = codes(RNG, NETWORK, 20)
    wanted = reference.trace(NETWORK, x)
    for name, array in getattr(NETWORK, key).items():
        changed = array.copy()
        changed.flat[-1] += 1 if changed.flat[-1] < 0 else -1
        network = dataclasses.replace(NETWORK, **{key: {**getattr(NETWORK, key), name: changed}})
        with pytest.raises(DifferenceError, match=r"acc: sample \d+, .*: ONNX Runtime gives"):
            require_equal(onnx_export.trace_codes(network, x), wanted, "ONNX Runtime")


def half_up(node: Node, graph: onnx_export._Graph, x: str, **how: Any) -> str:
    return node(graph, "Floor", node(graph, "Add", x, 0.5), **how)


def last_winner(node: Node, graph: onnx_export._Graph, scores: str, **how: Any) -> str:
    return node(graph, "ArgMax", scores, select_last_index=1, **how)


def negative_part(node: Node, graph: onnx_export._Graph, x: str, zero: int, **how: Any) -> str:
    return node(graph, "Min", x, zero, **how)


def losers_get_the_rest(node: Node, graph: onnx_export._Graph, *x: str, **how: Any) -> str:
    return node(graph, "Where", x[0], x[2], x[1], **how)


@pytest.mark.parametrize(
    ("operator", "broken"),
    [
        ("Round", half_up),
        ("ArgMax", last_winner),
        ("Max", negative_part),
        ("Where", losers_get_the_rest),
    ],
)
def test_a_wrong_operator_of_the_model_is_noticed(
    operator: str, broken: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = onnx_export._Graph.node

    def built(graph: onnx_export._Graph, asked: str, *inputs: Any, **how: Any) -> str:
        if asked == operator:
            return broken(node, graph, *inputs, **how)
        return node(graph, asked, *inputs, **how)

    monkeypatch.setattr(onnx_export._Graph, "node", built)
    network = made_up([4, 6, 3], formats=[Format(4, 2)] * 3, weight_format=Format(3, 2))
    with pytest.raises(DifferenceError, match="ONNX Runtime gives"):
        require_agreement(network, codes(RNG, network, 3000))


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((2, 3), np.int64), r"codes must have shape \(samples, 4\), got \(2, 3\)"),
        (np.full((1, 4), 128), r"codes must be from -128 to 127, got 128 to 128"),
    ],
)
def test_codes_that_no_input_takes_are_refused(x: np.ndarray, sentence: str) -> None:
    with pytest.raises(FeatureError, match=sentence):
        onnx_export.predict_codes(NETWORK, x)


def test_rtl_whose_output_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    x = codes(RNG, NETWORK, 50)
    classes, probabilities = onnx_export.predict_codes(NETWORK, x)
    streamed = SimpleNamespace(classes=classes, results=probabilities)
    monkeypatch.setattr(onnx_runtime.native, "stream", lambda network, codes: streamed)
    same = onnx_runtime.against_rtl("iris", "random", NETWORK, x)
    assert (same.samples, same.values) == (50, 50 * 4)
    streamed.results = probabilities ^ np.eye(50, 3, dtype=np.uint8)
    with pytest.raises(DifferenceError, match=r"probabilities: sample 0, neuron 0: .* the RTL"):
        onnx_runtime.against_rtl("iris", "random", NETWORK, x)
