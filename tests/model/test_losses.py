"""Training sees the scores that the hardware has, whichever of them the recipe chooses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common.paths import BUILD
from model import recipe, reference
from model.data import datasets
from model.format import Format
from model.metrics import measure
from model.qat import quantize, training
from model.stages.softmax import DIVIDERS, SCORES, SoftmaxSpec
from tb.sim.run_network import EVERY_SAMPLE, run_network

IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load(IRIS.dataset)
TRAIN, TEST = datasets.split(FLOWERS, IRIS.split.test_fraction, IRIS.split.seed)

each_score = pytest.mark.parametrize("score", SCORES)


@pytest.fixture(scope="module")
def learned():
    """What each score's training gives, with the repository's recipe."""
    torch.set_num_threads(1)
    plans = {score: replace(IRIS, softmax=replace(IRIS.softmax, score=score)) for score in SCORES}
    return {score: (plan, training.learn(plan, FLOWERS, TRAIN)) for score, plan in plans.items()}


SCORES = ("taylor2", "exp")


def test_training_knows_exactly_the_scores_that_the_hardware_has():
    others = {name: name for name in ("logits", "argmax", "sigmoid")}
    others |= {"values": "logits", "unranked": "logits", "sigmoids": "sigmoid"}
    assert set(quantize.SCORES) == {*SCORES, *others}
    assert {name: quantize.SCORES[name].output for name in others} == others


@each_score
def test_a_network_trained_through_a_score_is_exact_and_reaches_its_accuracy(learned, score):
    plan, trained = learned[score]
    network = quantize.export(trained.quantized, plan, {})
    assert network.spec.softmax.score == score
    traced = trained.quantized.trace(FLOWERS.features)
    assert quantize.compare(traced, network)["softmax.scores"] == 450
    classes, probabilities = reference.predict(network, FLOWERS.features)
    assert (probabilities.sum(axis=1) == 255).all()
    assert is_as_good_as_asked(classes)


def is_as_good_as_asked(classes):
    """At least 118 of the 120 training flowers and 29 of the 30 test flowers are right."""
    train, test = (measure(FLOWERS.labels[part], classes[part]) for part in (TRAIN, TEST))
    return (
        (train.samples, test.samples) == (120, 30) and train.correct >= 118 and test.correct >= 29
    )


@pytest.mark.parametrize("divider", DIVIDERS)
@each_score
def test_irisnet_is_exact_in_hardware_with_each_score_and_divider(learned, score, divider):
    plan, trained = learned[score]
    plan = replace(plan, softmax=replace(plan.softmax, divider=divider))
    network = quantize.export(trained.quantized, plan, {})
    assert (network.spec.softmax.score, network.spec.softmax.divider) == (score, divider)
    assert network.spec.softmax.beats <= max(layer.cycles for layer in network.spec.layers)
    name = f"iris-{score}-{divider}"
    x = reference.quantize(FLOWERS.features, network.spec.x)
    _, report = run_network(
        network, x, "icarus", folder=BUILD / "cases" / name, name=name, testcase=EVERY_SAMPLE
    )
    assert report["streams"]["softmax.probabilities"] == {"compared": 450, "differing": 0}
    assert is_as_good_as_asked(np.array(report["classes"]))


@pytest.mark.parametrize(("width", "frac"), [(2, 0), (8, 0), (8, 4), (8, 16), (11, 7), (16, 16)])
@each_score
def test_scores_of_training_are_those_of_the_reference(score, width, frac):
    fmt = Format(width, frac)
    codes = np.random.default_rng(width).integers(fmt.q_min, fmt.q_max + 1, (300, 4))
    codes[0], codes[1] = fmt.q_max, [fmt.q_min, fmt.q_max, fmt.q_min, fmt.q_max - 1]
    softmax = SoftmaxSpec(n=4, x=fmt, score=score, divider="restoring", lanes=1)
    values, scores_frac = quantize.SCORES[score].values(torch.tensor(codes * fmt.lsb), fmt)
    found = (values.numpy() * 2.0**scores_frac).tolist()
    assert found == reference.softmax(codes, softmax)["scores"].tolist()


@each_score
def test_what_is_trained_through_is_the_logarithm_of_what_the_hardware_gives(score):
    fmt = Format(8, 4)
    logits = torch.linspace(-0.5, 2, 24, dtype=torch.float64).reshape(8, 3)
    logits = quantize.fake_quantize(logits, fmt)
    values, _ = quantize.SCORES[score].values(logits, fmt)
    wanted = (values / values.sum(dim=1, keepdim=True)).log()
    assert torch.allclose(quantize.SCORES[score].log_probabilities(logits), wanted, atol=1e-4)


def test_a_loser_far_behind_still_pulls_where_the_table_of_exp_is_flat():
    logits = torch.tensor([[100.0, 0.0]], dtype=torch.float64, requires_grad=True)
    quantize.SCORES["exp"].log_probabilities(logits)[0, 1].backward()
    assert logits.grad.tolist() == [[-1.0, 1.0]]


def test_only_the_score_that_falls_somewhere_raises_the_logits(learned):
    lowest = {}
    for score in SCORES:
        plan, trained = learned[score]
        calibrated = replace(plan, fine_tuning=replace(plan.fine_tuning, epochs=0))
        network = training.fine_tune(
            trained.module, FLOWERS.features[TRAIN], FLOWERS.labels[TRAIN], calibrated
        )
        bias = network.layers[-1].linear.bias.detach() - trained.module.fc3.bias.detach()
        lowest[score] = bias.tolist()
    assert lowest["exp"] == [0, 0, 0]
    assert min(lowest["taylor2"]) > 1
