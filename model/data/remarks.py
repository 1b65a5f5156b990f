"""Remarks on a dataset that its user should know before anything is trained on it."""

import re
from collections.abc import Iterator

import numpy as np

from model.data.datasets import Dataset
from model.data.tables import is_number

# Below these, integers that count up or differ from each other may be a measurement.
FEWEST_COUNTED, FEWEST_DISTINCT = 10, 20
NUMBERED = re.compile(r"(^|[\W_])(id|index|idx|key|no|nr|number|row|rownames?)\d*([\W_]|$)|Id$|ID$")


def remarks(dataset: Dataset) -> list[str]:
    """Sentences on classes that cannot be learned and on columns that look like no features."""
    return [*_of_classes(dataset), *_of_columns(dataset)]


def _of_classes(dataset: Dataset) -> Iterator[str]:
    if dataset.targets is not None:
        return
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    for how_many, words in (
        (0, "never occurs: its output is not trained"),
        (1, "has one sample: it cannot both train and test"),
    ):
        found = [repr(n) for n, c in zip(dataset.class_names, counts, strict=True) if c == how_many]
        if found:
            yield f"class {', '.join(found)} {words}"
    if counts[0] == 0:
        yield f"labels count the classes from 0, and the least label is {dataset.labels.min()}"
    values: dict[float, str] = {}
    for name in filter(is_number, dataset.class_names):
        if float(name) in values:
            yield f"classes {values[float(name)]!r} and {name!r} are the same number"
        values.setdefault(float(name), name)


def _of_columns(dataset: Dataset) -> Iterator[str]:
    remedy = 'if it is no feature, leave it out: dataset = {{ ..., leave_out = ["{}"] }}'
    for name, values in zip(dataset.feature_names, dataset.features.T, strict=True):
        why = _no_feature(name, values, dataset)
        if why:
            yield f"feature {name!r} {why}; {remedy.format(name)}"


def _no_feature(
    name: str, values: "np.ndarray[tuple[int], np.dtype[np.float64]]", dataset: Dataset
) -> str:
    distinct = np.unique(values)
    integers = bool((distinct == np.rint(distinct)).all())
    if integers and len(distinct) == len(values) >= FEWEST_COUNTED:
        first, last = int(distinct[0]), int(distinct[-1])
        if last - first + 1 == len(values):
            return f"counts the samples from {first} to {last}"
        if len(values) >= FEWEST_DISTINCT and NUMBERED.search(name):
            return "numbers the samples: each of its values occurs once"
    classes = [frozenset(dataset.labels[values == value].tolist()) for value in distinct[:65]]
    occur = len(set(dataset.labels.tolist()))
    if len(distinct) == len(set(classes)) == occur > 1 and all(len(c) == 1 for c in classes):
        return "is the class itself: each of its values belongs to one class"
    return ""
