"""The same networks learned in float64, beside which the integers are measured.

Parameters are ``[n_out, n_in + 1]`` by weight set, the bias in the last column, as masters are.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.format import Int
from model.learning.backprop import LFSR_W, MASTER, Lfsr, Plan, order, start

Real = NDArray[np.float64]
# Adam's constants (Kingma and Ba, 2015).
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def begin(plan: Plan, seed: int) -> list[Real]:
    """The random start of the integers, as floats."""
    return [_real(rows) for rows in start(plan, Lfsr(seed))]


def _real(masters: Int) -> Real:
    return np.asarray(masters * MASTER.lsb, np.float64)


def outputs(plan: Plan, parameters: Sequence[Real], x: Real) -> list[Real]:
    """Inputs of each layer ``[samples, n]``, then the logits."""
    xs = [x]
    for layer, number in enumerate(plan.sets):
        y = xs[-1] @ parameters[number][:, :-1].T + parameters[number][:, -1]
        xs.append(np.maximum(y, 0.0) if plan.relu[layer] else y)
    return xs


def gradient(plan: Plan, parameters: Sequence[Real], x: Real, labels: Int) -> list[Real]:
    """Mean gradient of the cross-entropy behind the plan's score, by weight set.

    A score is ``exp(y)``, or ``1 + y + y**2 / 2``, whose logarithm has the slope ``2u / (1 + u*u)``
    at ``u = 1 + y``.
    """
    xs = outputs(plan, parameters, x)
    logits = xs[-1]
    if plan.score == "exp":
        scores, slope = np.exp(logits - logits.max(axis=1, keepdims=True)), np.ones_like(logits)
    else:
        u = 1.0 + logits
        scores, slope = (1.0 + u * u) / 2, 2 * u / (1.0 + u * u)
    delta = scores / scores.sum(axis=1, keepdims=True)
    delta[np.arange(len(labels)), labels] -= 1.0
    delta *= slope / len(labels)
    found = [np.zeros_like(rows) for rows in parameters]
    for layer in range(plan.layers - 1, -1, -1):
        rows = parameters[plan.sets[layer]]
        found[plan.sets[layer]] += np.column_stack([delta.T @ xs[layer], delta.sum(axis=0)])
        if layer:
            delta = delta @ rows[:, :-1]
            if plan.relu[layer - 1]:
                delta = delta * (xs[layer] > 0)
    return found


def sgd(plan: Plan, seed: int, x: Real, labels: Int) -> Iterator[tuple[int, list[Real]]]:
    """Learn a sample at a time from the start, in the order and at the rate of the integers.

    Yields, after each epoch, the wrong answers, each given before its sample was learned, and the
    parameters.
    """
    lfsr = Lfsr(seed)
    parameters = [_real(rows) for rows in start(plan, lfsr)]
    for epoch in range(plan.epochs):
        rate, wrong = 2.0 ** -plan.rate(epoch), 0
        for j in order(plan.samples, lfsr.step(LFSR_W)).tolist():
            lfsr.step()
            wrong += 1 - correct(plan, parameters, x[j : j + 1], labels[j : j + 1])
            found = gradient(plan, parameters, x[j : j + 1], labels[j : j + 1])
            for rows, slope in zip(parameters, found, strict=True):
                rows -= rate * slope
        yield wrong, parameters


def adam(
    plan: Plan, seed: int, x: Real, labels: Int, *, epochs: int, learning_rate: float
) -> list[Real]:
    """Learn all samples at once by Adam from the integers' start."""
    parameters = begin(plan, seed)
    mean = [np.zeros_like(rows) for rows in parameters]
    square = [np.zeros_like(rows) for rows in parameters]
    for step in range(1, epochs + 1):
        for k, slope in enumerate(gradient(plan, parameters, x, labels)):
            mean[k] = BETA_1 * mean[k] + (1 - BETA_1) * slope
            square[k] = BETA_2 * square[k] + (1 - BETA_2) * slope * slope
            scale = np.sqrt(square[k] / (1 - BETA_2**step)) + EPSILON
            parameters[k] -= learning_rate * mean[k] / (1 - BETA_1**step) / scale
    return parameters


def correct(plan: Plan, parameters: Sequence[Real], x: Real, labels: Int) -> int:
    """Samples whose largest score is that of their label."""
    logits = outputs(plan, parameters, x)[-1]
    scores = logits if plan.score == "exp" else (1.0 + (1.0 + logits) ** 2) / 2
    return int((scores.argmax(axis=1) == labels).sum())
