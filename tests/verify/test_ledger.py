"""The ledger: every level has evidence, all of it speaks of the RTL that stands here."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from common import sources
from common.errors import CommandError
from verify import ledger, regression
from verify.ledger import LEVELS, LedgerError

RTL = "5" * 64


def leave(folder: Path, **changed: object) -> Path:
    """Evidence of every level, one of them changed."""
    folder.mkdir(exist_ok=True)
    for level, name in enumerate(LEVELS):
        entry = {
            "level": level,
            "claim": f"claim {level}",
            "command": f"make {level}",
            "figures": {"vectors": 1_387_500, "differing": 0, "share": "99 %"},
            "seconds": 61.4,
            "seed": 3 if level else None,
            "date": "2026-01-02",
            "rtl": RTL,
            "tools": {"numpy": "1.2"},
        }
        if level == 5:
            entry |= changed
        (folder / f"{name.replace(' ', '-')}.json").write_text(json.dumps(entry))
    return folder


def test_ledger_holds_every_figure(tmp_path: Path) -> None:
    text = ledger.block(ledger.gather(leave(tmp_path), RTL))
    assert len(text.splitlines()) == 2 + len(LEVELS) + 4
    assert "| 5 exhaustive | claim 5 | vectors 1,387,500; differing 0; share 99 % |" in text
    assert f"sha256 of the RTL: `{RTL}`" in text and "Tools: numpy 1.2." in text


def test_evidence_of_another_rtl_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="exhaustive ran on another RTL: run `make 5` again"):
        ledger.gather(leave(tmp_path, rtl="6" * 64), RTL)


def test_level_without_evidence_is_refused(tmp_path: Path) -> None:
    (leave(tmp_path) / "mutation.json").unlink()
    with pytest.raises(LedgerError, match="level 9, mutation, has no evidence"):
        ledger.gather(tmp_path, RTL)


def test_ledger_of_another_rtl_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(ledger.block(ledger.gather(leave(tmp_path / "evidence"), RTL)))
    ledger.check(page, RTL)
    with pytest.raises(LedgerError, match="speaks of another RTL: run `make verify`"):
        ledger.check(page, "6" * 64)
    page.write_text("")
    with pytest.raises(LedgerError, match="holds no ledger"):
        ledger.check(page, RTL)


def test_digest_sees_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a.v").write_text("x")
    first = sources.rtl_digest(tmp_path)
    (tmp_path / "a.v").write_text("y")
    second = sources.rtl_digest(tmp_path)
    (tmp_path / "a.v").rename(tmp_path / "b.v")
    assert len({first, second, sources.rtl_digest(tmp_path)}) == 3


def junit(folder: Path, *, failing: str = "", without: str = "") -> Path:
    """A JUnit file with a test of every module that the ledger asks for."""
    suite = ElementTree.Element("testsuite")
    for _, _, modules in regression.SUITES.values():
        for module in set(modules) - {without}:
            case = ElementTree.SubElement(suite, "testcase", classname=module, time="1.5")
            properties = ElementTree.SubElement(case, "properties")
            ElementTree.SubElement(properties, "property", name="compared", value="40")
            if module == failing:
                ElementTree.SubElement(case, "failure")
    path = folder / "junit.xml"
    ElementTree.ElementTree(suite).write(path)
    return path


def test_committed_ledger_speaks_of_this_rtl() -> None:
    ledger.check(ledger.PAGE, sources.rtl_digest())


def test_regression_counts_tests_and_values(tmp_path: Path) -> None:
    found, seconds = regression.figures("modules", regression.read(junit(tmp_path)))
    assert found == {"tests": 2, "failed": 0, "values compared": 80}
    assert seconds == 3.0


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"failing": "tb.test_modules"}, "modules: 1 failures: no evidence"),
        ({"without": "tb.test_modules"}, "modules: no test of tb.test_modules: no evidence"),
    ],
)
def test_regression_that_failed_is_no_evidence(
    tmp_path: Path, broken: dict[str, str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        regression.figures("modules", regression.read(junit(tmp_path, **broken)))


def test_regression_that_did_not_run_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        regression.read(tmp_path / "junit.xml")
