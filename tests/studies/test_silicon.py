"""The page of the silicon: what the command writes is what the page and the README hold."""

import re
from pathlib import Path

from common import markdown
from common.paths import GOLDEN_IRIS, ROOT
from model.artifact import load
from studies import silicon
from studies.silicon import BUILDS, Build
from syn import utilization
from syn.synthesis import Netlist, Placement
from syn.targets import TARGETS

SPEC = load(GOLDEN_IRIS).spec
CELLS = {"LUT": 1234, "FF": 5678, "DSP": 84, "BRAM": 1}
NETLIST = Netlist(Path(), CELLS, {"": CELLS}, {"mlp_top": CELLS}, ("a ROM is odd",), 1.0)


def placement(seed: int, megahertz: float) -> Placement:
    return Placement(seed, megahertz, CELLS | {"LUT": 1300}, CELLS, (), 1.0)


def facts(*clocks: float) -> utilization.Facts:
    target = TARGETS["ecp5"]
    placements = [placement(seed, clock) for seed, clock in enumerate(clocks, start=1)]
    return utilization.facts(SPEC, target, target.device("85k"), NETLIST, placements)


def test_the_median_of_the_seeds_is_the_clock() -> None:
    clock = facts(150.0, 90.0, 200.0)["clock"]
    assert (clock["least"], clock["median"], clock["most"]) == (90.0, 150.0, 200.0)
    assert clock["latency in ns"] == round(SPEC.latency / 0.150, 1)
    assert clock["results per second"] == round(150e6 / SPEC.interval)
    assert facts()["clock"] is None


def test_the_page_says_every_figure_and_every_warning() -> None:
    page = silicon.page([(Build("default", "ecp5", "85k", "why"), facts(150.0, 160.0))])
    assert "| ecp5 85k | 82 | 1,300 | 5,678 | 84 | 1 | 155.0 | 30 | 141 | 909.7 |" in page
    assert "150.0 with seed 1, 160.0 with seed 2; least 150.0, median 155.0, most 160.0." in page
    assert "Warning of the tools: a ROM is odd" in page
    assert page.count("| `mlp_top` | 1234 | 5678 | 84 | 1 |") == 1


def test_a_clock_that_no_route_was_made_for_is_said_to_be_expected() -> None:
    build = Build("shared", "ecp5", "85k", "why", route=False)
    page = silicon.page([(build, facts(150.0, 160.0))])
    assert "| 155.0 expected | 30 | 141 | 909.7 |" in page
    assert "MHz, expected: 150.0 with seed 1" in page


def test_readme_and_page_hold_the_same_table_of_every_build() -> None:
    readme, page = (ROOT / name for name in ("README.md", "docs/results/silicon.md"))
    _, block, _ = re.split(rf"<!-- /?{silicon.BLOCK} -->", readme.read_text())
    assert block.strip() in page.read_text()
    assert block.count("\n| ") == len(BUILDS) + 2
    for name in (silicon.README, silicon.INTEGRATE):
        text = (ROOT / name).read_text()
        assert markdown.filled(text, silicon.BLOCK, block.strip()) == text
