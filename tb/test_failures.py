"""A failed simulation leaves the sentence, the waveform round it, and a picture that shows it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from common.paths import ROOT
from tb.benches.probes import data_path
from tb.debug.failures import CYCLES_AFTER, CYCLES_BEFORE, FOLDER, Evidence, folder_of, investigate
from tb.debug.views import signals
from tb.debug.waveform import Waveform
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import case_named, mutant_named
from tb.sim.run_network import run_network
from tb.sim.runner import SimulationFailed
from tb.streams import PERIOD_NS
from tb.test_divergence import NETWORK, X

SENTENCE = re.compile(
    r"(?P<channel>[\w.]+): sample \d+, element \d+: "
    r"expected (?P<expected>-?\d+), got (?P<got>-?\d+), at (?P<time>\d+) ns"
)


def failure_of_case(mutant: Mutant, folder: Path) -> SimulationFailed:
    """Failure of the case of a mutant."""
    case = case_named(mutant.case)
    with pytest.raises(SimulationFailed) as caught:
        case.run("icarus", rtl=mutated(mutant, folder / "rtl"), name=f"shown-{mutant.name}")
    return caught.value


def failure_of_top(mutant: Mutant, folder: Path) -> SimulationFailed:
    """Failure of a network on a mutant."""
    rtl = mutated(mutant, folder / "rtl")
    with pytest.raises(SimulationFailed) as caught:
        run_network(NETWORK, X, "icarus", folder=folder, name=f"shown-{mutant.name}", rtl=rtl)
    return caught.value


def rows_of(picture: dict[str, Any]) -> list[dict[str, Any]]:
    """The WaveDrom lanes of a picture, out of their groups."""
    groups = [entry for entry in picture["signal"] if isinstance(entry, list)]
    return [row for group in groups for row in group[1:]]


def shown_at(row: dict[str, Any], cycle: int) -> tuple[str, str]:
    """Colour and text of a WaveDrom lane in one of its cycles."""
    begin = max(k for k in range(cycle + 1) if row["wave"][k] != ".")
    index = sum(letter in "279" for letter in row["wave"][: begin + 1]) - 1
    return row["wave"][begin], row["data"][index]


def check(evidence: Evidence, failure: SimulationFailed, signal: str) -> None:
    """The sentence is the first one's; at its time ``signal`` stands red above its green."""
    said, again = SENTENCE.search(str(failure)), SENTENCE.search(evidence.sentence)
    assert said and again
    # By itself it happens earlier.
    assert said[0].partition(", at")[0] == again[0].partition(", at")[0]
    assert evidence.picture and evidence.waveform
    picture = json.loads(evidence.picture.with_suffix(".json").read_text())
    assert again[0] in json.dumps(picture["head"])
    cycle = int(again["time"]) // PERIOD_NS - picture["head"]["tick"]
    rows = rows_of(picture)
    (index,) = [k for k, row in enumerate(rows) if row["name"] == signal]
    assert rows[index + 1]["name"] == "expected"
    assert shown_at(rows[index], cycle) == ("9", again["got"])
    assert shown_at(rows[index + 1], cycle) == ("7", again["expected"])
    svg = evidence.picture.read_text()
    ElementTree.fromstring(svg)
    for text in (again[0], f">{again['got']}<", f">{again['expected']}<", signal):
        assert text in svg, text
    edges = Waveform(evidence.waveform).edges
    assert int(again["time"]) in edges
    assert len(edges) <= CYCLES_BEFORE + CYCLES_AFTER + 2
    left = {path.name for path in evidence.waveform.parent.iterdir()}
    views = {"waves.vcd", "waves.gtkw", "waves.sucl"}
    assert left == views | {"sentence.txt", "streams.svg", "streams.json"}


def test_failed_module_is_shown(tmp_path: Path) -> None:
    failure = failure_of_case(mutant_named("stale-bias"), tmp_path)
    check(investigate(failure, tmp_path / "shown"), failure, "out_acc[0]")


def test_failed_part_without_a_stream_is_shown(tmp_path: Path) -> None:
    failure = failure_of_case(mutant_named("rom-ignores-enable"), tmp_path)
    evidence = investigate(failure, tmp_path / "shown")
    check(evidence, failure, "data")


def test_failed_layer_of_a_network_is_shown(tmp_path: Path) -> None:
    failure = failure_of_top(mutant_named("truncates"), tmp_path)
    evidence = investigate(failure, tmp_path / "shown")
    check(evidence, failure, "y[0]")
    assert evidence.waveform
    waveform = Waveform(evidence.waveform)
    groups = signals("mlp_top", data_path(NETWORK.spec))
    wanted = [name for _, names in groups for name in names]
    assert set(wanted) <= waveform.names
    commands = evidence.waveform.with_suffix(".sucl").read_text()
    assert re.findall(r"^variable_add (\S+)$", commands, flags=re.M) == wanted


def test_failure_that_has_no_wrong_value_is_shown_at_its_end(tmp_path: Path) -> None:
    failure = failure_of_case(mutant_named("payload-moves-while-stalled"), tmp_path)
    assert "payload moved while stalled" in str(failure)
    evidence = investigate(failure, tmp_path / "shown")
    assert "payload moved while stalled" in evidence.sentence
    assert evidence.picture and evidence.picture.exists()


class Again:
    """Stands in for a simulation that is repeated."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.calls = error, 0

    def __call__(self, **how: object) -> None:
        self.calls += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    "error, sentence",
    [
        (None, "it did not fail again by itself from the same seed"),
        (OSError("no space left"), "it could not be shown: OSError: no space left"),
    ],
)
def test_failure_that_cannot_be_shown_says_why(
    error: Exception | None, sentence: str, tmp_path: Path
) -> None:
    failure = SimulationFailed("mlp_relu: it broke")
    failure.again = again = Again(error)
    evidence = investigate(failure, tmp_path / "shown")
    assert sentence in evidence.sentence and evidence.picture is None
    assert again.calls == 1
    assert (tmp_path / "shown/sentence.txt").read_text().startswith("mlp_relu: it broke\n")


BROKEN = """
from tb.sim.runner import SimulationFailed
from tb.test_failures import Again

def test_it():
    failure = SimulationFailed("mlp_relu: it broke")
    failure.again = Again(None)
    raise failure
"""


def test_the_regression_says_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(BROKEN)
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    junit = tmp_path / "junit.xml"
    options = [f"--rootdir={tmp_path}", "-p", "no:cacheprovider", f"--junitxml={junit}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", *options, str(tmp_path / "test_broken.py")],
        cwd=ROOT,
        env={**os.environ, "CI": ""},
        capture_output=True,
        text=True,
    )
    folder = folder_of("test_broken.py::test_it")
    assert folder == FOLDER / "test_broken.py-test_it"
    assert done.returncode == 1, done.stdout + done.stderr
    for text in (done.stdout, junit.read_text()):
        assert "mlp_relu: it broke" in text
        assert "it did not fail again by itself" in text and f"see {folder}" in text
    (folder / "sentence.txt").unlink()
    folder.rmdir()
