"""Samples in a user's own file: a CSV with a header, or an NPZ of two arrays."""

import csv
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError
from model.data.archive import ArchiveError, read_arrays
from model.format import Int, require
from model.stages.softmax import MAX_CLASSES

SUFFIXES = (".csv", ".npz")
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
NPZ_KEYS = ("features", "labels", "feature_names", "class_names")


class DataError(VerbatimError):
    """A file that holds no samples: the message names file, row and column, and what is legal."""


@dataclass(frozen=True)
class DataFile:
    """Where samples lie. ``label`` is the CSV's column of classes, its last one where left out.

    ``classes`` are their names in order; where left out, all that occur, numbers by value.
    """

    file: str
    label: str | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        legal = isinstance(self.file, str) and self.file.endswith(SUFFIXES)
        require(legal, f"dataset: file is {self.file!r}, legal is a path that ends in .csv or .npz")
        legal = self.label is None or (isinstance(self.label, str) and self.file.endswith(".csv"))
        require(legal, f"dataset: label is {self.label!r}, legal is the name of a CSV's column")
        legal = isinstance(self.classes, list | tuple) and all(map(_is_text, self.classes))
        require(legal, f"dataset: classes is {self.classes!r}, legal is a list of names")
        object.__setattr__(self, "classes", tuple(self.classes))


@dataclass(frozen=True, eq=False)
class Samples:
    """``features [samples, n_in]`` and ``labels [samples]``, with the names of both."""

    features: NDArray[np.float64]
    labels: Int
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def read(source: DataFile, folder: Path) -> Samples:
    """The samples of a file, whose path is relative to ``folder``; raises `DataError`."""
    path = folder / source.file
    try:
        return _read_csv(path, source) if path.suffix == ".csv" else _read_npz(path, source)
    except DataError:
        raise
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _read_csv(path: Path, source: DataFile) -> Samples:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.reader(stream)
        header = [name.strip() for name in next(rows, [])]
        _check_header(path, header)
        label = header[-1] if source.label is None else source.label
        if label not in header:
            raise DataError(f"{path}: label is {label!r}, legal is one of {', '.join(header)}")
        column = header.index(label)
        features, found = [], []
        for row in filter(None, rows):
            where = f"{path}: line {rows.line_num}"
            if len(row) != len(header):
                raise DataError(f"{where} has {len(row)} cells, legal are {len(header)}")
            cells = dict(zip(header, row, strict=True))
            found.append(cells.pop(label).strip())
            features.append([_number(where, name, cell) for name, cell in cells.items()])
    if not features:
        raise DataError(f"{path}: has no sample, legal is at least one line below the header")
    names = source.classes or _in_order(set(found))
    labels = np.array([_index(path, label, name, names) for name in found])
    feature_names = (*header[:column], *header[column + 1 :])
    return Samples(np.array(features), labels, feature_names, names)


def _check_header(path: Path, header: list[str]) -> None:
    repeated = {name for name in header if header.count(name) > 1 or not name}
    if repeated or len(header) < 2:
        raise DataError(
            f"{path}: its header is {', '.join(map(repr, header)) or 'missing'}, "
            "legal are at least two names, each once"
        )
    if all(map(_is_number, header)):
        raise DataError(f"{path}: its first line holds numbers, legal is a header of names")


def _is_number(text: str) -> bool:
    """Whether it is a finite decimal as every program writes it: no `1_0`, no other digits."""
    return NUMBER.fullmatch(text.strip(" \t")) is not None and math.isfinite(float(text))


def _number(where: str, name: str, cell: str) -> float:
    if not _is_number(cell):
        raise DataError(f"{where}, column {name!r} is {cell!r}, legal is a finite number")
    return float(cell)


def _in_order(names: set[str]) -> tuple[str, ...]:
    """By value where all are numbers, else by name.

    >>> _in_order({"10", "9"}), _in_order({"b", "a10", "a9"})
    (('9', '10'), ('a10', 'a9', 'b'))
    """
    return tuple(sorted(names, key=float if all(map(_is_number, names)) else None))


def _index(path: Path, label: str, name: str, names: tuple[str, ...]) -> int:
    if name not in names:
        raise DataError(f"{path}: {label} is {name!r}, legal is one of {', '.join(names)}")
    return names.index(name)


def _read_npz(path: Path, source: DataFile) -> Samples:
    try:
        arrays = read_arrays(path)
    except ArchiveError as error:
        raise DataError(str(error)) from error
    missing = {"features", "labels"} - set(arrays)
    unknown = set(arrays) - set(NPZ_KEYS)
    if missing or unknown:
        raise DataError(
            f"{path}: holds arrays {', '.join(sorted(arrays)) or 'of no name'}, legal are features "
            "and labels, and with them feature_names and class_names"
        )
    features, labels = arrays["features"], arrays["labels"]
    if features.ndim != 2 or features.dtype.kind not in "fiu":
        raise DataError(
            f"{path}: features are {features.dtype} of shape {features.shape}, legal are numbers "
            "of shape (samples, features)"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not labels.size:
        raise DataError(
            f"{path}: labels are {labels.dtype} of shape {labels.shape}, legal are whole numbers "
            "of shape (samples,)"
        )
    if labels.max() >= MAX_CLASSES:
        raise DataError(f"{path}: a label is {labels.max()}, legal is 0 to {MAX_CLASSES - 1}")
    counted = range(features.shape[1])
    feature_names = arrays.get("feature_names", [f"feature_{index}" for index in counted])
    class_names = arrays.get("class_names", range(int(labels.max()) + 1))
    return Samples(
        features.astype(np.float64),
        labels.astype(np.int64),
        _names(path, "feature_names", feature_names),
        source.classes or _names(path, "class_names", class_names),
    )


def _names(path: Path, key: str, names: Iterable[object]) -> tuple[str, ...]:
    try:
        return tuple(map(str, names))
    except (TypeError, SystemError) as error:  # a single value; characters that there are none of
        raise DataError(f"{path}: {key} are no list of names: {error}") from error
