"""TRUST.md: every claim of the ledger has a row, and each row has evidence that is there."""

import re
from collections.abc import Collection, Mapping, Sequence
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
# Behind the name of a campaign that has left nothing in the ledger.
PENDING = "(not run whole yet)"
WHOLE = ("proved", "exhausted")


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


def campaigns(root: Path) -> set[str]:
    """Words in quotes in the sources of the campaigns, names of claims among them."""
    sources = (path.read_text() for path in (root / "verify").rglob("*.py"))
    return {word for text in sources for word in re.findall(r'"([\w-]+)"', text)}


def parts(claims: Mapping[str, ledger.Entry]) -> set[str]:
    """Claims whose campaign has run a part alone, by their figures."""
    figures = {name: entry["figures"] for name, entry in claims.items()}
    return {name for name, found in figures.items() if found.get("inputs", 0) < found.get("of", 0)}


def complaints(
    found: Sequence[Row],
    claims: set[str],
    known: set[str],
    root: Path,
    partly: Collection[str] = (),
) -> list[str]:
    """Rows without evidence or of an unknown kind or command, and claims without a row.

    ``partly`` are claims of a part, of which no row is proved or exhausted.
    """
    said = [f"{c}: has no row" for c in sorted(claims - {n for r in found for n in named(r)})]
    recorded = campaigns(root)
    for row in found:
        files = [first or second for first, second in FILE.findall(row.by)]
        dead = [file for file in files if not (root / file).is_file()]
        command = TARGET.fullmatch(row.command)
        said += [f"{row.claim}: {file} does not exist" for file in dead]
        said += [f"{row.claim}: {word}" for word in unfounded(row, claims, recorded)]
        if row.kind in WHOLE and set(named(row)) & set(partly):
            said.append(f"{row.claim}: must not be {row.kind} by a part")
        if not files and not set(named(row)) & claims:
            said.append(f"{row.claim}: has no evidence")
        if row.kind not in KINDS:
            said.append(f"{row.claim}: must be one of {', '.join(KINDS)}, got {row.kind}")
        if command is None or command[1] not in known:
            said.append(f"{row.claim}: must have a target of make, got {row.command}")
        if not row.open:
            said.append(f"{row.claim}: must say what it does not establish")
    return said


def unfounded(row: Row, claims: set[str], recorded: set[str]) -> list[str]:
    """Words in italics that are no claim of the ledger and do not say so, or say so of one."""
    said = []
    pending = re.findall(rf"{CLAIM.pattern} {re.escape(PENDING)}", row.by)
    for name in named(row):
        if name in claims and name in pending:
            said.append(f"*{name}* is in the ledger, it must not be {PENDING}")
        elif name not in claims and name not in pending:
            said.append(f"*{name}* must be a claim of the ledger or {PENDING}")
        elif name not in claims and name not in recorded:
            said.append(f"*{name}* must be what a campaign records")
    if row.kind in WHOLE and pending:
        said.append(f"must not be {row.kind} while *{pending[0]}* is {PENDING}")
    return said


def named(row: Row) -> list[str]:
    """Claims of the ledger that a row names."""
    return CLAIM.findall(row.by)


def test_every_claim_has_a_row_and_every_row_evidence() -> None:
    found = rows(PAGE.read_text())
    known = targets((ROOT / "Makefile").read_text())
    claims = ledger.read(ledger.LEDGER)
    assert complaints(found, set(claims), known, ROOT, parts(claims)) == []
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
        (
            Row("a", "sampled", "*box*, *census*", "`make test`", "b"),
            "a: *census* must be a claim of the ledger or (not run whole yet)",
        ),
        (
            Row("a", "sampled", "*box*, *tea* (not run whole yet)", "`make test`", "b"),
            "a: *tea* must be what a campaign records",
        ),
        (
            Row("a", "sampled", "*box* (not run whole yet)", "`make test`", "b"),
            "a: *box* is in the ledger, it must not be (not run whole yet)",
        ),
        (
            Row("a", "exhausted", "*box*, *census* (not run whole yet)", "`make test`", "b"),
            "a: must not be exhausted while *census* is (not run whole yet)",
        ),
        (
            Row("a", "sampled", "*census* (not run whole yet)", "`make test`", "b"),
            "a: has no evidence",
        ),
    ],
)
def test_bad_row_is_found(row: Row, complaint: str) -> None:
    (found,) = [
        said for said in complaints([row], {"box"}, {"test"}, ROOT) if said.startswith(complaint)
    ]
    assert found


def test_good_row_is_fine() -> None:
    row = Row("a", "proved", "*box*, [b](docs/softmax.md)", "`make test`", "c")
    pending = Row("b", "sampled", "*box*, *census* (not run whole yet)", "`make test`", "c")
    assert complaints([row, pending], {"box"}, {"test"}, ROOT) == []


@pytest.mark.parametrize(
    ("inputs", "complained"), [(4, []), (3, ["a: must not be exhausted by a part"])]
)
def test_part_exhausts_nothing(inputs: int, complained: list[str]) -> None:
    claims = {
        "inputs": {"figures": {"inputs": inputs, "of": 4}},
        "box": {"figures": {"compared": 1}},
    }
    row = Row("a", "exhausted", "*inputs*, *box*", "`make test`", "b")
    assert complaints([row], set(claims), {"test"}, ROOT, parts(claims)) == complained
