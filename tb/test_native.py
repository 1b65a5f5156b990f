"""The RTL as a library: every value, cycles by formula, and one sentence where something breaks."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from common.paths import BUILD
from common.programs import SimulatorError
from model import Network, artifact, fast, images, sum_plan
from model.format import Format
from tb.modules.mutant import Mutant, mutated
from tb.sim import native
from tb.sim.made_up import codes, made_up
from tb.sim.native import NativeError

# One network of every kind of port: a byte, half a word, a word, two words, an array of words.
SMALL = made_up([4, 6, 3], folds=[(2, 3), (3, 1)])
X = codes(np.random.default_rng(4), SMALL, 500)
WIDE = made_up(
    [6, 10, 64],
    formats=[Format(11, 4), Format(2, 0), Format(16, 3)],
    folds=[(6, 5), (5, 8)],
    in_lanes=6,
    out_lanes=32,
    softmax=("exp", "restoring"),
    softmax_lanes=4,
)


def assert_equal(network: artifact.Network, count: int) -> None:
    """Values as the fast path's, in as many cycles as the formulas say."""
    x = codes(np.random.default_rng(count), network, count)
    found = native.stream(network, x, optimize=False)
    classes, probabilities = fast.predict_codes(network, x)
    assert np.array_equal(found.classes, classes)
    assert np.array_equal(found.results, probabilities)
    spec = network.spec
    first = max(1, spec.n_in // spec.in_lanes) + spec.latency
    beats = spec.n_out // spec.out_lanes
    assert found.cycles == first + beats - 1 + (count - 1) * spec.interval


@pytest.mark.parametrize("network", [SMALL, WIDE], ids=["bytes", "words"])
def test_library_gives_every_value_in_the_cycles_of_the_formulas(network) -> None:
    for count in (1, 2, 500):
        assert_equal(network, count)


def test_one_build_serves_other_weights() -> None:
    turned = {name: rows[::-1].copy() for name, rows in SMALL.weights.items()}
    biases = {name: row[::-1].copy() for name, row in SMALL.biases.items()}
    others = dataclasses.replace(SMALL, weights=turned, biases=biases)
    assert native.build(SMALL.spec, optimize=False) == native.build(others.spec, optimize=False)
    assert_equal(others, 100)


def test_a_flipped_bit_of_a_weight_is_seen(tmp_path: Path) -> None:
    images.write_images(SMALL, tmp_path)
    right = native.stream(SMALL, X, optimize=False, mem=tmp_path)
    image = tmp_path / "linear01_weights.mem"
    words, width = images.image_shapes(SMALL.spec)[image.name]
    values = images.read_image(image, words, width)
    images.write_image(image, [values[0] ^ 1 << (width - 2), *values[1:]], width)
    wrong = native.stream(SMALL, X, optimize=False, mem=tmp_path)
    assert np.array_equal(right.classes, fast.predict_codes(SMALL, X)[0])
    assert not np.array_equal(wrong.results, right.results)


@pytest.mark.parametrize(
    ("module", "right", "wrong", "sentence"),
    [
        ("stream_unpack", "<= in_valid;", "<= in_valid && out_valid;", r"no result for \d+ cycles"),
        ("stream_unpack", "<= in_valid;", "<= in_valid || out_valid;", "came"),
        (
            "top",
            ", winner};",
            ", winner ^ m_axis_tdata[CLASS_W-1:0]};",
            r"result \d has two classes",
        ),
    ],
)
def test_a_broken_stream_is_one_sentence(
    module: str, right: str, wrong: str, sentence: str
) -> None:
    mutant = Mutant("", f"mlp_{module}", right, wrong, "")
    rtl = mutated(mutant, BUILD / "mutants" / "native")
    with pytest.raises(NativeError, match=sentence):
        native.stream(SMALL, X, rtl=rtl, optimize=False)


def test_a_design_that_does_not_compile_is_one_sentence() -> None:
    mutant = Mutant("broken", "mlp_relu", "endmodule", "endmodul", "")
    rtl = mutated(mutant, BUILD / "mutants" / "native")
    with pytest.raises(SimulatorError, match=r"mlp_top: .*mlp_relu\.v"):
        native.stream(SMALL, X, rtl=rtl, optimize=False)


def test_an_image_that_vanishes_is_one_sentence_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "check_images", lambda spec, folder: None)
    with pytest.raises(NativeError, match="file not found"):
        native.stream(SMALL, X, optimize=False, mem=tmp_path)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.full((2, 4), 128), r"codes must be from -128 to 127, got 128 to 128"),
        (np.zeros((2, 5), np.int64), r"codes must have shape \(1 or more, 4\), got \(2, 5\)"),
        (np.zeros((0, 4), np.int64), r"codes must have shape .*, got \(0, 4\)"),
    ],
)
def test_codes_without_bits_for_them_are_one_sentence(x: np.ndarray, sentence: str) -> None:
    with pytest.raises(NativeError, match=sentence):
        native.stream(SMALL, x, optimize=False)


@pytest.mark.parametrize("sizes", [[4, 30, 30, 30, 3], [64, 32, 10], [1, 2], [64] * 7, [2048, 5]])
def test_fast_fold_is_legal_and_bounded(sizes: list[int]) -> None:
    spec = native.fast_fold(made_up(sizes).spec)
    assert all(layer.cycles <= spec.interval for layer in spec.layers)
    multipliers = sum(layer.multipliers for layer in spec.layers)
    assert multipliers <= native.MOST_MULTIPLIERS
    if sizes == [4, 30, 30, 30, 3]:
        assert spec.interval <= 32


def test_shared_sums_are_words_and_give_every_value() -> None:
    core = native.sharing_sums(SMALL)
    assert core.spec.interval == 1
    for layer in core.spec.layers:
        assert layer.plan and layer.acc_w == native.WORD_W
        sums = layer.plan.entries[layer.n_in : layer.plan.values]
        assert sums and {sum_plan.width_of(word) for word in sums} == {native.WORD_W}
    assert_equal(core, 500)


def test_shared_sums_are_those_of_the_weights() -> None:
    turned = {name: rows[::-1].copy() for name, rows in SMALL.weights.items()}
    others = native.sharing_sums(dataclasses.replace(SMALL, weights=turned))
    assert native.build(native.sharing_sums(SMALL).spec, optimize=False) != (
        native.build(others.spec, optimize=False)
    )
    assert_equal(others, 100)


@pytest.mark.parametrize(
    ("network", "samples", "shares"),
    [
        (SMALL, native.SHARED_FROM, True),
        (SMALL, native.SHARED_FROM - 1, False),
        (made_up([4, 6, 3], loadable=True), native.SHARED_FROM, False),
        (made_up([64, 40, 3]), native.SHARED_FROM, False),
    ],
)
def test_sums_are_shared_where_that_pays(
    network: artifact.Network, samples: int, shares: bool
) -> None:
    found = native.fast(network, samples).spec
    assert {bool(layer.plan) for layer in found.layers} == {shares}
    assert shares or found == native.fast_fold(network.spec)


@pytest.mark.parametrize("backend", ["icarus", "verilator", "native", "onnx"])
def test_backends_agree(backend: str) -> None:
    """Through the library: the same shapes, types and values as the reference's."""
    network = Network(**vars(SMALL))
    features = np.random.default_rng(1).uniform(-9, 9, (20, 4))
    expected = network.predict(features)
    for count in (1, 20):
        found = network.predict(features[:count], backend=backend)
        assert list(found.results) == list(expected.results)
        for name, have in found.results.items():
            want = expected.results[name][:count]
            assert have.dtype == want.dtype and np.array_equal(have, want)
