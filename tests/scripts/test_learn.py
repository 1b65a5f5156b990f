"""`python -m scripts.learn`: what a few epochs leave, and each thing that could go wrong."""

import dataclasses
import re
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from common import cli
from common.paths import RECIPES
from model import Network, recipe, reference
from model.data import datasets
from model.learning import backprop, floats, from_recipe, learner, plans
from model.learning.backprop import IRIS, Lfsr
from model.learning.core import Core
from model.learning.counts import Counts
from model.learning.learner import Learner
from model.learning.plans import PLANS, samples_of, with_score
from scripts import core, learn
from scripts.expected import FILE, read_expected


def core_of(folder: Path) -> Namespace:
    """Arguments of `scripts.core` for a build folder."""
    return Namespace(build=folder, fold="default", samples=None, output=None, index=0)


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command; its exit status."""
    monkeypatch.setattr(sys, "argv", [str(word) for word in ("learn", *arguments)])
    try:
        cli.main(learn.run, learn.parser())
    except SystemExit as ended:
        assert isinstance(ended.code, int)
        return ended.code
    return 0


def test_few_epochs_leave_network_checkpoint_and_picture(monkeypatch, capsys, tmp_path) -> None:
    arguments = "--network", RECIPES / "iris.toml", "--build", tmp_path, "--epochs", 2
    assert command(monkeypatch, *arguments, "--seed", 3) == 0
    plan, state = learner.load(tmp_path / learn.CHECKPOINT)
    again = Learner.begin(plan, 3)
    wanted = recipe.load(RECIPES / "iris.toml")
    data = datasets.load("iris")
    samples = learn.samples_of(wanted, data)
    for _ in range(2):
        again.epoch(samples.x, samples.labels)
    assert state.digest == again.state.digest and (state.epoch, state.position) == (2, 0)
    printed = capsys.readouterr().out
    assert f"equal, sha256 {state.digest}" in printed
    formula = Core(plan, 30).cycles
    measured = re.search(rf"cycles a sample, L = 30: ([\d.]+), formula {formula} ", printed)
    assert measured and abs(float(measured[1]) - formula) < 2
    lost = again.counts
    assert f"saturated: {lost.activations} activations, {lost.deltas} deltas" in printed
    network = Network.load(tmp_path / learn.NETWORK)
    found = network.predict(data.features).classes
    train, test = datasets.split(data, wanted.split.test_fraction, wanted.split.seed)
    for part in (train, test):
        right = int((found[part] == data.labels[part]).sum())
        assert f"{right}/{len(part)}" in printed
    assert (tmp_path / learn.PICTURE).read_bytes().startswith(b"\x89PNG")
    # The folder is one of which the ways of an exported network go on.
    folder = tmp_path / learn.FOLDER
    expected = read_expected(folder / FILE)
    assert np.array_equal(expected["input"], reference.encode(network, data.features))
    assert np.array_equal(expected["train"], train) and np.array_equal(expected["test"], test)
    by_sgd = re.search(r"float, SGD +│ +(\d+)/120 │ +(\d+)/30 ", printed)
    assert by_sgd, printed
    for part, count in zip((train, test), by_sgd.groups(), strict=True):
        assert (expected["float.class"][part] == data.labels[part]).sum() == int(count)
    core.run(core_of(folder))
    assert (folder / "core" / "README.md").is_file()
    assert re.search(r"\n[1-9]\d+ golden results; ", capsys.readouterr().out)


# Features in steps of 1/16, so that no scaling and no rounding stands between them and the codes.
SMALL = """name = "small"
dataset = { file = "small.csv", label = "kind" }
features = "raw"
hidden = [3]
seed = 0
split = { test_fraction = 0.25, seed = 0 }
training = { epochs = 2, learning_rate = 0.01 }
fine_tuning = { epochs = 2, learning_rate = 0.001 }
formats = { input = { width = 8, frac = 4 }, weights_width = 8, activations_width = 8 }
softmax = { score = "taylor2", divider = "restoring" }
folds = { target_cycles = 16 }
"""


def test_both_simulators_give_the_same_digest_and_table(monkeypatch, capsys, tmp_path) -> None:
    rows = [f"{k / 2},{(7 * k % 12) / 4 - 1},{'ab'[k > 5]}" for k in range(12)]
    (tmp_path / "small.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    (tmp_path / "small.toml").write_text(SMALL)
    shown, left = {}, {}
    for simulator in ("verilator", "icarus"):
        build = tmp_path / simulator
        options = "--epochs", 2, "--lanes", 2, "--sim", simulator
        assert (
            command(monkeypatch, "--network", tmp_path / "small.toml", "--build", build, *options)
            == 0
        )
        printed = capsys.readouterr().out
        # All but the rates, the cycles of the way in and out, and the folder.
        lines = re.sub(r"│ *[\d,]* +│$|: [\d.]+, formula|^/.*: ", "", printed, flags=re.M)
        shown[simulator] = lines
        left[simulator] = [
            (build / name).read_bytes() for name in (learn.NETWORK, learn.CHECKPOINT)
        ]
        assert re.search(r"equal, sha256 [0-9a-f]{64}\n", printed)
    assert shown["icarus"] == shown["verilator"]
    assert left["icarus"] == left["verilator"]


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--sim", "vcs", "argument --sim: invalid choice: 'vcs'"),
        ("--lanes", 257, "lanes must be an integer from 1 to 256, got 257"),
        ("--epochs", 0, "epochs must be an integer from 1 to 65535, got 0"),
        ("--seed", 0, "seed must be an integer from 1 to 65535, got 0"),
    ],
)
def test_bad_setting_is_one_sentence(
    option: str, value: int, complaint: str, monkeypatch, capsys, tmp_path: Path
) -> None:
    arguments = "--network", RECIPES / "iris.toml", "--build", tmp_path, option, value
    assert command(monkeypatch, *arguments) == 2
    assert complaint in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_cycles_other_than_the_formulas_are_a_divergence() -> None:
    core = Core(IRIS, 30)
    least = 2 * ((IRIS.samples - 1) * core.cycles + core.answer_cycles)
    for cycles in (least, least + 18, least + 2 * 39):
        learn.check_cycles(core, 2, cycles)
    one_less_a_sample = least - 2 * IRIS.samples
    for cycles in (least - 1, least + 2 * 39 + 1, one_less_a_sample, least + 2 * IRIS.samples):
        with pytest.raises(learn.DivergenceError, match=f"got {cycles}"):
            learn.check_cycles(core, 2, cycles)


def test_other_counts_are_a_divergence() -> None:
    learn.compare_counts(0, Counts(1, 2, 3, 4), Counts(1, 2, 3, 4))
    with pytest.raises(learn.DivergenceError, match=r"epoch 7: counts must be .*masters=3.*, got"):
        learn.compare_counts(7, Counts(1, 2, 3, 4), Counts(1, 2, 4, 4))


def test_other_masters_or_answers_are_a_divergence() -> None:
    learn.compare(0, ("a", 1), ("a", 1))
    for got in (("b", 1), ("a", 2)):
        with pytest.raises(learn.DivergenceError, match=r"epoch 7: masters must have sha256 a"):
            learn.compare(7, ("a", 1), got)


@pytest.mark.parametrize("name", PLANS)
def test_plan_of_a_recipe_is_that_of_its_dataset(name: str) -> None:
    wanted, data = recipe.load(RECIPES / f"{name}.toml"), datasets.load(name)
    sizes = data.features.shape[1], len(data.class_names)
    found = from_recipe.of_recipe(wanted, *sizes, PLANS[name].samples)
    expected = with_score(PLANS[name], wanted.softmax.score)
    assert found == dataclasses.replace(expected, divider=wanted.softmax.divider)
    x, _ = samples_of(name)
    assert np.array_equal(learn.samples_of(wanted, data).x, x)
    assert Core(found, 30).cycles > 0


def test_other_modules_are_refused() -> None:
    wanted = dataclasses.replace(recipe.load(RECIPES / "iris.toml"), module="a.b:C")
    with pytest.raises(learner.LearningError, match=r"must be model.*IrisNet or a list of hidden"):
        from_recipe.of_recipe(wanted, 4, 3, 120)


@pytest.mark.parametrize("score", ["exp", "taylor2"])
def test_gradient_of_floats_is_that_of_differences(score: str) -> None:
    plan = with_score(IRIS, score)
    rng = np.random.default_rng(1)
    parameters, x, labels = floats.begin(plan, 5), rng.normal(size=(6, 4)), rng.integers(0, 3, 6)

    def loss() -> float:
        logits = floats.outputs(plan, parameters, x)[-1]
        scores = np.exp(logits) if score == "exp" else (1 + (1 + logits) ** 2) / 2
        return float(-np.log(scores[np.arange(6), labels] / scores.sum(axis=1)).mean())

    found = floats.gradient(plan, parameters, x, labels)
    for rows, slopes in zip(parameters, found, strict=True):
        for n, i in ((0, 0), (1, 2), (2, rows.shape[1] - 1)):
            kept, losses = rows[n, i], []
            for step in (-1e-5, 1e-5):
                rows[n, i] = kept + step
                losses.append(loss())
            rows[n, i] = kept
            assert slopes[n, i] == pytest.approx((losses[1] - losses[0]) / 2e-5, abs=1e-7)


def test_floats_learn_in_the_order_of_the_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = dataclasses.replace(IRIS, epochs=1)
    x, labels = samples_of("iris")
    seen: list[int] = []
    real = floats.gradient

    def gradient(p, parameters, row, label):
        seen.append(int((x * plan.x(0).lsb == row).all(axis=1).argmax()))
        return real(p, parameters, row, label)

    monkeypatch.setattr(floats, "gradient", gradient)
    next(floats.sgd(plan, 3, reference_values(x), labels))
    run = Learner.begin(plan, 3)
    first = [int((x == x[j]).all(axis=1).argmax()) for j in run.indices()]
    assert seen == first
    assert [m.shape for m in floats.begin(plan, 3)] == [
        m.shape for m in backprop.start(plan, Lfsr(3))
    ]


def reference_values(x):
    return x * IRIS.x(0).lsb


def test_adam_learns_iris() -> None:
    x, labels = samples_of("iris")
    learned = floats.adam(IRIS, 1, reference_values(x), labels, epochs=150, learning_rate=0.01)
    assert floats.correct(IRIS, learned, reference_values(x), labels) >= 115
    assert reference.quantize(np.zeros((1, 4)), plans.INPUT).tolist() == [[0, 0, 0, 0]]
