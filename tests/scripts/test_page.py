"""The page for people who look: whole, without an error, in a browser, on a phone as well."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from common import errors
from common.paths import GOLDEN_IRIS, ROOT
from common.sources import rtl_digest
from model import artifact
from model.images import identity
from scripts.report import html, terminal
from tb.sim.made_up import codes, made_up
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tests.builds import SIMULATOR, build_of, golden_build

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
def browser_page(built: Path) -> Iterator[Page]:
    """A page of a headless Chromium that fails on what a console would complain of.

    Its event loop is this thread's, in which no simulation can be run any more: ``built`` is first.
    """
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
    assert len(widths) == 2 and all(width > 400 for width in widths)
    drawings = "[...document.querySelectorAll('.wide > svg')].map(s => s.getBoundingClientRect())"
    boxes = shown.evaluate(f"{drawings}.map(box => [box.width, box.height])")
    assert len(boxes) == 2 and all(min(box) > 100 for box in boxes)
    assert shown.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16
    for heading in ("The pipeline", "Accuracy", "The first result", "FPGA resources"):
        assert shown.get_by_role("heading", name=heading).is_visible()


def test_numbers_are_those_of_the_report(built: Path, browser_page: Page) -> None:
    facts = json.loads((built / "report.json").read_text())
    shown = opened(browser_page, built / "report.html", DESK)
    figures = shown.locator(".figure b").all_inner_texts()
    cycles = facts["cycles"]
    rtl = facts["implementations"][-1]
    assert figures == [
        str(facts["totals"]["rtl"]["differing"]),
        *(f"{rtl[part]['correct']} / {rtl[part]['samples']}" for part in ("train", "test")),
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
    network = artifact.load(GOLDEN_IRIS)
    stale = {
        "network_sha256": identity(network),
        "rtl": "0",
        "target": "ecp5",
        "device": "85k",
        "modules": {},
    }
    (built / "synth-ecp5-85k.json").write_text(json.dumps(stale))
    (built / "accuracy.json").write_text(json.dumps({"recipe_sha256": "0"}))
    assert not list(html.areas(built, network)) and html.accuracy(built, facts) is None
    for name in ("synth-ecp5-85k.json", "accuracy.json"):
        (built / name).unlink()


def test_areas_are_those_of_the_network_and_its_rtl(built: Path) -> None:
    network = artifact.load(GOLDEN_IRIS)
    path = built / "synth-ecp5-85k.json"
    found = {
        "network_sha256": identity(network),
        "rtl": rtl_digest(),
        "target": "ecp5",
        "device": "85k",
        "modules": {"mlp_linear": {"LUT": 5}},
        "fold": {"fc1": [4, 3]},
    }
    path.write_text(json.dumps(found))
    (area,) = html.areas(built, network)
    assert (area["name"], area["fold"]) == ("ecp5 85k", "fc1 4 x 3")
    # Another fold has other cells, and the same integers.
    assert len(list(html.areas(built, network.refolded(network.spec.serial())))) == 1
    assert not list(html.areas(built, made_up([4, 3])))
    path.unlink()


OTHER = made_up([3, 5, 4], softmax=("exp", "restoring"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a network that is not the project's own."""
    folder = build_of(OTHER, tmp_path_factory.mktemp("other"))
    terminal.run(terminal.parser().parse_args(["--build", str(folder), "--sim", SIMULATOR]))
    write(folder)
    return folder


def test_page_speaks_of_its_own_network(other: Path, browser_page: Page) -> None:
    shown = opened(browser_page, other / "report.html", DESK)
    text = shown.locator("main").inner_text()
    assert not re.search(r"taylor2|reciprocal|iris|golden", text, flags=re.IGNORECASE)
    assert "Score exp, divider restoring" in text and "made_up, in hardware" in text
    known = OTHER.spec.area
    section = shown.locator("section", has_text="FPGA resources")
    assert section.locator("td:last-child").all_inner_texts() == [
        f"{count:,}" for count in (known.multipliers, known.luts, known.flip_flops, known.rom_bits)
    ]
    links = shown.locator("a").evaluate_all("links => links.map(link => link.href)")
    pages = [Path(unquote(urlparse(link).path)) for link in links]
    assert len(pages) == 3 and all(page.is_relative_to(ROOT / "docs") for page in pages)
    assert all(page.is_file() for page in pages)


def test_only_what_is_missing_is_said_to_be(other: Path, browser_page: Page) -> None:
    shown = opened(browser_page, other / "report.html", DESK)
    notes = [text for text in shown.locator("p").all_inner_texts() if "not measured" in text]
    assert notes == [
        "Accuracy over several splits and seeds was not measured yet: make accuracy does it.",
        "The waveform was not measured yet: make sim WAVES=1 does it.",
        "Cells and clock on a device were not measured yet: make synth does it.",
    ]


def test_pictures_fit_a_phone(other: Path, browser_page: Page) -> None:
    sizes = {}
    for size in (PHONE, DESK):
        shown = opened(browser_page, other / "report.html", size)
        shown.wait_for_function("[...document.images].every(image => image.complete)")
        sizes[size] = shown.evaluate(
            "[...document.images].map(image => [image.naturalWidth, image.width])"
        )
    # A picture that shrinks to less than three quarters cannot be read.
    assert all(shown / natural > 0.7 for natural, shown in sizes[PHONE])
    assert [natural for natural, _ in sizes[PHONE]] != [natural for natural, _ in sizes[DESK]]


def test_network_that_was_exported_since_is_refused(other: Path, tmp_path: Path) -> None:
    shutil.copytree(other, tmp_path, dirs_exist_ok=True)
    artifact.save(
        made_up([3, 5, 4], softmax=("exp", "restoring"), seed=2), tmp_path / "network.json"
    )
    with pytest.raises(errors.CommandError, match=r"report.json: is of another network"):
        write(tmp_path)


def test_no_result_makes_no_page(tmp_path: Path) -> None:
    with pytest.raises(errors.CommandError, match=r"report.json is missing, run make sim first"):
        write(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_broken_picture_is_noticed(built: Path, browser_page: Page, tmp_path: Path) -> None:
    text = (built / "report.html").read_text()
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("data:image/png;base64,", "data:image/png;base64,AAAA"))
    shown = opened(browser_page, broken, DESK)
    widths = shown.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert 0 in widths
