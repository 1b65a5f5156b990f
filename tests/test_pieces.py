"""A campaign goes on where it was interrupted, and forgets what other sources said."""

import json
from pathlib import Path

import pytest

from model import artifact
from scripts import box, pieces, random_networks
from scripts.cli import CommandError
from tb import box as flowers

PIECES = [0, 5, 10]


def recorded(calls: list[int]):
    def check(piece: int) -> int:
        calls.append(piece)
        return piece + 1

    return check


def test_pieces_are_done_once(tmp_path: Path) -> None:
    path, calls = tmp_path / "done.json", list[int]()
    for _ in range(2):
        compared, _ = pieces.run_pieces("it", path, "key", PIECES, recorded(calls))
        assert compared == 18
    assert calls == PIECES
    pieces.run_pieces("it", path, "other key", PIECES, recorded(calls))
    assert calls == PIECES * 2


def test_interrupted_campaign_goes_on(tmp_path: Path) -> None:
    path, calls = tmp_path / "done.json", list[int]()

    def broken(piece: int) -> int:
        if piece == 10:
            raise KeyboardInterrupt
        return recorded(calls)(piece)

    with pytest.raises(KeyboardInterrupt):
        pieces.run_pieces("it", path, "key", PIECES, broken)
    assert list(json.loads(path.read_text())["done"]) == ["0", "5"]
    assert pieces.run_pieces("it", path, "key", PIECES, recorded(calls))[0] == 18
    assert calls == PIECES


def test_digest_follows_the_network(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text("one")
    before = pieces.digest(path)
    assert pieces.digest(path) == before
    path.write_text("other")
    assert pieces.digest(path) != before != pieces.digest()


def test_box_that_compared_too_little_leaves_no_evidence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left: list[str] = []
    monkeypatch.setattr(box, "BUILD", tmp_path)
    monkeypatch.setattr(box.evidence, "record", lambda name, **figures: left.append(name))
    monkeypatch.setattr(flowers, "check", lambda network, indices: 4 * len(indices))
    box.run(box.parser().parse_args([]))
    assert left == ["box"]
    (tmp_path / "exhaustive/box.json").unlink()
    monkeypatch.setattr(flowers, "check", lambda network, indices: 4 * len(indices) - 1)
    with pytest.raises(CommandError, match=r"5,549,972 values were compared, legal are 5,550,000"):
        box.run(box.parser().parse_args([]))
    assert left == ["box"]


def test_random_networks_that_compared_too_little_leave_no_evidence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(random_networks, "FOLDER", tmp_path)
    monkeypatch.setattr(random_networks.random_networks, "check", lambda seed, size, folder: 1)
    monkeypatch.setattr(random_networks.evidence, "record", None)
    with pytest.raises(CommandError, match="3 values were compared, legal are"):
        random_networks.run(random_networks.parser().parse_args(["--count", "3"]))


def test_golden_network_is_the_default_of_the_box() -> None:
    assert artifact.load(box.parser().parse_args([]).network).spec.name == "iris"
