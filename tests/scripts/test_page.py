"""The page for people who look: whole, without an error, in a browser, on a phone as well."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from common import errors
from common.paths import GOLDEN_IRIS
from model import artifact
from scripts.report import html, terminal
from tb.sim.made_up import codes
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tests.builds import SIMULATOR, golden_build
from verify import ledger

PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder with a report and a waveform, and its page."""
    folder = golden_build(tmp_path_factory.mktemp("page"))
    terminal.run(terminal.parser().parse_args(["--build", str(folder), "--sim", SIMULATOR]))
    network = artifact.load(GOLDEN_IRIS)
    run_network(
        network,
        codes(np.random.default_rng(1), network, 10),
        SIMULATOR,
        folder=folder / "run",
        name="page",
        testcase=EVERY_SAMPLE,
        waves=folder / f"waves-{SIMULATOR}.fst",
    )
    write(folder)
    return folder


def write(folder: Path) -> None:
    html.run(html.parser().parse_args(["--build", str(folder), "--sim", SIMULATOR]))


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium that fails on what a console would complain of."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        opened = browser.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("requestfailed", lambda request: complaints.append(request.url))
        yield opened
        browser.close()
    assert not complaints, complaints


def opened(browser_page: Page, path: Path, size: tuple[int, int]) -> Page:
    browser_page.set_viewport_size({"width": size[0], "height": size[1]})
    browser_page.goto(path.as_uri())
    return browser_page


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_page_is_whole(built: Path, browser_page: Page, size: tuple[int, int]) -> None:
    shown = opened(browser_page, built / "report.html", size)
    assert shown.evaluate("document.documentElement.scrollWidth") <= size[0]
    widths = shown.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 3 and all(width > 500 for width in widths)
    drawings = "[...document.querySelectorAll('.wide > svg')].map(s => s.getBoundingClientRect())"
    boxes = shown.evaluate(f"{drawings}.map(box => [box.width, box.height])")
    assert len(boxes) == 2 and all(min(box) > 100 for box in boxes)
    assert shown.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16
    for heading in ("The pipeline", "Accuracy", "The first result", "What was verified"):
        assert shown.get_by_role("heading", name=heading).is_visible()


def test_numbers_are_those_of_the_report(built: Path, browser_page: Page) -> None:
    facts = json.loads((built / "report.json").read_text())
    shown = opened(browser_page, built / "report.html", DESK)
    figures = shown.locator(".figure b").all_inner_texts()
    cycles = facts["cycles"]
    rtl = facts["implementations"][-1]
    assert figures == [
        str(facts["totals"]["rtl"]["differing"]),
        *(f"{rtl[part]['right']} / {rtl[part]['samples']}" for part in ("train", "test")),
        str(cycles["interval"]["measured"]),
        str(cycles["latency"]["measured"]),
    ]
    cells = [int(text) for text in shown.locator(".confusion td").all_inner_texts()]
    assert sum(cells) == facts["samples"] == 150
    widths = "[...document.querySelectorAll('.bar')].map(bar => bar.getBoundingClientRect().width)"
    bars = shown.evaluate(widths)[: len(cycles["parts"])]
    parts = [part["cycles"] for part in cycles["parts"]]
    assert np.allclose(bars, np.array(parts) / max(parts) * max(bars), atol=1)


def test_what_was_not_measured_is_named_with_its_command(built: Path, browser_page: Page) -> None:
    shown = opened(browser_page, built / "report.html", DESK)
    assert {"make accuracy", "make synth"} <= set(shown.locator("code").all_inner_texts())


def test_figures_of_another_rtl_or_recipe_are_left_out(built: Path) -> None:
    facts = json.loads((built / "report.json").read_text())
    stale = {"rtl": "0", "target": "ecp5", "device": "85k", "modules": {}}
    (built / "synth-ecp5-85k.json").write_text(json.dumps(stale))
    (built / "accuracy.json").write_text(json.dumps({"recipe_sha256": "0"}))
    assert not list(html.areas(built)) and html.accuracy(built, facts) is None
    for name in ("synth-ecp5-85k.json", "accuracy.json"):
        (built / name).unlink()


def test_ledger_becomes_a_table(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "<!-- ledger -->\n\n| a | b |\n| --- | --- |\n| 1 | `x` |\n\n<!-- /ledger -->\n"
    )
    made = html.ledger(path)
    assert made is not None and "<td><code>x</code></td>" in made
    path.write_text("<!-- ledger -->\n\n<!-- /ledger -->\n")
    assert html.ledger(path) is None
    assert "<!-- ledger -->" in ledger.PAGE.read_text()


def test_no_result_makes_no_page(tmp_path: Path) -> None:
    with pytest.raises(errors.CommandError, match=r"report.json is missing, run make sim first"):
        write(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_broken_picture_is_noticed(built: Path, browser_page: Page, tmp_path: Path) -> None:
    text = (built / "report.html").read_text()
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("data:image/png;base64,", "data:image/png;base64,AAAA", 1))
    shown = opened(browser_page, broken, DESK)
    widths = shown.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert 0 in widths
