"""Histograms count every value once, saturated ones at the ends; pages hold what was measured."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from common.errors import CommandError
from common.paths import GOLDEN_IRIS, ROOT
from model import artifact, reference
from model.data import datasets
from model.format import Format
from model.histograms import measured, ranges
from scripts import folds, profile
from studies import accuracy, accuracy_page

IRIS = artifact.load(GOLDEN_IRIS)
FLOWERS = datasets.load("iris").features


@pytest.mark.parametrize(("width", "bins"), [(8, 64), (16, 64), (2, 4)])
def test_a_histogram_counts_every_code_in_its_bin(width: int, bins: int) -> None:
    fmt = Format(width, 0)
    codes = np.arange(fmt.q_min, fmt.q_max + 1).repeat(2)
    found = measured("x", codes, fmt)
    assert found.counts.tolist() == [codes.size // bins] * bins
    assert (found.edges[0], found.edges[-1]) == (fmt.q_min, fmt.q_max + 1)
    assert (found.least, found.most) == (fmt.q_min, fmt.q_max)
    assert (found.lowest, found.highest, found.used) == (2, 2, 1.0)


def test_every_tensor_with_a_format_has_its_range_once() -> None:
    traced = reference.trace(IRIS, reference.encode(IRIS, FLOWERS))
    found = list(ranges(IRIS, traced))
    assert [item.name for item in found] == [
        *("input", "fc1 weights", "fc1.y", "fc2 weights", "fc2.y", "fc2_2.y", "fc3 weights"),
        "fc3.y",
    ]
    assert all(item.counts.sum() == item.count for item in found)
    assert found[0].count == FLOWERS.size


def test_the_command_writes_the_picture_and_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact.save(IRIS, tmp_path / "network.json")
    x = reference.encode(IRIS, 100 * FLOWERS)  # saturates
    names = ("labels", "train", "test", "float.class", "softmax.class")
    expected = dict.fromkeys(names, np.zeros(1))
    np.savez(tmp_path / "expected.npz", **expected, features=100 * FLOWERS, input=x)
    profile.run(argparse.Namespace(build=tmp_path))
    assert (tmp_path / "profile.png").read_bytes().startswith(b"\x89PNG")
    facts = json.loads((tmp_path / "profile.json").read_text())
    assert facts["input"]["at_largest_code"] == int((x == 127).sum()) > 500
    assert f"{facts['input']['at_largest_code']:,}" in capsys.readouterr().out


def test_folds_are_printed_with_the_recipes_own_marked(capsys: pytest.CaptureFixture[str]) -> None:
    folds.run(argparse.Namespace(network=Path("model/networks/iris.toml")))
    lines = capsys.readouterr().out.splitlines()
    whole, *layers = (line.split()[:-1] for line in lines if line.rstrip().endswith("<-"))
    spec = IRIS.spec
    multipliers = sum(layer.multipliers for layer in spec.layers)
    assert whole[:2] == [str(max(x.cycles for x in spec.layers)), str(multipliers)]
    assert [int(cells[0]) for cells in layers] == [layer.cycles for layer in spec.layers]
    assert [int(cells[-1]) for cells in layers] == [
        layer.multipliers * layer.w.width for layer in spec.layers
    ]


# The page of the accuracies

FIGURES = {
    "network": "iris",
    "date": "2026-01-02",
    "samples": 150,
    "splits": 5,
    "correct_by_seed": {"0": {}, "1": {}},
    "mean_percent": dict.fromkeys(accuracy.NETWORKS, 97.5),
    "std_percent": dict.fromkeys(accuracy.NETWORKS, 0.25),
    "percent_at_width": {
        way: {str(width): 90.0 + width for width in accuracy.WIDTHS} for way in accuracy.WAYS
    },
    "points_lost": -0.125,
}


def test_tables_hold_every_network_and_width() -> None:
    assert "| iris | 150 | 97.50 ± 0.25 |" in accuracy_page.baselines({"iris": FIGURES})
    assert "| -0.12 | 2026-01-02 |" in accuracy_page.baselines({"iris": FIGURES})
    rows = accuracy_page.widths({"iris": FIGURES}).splitlines()
    assert sum("| 92.0 | 93.0 | 94.0 | 95.0 | 96.0 | 97.0 | 98.0 |" in row for row in rows) == 4


def test_figures_that_are_missing_or_incomplete_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "accuracy.json"
    with pytest.raises(CommandError, match=r"accuracy\.json: cannot be read, run make accuracy"):
        accuracy_page.read(path)
    path.write_text(json.dumps(FIGURES | {"percent_at_width": {"max": {}}}))
    with pytest.raises(CommandError, match="has no figures at each width"):
        accuracy_page.read(path)


def test_the_page_holds_every_shipped_network() -> None:
    page = (ROOT / "docs/results/accuracy.md").read_text()
    names = {path.stem for path in (ROOT / "model/networks").glob("*.toml")}
    assert set(accuracy_page.SHIPPED) == names
    for name in names:
        assert page.count(f"| {name} |") == 1 + len(accuracy.WAYS)
