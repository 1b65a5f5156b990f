"""A slice of `make verify-random-networks`: all agree, and a failure leaves what shows it."""

import functools
from pathlib import Path

import numpy as np
import pytest

from common.paths import BUILD
from model import artifact, fast
from model.artifact import Network
from model.format import Int
from model.functions import FUNCTIONS
from model.stages.softmax import DIVIDERS, SCORES
from tb.modules.mutant import mutated
from tb.modules.registry import mutant_named
from verify.campaigns.random_networks import (
    FULL,
    SAMPLES,
    SMALL,
    Disagreement,
    Tensors,
    again,
    check,
    compare,
    draw,
    drawn,
    through_fast_path,
    through_rtl,
    values_of,
)

SLICE = 20


@pytest.mark.parametrize("seed", range(SLICE))
def test_implementations_agree(seed: int) -> None:
    compared = check(seed, SMALL, BUILD / "random-networks" / f"failed-{seed}")
    assert compared == SAMPLES * values_of(draw(seed, SMALL).spec)


def test_draws_reach_every_kind_of_network() -> None:
    specs = [draw(seed, FULL).spec for seed in range(200)]
    assert {len(spec.layers) for spec in specs} == set(range(1, 7))
    softmaxes = [spec.softmax for spec in specs if spec.output.kind == "softmax"]
    assert {(softmax.score, softmax.divider) for softmax in softmaxes} == {
        (score, divider) for score in SCORES for divider in DIVIDERS
    }
    outputs = {(spec.output.kind, bool(spec.output.classes)) for spec in specs}
    assert outputs >= {("logits", False), ("logits", True), ("argmax", True), ("sigmoid", False)}
    made = {
        layer.activation.function for spec in specs for layer in spec.layers if layer.activation
    }
    assert made == set(FUNCTIONS)
    assert {spec.loadable for spec in specs} == {False, True}
    layers = [layer for spec in specs for layer in spec.layers]
    for name in ("x", "w", "y"):
        assert {getattr(layer, name).width for layer in layers} == set(range(2, 17))
    sizes = {size for layer in layers for size in (layer.n_in, layer.n_out)}
    assert {1, 2, 64} <= sizes <= set(range(1, 65))
    for name, least in (("simd", 8), ("pe", 8), ("shift", 0)):
        assert {0, 1} & {getattr(layer, name) for layer in layers}
        assert max(getattr(layer, name) for layer in layers) >= least
    assert any(spec.in_lanes > 1 for spec in specs) and any(spec.out_lanes > 1 for spec in specs)
    in_memory = [(spec.in_lanes, spec.layers[0].simd) for spec in specs if spec.memory]
    assert any(lanes > 1 for lanes, _ in in_memory)
    assert any(lanes < simd for lanes, simd in in_memory)


def test_the_same_seed_draws_the_same_network() -> None:
    one, other = draw(7, FULL), draw(7, FULL)
    assert one.spec == other.spec
    assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)


def unsaturated(network: Network, x: Int) -> Tensors:
    """A fast path that wraps where it should saturate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast.np, "clip", wrapped)
        return through_fast_path(network, x)


def wrapped(y: np.ndarray, least: int, most: int, out: np.ndarray) -> np.ndarray:
    out[:] = np.where(y > most, least, np.maximum(y, least))
    return out


def test_a_failure_shrinks_and_is_left_to_run_again(tmp_path: Path) -> None:
    broken = {"fast path": unsaturated}
    sentence = (
        r"seed 3: fast path: sample \d+: .* python -m verify.campaigns.random_networks --again "
    )
    with pytest.raises(Disagreement, match=sentence):
        check(3, FULL, tmp_path, broken)
    network, x = artifact.load(tmp_path / "network.json"), np.load(tmp_path / "inputs.npy")
    assert len(network.spec.layers) <= 2 < len(draw(3, FULL).spec.layers)
    with pytest.raises(Disagreement):
        compare(network, x, broken)
    assert again(tmp_path) > 0


def test_a_mutant_of_the_rtl_is_noticed() -> None:
    mutant = mutant_named("rounds-half-up")
    rtl = mutated(mutant, BUILD / "mutants" / "random-networks")
    broken = {"native RTL": functools.partial(through_rtl, rtl=rtl)}
    with pytest.raises(
        Disagreement, match=r"native RTL: sample \d+: softmax.* is .*, the reference has"
    ):
        for seed in range(SLICE):
            compare(*drawn(seed, SMALL), broken)


def test_a_lost_result_is_noticed() -> None:
    broken = {"short": lambda network, x: through_fast_path(network, x[1:])}
    with pytest.raises(
        Disagreement,
        match=r"short: softmax.probabilities must have shape \(1000, 5\), got \(999, 5\)",
    ):
        compare(*drawn(0, SMALL), broken)
