"""Coverage is read as Verilator wrote it, and what is not covered is seen."""

from collections import Counter
from pathlib import Path

import pytest

from common.paths import RTL
from model import reference
from model.data import datasets
from tb.benches import functional
from tb.modules import illegal
from tb.modules.networks import IRIS, MADE_UP
from tb.modules.registry import ON_BOTH_SIMULATORS, case_named
from tb.modules.situations import BINS, CROSSES, FEW, STALLS, directed, situations
from tb.sim.runner import simulate
from verify.coverage import points
from verify.coverage.points import CoverageError, Exclusion, Figure, Point
from verify.coverage.runs import CORES, SAMPLES, golden_networks, networks, runs

LINE = Point("mlp_x", 2, 5, "line", "block")
TOGGLE = Point("mlp_x", 1, 7, "toggle", "a[0]:0->1")
SOURCES = {"mlp_x": ["wire a;", "always @*"]}
FIRST = "# SystemC::Coverage-3\n"


def exclusion(**changes: object) -> Exclusion:
    """One that excuses `LINE`."""
    facts = {"module": "mlp_x", "kinds": ("line",), "source": "always", "what": "block"}
    return Exclusion(**facts | {"most": 1, "reason": "a test"} | changes)


def test_bench_covers_what_an_idle_simulation_does_not(tmp_path: Path) -> None:
    case = case_named("skid_buffer-1")
    idle, full = tmp_path / "idle.dat", tmp_path / "full.dat"
    how = {"simulator": "verilator", "name": "covered-register"}
    simulate(case.module, {"W": 1}, bench="idle_bench", coverage=idle, **how)
    case.run("verilator", coverage=full, name="covered-register")
    found = {path: points.read(path) for path in (idle, full)}
    assert set(found[idle]) == set(found[full])
    assert {point.module for point in found[full]} == {"mlp_skid_buffer"}
    figures = {path: points.figures(counts, {}) for path, counts in found.items()}
    for kind in points.KINDS:
        assert figures[full][kind].raw == 100
        assert kind == "expr" or figures[idle][kind].covered < figures[full][kind].covered
    merged = points.merged(found.values())
    assert merged == found[idle] + found[full]
    lines = (RTL / "mlp_skid_buffer.v").read_text().splitlines()
    clocked = [point for point in merged if point.kind == "line" and point.what == "block"]
    assert clocked and all("always @" in lines[point.line - 1] for point in clocked)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no coverage of Verilator's"),
        ("TN:\n", "is no coverage of Verilator's"),
        (FIRST + "C 'x' y\n", "line 2 is no record: \"C 'x' y\""),
        (
            FIRST + "C '\1f\2a.v\1l\0021\1n\0021\1t\2user\1o\2b' 3\n",
            "line 2 must count one of .*, got 'user'",
        ),
    ],
)
def test_file_that_is_no_coverage_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "coverage.dat"
    path.write_text(text)
    with pytest.raises(CoverageError, match=f"coverage.dat: {sentence}"):
        points.read(path)


def test_expressions_of_other_widths_are_one_point() -> None:
    narrow = points.shape("(padded[(D + 32'sh1)[3:0]+:1]==1 && (x[1:0] != {32'h2{1'h0}})==1) => 1")
    wide = points.shape("(padded[(D + 32'sh1)[4:0]+:1]==1 && (x[9:0] != {32'ha{1'h0}})==1) => 1")
    assert narrow == wide == "(padded==1 && (x != {#{#}})==1) => 1"


def test_stopped_elaboration_counts_for_its_checks_alone() -> None:
    sources = {"mlp_x": ["initial begin", "    if (W < 2)", "assign a = b;"]}
    check, other = (Point("mlp_x", line, 1, "branch", "if") for line in (2, 3))
    elsewhere = Point("illegal", 2, 1, "line", "block")
    counts = Counter({check: 1, other: 1, elsewhere: 1})
    assert points.of_checks(counts, sources) == {check: 1}


def test_exclusion_excuses_only_what_is_uncovered() -> None:
    counts = Counter({LINE: 0, TOGGLE: 3})
    excuses = points.excused(counts, [exclusion()], SOURCES)
    assert set(excuses) == {LINE}
    figures = points.figures(counts, excuses)
    assert figures["line"] == Figure(points=1, covered=0, excused=1)
    assert figures["toggle"].raw == figures["toggle"].reviewed == 100


@pytest.mark.parametrize(
    ("changes", "count", "sentence"),
    [
        ({}, 1, "must fit 1 to 1 uncovered points, got 0"),
        ({"module": "mlp_y"}, 0, "uncovered points, got 0"),
        ({"source": "initial"}, 0, "uncovered points, got 0"),
        ({"kinds": ("branch",)}, 0, "uncovered points, got 0"),
        ({"kinds": ("line", "toggle"), "source": "", "what": ""}, 0, "uncovered points, got 2"),
    ],
)
def test_stale_or_too_wide_exclusion_is_an_error(
    changes: dict[str, object], count: int, sentence: str
) -> None:
    counts = Counter({LINE: count, TOGGLE: count})
    with pytest.raises(CoverageError, match=sentence):
        points.excused(counts, [exclusion(**changes)], SOURCES)


@pytest.mark.parametrize(
    "entry",
    [
        "kinds = ['line']\nmost = 1\nreason = 'x'",
        "module = 'a'\nkinds = ['line']\nmost = 1\nreason = ' '",
        "module = 'a'\nkinds = ['lines']\nmost = 1\nreason = 'x'",
        "module = 'a'\nkinds = ['line']\nmost = 1\nreason = 'x'\nline = 7",
    ],
)
def test_entry_that_is_no_exclusion_is_refused(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "exclusions.toml"
    path.write_text(f"[[exclusion]]\n{entry}\n")
    with pytest.raises(CoverageError, match=r"exclusions.toml: exclusion 1: must have .*, got"):
        points.read_exclusions(path)


def test_runs_have_every_module_and_names_of_their_own() -> None:
    named = runs()
    assert {"top-serial", "iris-default", "iris-divider", "illegal-parameters"} <= set(named)
    assert len(named) == len(ON_BOTH_SIMULATORS) + len(CORES) + len(networks()) + 1


def test_every_case_of_the_illegal_design_is_an_instance() -> None:
    text = illegal.verilog()
    for number, (module, parameters) in enumerate(illegal.CASES):
        (line,) = [line for line in text.splitlines() if f" {illegal.instance(number)} " in line]
        assert line.split()[0] == module and all(f".{name}(" in line for name in parameters)


# Situations


def test_situation_of_a_sample_is_what_its_trace_says() -> None:
    flowers = reference.quantize(datasets.load("iris").features, IRIS.spec.x)
    found = situations(IRIS, flowers)
    values = reference.trace(IRIS, flowers)
    assert len(found) == 150
    for index, situation in enumerate(found):
        scores = values["softmax.scores"][index]
        assert (situation.tie == "tied") == ((scores == scores.max()).sum() > 1)
        winner = ("first", "between", "last")[values["softmax.class"][index]]
        assert situation.winner == winner
        certain = values["softmax.probabilities"][index].max() == 255
        assert (situation.certainty == "all to one") == certain


def test_stimulus_of_the_networks_brings_every_situation() -> None:
    wanted = functional.merged([])
    for network in MADE_UP.values():
        x = directed(network, SAMPLES)
        for source in STALLS:
            for sink in STALLS:
                functional.count(network, x[:FEW], source, sink)
        functional.count(network, x, "never", "never")
    for network in golden_networks().values():
        functional.count(network, directed(network, SAMPLES), "never", "never")
    hits = functional.counted()
    assert set(hits) == set(wanted) == {*BINS, *(" x ".join(names) for names in CROSSES)}
    missing = [f"{name}: {b}" for name, bins in hits.items() for b, n in bins.items() if not n]
    assert missing == []


def test_counts_of_several_runs_are_added_and_missing_bins_stay() -> None:
    one = {"tie": {"alone": 2, "tied": 0}}
    merged = functional.merged([one, one])
    assert merged["tie"]["alone"] >= 4 and set(merged["tie"]) == {"none", "alone", "tied"}
