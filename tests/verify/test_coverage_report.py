"""`make verify-coverage` fails on what is not covered, names it, and goes on where it stopped."""

import json
from collections import Counter
from pathlib import Path

import pytest

from common.errors import CommandError
from tb.benches import functional
from verify.coverage import pages, report
from verify.coverage.points import Collected, Exclusion, Point
from verify.coverage.runs import CASE, SIMULATIONS, Run

RECORD = "C '\1f\2/x/mlp_relu.v\1l\2{}\1n\0021\1t\2{}\1o\2{}\1h\2mlp_relu' {}\n"
KINDS = ("line", "branch", "toggle", "expr")
ALL_HIT = {name: dict.fromkeys(bins, 1) for name, bins in functional.counted().items()}


def written(path: Path, hit: set[str]) -> None:
    """Coverage of a run in which one point of each kind in ``hit`` was passed."""
    records = [RECORD.format(3, kind, "block", int(kind in hit)) for kind in KINDS]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# SystemC::Coverage-3\n" + "".join(records))
    path.with_suffix(".json").write_text(json.dumps(ALL_HIT))


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Run]:
    """Two runs: one covers all but branches, the other those."""
    monkeypatch.setattr("verify.coverage.runs.FOLDER", tmp_path)
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "PAGE", tmp_path / "coverage.md")
    monkeypatch.setattr(report, "EXCLUSIONS", tmp_path / "exclusions.toml")
    (tmp_path / "exclusions.toml").write_text("exclusion = []\n")
    monkeypatch.setattr(report.record, "record", lambda name, **facts: facts)
    hits = {"most": {*KINDS} - {"branch"}, "rest": {"branch"}}
    monkeypatch.setitem(SIMULATIONS, CASE, lambda name, data: written(data, hits[name]))
    found = {name: Run(name, CASE, {"sources": "these"}) for name in hits}
    monkeypatch.setattr(report, "runs", lambda: found)
    return found


def command() -> None:
    report.run(report.parser().parse_args(["--jobs", "1"]))


def test_runs_that_cover_everything_write_the_page(
    work: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command()
    page = (tmp_path / "coverage.md").read_text()
    assert "| branch | 1 | 1 | 100.00 % | 0 | 100.00 % | 100 % |" in page
    assert "2 simulations run" in page
    assert "index.html" in capsys.readouterr().out
    assert len(list((tmp_path / "covered").glob("*.json"))) == len(work)


def test_removed_run_leaves_its_points_uncovered_and_fails(
    work: dict[str, Run], tmp_path: Path
) -> None:
    del work["rest"]
    with pytest.raises(CommandError, match=r"branch: 0 of 1 points are covered, the aim is 100 %"):
        command()
    assert not (tmp_path / "coverage.md").exists()
    assert "missed" in (tmp_path / "index.html").read_text()


def test_situation_that_never_came_fails(
    work: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ALL_HIT, "tie", ALL_HIT["tie"] | {"tied": 0})
    with pytest.raises(CommandError, match="1 situations never came: tie: tied"):
        command()


def test_campaign_is_taken_up_where_it_was_left(
    work: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    command()
    monkeypatch.delitem(SIMULATIONS, CASE)
    command()


def test_run_of_other_sources_is_not_done(
    work: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    command()
    work["most"] = Run("most", CASE, {"sources": "others"})
    monkeypatch.delitem(SIMULATIONS, CASE)
    with pytest.raises(KeyError, match=CASE):
        command()


def test_annotated_source_shows_count_reason_and_what_is_missing() -> None:
    points = [Point("mlp_x", line, 1, "branch", what) for line, what in ((1, "if"), (2, "else"))]
    missing = Point("mlp_x", 3, 1, "toggle", "a<b:0->1")
    exclusion = Exclusion("mlp_x", ("branch",), "", "else", 1, "cannot be")
    found = Collected(
        runs=1,
        counts=Counter({points[0]: 1234, points[1]: 0, missing: 0}),
        excuses={points[1]: exclusion},
        situations={"tie": Counter(alone=1)},
        sources={"mlp_x": ["a = 1;", "b = 2;", "c = 3;", "d"]},
    )
    page = pages.html(found)
    for words in ("1,234", "cannot be", 'class="missed"', "toggle a&lt;b:0-&gt;1", "1 missing"):
        assert words in page
    (toggle,) = [words for words in report.complaints(found) if words.startswith("toggle")]
    assert toggle.endswith("missing are mlp_x.v:3 a<b:0->1")
