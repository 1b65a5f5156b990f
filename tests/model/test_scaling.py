"""Features reach the core by one rule, which the network's file records and everybody follows."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from common import files
from common.paths import GOLDEN
from model import artifact, reference
from model.artifact import ArtifactError
from model.data import datasets
from model.data.scaling import Scaling, standardize
from model.format import SpecError

WINE, IRIS = (artifact.load(GOLDEN / f"{name}.network.json") for name in ("wine", "iris"))
WINES = datasets.load("wine").features


def test_standardized_features_lie_near_zero_and_scales_are_powers_of_two():
    scaling = standardize(WINES)
    assert all(np.frexp(scale)[0] == 0.5 for scale in scaling.scale)
    scaled = scaling.apply(WINES)
    assert np.abs(scaled.mean(axis=0)).max() <= 1 / 32
    assert scaled.std(axis=0).min() >= 2**-0.5 and scaled.std(axis=0).max() <= 2**0.5


def test_codes_of_wines_are_the_exact_ones():
    codes = reference.encode(WINE, WINES)
    fmt, scaling = WINE.spec.x, WINE.scaling
    for sample, feature in np.ndindex(WINES.shape):
        # Offsets are short and scales powers of two: only the subtraction may round, by 2**-53.
        value = Fraction(WINES[sample, feature]) - Fraction(scaling.offset[feature])
        exact = value / Fraction(scaling.scale[feature]) / Fraction(fmt.lsb)
        want = min(max(round(exact), fmt.q_min), fmt.q_max)
        assert codes[sample, feature] == want


def test_a_network_of_raw_features_says_nothing_about_them(tmp_path):
    assert IRIS.scaling is None
    artifact.save(IRIS, tmp_path / "network.json")
    assert "features" not in json.loads((tmp_path / "network.json").read_text())
    flowers = datasets.load("iris").features
    codes = reference.encode(IRIS, flowers)
    assert (codes == reference.quantize(flowers, IRIS.spec.x)).all()


def test_a_scaling_survives_saving_and_folding(tmp_path):
    artifact.save(WINE, tmp_path / "network.json")
    again = artifact.load(tmp_path / "network.json")
    assert again.scaling == WINE.scaling == again.refolded(again.spec.unrolled()).scaling
    changed = replace(WINE.scaling, offset=(WINE.scaling.offset[0] + 0.5, *WINE.scaling.offset[1:]))
    assert (reference.encode(replace(WINE, scaling=changed), WINES) != 0).any()
    assert (
        reference.encode(replace(WINE, scaling=changed), WINES) != reference.encode(WINE, WINES)
    ).any()


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({"offset": [0.0], "scale": [1.0]}, "must have 13 numbers, one for each input, got 1"),
        ({"offset": [0.0] * 13}, "features: key 'scale' is missing"),
        ({"offset": [0.0] * 13, "scale": [0.0] * 13}, "features: scale must be above 0, got 0.0"),
        (
            {"offset": [0.0] * 13, "scale": ["1"] * 13},
            "features: scale must be a list of finite numbers",
        ),
        ([], r"features must be a table of keys, got \[\]"),
    ],
)
def test_a_bad_scaling_in_a_file_is_refused_by_name(tmp_path, features, reason):
    content = json.loads((GOLDEN / "wine.network.json").read_text())
    del content["sha256"]
    content["features"] = features
    path = tmp_path / "network.json"
    path.write_text(json.dumps(content | {"sha256": files.digest(content)}))
    with pytest.raises(ArtifactError, match=rf"network\.json: .*{reason}"):
        artifact.load(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, 2**53 + 1, True, None])
def test_a_scaling_of_no_number_is_refused(value):
    with pytest.raises(SpecError, match="features: offset must be"):
        Scaling((value,), (1.0,))
