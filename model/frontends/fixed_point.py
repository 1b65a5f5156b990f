"""Networks that come quantized: fixed point between the layers, whose formats and codes are kept.

A value ``q * 2**-frac`` that another tool rounded to ``low .. high`` is a format of the hardware
where these are the ends of ``width`` bits, or 0 and the upper one behind a ReLU.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from model.format import MAX_WIDTH, MIN_WIDTH, Format, SpecError
from model.frontends.chain import FrontendError, Layer, Use, assemble, make_linear

# Further bits of a weight that make room for biases between the steps of a sum.
MOST_FURTHER_BITS = MAX_WIDTH


class FixedPoint(nn.Module):
    """Values rounded to multiples of ``scale``, codes from ``low`` to ``high``."""

    def __init__(self, scale: float, low: int, high: int) -> None:
        super().__init__()
        self.scale, self.low, self.high = scale, low, high

    def forward(self, x: Tensor) -> Tensor:
        """Nearest multiple, to even where two are as near; gradients are those of `torch.round`."""
        return torch.round(x / self.scale).clamp(self.low, self.high) * self.scale

    def extra_repr(self) -> str:
        """Step and range of codes."""
        return f"{self.scale:g}, {self.low} .. {self.high}"

    @property
    def is_unsigned(self) -> bool:
        """Return whether it does what a ReLU does too."""
        return self.low == 0

    def format(self, nonnegative: bool) -> Format:
        """The format that gives the same values; raises `FrontendError` where there is none."""
        width = self.high.bit_length() + 1
        ends = self.high == (1 << (width - 1)) - 1
        whole = ends and (self.low == -self.high - 1 or (nonnegative and self.low <= 0))
        if not whole or not MIN_WIDTH <= width <= MAX_WIDTH:
            raise FrontendError(
                f"codes must be all of {MIN_WIDTH} to {MAX_WIDTH} bits, such as -128 .. 127, or 0 "
                f"to their upper end such as 0 .. 127, got {self.low} .. {self.high}"
            )
        mantissa, exponent = math.frexp(self.scale)
        if mantissa != 0.5:
            raise FrontendError(f"scale must be a power of two, got {self.scale:g}")
        try:
            return Format(width, 1 - exponent)
        except SpecError as error:
            raise FrontendError(str(error)) from error


class FixedLinear(nn.Linear):
    """A Linear whose weights are multiples of ``lsb``, which another tool rounded them to."""

    lsb: float | None = None


@dataclass(frozen=True)
class Given:
    """Layers in float64 and formats as a network brings them, by name; of the last maybe none.

    ``sums`` are those in front of an activation by table.
    Where ``unsigned``, its features are at least 0.
    """

    layers: list[Layer]
    x: Format
    unsigned: bool
    weights: dict[str, Format]
    outputs: dict[str, Format]
    sums: dict[str, Format]


def given(owner: str, uses: Sequence[Use], first: FixedPoint | None) -> Given | None:
    """Formats and codes of a network that comes quantized, or None.

    Raises `FrontendError` where only a part of it is quantized, or a format does not fit.
    """
    if first is None and not any(use.fixed for use in uses):
        return None
    if first is None:
        raise FrontendError(f"{owner}: its input must be quantized too, as its layers are")
    x = first.format(first.is_unsigned)
    found = Given([], x, first.is_unsigned, {}, {}, {})
    names: dict[tuple[object, ...], str] = {}
    linears: dict[str, nn.Linear] = {}
    for use, layer in zip(uses, assemble(owner, uses), strict=True):
        lsb, y = getattr(use.linear, "lsb", None), use.fixed
        if lsb is None:
            raise FrontendError(f"{owner}: the weights of {use.name} must be quantized too")
        if use.activation and not (y and use.behind_activation):
            raise FrontendError(
                f"{owner}: {use.name} must be quantized in front of its {use.activation.function} "
                "and behind it"
            )
        if y is None and use is not uses[-1]:
            raise FrontendError(f"{owner}: the outputs of {use.name} must be quantized too")
        try:
            parameters = exact_parameters(layer.linear.weight, layer.linear.bias, lsb, x, y)
        except FrontendError as error:
            raise FrontendError(f"{owner}: layer {use.name}: {error}") from error
        weight, bias, fmt = parameters
        key = (use.matrix, fmt, None if bias is None else tuple(bias.tolist()))
        name = names.setdefault(key, layer.weights if layer.weights not in linears else use.name)
        linear = linears.setdefault(name, make_linear(weight, bias))
        found.layers.append(Layer(use.name, name, linear, use.relu, use.activation))
        found.weights[name] = fmt
        if use.activation and y and use.behind_activation:
            found.sums[use.name], y = y, use.behind_activation
        if y is not None:
            found.outputs[use.name] = x = y
    return found


def exact_parameters(
    weight: Tensor, bias: Tensor | None, lsb: float, x: Format, y: Format | None
) -> tuple[Tensor, Tensor | None, Format]:
    """Weights, biases and their format, with which a layer's outputs ``y`` are the given ones.

    Biases between the steps of a sum become quarters of a step that round as they do, and weights
    get bits for it, as they do for outputs finer than a step. Raises `FrontendError` where weights
    leave 16 bits.
    """
    frac = round(-math.log2(lsb))
    codes = weight.double() * 2.0**frac
    if not torch.equal(codes, codes.round()):
        raise FrontendError(f"its weights must be multiples of their scale {lsb:g}")
    further = 0 if y is None else max(0, y.frac - frac - x.frac)
    if bias is not None:
        bias = bias.double()
        if y is not None:
            while further <= MOST_FURTHER_BITS:
                steps = bias * 2.0 ** (frac + further + x.frac)
                if torch.equal(steps, steps.round()):
                    break
                if further + frac + x.frac - y.frac >= 1:
                    # Sums of even steps are never half way: what lies between is odd.
                    bias = (2 * steps.floor() + 1).where(steps != steps.floor(), 2 * steps)
                    further += 1
                    bias = bias * 2.0 ** -(frac + further + x.frac)
                    break
                further += 1
    frac += further
    codes = codes * 2.0**further
    width = max(
        MIN_WIDTH, *(max(0, int(end)).bit_length() + 1 for end in (codes.max(), -1 - codes.min()))
    )
    if width > MAX_WIDTH:
        raise FrontendError(
            f"its weights take {width} bits at the finest of their scales, "
            f"{further} of them for biases and outputs between its steps, expected at most "
            f"{MAX_WIDTH}: requantize = true in the recipe finds other formats"
        )
    try:
        return codes * 2.0**-frac, bias, Format(width, frac)
    except SpecError as error:
        raise FrontendError(str(error)) from error
