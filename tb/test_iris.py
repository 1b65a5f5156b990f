"""The golden IrisNet through mlp_top: all flowers, thousands of random inputs, each fold."""

import json

import numpy as np
import pytest

from common.paths import BUILD, GOLDEN
from model.data import datasets
from tb.modules.networks import FOLDS, IRIS, at, flowers
from tb.sim.made_up import codes
from tb.sim.run_network import EVERY_SAMPLE, LONG_RUN, run_network
from tb.sim.simulators import SIMULATORS

# Random samples of each run; `make verify-soak` sends 10,000 through each fold.
RANDOM_SAMPLES = {
    ("verilator", "serial"): 100,
    ("verilator", "default"): 2_000,
    ("verilator", "unrolled"): 10_000,
    ("icarus", "serial"): 20,
    ("icarus", "default"): 500,
    ("icarus", "unrolled"): 200,
}


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("fold", [*FOLDS, "shared"])
def test_every_flower_is_golden(fold: str, simulator: str) -> None:
    network, dataset = at(fold), datasets.load("iris")
    name = f"iris-{fold}"
    _, report = run_network(
        network,
        flowers(),
        simulator,
        folder=BUILD / "cases" / name,
        name=name,
        testcase=LONG_RUN if fold == "serial" else EVERY_SAMPLE,
    )
    golden = json.loads((GOLDEN / "iris.outputs.json").read_text())
    assert report["classes"] == golden["class"]
    assert report["results"] == golden["probabilities"]
    for stream in report["streams"].values():
        assert stream["compared"] >= len(dataset.labels) and stream["differing"] == 0
    train, test = datasets.split(dataset, 0.2, 0)
    right = np.array(report["classes"]) == dataset.labels
    assert right[train].sum() >= 118 and len(train) == 120
    assert right[test].sum() >= 29 and len(test) == 30


@pytest.mark.parametrize("simulator, fold", RANDOM_SAMPLES)
def test_random_inputs_equal_reference(fold: str, simulator: str) -> None:
    network = at(fold)
    x = codes(np.random.default_rng(2), network, RANDOM_SAMPLES[simulator, fold])
    name = f"iris-{fold}-random"
    folder = BUILD / "cases" / name
    outcome, _ = run_network(network, x, simulator, folder=folder, name=name, testcase=LONG_RUN)
    assert outcome.passed == 1


def test_default_fold_takes_at_most_32_cycles_a_flower() -> None:
    assert IRIS.spec.interval <= 32
