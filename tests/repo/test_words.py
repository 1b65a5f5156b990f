"""The English of messages, docstrings and pages: what must be, then what was found."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.paths import ROOT
from tests.repo.test_structure import files

# Idioms that the project does not use, each with what stands in its place.
INSTEAD = {
    r"\blegal (is|are)\b": "must be ..., got ...",
    r"\bwhole numbers?\b": "integer",
    r"\bwho is taken for whom\b": "confusion matrix",
    r"\bwhat it (costs|takes) (of|on) an FPGA\b": "FPGA resources",
    r"\b\d+ right\b": "correct",
    r"\bright (of|on) \d": "correct",
    r"% right\b": "correct",
    r"\bseed's (own )?(network|softmax|polynomial|library)\b": "the article's",
    r"\bancestor\b": "the article",
    r"\bis told its options\b": "takes options",
    r"^\*\*(Choice|Price)\.\*\*": "Decision, Consequences",
}
# Folders whose docstrings begin with a verb or a noun phrase.
CLEAN = ("boards", "common", "model", "scripts", "studies", "syn", "tb", "verbatim", "verify")
OPENING = re.compile(r"(What|Who|Whether|How|Where|Why|When|Which)\b")
SELF = Path(__file__).resolve()


def idioms(path: Path) -> list[str]:
    """Lines of a file that hold an idiom, and what to write instead."""
    text = path.read_text()
    return [
        f"{path.name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}, write {instead!r}"
        for pattern, instead in INSTEAD.items()
        for found in re.finditer(pattern, text, flags=re.I | re.M)
    ]


def openings(path: Path) -> list[str]:
    """Docstrings of a file that begin with a question word."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]
    texts = [ast.get_docstring(node) or "" for node in nodes]
    return [f"{path.name}: {text.splitlines()[0]}" for text in texts if OPENING.match(text)]


def read_by_people() -> Iterator[Path]:
    """Every source, page and recipe of the project."""
    for suffix in (".py", ".md", ".toml", ".html", ".v", ".cpp", ".sh"):
        yield from (path for path in files(ROOT, suffix) if path.resolve() != SELF)


def test_no_idiom_of_the_list_comes_back() -> None:
    paths = list(read_by_people())
    assert len(paths) > 250
    assert [line for path in paths for line in idioms(path)] == []


@pytest.mark.parametrize(
    "text",
    [
        "width is 1, legal is a number",
        "a whole number",
        "118 right",
        "% right over",
        "Who is taken for whom",
        "the seed's network",
        "**Price.** Much.",
        "What it costs on an FPGA",
    ],
)
def test_idiom_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.md").write_text(f"first\n{text}\n")
    (line,) = idioms(tmp_path / "page.md")
    assert line.startswith("page.md:2: ")


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    paths = [path for room in CLEAN for path in files(ROOT / room, ".py")]
    assert len(paths) > 50
    assert [line for path in paths for line in openings(path)] == []


def test_opening_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text('"""A file."""\n\n\ndef f():\n    """Whether it is."""\n')
    assert openings(path) == ["bad.py: Whether it is."]
