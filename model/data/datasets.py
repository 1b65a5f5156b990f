"""Labelled samples: scikit-learn's tables or a user's, checked, split the same way every time."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError
from model.data import userdata
from model.data.userdata import DataFile
from model.format import Int
from model.names import Names


class DatasetError(VerbatimError):
    """Samples that cannot be learned from: the message names what was found and expected."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """``features [samples, n_in]`` in their own units, ``labels [samples]`` indexing `class_names`.

    Of a regression ``targets [samples, n]`` are real, ``class_names`` theirs, and labels are 0;
    each may be a label by itself, 0 or 1.
    ``ignored`` are columns of its file that are no features; where ``named`` is False, its features
    have no names of their own. Raises `DatasetError` on features that are not finite and on shapes
    or labels that disagree.
    """

    name: str
    features: NDArray[np.float64]
    labels: Int
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    named: bool = True
    targets: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        owner, shape = f"dataset {self.name}", self.features.shape
        if len(shape) != 2 or shape[1] != len(self.feature_names) or not shape[0]:
            raise DatasetError(
                f"{owner}: features have shape {shape}, "
                f"expected (samples, {len(self.feature_names)})"
            )
        if self.labels.shape != shape[:1]:
            raise DatasetError(
                f"{owner}: labels have shape {self.labels.shape}, expected {shape[:1]}"
            )
        bad = np.argwhere(~np.isfinite(self.features))
        if bad.size:
            row, column = bad[0]
            raise DatasetError(
                f"{owner}: sample {row}, feature {self.feature_names[column]!r} is "
                f"{self.features[row, column]}, expected a finite number"
            )
        illegal = self.labels[(self.labels < 0) | (self.labels >= len(self.class_names))]
        if illegal.size:
            raise DatasetError(
                f"{owner}: a label is {illegal[0]}, expected 0 to {len(self.class_names) - 1}: "
                "labels count the classes from 0"
            )
        if self.targets is not None:
            count = len(self.class_names)
            if self.targets.shape != (shape[0], count) or not np.isfinite(self.targets).all():
                raise DatasetError(
                    f"{owner}: targets have shape {self.targets.shape}, expected finite numbers of "
                    f"shape {(shape[0], count)}"
                )
        elif len(self.class_names) < 2:
            raise DatasetError(
                f"{owner}: its only class is {', '.join(self.class_names)}, expected at least two"
            )

    def require_labels(self) -> None:
        """Raise `DatasetError` unless there are two targets or more, each of them 0 or 1."""
        assert self.targets is not None
        if len(self.class_names) < 2:
            raise DatasetError(
                f"dataset {self.name}: output sigmoid must have two targets or more, got "
                f"{self.class_names[0]} alone: give it as label, in the place of targets"
            )
        bad = np.argwhere((self.targets != 0) & (self.targets != 1))
        if bad.size:
            row, column = bad[0]
            raise DatasetError(
                f"dataset {self.name}: sample {row}, target {self.class_names[column]!r} is "
                f"{self.targets[row, column]:g}, expected 0 or 1 beside output sigmoid"
            )

    @property
    def names(self) -> Names:
        """Names that a network of it keeps, to read other files by them."""
        return Names(self.feature_names if self.named else (), self.class_names, self.ignored)

    @property
    def sha256(self) -> str:
        """Digest of names, shape, features and labels, the same on every machine."""
        names = [self.name, *self.feature_names, *self.class_names, str(self.features.shape)]
        names += [*self.ignored, *([] if self.named else ["by position"])]
        content = hashlib.sha256("\n".join(names).encode())
        content.update(self.features.astype("<f8").tobytes())
        content.update(self.labels.astype("<i8").tobytes())
        if self.targets is not None:
            content.update(self.targets.astype("<f8").tobytes())
        return content.hexdigest()


# Each is sklearn.datasets.load_NAME.
NAMED = ("iris", "wine", "breast_cancer", "digits")


def load(source: str | DataFile, folder: Path = Path()) -> Dataset:
    """Load the dataset of that name, or in that file of ``folder``, in its source's order.

    Raises `DatasetError` where no dataset has that name, `DataError` where the file is none.
    Source of the named ones: scikit-learn, which ships the UCI repository's tables.
    """
    if isinstance(source, DataFile):
        return Dataset(name=Path(source.file).name, **vars(userdata.read(source, folder)))
    name = source
    if name not in NAMED:
        raise DatasetError(f"dataset must be one of {', '.join(NAMED)}, got {name!r}")
    # Imported where it is called: simulations know this module, and start twice as fast without.
    from sklearn import datasets as tables

    table = getattr(tables, f"load_{name}")()
    return Dataset(
        name=name,
        features=np.asarray(table.data, dtype=np.float64),
        labels=np.asarray(table.target, dtype=np.int64),
        feature_names=tuple(map(str, table.feature_names)),
        class_names=tuple(map(str, table.target_names)),
    )


def split(dataset: Dataset, test_fraction: float, seed: int) -> tuple[Int, Int]:
    """Ascending indices of the training and of the test samples, each class in proportion.

    Those of a regression are drawn as they come. Raises `DatasetError` where a class would have no
    sample on one side.
    """
    occur, counts = np.unique(dataset.labels, return_counts=True)
    few = [dataset.class_names[n] for n, count in zip(occur, counts, strict=True) if count < 2]
    if few:
        raise DatasetError(
            f"dataset {dataset.name}: class {few[0]!r} has 1 sample, expected at least 2: one to "
            "train and one to test"
        )
    from sklearn.model_selection import train_test_split

    samples = np.arange(len(dataset.labels))
    try:
        train, test = train_test_split(
            samples, test_size=test_fraction, stratify=dataset.labels, random_state=seed
        )
    except ValueError as error:
        raise DatasetError(
            f"dataset {dataset.name}: test_fraction must leave a sample of each of {len(occur)} "
            f"classes on both sides of {len(samples)} samples, got {test_fraction}"
        ) from error
    return np.sort(train), np.sort(test)
