"""Metrics of a classification, by scikit-learn's definitions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
)

from model.format import Int

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Metrics:
    """``correct`` of ``samples``; precision and recall are means over the classes (macro)."""

    samples: int
    correct: int
    accuracy: float
    precision: float
    recall: float


def measure(labels: Int, predicted: Int) -> Metrics:
    """Metrics of predicted classes ``[samples]`` against labels ``[samples]``.

    A class that is never predicted has precision 0. Raises ValueError where the shapes differ
    or no sample is given.

    >>> import numpy as np
    >>> measure(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    Metrics(samples=4, correct=3, accuracy=0.75, precision=0.8333333333333333, recall=0.75)
    """
    if labels.shape != predicted.shape or not labels.size:
        raise ValueError(f"{predicted.shape} classes for {labels.shape} labels")
    precision, recall, _, _ = precision_recall_fscore_support(
        labels, predicted, average="macro", zero_division=0.0
    )
    correct = int((labels == predicted).sum())
    return Metrics(labels.size, correct, correct / labels.size, float(precision), float(recall))


def area_under_curve(labels: Int, scores: Real) -> float | None:
    """Area under the ROC curve of class 1 by its scores ``[samples]``, in any unit.

    The share of pairs of one sample of class 1 and one of class 0 in which the former has the
    higher score; ties count half. None where a class has no sample.

    >>> area_under_curve(np.array([0, 0, 1, 1]), np.array([10.0, 40.0, 35.0, 80.0]))
    0.75
    """
    return float(roc_auc_score(labels, scores)) if 0 < labels.sum() < labels.size else None


@dataclass(frozen=True)
class Fit:
    """Quality of a regression: root of the mean squared error, and R2 over all values."""

    samples: int
    rmse: float
    r2: float


def fit(targets: Real, values: Real) -> Fit:
    """Quality of values ``[samples, n]`` against targets of the same shape, in their units.

    R2 is the mean over the columns, as scikit-learn has it; that of one sample is 0.

    >>> fit(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [3.5]]))
    Fit(samples=3, rmse=0.28867513459481287, r2=0.875)
    """
    rmse = float(np.sqrt(np.square(targets - values).mean()))
    return Fit(len(targets), rmse, float(r2_score(targets, values)) if len(targets) > 1 else 0.0)


# Part of the samples that quantization may cost before it is said loudly.
MOST_LOST = 0.05


def shortfall(labels: Int, floats: Int, quantized: Int) -> str | None:
    """Return a sentence where quantized classes are far worse than those of the float network.

    All are ``[samples]``; None where quantization costs at most `MOST_LOST` of the samples.

    >>> import numpy as np
    >>> shortfall(np.array([0, 1] * 4), np.array([0, 1] * 4), np.array([0] * 8))[:63]
    'the quantized network is correct on 4/8 samples, the float netw'
    """
    correct, wanted = int((quantized == labels).sum()), int((floats == labels).sum())
    if wanted - correct <= MOST_LOST * labels.size:
        return None
    return (
        f"the quantized network is correct on {correct}/{labels.size} samples, the float network "
        f"on {wanted}/{labels.size}: widen formats.weights_width, formats.activations_width or "
        "formats.input, or raise fine_tuning.epochs"
    )


def misfitting(targets: Real, floats: Real, quantized: Real) -> str | None:
    """Return a sentence where quantized values ``[samples, n]`` are far worse than the floats.

    None where quantization costs R2 at most `MOST_LOST`.
    """
    found, wanted = fit(targets, quantized).r2, fit(targets, floats).r2
    if wanted - found <= MOST_LOST:
        return None
    return (
        f"the quantized network has R2 {found:.4f}, the float network {wanted:.4f}: widen "
        "formats.weights_width, formats.activations_width or formats.input, or raise "
        "fine_tuning.epochs"
    )


def misfit(labels: Int, given: Int, classes: Sequence[str]) -> str | None:
    """Return a sentence where classes ``[samples]`` of a trained network hardly fit the labels.

    None where it is nearer to all correct than to always giving the most frequent class.
    """
    correct, count = int((given == labels).sum()), len(classes)
    if 2 * correct >= labels.size + int(np.bincount(labels).max()):
        return None
    matrix = confusion_matrix(labels, given, labels=range(count))
    order = matrix.argmax(axis=0)
    reordered = int(matrix.max(axis=0).sum()) if len(set(order.tolist())) == count else 0
    hint = "check the scaling of features and the order of classes"
    if 2 * reordered >= labels.size + int(np.bincount(labels).max()):
        names = ", ".join(classes[index] for index in order)
        hint = f"with its outputs in the order {names} it would be correct on {reordered}"
    return (
        f"parameters that come with the network are correct on {correct}/{labels.size} training "
        f"samples: {hint}"
    )
