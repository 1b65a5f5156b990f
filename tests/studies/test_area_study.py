"""The page of training for area: medians, every seed, its picture; jobs that rest on the recipe."""

import copy
from pathlib import Path
from typing import Any

import pytest

from common.errors import CommandError
from common.paths import GOLDEN
from model import artifact, recipe
from studies import area, area_networks, area_page
from studies.area_page import Row


def row(name: str, seed: int, luts: int, correct: int) -> Row:
    choice = {
        "levels": [1.0, 0.5, 0.1],
        "level": 0.1,
        "cross_validated": [0.95, 0.96, 0.955],
        "cross_validated_luts": [9000, 5000, luts + seed],
    }
    return {
        "name": name,
        "seed": seed,
        "network": {"provenance": {"area": choice}},
        "train": [correct, 120],
        "test": [29, 30],
        "cost": {"kept": 70 + seed, "weights": 1110, "luts": round(1.1 * luts)},
        "cells": {"LUT": luts, "FF": 2 * luts},
        "tools": {"yosys": "1"},
    }


PLACED: dict[str, Any] = {
    "placed": {"LUT": 3600, "FF": 5000},
    "clock": {"MHz": {"1": 160.0, "2": 150.0}, "median": 155.0, "least": 150.0}
    | {"latency in ns": 380.0},
    "cycles": {"interval": 1, "latency": 59},
}


@pytest.fixture
def rows() -> list[Row]:
    found = [row("iris_area", seed, 3000 + 100 * seed, 118 - seed) for seed in range(3)]
    found += [row("wine_area", 0, 1500, 110)]
    for of in (found[1], found[3]):
        of |= copy.deepcopy(PLACED)
    return found


def test_page_has_medians_spread_every_seed_and_the_placed_build(rows: list[Row]) -> None:
    text = area_page.page(rows, [0.5, 4.0, 1.25])
    assert "Written by `make study-area`" in text and "yosys 1" in text
    assert (
        "| iris_area | 3 | 117 (116 .. 118) of 120 | 29 (29 .. 29) of 30 | 146 (145 .. 147) of 150 "
        "| 71 (70 .. 72) of 1,110 | 3,100 (3,000 .. 3,200) | 6,200 (6,000 .. 6,400) |"
    ) in text
    assert ("| iris_area | 1 | 3,100 | 3,600 | 5,000 | 155.0 | 150.0 | 1 | 59 | 380.0 |") in text
    assert text.count("\n| iris_area | ") == 1 + 1 + 3 and text.count("\n| wine_area | ") == 3
    assert "| iris_area | 2 | 0.1 | 0.955 | 116/120 | 29/30 | 72 | 3,520 | 3,200 | 6,400 |" in text
    assert "+10 to\n+10 percent off" in text and "0.5, 4, 1.25" in text


def test_page_names_a_decision_that_is_there(rows: list[Row]) -> None:
    page = Path("docs/results") / area_page.DECISION.partition("(")[2].rstrip(")")
    assert page.resolve().is_file() and area_page.DECISION in area_page.page(rows, [1.0, 1.0, 1.0])


def test_median_of_two_is_the_larger(rows: list[Row]) -> None:
    assert area_page.median(rows[:3])["seed"] == 1
    assert area_page.median(rows[:2])["seed"] == 1


def test_picture_has_a_panel_a_network_and_both_splits_of_each_seed(
    rows: list[Row], tmp_path: Path
) -> None:
    figure = area_page.picture(rows)
    figure.savefig(tmp_path / "area.png")
    assert [axes.get_title() for axes in figure.axes] == ["iris_area", "wine_area"]
    *levels, train, test = figure.axes[0].get_lines()
    assert len(levels) == 3
    assert list(train.get_xdata()) == list(test.get_xdata()) == [3000, 3100, 3200]
    assert list(train.get_ydata()) == [100 * n / 120 for n in (118, 117, 116)]


def test_every_recipe_of_the_study_trains_for_area_and_unrolled() -> None:
    assert set(area.SEEDS) == {path.stem for path in area_networks.FOLDER.glob("*.toml")}
    for name in area.SEEDS:
        plan = recipe.load(area_networks.FOLDER / f"{name}.toml")
        assert plan.name == name and plan.area is not None
        assert isinstance(plan.folds, recipe.Goal) and plan.folds.target_cycles == 1
        of = area_networks.job(name, 3)
        assert of.arguments == {"name": name, "seed": 3}
        assert f"model/networks/area/{name}.toml" in of.rests_on["files"]
        sources = of.rests_on["sources"]
        assert "model/qat/pruning.py" in sources and not any("syn/" in path for path in sources)


def test_a_network_comes_back_from_its_content_unrolled() -> None:
    golden = artifact.load(GOLDEN / "wine.network.json")
    network = area.unrolled(artifact.to_content(golden))
    assert network.spec == golden.spec.unrolled()
    assert all((network.weights[key] == golden.weights[key]).all() for key in golden.weights)


def test_a_recipe_without_area_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        (area_networks.FOLDER / "wine_area.toml").read_text().replace("epochs = 200", "epochs = 1")
    )
    text = text.replace("epochs = 100", "epochs = 1")
    (tmp_path / "bare.toml").write_text(
        text[: text.index("[area]")] + text[text.index("[formats]") :]
    )
    monkeypatch.setattr(area_networks, "FOLDER", tmp_path)
    with pytest.raises(CommandError, match=r"bare\.toml: must have \[area\]"):
        area_networks.learned("bare", 0)


def test_fitted_slopes_are_those_that_made_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    golden = artifact.to_content(artifact.load(GOLDEN / "wine.network.json"))
    spec = artifact.load(GOLDEN / "wine.network.json").spec.unrolled()
    rest = spec.area.luts - sum(layer.area.luts for layer in spec.layers)
    rows: list[Row] = []
    for adders, requantizers in ((100, 10), (500, 70), (2000, 30), (40, 44)):
        luts = 0.5 * adders + 4 * requantizers + 2 * rest
        cost = {"adder_bits": adders, "requantizer_bits": requantizers}
        rows.append({"network": golden, "cost": cost, "cells": {"LUT": luts}})
    assert area.fitted([*rows, {**rows[0]}]) == [0.5, 4.0, 2.0]
