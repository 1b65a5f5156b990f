"""A user's own samples are read completely, or refused by file, line and column."""

import io
import re
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.data import archive, datasets, tables
from model.data.datasets import DatasetError
from model.data.remarks import remarks
from model.data.tables import DataError, is_header
from model.data.userdata import DataFile
from model.stages.softmax import MAX_CLASSES

COINS = """diameter, weight, kind
16.25,2.3,cent
18.75,3.06,cent

25.75,8.5,euro
"""


def csv(tmp_path, text=COINS, **keys):
    (tmp_path / "coins.csv").write_text(text)
    return datasets.load(DataFile("coins.csv", **keys), tmp_path)


def test_a_csv_gives_features_labels_and_names(tmp_path):
    coins = csv(tmp_path)
    assert coins.name == "coins.csv"
    assert coins.features.tolist() == [[16.25, 2.3], [18.75, 3.06], [25.75, 8.5]]
    assert coins.labels.tolist() == [0, 0, 1]
    assert coins.feature_names == ("diameter", "weight")
    assert coins.class_names == ("cent", "euro")


def test_the_label_may_stand_in_any_column_and_classes_in_any_order(tmp_path):
    text = "kind,size\n10,1\n9,2\n"
    assert csv(tmp_path, text, label="kind").class_names == ("9", "10")
    coins = csv(tmp_path, text, label="kind", classes=("10", "9", "8"))
    assert (coins.labels.tolist(), coins.class_names) == ([0, 1], ("10", "9", "8"))


def test_a_byte_order_mark_and_quotes_are_read_as_spreadsheets_write_them(tmp_path):
    coins = csv(tmp_path, '\ufeff"size, mm",kind\r\n"1.5","a"\r\n2,b\r\n')
    assert coins.feature_names == ("size, mm",)
    assert coins.features.tolist() == [[1.5], [2.0]]


@pytest.mark.parametrize(
    ("text", "keys", "sentence"),
    [
        ("", {}, "is empty, expected one line for each sample"),
        ("a\n1\n", {}, "has one column, 'a', expected a class and one feature or more"),
        ("a,a,kind\n1,2,x\n", {}, "its header has 'a' twice, expected each name once"),
        (",a,kind\n1,2,x\n", {}, "column 1 has no name in the header"),
        ("a,kind\n", {}, "has no sample, expected at least one line below the header"),
        (COINS, {"label": "Kind"}, "label is 'Kind', expected one of diameter, weight, kind"),
        (COINS, {"classes": ("cent",)}, "kind is 'euro', expected one of cent"),
        (COINS, {"leave_out": ("no",)}, "leave_out has 'no', expected some of diameter, weight"),
        (COINS, {"leave_out": ("diameter", "weight")}, "leave_out leaves no feature, expected"),
        ("a,b,kind\n1,2,x\n1,y\n", {}, r"line 3 has 2 cells \('1,y'\), expected 3"),
        ("a,b,kind\n1,,x\n", {}, "line 2, column 'b' is empty, expected a finite number"),
        ("a,b,kind\n1,nan,x\n", {}, "line 2, column 'b' is 'nan', expected a finite number"),
        ("a,b,kind\n1,1_0,x\n", {}, "line 2, column 'b' is '1_0', expected a finite number"),
        ("a,b,kind\n1,\u0661,x\n", {}, "line 2, column 'b' is '\u0661', expected a finite number"),
        ("a,b,kind\n1,1e999,x\n", {}, "line 2, column 'b' is '1e999', expected a finite number"),
        (
            f"a,b,kind\n1,{400 * '9'},x\n",
            {},
            f"line 2, column 'b' is '{60 * '9'}'..., expected a finite number",
        ),
        ("a;kind\n1,5;x\n", {}, "line 2, column 'a' is '1,5', .* number with a decimal point"),
        ("a,kind\n1,x\n2,\n", {}, "line 3, column 'kind' is empty, expected a class"),
        ("a;b,c;kind\n1;2;x\n", {}, "its first line has commas and semicolons, expected one"),
        ('a,kind\n1,"x\n2,y"\n', {}, "line 3: a cell spans lines: check quotes"),
        ('a,kind\n1,"x\n2,y\n', {}, "line 3 is no row of cells: unexpected end"),
    ],
)
def test_a_bad_csv_is_refused_by_place(tmp_path, text, keys, sentence):
    with pytest.raises(DataError, match=rf"coins\.csv: {sentence}"):
        csv(tmp_path, text, **keys)


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "coins.npz", **arrays)
    return datasets.load(DataFile("coins.npz"), tmp_path)


ARRAYS = {"features": np.array([[1.0, 2.0], [3.0, 4.0]]), "labels": np.array([0, 1])}


def test_an_npz_gives_the_same(tmp_path):
    coins = npz(tmp_path, **ARRAYS)
    assert coins.features.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert (coins.feature_names, coins.class_names) == (("feature_0", "feature_1"), ("0", "1"))
    coins = npz(tmp_path, **ARRAYS, feature_names=["a", "b"], class_names=["no", "yes"])
    assert (coins.feature_names, coins.class_names) == (("a", "b"), ("no", "yes"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"features": np.zeros(2)}, r"features are float64 of shape \(2,\), expected real"),
        ({"features": np.array([["a"], ["b"]])}, "features are <U1 of shape"),
        ({"labels": np.array([0.0, 1.0])}, "labels are float64 of shape"),
        ({"labels": np.array([], dtype=int)}, r"labels are int64 of shape \(0,\)"),
        ({"labels": np.array([0, MAX_CLASSES])}, f"a label is {MAX_CLASSES}, expected 0 to"),
        ({"colour": np.zeros(1)}, "holds arrays colour, features, labels, expected features and"),
        ({"class_names": np.array("x")}, "class_names must be a list of the names, each once"),
        ({"class_names": np.array(["x", "x"])}, "class_names must be .*, each once, got x, x"),
        ({"feature_names": np.array(["x"])}, "feature_names must be a list of 2 names, .* got x"),
        ({"features": np.array([{}])}, "cannot be read: array 'features' holds Python objects"),
        ({"features": np.zeros((2, 2), complex)}, "features are complex128 of shape"),
    ],
)
def test_a_bad_npz_is_refused_by_array(tmp_path, changes, sentence):
    with pytest.raises(DataError, match=rf"coins\.npz: {sentence}"):
        npz(tmp_path, **{**ARRAYS, **changes})


def test_labels_and_features_of_another_number_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"coins\.npz: labels have shape \(3,\)"):
        npz(tmp_path, **{**ARRAYS, "labels": np.array([0, 1, 1])})


@pytest.mark.parametrize("name", ["coins.csv", "coins.npz"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\0\x01", b"PK\x03\x04broken"])
def test_a_file_that_is_missing_or_binary_is_refused_by_name(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        datasets.load(DataFile(name), tmp_path)


# What a first line is


SAMPLES = [["5.1", "3.5", "a"], ["4.9", "3.0", "b"], ["6.2", "2.8", "a"]]


@pytest.mark.parametrize(
    ("first", "header"),
    [
        (["5.0", "3.1", "a"], False),
        (["5.0", "3.1", "once"], False),
        (["length", "width", "kind"], True),
        (["1x1", "1x2", "label"], True),
        (["", "width", "kind"], True),
        (["5.0", "O.2", "a"], None),
        (["5.0", "", "a"], None),
        (["5.0", "NA", "a"], None),
        (["5,0", "0,1", "a"], None),
        (["5.0", "1_0", "a"], None),
        (["O.5", "", "a"], None),
        (["length", "width", "a"], None),
    ],
)
def test_a_first_line_is_a_header_a_sample_or_asked_for(first, header, tmp_path):
    assert is_header(first, SAMPLES) is header
    text = "\n".join(",".join(map('"{}"'.format, row)) for row in [first, *SAMPLES]) + "\n"
    if header is None:
        remedy = "say which by header = true or header = false in the recipe's dataset"
        with pytest.raises(DataError, match=rf"coins\.csv: line 1 is .*{remedy}"):
            csv(tmp_path, text)
        with pytest.raises(DataError, match=r"line 1, column \d is .*, expected a finite number"):
            csv(tmp_path, text, header=False)
    elif "" not in first:
        assert len(csv(tmp_path, text).labels) == 3 + (not header)


@pytest.mark.parametrize(
    ("first", "header"), [("0,1,2,3", None), ("1,2,3,4", None), ("0,1", False)]
)
def test_columns_that_count_up_are_asked_for(first, header):
    row = first.split(",")
    assert is_header(row, [["7"] * len(row)]) is header
    assert is_header(row, [["7"] * len(row)], known=row) is True


def test_without_a_header_every_line_is_a_sample_by_whatever_the_file_begins_with(tmp_path):
    rows = "5.1,3.5,a\n4.9,3.0,b\n"
    for start in ("", "\ufeff", "\n", "\r\n\n"):
        coins = csv(tmp_path, start + rows + "\n")
        assert coins.features.tolist() == [[5.1, 3.5], [4.9, 3.0]]
        assert (coins.feature_names, coins.named) == (("column_1", "column_2"), False)
        assert coins.class_names == ("a", "b")
    last = csv(tmp_path, rows, label="column_3", leave_out=["column_1"])
    assert last.feature_names == ("column_2",)
    with pytest.raises(DataError, match="label is 'kind', expected one of column_1, column_2"):
        csv(tmp_path, rows, label="kind")


def test_header_of_numbers_is_one_where_the_recipe_says_so(tmp_path):
    text = "0,1,2,kind\n5,6,7,a\n8,9,1,b\n"
    assert csv(tmp_path, text, header=True).feature_names == ("0", "1", "2")
    with pytest.raises(DataError, match="may be a header or a sample"):
        csv(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "size;kind\n1.5;a\n2;b\n",
        "size\tkind\n1.5\ta\n2\tb\n",
        "sep=;\nsize;kind\n1.5;a\n2;b\n",
        '"size";"kind"\n1.5;"a"\n2;"b"\n',
        "# size,kind\n1.5,a\n2,b\n",
        "size,kind\r1.5,a\r2,b\r",
    ],
)
def test_every_dialect_gives_the_same_samples(tmp_path, text):
    coins = csv(tmp_path, text)
    assert (coins.feature_names, coins.class_names) == (("size",), ("a", "b"))
    assert coins.features.tolist() == [[1.5], [2.0]]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_in_another_encoding_is_refused_by_name(tmp_path, encoding):
    (tmp_path / "coins.csv").write_bytes("größe,kind\n1,a\n2,b\n".encode(encoding))
    with pytest.raises(DataError, match=r"coins\.csv: is not UTF-8 text \(byte 0x.."):
        datasets.load(DataFile("coins.csv"), tmp_path)


# Labels that are no classes, columns that are no features


def test_measured_values_are_refused_as_classes(tmp_path):
    for count in (12, 65, 200):
        text = "a,y\n" + "".join(f"{n % 7},{n + 0.5}\n" for n in range(count))
        with pytest.raises(
            DataError, match=f"column 'y' has {count} different values in {count} s"
        ):
            csv(tmp_path, text)
    text = "a,y\n" + "".join(f"{n},{n % 3}\n" for n in range(30))
    assert csv(tmp_path, text).class_names == ("0", "1", "2")


def test_a_single_class_and_a_class_of_one_sample_are_refused_in_words_of_the_matter(tmp_path):
    with pytest.raises(DatasetError, match="its only class is x, expected at least two"):
        csv(tmp_path, "a,kind\n1,x\n2,x\n")
    with pytest.raises(DatasetError, match="class 'euro' has 1 sample, expected at least 2"):
        datasets.split(csv(tmp_path), 0.5, seed=0)


def rows(names, *columns):
    lines = [",".join(map(str, line)) for line in zip(*columns, strict=True)]
    return "\n".join([names, *lines]) + "\n"


COUNT = range(1, 41)
KINDS = ["ab"[n % 3 == 0] for n in COUNT]
NOISE = [(n * 7919) % 101 / 8 for n in COUNT]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (list(COUNT), "feature 'Id' counts the samples from 1 to 40; .*leave_out = ..Id"),
        ([n - 1 for n in COUNT], "feature 'Id' counts the samples from 0 to 39"),
        ([(n * 7) % 41 for n in COUNT], "feature 'Id' counts the samples from 1 to 40"),
        ([n * n + 1000 for n in COUNT], "feature 'Id' numbers the samples"),
        ([{"a": 5, "b": 2}[kind] for kind in KINDS], "feature 'Id' is the class itself"),
    ],
)
def test_a_column_that_is_no_feature_is_said_and_can_be_left_out(tmp_path, column, words):
    text = rows("Id,size,kind", column, NOISE, KINDS)
    (said,) = remarks(csv(tmp_path, text))
    assert re.match(words, said)
    kept = csv(tmp_path, text, leave_out=["Id"])
    assert (kept.feature_names, kept.ignored, remarks(kept)) == (("size",), ("kind", "Id"), [])


def test_datasets_of_features_alone_have_no_remarks():
    assert [remarks(datasets.load(name)) for name in datasets.NAMED] == [[]] * 4


def test_classes_that_never_occur_are_said(tmp_path):
    coins = npz(tmp_path, features=np.eye(6) + 0.5, labels=np.array([1, 2, 3, 1, 2, 3]))
    said = " ".join(remarks(coins))
    assert "class '0' never occurs" in said and "the least label is 1" in said
    coins = csv(tmp_path, classes=("cent", "euro", "yen"))
    assert "class 'yen' never occurs" in " ".join(remarks(coins))
    assert "class 'euro' has one sample" in " ".join(remarks(coins))


def test_order_of_classes_is_the_same_in_every_process(tmp_path):
    text = rows("size,kind", NOISE[:12], ["1", "1.0", "01", "2", "2.0", "1e0"] * 2)
    assert "'01' and '1' are the same number" in " ".join(remarks(csv(tmp_path, text)))
    code = (
        "from pathlib import Path; from model.data import userdata; "
        f"print(userdata.read(userdata.DataFile('coins.csv'), Path({str(tmp_path)!r})).class_names)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert found == {"('01', '1', '1.0', '1e0', '2', '2.0')\n"}


# Damaged archives


def archive_of(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def flipped(data, start):
    return data[:start] + bytes(byte ^ 255 for byte in data[start : start + 8]) + data[start + 8 :]


def header_for(shape):
    """A member whose header promises another shape than its bytes hold."""
    member, archived = io.BytesIO(), io.BytesIO()
    np.save(member, np.zeros((2, 2)))
    data = member.getvalue().replace(b"(2, 2)", shape.encode())
    with zipfile.ZipFile(archived, "w") as opened:
        opened.writestr("features.npy", data)
    return archived.getvalue()


def bare():
    stream = io.BytesIO()
    np.save(stream, np.zeros((2, 2)))
    return stream.getvalue()


GOOD = archive_of(**{**ARRAYS, "features": np.random.default_rng(0).normal(size=(200, 2))})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"text", "is truncated, damaged or no NPZ"),
        (GOOD[: len(GOOD) // 2], "is truncated, damaged or no NPZ"),
        (bare(), "holds one bare array of numpy.save, expected numpy.savez"),
        (flipped(GOOD, 800), "array 'features' is damaged"),
        (header_for("(10**12, 2)"), "array 'features' is damaged"),
        (header_for("(99999999999, 2)"), r"array 'features' has a header for shape \(99999999999"),
        (header_for("(3, 2)"), r"array 'features' has a header for shape \(3, 2\), which its"),
    ],
)
def test_a_damaged_archive_is_one_sentence_of_its_own(tmp_path, data, reason):
    (tmp_path / "coins.npz").write_bytes(data)
    with pytest.raises(DataError, match=rf"coins\.npz: cannot be read: {reason}"):
        datasets.load(DataFile("coins.npz"), tmp_path)


def test_an_archive_that_inflates_beyond_the_limit_is_refused_before_it_does(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "coins.npz", **{**ARRAYS, "features": np.zeros((1 << 22, 2))})
    assert (tmp_path / "coins.npz").stat().st_size < 1 << 18
    monkeypatch.setattr(archive, "MOST_BYTES", 60_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"holds 0\.07 GB of arrays, expected at most 0\.06 GB"):
        datasets.load(DataFile("coins.npz"), tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


def test_numbers_beyond_float64_are_refused_by_place(tmp_path):
    long = np.array([[1, 2], [np.longdouble("1e4000"), 3]], np.longdouble)
    with pytest.raises(DatasetError, match="sample 1, feature 'feature_0' is inf, expected"):
        npz(tmp_path, **{**ARRAYS, "features": long})


@pytest.mark.parametrize("name", ["a\nb.csv", "a\tb.csv", "a\x00.csv", "a\u2028.npz"])
def test_a_file_name_of_several_lines_is_refused(name):
    with pytest.raises(ValueError, match="dataset: file must be a path"):
        DataFile(name)


def test_tables_are_read_in_one_place_alone():
    """One reader and one rule for all commands: nothing else splits text into cells."""
    root = Path(tables.__file__).parents[2]
    rooms = ("common", "model", "scripts")
    found = [
        p for room in rooms for p in (root / room).rglob("*.py") if "csv.reader" in p.read_text()
    ]
    assert found == [Path(tables.__file__)]
    loads = [
        p for room in rooms for p in (root / room).rglob("*.py") if "np.load(" in p.read_text()
    ]
    assert loads == []
    assert archive.MOST_BYTES < 2 << 30
