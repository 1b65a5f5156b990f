"""Samples in a user's own file: a table in text, or an NPZ of two arrays."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.data.archive import ArchiveError, read_arrays
from model.data.tables import DataError, Table, is_number, opened
from model.format import Int, require
from model.stages.softmax import MAX_CLASSES

SUFFIXES = (".csv", ".npz")
NPZ_KEYS = ("features", "labels", "feature_names", "class_names")
# Fewer samples may all differ and still be classes.
FEWEST_MEASURED = 10
HEADER_REMEDY = (
    "header = true or header = false in the recipe's dataset (--header yes or no of scripts.new)"
)


@dataclass(frozen=True)
class DataFile:
    """Place and columns of samples. ``label`` is the CSV's column of classes, by default its last.

    ``classes`` are their names in order; where left out, all that occur, numbers by value.
    In the place of a label, ``targets`` names the CSV's columns of values of a regression, or of an
    NPZ the arrays that hold them, ``[samples]`` or ``[samples, n]``.
    ``leave_out`` names columns that are no features. ``header`` says whether the first line of a
    CSV is one, where that cannot be told from the file.
    """

    file: str
    label: str | None = None
    classes: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    header: bool | None = None
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = isinstance(self.file, str) and self.file.isprintable()
        legal = named and self.file.endswith(SUFFIXES)
        require(legal, f"dataset: file must be a path to a .csv or .npz, got {self.file!r}")
        csv = self.file.endswith(".csv")
        legal = self.label is None or (isinstance(self.label, str) and csv)
        require(legal, f"dataset: label must be the name of a CSV's column, got {self.label!r}")
        for key in ("classes", "leave_out", "targets"):
            names = getattr(self, key)
            legal = isinstance(names, list | tuple) and all(isinstance(n, str) for n in names)
            legal = legal and len(set(names)) == len(names)
            require(legal, f"dataset: {key} must be a list of names, each once, got {names!r}")
            object.__setattr__(self, key, tuple(names))
        require(
            not self.targets or (self.label is None and not self.classes),
            "dataset: targets must be columns of a CSV or arrays of an NPZ, without label and "
            "classes",
        )
        legal = self.header is None or (isinstance(self.header, bool) and csv)
        require(legal, f"dataset: header must be true or false, for a CSV, got {self.header!r}")


@dataclass(frozen=True, eq=False)
class Samples:
    """``features [samples, n_in]`` and ``labels [samples]``, with the names of both.

    Of a regression ``targets [samples, n]`` are real, ``class_names`` theirs, and labels are 0.
    ``ignored`` are the file's columns that are no features: its label, and what is left out. Where
    ``named`` is False, the file has no names of features, and they go by position.
    """

    features: NDArray[np.float64]
    labels: Int
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    named: bool = True
    targets: NDArray[np.float64] | None = None


def read(source: DataFile, folder: Path) -> Samples:
    """Read the samples of a file, whose path is relative to ``folder``; raises `DataError`."""
    path = folder / source.file
    if path.suffix == ".npz":
        return _read_npz(path, source)
    with opened(path, header=source.header, remedy=HEADER_REMEDY) as table:
        return _read_table(table, source)


def _read_table(table: Table, source: DataFile) -> Samples:
    path, names = table.path, table.names
    if len(names) < 2:
        raise DataError(
            f"{path}: has one column, {names[0]!r}, expected a class and one feature or more, "
            "separated by commas, semicolons or tabs"
        )
    if source.targets:
        return _read_targets(table, source)
    label = names[-1] if source.label is None else source.label
    if label not in names:
        raise DataError(f"{path}: label is {label!r}, expected one of {', '.join(names)}")
    column, kept = names.index(label), _kept(path, names, (label,), source.leave_out)
    features, found = [], []
    for line, row in table.rows:
        found.append(row[column].strip())
        if not found[-1]:
            raise DataError(f"{table.where(line, column)} is empty, expected a class")
        features.append([table.number(line, n, row[n]) for n in kept])
    if not features:
        raise DataError(f"{path}: has no sample, expected at least one line below the header")
    classes = source.classes or _in_order(set(found))
    _require_classes(path, label, found, classes)
    index = {name: n for n, name in enumerate(classes)}
    labels = np.array([_index(path, label, name, index) for name in found])
    return Samples(
        np.array(features),
        labels,
        tuple(names[n] for n in kept),
        classes,
        (label, *source.leave_out),
        table.named,
    )


def _read_targets(table: Table, source: DataFile) -> Samples:
    path, names, targets = table.path, table.names, source.targets
    unknown = [name for name in targets if name not in names]
    if unknown:
        raise DataError(f"{path}: targets has {unknown[0]!r}, expected some of {', '.join(names)}")
    kept = _kept(path, names, targets, source.leave_out)
    columns = [names.index(name) for name in targets]
    rows = [[table.number(line, n, row[n]) for n in (*kept, *columns)] for line, row in table.rows]
    if not rows:
        raise DataError(f"{path}: has no sample, expected at least one line below the header")
    numbers = np.array(rows)
    return Samples(
        numbers[:, : len(kept)],
        np.zeros(len(rows), dtype=np.int64),
        tuple(names[n] for n in kept),
        targets,
        (*targets, *source.leave_out),
        table.named,
        numbers[:, len(kept) :],
    )


def _kept(
    path: Path, names: Sequence[str], labels: Sequence[str], left_out: Sequence[str]
) -> list[int]:
    """Columns of the features."""
    columns = [name for name in names if name not in labels]
    unknown = [name for name in left_out if name not in columns]
    if unknown:
        raise DataError(
            f"{path}: leave_out has {unknown[0]!r}, expected some of {', '.join(columns)}"
        )
    kept = [n for n, name in enumerate(names) if name not in (*labels, *left_out)]
    if not kept:
        raise DataError(f"{path}: leave_out leaves no feature, expected at least one")
    return kept


def _require_classes(path: Path, label: str, found: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse labels that are measured values, or more classes than the hardware has."""
    numeric = all(map(is_number, classes))
    if len(classes) <= MAX_CLASSES and not are_measured(found):
        return
    why = f": for a regression on it, dataset = {{ ..., targets = [{label!r}] }}" if numeric else ""
    raise DataError(
        f"{path}: column {label!r} has {len(classes)} different values in {len(found)} samples, "
        f"expected at most {MAX_CLASSES} classes of several samples each{why}"
    )


def are_measured(found: Sequence[str]) -> bool:
    """Return whether cells are measured values: numbers, most of which occur once."""
    counts = Counter(found)
    once = sum(count == 1 for count in counts.values())
    many = len(counts) > MAX_CLASSES or 2 * once > len(counts)
    return len(found) >= FEWEST_MEASURED and many and all(map(is_number, counts))


def as_found(source: DataFile, folder: Path) -> DataFile:
    """The same samples as a regression, where the label of a file holds measured values.

    Those of an NPZ are measured where they are no integers, or have several columns.
    """
    path = folder / source.file
    if source.classes or source.targets:
        return source
    if path.suffix == ".npz":
        labels = _arrays(path).get("labels")
        measured = labels is not None and (labels.dtype.kind == "f" or labels.ndim > 1)
        return replace(source, targets=("labels",)) if measured else source
    with opened(path, header=source.header, remedy=HEADER_REMEDY) as table:
        label = table.names[-1] if source.label is None else source.label
        if label not in table.names:
            return source
        column = table.names.index(label)
        measured = are_measured([row[column].strip() for _, row in table.rows])
    return replace(source, label=None, targets=(label,)) if measured else source


def _in_order(names: set[str]) -> tuple[str, ...]:
    """By value where all are numbers, else by name; the same in every process.

    >>> _in_order({"10", "9"}), _in_order({"b", "a10", "a9"}), _in_order({"1.0", "1"})
    (('9', '10'), ('a10', 'a9', 'b'), ('1', '1.0'))
    """
    numbers = all(map(is_number, names))
    return tuple(sorted(names, key=lambda name: (float(name) if numbers else 0.0, name)))


def _index(path: Path, label: str, name: str, index: dict[str, int]) -> int:
    if name not in index:
        raise DataError(f"{path}: {label} is {name!r}, expected one of {', '.join(index)}")
    return index[name]


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return read_arrays(path)
    except ArchiveError as error:
        raise DataError(str(error)) from error


def _read_npz(path: Path, source: DataFile) -> Samples:
    arrays = _arrays(path)
    wanted = source.targets or ("labels",)
    missing = {"features", *wanted} - set(arrays)
    unknown = set(arrays) - {*NPZ_KEYS, *wanted}
    if missing or unknown:
        raise DataError(
            f"{path}: holds arrays {', '.join(sorted(arrays)) or 'of no name'}, expected features "
            f"and {', '.join(wanted)}, and with them feature_names and class_names"
        )
    features = arrays["features"]
    require_numbers(path, features)
    every = tuple(f"feature_{index}" for index in range(features.shape[1]))
    if "feature_names" in arrays:
        every = names(path, "feature_names", arrays["feature_names"], features.shape[1])
    kept = _kept(path, every, (), source.leave_out)
    targets = None
    if source.targets:
        targets = np.hstack([_targets(path, n, arrays[n], len(features)) for n in source.targets])
        labels = np.zeros(len(targets), dtype=np.int64)
        outputs = tuple(name for key in source.targets for name in _columns(key, arrays[key]))
    else:
        labels = _labels(path, arrays["labels"])
        outputs = tuple(map(str, range(int(labels.max()) + 1)))
    if "class_names" in arrays:
        count = len(outputs) if source.targets else None
        outputs = names(path, "class_names", arrays["class_names"], count)
    return Samples(
        as_float64(features)[:, kept],
        labels,
        tuple(every[n] for n in kept),
        source.classes or outputs,
        source.leave_out,
        "feature_names" in arrays,
        targets,
    )


def _labels(path: Path, labels: NDArray[Any]) -> Int:
    """Classes of an array, which counts them from 0."""
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not labels.size:
        real = labels.dtype.kind in "fiu" and labels.ndim in (1, 2)
        why = ": for a regression on it, dataset = { ..., targets = ['labels'] }" if real else ""
        raise DataError(
            f"{path}: labels are {labels.dtype} of shape {labels.shape}, expected integers of "
            f"shape (samples,), which count the classes from 0{why}"
        )
    if labels.max() >= MAX_CLASSES:
        raise DataError(
            f"{path}: a label is {labels.max()}, expected 0 to {MAX_CLASSES - 1}: labels count "
            "classes from 0, and measured values are no classes: for a regression on it, "
            "dataset = { ..., targets = ['labels'] }"
        )
    return labels.astype(np.int64)


def _targets(path: Path, key: str, values: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Targets ``[count, n]`` of an array, which may be a single column without its dimension."""
    real = values.ndim in (1, 2) and values.dtype.kind in "fiu"
    if not real or not values.size or len(values) != count:
        raise DataError(
            f"{path}: {key} are {values.dtype} of shape {values.shape}, expected real numbers of "
            f"shape ({count},) or ({count}, targets)"
        )
    return as_float64(values.reshape(len(values), -1))


def _columns(key: str, values: NDArray[Any]) -> list[str]:
    """Names of the targets in an array."""
    one = values.ndim == 1 or values.shape[1] == 1
    return [key] if one else [f"{key}_{index}" for index in range(values.shape[1])]


def require_numbers(path: Path, features: NDArray[Any]) -> None:
    """Raise `DataError` unless an array is one of real features ``[samples, n_in]``."""
    if features.ndim != 2 or features.dtype.kind not in "fiu":
        raise DataError(
            f"{path}: features are {features.dtype} of shape {features.shape}, expected real "
            "numbers of shape (samples, features)"
        )


def as_float64(features: NDArray[Any]) -> NDArray[np.float64]:
    """Return numbers as float64; what is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return features.astype(np.float64)


def names(
    path: Path, key: str, found: Iterable[object], count: int | None = None
) -> tuple[str, ...]:
    """Names in an array of an NPZ, each once; raises `DataError`."""
    try:
        listed = tuple(map(str, found))
    except (TypeError, SystemError):  # a single value; characters that there are none of
        listed = ()
    if not listed or len(set(listed)) != len(listed) or count not in (None, len(listed)):
        raise DataError(
            f"{path}: {key} must be a list of {count or 'the'} names, each once, "
            f"got {', '.join(listed) or 'none'}"
        )
    return listed
