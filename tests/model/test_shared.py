"""A network that shares sums: its plans are those of its weights, or it is refused."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from common.errors import CommandError
from common.paths import RECIPES
from model import artifact, recipe, sum_plan
from model.artifact import ArtifactError, Network
from model.format import SpecError
from model.images import identity
from model.shared import shared
from model.summary import summary
from model.verilog import PIECE, TypingError, is_long, literal, number, typed
from scripts import bitstream
from tb.sim.made_up import made_up

ALONE = made_up([4, 6, 5], folds=[(4, 6), (2, 5)], in_lanes=4)
SHARED = shared(ALONE, 2)


def test_only_unrolled_layers_get_a_plan() -> None:
    first, second = SHARED.spec.layers
    assert first.plan is not None and second.plan is None
    assert first.linear_cycles == first.plan.stages + 1
    assert SHARED.spec.latency == ALONE.spec.latency - ALONE.spec.layers[0].linear_cycles + (
        first.linear_cycles
    )
    assert SHARED.spec.interval == ALONE.spec.interval
    assert identity(SHARED) == identity(ALONE)


def test_latency_does_not_depend_on_weights() -> None:
    for seed in range(3):
        other = shared(made_up([4, 6, 5], folds=[(4, 6), (2, 5)], seed=seed), 2)
        assert other.spec.layers[0].latency == SHARED.spec.layers[0].latency


def test_a_plan_of_other_weights_is_refused() -> None:
    for row, column in itertools.product(range(6), range(4)):
        weights = SHARED.weights["fc1"].copy()
        weights[row, column] ^= 1
        with pytest.raises(ArtifactError, match=f"layer fc1: plan: output {row} must be row {row}"):
            dataclasses.replace(SHARED, weights={**SHARED.weights, "fc1": weights})


def test_a_file_keeps_the_plan_and_an_edited_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    artifact.save(SHARED, path)
    assert artifact.load(path).spec == SHARED.spec
    content = artifact.to_content(SHARED)
    plan = SHARED.spec.layers[0].plan
    assert plan is not None
    entries = list(plan.entries)
    entries[-1] ^= sum_plan.MINUS
    changed = dataclasses.replace(plan, entries=tuple(entries))
    layers = [
        dataclasses.replace(SHARED.spec.layers[0], plan=changed),
        *SHARED.spec.layers[1:],
    ]
    with pytest.raises(ArtifactError, match="output 5 must be row 5"):
        SHARED.refolded(SHARED.spec.with_layers(layers))
    assert "plan" not in content["spec"]["stages"][1]


def test_a_layer_of_sums_has_no_multiplier() -> None:
    layers = SHARED.spec.layers
    planned = [layer for layer in layers if layer.plan]
    assert planned and all(layer.multipliers == 0 for layer in planned)
    assert all(layer.products == layer.n_in * layer.n_out for layer in planned)
    others = sum(layer.products for layer in layers if not layer.plan)
    assert f"\n{others} multipliers, " in summary(SHARED.spec)


def test_another_fold_has_no_plan() -> None:
    assert SHARED.spec.serial().layers[0].plan is None
    assert SHARED.spec.unrolled().layers[0].plan is SHARED.spec.layers[0].plan
    with pytest.raises(SpecError, match="simd x pe must be 4 x 6 beside a plan, got 2 x 3"):
        dataclasses.replace(SHARED.spec.layers[0], simd=2, pe=3)


@pytest.mark.parametrize(
    ("network", "every", "sentence"),
    [
        (made_up([4, 3, 2]), 2, r"must be unrolled to share sums .*, got fc1 at 1 x 1, fc2 at"),
        (ALONE, 0, "sharing must be an integer from 1 to 16, got 0"),
        (
            made_up([2, 2], folds=[(2, 2)], loadable=True),
            2,
            r"loadable must be false where layers share sums, .* \(fc1\), got true",
        ),
    ],
)
def test_what_cannot_share_is_refused(network: Network, every: int, sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        shared(network, every)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stages": 0}, "stages must be an integer from 1 to 65535, got 0"),
        ({"values": 4}, "entries must be 4 inputs, sums and 6 outputs"),
        ({"entries": (1, 2)}, "entries must be a list, an entry for each"),
        ({"entries": (1 << 64,) * 1000}, "an entry must be an integer from 0"),
    ],
)
def test_a_plan_of_another_shape_is_refused(changes: dict[str, int], sentence: str) -> None:
    plan = SHARED.spec.layers[0].plan
    assert plan is not None
    with pytest.raises((SpecError, ArtifactError), match=sentence):
        other = dataclasses.replace(plan, **changes)  # type: ignore[arg-type]
        layer = dataclasses.replace(SHARED.spec.layers[0], plan=other)
        SHARED.refolded(SHARED.spec.with_layers([layer, *SHARED.spec.layers[1:]]))


def test_a_recipe_says_how_many_additions_there_are_between_registers(tmp_path: Path) -> None:
    text = (RECIPES / "iris.toml").read_text()
    assert recipe.load(RECIPES / "iris.toml").sharing is None
    for value, ok in (("3", True), ("0", False), ("true", False)):
        path = tmp_path / "iris.toml"
        path.write_text(f"sharing = {value}\n{text}")
        if ok:
            assert recipe.load(path).sharing == 3
        else:
            with pytest.raises(recipe.RecipeError, match="sharing must be an integer from 1 to 16"):
                recipe.load(path)


def test_a_board_takes_no_plan(tmp_path: Path) -> None:
    artifact.save(SHARED, tmp_path / "network.json")
    with pytest.raises(CommandError, match="network made_up: must not share sums, which a board"):
        bitstream.predict(tmp_path, bitstream.BOARDS["icebreaker"])


def test_parameters_hold_every_plan_in_its_place() -> None:
    spec = shared(ALONE.refolded(ALONE.spec.unrolled())).spec
    parameters = spec.parameters("mem")
    at, words = parameters["PLAN_AT"], parameters["PLANS"]
    assert isinstance(at, tuple) and isinstance(words, tuple)
    for layer, (first, after) in zip(spec.layers, itertools.pairwise(at), strict=True):
        assert layer.plan is not None and words[first:after] == layer.plan.words
    assert len(words) == at[-1] + 1
    assert "PLANS" not in ALONE.spec.parameters("mem")


def test_a_long_list_is_typed_into_its_module() -> None:
    rng = np.random.default_rng(1)
    words = tuple(map(int, rng.integers(0, 1 << 32, 2 * PIECE + 3)))
    assert is_long(words) and not is_long(words[: PIECE // 2])
    whole = int(number(words).partition("'h")[2], 16)
    pieces = [piece.partition("'h") for piece in literal(words).strip("{}").split(", ")]
    found = 0
    for bits, _, digits in pieces:
        found = found << int(bits) | int(digits, 16)
    assert found == whole == sum(word << 32 * k for k, word in enumerate(words))
    text = "    parameter [32*N-1:0] LONG = 32'd0,   // why\n    parameter N = 1    // two\n"
    assert f"LONG = {literal(words)},   // why" in typed(text, "LONG", words)
    assert "parameter N = 7    // two" in typed(text, "N", 7)
    with pytest.raises(TypingError, match="SHORT must be declared once, found 0 times"):
        typed(text, "SHORT", words)
