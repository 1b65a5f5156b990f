"""Integer reference: what every other implementation must equal, bit for bit.

The operators take and give int64 arrays of codes; `trace` strings them together.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import VerbatimError
from model import tables
from model.artifact import Network
from model.format import Format, Int
from model.stage import PROBABILITY_ONE
from model.stages.linear import LayerSpec
from model.stages.output import ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import SoftmaxSpec
from model.tables import RECIPROCAL_ADDR_W, RECIPROCAL_W

# Samples of which `predict` holds every tensor at a time.
PIECE = 4096


class FeatureError(VerbatimError):
    """Features of the wrong shape, type or value: the message names it."""


def quantize(x: NDArray[np.float64], fmt: Format) -> Int:
    """Codes of real values: ``saturate(rne(x * 2**frac))``. Any shape.

    Raises `FeatureError` on NaN and infinities. Same as ONNX ``QuantizeLinear`` at zero point 0.

    >>> quantize(np.array([0.1, 7.9, 0.03125, 0.09375, 99.0]), Format(8, 4)).tolist()
    [2, 126, 0, 2, 127]
    """
    x = np.asarray(x, dtype=np.float64)
    _require_finite(x)
    with np.errstate(over="ignore"):  # what is too large for a float too saturates
        scaled = x / fmt.lsb
    return np.clip(np.rint(scaled), fmt.q_min, fmt.q_max).astype(np.int64)


def as_features(x: ArrayLike, n_in: int) -> NDArray[np.float64]:
    """Features ``[samples, n_in]`` as float64.

    Raises `FeatureError` on another shape, another type than a number, NaN and infinities.
    """
    try:
        found = np.asarray(x)
    except ValueError as error:
        raise FeatureError("rows of features must have equal length") from error
    if found.ndim != 2 or found.shape[1] != n_in:
        raise FeatureError(f"features must have shape (samples, {n_in}), got {found.shape}")
    if found.dtype.kind not in "iuf":
        raise FeatureError(f"features must be real numbers, got {found.dtype}")
    features: NDArray[np.float64] = found.astype(np.float64, copy=False)
    _require_finite(features)
    return features


def _require_finite(x: NDArray[np.float64]) -> None:
    if not np.isfinite(x).all():
        where = np.argwhere(~np.isfinite(x))[0].tolist()
        raise FeatureError(f"feature {where} must be a finite number, got {x[tuple(where)]}")


def linear(x: Int, weights: Int, biases: Int) -> Int:
    """Sums ``x @ weights.T + biases``: ``[..., n_in]`` codes to ``[..., n_out]`` accumulators."""
    return x @ weights.T + biases


def requantize(acc: Int, *, shift: int, width: int) -> Int:
    """Round ``acc / 2**shift`` half to even and saturate it to ``width`` signed bits.

    Any shape; accumulator LSBs in, output LSBs out. Same rounding as ``torch.round``,
    ``np.rint`` and ONNX ``QuantizeLinear``.

    >>> requantize(np.array([8, 24, -8, -24, 25, 4095]), shift=4, width=8).tolist()
    [0, 2, 0, -2, 2, 127]
    >>> requantize(np.array([-129, 5]), shift=0, width=8).tolist()
    [-128, 5]
    """
    floor, dropped = acc >> shift, acc & ((1 << shift) - 1)
    twice = 2 * dropped
    round_up = (twice > 1 << shift) | ((twice == 1 << shift) & (floor & 1 == 1))
    rounded: Int = np.clip(floor + round_up, -(1 << (width - 1)), (1 << (width - 1)) - 1)
    return rounded


def relu(q: Int) -> Int:
    """``max(q, 0)``, any shape."""
    return np.maximum(q, 0)


def activate(q: Int, table: Int) -> Int:
    """Entry of a table in two's complement for each code, any shape.

    >>> activate(np.array([1, -1, -2]), table=np.array([0, 10, 30, 20])).tolist()
    [10, 20, 30]
    """
    found: Int = table[q]
    return found


def taylor2(logits: Int, *, frac: int) -> Int:
    """Scores ``2**(2*frac+1) * (1 + x + x**2/2)`` of ``x = logits * 2**-frac``, exactly.

    >>> taylor2(np.array([0, 16, -16, -32]), frac=4).tolist()     # x = 0, 1, -1, -2
    [512, 1280, 256, 512]
    """
    scores: Int = (logits + (1 << frac)) ** 2 + (1 << 2 * frac)
    return scores


def exp(logits: Int, table: Int) -> Int:
    """Scores by table of the distance to the largest logit: ``[..., n]`` to ``[..., n]``.

    >>> exp(np.array([3, 1, 3]), table=np.array([100, 37, 14, 5])).tolist()
    [100, 14, 100]
    """
    scores: Int = table[logits.max(axis=-1, keepdims=True) - logits]
    return scores


def winner(scores: Int) -> Int:
    """Index of the largest score, the lowest one on a tie: ``[..., n]`` to ``[...]``."""
    index: Int = scores.argmax(axis=-1)
    return index


def quotients(scores: Int, totals: Int) -> Int:
    """``255 * scores / totals`` by reciprocal table: ``[..., n]`` and ``[...]`` to ``[..., n]``.

    Never above the floor of the exact quotient, and at most 1 below it where a score is at most
    half of its total, as a loser's is.

    >>> quotients(np.array([100, 50, 50]), np.array(200)).tolist()     # exact: 127.5, 63.75
    [127, 63, 63]
    """
    # frexp is exact below 2**53: total = m * 2**e with m in [0.5, 1).
    leading_one = np.frexp(totals.astype(np.float64))[1].astype(np.int64) - 1
    top = (totals << RECIPROCAL_ADDR_W) >> leading_one
    reciprocals = tables.reciprocal()[top - (1 << RECIPROCAL_ADDR_W)]
    shift = leading_one + RECIPROCAL_W - RECIPROCAL_ADDR_W
    quotient: Int = (scores * reciprocals[..., None]) >> shift[..., None]
    return quotient


def exact_quotients(scores: Int, totals: Int) -> Int:
    """``floor(255 * scores / totals)``: ``[..., n]`` and ``[...]`` to ``[..., n]``.

    >>> exact_quotients(np.array([100, 50, 50]), np.array(200)).tolist()     # 127.5, 63.75
    [127, 63, 63]
    """
    quotient: Int = PROBABILITY_ONE * scores // totals[..., None]
    return quotient


def divided(scores: Int, totals: Int, spec: SoftmaxSpec) -> Int:
    """Quotients by the divider of ``spec``: ``[..., n]`` and ``[...]`` to ``[..., n]``."""
    divide = {"reciprocal": quotients, "restoring": exact_quotients}[spec.divider]
    return divide(scores, totals)


def remainder(quotient: Int, classes: Int) -> Int:
    """Probabilities: losers keep their quotient, the winner gets 255 minus all of them."""
    losers = quotient.copy()
    np.put_along_axis(losers, classes[..., None], 0, axis=-1)
    rest = PROBABILITY_ONE - losers.sum(axis=-1, keepdims=True)
    np.put_along_axis(losers, classes[..., None], rest, axis=-1)
    return losers


def softmax(logits: Int, spec: SoftmaxSpec) -> dict[str, Int]:
    """All that the softmax makes of logits ``[..., n]``, by the score and divider of ``spec``.

    Keys in data-path order: ``scores``, ``totals``, ``quotients``, ``probabilities``, ``class``.
    """
    if spec.score == "exp":
        scores = exp(logits, tables.exponential(spec))
    else:
        scores = taylor2(logits, frac=spec.x.frac)
    return {"scores": scores, **normalized(scores, spec)}


def normalized(scores: Int, spec: SoftmaxSpec) -> dict[str, Int]:
    """Totals of scores ``[..., n]`` and all that follows: `softmax` without its first part."""
    totals = scores.sum(axis=-1)
    quotient, classes = divided(scores, totals, spec), winner(scores)
    return {
        "totals": totals,
        "quotients": quotient,
        "probabilities": remainder(quotient, classes),
        "class": classes,
    }


def saturated_address(x: Int, *, drop: int, width: int) -> Int:
    """Address of codes in a table of ``2**width`` entries: low bits dropped, then saturated.

    >>> saturated_address(np.array([37, -37, 127, -128]), drop=2, width=4).tolist()
    [7, -8, 7, -8]
    """
    address: Int = np.clip(x >> drop, -(1 << (width - 1)), (1 << (width - 1)) - 1)
    return address


def sigmoid(logits: Int, fmt: Format) -> Int:
    """Sigmoid of each logit of a format, in units of 1/255, by table. Any shape.

    >>> sigmoid(np.array([-128, -16, 0, 16, 127]), Format(8, 4)).tolist()
    [0, 69, 128, 186, 255]
    """
    width, drop = tables.sigmoid_address(fmt)
    # An address below 0 counts from the end, as two's complement does.
    found: Int = tables.sigmoid(fmt)[saturated_address(logits, drop=drop, width=width)]
    return found


def _linear_stage(layer: LayerSpec, network: Network, x: Int) -> dict[str, Int]:
    acc = linear(x, network.weights[layer.weights], network.biases[layer.name])
    y = requantize(acc, shift=layer.shift, width=layer.z.width)
    values = {f"{layer.name}.acc": acc, f"{layer.name}.y": y}
    if layer.activation:
        return values | {layer.key: activate(y, layer.activation.table(layer.y))}
    return values | ({layer.key: relu(y)} if layer.relu else {})


def _softmax_stage(spec: SoftmaxSpec, network: Network, x: Int) -> dict[str, Int]:
    return {f"{spec.name}.{key}": value for key, value in softmax(x, spec).items()}


def _logits_stage(spec: LogitsSpec, network: Network, x: Int) -> dict[str, Int]:
    return {spec.key: x, **({f"{spec.name}.class": winner(x)} if spec.ranked else {})}


def _argmax_stage(spec: ArgmaxSpec, network: Network, x: Int) -> dict[str, Int]:
    return {spec.key: winner(x)}


def _sigmoid_stage(spec: SigmoidSpec, network: Network, x: Int) -> dict[str, Int]:
    p = sigmoid(x, spec.x)
    return {spec.key: p, **({f"{spec.name}.class": p[:, 0] >> 7} if spec.classes else {})}


# What each kind of stage makes of the vectors that enter it: the values on its streams.
STAGES: Mapping[str, Callable[[Any, Network, Int], dict[str, Int]]] = {
    LayerSpec.kind: _linear_stage,
    SoftmaxSpec.kind: _softmax_stage,
    LogitsSpec.kind: _logits_stage,
    ArgmaxSpec.kind: _argmax_stage,
    SigmoidSpec.kind: _sigmoid_stage,
}


def trace(network: Network, x: Int) -> dict[str, Int]:
    """Every value on every stream of the hardware, for samples of codes ``[samples, n_in]``.

    Keys in data-path order: ``input``; of a layer ``NAME.acc``, ``NAME.y`` and, where it has an
    activation, ``NAME.relu`` or ``NAME.FUNCTION``; of a softmax ``softmax.scores``,
    ``softmax.totals``, ``softmax.quotients``, ``softmax.probabilities``, ``softmax.class``; of
    other outputs ``logits.values``, ``sigmoid.probabilities``, and ``NAME.class`` where they have
    classes.
    """
    values = {"input": x}
    for stage in network.spec.stages:
        values |= STAGES[stage.kind](stage, network, x)
        x = values[stage.key]
    return values


def encode(network: Network, features: ArrayLike) -> Int:
    """Input codes ``[samples, n_in]`` of real features in their own units: scaled, then quantized.

    Raises `FeatureError` where a feature is not finite or a sample has not ``n_in`` of them.
    """
    known = as_features(features, network.spec.n_in)
    scaled = known if network.scaling is None else network.scaling.apply(known)
    return quantize(scaled, network.spec.x)


def result(network: Network, values: Mapping[str, Int]) -> tuple[Int, Int]:
    """Classes ``[samples]`` and results ``[samples, n_out]`` of a `trace`, as they leave a core.

    The classes are 0 where the output has none.
    """
    output = network.spec.output
    results = values[output.key].reshape(-1, network.spec.n_out)
    classes = values.get(f"{output.name}.class")
    return (np.zeros(len(results), np.int64) if classes is None else classes), results


def predict(network: Network, features: NDArray[np.float64]) -> tuple[Int, Int]:
    """Classes ``[samples]`` and results ``[samples, n_out]`` of real features.

    Results are those of the network's output, such as probabilities in units of 1/255. Raises
    `FeatureError` where a feature is not finite or a sample has not ``n_in`` of them. Tensors of
    `PIECE` samples are held at a time.
    """
    codes = encode(network, features)
    starts = range(0, max(len(codes), 1), PIECE)
    found = [result(network, trace(network, codes[at : at + PIECE])) for at in starts]
    classes, results = zip(*found, strict=True)
    return np.concatenate(classes), np.concatenate(results)
