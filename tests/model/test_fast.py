"""The fast path equals the reference, and the tests would notice if it did not."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import fast, reference
from model.artifact import Network
from model.format import Format, Int
from model.stages.linear import MAX_ACC_W
from tb.sim.made_up import codes, made_up
from verify.campaigns.random_networks import FULL, draw


def with_accumulators(network: Network, acc_w: int) -> Network:
    """The same network with accumulators of ``acc_w`` bits, or as many as it needs."""
    layers = tuple(
        dataclasses.replace(layer, acc_w=max(acc_w, layer.acc_w)) for layer in network.spec.layers
    )
    return network.refolded(network.spec.with_layers(layers))


def corners(network: Network, count: int) -> Int:
    """Random inputs, both ends, and for each neuron the inputs that drive its sum to its ends."""
    x, weights = network.spec.x, network.weights[network.spec.layers[0].weights]
    rows = [np.where(sign * weights > 0, x.q_max, x.q_min) for sign in (1, -1)]
    ends = np.array([[x.q_min] * network.spec.n_in, [x.q_max] * network.spec.n_in])
    drawn = codes(np.random.default_rng(count), network, count)
    return np.concatenate([drawn, ends, *rows])


def differing(network: Network, x: Int) -> int:
    """Values of the fast path that are not the reference's."""
    classes, results = fast.predict_codes(network, x)
    assert classes.shape == (len(x),) and results.shape == (len(x), network.spec.n_out)
    kind = np.uint8 if network.spec.tdata.ends == (0, 255) else np.int64
    assert (classes.dtype, results.dtype) == (np.int64, kind)
    wanted, left = reference.result(network, reference.trace(network, x))
    return int((classes != wanted).sum() + (results != left).sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([0, 26, 55, MAX_ACC_W]))
def test_fast_path_equals_the_reference(seed: int, acc_w: int) -> None:
    network = with_accumulators(draw(seed, FULL), acc_w)
    assert differing(network, corners(network, 200)) == 0


@pytest.mark.parametrize("score", ["taylor2", "exp"])
@pytest.mark.parametrize("divider", ["reciprocal", "restoring"])
@pytest.mark.parametrize("width", range(2, 17))
def test_fast_path_equals_the_reference_at_each_width(score: str, divider: str, width: int) -> None:
    formats = [Format(width, width // 2)] * 3
    network = made_up(
        [5, 7, 4],
        formats=formats,
        weight_format=Format(width, width // 2),
        softmax=(score, divider),
        integers="extreme",
    )
    assert differing(network, corners(network, 200)) == 0


def test_pieces_of_every_length_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "CHUNK", 5)
    monkeypatch.setattr(fast, "_FEWEST_ROWS", 2)
    network = made_up([4, 6, 3])
    for count in range(13):
        assert differing(network, codes(np.random.default_rng(1), network, count)) == 0


# a * a - b * b - a - b is 0 where a = b + 1: a float32 holds neither square, and misses the 0.
A, B = 32767, 32766
SQUARES = np.array([[A, B, A, B], [1, 1, 1, 1]])


def squares() -> Network:
    """One layer of 16 bits whose first sum cancels; the score shows a difference of 1."""
    network = made_up([4, 3], formats=[Format(16, 0)] * 2, weight_format=Format(16, 0))
    weights = {"fc1": np.array([[A, -B, -1, -1], [0, 0, 0, 0], [0, 0, 0, 0]])}
    biases = {"fc1": np.zeros(3, np.int64)}
    return dataclasses.replace(network, weights=weights, biases=biases)


def test_sums_beyond_a_float32_are_exact() -> None:
    values = reference.trace(squares(), SQUARES)
    assert values["fc1.acc"][0, 0] == 0
    assert differing(squares(), SQUARES) == 0


def test_a_float_too_short_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "_EXACT", ((MAX_ACC_W, np.float32),))
    assert differing(squares(), SQUARES) > 0


def test_rounding_half_up_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def half_up(y: np.ndarray, out: np.ndarray) -> np.ndarray:
        return np.floor(y + 0.5, out=out)

    monkeypatch.setattr(fast.np, "rint", half_up)
    assert any(differing(draw(seed, FULL), corners(draw(seed, FULL), 200)) for seed in range(30))
