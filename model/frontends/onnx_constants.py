"""Constants of an ONNX graph, sizes, and all that is computed from them."""

import math
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from common.errors import reason
from model.frontends.onnx_node import Node

# Constants alone may go through these; other nodes are the network's.
FOLDED = frozenset(
    {"Add", "Cast", "Clip", "DequantizeLinear", "Div", "Identity", "Mul", "QuantizeLinear"}
    | {"Reshape", "Squeeze", "Sub", "Transpose", "Unsqueeze"}
)
# Those that move numbers and change none.
MOVED = frozenset({"Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
OF_SIZES = frozenset({"Cast", "Concat", "Gather", "Identity", "Slice", "Squeeze", "Unsqueeze"})
SAMPLES, FEATURES = "samples", "features"
# What stands for sizes that are not known, for an evaluator of numbers.
STAND_INS = {-(10**6): SAMPLES, -(10**6) - 1: FEATURES}


class Constants:
    """Values by name; ``scales`` are those of the values that were dequantized.

    With ``floats``, quantized constants keep the numbers that they were rounded from, where the
    file has them.
    """

    def __init__(self, model: onnx.ModelProto, floats: bool) -> None:
        self._opsets = {o.domain: o.version for o in model.opset_import}
        self._floats = floats
        self.values: dict[str, Any] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
        }
        self.scales: dict[str, Any] = {}
        self.sizes: dict[str, Any] = {}
        self._rounded: dict[str, Any] = {}

    def read(self, node: Node) -> None:
        """The value of a Constant node."""
        values = list(node.attributes.items())
        if len(values) != 1 or values[0][0].startswith("sparse"):
            raise node.refuse("must have one value, which is not sparse")
        ((key, value),) = values
        array = numpy_helper.to_array(value) if key == "value" else np.array(value)
        self.values[node.node.output[0]] = array

    def fold(self, node: Node) -> None:
        """The value of a node of constants alone, as ONNX defines it."""
        (output,), first = node.node.output, node.node.input[0]
        if node.operator.endswith(":Quant"):
            self.values[output], self.scales[output] = self._quant(node)
            return
        if node.operator not in FOLDED:
            raise node.refuse("is computed from constants alone, which is not supported")
        self.values[output] = self._evaluated(node, self.values)
        kind = node.node.op_type
        if kind == "DequantizeLinear":
            self.scales[output] = node.constant(1)
            if self._floats and first in self._rounded:
                self.values[output] = self._rounded[first]
        elif kind == "QuantizeLinear":
            self._rounded[output] = node.constant(0)
        elif kind == "Clip" and first in self._rounded:
            self._rounded[output] = self._rounded[first]
        elif kind in MOVED and first in self.scales:
            self.scales[output] = self.scales[first]

    def measure(self, node: Node, width: int | None) -> None:
        """Take the Shape of ``[samples, width]``."""
        (output,) = node.node.output
        self.sizes[output] = np.array([SAMPLES, FEATURES if width is None else width], dtype=object)

    def follow(self, node: Node) -> None:
        """Compute sizes from sizes: they are moved about, and none is changed."""
        if node.operator not in OF_SIZES:
            raise node.refuse("of a size is not supported")
        numbers = {name: number for number, name in STAND_INS.items()}
        known = {
            name: np.array([numbers.get(size, size) for size in np.ravel(sizes)], dtype=np.int64)
            .reshape(np.shape(sizes))
            for name, sizes in self.sizes.items()
        }  # fmt: skip
        found = np.asarray(self._evaluated(node, {**self.values, **known}))
        flat = [STAND_INS.get(int(size), int(size)) for size in np.ravel(found)]
        made = np.empty(len(flat), dtype=object)
        made[:] = flat
        self.sizes[node.node.output[0]] = made.reshape(np.shape(found))

    def _evaluated(self, node: Node, known: dict[str, Any]) -> Any:
        values = {name: known[name] for name in node.node.input if name}
        ends = [
            [onnx.helper.make_empty_tensor_value_info(name) for name in names]
            for names in (values, node.node.output)
        ]
        graph = onnx.helper.make_graph([node.node], "constants", ends[0], ends[1])
        own = max(self._opsets.get(domain, 0) for domain in ("", "ai.onnx"))
        # The evaluator knows no older QuantizeLinear and DequantizeLinear, which say the same.
        opset = max(own, 21) if "quantizelinear" in node.node.op_type.lower() else own
        try:
            made = onnx.helper.make_model(
                graph, opset_imports=[onnx.helper.make_opsetid("", opset)]
            )
            (value,) = ReferenceEvaluator(made).run(None, values)
        except Exception as error:  # the evaluator has no common class of errors
            raise node.refuse(f"its constants cannot be computed: {reason(error)}") from error
        return np.asarray(value)

    def _quant(self, node: Node) -> tuple[Any, Any]:
        """A matrix through QONNX's Quant: its numbers, and their scale."""
        values, scale, zero, _ = (node.constant(k) for k in range(4))
        low, high = code_range(node)
        if self._floats:
            return values, scale
        codes = np.clip(rounded(node, values / scale + zero), low, high)
        return ((codes - zero) * scale).astype(np.float32), scale


def code_range(node: Node) -> tuple[int, int]:
    """Least and largest code of QONNX's Quant, by its width, sign and narrowness."""
    bits = node.constant(3)
    if bits is None or bits.size != 1 or float(bits) != int(bits) or not 1 <= int(bits) <= 32:
        raise node.refuse("its bit_width must be one constant integer from 1 to 32")
    signed, narrow = (int(node.attributes.get(key, k)) for key, k in (("signed", 1), ("narrow", 0)))
    width = int(bits)
    if signed:
        return -(1 << (width - 1)) + narrow, (1 << (width - 1)) - 1
    return 0, (1 << width) - 1 - narrow


def rounded(node: Node, values: Any) -> Any:
    """Integers, to the nearest even where two are as near; other modes are refused."""
    mode = node.attributes.get("rounding_mode", b"ROUND").decode().upper()
    if mode not in ("ROUND", "HALF_EVEN"):
        raise node.refuse(f"its rounding_mode must be ROUND, to nearest even, got {mode}")
    return np.rint(values)


def is_power_of_two(scale: Any) -> bool:
    """Return whether all of these are powers of two.

    >>> is_power_of_two(0.25), is_power_of_two([1, 0.5]), is_power_of_two(0.1)
    (True, True, False)
    """
    return all(s > 0 and math.frexp(s)[0] == 0.5 for s in np.ravel(scale).astype(float).tolist())


def nearest_power(scale: Any) -> str:
    """The power of two nearest to the first scale that is none.

    >>> nearest_power([0.5, 0.1])
    'got 0.1, nearest 2**-3'
    """
    odd = next(s for s in np.ravel(scale).astype(float).tolist() if not is_power_of_two(s))
    if not (odd > 0 and math.isfinite(odd)):
        return f"got {odd:.6g}"
    return f"got {odd:.6g}, nearest 2**{round(math.log2(odd))}"
