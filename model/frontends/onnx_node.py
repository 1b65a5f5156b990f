"""A node of an ONNX graph with its constants, and the words of its refusal."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from model.frontends.onnx_file import STANDARD, OnnxError

Real = NDArray[np.float64]

SUPPORTED = (
    "Gemm, MatMul, BatchNormalization and constants added or multiplied, Relu, Dropout, Flatten, "
    "QuantizeLinear and DequantizeLinear, and at the end Softmax, Sigmoid of one output or ArgMax, "
    "in one chain"
)


@dataclass(frozen=True, eq=False)
class Node:
    """A node with its attributes, and of its inputs the names and what is constant of them."""

    node: onnx.NodeProto
    attributes: dict[str, Any]
    constants: list[Any]

    def __str__(self) -> str:
        name = self.node.name or ", ".join(self.node.output)
        return f"node {name!r} ({self.node.op_type})"

    @property
    def operator(self) -> str:
        """Name of the operator, with its domain where that is not ONNX's own."""
        domain = "" if self.node.domain in STANDARD else f"{self.node.domain}:"
        return domain + self.node.op_type

    def constant(self, position: int) -> Any:
        """The constant at a position, or None."""
        return self.constants[position] if position < len(self.constants) else None

    def refuse(self, reason: str) -> OnnxError:
        """An error that says what is supported in the place of this node."""
        return OnnxError(f"{self}: {reason}; supported are {SUPPORTED}")

    def wrong(self, reason: str) -> OnnxError:
        """An error about the node's own values."""
        return OnnxError(f"{self}: {reason}")

    def require_numbers(self, what: str, values: Real) -> None:
        """Refuse constants that are no finite numbers, or none at all."""
        if not values.size or values.dtype.kind != "f":
            raise self.wrong(
                f"its {what} must be floats, got {values.dtype} of shape {list(values.shape)}"
            )
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            place = tuple(bad[0].tolist())
            raise self.wrong(
                f"its {what}{list(place)} is {values[place]}, expected a finite number"
            )
