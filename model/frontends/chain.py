"""A network as the hardware has it: a chain of linear layers, and what was folded into them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common.errors import VerbatimError
from model.data.scaling import Scaling
from model.format import Format
from model.frontends.activations import Nonlinearity


class FrontendError(VerbatimError):
    """A module that the hardware cannot be: the message names the node and what is supported."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One use of an `nn.Linear` and, where ``relu``, the ReLU behind it.

    In the place of a ReLU there may be another ``activation``. ``weights`` names the matrix,
    ``name`` this use of it: ``fc2``, then ``fc2_2``.
    """

    name: str
    weights: str
    linear: nn.Linear
    relu: bool
    activation: Nonlinearity | None = None

    @property
    def key(self) -> str:
        """Key in a trace of what leaves it, as that of its stage."""
        last = self.activation.function if self.activation else "relu" if self.relu else "y"
        return f"{self.name}.{last}"

    def activate(self, y: Tensor) -> Tensor:
        """Its linear output behind its activation, where it has one."""
        if self.activation:
            return self.activation(y)
        return F.relu(y) if self.relu else y


class Chain(nn.Module):
    """Copies of layers as a module of their own, ``[samples, n_in]`` to logits ``[samples, n]``."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        copies = {layer.linear: _copied(layer.linear) for layer in layers}
        self.layers = [replace(layer, linear=copies[layer.linear]) for layer in layers]
        self.linears = nn.ModuleList(copies.values())

    def forward(self, x: Tensor) -> Tensor:
        """The logits."""
        return self.layers[-1].activate(outputs(self.layers, x)[-1])


def _copied(linear: nn.Linear) -> nn.Linear:
    """A Linear of the same parameters, and of nothing else that the first may have been given."""
    bias = None if linear.bias is None else linear.bias.detach().clone()
    return make_linear(linear.weight.detach().clone(), bias)


def outputs(layers: list[Layer], x: Tensor) -> list[Tensor]:
    """Each layer's linear output, before its activation, for ``x [samples, n_in]``."""
    found = []
    for layer in layers:
        y = layer.linear(x)
        found.append(y)
        x = layer.activate(y)
    return found


def make_linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A Linear of a matrix ``[n_out, n_in]`` and biases; parameters stay those that they are."""
    n_out, n_in = weight.shape
    made = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, n_in, n_out, bias=bias is not None, dtype=weight.dtype
    )
    assert isinstance(made, nn.Linear)
    made.weight = _parameter(weight)
    if bias is not None:
        made.bias = _parameter(bias)
    return made


def _parameter(value: Tensor) -> nn.Parameter:
    return value if isinstance(value, nn.Parameter) else nn.Parameter(value.detach())


class Affine(nn.Module):
    """``gain * x + shift`` by feature, ``[samples, n]``; each a number or one for each feature."""

    gain: Tensor | None
    shift: Tensor | None

    def __init__(self, gain: Tensor | None, shift: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("gain", gain)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        """The product, then the sum; what is None is left out."""
        x = x if self.gain is None else x * self.gain
        return x if self.shift is None else x + self.shift


@dataclass(frozen=True)
class Step:
    """An affine step by feature in float64, and ``key``, by which two uses are the same one."""

    key: tuple[Any, ...]
    gain: Tensor | None
    shift: Tensor | None

    @property
    def commutes(self) -> bool:
        """Return whether it can change places with a ReLU: a positive factor, nothing added."""
        return self.shift is None and self.gain is not None and bool((self.gain > 0).all())


@dataclass
class Use:
    """One use of a Linear, with the affine steps in front of it and behind it, and its ReLU.

    In the place of a ReLU there may be another ``activation``.

    ``fixed`` is the format that its sums are rounded to, ``behind_activation`` that of what its
    activation gives, where the network came with them.
    """

    name: str
    key: tuple[Any, ...]
    linear: nn.Linear
    before: list[Step] = field(default_factory=list)
    behind: list[Step] = field(default_factory=list)
    relu: bool = False
    activation: Nonlinearity | None = None
    fixed: Format | None = None
    behind_activation: Format | None = None

    @property
    def matrix(self) -> tuple[Any, ...]:
        """Identity of the folded matrix and its biases."""
        return (
            self.key,
            tuple(step.key for step in self.before),
            tuple(step.key for step in self.behind),
        )


def composed(steps: Sequence[Step], width: int) -> tuple[Tensor, Tensor]:
    """Gain and shift, float64 ``[width]``, of steps that follow each other."""
    gain, shift = torch.ones(width, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)
    for step in steps:
        if step.gain is not None:
            gain, shift = gain * step.gain, shift * step.gain
        if step.shift is not None:
            shift = shift + step.shift
    return gain, shift


def normalization(statistics: Sequence[Any], eps: float) -> tuple[Tensor, Tensor]:
    """Gain and shift of BatchNorm by its running mean and variance, weight and bias or None."""
    mean, variance, weight, bias = (
        None if value is None else value.detach().double() for value in statistics
    )
    assert mean is not None and variance is not None
    gain = (variance + eps).rsqrt()
    gain = gain if weight is None else gain * weight
    return gain, -mean * gain if bias is None else bias - mean * gain


def assemble(owner: str, uses: Sequence[Use]) -> list[Layer]:
    """Layers of uses: parameters stay shared, except where an affine step is folded into a copy.

    Raises `FrontendError` where what is folded is not finite.
    """
    folded: dict[tuple[Any, ...], tuple[str, nn.Linear]] = {}
    found: list[Layer] = []
    for use in uses:
        if use.matrix not in folded:
            alike = [other for other in uses if other.key == use.key]
            only = {other.matrix for other in alike} == {use.matrix}
            folded[use.matrix] = alike[0].name if only else use.name, _folded(owner, use)
        weights, linear = folded[use.matrix]
        found.append(Layer(use.name, weights, linear, use.relu, use.activation))
    return found


def _folded(owner: str, use: Use) -> nn.Linear:
    """The Linear of a use: itself, or a copy with the affine steps around it folded in."""
    linear = use.linear
    if not use.before and not use.behind:
        return linear
    with torch.no_grad():
        weight = linear.weight.double()
        bias = torch.zeros(len(weight)).double() if linear.bias is None else linear.bias.double()
        gain, shift = composed(use.before, weight.shape[1])
        weight, bias = weight * gain, bias + weight @ shift
        gain, shift = composed(use.behind, len(weight))
        weight, bias = weight * gain[:, None], bias * gain + shift
        made = make_linear(weight.to(linear.weight.dtype), bias.to(linear.weight.dtype))
    if not all(torch.isfinite(parameter).all() for parameter in made.parameters()):
        raise _not_finite(owner, use)
    return made


def _not_finite(owner: str, use: Use) -> FrontendError:
    names = ", ".join(str(step.key[0]) for step in (*use.before, *use.behind))
    return FrontendError(
        f"{owner}: the statistics of {names} must be finite, with variances above 0"
    )


def two_classes(layers: list[Layer]) -> list[Layer]:
    """Layers whose one output ``z`` is the second of two logits, the first of which is always 0.

    Their softmax is the sigmoid: ``1 - sigmoid(z)`` and ``sigmoid(z)``. Others stay as they are.
    """
    *others, last = layers
    if last.linear.out_features != 1:
        return layers
    with torch.no_grad():
        weight, bias = (
            None if own is None else torch.cat([torch.zeros_like(own), own])
            for own in (last.linear.weight, last.linear.bias)
        )
        assert weight is not None
    shared = any(layer.linear is last.linear for layer in others)
    weights = last.name if shared else last.weights
    return [*others, replace(last, weights=weights, linear=make_linear(weight, bias))]


def behind_front(owner: str, uses: Sequence[Use]) -> tuple[Chain, Scaling] | None:
    """The layers behind an affine step in front of the first, and that step as a scaling.

    None where there is no such step. Signs, and features that it multiplies by 0, go to the layer.
    """
    first = uses[0]
    if not first.before:
        return None
    gain, shift = composed(first.before, first.linear.in_features)
    if not (torch.isfinite(gain).all() and torch.isfinite(shift).all()):
        raise _not_finite(owner, first)
    used = gain != 0
    scale = torch.where(used, 1 / gain.abs(), 1.0)
    offset = torch.where(used, -shift / gain, 0.0)
    rest = Step(("front",), torch.sign(gain), torch.where(used, 0.0, shift))
    chain = Chain(assemble(owner, [replace(first, before=[rest]), *uses[1:]]))
    return chain, Scaling(tuple(offset.tolist()), tuple(scale.tolist()))
