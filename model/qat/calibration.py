"""The format of each tensor: widths from the recipe, fracs from what samples give rise to."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.format import MAX_FRAC, MIN_FRAC, Format, SpecError
from model.frontends.torch_fx import Layer, outputs
from model.stages.softmax import MAX_LOGIT_FRAC
from model.tables import MAX_TABLE_W
from model.widths import Formats

# Bits of a sum up to which float64 is exact.
EXACT_BITS = 53

Choose = Callable[[int, Tensor, int], Format]


@dataclass(frozen=True)
class Calibration:
    """Formats of the input, of each weight matrix, and of each layer's output.

    ``sums`` are those that a layer's sums are rounded to where it has an activation by table.
    """

    x: Format
    weights: Mapping[str, Format]
    outputs: Mapping[str, Format]
    sums: Mapping[str, Format] = field(default_factory=dict)

    def of_sums(self, layer: str) -> Format:
        """The format that a layer's sums are rounded to."""
        return self.sums.get(layer) or self.outputs[layer]


def fake_quantize(values: Tensor, fmt: Format) -> Tensor:
    """``saturate(rne(x * 2**frac)) * 2**-frac``; the gradient passes except where it saturates."""
    scaled = (values / fmt.lsb).clamp(fmt.q_min, fmt.q_max)
    return straight_through(torch.round(scaled), scaled) * fmt.lsb


def straight_through(exact: Tensor, smooth: Tensor) -> Tensor:
    """The value of ``exact`` with the gradient of ``smooth``: what is added is exactly 0."""
    return exact.detach() + (smooth - smooth.detach())


def best_format(width: int, largest: float, finest: int = MAX_FRAC) -> Format:
    """The finest format of ``width`` bits that holds ``+-largest``, its frac at most ``finest``.

    >>> best_format(8, 7.9), best_format(8, 8.0), best_format(8, 0.5, finest=4)
    (Format(width=8, frac=4), Format(width=8, frac=3), Format(width=8, frac=4))
    """
    for frac in range(min(finest, MAX_FRAC), MIN_FRAC, -1):
        if largest <= Format(width, frac).max_value:
            return Format(width, frac)
    return Format(width, MIN_FRAC)


def of_largest(width: int, values: Tensor, finest: int) -> Format:
    """The finest format that holds all values."""
    return best_format(width, float(values.detach().abs().max()), finest)


def of_least_error(width: int, values: Tensor, finest: int) -> Format:
    """The format with the least sum of squared errors; the coarser one on a tie.

    Never coarser than `of_largest`: what no value needs would only cost precision.
    """
    values = values.detach()
    widest = of_largest(width, values, finest)
    candidates = [Format(width, frac) for frac in range(widest.frac, min(finest, MAX_FRAC) + 1)]
    errors = [float((fake_quantize(values, fmt) - values).square().sum()) for fmt in candidates]
    return candidates[errors.index(min(errors))]


# One for each of `model.widths.CALIBRATIONS`.
CHOICES: dict[str, Choose] = {"max": of_largest, "mse": of_least_error}


def calibrate(layers: list[Layer], features: NDArray[np.float64], formats: Formats) -> Calibration:
    """Choose formats for what ``features [samples, n_in]`` give rise to, by the recipe's rule.

    An output is never finer than its layer's sums, logits have a frac from 0 to 16, and sums stay
    exact in float64. Where that leaves no format that holds all values, the largest weights or
    outputs saturate. Raises `SpecError` where the formats do not fit the layers.
    """
    formats.check([(layer.name, layer.weights) for layer in layers])
    choose = CHOICES[formats.calibration]
    samples = torch.tensor(features, dtype=torch.float64)
    x_frac = formats.input.frac
    if x_frac is None:
        x_frac = choose(formats.input.width, samples, MAX_FRAC).frac
    x = Format(formats.input.width, x_frac)
    weights = {
        layer.weights: choose(formats.of_weights(layer.name), layer.linear.weight, MAX_FRAC)
        for layer in layers
    }
    with torch.no_grad():
        observed = outputs(layers, samples)
    # Each turn moves the frac of a matrix, by what a layer asks of it, until all can be exported.
    for _ in range(2 * (MAX_FRAC - MIN_FRAC) * len(layers)):
        found, sums, asked = _of_outputs(layers, observed, formats, x, weights)
        if asked is None:
            return Calibration(x, weights, found, sums)
        layer, frac = asked
        weights[layer.weights] = Format(weights[layer.weights].width, frac)
    raise SpecError(
        f"formats: no frac of the weights of layer {layer.name} keeps its sums exact and its "
        "output in range: widen formats.weights_width or formats.input, or scale the features"
    )


def of_logits(formats: Formats, layer: str, logits: Tensor, finest: int) -> Format:
    """The format of a last layer's outputs, by the rule of all; its frac is 0 to ``finest``."""
    choose, width = CHOICES[formats.calibration], formats.of_outputs(layer)
    fmt = choose(width, logits, min(finest, MAX_LOGIT_FRAC))
    return Format(width, max(fmt.frac, 0))


def _of_outputs(
    layers: list[Layer],
    observed: list[Tensor],
    formats: Formats,
    x: Format,
    weights: Mapping[str, Format],
) -> tuple[dict[str, Format], dict[str, Format], tuple[Layer, int] | None]:
    """Formats of each layer's output, and of its sums where a table is between them.

    Or the first layer that needs another frac of its weights.
    """
    found: dict[str, Format] = {}
    sums: dict[str, Format] = {}
    choose = CHOICES[formats.calibration]
    for layer, y in zip(layers, observed, strict=True):
        w = weights[layer.weights]
        frac = w.frac + x.frac
        coarsest, finest = (0, MAX_LOGIT_FRAC) if layer is layers[-1] else (MIN_FRAC, MAX_FRAC)
        width = formats.of_outputs(layer.name)
        if layer.activation:
            with torch.no_grad():
                fmt = choose(width, layer.activation(y), finest)
            found[layer.name] = Format(width, max(fmt.frac, coarsest))
            width, coarsest, finest = min(width, MAX_TABLE_W), MIN_FRAC, MAX_FRAC
        if frac < coarsest:
            return found, sums, (layer, coarsest - x.frac)
        fmt = choose(width, y, min(finest, frac))
        fmt = Format(width, max(fmt.frac, coarsest))
        needed = max(_bits_of_sums(layer, w, x), width + frac - fmt.frac)
        if needed > EXACT_BITS and w.frac > MIN_FRAC:
            return found, sums, (layer, max(MIN_FRAC, w.frac - (needed - EXACT_BITS)))
        (sums if layer.activation else found)[layer.name] = fmt
        x = found[layer.name]
    return found, sums, None


def _bits_of_sums(layer: Layer, w: Format, x: Format) -> int:
    """Signed bits of a layer's largest sum, and one more, as its biases may grow."""
    bias = layer.linear.bias
    products = layer.linear.in_features * w.q_min * x.q_min
    largest = 0.0 if bias is None else float(bias.detach().abs().max()) / (w.lsb * x.lsb)
    return math.ceil(math.log2(products + largest)) + 2
