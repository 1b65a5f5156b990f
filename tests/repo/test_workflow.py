"""CI runs pinned actions on a pinned image, and keeps on every run what make sim leaves."""

import re

import yaml

from common.paths import ROOT
from tb.debug.views import views_of

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
JOB = WORKFLOW["jobs"]["test"]


def test_every_action_is_pinned_by_its_commit() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), comment
    assert re.fullmatch(r"ubuntu-\d\d\.\d\d", JOB["runs-on"])


def test_oldest_and_newest_python_are_tried() -> None:
    assert JOB["strategy"]["matrix"]["python"] == ["3.11", "3.13"]


def test_every_run_keeps_the_waveform_and_the_page() -> None:
    (kept,) = [step for step in JOB["steps"] if "waveform" in step.get("with", {}).get("name", "")]
    assert kept["if"] == "always()"
    assert "${{ matrix.python }}" in kept["with"]["name"]
    patterns = kept["with"]["path"].split()
    waves = ROOT / "build/iris/waves-verilator.fst"
    left = [waves, *views_of(waves), waves.with_name("report.html"), ROOT / "build/junit.xml"]
    for path in left:
        assert any(path.relative_to(ROOT).match(pattern) for pattern in patterns), path
    commands = [step.get("run", "") for step in JOB["steps"]]
    assert commands.index("make report") > commands.index(".ci/run")
