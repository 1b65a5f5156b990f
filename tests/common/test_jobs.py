"""A campaign goes on where it was interrupted, and forgets what other sources said."""

import json
from functools import partial
from pathlib import Path

import pytest

from common import jobs
from common.errors import CommandError
from common.jobs import Figures
from model import artifact
from verify.campaigns import input_grid, random_networks

NAMES = ("one", "two", "three")


def piece(folder: Path, name: str) -> Figures:
    """A piece that leaves a mark each time it runs, and is stopped while a file is there."""
    with (folder / f"{name}.runs").open("a") as marks:
        marks.write("x")
    if (folder / f"{name}.stop").exists():
        raise KeyboardInterrupt
    return {"values": len(name)}


def run(folder: Path, key: str = "key", workers: int = 1) -> Figures:
    pieces_of = {name: partial(piece, folder, name) for name in NAMES}
    return jobs.run_pieces("it", folder / "done.json", key, pieces_of, workers)[0]


def runs(folder: Path) -> list[int]:
    paths = [folder / f"{name}.runs" for name in NAMES]
    return [len(path.read_text()) if path.exists() else 0 for path in paths]


@pytest.mark.parametrize("workers", [1, 2])
def test_pieces_are_done_once(tmp_path: Path, workers: int) -> None:
    for _ in range(2):
        assert run(tmp_path, workers=workers) == {"values": 11}
    assert runs(tmp_path) == [1, 1, 1]
    run(tmp_path, "other key", workers)
    assert runs(tmp_path) == [2, 2, 2]


def test_interrupted_campaign_goes_on(tmp_path: Path) -> None:
    (tmp_path / "three.stop").touch()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert list(json.loads((tmp_path / "done.json").read_text())["done"]) == ["one", "two"]
    (tmp_path / "three.stop").unlink()
    assert run(tmp_path) == {"values": 11}
    assert runs(tmp_path) == [1, 1, 2]


def test_seconds_are_those_of_all_runs(tmp_path: Path) -> None:
    run(tmp_path)
    stored = json.loads((tmp_path / "done.json").read_text())
    (tmp_path / "done.json").write_text(json.dumps(stored | {"seconds": 100.0}))
    pieces_of = {name: partial(piece, tmp_path, name) for name in NAMES}
    assert jobs.run_pieces("it", tmp_path / "done.json", "key", pieces_of)[1] >= 100.0


def test_digest_follows_the_network(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text("one")
    before = jobs.digest(path)
    assert jobs.digest(path) == before
    path.write_text("other")
    assert jobs.digest(path) != before != jobs.digest()


def test_box_that_compared_too_little_leaves_no_evidence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left: list[str] = []
    monkeypatch.setattr(input_grid, "BUILD", tmp_path)
    monkeypatch.setattr(input_grid.record, "record", lambda name, **figures: left.append(name))
    monkeypatch.setattr(input_grid, "check", lambda network, indices: 4 * len(indices))
    input_grid.run(input_grid.parser().parse_args([]))
    assert left == ["box"]
    (tmp_path / "exhaustive/box.json").unlink()
    monkeypatch.setattr(input_grid, "check", lambda network, indices: 4 * len(indices) - 1)
    with pytest.raises(CommandError, match=r"5,550,000 values must be compared, got 5,549,972"):
        input_grid.run(input_grid.parser().parse_args([]))
    assert left == ["box"]


def test_random_networks_that_compared_too_little_leave_no_evidence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(random_networks, "FOLDER", tmp_path)
    monkeypatch.setattr(random_networks, "check", lambda seed, size, folder: 1)
    monkeypatch.setattr(random_networks.record, "record", None)
    with pytest.raises(CommandError, match="values must be compared, got 3"):
        random_networks.run(random_networks.parser().parse_args(["--count", "3"]))


def test_golden_network_is_the_default_of_the_box() -> None:
    assert artifact.load(input_grid.parser().parse_args([]).network).spec.name == "iris"
