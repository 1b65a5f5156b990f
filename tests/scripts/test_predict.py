"""`python -m scripts.predict`: what the library gives, as csv, or one sentence."""

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common import cli
from common.paths import GOLDEN_IRIS, ROOT
from model import Network, artifact
from model.library import OutputError
from model.names import Names
from scripts import predict
from tb.sim.made_up import made_up

X = np.round(np.random.default_rng(3).uniform(0, 8, (7, 4)), 2)
BY_POSITION = "the network's file has no names of features: columns go by position\n"
ROWS = "\n".join(",".join(map(str, row)) for row in X.tolist()) + "\n"
HEADER = "sepal length,sepal width,petal length,petal width\n"


def command(monkeypatch, *arguments: object, network: Path = GOLDEN_IRIS) -> int:
    """Run the command; its exit status."""
    words = ["predict", "--network", network, *arguments]
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


@pytest.mark.parametrize(
    "text", [ROWS, HEADER + ROWS, HEADER + "\n" + ROWS + "\n", "\ufeff" + ROWS]
)
def test_csv_is_predicted(text: str, monkeypatch, capsys, tmp_path: Path) -> None:
    assert command(monkeypatch, "--input", written(tmp_path, "x.csv", text)) == 0
    assert capsys.readouterr() == (expected(), BY_POSITION)


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
        ("", "x.csv: is empty, expected one line for each sample"),
        (HEADER, "x.csv: has no sample, expected a line for each"),
        (ROWS + "1,2,3\n", "x.csv: line 8 has 3 cells ('1,2,3'), expected 4"),
        (ROWS + "1,2,3,x\n", "x.csv: line 8, column 4 is 'x', expected a finite number"),
        ("1,2,4\n", "x.csv: columns that go by position must be 4, got 3"),
        ("1,2,nan,3\n", "x.csv: line 1 is '1,2,nan,3', which may be a header or a sample"),
        ("1,2,O.2,3\n" + ROWS, "(column 3 is 'O.2'): say which by --header yes or --header no"),
        ("1,2,,3\n" + ROWS, "x.csv: line 1 is '1,2,,3', which may be a header or a sample"),
        (ROWS + "1,2,nan,3\n", "x.csv: line 8, column 3 is 'nan', expected a finite number"),
    ],
)
def test_bad_csv_is_one_sentence_and_nothing_written(
    text: str, sentence: str, monkeypatch, capsys, tmp_path: Path
) -> None:
    path, out = written(tmp_path, "x.csv", text), tmp_path / "out.csv"
    assert command(monkeypatch, "--input", path, "--output", out) == 2
    complaint = capsys.readouterr().err.replace(BY_POSITION, "")
    assert sentence in complaint and len(complaint.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [path]


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
    assert "backend must be one of reference, icarus" in capsys.readouterr().err
    assert command(monkeypatch, "--input", tmp_path / "nowhere.csv") == 2
    assert "nowhere.csv: cannot be read" in capsys.readouterr().err


# By name


WIDTHS = ("sepal length", "sepal width", "petal length", "petal width")
NAMES = Names(WIDTHS, ("setosa", "versicolor", "virginica"), ("species", "Id"))


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """The network with names, in a file."""
    path = tmp_path / "named.json"
    artifact.save(dataclasses.replace(artifact.load(GOLDEN_IRIS), names=NAMES), path)
    return path


def by_name() -> str:
    lines = expected().splitlines()[1:]
    named = [NAMES.classes[int(line[0])] + line[1:] for line in lines]
    return "\n".join(["class,p_setosa,p_versicolor,p_virginica", *named]) + "\n"


def table(columns: list[str], separator: str = ",") -> str:
    """The samples with these columns; what is no feature holds words."""
    order = [WIDTHS.index(name) if name in WIDTHS else -1 for name in columns]
    rows = [["?" if n < 0 else str(row[n]) for n in order] for row in X.tolist()]
    return "".join(separator.join(line) + "\n" for line in [columns, *rows])


@pytest.mark.parametrize(
    "columns",
    [
        list(WIDTHS),
        list(WIDTHS[::-1]),
        ["species", *WIDTHS[2:], "Id", *WIDTHS[:2]],
    ],
)
def test_columns_are_taken_by_name_in_any_order(
    columns, monkeypatch, capsys, tmp_path: Path, named: Path
) -> None:
    for separator in ",;\t":
        path = written(tmp_path, "x.csv", table(columns, separator))
        assert command(monkeypatch, "--input", path, network=named) == 0
        assert capsys.readouterr() == (by_name(), "")
    order = [WIDTHS.index(name) for name in columns if name in WIDTHS]
    arrays = {"features": X[:, order], "feature_names": np.array(WIDTHS)[order]}
    np.savez(tmp_path / "x.npz", **arrays)
    assert command(monkeypatch, "--input", tmp_path / "x.npz", network=named) == 0
    assert capsys.readouterr() == (by_name(), "")


def test_names_that_are_numbers_are_a_header_to_a_network_that_knows_them(
    monkeypatch, capsys, tmp_path: Path
) -> None:
    path, network = tmp_path / "x.csv", tmp_path / "counted.json"
    names = Names(("0", "1", "2", "3"))
    artifact.save(dataclasses.replace(artifact.load(GOLDEN_IRIS), names=names), network)
    path.write_text("3,2,1,0\n" + "".join(",".join(map(str, r[::-1])) + "\n" for r in X.tolist()))
    assert command(monkeypatch, "--input", path, network=network) == 0
    assert capsys.readouterr() == (expected(), "")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (WIDTHS[:3], "x.csv: lacks columns 'petal width', expected sepal length, "),
        ([*WIDTHS, "colour"], "x.csv: has unknown columns 'colour', expected sepal length, "),
        (["sepal_length", *WIDTHS[1:]], "x.csv: lacks columns 'sepal length', expected sepal"),
    ],
)
def test_columns_that_are_missing_or_unknown_are_refused(
    columns, sentence, monkeypatch, capsys, tmp_path: Path, named: Path
) -> None:
    path = written(tmp_path, "x.csv", table(list(columns)))
    assert command(monkeypatch, "--input", path, network=named) == 2
    said = capsys.readouterr()
    assert sentence in said.err and (said.out, said.err.count("\n")) == ("", 1)


def test_files_without_names_go_by_position_and_say_so_once(
    monkeypatch, capsys, tmp_path: Path, named: Path
) -> None:
    np.savez(tmp_path / "x.npz", X)
    for path in (written(tmp_path, "x.csv", ROWS), tmp_path / "x.npz"):
        assert command(monkeypatch, "--input", path, network=named) == 0
        position = f"({', '.join(WIDTHS)})"
        warning = f"{path} has no names of features: columns go by position {position}\n"
        assert capsys.readouterr() == (by_name(), warning)


def test_header_option_decides_what_the_first_line_is(monkeypatch, capsys, tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", ROWS)
    assert command(monkeypatch, "--input", path, "--header", "no") == 0
    assert capsys.readouterr().out == expected()
    written(tmp_path, "x.csv", "1,2,3,4\n" + ROWS)
    assert command(monkeypatch, "--input", path) == 2
    assert command(monkeypatch, "--input", path, "--header", "yes") == 0
    assert capsys.readouterr().out == expected()


def test_number_that_is_not_finite_is_named_by_file_and_sample(
    monkeypatch, capsys, tmp_path: Path
) -> None:
    features = np.ones((predict.PIECE + 5, 4))
    features[predict.PIECE + 2, 1] = np.inf
    np.savez(tmp_path / "x.npz", features)
    assert command(monkeypatch, "--input", tmp_path / "x.npz") == 2
    said = capsys.readouterr()
    assert f"x.npz: sample {predict.PIECE + 2}, feature 1 is inf, expected" in said.err
    assert said.out == ""


def test_nothing_is_printed_where_a_late_line_is_bad(monkeypatch, capsys, tmp_path: Path) -> None:
    text = "1,2,5,3\n" * (predict.PIECE + 3) + "1,2,x,3\n"
    assert command(monkeypatch, "--input", written(tmp_path, "x.csv", text)) == 2
    said = capsys.readouterr()
    assert f"line {predict.PIECE + 4}, column 3 is 'x'" in said.err and said.out == ""


MILLION = """
import sys
from pathlib import Path
from common import cli
from scripts import predict
sys.argv = ["predict", *sys.argv[1:]]
cli.main(predict.run, predict.parser())
status = Path("/proc/self/status").read_text().splitlines()
print(*(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")))
"""


def test_a_table_of_a_million_rows_stays_small(tmp_path: Path) -> None:
    path, out = tmp_path / "x.csv", tmp_path / "out.csv"
    path.write_text(HEADER + "5.1,3.5,1.4,0.2\n" * 1_000_000)
    words = ["--network", GOLDEN_IRIS, "--input", path, "--output", out]
    command = [sys.executable, "-c", MILLION, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said, megabytes = done.stdout.splitlines()
    assert said.endswith("1,000,000 samples by reference")
    with out.open() as stream:
        assert sum(1 for _ in stream) == 1_000_001
    assert int(megabytes) < 300


def test_every_form_says_the_same(tmp_path: Path, named: Path) -> None:
    found = Network.load(named).predict(X)
    classes = [NAMES.classes[index] for index in found.classes]
    said = {form: io.StringIO() for form in predict.FORMS}
    for form, stream in said.items():
        assert predict.FORMS[form](iter([found]), Network.load(named), stream) == len(X)
    assert said["lines"].getvalue().split() == classes
    assert said["csv"].getvalue() == said["probabilities"].getvalue() == by_name()
    for line, name, row in zip(
        said["json"].getvalue().splitlines(), classes, found.probabilities.tolist(), strict=True
    ):
        values = dict(zip(NAMES.classes, row, strict=True))
        assert json.loads(line) == {"class": name, "probabilities": values}


@pytest.mark.parametrize(
    ("output", "keys"),
    [
        ("logits", {"values"}),
        ("ranked", {"class", "values"}),
        ("argmax", {"class"}),
        ("sigmoid", {"probabilities"}),
    ],
)
def test_forms_of_other_outputs(output: str, keys: set[str]) -> None:
    network = Network(**vars(made_up([4, 3], output=output)))
    found = network.predict(np.zeros((1, 4)))
    stream = io.StringIO()
    assert predict.write_lines(iter([found]), network, stream) == 1
    cells = stream.getvalue().strip().split(",")
    assert len(cells) == (1 if "class" in keys else 3)
    if "values" in keys and "class" not in keys:
        assert list(map(float, cells)) == found.values[0].tolist()
    stream = io.StringIO()
    predict.write_json(iter([found]), network, stream)
    assert set(json.loads(stream.getvalue())) == keys
    if "probabilities" not in keys:
        with pytest.raises(OutputError, match="has no probabilities, it has "):
            predict.write_probabilities(iter([found]), network, io.StringIO())


def test_standard_input_is_read_as_a_file_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.predict", "--network", GOLDEN_IRIS, "--input", "-"]
    for text in (ROWS, HEADER + ROWS, "\ufeff" + ROWS):
        done = subprocess.run(command, cwd=ROOT, input=text.encode(), capture_output=True)
        assert (done.returncode, done.stdout.decode()) == (0, expected())
    done = subprocess.run(command, cwd=ROOT, input=b"1,2\n", capture_output=True)
    assert done.returncode == 2 and done.stderr.decode().count("\n") == 1
    assert b"-: columns that go by position must be 4, got 2" in done.stderr


@pytest.mark.parametrize(
    ("output", "header"),
    [
        ("logits", "y0,y1,y2"),
        ("ranked", "class,y0,y1,y2"),
        ("argmax", "class"),
        ("sigmoid", "p0,p1,p2"),
    ],
)
def test_table_has_what_the_output_has(output: str, header: str) -> None:
    network = Network(**vars(made_up([4, 3], output=output)))
    found = network.predict(np.zeros((2, 4)))
    stream = io.StringIO()
    assert predict.write_csv(iter([found]), network, stream) == 2
    lines = stream.getvalue().splitlines()
    assert lines[0] == header and len(lines) == 3
    assert len(lines[1].split(",")) == len(header.split(","))
