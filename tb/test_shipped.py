"""The other golden networks through mlp_top: every sample of their datasets, on both simulators."""

import json

import pytest

from common.paths import BUILD, GOLDEN, RECIPES
from model import onnx_export, recipe, reference
from model.artifact import load
from model.data import datasets
from tb.sim import native
from tb.sim.run_network import LONG_RUN, run_network
from tb.sim.simulators import SIMULATORS

# Test samples that each must classify right, of all that it has.
RIGHT = {"wine": (36, 36), "breast_cancer": (109, 114), "digits": (345, 360)}


def test_every_recipe_has_a_golden_network() -> None:
    names = {path.stem for path in RECIPES.glob("*.toml")}
    assert names == {path.name.partition(".")[0] for path in GOLDEN.glob("*.json")}
    assert names == {*RIGHT, "iris"}  # tb/test_iris.py has that one


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", RIGHT)
def test_every_sample_is_golden(name: str, simulator: str) -> None:
    plan = recipe.load(RECIPES / f"{name}.toml")
    network, dataset = load(GOLDEN / f"{name}.network.json"), datasets.load(plan.dataset)
    _, report = run_network(
        network,
        reference.encode(network, dataset.features),
        simulator,
        folder=BUILD / "cases" / name,
        name=f"{name}-dataset",
        testcase=LONG_RUN,
    )
    golden = json.loads((GOLDEN / f"{name}.outputs.json").read_text())
    assert report["classes"] == golden["class"]
    assert report["results"] == golden["probabilities"]
    for stream in report["streams"].values():
        assert stream["compared"] >= len(dataset.labels) and stream["differing"] == 0
    _, test = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    right = sum(report["classes"][sample] == dataset.labels[sample] for sample in test)
    least, samples = RIGHT[name]
    assert len(test) == samples and right >= least


@pytest.mark.parametrize("name", ["iris", *RIGHT])
def test_every_sample_is_golden_to_onnx_runtime_and_the_native_rtl(name: str) -> None:
    plan = recipe.load(RECIPES / f"{name}.toml")
    network, dataset = load(GOLDEN / f"{name}.network.json"), datasets.load(plan.dataset)
    codes = reference.encode(network, dataset.features)
    golden = json.loads((GOLDEN / f"{name}.outputs.json").read_text())
    rtl = native.stream(network, codes, optimize=False)
    for classes, probabilities in (
        onnx_export.predict_codes(network, codes),
        (rtl.classes, rtl.results),
    ):
        assert classes.tolist() == golden["class"]
        assert probabilities.tolist() == golden["probabilities"]
    assert len(codes) == len(dataset.labels)
