"""The page of training for area: medians, every seed, its picture; jobs that rest on the recipe."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from common.errors import CommandError
from common.paths import GOLDEN
from model import adders, artifact, recipe
from studies import area, area_networks, area_page, area_published
from studies.area_networks import Row


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
    "cells": {"LUT": 3100},
    "placed": {"LUT": 3600, "FF": 5000, "DSP": 6},
    "clock": {"MHz": {"1": 155.5}, "median": 155.5, "latency in ns": 380.0},
    "cycles": {"interval": 1, "latency": 59},
    "modules": {name: {"LUT": 700} for name in (*area_page.LAYERS, "mlp_softmax_exp")},
}
SMALL: list[dict[str, Any]] = [
    {
        **row("iris_area", 1, 3868, 117),
        "device": "hx8k",
        "cells": {"LUT": 3868, "DSP": 0, "BRAM": 3},
        "placed": {"LUT": 4927},
        "available": {"LUT": 7680},
        "clock": {"median": 79.5, "latency in ns": 502.9},
        "cycles": {"latency": 40},
    },
]
SMALL += [{**SMALL[0], "device": "up5k", "placed": None, "clock": None}]
LEVELS = [
    {**row("iris_area", 0, luts, 118), "level": part} for part, luts in ((0.5, 6000), (0.1, 2000))
]
ALKAID: dict[str, Any] = {
    **row("iris_area", 1, 5000, 117),
    "stages": 9,
    "layers": 5000,
    "placed": {"LUT": 5007, "FF": 10007, "DSP": 0},
    "placements": 3,
    "MHz": 120.5,
    "latency in ns": 74.7,
}


@pytest.fixture
def rows() -> list[Row]:
    found = [row("iris_area", seed, 3000 + 100 * seed, 118 - seed) for seed in range(3)]
    found += [row("wine_area", 0, 1500, 110)]
    for of in (found[1], found[3]):
        of["median"] = copy.deepcopy(PLACED)
    return found


def written(rows: list[Row]) -> str:
    return area_page.page(rows, LEVELS, [ALKAID], SMALL, [0.5, 4.0, 1.25])


def test_page_has_medians_spread_every_seed_and_the_placed_builds(rows: list[Row]) -> None:
    text = written(rows)
    assert "Written by `make study-area`" in text and "yosys 1" in text
    assert (
        "| iris_area | 3 | 117 (116 .. 118) of 120 | 29 (29 .. 29) of 30 | 146 (145 .. 147) of 150 "
        "| 71 (70 .. 72) of 1,110 | 3,100 (3,000 .. 3,200) | 6,200 (6,000 .. 6,400) |"
    ) in text
    ours = (
        "| iris_area | 1 | Verbatim | yes "
        "| 2,100 | 3,100 | 3,600 | 5,000 | 6 | 1 | 155.5 | 59 | 380.0 |"
    )
    theirs = (
        "| iris_area | 1 | alkaid, 9 stages | no "
        "| 5,000 | 5,000 | 5,007 | 10,007 | 0 | 3 | 120.5 | 9 | 74.7 |"
    )
    assert f"{ours}\n{theirs}\n| wine_area | 0 | Verbatim | yes |" in text
    assert "| iris_area | 0.1 | 118/120 | 29/30 | 70 | 2,000 | 4,000 |" in text
    assert (
        "| iris_area | 2 | 0.1 | 0.955 | 116/120 | 29/30 | 72 | 3,520 | 3,200 | 6,400 |"
    ) in text
    assert "adds 500 LUT4s at most" in text
    assert "+10 to\n+10 percent off" in text and "0.5, 4, 1.25" in text


def test_page_tells_a_device_it_is_placed_on_from_one_it_is_not(rows: list[Row]) -> None:
    text = written(rows)
    placed = "| iris_area | 1 | ice40 hx8k | 3,868 | 4,927 of 7,680 | 0 | 3 | 79.5 | 40 | 502.9 |"
    assert f"{placed}\n| iris_area | 1 | ice40 up5k | 3,868 |  | 0 | 3 |  | 40 |  |" in text


def test_page_lists_what_others_published_as_such(rows: list[Row]) -> None:
    text = written(rows)
    published = text[text.index("## Published") :]
    assert "Nothing of this was measured here" in published
    assert (
        "| TreeLUT | 75.6 | 2,234 | 347 | 735 | 2.7 | Khataei and Bazargan, FPGA 2025 |"
        in published
    )
    assert len({design.name for design in area_published.DESIGNS}) == published.count(", FP")


def test_page_names_a_decision_that_is_there(rows: list[Row]) -> None:
    page = Path("docs/results") / area_page.DECISION.partition("(")[2].rstrip(")")
    assert page.resolve().is_file() and area_page.DECISION in written(rows)


def test_median_of_two_is_the_larger(rows: list[Row]) -> None:
    assert area_page.medians(rows[:3])["iris_area"]["seed"] == 1
    assert area_page.medians(rows[:2])["iris_area"]["seed"] == 1


def test_picture_has_a_panel_a_network_with_levels_seeds_and_alkaid(
    rows: list[Row], tmp_path: Path
) -> None:
    figure = area_page.picture(rows, LEVELS, [ALKAID])
    figure.savefig(tmp_path / "area.png")
    assert [axes.get_title() for axes in figure.axes] == ["iris_area", "wine_area"]
    levels, seeds, alkaid = figure.axes[0].get_lines()
    assert list(levels.get_xdata()) == [2000, 6000]
    assert list(seeds.get_xdata()) == [3000, 3100, 3200]
    assert list(seeds.get_ydata()) == [100 * n / 150 for n in (147, 146, 145)]
    assert list(alkaid.get_xdata()) == [5000] and list(alkaid.get_ydata()) == [100 * 146 / 150]
    assert len(figure.axes[1].get_lines()) == 1


def test_every_recipe_of_the_study_trains_for_area_unrolled_by_shared_sums() -> None:
    assert set(area.NAMES) == {path.stem for path in area_networks.FOLDER.glob("*.toml")}
    for name in area.NAMES:
        plan = recipe.load(area_networks.FOLDER / f"{name}.toml")
        assert plan.name == name and plan.area is not None and plan.sharing is not None
        assert set(area.LEVELS) <= set(plan.area.walked)
        assert isinstance(plan.folds, recipe.Goal) and plan.folds.target_cycles == 1
        for of, own in (
            (area_networks.job(name, 3), {"seed": 3}),
            (area_networks.levels_job(name, area.LEVELS), {"built": list(area.LEVELS)}),
        ):
            assert of.arguments == {"name": name, **own}
            assert f"model/networks/area/{name}.toml" in of.rests_on["files"]
            sources = of.rests_on["sources"]
            assert "model/qat/pruning.py" in sources
            assert not any("syn/" in path for path in sources)


def test_samples_of_a_made_up_dataset_are_made_up() -> None:
    found = area_networks.samples("jet_tagging_area")
    assert found.features.shape == (600, 16) and set(found.labels) == set(range(5))


def test_levels_of_one_seed_are_networks_that_keep_no_more_than_their_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (area_networks.FOLDER / "wine_area.toml").read_text()
    text = re.sub(r"epochs = \d+", "epochs = 3", text)
    (tmp_path / "wine_area.toml").write_text(text)
    monkeypatch.setattr(area_networks, "FOLDER", tmp_path)
    found = area_networks.levels("wine_area", [0.5, 0.13])
    assert [found_row["level"] for found_row in found] == [0.5, 0.13]
    for found_row in found:
        network = area_networks.network_of(found_row["network"])
        assert all(layer.plan for layer in network.spec.layers) and network.spec.interval == 1
        assert 0 < found_row["cost"]["kept"] <= found_row["level"] * found_row["cost"]["weights"]
        assert found_row["train"][1] + found_row["test"][1] == 178


def test_a_network_comes_back_from_its_content() -> None:
    golden = artifact.load(GOLDEN / "wine.network.json")
    network = area_networks.network_of(artifact.to_content(golden))
    assert network.spec == golden.spec
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
    rest = adders.rest(artifact.load(GOLDEN / "wine.network.json"))
    rows: list[Row] = []
    for added, requantizers in ((100, 10), (500, 70), (2000, 30), (40, 44)):
        luts = 0.5 * added + 4 * requantizers + 2 * rest
        cost = {"adder_bits": added, "requantizer_bits": requantizers}
        rows.append({"network": golden, "cost": cost, "cells": {"LUT": luts}})
    assert area.fitted([*rows, {**rows[0]}]) == [0.5, 4.0, 2.0]
