"""Which format each tensor gets: widths from the recipe, fracs from what samples give rise to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.format import MAX_FRAC, MIN_FRAC, Format
from model.frontends.torch_fx import Layer, outputs
from model.stages.softmax import MAX_LOGIT_FRAC
from model.widths import Formats

Choose = Callable[[int, Tensor, int], Format]


@dataclass(frozen=True)
class Calibration:
    """Formats of the input, of each weight matrix, and of each layer's output."""

    x: Format
    weights: Mapping[str, Format]
    outputs: Mapping[str, Format]


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
    """Formats for what ``features [samples, n_in]`` give rise to, by the recipe's rule.

    An output is never finer than its layer's sums, and logits have a frac from 0 to 16; where that
    leaves no format that holds them all, the largest values saturate.
    Raises `SpecError` where the formats do not fit the layers.
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
    found: dict[str, Format] = {}
    with torch.no_grad():
        observed = outputs(layers, samples)
    for layer, y in zip(layers, observed, strict=True):
        finest = weights[layer.weights].frac + x_frac
        if layer is layers[-1]:
            finest = min(finest, MAX_LOGIT_FRAC)
        found[layer.name] = choose(formats.of_outputs(layer.name), y, finest)
        x_frac = found[layer.name].frac
    logits = found[layers[-1].name]
    found[layers[-1].name] = Format(logits.width, max(logits.frac, 0))
    return Calibration(x, weights, found)
