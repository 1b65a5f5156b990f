"""Labelled samples: scikit-learn's tables or a user's, checked, split the same way every time."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets as sklearn_datasets
from sklearn.model_selection import train_test_split

from common.errors import VerbatimError
from model.data import userdata
from model.data.userdata import DataFile
from model.format import Int


class DatasetError(VerbatimError):
    """Samples that cannot be learned from: the message names what was found and what is legal."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """``features [samples, n_in]`` in their own units, ``labels [samples]`` indexing `class_names`.

    Raises `DatasetError` on features that are not finite and on shapes or labels that disagree.
    """

    name: str
    features: NDArray[np.float64]
    labels: Int
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        owner, shape = f"dataset {self.name}", self.features.shape
        if len(shape) != 2 or shape[1] != len(self.feature_names) or not shape[0]:
            raise DatasetError(
                f"{owner}: features have shape {shape}, "
                f"legal is (samples, {len(self.feature_names)})"
            )
        if self.labels.shape != shape[:1]:
            raise DatasetError(
                f"{owner}: labels have shape {self.labels.shape}, legal is {shape[:1]}"
            )
        bad = np.argwhere(~np.isfinite(self.features))
        if bad.size:
            row, column = bad[0]
            raise DatasetError(
                f"{owner}: sample {row}, feature {self.feature_names[column]!r} is "
                f"{self.features[row, column]}, legal is a finite number"
            )
        illegal = self.labels[(self.labels < 0) | (self.labels >= len(self.class_names))]
        if illegal.size:
            raise DatasetError(
                f"{owner}: a label is {illegal[0]}, legal is 0 to {len(self.class_names) - 1}"
            )

    @property
    def sha256(self) -> str:
        """Digest of names, shape, features and labels, the same on every machine."""
        names = [self.name, *self.feature_names, *self.class_names, str(self.features.shape)]
        content = hashlib.sha256("\n".join(names).encode())
        content.update(self.features.astype("<f8").tobytes())
        content.update(self.labels.astype("<i8").tobytes())
        return content.hexdigest()


LOADERS: dict[str, Callable[[], Any]] = {
    "iris": sklearn_datasets.load_iris,
    "wine": sklearn_datasets.load_wine,
    "breast_cancer": sklearn_datasets.load_breast_cancer,
    "digits": sklearn_datasets.load_digits,
}


def load(source: str | DataFile, folder: Path = Path()) -> Dataset:
    """The dataset of that name, or in that file of ``folder``, whole and in its source's order.

    Raises `DatasetError` where no dataset has that name, `DataError` where the file is none.
    Source of the named ones: scikit-learn, which ships the UCI repository's tables.
    """
    if isinstance(source, DataFile):
        return Dataset(name=Path(source.file).name, **vars(userdata.read(source, folder)))
    name = source
    if name not in LOADERS:
        raise DatasetError(f"dataset is {name!r}, legal is one of {', '.join(LOADERS)}")
    table = LOADERS[name]()
    return Dataset(
        name=name,
        features=np.asarray(table.data, dtype=np.float64),
        labels=np.asarray(table.target, dtype=np.int64),
        feature_names=tuple(map(str, table.feature_names)),
        class_names=tuple(map(str, table.target_names)),
    )


def split(dataset: Dataset, test_fraction: float, seed: int) -> tuple[Int, Int]:
    """Ascending indices of the training and of the test samples, each class in proportion.

    Raises `DatasetError` where a class would have no sample on one side.
    """
    samples = np.arange(len(dataset.labels))
    try:
        train, test = train_test_split(
            samples, test_size=test_fraction, stratify=dataset.labels, random_state=seed
        )
    except ValueError as error:
        raise DatasetError(
            f"dataset {dataset.name}: test_fraction is {test_fraction}, legal is one that leaves "
            f"a sample of each class on both sides ({error})"
        ) from error
    return np.sort(train), np.sort(test)
