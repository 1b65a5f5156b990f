"""New weights for a core that runs: the frame, what fits, and what is refused in one sentence."""

import dataclasses
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.paths import RECIPES
from model import artifact, loading, recipe
from model.backends import BackendError
from model.format import Format
from model.library import Network
from model.loading import LoadError
from model.recipe import RecipeError
from syn.package.content import Core
from tb.sim.made_up import made_up


def core(**changed: Any) -> artifact.Network:
    return made_up([4, 6, 3], folds=[(2, 3), (6, 3)], in_lanes=2, loadable=True, **changed)


def test_frame_has_the_words_of_each_image_and_their_sum() -> None:
    holder, network = core(), made_up([4, 6, 3], seed=7)
    frame = loading.frame(holder.spec, network)
    assert len(frame) == loading.frame_bytes(holder.spec)
    assert zlib.crc32(frame[:-4]) == int.from_bytes(frame[-4:], "little")
    # The first word holds two weights of each of three outputs, the first output's in the low bits.
    first = network.spec.layers[0]
    codes = network.weights[first.weights][:3, :2].ravel()
    width = first.w.width
    word = sum((int(code) & ((1 << width) - 1)) << (width * k) for k, code in enumerate(codes))
    assert frame[: -(-6 * width // 8)] == word.to_bytes(-(-6 * width // 8), "little")
    assert frame != loading.frame(holder.spec, made_up([4, 6, 3], seed=8))


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (made_up([4, 6, 4], seed=7), "n_out must be 3 as in the core, got 4"),
        (made_up([4, 6, 6, 3], seed=7), "must have 3 stages as the core, got 4"),
        (made_up([4, 6, 3], seed=7, formats=[Format(8, 3)] * 3), "as in the core"),
    ],
)
def test_network_of_another_shape_or_format_is_refused(
    network: artifact.Network, sentence: str
) -> None:
    with pytest.raises(LoadError, match=sentence):
        loading.frame(core().spec, network)


def test_core_with_constant_weights_takes_none() -> None:
    with pytest.raises(LoadError, match="its recipe needs loadable = true"):
        loading.frame(made_up([4, 6, 3]).spec, made_up([4, 6, 3], seed=7))


def test_sums_that_the_core_cannot_hold_are_refused() -> None:
    holder = core()
    layers = [dataclasses.replace(layer, acc_w=16) for layer in holder.spec.layers]
    narrow = dataclasses.replace(holder.spec, stages=(*layers, *holder.spec.stages[2:]))
    with pytest.raises(LoadError, match="does not fit the core"):
        loading.frame(narrow, made_up([4, 6, 3], seed=7, integers="extreme"))


def test_loaded_core_predicts_as_the_network_that_was_loaded() -> None:
    holder, network = (Network(**vars(found)) for found in (core(), made_up([4, 6, 3], seed=7)))
    x = np.random.default_rng(1).uniform(-8, 8, (20, 4))
    loaded, wanted = network.load_into(holder).predict(x), network.predict(x)
    assert loaded.classes.tolist() == wanted.classes.tolist()
    assert loaded.probabilities.tolist() == wanted.probabilities.tolist()
    assert loaded.probabilities.tolist() != holder.predict(x).probabilities.tolist()
    with pytest.raises(BackendError, match="one of icarus, verilator, native, board, got 'onnx'"):
        network.load_into(holder, backend="onnx")
    with pytest.raises(BackendError, match="option 'port' is missing"):
        network.load_into(holder, backend="board")
    with pytest.raises(LoadError, match="loadable"):
        holder.load_into(network)


@pytest.mark.parametrize("value", ['"yes"', "1"])
def test_recipe_says_true_or_false(value: str, tmp_path: Path) -> None:
    path = tmp_path / "iris.toml"
    text = (RECIPES / "iris.toml").read_text()
    path.write_text(f"loadable = {value}\n{text}")
    with pytest.raises(RecipeError, match="loadable must be true or false"):
        recipe.load(path)
    path.write_text(f"loadable = true\n{text}")
    assert recipe.load(path).loadable


def test_tiny_tapeout_has_no_way_for_a_load() -> None:
    features = np.zeros((2, 4))
    assert Core.of(made_up([4, 6, 3]), features).has_bytes
    assert not Core.of(made_up([4, 6, 3], loadable=True), features).has_bytes
