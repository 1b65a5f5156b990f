"""What the README and docs/ say: examples run, links lead somewhere, written parts are written."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common import markdown
from common.errors import CommandError
from common.paths import GOLDEN_IRIS, ROOT
from model import artifact
from scripts.report import pipeline, readme

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
NAMED_FILE = re.compile(
    r"`((?:boards|common|docs|model|rtl|scripts|studies|syn|tb|tests|verify)/[\w/.-]+\.\w+)`"
)
MARKERS = re.compile(r"(<!-- /?(?:results|limits|modules) -->)")
NAMED_OPERATOR = re.compile(r"`model/(\w+)\.py`: `(\w+)`")

KEYS = ["Context", "Decision", "Consequences"]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)

FACTS: dict[str, Any] = {
    "complaint": None,
    "simulator": "icarus",
    "implementations": [
        {"name": name, "train": {"correct": 7, "samples": 8}, "test": {"correct": 1, "samples": 2}}
        for name in ("float PyTorch", "quantized PyTorch", "NumPy reference", "RTL (icarus)")
    ],
    "totals": {
        "pytorch": {"compared": 1000, "differing": 0},
        "rtl": {"compared": 2345, "differing": 6},
    },
    "cycles": {"latency": {"measured": 99}, "interval": {"measured": 11}},
}


def dead_links(page: Path) -> list[str]:
    """Files of the project that a page links to or names, and that do not exist."""
    text = page.read_text()
    links = [link for link in LINK.findall(text) if "://" not in link]
    dead = [link for link in links if not (page.parent / link).exists()]
    return dead + [name for name in NAMED_FILE.findall(text) if not (ROOT / name).exists()]


@each_page
def test_page_names_only_what_exists(page: Path) -> None:
    assert dead_links(page) == []


def test_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](nowhere.md#b), `model/nothing.py`, [c](https://example.org), [d](page.md)")
    assert dead_links(page) == ["nowhere.md", "model/nothing.py"]


def test_examples_of_numerics_are_right() -> None:
    failed, tried = doctest.testfile(str(ROOT / "docs/numerics.md"), module_relative=False)
    assert tried > 10 and failed == 0


def test_examples_of_the_library_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(str(ROOT / "docs/library.md"), module_relative=False)
    assert tried >= 12 and failed == 0


def test_examples_of_learning_are_right() -> None:
    failed, tried = doctest.testfile(str(ROOT / "docs/learning.md"), module_relative=False)
    assert tried >= 15 and failed == 0


def test_operators_of_numerics_exist() -> None:
    named = NAMED_OPERATOR.findall((ROOT / "docs/numerics.md").read_text())
    assert len(named) >= 8
    for module, operator in named:
        assert f"{operator}(" in (ROOT / f"model/{module}.py").read_text(), operator


def test_readme_leads_to_every_page() -> None:
    """By at most seven links of its list of documentation, and those of the pages behind them."""
    text = (ROOT / "README.md").read_text()
    listed = re.search(r"## Documentation\n(.*?)\n## ", text, flags=re.S)
    assert listed and len(re.findall(r"^\* \[", listed[1], flags=re.M)) <= 7
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page.is_dir():
            todo += page.glob("*.md")
        elif page.suffix == ".md" and page not in seen:
            seen.add(page)
            links = LINK.findall(page.read_text())
            todo += [page.parent / link for link in links if "://" not in link]
    assert [page for page in PAGES if page not in seen] == []


def test_example_of_the_readme_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried == 8 and failed == 0


def test_limits_of_the_readme_are_those_of_the_checks() -> None:
    text = (ROOT / "README.md").read_text()
    assert markdown.filled(text, readme.LIMITS, readme.limits()) == text, "run make readme"


def test_every_decision_has_context_decision_and_consequences() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    for number, path in enumerate(decisions, start=1):
        text = path.read_text()
        assert path.name.startswith(f"{number:04d}-") and text.startswith(f"# {number}. ")
        headings = re.findall(r"^\*\*(\w+)\.\*\*", text, flags=re.M)
        assert headings in (KEYS, [*KEYS[:2], "Measured", KEYS[2]])


# What commands write


def test_results_hold_every_implementation_and_figure() -> None:
    rows = readme.results(FACTS).splitlines()
    assert rows[0].startswith(
        "| implementation | correct, of 8 training samples | correct, of 2 test samples |"
    )
    assert "| quantized PyTorch | 7 | 1 | 1,000 | 0 |  |  |" in rows
    assert "| RTL (icarus) | 7 | 1 | 2,345 | 6 | 11 | 99 |" in rows


def test_readme_holds_results_as_the_command_writes_them() -> None:
    text = (ROOT / "README.md").read_text()
    _, inside, _ = re.split(r"<!-- /?results -->", text)
    assert inside.count("| RTL (") == 1
    assert markdown.filled(text, readme.RESULTS, inside.strip()) == text


def test_command_changes_nothing_outside_the_markers(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(FACTS))
    command = [sys.executable, "-m", "scripts.report.readme", "--build", str(tmp_path)]
    before = {}
    for option, name in (("readme", "README.md"), ("architecture", "docs/architecture.md")):
        path = tmp_path / Path(name).name
        path.write_text((ROOT / name).read_text())
        before[path] = re.split(MARKERS, path.read_text())
        command += [f"--{option}", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for path, parts in before.items():
        after = re.split(MARKERS, path.read_text())
        written = range(2, len(parts), 4)
        assert len(parts) == {"README.md": 9, "architecture.md": 5}[path.name]
        for index, (found, expected) in enumerate(zip(after, parts, strict=True)):
            assert index in written or found == expected
    assert "| RTL (icarus) | 7 | 1 |" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("{}", "cannot be read"),
        ("[]", "cannot be read"),
        (json.dumps(FACTS | {"complaint": "3 values differ"}), "is not a result: 3 values differ"),
    ],
)
def test_report_that_is_no_result_leaves_the_readme_alone(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    page, blank = tmp_path / "README.md", "<!-- results --><!-- /results -->"
    page.write_text(blank)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "scripts.report.readme",
            "--build",
            str(tmp_path),
            "--readme",
            str(page),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"report.json: {sentence}" in done.stderr
    assert page.read_text() == blank


@pytest.mark.parametrize(
    "text",
    [
        "no marker",
        "<!-- results -->",
        "<!-- /results --> <!-- results -->",
        "<!-- results --> <!-- results --> <!-- /results -->",
    ],
)
def test_page_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="the page must have"):
        markdown.filled(text, readme.RESULTS, "new")


def test_modules_of_the_architecture_are_those_of_the_headers() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    table = readme.modules(ROOT / "rtl")
    assert markdown.filled(text, readme.MODULES, table) == text, "run make readme"


def test_module_without_a_latency_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlp_x.v").write_text("// mlp_x - something\n")
    with pytest.raises(CommandError, match="its header must have"):
        readme.modules(tmp_path)


def test_picture_of_the_pipeline_is_that_of_the_golden_network() -> None:
    network = artifact.load(GOLDEN_IRIS)
    assert (ROOT / "docs/pipeline.svg").read_text() == pipeline.svg(network.spec), "run make readme"
