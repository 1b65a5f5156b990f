"""From a float module to the integer network: fake quantization, export, comparison.

Everything quantized is computed in float64 on dequantized values, ``code * 2**-frac``. As long as
codes stay below 2**53 each of these is exact, so the network that is fine-tuned here computes the
integers of `model.reference`, and `trace` lets them be compared with ``==``.
"""

import dataclasses
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from common.errors import VerbatimError
from model import reference
from model.artifact import Network
from model.bounds import accumulator_width, any_accumulator_width, output_interval
from model.compare import require_equal
from model.data.datasets import Dataset
from model.data.scaling import Scaling, TargetScaling
from model.data.userdata import DataFile
from model.folding import Shape
from model.format import Format, Int
from model.frontends import torch_fx
from model.frontends.activations import Nonlinearity
from model.frontends.torch_fx import Layer
from model.qat.calibration import EXACT_BITS, Calibration, fake_quantize, straight_through
from model.qat.losses import SCORES
from model.recipe import Recipe
from model.shared import shared
from model.spec import NetworkSpec
from model.stage import Output
from model.stages.activation import Activation
from model.stages.linear import MAX_ACC_W, LayerSpec
from model.stages.output import ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import SoftmaxSpec


class QuantizeError(VerbatimError):
    """A network that is not exact, or not equal to its reference: the message says where."""


@dataclass(frozen=True)
class Table:
    """An activation by table: its values are the table's, its slope is the function's own."""

    function: Nonlinearity
    stage: Activation
    y: Format

    def __call__(self, z: Tensor) -> Tensor:
        entries = torch.tensor(self.stage.table(self.y).tolist(), dtype=z.dtype) * self.y.lsb
        # An index below 0 counts from the end, as two's complement does.
        exact = entries[(z.detach() / self.stage.x.lsb).long()]
        smooth = self.function(z).clamp(self.y.q_min * self.y.lsb, self.y.max_value)
        return straight_through(exact, smooth)


def _activation(layer: Layer, formats: Calibration) -> Activation | None:
    """The table of a layer, where it has one."""
    if layer.activation is None:
        return None
    x = formats.of_sums(layer.name)
    return Activation(layer.activation.function, x, layer.activation.arguments)


class QuantizedNetwork:
    """A float64 module under the formats and the score of the hardware; parameters stay its own."""

    def __init__(self, module: nn.Module, formats: Calibration, score: str) -> None:
        self.module, self.formats, self.score = module, formats, score
        self.layers = torch_fx.layers(module)
        self._tables = {
            layer.name: Table(layer.activation, stage, formats.outputs[layer.name])
            for layer in self.layers
            if (stage := _activation(layer, formats)) and layer.activation
        }

    def values(self, x: Tensor) -> dict[str, tuple[Tensor, int]]:
        """Every tensor and its frac, for real features ``[samples, n_in]``.

        Keys are those of `model.reference.trace`, of a softmax up to ``softmax.totals``.
        """
        found = self.layer_values(x)
        *_, (logits, _) = found.values()
        scores, frac = self.scores(logits)
        return found | SCORES[self.score].tensors(scores, frac)

    def layer_values(self, x: Tensor) -> dict[str, tuple[Tensor, int]]:
        """As `values`, up to the logits, which come last; differentiable."""
        x, frac = fake_quantize(x, self.formats.x), self.formats.x.frac
        found = {"input": (x, frac)}
        for layer in self.layers:
            w_fmt, y_fmt = self.formats.weights[layer.weights], self.formats.of_sums(layer.name)
            acc_frac = w_fmt.frac + frac
            acc = F.linear(x, self.weights(layer), _biases(layer, acc_frac))
            x, frac = fake_quantize(acc, y_fmt), y_fmt.frac
            found[f"{layer.name}.acc"] = acc, acc_frac
            found[f"{layer.name}.y"] = x, frac
            if table := self._tables.get(layer.name):
                x, frac = table(x), table.y.frac
            elif layer.relu:
                x = F.relu(x)
            found[layer.key] = x, frac
        return found

    def weights(self, layer: Layer) -> Tensor:
        """A layer's weights as the hardware has them; differentiable."""
        return fake_quantize(layer.linear.weight, self.formats.weights[layer.weights])

    def logits(self, x: Tensor) -> Tensor:
        """``[samples, n]``, for real features ``[samples, n_in]``; differentiable."""
        *_, (logits, _) = self.layer_values(x).values()
        return logits

    def scores(self, logits: Tensor) -> tuple[Tensor, int]:
        """The hardware's result for logits ``[samples, n]``, and its frac."""
        return SCORES[self.score].values(logits, self.formats.outputs[self.layers[-1].name])

    def trace(self, features: NDArray[np.float64]) -> dict[str, Int]:
        """Codes of every tensor for real features ``[samples, n_in]``, and the class of each.

        Raises `QuantizeError` where a code is too large to be exact in float64.
        """
        with torch.no_grad():
            values = self.values(torch.tensor(features, dtype=torch.float64))
            codes = {key: _codes(key, value, frac) for key, (value, frac) in values.items()}
            score = SCORES[self.score]
            logits, _ = values[self.layers[-1].key]
            classes = score.classes(self.scores(logits)[0])
        return codes | ({f"{score.output}.class": classes.numpy()} if score.has_classes else {})

    def weight_codes(self) -> dict[str, Int]:
        """Codes of each weight matrix, ``[n_out, n_in]``."""
        return {
            layer.weights: _codes(layer.weights, self.weights(layer), fmt.frac)
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
    return straight_through(torch.round(scaled), scaled) * 2.0**-frac


def _codes(key: str, values: Tensor, frac: int) -> Int:
    codes = values.detach().numpy() * 2.0**frac
    if not (np.abs(codes) < 2.0**EXACT_BITS).all():
        raise QuantizeError(
            f"{key}: codes must be below 2**{EXACT_BITS}, up to which float64 is exact, got "
            f"{np.abs(codes).max():g}"
        )
    integers: Int = codes.astype(np.int64)
    return integers


@dataclass(frozen=True)
class LayerShape:
    """The part of a layer that folding needs."""

    name: str
    n_in: int
    n_out: int


def shapes(layers: list[Layer]) -> list[Shape]:
    """Name and size of each layer."""
    return [
        LayerShape(layer.name, layer.linear.in_features, layer.linear.out_features)
        for layer in layers
    ]


def export(
    quantized: QuantizedNetwork,
    recipe: Recipe,
    provenance: Mapping[str, Any],
    scaling: Scaling | None = None,
    targets: TargetScaling | None = None,
) -> Network:
    """The integers of a quantized network under the spec that the recipe folds it to.

    Raises `SpecError` where the hardware cannot be that, `QuantizeError` where sums could leave
    the range in which float64, and so the PyTorch network, is exact.
    """
    plan = recipe.plan(shapes(quantized.layers))
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
            simd=plan.folds[layer.name].simd,
            pe=plan.folds[layer.name].pe,
            activation=_activation(layer, quantized.formats),
        )
        needed = accumulator_width(weights[layer.weights], biases[layer.name], interval)
        if recipe.loadable:
            needed = max(needed, any_accumulator_width(widest.n_in, widest.w, interval))
        if needed > EXACT_BITS:
            raise QuantizeError(
                f"layer {layer.name}: its sums must take at most {EXACT_BITS} bits, up to which "
                f"float64 is exact, got {needed}: lower formats.weights_width or formats.input"
            )
        specs.append(dataclasses.replace(widest, acc_w=max(widest.min_acc_w, needed)))
        x, interval = widest.y, output_interval(widest)
    shape, lanes = (specs[-1].n_out, x), plan.lanes.softmax
    output: Output
    kind = SCORES[quantized.score]
    if kind.output == "softmax":
        output = SoftmaxSpec(*shape, quantized.score, recipe.softmax.divider, lanes=lanes)
    elif kind.output == "logits":
        output = LogitsSpec(*shape, lanes=lanes, ranked=kind.has_classes)
    elif kind.output == "argmax":
        output = ArgmaxSpec(*shape, lanes=lanes)
    else:
        output = SigmoidSpec(*shape, lanes=lanes)
    spec = NetworkSpec(
        name=recipe.name,
        stages=(*specs, output),
        in_lanes=plan.lanes.inputs,
        out_lanes=plan.lanes.outputs,
        loadable=recipe.loadable,
    )
    network = Network(spec, weights, biases, provenance, scaling, targets=targets)
    return network if recipe.sharing is None else shared(network, recipe.sharing)


def provenance(recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """Sources and versions that made a network; nothing that differs between two runs.

    Of a user's own data it says the names of features and classes too.
    """
    own = {"features": list(dataset.feature_names), "classes": list(dataset.class_names)}
    return {
        **(own if isinstance(recipe.dataset, DataFile) else {}),
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
