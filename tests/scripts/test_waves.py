"""`make waves`: views that name what the waveform holds, in data-path order, and a viewer."""

import re
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

NETWORK = made_up([4, 6, 3], folds=[(2, 3), (3, 1)], softmax=("exp", "restoring"))


def traced(waveform: Path) -> list[str]:
    """The signals of a save file of GTKWave, without the range that it adds to a bus."""
    lines = waveform.with_suffix(".gtkw").read_text().splitlines()
    names = [line for line in lines if line and line[0] not in "[*@-"]
    return [re.sub(r"\[\d+:0\]$", "", name) for name in names]


def added(waveform: Path) -> list[str]:
    """The signals of a command file of Surfer."""
    text = waveform.with_suffix(".sucl").read_text()
    return re.findall(r"^variable_add (\S+)$", text, flags=re.M)


def wanted(spec: NetworkSpec) -> list[str]:
    """Every signal that a view of a network shows."""
    return [name for _, names in signals("mlp_top", data_path(spec)) for name in names]


def test_view_of_a_network_names_what_its_waveform_holds(tmp_path: Path) -> None:
    waveform = tmp_path / "waves.fst"
    x = codes(np.random.default_rng(1), NETWORK, 3)
    run_network(
        NETWORK, x, "icarus", folder=tmp_path, name="waves", testcase=EVERY_SAMPLE, waves=waveform
    )
    held = Waveform(waveform).names
    write_views(waveform, data_path(NETWORK.spec), time_ns=120)
    expected = wanted(NETWORK.spec)
    assert len(expected) == len(set(expected)) == 48
    assert [name for name in expected if name not in held] == []
    assert traced(waveform) == added(waveform) == expected
    layers = [name for name in expected if "g_layer" in name]
    assert layers == sorted(layers, key=lambda name: int(name.split("[")[1][0]))


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
    monkeypatch.setenv("PATH", f"{path}:/bin")
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
