"""A user's own samples are read completely, or refused by file, line and column."""

import numpy as np
import pytest

from model.data import datasets
from model.data.datasets import DatasetError
from model.data.userdata import DataError, DataFile
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
        ("", {}, "its header is missing, legal are at least two names"),
        ("a\n1\n", {}, "its header is 'a', legal are at least two names"),
        ("a,a,kind\n1,2,x\n", {}, "its header is 'a', 'a', 'kind', legal are"),
        ("1.5,2,0\n1,2,x\n", {}, "its first line holds numbers, legal is a header of names"),
        ("a,kind\n", {}, "has no sample, legal is at least one line below the header"),
        (COINS, {"label": "Kind"}, "label is 'Kind', legal is one of diameter, weight, kind"),
        (COINS, {"classes": ("cent",)}, "kind is 'euro', legal is one of cent"),
        ("a,b,kind\n1,2,x\n1,y\n", {}, "line 3 has 2 cells, legal are 3"),
        ("a,b,kind\n1,,x\n", {}, "line 2, column 'b' is '', legal is a finite number"),
        ("a,b,kind\n1,nan,x\n", {}, "line 2, column 'b' is 'nan', legal is a finite number"),
        ("a,b,kind\n1,1_0,x\n", {}, "line 2, column 'b' is '1_0', legal is a finite number"),
        ("a,b,kind\n1,\u0661,x\n", {}, "line 2, column 'b' is '\u0661', legal is a finite number"),
        ("a,b,kind\n1,1e999,x\n", {}, "line 2, column 'b' is '1e999', legal is a finite number"),
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
        ({"features": np.zeros(2)}, r"features are float64 of shape \(2,\), legal are numbers"),
        ({"features": np.array([["a"], ["b"]])}, "features are <U1 of shape"),
        ({"labels": np.array([0.0, 1.0])}, "labels are float64 of shape"),
        ({"labels": np.array([], dtype=int)}, r"labels are int64 of shape \(0,\)"),
        ({"labels": np.array([0, MAX_CLASSES])}, f"a label is {MAX_CLASSES}, legal is 0 to"),
        ({"colour": np.zeros(1)}, "holds arrays colour, features, labels, legal are features and"),
        ({"class_names": np.array("x")}, "class_names are no list of names"),
        ({"features": np.array([{}])}, "cannot be read: .*allow_pickle"),
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
