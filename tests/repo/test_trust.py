"""TRUST.md: every claim of the ledger has a row, and each row has evidence that exists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.paths import ROOT
from verify import ledger

PAGE = ROOT / "TRUST.md"
KINDS = ("proved", "exhausted", "sampled", "cross-checked", "measured", "trusted")
COLUMNS = ("claim", "is", "by", "command", "not established")
CLAIM = re.compile(r"(?<!\*)\*([\w-]+)\*(?!\*)")
FILE = re.compile(r"`([\w/.-]+\.\w+)`|\]\(([\w/.-]+)\)")
TARGET = re.compile(r"`make ([a-z-]+)`")


@dataclass(frozen=True)
class Row:
    """A claim, its kind, the text of its evidence, its command, and what it leaves open."""

    claim: str
    kind: str
    by: str
    command: str
    open: str


def rows(text: str) -> list[Row]:
    """Rows of the page's table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert tuple(cells[0]) == COLUMNS
    return [Row(*row) for row in cells[2:]]


def targets(makefile: str) -> set[str]:
    """Targets of the Makefile that have a place in its menu."""
    return set(re.findall(r"^([a-z-]+):.* ## ", makefile, flags=re.M))


def complaints(found: Sequence[Row], claims: set[str], known: set[str], root: Path) -> list[str]:
    """Rows without evidence or of an unknown kind or command, and claims without a row."""
    said = [f"{c}: has no row" for c in sorted(claims - {n for r in found for n in named(r)})]
    for row in found:
        files = [first or second for first, second in FILE.findall(row.by)]
        dead = [file for file in files if not (root / file).is_file()]
        command = TARGET.fullmatch(row.command)
        said += [f"{row.claim}: {file} does not exist" for file in dead]
        if not files and not set(named(row)) & claims:
            said.append(f"{row.claim}: has no evidence")
        if row.kind not in KINDS:
            said.append(f"{row.claim}: must be one of {', '.join(KINDS)}, got {row.kind}")
        if command is None or command[1] not in known:
            said.append(f"{row.claim}: must have a target of make, got {row.command}")
        if not row.open:
            said.append(f"{row.claim}: must say what it does not establish")
    return said


def named(row: Row) -> list[str]:
    """Claims of the ledger that a row names."""
    return CLAIM.findall(row.by)


def test_every_claim_has_a_row_and_every_row_evidence() -> None:
    found = rows(PAGE.read_text())
    known = targets((ROOT / "Makefile").read_text())
    assert complaints(found, set(ledger.read(ledger.LEDGER)), known, ROOT) == []
    assert {row.kind for row in found} == set(KINDS)
    assert len({row.claim for row in found}) == len(found) > 30


def test_every_page_of_results_has_a_row() -> None:
    """A page that a command writes makes claims."""
    text = PAGE.read_text()
    pages = {path.name for path in (ROOT / "docs" / "results").glob("*.md")} - {"README.md"}
    assert [name for name in sorted(pages) if f"docs/results/{name}" not in text] == []


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (Row("a", "proved", "nothing", "`make test`", "b"), "a: has no evidence"),
        (Row("a", "proved", "*unknown*", "`make test`", "b"), "a: has no evidence"),
        (Row("a", "proved", "*box*, `tests/none.py`", "`make test`", "b"), "a: tests/none.py does"),
        (Row("a", "hoped", "*box*", "`make test`", "b"), "a: must be one of proved, exhausted"),
        (Row("a", "proved", "*box*", "`make tea`", "b"), "a: must have a target of make, got `ma"),
        (Row("a", "proved", "*box*", "`make test`", ""), "a: must say what it does not establish"),
        (Row("a", "proved", "`conftest.py`", "`make test`", "b"), "box: has no row"),
    ],
)
def test_bad_row_is_found(row: Row, complaint: str) -> None:
    (found,) = [
        said for said in complaints([row], {"box"}, {"test"}, ROOT) if said.startswith(complaint)
    ]
    assert found


def test_good_row_is_fine() -> None:
    row = Row("a", "proved", "*box*, [b](docs/softmax.md)", "`make test`", "c")
    assert complaints([row], {"box"}, {"test"}, ROOT) == []
