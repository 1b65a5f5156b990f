"""From a float module to the integer network: calibration, fake quantization, export.

Everything quantized is computed in float64 on dequantized values, ``code * 2**-frac``. As long as
codes stay below 2**53 each of these is exact, so the network that is fine-tuned here computes the
integers of `model.reference`, and `trace` lets them be compared with ``==``.
"""

import dataclasses
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from model import frontend, reference, tables
from model.artifact import Network
from model.comparison import require_equal
from model.datasets import Dataset
from model.errors import VerbatimError
from model.frontend import Layer
from model.recipe import Formats, Recipe
from model.spec import (
    MAX_ACC_W,
    MAX_FRAC,
    MAX_LOGIT_FRAC,
    MIN_FRAC,
    Format,
    Int,
    LayerSpec,
    NetworkSpec,
    SoftmaxSpec,
    accumulator_width,
    output_interval,
    require,
)

EXACT_BITS = 53


class QuantizeError(VerbatimError):
    """A network that is not exact, or not equal to its reference: the message says where."""


@dataclass(frozen=True)
class Score:
    """A score as training sees it, for logits ``[samples, n]``.

    ``values`` makes of logits in a format the scores of the hardware, and their frac;
    ``log_probabilities`` is what is trained through, and differentiable. ``rises_from`` is the
    logit from which on the score rises, or None where it rises everywhere.
    """

    values: Callable[[Tensor, Format], tuple[Tensor, int]]
    log_probabilities: Callable[[Tensor], Tensor]
    rises_from: float | None


def taylor2(logits: Tensor) -> Tensor:
    """``1 + x + x**2/2``: positive everywhere, rising from x = -1 on, falling below."""
    return 1 + logits + logits * logits / 2


def _taylor2_values(logits: Tensor, fmt: Format) -> tuple[Tensor, int]:
    return taylor2(logits), 2 * fmt.frac + 1


def _taylor2_log_probabilities(logits: Tensor) -> Tensor:
    scores = taylor2(logits)
    return scores.log() - scores.sum(dim=1, keepdim=True).log()


def _exp_values(logits: Tensor, fmt: Format) -> tuple[Tensor, int]:
    spec = SoftmaxSpec(n=logits.shape[1], x=fmt, score="exp", divider="divider", lanes=1)
    table = torch.tensor(tables.exponential(spec).tolist(), dtype=logits.dtype)
    distances = (logits.amax(dim=1, keepdim=True) - logits).detach() / fmt.lsb
    return table[distances.long()], 0


def _log_softmax(logits: Tensor) -> Tensor:
    return F.log_softmax(logits, dim=1)


# One for each of `model.spec.SCORES`.
SCORES = {
    "taylor2": Score(_taylor2_values, _taylor2_log_probabilities, rises_from=-1.0),
    "exp": Score(_exp_values, _log_softmax, rises_from=None),
}


@dataclass(frozen=True)
class Calibration:
    """Formats of the input, of each weight matrix, and of each layer's output."""

    x: Format
    weights: Mapping[str, Format]
    outputs: Mapping[str, Format]


def float_outputs(layers: list[Layer], x: Tensor) -> list[Tensor]:
    """Each layer's linear output; the last are the logits."""
    outputs = []
    for layer in layers:
        y = layer.linear(x)
        outputs.append(y)
        x = F.relu(y) if layer.relu else y
    return outputs


def best_format(width: int, largest: float, finest: int = MAX_FRAC) -> Format:
    """The finest format of ``width`` bits that holds ``+-largest``, its frac at most ``finest``.

    >>> best_format(8, 7.9), best_format(8, 8.0), best_format(8, 0.5, finest=4)
    (Format(width=8, frac=4), Format(width=8, frac=3), Format(width=8, frac=4))
    """
    for frac in range(min(finest, MAX_FRAC), MIN_FRAC, -1):
        if largest <= Format(width, frac).max_value:
            return Format(width, frac)
    return Format(width, MIN_FRAC)


def calibrate(layers: list[Layer], features: NDArray[np.float64], widths: Formats) -> Calibration:
    """The finest power-of-two formats that hold what ``features [samples, n_in]`` give rise to.

    An output is never finer than its layer's sums, and logits have a frac from 0 to 16; where that
    leaves no format that holds them all, the largest values saturate.
    """
    weights = {
        layer.weights: best_format(widths.weights_width, _largest(layer.linear.weight))
        for layer in layers
    }
    outputs: dict[str, Format] = {}
    x_frac = widths.input.frac
    with torch.no_grad():
        observed = float_outputs(layers, torch.tensor(features, dtype=torch.float64))
    for layer, y in zip(layers, observed, strict=True):
        finest = weights[layer.weights].frac + x_frac
        if layer is layers[-1]:
            finest = min(finest, MAX_LOGIT_FRAC)
        outputs[layer.name] = best_format(widths.activations_width, _largest(y), finest)
        x_frac = outputs[layer.name].frac
    logits = outputs[layers[-1].name]
    outputs[layers[-1].name] = Format(logits.width, max(logits.frac, 0))
    return Calibration(widths.input, weights, outputs)


def _largest(values: Tensor) -> float:
    return float(values.detach().abs().max())


def fake_quantize(values: Tensor, fmt: Format) -> Tensor:
    """``saturate(rne(x * 2**frac)) * 2**-frac``; the gradient passes except where it saturates."""
    scaled = (values / fmt.lsb).clamp(fmt.q_min, fmt.q_max)
    return _straight_through(torch.round(scaled), scaled) * fmt.lsb


def _straight_through(exact: Tensor, smooth: Tensor) -> Tensor:
    """The value of ``exact`` with the gradient of ``smooth``: what is added is exactly 0."""
    return exact.detach() + (smooth - smooth.detach())


class QuantizedNetwork:
    """A float64 module under the formats and the score of the hardware; parameters stay its own."""

    def __init__(self, module: nn.Module, formats: Calibration, score: str) -> None:
        self.module, self.formats, self.score = module, formats, score
        self.layers = frontend.layers(module)

    def values(self, x: Tensor) -> dict[str, tuple[Tensor, int]]:
        """Every tensor and its frac, for real features ``[samples, n_in]``.

        Keys are those of `model.reference.trace` up to ``softmax.totals``.
        """
        found = self.layer_values(x)
        *_, (logits, _) = found.values()
        scores, frac = self.scores(logits)
        found["softmax.scores"] = scores, frac
        found["softmax.totals"] = scores.sum(dim=1), frac
        return found

    def layer_values(self, x: Tensor) -> dict[str, tuple[Tensor, int]]:
        """As `values`, up to the logits, which come last; differentiable."""
        x, frac = fake_quantize(x, self.formats.x), self.formats.x.frac
        found = {"input": (x, frac)}
        for layer in self.layers:
            w_fmt, y_fmt = self.formats.weights[layer.weights], self.formats.outputs[layer.name]
            acc_frac = w_fmt.frac + frac
            weights = fake_quantize(layer.linear.weight, w_fmt)
            acc = F.linear(x, weights, _biases(layer, acc_frac))
            x, frac = fake_quantize(acc, y_fmt), y_fmt.frac
            found[f"{layer.name}.acc"] = acc, acc_frac
            found[f"{layer.name}.y"] = x, frac
            if layer.relu:
                x = F.relu(x)
                found[f"{layer.name}.relu"] = x, frac
        return found

    def logits(self, x: Tensor) -> Tensor:
        """``[samples, n]``, for real features ``[samples, n_in]``; differentiable."""
        *_, (logits, _) = self.layer_values(x).values()
        return logits

    def scores(self, logits: Tensor) -> tuple[Tensor, int]:
        """What the hardware makes of logits ``[samples, n]``, and its frac."""
        return SCORES[self.score].values(logits, self.formats.outputs[self.layers[-1].name])

    def trace(self, features: NDArray[np.float64]) -> dict[str, Int]:
        """Codes of every tensor for real features ``[samples, n_in]``, and ``softmax.class``.

        Raises `QuantizeError` where a code is too large to be exact in float64.
        """
        with torch.no_grad():
            values = self.values(torch.tensor(features, dtype=torch.float64))
            codes = {key: _codes(key, value, frac) for key, (value, frac) in values.items()}
            classes = values["softmax.scores"][0].argmax(dim=1)
        return {**codes, "softmax.class": classes.numpy()}

    def weight_codes(self) -> dict[str, Int]:
        """Codes of each weight matrix, ``[n_out, n_in]``."""
        return {
            layer.weights: _codes(layer.weights, fake_quantize(layer.linear.weight, fmt), fmt.frac)
            for layer in self.layers
            for fmt in [self.formats.weights[layer.weights]]
        }

    def bias_codes(self) -> dict[str, Int]:
        """Codes of each layer's biases ``[n_out]``, in its accumulator's LSBs."""
        codes = {}
        frac = self.formats.x.frac
        for layer in self.layers:
            frac += self.formats.weights[layer.weights].frac
            codes[layer.name] = _codes(layer.name, _biases(layer, frac), frac)
            frac = self.formats.outputs[layer.name].frac
        return codes


def _biases(layer: Layer, frac: int) -> Tensor:
    """Biases rounded to multiples of ``2**-frac``; they do not saturate, the accumulator grows."""
    bias = layer.linear.bias
    if bias is None:
        return torch.zeros(layer.linear.out_features, dtype=torch.float64)
    scaled = bias * 2.0**frac
    return _straight_through(torch.round(scaled), scaled) * 2.0**-frac


def _codes(key: str, values: Tensor, frac: int) -> Int:
    codes = values.detach().numpy() * 2.0**frac
    if not (np.abs(codes) < 2.0**EXACT_BITS).all():
        raise QuantizeError(
            f"{key}: codes reach {np.abs(codes).max():g}, legal are finite ones below "
            f"2**{EXACT_BITS}, up to which float64 is exact"
        )
    integers: Int = codes.astype(np.int64)
    return integers


def check_folds(recipe: Recipe, layers: list[Layer]) -> None:
    """Raise `SpecError` unless the recipe folds exactly the layers that the module has."""
    names = [layer.name for layer in layers]
    require(
        set(recipe.folds) == set(names),
        f"recipe {recipe.name}: folds name {', '.join(recipe.folds) or 'nothing'}, "
        f"legal are the layers of {recipe.module}: {', '.join(names)}",
    )


def export(quantized: QuantizedNetwork, recipe: Recipe, provenance: Mapping[str, Any]) -> Network:
    """The integers of a quantized network under the spec that the recipe folds it to.

    Raises `SpecError` where the hardware cannot be that, `QuantizeError` where sums could leave
    the range in which float64, and so the PyTorch network, is exact.
    """
    check_folds(recipe, quantized.layers)
    weights, biases = quantized.weight_codes(), quantized.bias_codes()
    specs: list[LayerSpec] = []
    x, interval = quantized.formats.x, (quantized.formats.x.q_min, quantized.formats.x.q_max)
    for layer in quantized.layers:
        widest = LayerSpec(
            name=layer.name,
            weights=layer.weights,
            n_in=layer.linear.in_features,
            n_out=layer.linear.out_features,
            x=x,
            w=quantized.formats.weights[layer.weights],
            y=quantized.formats.outputs[layer.name],
            acc_w=MAX_ACC_W,
            relu=layer.relu,
            simd=recipe.folds[layer.name].simd,
            pe=recipe.folds[layer.name].pe,
        )
        needed = accumulator_width(weights[layer.weights], biases[layer.name], interval)
        if needed > EXACT_BITS:
            raise QuantizeError(
                f"layer {layer.name}: its sums need {needed} bits, legal are {EXACT_BITS}, up to "
                "which float64 is exact"
            )
        specs.append(dataclasses.replace(widest, acc_w=max(widest.min_acc_w, needed)))
        x, interval = widest.y, output_interval(widest)
    softmax = SoftmaxSpec(
        n=specs[-1].n_out,
        x=x,
        score=quantized.score,
        divider=recipe.softmax.divider,
        lanes=recipe.softmax.lanes,
    )
    spec = NetworkSpec(
        name=recipe.name,
        layers=tuple(specs),
        softmax=softmax,
        in_lanes=recipe.stream.in_lanes,
        out_lanes=recipe.stream.out_lanes,
    )
    return Network(spec, weights, biases, provenance)


def provenance(recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """What a network was made from, by which versions; nothing that differs between two runs."""
    return {
        "dataset": dataset.name,
        "dataset_sha256": dataset.sha256,
        "recipe_sha256": recipe.sha256,
        "seeds": {"training": recipe.seed, "split": recipe.split.seed},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "torch", "scikit-learn")},
        },
    }


def compare(traced: Mapping[str, Int], network: Network) -> dict[str, int]:
    """Values compared, by tensor, between a PyTorch trace and the integer reference on its input.

    Raises `DifferenceError` at the first value that differs.
    """
    return require_equal(traced, reference.trace(network, traced["input"]), "PyTorch")
