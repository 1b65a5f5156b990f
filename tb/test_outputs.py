"""Outputs beside the softmax, as users get them: every backend, the board, all logits there are."""

import dataclasses

import numpy as np
import pytest

from model import Network, artifact, fast, reference
from model.data.scaling import TargetScaling
from model.format import Format
from model.library import OutputError
from tb.modules.networks import MADE_UP
from tb.sim import native
from tb.sim.board import run_bench
from tb.sim.made_up import codes, made_up

NAMES = ("logits", "one-value", "ranked", "argmax", "sigmoid", "sigmoids")


def of(name: str) -> Network:
    return Network(**vars(MADE_UP[name]))


@pytest.mark.parametrize("name", NAMES)
def test_backends_agree(name: str) -> None:
    network = of(name)
    features = np.random.default_rng(1).uniform(-9, 9, (300, network.spec.n_in))
    wanted = network.predict(features)
    for backend in ("native", "onnx"):
        found = network.predict(features, backend=backend)
        assert list(found.results) == list(wanted.results)
        for key, values in found.results.items():
            assert values.dtype == wanted.results[key].dtype
            assert np.array_equal(values, wanted.results[key]), (backend, key)


def test_simulators_are_backends_of_values_too() -> None:
    network = of("logits")
    features = np.random.default_rng(1).uniform(-9, 9, (3, network.spec.n_in))
    wanted = network.predict(features).values
    assert wanted.min() < 0 < wanted.max()
    assert np.array_equal(network.predict(features, backend="icarus").values, wanted)


def test_prediction_has_what_its_output_has() -> None:
    features = np.zeros((5, 4))
    wanted = {
        "one-value": ["values"],
        "argmax": ["classes"],
        "sigmoid": ["classes", "probabilities"],
        "sigmoids": ["probabilities"],
        "serial": ["classes", "probabilities"],
    }
    for name, keys in wanted.items():
        assert list(of(name).predict(features).results) == keys
    with pytest.raises(OutputError, match="output logits has no classes, it has values"):
        _ = of("one-value").predict(features).classes
    assert not hasattr(of("one-value").predict(features), "probabilities")


def test_values_come_back_in_the_units_of_their_targets() -> None:
    network, features = of("one-value"), np.random.default_rng(2).uniform(-9, 9, (50, 4))
    plain = network.predict(features).values
    codes_out = reference.predict(network, features)[1]
    assert np.array_equal(plain, codes_out * 2.0**-9)
    scaled = dataclasses.replace(network, targets=TargetScaling((20.0,), (8.0,)))
    for backend in ("reference", "onnx", "native"):
        assert np.array_equal(scaled.predict(features, backend=backend).values, plain * 8 + 20)


@pytest.mark.parametrize(
    ("width", "frac"),
    [(16, 12), (16, 8), (16, 15), (16, 2), (16, 0), (16, -1), (16, -2), (12, 4), (8, 4), (2, 0)],
)
def test_sigmoid_of_every_logit_of_a_format(width: int, frac: int) -> None:
    """On the RTL: a layer that hands its input on, and each code of the format."""
    fmt = Format(width, frac)
    base = made_up([1, 1], formats=[fmt, fmt], weight_format=Format(2, 0), output="sigmoid")
    network = dataclasses.replace(
        base, weights={"fc1": np.array([[1]])}, biases={"fc1": np.array([0])}
    )
    logits = np.arange(fmt.q_min, fmt.q_max + 1)
    found = native.stream(network, logits[:, None], optimize=False)
    exact = 255 / (1 + np.exp(np.minimum(-logits * fmt.lsb, 700)))
    p = found.results[:, 0].astype(int)
    assert np.abs(p - exact).max() < (0.5 + 1e-9 if width <= 12 else 0.63)
    assert (np.diff(p) >= 0).all()
    assert np.array_equal(found.classes == 1, logits >= 0)
    assert np.array_equal(p, fast.predict_codes(network, logits[:, None])[1][:, 0])


@pytest.mark.parametrize("name", ["one-value", "ranked", "argmax", "sigmoid"])
def test_board_answers_with_every_output(name: str) -> None:
    network = dataclasses.replace(MADE_UP[name].spec, in_lanes=1, out_lanes=1)
    narrow: artifact.Network = MADE_UP[name].refolded(network)
    x = codes(np.random.default_rng(3), narrow, 6)
    done = run_bench(narrow, x, "icarus", name=f"board-{name}", testcase="answers_every_sample$")
    assert done.passed == 1
