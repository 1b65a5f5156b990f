"""Training for area: what pruning leaves, how far it goes, and that the test split has no say."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common.errors import VerbatimError
from common.paths import RECIPES
from model import adders, artifact, recipe, reference
from model.data import datasets
from model.data.datasets import Dataset
from model.format import SpecError
from model.frontends import torch_fx
from model.qat import checkpoint, pruning, quantize, training
from model.qat.checkpoint import CheckpointError
from model.qat.pruning import Choice, Held, PruningError
from model.recipe import RecipeError
from model.shared import shared
from model.sparsity import Sparsity
from scripts import export, new, train

IRIS = recipe.load(RECIPES / "iris.toml")
SETTINGS = Sparsity(levels=(0.4, 0.1, 0.02), splits=2, lost=0.02)
SHORT = replace(
    IRIS,
    training=replace(IRIS.training, epochs=40, learning_rate=0.02),
    fine_tuning=replace(IRIS.fine_tuning, epochs=15, learning_rate=0.02),
    formats=replace(IRIS.formats, weights_width=5, activations_width=6, calibration="mse"),
    area=SETTINGS,
)
SAMPLES = datasets.load("iris")
TRAIN, TEST = datasets.split(SAMPLES, IRIS.split.test_fraction, IRIS.split.seed)


@pytest.fixture(scope="module")
def short() -> training.Trained:
    torch.set_num_threads(1)
    return training.learn(SHORT, SAMPLES, TRAIN)


def network_of(trained: training.Trained, plan: recipe.Recipe = SHORT) -> artifact.Network:
    made = quantize.export(trained.quantized, plan, {}, trained.scaling, trained.targets)
    assert trained.choice is not None
    return pruning.recorded(made, plan, trained.choice)


def test_alive_weights_are_those_on_a_path_from_an_input_to_an_output() -> None:
    rng = np.random.default_rng(5)
    uses, shapes = ["a", "b", "b", "c"], {"a": (4, 3), "b": (4, 4), "c": (2, 4)}
    removed = 0
    for _ in range(200):
        masks = {key: rng.random(shape) < 0.25 for key, shape in shapes.items()}
        on_a_path = {key: np.zeros(shape, bool) for key, shape in shapes.items()}

        def follow(depth: int, unit: int, path: list[tuple[str, int, int]]) -> None:
            if depth == len(uses):
                for key, row, column in path:
                    on_a_path[key][row, column] = True  # noqa: B023
                return
            key = uses[depth]
            for row in np.flatnonzero(masks[key][:, unit]):  # noqa: B023
                follow(depth + 1, int(row), [*path, (key, int(row), unit)])

        for feature in range(3):
            follow(0, feature, [])
        found = adders.alive(uses, masks)
        for key in shapes:
            assert (found[key] == on_a_path[key]).all()
            removed += int((masks[key] & ~found[key]).sum())
    assert removed > 500


def test_cost_counts_what_is_kept_and_falls_with_it(short: training.Trained) -> None:
    network = network_of(short)
    whole = adders.cost(network)
    assert whole.weights == 4 * 30 + 30 * 30 + 30 * 3 == 1110
    assert 0 < whole.kept <= sum(int((w != 0).sum()) for w in network.weights.values())
    fewer = dict(network.weights)
    fewer["fc1"] = fewer["fc1"] * (np.arange(30) % 2)[:, None]
    less = adders.cost(replace(network, weights=fewer))
    assert less.kept < whole.kept and less.adder_bits < whole.adder_bits
    assert less.luts < whole.luts
    assert adders.cost(network.refolded(network.spec.serial())) == whole
    assert adders.cost(shared(network.refolded(network.spec.unrolled()))) == whole


def test_cost_counts_the_adders_of_shared_sums_without_dead_weights(
    short: training.Trained,
) -> None:
    network = network_of(short)
    weights = {key: np.zeros_like(matrix) for key, matrix in network.weights.items()}
    # fc1: outputs 0 and 1 have the same sum of two inputs, output 2 is not read.
    weights["fc1"][0, :2] = weights["fc1"][1, :2] = weights["fc1"][2, :2] = 1
    weights["fc2"][0, 0] = weights["fc2"][1, 1] = 1
    weights["fc3"][0, 0] = weights["fc3"][1, 1] = 1
    cost = adders.cost(replace(network, weights=weights))
    x = network.spec.x
    assert cost.kept == 8 and cost.adder_bits == x.width + 1
    weights["fc1"][0, 0] = 2
    apart = adders.cost(replace(network, weights=weights))
    assert apart.kept == 8 and apart.adder_bits == x.width + 1 + x.width + 2


def test_pruned_weights_stay_0_and_the_rest_is_at_most_the_level(short: training.Trained) -> None:
    assert short.choice is not None and short.choice.level > 0
    level = SETTINGS.walked[short.choice.level]
    found = {
        layer.weights: layer.linear.weight.detach().numpy() for layer in short.quantized.layers
    }
    kept = sum(int((weights != 0).sum()) for weights in found.values())
    assert 0 < kept <= round(level * 1110)
    traced = short.quantized.trace(short.scaled(SAMPLES.features))
    assert sum(quantize.compare(traced, network_of(short)).values()) > 0


def test_pruning_ranks_by_the_largest_of_each_matrix_and_leaves_none_empty() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    first, second = module[0].weight, module[2].weight
    with torch.no_grad():
        first.copy_(torch.tensor([[8.0, 1.0], [2.0, 3.0]]))
        second.copy_(torch.tensor([[0.02, 0.125], [0.01, 0.0625]]))
    layers = torch_fx.core_layers(module)
    before = first.tolist(), second.tolist()
    # One weight of eight: the largest of either matrix, on no path together.
    assert not pruning.prune(layers, 0.125)
    assert (first.tolist(), second.tolist()) == before
    # Four of eight, 8 among them, which then has no reader.
    assert pruning.prune(layers, 0.5)
    assert first.tolist() == [[0.0, 0.0], [0.0, 3.0]]
    assert second.tolist() == [[0.0, 0.125], [0.0, 0.0625]]


def test_the_same_seed_gives_the_same_network_whatever_the_test_split_holds(
    short: training.Trained,
) -> None:
    features, labels = SAMPLES.features.copy(), SAMPLES.labels.copy()
    features[TEST], labels[TEST] = 9.9, 0
    disturbed = training.learn(SHORT, replace(SAMPLES, features=features, labels=labels), TRAIN)
    assert disturbed.choice == short.choice
    assert artifact.to_content(network_of(disturbed)) == artifact.to_content(network_of(short))


def test_every_training_sample_is_held_out_once_and_no_other() -> None:
    parts = list(pruning.splits(replace(SETTINGS, splits=5), SAMPLES, TRAIN, 3))
    assert len(parts) == 5
    assert sorted(np.concatenate([held for _, held in parts])) == TRAIN.tolist()
    for learned, held in parts:
        assert sorted([*learned, *held]) == TRAIN.tolist()
        assert np.bincount(SAMPLES.labels[held]).tolist() == [8, 8, 8]


def test_the_level_has_the_fewest_luts_of_those_that_lose_little_enough() -> None:
    """Errors of 120 samples: 4, 2, 5, 40; the third loses 3 of 120."""

    def walk(learned: object, held: object) -> list[Held]:
        return [Held(2, 900), Held(1, 950), Held(2.5, 300), Held(20, 100), Held(0, 1)]

    def walk_of_fewer_levels(learned: object, held: object) -> list[Held]:
        walk_of_fewer_levels.calls = getattr(walk_of_fewer_levels, "calls", 0) + 1
        return walk(learned, held)[: 4 + walk_of_fewer_levels.calls % 2]

    for lost, level in ((0.0, 1), (0.02, 0), (0.025, 2), (0.4, 3)):
        settings = replace(SETTINGS, lost=lost)
        found = pruning.choose(settings, SAMPLES, TRAIN, 0, walk_of_fewer_levels)
        assert found.level == level
        assert found.scores == tuple(round(1 - e / 120, 6) for e in (4, 2, 5, 40))
        assert found.luts == (900, 950, 300, 100)


def test_a_class_of_fewer_samples_than_splits_is_refused() -> None:
    few = np.concatenate([TRAIN[SAMPLES.labels[TRAIN] != 1], TRAIN[SAMPLES.labels[TRAIN] == 1][:3]])
    sentence = "splits must be at most .* each class, got 5 for 3 of class 'versicolor'"
    with pytest.raises(PruningError, match=sentence):
        training.learn(replace(SHORT, area=Sparsity()), SAMPLES, few)


def test_commands_keep_the_choice_and_say_what_was_kept(
    short: training.Trained,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "pruned.toml"
    text = (RECIPES / "iris.toml").read_text().replace("= 1000", "= 40").replace("= 200", "= 15")
    text = text.replace("learning_rate = 0.001", "learning_rate = 0.02")
    text = text.replace("[softmax]", 'calibration = "mse"\n\n[softmax]')
    text = text.replace("weights_width = 8", "weights_width = 5")
    text = text.replace("activations_width = 8", "activations_width = 6")
    path.write_text(f"{text}\n[area]\nlevels = [0.4, 0.1, 0.02]\nsplits = 2\nlost = 0.02\n")
    assert replace(recipe.load(path), folder=SHORT.folder) == SHORT
    monkeypatch.setattr(training, "learn", lambda *arguments: short)
    arguments = argparse.Namespace(network=path, build=tmp_path, allow_changed_winners=120)
    train.run(arguments)
    trained = capsys.readouterr().out
    export.run(arguments)
    network = artifact.load(tmp_path / "network.json")
    facts = network.provenance["area"]
    cost = adders.cost(network)
    assert facts["kept"] == cost.kept and facts["predicted_luts"] == cost.luts
    assert facts["level"] == SETTINGS.walked[short.choice.level]
    assert tuple(facts["cross_validated"]) == short.choice.scores
    for printed in (trained, capsys.readouterr().out):
        assert f"{cost.kept} of 1110 weights kept, {cost.luts:,} LUTs predicted" in printed
    assert json.loads((tmp_path / "network.json").read_text())["provenance"]["area"] == facts
    plan = recipe.load(path)
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    for damage in (
        {"level": 9},
        {"scores": (float("nan"),) * len(short.choice.scores)},
        {"luts": ()},
        {"luts": (-1,) * len(short.choice.scores)},
        {"scores": (0.5,) * 9, "luts": (1,) * 9},
    ):
        broken = {**content, "choice": {**content["choice"], **damage}}
        torch.save(broken, tmp_path / "checkpoint.pt")
        with pytest.raises(CheckpointError, match="is damaged, train again: choice"):
            checkpoint.load(plan, SAMPLES, tmp_path / "checkpoint.pt")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("penalty = 1.0", r"area: penalty must be a float from 0 to below 1, got 1\.0"),
        ("lost = -0.1", r"area: lost must be a float from 0 to below 1, got -0\.1"),
        ("lost = nan", "area: lost must be a float .*, got nan"),
        ("levels = [0.5, 0.5]", r"area: levels must be .* less than the one before, got \[0.5, 0"),
        ("levels = []", r"area: levels must be floats below 1 and above 0, .* got \[\]"),
        ("levels = [1.0]", r"area: levels must be floats below 1 and above 0, .* got \[1\.0\]"),
        ("levels = 0.5", "area: levels must be floats .* got 0.5"),
        ("splits = 1", "area: splits must be an integer from 2 to 20, got 1"),
        ("split = 5", "area: unknown key 'split', expected one of penalty, levels, splits, lost"),
    ],
)
def test_an_illegal_value_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "pruned.toml"
    path.write_text((RECIPES / "iris.toml").read_text() + f"\n[area]\n{line}\n")
    with pytest.raises(RecipeError, match=rf"pruned\.toml: .*{sentence}"):
        recipe.load(path)


def test_area_is_refused_beside_what_it_cannot_do() -> None:
    for changes, sentence in (
        ({"training": None, "checkpoint": "a.pt"}, r"area must have \[training\] beside it"),
        ({"fine_tuning": replace(IRIS.fine_tuning, epochs=0)}, "at least 1 epoch .*, got 0"),
        (
            {
                "dataset": recipe.DataFile("a.csv", targets=("x", "y")),
                "output": "sigmoid",
            },
            "area must have classes or real targets, .* got independent labels",
        ),
    ):
        with pytest.raises(SpecError, match=sentence):
            replace(IRIS, area=Sparsity(), **changes)
    assert replace(IRIS, area=Sparsity()).epochs == 6 * (1000 + 11 * 200)
    assert IRIS.epochs == 1200


def test_a_regression_is_pruned_by_its_r2(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    features = rng.uniform(-1, 1, (80, 6))
    targets = 20 + 5 * features[:, :1] - 3 * features[:, 1:2]
    data = Dataset(
        "own", features, np.zeros(80, np.int64), tuple("abcdef"), ("price",), targets=targets
    )
    (tmp_path / "own.toml").write_text(new.starter(tmp_path / "own.toml", None))
    plan = replace(
        recipe.load(tmp_path / "own.toml"),
        dataset=recipe.DataFile("own.csv", targets=("price",)),
        output="logits",
        training=recipe.Training(60, 0.05),
        fine_tuning=recipe.FineTuning(15, 0.01),
        area=Sparsity(levels=(0.4, 0.1, 0.05), splits=2, lost=0.05),
    )
    learned, _ = datasets.split(data, 0.2, 0)
    trained = training.learn(plan, data, learned)
    assert isinstance(trained.choice, Choice)
    assert trained.choice.level > 0 and 0.8 < max(trained.choice.scores) <= 1
    network = network_of(trained, plan)
    assert network.provenance["area"]["kept"] <= 0.4 * 112
    _, results = reference.predict(network, features)
    values = network.values(results)
    assert 1 - ((values - targets) ** 2).sum() / ((targets - targets.mean()) ** 2).sum() > 0.8


def test_refusals_are_errors_of_this_package() -> None:
    assert issubclass(PruningError, VerbatimError)
