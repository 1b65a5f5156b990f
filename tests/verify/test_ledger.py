"""The ledger: every level has evidence, and what has changed since stands beside each claim."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from common import tools
from common.errors import CommandError
from verify import ledger, record, regression
from verify.ledger import FRESH, LEVELS, LedgerError

# What some claims rest on, as their campaigns record it.
SOAK = record.basis(["verify.campaigns.soak"], ["mlp_top"], [])
LINEAR = record.basis(["tb.test_modules"], ["mlp_linear"], [])
FORMAL = record.basis(["verify.formal.prove"], None, [])
FUZZ = record.basis(["verify.fuzz.run"], [], [])
REFERENCE = record.basis(["tests.model.test_reference"], [], [])
BASES = {"soak": SOAK, "linear": LINEAR, "formal": FORMAL, "fuzz": FUZZ, "reference": REFERENCE}


def entry(level: int = 0, basis: Any = REFERENCE, **changed: Any) -> dict[str, Any]:
    """Evidence for what stands here."""
    content = {
        "level": level,
        "claim": f"claim {level}",
        "command": f"make {level}",
        "figures": {"vectors": 1_387_500, "differing": 0, "share": "99 %"},
        "seconds": 61.4,
        "seed": 3 if level else None,
        "date": "2026-01-02",
        "basis": basis,
    }
    return content | record.rests_on(basis) | changed


def leave(folder: Path, **changed: Any) -> Path:
    """Evidence of every level, that of level 5 changed."""
    folder.mkdir(exist_ok=True)
    for level, name in enumerate(LEVELS):
        content = entry(level, **(changed if level == 5 else {}))
        (folder / f"{name.replace(' ', '-')}.json").write_text(json.dumps(content))
    return folder


def test_ledger_holds_every_figure(tmp_path: Path) -> None:
    text = ledger.block(ledger.gather(leave(tmp_path), {}))
    assert len(text.splitlines()) == 2 + len(LEVELS) + 2
    assert "| 5 exhaustive | claim 5 | vectors 1,387,500; differing 0; share 99 % |" in text
    assert text.count(f"| {FRESH} |") == len(LEVELS) and "Tools: numpy " in text


def test_file_of_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = ledger.gather(leave(tmp_path / "evidence"), {})
    path = tmp_path / "ledger.json"
    path.write_text(ledger.text(entries))
    again = ledger.read(path)
    assert ledger.text(again) == path.read_text()
    assert ledger.block(again) == ledger.block(entries)
    assert not any(ledger.changes(found) for found in again.values())


def test_level_without_evidence_is_refused(tmp_path: Path) -> None:
    (leave(tmp_path) / "mutation.json").unlink()
    with pytest.raises(LedgerError, match="level 9, mutation, has no evidence"):
        ledger.gather(tmp_path, {})


def stale_where(source: str) -> set[str]:
    """The claims that are of earlier sources where this one was another when they were shown."""
    found = set()
    for name, basis in BASES.items():
        shown = entry(basis=basis)
        if source in shown["sources"]:
            shown["sources"][source] = 64 * "0"
        if ledger.changes(shown):
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("source", "claims"),
    [
        ("tb/benches/scoreboard.py", {"soak", "linear", "formal"}),
        ("tb/benches/top_bench.py", {"soak", "linear", "formal"}),
        ("tb/test_modules.py", {"linear"}),
        ("rtl/mlp_loadable_rom.v", {"soak", "linear", "formal"}),
        ("rtl/mlp_softmax_max.v", {"soak", "formal"}),
        ("verify/formal/stream_contract.v", {"formal"}),
        ("verify/fuzz/damage.py", {"fuzz"}),
        ("model/reference.py", {"soak", "linear", "formal", "fuzz", "reference"}),
        ("tests/model/test_reference.py", {"reference"}),
        ("tb/golden/iris.network.json", {"soak", "fuzz", "reference"}),
        ("boards/host.py", set()),
        ("docs/verification.md", set()),
    ],
)
def test_changed_source_makes_its_own_claims_stale(source: str, claims: set[str]) -> None:
    assert (ledger.PAGE.parents[1] / source).exists()
    assert stale_where(source) == claims


def test_no_claim_rests_on_prose_but_that_of_coverage_on_its_own_page() -> None:
    """README.md was once a source of a claim, as each core has a file of that name."""
    found, claims = {}, ledger.read(ledger.LEDGER)
    for name, claim in claims.items():
        assert claim["basis"] is not None
        sources = record.rests_on(claim["basis"])["sources"]
        assert sources, name
        found[name] = [path for path in sources if path.endswith(".md")]
    assert {name: pages for name, pages in found.items() if pages} == {
        "coverage": ["docs/results/coverage.md"]
    }


def test_new_module_asks_for_no_claim_about_others(tmp_path: Path) -> None:
    """Where the RTL had one module less, a claim on a part of it is as it was."""
    for basis, changed in ((LINEAR, []), (FORMAL, ["rtl/mlp_softmax_max.v"])):
        shown = entry(basis=basis)
        shown["sources"].pop("rtl/mlp_softmax_max.v", None)
        assert ledger.changes(shown) == changed


@pytest.mark.parametrize(
    ("tool", "claims"),
    [
        ("torch", {"reference", "fuzz"}),
        ("verilator", {"soak", "linear", "formal"}),
        ("numpy", set(BASES)),
    ],
)
def test_changed_tool_makes_its_own_claims_stale(tool: str, claims: set[str]) -> None:
    found = {}
    for name, basis in BASES.items():
        shown = entry(basis=basis)
        if tool in shown["tools"]:
            shown["tools"][tool] = "0.1"
        found[name] = ledger.changes(shown)
    assert {name for name, changed in found.items() if changed} == claims
    for name in claims:
        (sentence,) = found[name]
        assert sentence.startswith(f"{tool} 0.1, now ")


def test_every_tool_is_named_by_what_uses_it() -> None:
    oracles = record.basis(["verify.campaigns.onnx_runtime"], ["mlp_top"], [])
    neurons = record.basis(["verify.formal.neurons"], ["mlp_layer"], [])
    every = (*BASES.values(), oracles, neurons)
    named = {tool for basis in every for tool in entry(basis=basis)["tools"]}
    assert named == set(tools.versions()) == {*tools.PACKAGES, tools.ICARUS}


def test_claim_whose_module_is_gone_is_stale() -> None:
    shown = entry() | {"basis": record.basis(["verify.gone"], [], [])}
    assert ledger.changes(shown) == ["verify.gone must be a module of this checkout"]
    assert ledger.changes(entry() | {"basis": None}) == [ledger.UNKNOWN]


def test_file_that_is_gone_is_named_by_its_folder() -> None:
    """Wherever a checkout lies, its page says the same."""
    shown = entry()
    shown["sources"]["common/gone.py"] = "0" * 64
    shown["basis"] = REFERENCE | {"files": ["common/gone.py"]}
    assert ledger.changes(shown) == ["common"]


def test_page_that_says_otherwise_than_the_truth_is_noticed(tmp_path: Path) -> None:
    page, path = tmp_path / "page.md", tmp_path / "ledger.json"
    page.write_text("<!-- ledger -->\n<!-- /ledger -->\n")
    words = ["--page", str(page), "--ledger", str(path)]
    evidence = leave(tmp_path / "evidence")
    ledger.run(ledger.parser().parse_args([*words, "--evidence", str(evidence), "--fresh"]))
    ledger.check(page, path)
    page.write_text(page.read_text().replace("vectors 1,387,500", "vectors 2,387,500", 1))
    with pytest.raises(LedgerError, match=r"must say which claims hold .* run `python -m verify"):
        ledger.check(page, path)
    sources = entry()["sources"] | {"model/reference.py": 64 * "0"}
    path.write_text(ledger.text(ledger.gather(leave(evidence, sources=sources), {})))
    with pytest.raises(LedgerError, match="must say which claims hold"):
        ledger.check(page, path)
    arguments = ledger.parser().parse_args([*words, "--evidence", str(evidence), "--fresh"])
    with pytest.raises(LedgerError, match="claims of earlier sources are left: run `make 5`"):
        ledger.run(arguments)
    ledger.check(page, path)
    assert "| earlier sources; changed: model |" in page.read_text()


def test_evidence_of_these_sources_is_taken_before_any_other(tmp_path: Path) -> None:
    known = ledger.gather(leave(tmp_path / "known"), {})
    old = leave(tmp_path / "old", date="2026-12-31", tools={"numpy": "0.1"})
    assert ledger.gather(old, known)["exhaustive"] == known["exhaustive"]
    later = leave(tmp_path / "later", date="2026-12-31")
    assert ledger.gather(later, known)["exhaustive"]["date"] == "2026-12-31"


def test_committed_ledger_is_true() -> None:
    ledger.check(ledger.PAGE, ledger.LEDGER)


def junit(folder: Path, *, failing: str = "", without: str = "") -> Path:
    """A JUnit file with a test of every module that the ledger asks for."""
    root = ElementTree.Element("testsuite")
    for suite in regression.SUITES.values():
        for module in set(suite.modules) - {without}:
            case = ElementTree.SubElement(root, "testcase", classname=module, time="1.5")
            properties = ElementTree.SubElement(case, "properties")
            ElementTree.SubElement(properties, "property", name="compared", value="40")
            if module == failing:
                ElementTree.SubElement(case, "failure")
    path = folder / "junit.xml"
    ElementTree.ElementTree(root).write(path)
    return path


def test_regression_counts_tests_and_values(tmp_path: Path) -> None:
    found, seconds = regression.figures("modules", regression.read(junit(tmp_path)))
    assert found == {"tests": 2, "failed": 0, "values compared": 80}
    assert seconds == 3.0


def test_regression_leaves_evidence_of_each_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "FOLDER", tmp_path / "evidence")
    regression.run(regression.parser().parse_args(["--junit", str(junit(tmp_path))]))
    for name, suite in regression.SUITES.items():
        left = json.loads((tmp_path / "evidence" / f"{name}.json").read_text())
        assert (left["level"], left["claim"]) == (suite.level, suite.claim)
        assert ledger.changes(left) == []


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
