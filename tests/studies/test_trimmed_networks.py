"""The study of trimmed networks: every input of a box, by the RTL, and what a broken one gives."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS
from model import artifact, trimming
from model.artifact import Network
from model.trimming import Box, TrimmingError
from studies import trimming as study
from syn.package import content
from tb.modules.ranges import faults
from tb.modules.registry import MODULES

SIDES = np.array([3, 2, 4, 5])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """IrisNet, and what is left of it in a box of 120 inputs."""
    network = artifact.load(GOLDEN_IRIS)
    low = np.array([90, 50, 60, 20])
    box = Box(low, low + SIDES - 1)
    smaller = trimming.trimmed(network, box, trimming.constants(network, box))
    assert sum(layer.n_out for layer in smaller.spec.layers) < 93 - 14
    artifact.save(smaller, tmp_path / "smaller.json")
    return GOLDEN_IRIS, tmp_path / "smaller.json"


def test_inputs_are_all_of_the_box_once() -> None:
    low = np.array([-2, 3, 0, 7])
    box = Box(low, low + SIDES - 1)
    found = np.concatenate([study.inputs_of(box, 0, 50), study.inputs_of(box, 50, 120)])
    expected = itertools.product(*(range(a, b + 1) for a, b in zip(box.low, box.high, strict=True)))
    assert found.tolist() == [list(codes) for codes in expected]


def test_every_input_is_compared(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "FOLDER", tmp_path)
    assert study.exhaust(*files, workers=1, piece=50) == {"inputs": 120, "values": 480}


def test_another_bias_is_found(files: tuple[Path, Path]) -> None:
    smaller = artifact.load(files[1])
    biases = dict(smaller.biases)
    biases["fc3"] = biases["fc3"] + np.array([4096, 0, 0])
    broken: Network = dataclasses.replace(smaller, biases=biases)
    artifact.save(broken, files[1])
    with pytest.raises(TrimmingError, match=r"codes \[\d+, \d+, \d+, \d+\] must give"):
        study.agree(str(files[0]), str(files[1]), 0, 120)


def test_comparison_is_the_module_of_the_core(files: tuple[Path, Path]) -> None:
    parameters = content.range_parameters(artifact.load(files[1]))
    assert faults(MODULES[content.RANGE].parameters, parameters) == []
    assert parameters["LOW"] == (90, 50, 60, 20)


def test_networks_of_the_study_have_their_boxes() -> None:
    network, box = study.box_of_data("iris")
    assert box.inputs == 8_380_710
    row = study.row("iris", network, network, {"fc1": dict.fromkeys(range(7), 0)})
    assert row == ["iris", "7 of 30, 0 of 30, 0 of 30", "2,010", "1,772", "2,010"]
