"""GELU as exporters write it out: ``x * (1 + erf(x / sqrt(2))) / 2`` in five nodes of ONNX."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import numpy_helper

# Constants in a file are float32, or float16.
TOLERANCE = 1e-3


@dataclass
class Spelled:
    """Values that are a GELU, with those that they are of, and values on the way to one."""

    whole: dict[str, str] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)


def find(graph: onnx.GraphProto) -> Spelled:
    """Find each ``erf`` of a graph that is a part of a GELU, whatever the order of its products."""
    found, nodes = Spelled(), _Nodes(graph)
    for node in graph.node:
        if node.op_type == "Erf" and (parts := nodes.gelu(node)):
            x, *inside, whole = parts
            found.whole[whole] = x
            found.inside.update(inside)
    return found


class _Nodes:
    """Makers and takers of the values of a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.makers = {name: node for node in graph.node for name in node.output}
        self.ends = {value.name for value in graph.output}
        self.graph = graph
        self.numbers = {tensor.name: tensor for tensor in graph.initializer} | {
            node.output[0]: attribute.t
            for node in graph.node
            if node.op_type == "Constant"
            for attribute in node.attribute
            if attribute.name == "value"
        }

    def gelu(self, erf: onnx.NodeProto) -> list[str] | None:
        """Values from x, which comes first, to the GELU that the ``erf`` is a part of."""
        scaled = self.makers.get(erf.input[0])
        if scaled is None or not self.is_inside(scaled.output[0]):
            return None
        factor = 1 / math.sqrt(2) if scaled.op_type == "Mul" else math.sqrt(2)
        x = self.beside(scaled, factor, ordered=scaled.op_type == "Div")
        added = self.only_taker(erf.output[0], "Add")
        if x is None or scaled.op_type not in ("Mul", "Div") or added is None:
            return None
        if self.beside(added, 1.0) is None:
            return None
        inside = [x, scaled.output[0], erf.output[0], added.output[0]]
        first = self.only_taker(added.output[0], "Mul")
        if first is None:
            return None
        other = next((n for n in first.input if n != added.output[0]), None)
        half = self.makers.get(other or "")
        if half is not None and half.op_type == "Mul" and self.is_inside(half.output[0]):
            # (x / 2) * (1 + erf)
            is_half = self.beside(half, 0.5) == x
            return [*inside, half.output[0], first.output[0]] if is_half else None
        last = self.only_taker(first.output[0], "Mul")
        if last is None:
            return None
        last_other = next((n for n in last.input if n != first.output[0]), "")
        halves = other == x and self.is_number(last_other, 0.5)
        turned = last_other == x and self.is_number(other or "", 0.5)
        return [*inside, first.output[0], last.output[0]] if halves or turned else None

    def beside(self, node: onnx.NodeProto, number: float, *, ordered: bool = False) -> str | None:
        """The input of a node whose other one is a constant of this value."""
        for x, constant in self.pairs(node.input, ordered):
            if self.is_number(constant, number):
                return x
        return None

    @staticmethod
    def pairs(names: Sequence[str], ordered: bool) -> Iterator[tuple[str, str]]:
        """Both inputs, and turned round unless they are ``ordered``."""
        if len(names) == 2:
            yield names[0], names[1]
            if not ordered:
                yield names[1], names[0]

    def is_number(self, name: str, number: float) -> bool:
        """Return whether a value is one constant, this one but for rounding."""
        tensor = self.numbers.get(name)
        if tensor is None:
            return False
        values = np.ravel(numpy_helper.to_array(tensor))
        return len(values) == 1 and abs(float(values[0]) - number) <= TOLERANCE

    def only_taker(self, name: str, kind: str) -> onnx.NodeProto | None:
        """The node that alone takes a value, if it is of this kind."""
        takers = [node for node in self.graph.node if name in node.input]
        alone = len(takers) == 1 and takers[0].op_type == kind and name not in self.ends
        return takers[0] if alone else None

    def is_inside(self, name: str) -> bool:
        """Return whether a value is taken once, and no output."""
        takers = [node for node in self.graph.node if name in node.input]
        return len(takers) == 1 and name not in self.ends
