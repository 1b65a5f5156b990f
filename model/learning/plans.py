"""Plans of networks that are shipped, and their samples as codes."""

import dataclasses

from model.data import datasets, scaling
from model.format import Int
from model.learning.backprop import IRIS, Plan
from model.reference import quantize

WINE = Plan((13, 16, 3), (0, 1), (True, False), (2, 2), 50, 142, divider="restoring")
CANCER = Plan((30, 16, 8, 2), (0, 1, 2), (True, True, False), (2, 2, 1), 30, 455)
DIGITS = Plan((64, 32, 10), (0, 1), (True, False), (3, 2), 30, 1437, divider="restoring")
# Of the codes of every network's features.
INPUT = IRIS.x(0)

PLANS = {"iris": IRIS, "wine": WINE, "breast_cancer": CANCER, "digits": DIGITS}


def with_score(plan: Plan, score: str) -> Plan:
    """The same plan through the other softmax."""
    return dataclasses.replace(plan, score=score, logit_frac=None)


def scaling_of(name: str, rows: scaling.Real) -> scaling.Scaling:
    """The scaling of training rows ``[samples, n_in]`` before they become codes.

    Digits are 0 .. 16 by nature; all others are standardized.
    """
    n = rows.shape[1]
    if name == "digits":
        return scaling.Scaling((0.0,) * n, (16.0,) * n)
    return scaling.standardize(rows)


def samples_of(name: str) -> tuple[Int, Int]:
    """Codes and labels of a dataset's training samples, as the plans of `PLANS` take them."""
    data = datasets.load(name)
    train, _ = datasets.split(data, 0.2, 0)
    rows = data.features[train]
    return quantize(scaling_of(name, rows).apply(rows), PLANS[name].x(0)), data.labels[train]
