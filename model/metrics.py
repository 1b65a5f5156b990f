"""Metrics of a classification, by scikit-learn's definitions."""

from dataclasses import dataclass

from sklearn.metrics import precision_recall_fscore_support

from model.format import Int


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
