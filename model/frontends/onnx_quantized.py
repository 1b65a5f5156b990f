"""Codes between the nodes of an ONNX graph: what QuantizeLinear, Clip and Quant round to."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from model.frontends.fixed_point import FixedPoint
from model.frontends.onnx_constants import (
    code_range,
    is_power_of_two,
    nearest_power,
)
from model.frontends.onnx_file import OnnxError
from model.frontends.onnx_node import Node

AGAIN = (
    "set requantize = true in the recipe, and the float weights inside are quantized again, to "
    "powers of two"
)


def no_power_of_two(node: Node, scale: Any) -> OnnxError:
    """An error about a scale that the hardware has not."""
    return node.wrong(f"its scale must be a power of two, {nearest_power(scale)}: {AGAIN}")


def code_ends(node: Node, zero: Any) -> tuple[int, int]:
    """Least and largest code of the type of a zero point, which is uint8 where there is none."""
    kind = np.dtype(np.uint8) if zero is None else np.asarray(zero).dtype
    if kind.kind not in "iu":
        raise node.refuse(f"its codes must be integers, got {kind}")
    info = np.iinfo(kind)
    return int(info.min), int(info.max)


@dataclass(frozen=True)
class Codes:
    """A value as codes: ``(code - zero) * scale``, codes from ``low`` to ``high``."""

    node: Node
    scale: float
    zero: int
    low: int
    high: int

    @classmethod
    def of(cls, node: Node, scale: Any, zero: Any, ends: tuple[int, int] | None = None) -> "Codes":
        """Codes by constants of a node; of ``zero``'s type, where no ends are given."""
        if scale is None or np.size(scale) != 1:
            raise node.refuse("its scale must be one constant for the whole tensor")
        if not is_power_of_two(scale):
            raise no_power_of_two(node, scale)
        ends = ends or code_ends(node, zero)
        if np.size(zero) > 1 or (zero is not None and float(np.ravel(zero)[0]) % 1):
            raise node.refuse("its zero point must be one integer for the whole tensor")
        point = 0 if zero is None else int(np.ravel(zero)[0])
        if point not in (0, ends[0]):
            raise node.wrong(f"its zero point must be 0, got {point}: {AGAIN}")
        return cls(node, float(np.ravel(scale)[0]), point, *ends)

    @classmethod
    def of_quant(cls, node: Node) -> "Codes":
        """Codes of QONNX's Quant."""
        return cls.of(node, node.constant(1), node.constant(2), code_range(node))

    def clipped(self, node: Node) -> "Codes":
        """The same between the ends of a Clip."""
        ends = [self.low, self.high]
        for place, position in enumerate((1, 2)):
            bound = node.constant(position)
            if bound is not None:
                ends[place] = int(np.ravel(bound)[0])
        low, high = max(ends[0], self.low), min(ends[1], self.high)
        return Codes(node, self.scale, self.zero, low, high)

    def require_same(self, node: Node, scale: Any, zero: Any) -> None:
        """Raise `OnnxError` where another node reads the codes by another scale or zero point."""
        point = 0 if zero is None else int(np.ravel(zero)[0])
        if np.size(scale) != 1 or float(np.ravel(scale)[0]) != self.scale or point != self.zero:
            raise node.wrong(
                f"its scale and zero point must be {self.scale:g} and {self.zero}, those of "
                f"{self.node}"
            )

    def module(self) -> FixedPoint:
        """The module that rounds numbers to these."""
        return FixedPoint(self.scale, self.low - self.zero, self.high - self.zero)
