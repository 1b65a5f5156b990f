"""The integer reference against exact rationals, Python integers and PyTorch."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from common.paths import GOLDEN_IRIS
from model import artifact, recipe, reference, tables
from model.artifact import ArtifactError, Network
from model.bounds import accumulator_width
from model.format import Format
from model.qat import quantize
from model.qat.quantize import Calibration, QuantizedNetwork, QuantizeError
from model.recipe import Fold
from model.stages.softmax import MAX_CLASSES, SCORES

IRIS = recipe.load(Path("model/networks/iris.toml"))
WIDTHS = st.integers(2, 16)


def saturate(value, width):
    return max(-(1 << (width - 1)), min((1 << (width - 1)) - 1, value))


def one(operator, *values, **options):
    """An operator on one value each, as a Python int."""
    return operator(*(np.array([value]) for value in values), **options).tolist()[0]


@st.composite
def accumulators(draw):
    """An accumulator, a shift and a width; every other one lies on or beside a tie."""
    shift, width = draw(st.integers(0, 40)), draw(WIDTHS)
    if draw(st.booleans()):
        return draw(st.integers(-(1 << 62), (1 << 62) - 1)), shift, width
    halves = draw(st.integers(-(1 << width) - 4, (1 << width) + 4))
    return (halves << shift >> 1) + draw(st.sampled_from([-1, 0, 1])), shift, width


@given(accumulators())
@settings(max_examples=500)
def test_requantize_rounds_the_exact_rational_half_to_even_and_saturates(case):
    acc, shift, width = case
    want = saturate(round(Fraction(acc, 1 << shift)), width)
    assert one(reference.requantize, acc, shift=shift, width=width) == want


def test_requantize_is_exact_on_every_accumulator_of_a_window():
    accs = np.arange(-(1 << 13), 1 << 13)
    for shift in range(12):
        want = [saturate(round(Fraction(acc, 1 << shift)), 8) for acc in accs.tolist()]
        assert reference.requantize(accs, shift=shift, width=8).tolist() == want


@given(st.fractions(-(2**17), 2**17), WIDTHS, st.integers(-4, 15))
def test_quantize_rounds_the_exact_rational_of_a_float_half_to_even(real, width, frac):
    x = float(real)
    want = saturate(round(Fraction(x) * Fraction(2) ** frac), width)
    assert one(reference.quantize, x, fmt=Format(width, frac)) == want


def test_quantize_saturates_what_no_float_holds():
    """Without a warning, which would be an error here."""
    assert reference.quantize(np.array([1e308, -1e308]), Format(8, 4)).tolist() == [127, -128]


@given(st.integers(-(1 << 15), (1 << 15) - 1), st.integers(0, 16))
def test_taylor2_is_the_polynomial_without_rounding(code, frac):
    x = Fraction(code, 1 << frac)
    assert one(reference.taylor2, code, frac=frac) == (1 + x + x * x / 2) * 2 ** (2 * frac + 1)


@st.composite
def score_vectors(draw):
    """Positive scores as a softmax can have them: close together, or orders of magnitude apart."""
    top = 1 << draw(st.integers(1, 34))
    count = draw(st.integers(2, MAX_CLASSES))
    scores = draw(st.lists(st.integers(1, top), min_size=count, max_size=count))
    if draw(st.booleans()):
        scores[draw(st.integers(0, count - 1))] = max(scores)
    return scores


@given(score_vectors())
@settings(max_examples=500)
def test_quotients_are_never_too_large_and_a_losers_is_at_most_one_too_small(scores):
    total = sum(scores)
    found = reference.quotients(np.array(scores), np.array(total)).tolist()
    for score, quotient in zip(scores, found, strict=True):
        exact = 255 * score // total
        assert quotient <= exact
        if 2 * score <= total:
            assert quotient >= exact - 1


@given(score_vectors())
@settings(max_examples=500)
def test_settled_probabilities_sum_to_255_and_the_winner_has_the_largest(scores):
    array = np.array(scores)
    classes = reference.winner(array)
    found = reference.remainder(reference.quotients(array, array.sum()), classes).tolist()
    best = scores.index(max(scores))
    assert classes == best
    assert sum(found) == 255
    assert min(found) >= 0
    for score, probability in zip(scores, found, strict=True):
        assert probability <= found[best]
        assert probability < found[best] or score == scores[best]


def test_reciprocals_are_the_exact_ones_rounded_down_at_the_end_of_their_range():
    want = [int(255 / Fraction(256 + i + 1, 256) * 2**8) for i in range(256)]
    assert tables.reciprocal().tolist() == want


@st.composite
def sums(draw):
    """Weights, biases, an input interval, and inputs at its ends."""
    n_out, n_in = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    bits = draw(WIDTHS)
    code = st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    rows = st.lists(code, min_size=n_in, max_size=n_in)
    weights = draw(st.lists(rows, min_size=n_out, max_size=n_out))
    biases = draw(st.lists(st.integers(-(1 << 20), 1 << 20), min_size=n_out, max_size=n_out))
    high = draw(st.integers(1, 1 << 15))
    return np.array(weights), np.array(biases), (draw(st.sampled_from([0, -high - 1])), high)


@given(sums())
def test_accumulator_width_is_the_least_that_no_partial_sum_leaves(case):
    weights, biases, (low, high) = case
    width = accumulator_width(weights, biases, (low, high))
    # The extreme partial sums take all terms of one sign, each at the input that makes it largest.
    extremes = []
    for row, bias in zip(weights.tolist(), biases.tolist(), strict=True):
        terms = [(min(w * low, w * high), max(w * low, w * high)) for w in row] + [(bias, bias)]
        extremes += [sum(min(least, 0) for least, _ in terms), sum(max(m, 0) for _, m in terms)]
    for extreme in extremes:
        assert -(1 << (width - 1)) <= extreme < 1 << (width - 1)
    tighter = width - 1
    assert tighter == 0 or any(
        not -(1 << (tighter - 1)) <= extreme < 1 << (tighter - 1) for extreme in extremes
    )


@st.composite
def quantized_networks(draw):
    """A small PyTorch network of random formats and weights, extremes and ties among them."""
    sizes = [*draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)), draw(st.integers(2, 4))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = x_fmt = Format(draw(WIDTHS), draw(st.integers(-2, 8)))
    modules, weights, outputs = [], {}, {}
    for n_in, n_out in pairwise(sizes):
        linear, name = nn.Linear(n_in, n_out).double(), f"layer_{len(modules)}"
        last = len(outputs) == len(sizes) - 2
        # Outputs are not finer than the sums, logits have a frac from 0 to 16.
        w = Format(draw(WIDTHS), draw(st.integers(max(-2, -x.frac) if last else -2, 8)))
        acc_frac = w.frac + x.frac
        y = Format(draw(WIDTHS), draw(st.integers(0 if last else -8, min(acc_frac, 16))))
        weights[name], outputs[name] = w, y
        with torch.no_grad():
            for tensor, fmt, reach in (
                (linear.weight, w, 2 ** (w.width - 1)),
                (linear.bias, Format(16, acc_frac), 2.0**12),
            ):
                tensor.copy_(torch.tensor(draw_codes(draw, rng, tensor.shape, reach) * fmt.lsb))
        modules.append(linear)
        if draw(st.booleans()):
            modules.append(nn.ReLU())
        x = y
    formats, score = Calibration(x_fmt, weights, outputs), draw(st.sampled_from(SCORES))
    network = QuantizedNetwork(nn.Sequential(*modules, nn.Softmax(dim=1)), formats, score)
    features = draw_codes(draw, rng, (20, sizes[0]), 2 ** (x_fmt.width - 1)) * x_fmt.lsb
    return network, features


def draw_codes(draw, rng, shape, reach):
    """Codes up to 1.5 times ``reach``: all over, at the ends, or on ties between two of them."""
    kind = draw(st.sampled_from(["all over", "ends", "ties", "zero"]))
    if kind == "all over":
        return rng.uniform(-1.5 * reach, 1.5 * reach, shape)
    if kind == "ends":
        return rng.choice([-reach - 1, -reach, reach - 1, reach, reach - 0.5], shape)
    return (rng.integers(-4, 4, shape) + 0.5) * (kind == "ties")


def plan_for(network):
    folds = {layer.name: Fold(1, 1) for layer in network.layers}
    return replace(IRIS, folds=folds)


def exported(network) -> Network:
    return quantize.export(network, plan_for(network), {})


def test_random_networks_saturate_tie_cut_off_and_decide():
    """Otherwise the next test would compare nothing worth comparing."""
    seen = {"saturated": 0, "tied": 0, "relu cut": 0, "classes": set()}

    @given(quantized_networks())
    @settings(max_examples=50)
    def collect(case):
        network, features = case
        integers = exported(network)
        traced = reference.trace(integers, reference.quantize(features, integers.spec.x))
        for layer in integers.spec.layers:
            y, acc = traced[f"{layer.name}.y"], traced[f"{layer.name}.acc"]
            seen["saturated"] += int(((y == layer.y.q_min) | (y == layer.y.q_max)).sum())
            half = 1 << layer.shift >> 1
            seen["tied"] += int((acc & ((1 << layer.shift) - 1) == half).sum()) if half else 0
            seen["relu cut"] += int((y < 0).sum()) if layer.relu else 0
        seen["classes"] |= set(traced["softmax.class"].tolist())

    collect()
    assert seen["classes"] == {0, 1, 2, 3}
    assert min(seen["saturated"], seen["tied"], seen["relu cut"]) > 50, seen


@given(quantized_networks())
@settings(max_examples=150)
def test_pytorch_and_reference_agree_on_every_value_of_random_networks(case):
    network, features = case
    integers = exported(network)
    traced = network.trace(features)
    assert traced["input"].tolist() == reference.quantize(features, integers.spec.x).tolist()
    compared = quantize.compare(traced, integers)
    layers = integers.spec.layers
    relus = sum(layer.n_out for layer in layers if layer.relu)
    assert sum(compared.values()) == len(features) * (
        layers[0].n_in + 2 * sum(layer.n_out for layer in layers) + relus + layers[-1].n_out + 2
    )
    for layer in layers:
        acc = traced[f"{layer.name}.acc"]
        assert acc.min() >= -(1 << (layer.acc_w - 1))
        assert acc.max() < 1 << (layer.acc_w - 1)


@pytest.mark.parametrize(
    ("bias", "sentence"),
    [
        (2.0**53, r"layer_0: codes must be below 2\*\*53, .*, got 9\.0.*e\+15"),
        (1.5 * 2.0**52, r"layer layer_0: its sums must take at most 53 bits, .*, got 54"),
        (np.nan, r"layer_0: codes must be below 2\*\*53, .*, got nan"),
    ],
)
def test_sums_beyond_what_float64_holds_are_refused(bias, sentence):
    module = nn.Sequential(nn.Linear(1, 2), nn.Softmax(dim=1)).double()
    with torch.no_grad():
        module[0].bias.fill_(bias * 2.0**-24)
    formats = Calibration(Format(16, 12), {"layer_0": Format(16, 12)}, {"layer_0": Format(8, 4)})
    with pytest.raises(QuantizeError, match=sentence):
        exported(QuantizedNetwork(module, formats, "taylor2"))


def test_a_network_whose_accumulator_is_too_narrow_cannot_be_made():
    module = nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1)).double()
    with torch.no_grad():
        module[0].weight.fill_(127.0)
    formats = Calibration(Format(8, 0), {"layer_0": Format(8, 0)}, {"layer_0": Format(8, 0)})
    integers = exported(QuantizedNetwork(module, formats, "taylor2"))
    layer = integers.spec.layers[0]
    assert layer.acc_w == 17
    spec = integers.spec.with_layers((replace(layer, acc_w=16),))
    with pytest.raises(ArtifactError, match="acc_w is 16, its sums need 17 bits"):
        integers.refolded(spec)


@pytest.mark.parametrize("samples", [0, 1, 7, 8, 9, 20])
def test_pieces_of_a_prediction_are_the_whole(samples, monkeypatch):
    network = artifact.load(GOLDEN_IRIS)
    features = np.random.default_rng(8).uniform(0, 8, size=(samples, 4))
    whole = reference.result(network, reference.trace(network, reference.encode(network, features)))
    held, trace = [], reference.trace
    monkeypatch.setattr(reference, "PIECE", 8)
    monkeypatch.setattr(reference, "trace", lambda n, x: held.append(len(x)) or trace(n, x))
    for found, wanted in zip(reference.predict(network, features), whole, strict=True):
        assert found.dtype == wanted.dtype and np.array_equal(found, wanted)
    assert sum(held) == samples and max(held) <= 8
