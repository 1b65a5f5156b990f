"""`make waves`: views that name what the waveform holds, in data-path order, and a viewer."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from common.errors import CommandError
from common.paths import BUILD
from model.spec import NetworkSpec
from scripts import waves
from tb.benches.probes import data_path
from tb.debug.views import signals, write_views
from tb.debug.waveform import Waveform, WaveformError
from tb.sim.made_up import codes, made_up
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tb.streams import PERIOD_NS

NETWORK = made_up([4, 6, 3], folds=[(2, 3), (3, 1)], softmax=("exp", "restoring"))


def traced(waveform: Path) -> list[str]:
    """The signals of a save file of GTKWave, without the range that it adds to a bus."""
    lines = waveform.with_suffix(".gtkw").read_text().splitlines()
    names = [line for line in lines if line and line[0] not in "[*@-#"]
    return [re.sub(r"\[\d+:0\]$", "", name) for name in names]


def added(waveform: Path) -> list[str]:
    """The signals of a command file of Surfer."""
    text = waveform.with_suffix(".sucl").read_text()
    return re.findall(r"^variable_add (\S+)$", text, flags=re.M)


def wanted(spec: NetworkSpec) -> list[str]:
    """Every signal that a view of a network shows."""
    return [name for _, names in signals("mlp_top", data_path(spec)) for name in names]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The waveform of a small network, and the views of it."""
    folder = tmp_path_factory.mktemp("waves")
    waveform = folder / "waves.fst"
    x = codes(np.random.default_rng(1), NETWORK, 3)
    run_network(
        NETWORK, x, "icarus", folder=folder, name="waves", testcase=EVERY_SAMPLE, waves=waveform
    )
    write_views(waveform, data_path(NETWORK.spec))
    return waveform


def test_view_of_a_network_names_what_its_waveform_holds(simulated: Path) -> None:
    held = Waveform(simulated).names
    expected = wanted(NETWORK.spec)
    assert len(expected) == len(set(expected)) == 48
    assert [name for name in expected if name not in held] == []
    assert traced(simulated) == added(simulated) == expected
    layers = [name for name in expected if "g_layer" in name]
    assert layers == sorted(layers, key=lambda name: int(name.split("[")[1][0]))


def headers(text: str) -> dict[str, str]:
    """What stands in brackets at the head of a save file."""
    return dict(re.findall(r"^\[(\w+)\] (.+)$", text, flags=re.M))


def test_view_opens_where_the_first_result_leaves(simulated: Path) -> None:
    text = simulated.with_suffix(".gtkw").read_text()
    found = headers(text)
    assert found["dumpfile"] == f'"{simulated}"'
    assert found["savefile"] == f'"{simulated.with_suffix(".gtkw")}"'
    zoom, cursor = re.findall(r"^\*(\S+) (\d+)", text, flags=re.M)[0]
    held = Waveform(simulated)
    first = next(t for t, value in held.changes("mlp_top.m_axis_tvalid") if value == 1)
    assert int(cursor) == first * held.ticks_per_ns
    # GTKWave shows 2**-zoom ticks on 200 pixels.
    pixels = 200 / (2 ** -float(zoom) / held.ticks_per_ns)
    width, _ = map(int, found["size"].split())
    end = int(found["timestart"]) / held.ticks_per_ns + (width - 450) / pixels
    assert 30 <= pixels * PERIOD_NS <= 60
    assert int(found["timestart"]) < int(cursor) < end * held.ticks_per_ns
    commands = simulated.with_suffix(".sucl").read_text().splitlines()
    assert commands[-2:] == [f"cursor_set {cursor}", "goto_cursor"]


def test_view_shows_the_name_of_each_stream(simulated: Path) -> None:
    text = simulated.with_suffix(".gtkw").read_text()
    shown = [line[1:] for line in text.splitlines() if re.fullmatch("-.+", line)]
    assert shown == [title for title, _ in signals("mlp_top", data_path(NETWORK.spec))]
    assert {"fc1.acc", "softmax.scores"} <= set(shown)


def test_view_splits_a_bus_into_numbers(simulated: Path) -> None:
    """Each lane's bits, taken from the waveform as GTKWave does, are its value."""
    held = Waveform(simulated)
    kind, checked = "", 0
    fields = {
        stream.path("mlp_top", load.signal): load.field
        for stream in data_path(NETWORK.spec)
        for load in stream.payloads
    }
    for line in simulated.with_suffix(".gtkw").read_text().splitlines():
        kind = line if line.startswith("@") else kind
        lane = re.match(r"#\{\w+\[(\d+)\]\} ", line)
        if line[:1] in "[*@-" or not line:
            continue
        name = re.sub(r"\[\d+:0\]$", "", line.split()[-1].partition(")")[2] or line)
        field = fields.get(name)
        if field is None:
            assert kind == "@28", line
        elif lane is None and field.lanes == 1:
            assert kind == ("@28" if field.width == 1 else "@420" if field.signed else "@24"), line
        elif lane is None:
            assert kind == "@22", line
        else:
            assert kind == ("@420" if field.signed else "@24")
            bits = [int(found) for found in re.findall(r"\((\d+)\)", line)]
            for word in held.at_edges(name):
                if isinstance(word, int):
                    text = f"{word:0{held.width(name)}b}"
                    number = int("".join(text[bit] for bit in bits), 2)
                    number -= (field.signed and text[bits[0]] == "1") << len(bits)
                    assert number == field.unpack(word)[int(lane[1])], (line, word)
                    checked += 1
    assert checked > 1000


@pytest.mark.parametrize("row", ["linear-6x4-by-3x2", "relu-3-2", "dot-4-8-8-20"])
def test_view_of_a_row_names_what_its_waveform_holds(row: str) -> None:
    waveform = waves.find(row, BUILD, "icarus")
    names = traced(waveform)
    assert names == added(waveform)
    assert set(names) <= Waveform(waveform).names
    sides = ["out" if ".out_" in name else "in" for name in names if "_" in name.split(".")[1]]
    assert sides == sorted(sides) and set(sides) == {"in", "out"}


def fake(folder: Path, viewer: str) -> Path:
    """A viewer that writes down what it is told."""
    program, told = folder / viewer, folder / f"{viewer}.told"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}\n')
    program.chmod(0o755)
    return told


def opened(monkeypatch: pytest.MonkeyPatch, path: Path, found: Path) -> None:
    """Run the command with ``path`` as the PATH, on a waveform that is there."""
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(waves, "find", lambda *_: found)
    waves.run(waves.parser().parse_args([]))


@pytest.mark.parametrize(
    "viewers, told",
    [
        (["surfer"], "--command-file {}.sucl"),
        (["gtkwave"], "{}.gtkw"),
        (["gtkwave", "surfer"], "{}.gtkw"),
    ],
)
def test_viewer_is_told_its_view(
    viewers: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = [fake(tmp_path, viewer) for viewer in viewers]
    opened(monkeypatch, tmp_path, tmp_path / "icarus.fst")
    assert first.read_text().strip() == told.format(tmp_path / "icarus")


def test_missing_viewer_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"neither gtkwave nor surfer is on PATH.*a\.gtkw.*\.su"):
        opened(monkeypatch, tmp_path, tmp_path / "a.fst")


def test_missing_screen_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = fake(tmp_path, "gtkwave")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(waves, "find", lambda *_: tmp_path / "a.fst")
    monkeypatch.setattr(sys, "platform", "linux")
    for name in waves.SCREENS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CommandError, match=r"gtkwave needs a screen.*a\.gtkw is written"):
        waves.run(waves.parser().parse_args([]))
    assert not told.exists()
    monkeypatch.setenv(waves.SCREENS[1], "wayland-0")
    waves.run(waves.parser().parse_args([]))
    assert told.exists()


def test_unknown_test_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"TEST=relu-3 is neither sim.*near are: relu-3-2"):
        waves.find("relu-3", tmp_path, "icarus")
    with pytest.raises(CommandError, match="make sim SIM=icarus WAVES=1 leaves it"):
        waves.find("sim", tmp_path, "icarus")


def test_file_that_is_no_waveform_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.fst"
    path.write_text("nothing")
    with pytest.raises(WaveformError, match=r"a\.fst: is no waveform"):
        Waveform(path)
