"""Datasets are whole, known by digest, and refused where nothing could be learned from them."""

import dataclasses

import numpy as np
import pytest

from model.data import datasets
from model.data.datasets import Dataset, DatasetError


@pytest.mark.parametrize(
    ("name", "samples", "features", "classes"),
    [
        ("iris", 150, 4, 3),
        ("wine", 178, 13, 3),
        ("breast_cancer", 569, 30, 2),
        ("digits", 1797, 64, 10),
    ],
)
def test_every_dataset_has_its_published_shape(name, samples, features, classes):
    dataset = datasets.load(name)
    assert dataset.features.shape == (samples, features)
    assert dataset.features.dtype == np.float64
    assert dataset.labels.dtype == np.int64
    assert len(dataset.feature_names) == features
    assert sorted(set(dataset.labels.tolist())) == list(range(classes))
    assert len(dataset.class_names) == classes


def test_iris_lies_in_the_box_that_its_input_format_holds():
    dataset = datasets.load("iris")
    assert (dataset.features.min(), dataset.features.max()) == (0.1, 7.9)


def test_every_dataset_has_a_row_here():
    assert set(datasets.NAMED) == {"iris", "wine", "breast_cancer", "digits"}


def test_unknown_dataset_is_refused_with_the_legal_names():
    with pytest.raises(DatasetError, match=r"dataset must be one of iris, wine, .*, got 'irs'"):
        datasets.load("irs")


def small(**changes):
    facts = {
        "name": "small",
        "features": np.array([[0.0, 1.0], [2.0, 3.0]]),
        "labels": np.array([0, 1]),
        "feature_names": ("a", "b"),
        "class_names": ("no", "yes"),
    }
    return Dataset(**{**facts, **changes})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_feature_that_is_not_finite_is_refused_by_place(value):
    with pytest.raises(DatasetError, match=rf"sample 1, feature 'a' is {value}, expected a finite"):
        small(features=np.array([[0.0, 1.0], [value, 3.0]]))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"features": np.zeros(2)}, r"features have shape \(2,\), expected \(samples, 2\)"),
        ({"features": np.zeros((2, 3))}, r"features have shape \(2, 3\)"),
        ({"features": np.zeros((0, 2))}, r"features have shape \(0, 2\)"),
        ({"labels": np.array([0, 1, 1])}, r"labels have shape \(3,\), expected \(2,\)"),
        ({"labels": np.array([0, 2])}, "a label is 2, expected 0 to 1"),
        ({"targets": np.zeros((2, 1))}, r"targets have shape \(2, 1\), expected finite numbers"),
        ({"targets": np.full((2, 2), np.inf)}, r"expected finite numbers of shape \(2, 2\)"),
        ({"labels": np.array([-1, 1])}, "a label is -1, expected 0 to 1"),
    ],
)
def test_shapes_and_labels_that_disagree_are_refused(changes, sentence):
    with pytest.raises(DatasetError, match=sentence):
        small(**changes)


def test_digest_is_the_same_for_the_same_content_and_notices_every_change():
    assert small().sha256 == small().sha256
    changes = [
        {"name": "other"},
        {"features": np.array([[0.0, 1.0], [2.0, np.nextafter(3.0, 4.0)]])},
        {"labels": np.array([0, 0])},
        {"feature_names": ("a", "c")},
        {"class_names": ("no", "maybe")},
        {"ignored": ("kind",)},
        {"named": False},
        {"targets": np.zeros((2, 2))},
    ]
    assert {field.name for field in dataclasses.fields(Dataset)} == {k for c in changes for k in c}
    digests = {small(**change).sha256 for change in changes}
    assert len(digests | {small().sha256}) == 1 + len(changes)


def test_split_is_stratified_complete_and_repeatable():
    dataset = datasets.load("iris")
    train, test = datasets.split(dataset, 0.2, seed=0)
    assert sorted([*train, *test]) == list(range(150))
    assert np.bincount(dataset.labels[train]).tolist() == [40, 40, 40]
    assert np.bincount(dataset.labels[test]).tolist() == [10, 10, 10]
    assert [train.tolist(), test.tolist()] == [
        part.tolist() for part in datasets.split(dataset, 0.2, seed=0)
    ]
    assert test.tolist() != datasets.split(dataset, 0.2, seed=1)[1].tolist()


def test_split_without_a_sample_of_each_class_is_refused():
    with pytest.raises(
        DatasetError,
        match=r"iris: test_fraction must leave a sample of each of 3 classes .*, got 0\.001",
    ):
        datasets.split(datasets.load("iris"), 0.001, seed=0)
