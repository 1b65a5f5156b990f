"""`python -m scripts.predict`: what the library gives, as csv, or one sentence."""

import sys
from pathlib import Path

import numpy as np
import pytest

from common import cli
from common.paths import GOLDEN_IRIS
from model import Network
from scripts import predict

X = np.round(np.random.default_rng(3).uniform(0, 8, (7, 4)), 2)
ROWS = "\n".join(",".join(map(str, row)) for row in X.tolist()) + "\n"
HEADER = "sepal length,sepal width,petal length,petal width\n"


def command(monkeypatch, *arguments: object) -> int:
    """Run the command; its exit status."""
    words = ["predict", "--network", GOLDEN_IRIS, *arguments]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    try:
        cli.main(predict.run, predict.parser())
    except SystemExit as ended:
        assert isinstance(ended.code, int)
        return ended.code
    return 0


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def expected() -> str:
    found = Network.load(GOLDEN_IRIS).predict(X)
    lines = ["class,p0,p1,p2"]
    for label, row in zip(found.classes, found.probabilities, strict=True):
        lines.append(",".join(map(str, [label, *row])))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("text", [ROWS, HEADER + ROWS, HEADER + "\n" + ROWS + "\n"])
def test_csv_is_predicted(text: str, monkeypatch, capsys, tmp_path: Path) -> None:
    assert command(monkeypatch, "--input", written(tmp_path, "x.csv", text)) == 0
    assert capsys.readouterr().out == expected()


@pytest.mark.parametrize("arrays", [{"only": X}, {"features": X, "labels": np.zeros(7)}])
def test_npz_is_predicted(arrays, monkeypatch, capsys, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    assert command(monkeypatch, "--input", tmp_path / "x.npz") == 0
    assert capsys.readouterr().out == expected()


def test_output_is_written(monkeypatch, capsys, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    path = written(tmp_path, "x.csv", ROWS)
    assert command(monkeypatch, "--input", path, "--output", out) == 0
    assert out.read_text() == expected()
    assert capsys.readouterr().out == f"{out}: 7 samples by reference\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.csv: found no sample"),
        (HEADER, "x.csv: found no sample"),
        (ROWS + "1,2,3\n", "x.csv: line 8 is '1,2,3', legal are 4 numbers"),
        (ROWS + "1,2,3,x\n", "x.csv: line 8 is '1,2,3,x', legal are 4 numbers"),
        ("1,2,3\n", "features have shape (1, 3), legal is (samples, 4)"),
        ("1,2,nan,3\n", "feature [0, 2] is nan, legal is a finite number"),
    ],
)
def test_bad_csv_is_one_sentence_and_nothing_written(
    text: str, sentence: str, monkeypatch, capsys, tmp_path: Path
) -> None:
    path, out = written(tmp_path, "x.csv", text), tmp_path / "out.csv"
    assert command(monkeypatch, "--input", path, "--output", out) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint and len(complaint.splitlines()) == 1
    assert not out.exists()


def test_bad_npz_is_one_sentence(monkeypatch, capsys, tmp_path: Path) -> None:
    bad = {
        "empty.npz": {},
        "two.npz": {"a": X, "b": X},
        "objects.npz": {"features": np.array([{}], dtype=object)},
    }
    for name, arrays in bad.items():
        np.savez(tmp_path / name, **arrays)
        assert command(monkeypatch, "--input", tmp_path / name) == 2
        complaint = capsys.readouterr().err
        assert f"{name}: " in complaint and len(complaint.splitlines()) == 1
    for path in (tmp_path / "nowhere.npz", written(tmp_path, "no.npz", "text")):
        assert command(monkeypatch, "--input", path) == 2
        assert f"{path}: cannot be read" in capsys.readouterr().err


def test_unknown_backend_and_missing_files_are_one_sentence(
    monkeypatch, capsys, tmp_path: Path
) -> None:
    path = written(tmp_path, "x.csv", ROWS)
    assert command(monkeypatch, "--input", path, "--backend", "gpu") == 2
    assert "backend is 'gpu', legal is one of" in capsys.readouterr().err
    assert command(monkeypatch, "--input", tmp_path / "nowhere.csv") == 2
    assert "nowhere.csv: cannot be read" in capsys.readouterr().err
