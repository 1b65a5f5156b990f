"""The reference still says what it said when the golden files were committed."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from common.paths import GOLDEN
from model import artifact, golden, recipe, reference
from model.artifact import ArtifactError
from model.data import datasets
from model.golden import GoldenError

NETWORK = artifact.load(GOLDEN / "iris.network.json")
OUTPUTS = json.loads((GOLDEN / "iris.outputs.json").read_text())
IRIS = recipe.load(Path("model/networks/iris.toml"))
FLOWERS = datasets.load("iris")


def test_the_reference_reproduces_every_golden_value():
    compared = golden.check(NETWORK, FLOWERS.features, OUTPUTS)
    assert len(OUTPUTS["sha256"]) == 1 + 2 * 4 + 2 + 5
    assert compared == 150 * (3 + 3 + 1) + len(OUTPUTS["sha256"])


@pytest.mark.parametrize("name", sorted(datasets.NAMED))
def test_every_golden_network_is_the_export_of_its_recipe_and_gives_its_golden_values(name):
    network = artifact.load(GOLDEN / f"{name}.network.json")
    outputs = json.loads((GOLDEN / f"{name}.outputs.json").read_text())
    plan, dataset = recipe.load(Path(f"model/networks/{name}.toml")), datasets.load(name)
    assert network.provenance["recipe_sha256"] == plan.sha256
    assert network.provenance["dataset_sha256"] == dataset.sha256
    values_of_a_sample = 2 * network.spec.n_out + 1
    compared = golden.check(network, dataset.features, outputs)
    assert compared == len(dataset.labels) * values_of_a_sample + len(outputs["sha256"])


def test_the_golden_network_is_as_good_as_its_source_says():
    train, test = datasets.split(FLOWERS, IRIS.split.test_fraction, IRIS.split.seed)
    right = np.array(OUTPUTS["class"]) == FLOWERS.labels
    assert (len(train), len(test)) == (120, 30)
    assert right[train].sum() >= 118
    assert right[test].sum() >= 29


def test_golden_probabilities_sum_to_255_and_their_largest_is_the_class():
    probabilities = np.array(OUTPUTS["probabilities"])
    assert (probabilities.sum(axis=1) == 255).all()
    assert (probabilities.argmax(axis=1) == OUTPUTS["class"]).all()


@pytest.mark.parametrize("key", ["logits", "probabilities", "class"])
@pytest.mark.parametrize("sample", [0, 149])
def test_a_corrupted_golden_value_is_noticed(key, sample):
    corrupted = copy.deepcopy(OUTPUTS)
    if key == "class":
        corrupted[key][sample] = (corrupted[key][sample] + 1) % 3
    else:
        corrupted[key][sample][2] += 1
    with pytest.raises(GoldenError, match=f"{key} of sample {sample}: found .*, golden is "):
        golden.check(NETWORK, FLOWERS.features, corrupted)


@pytest.mark.parametrize("key", list(OUTPUTS["sha256"]))
def test_a_corrupted_golden_digest_is_noticed(key):
    corrupted = copy.deepcopy(OUTPUTS)
    corrupted["sha256"][key] = "0" * 64
    with pytest.raises(GoldenError, match=f"sha256 of {key}: "):
        golden.check(NETWORK, FLOWERS.features, corrupted)


@pytest.mark.parametrize("key", ["logits", "probabilities", "class", "sha256"])
def test_a_missing_golden_entry_is_noticed(key):
    truncated = copy.deepcopy(OUTPUTS)
    if key == "sha256":
        truncated[key].popitem()
    else:
        truncated[key].pop()
    with pytest.raises(GoldenError):
        golden.check(NETWORK, FLOWERS.features, truncated)
    del truncated[key]
    with pytest.raises(GoldenError, match="keys: "):
        golden.check(NETWORK, FLOWERS.features, truncated)


@pytest.mark.parametrize("key", ["weights", "biases"])
def test_one_lsb_in_any_matrix_of_the_network_is_noticed(key):
    for name, array in getattr(NETWORK, key).items():
        changed = array.copy()
        changed.flat[0] -= 1 if changed.flat[0] > 0 else -1
        network = replace(NETWORK, **{key: {**getattr(NETWORK, key), name: changed}})
        with pytest.raises(GoldenError):
            golden.check(network, FLOWERS.features, OUTPUTS)


@pytest.mark.parametrize(
    ("operator", "broken"),
    [
        (
            "requantize",
            lambda acc, *, shift, width: np.clip(acc >> shift, -(1 << (width - 1)), 127),
        ),
        (
            "requantize",
            lambda acc, *, shift, width: np.clip((acc + (1 << shift >> 1)) >> shift, -128, 127),
        ),
        ("requantize", lambda acc, *, shift, width: np.rint(acc / 2**shift).astype(np.int64)),
        ("relu", lambda q: q),
        ("taylor2", lambda logits, *, frac: logits**2 + (1 << 2 * frac)),
        ("winner", lambda scores: scores.argmin(axis=-1)),
        ("quotients", lambda scores, totals: 255 * scores // totals[..., None]),
        ("remainder", lambda quotient, classes: quotient),
    ],
)
def test_a_reference_that_drifts_is_noticed(monkeypatch, operator, broken):
    monkeypatch.setattr(reference, operator, broken)
    with pytest.raises(GoldenError):
        golden.check(NETWORK, FLOWERS.features, OUTPUTS)


def test_a_golden_network_with_one_changed_digit_does_not_load(tmp_path):
    text = (GOLDEN / "iris.network.json").read_text()
    path = tmp_path / "iris.network.json"
    digits = [index for index, character in enumerate(text) if character.isdigit()]
    for index in digits[:: len(digits) // 50]:
        digit = "1" if text[index] != "1" else "2"
        path.write_text(text[:index] + digit + text[index + 1 :])
        with pytest.raises(ArtifactError, match=r"iris\.network\.json: "):
            artifact.load(path)
