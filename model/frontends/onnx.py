"""An ONNX file as a PyTorch module, for networks that were trained elsewhere.

Operators: https://onnx.ai/onnx/operators. Matrices that two nodes share stay shared.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from common.errors import VerbatimError

SUPPORTED = (
    "Gemm, MatMul and Add, Relu, BatchNormalization, Dropout, Identity, Flatten from axis 1, and "
    "Softmax or LogSoftmax over axis 1, in one chain"
)
Real = NDArray[np.float64]


class OnnxError(VerbatimError):
    """A file that is no network of the supported kind: the message names the file and the node."""


def load(path: Path) -> nn.Sequential:
    """The network of an ONNX file, ``[samples, n_in]`` to its output, in float32.

    Raises `OnnxError`, naming file and node, on anything but `SUPPORTED`. Each name of the module
    is that of a node, or its operator and number.
    """
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf and the checker have no common class of errors
        words = " ".join(str(error).split())
        raise OnnxError(f"{path}: cannot be read: {words}") from error
    try:
        return _Reader(model.graph).module()
    except OnnxError as error:
        raise OnnxError(f"{path}: {error}") from error


@dataclass(frozen=True, eq=False)
class _Node:
    """A node with its attributes, and of its inputs the names and what is constant of them."""

    node: onnx.NodeProto
    attributes: dict[str, Any]
    constants: list[Real | None]

    def __str__(self) -> str:
        name = self.node.name or ", ".join(self.node.output)
        return f"node {name!r} ({self.node.op_type})"

    def refuse(self, reason: str) -> OnnxError:
        return OnnxError(f"{self}: {reason}; supported are {SUPPORTED}")


class _Reader:
    """Walks along the one chain of a graph and collects its modules."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.constants: dict[str, Real] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.modules: OrderedDict[str, nn.Module] = OrderedDict()
        self.shared: dict[tuple[str, ...], nn.Linear] = {}
        # The sum of a MatMul that an Add may still complete.
        self.open: tuple[str, nn.Linear] | None = None
        self.operators: dict[str, Callable[[_Node], nn.Module | None]] = {
            "Gemm": self._gemm,
            "MatMul": self._matmul,
            "Add": self._add,
            "Relu": lambda node: nn.ReLU(),
            "Softmax": lambda node: nn.Softmax(dim=self._axis(node)),
            "LogSoftmax": lambda node: nn.LogSoftmax(dim=self._axis(node)),
            "Flatten": self._flatten,
            "Identity": lambda node: None,
            "Dropout": self._dropout,
            "BatchNormalization": self._norm,
        }

    def module(self) -> nn.Sequential:
        """The chain, from the graph's only input to its only output."""
        inputs = [value.name for value in self.graph.input if value.name not in self.constants]
        outputs = [value.name for value in self.graph.output]
        if len(inputs) != 1 or len(outputs) != 1:
            raise OnnxError(
                f"has inputs {', '.join(inputs)} and outputs {', '.join(outputs)}, legal is one "
                "of each"
            )
        (current,) = inputs
        for proto in self.graph.node:
            if proto.op_type == "Constant":
                self._constant(proto)
                continue
            node = _Node(
                proto,
                {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute},
                [self.constants.get(name) for name in proto.input],
            )
            variable = [name for name in proto.input if name and name not in self.constants]
            if variable != [current]:
                raise node.refuse(f"its inputs are {', '.join(variable)}, legal is {current}")
            operator = self.operators.get(proto.op_type)
            if operator is None or proto.domain not in ("", "ai.onnx"):
                raise node.refuse("is not supported")
            self._append(node, operator(node))
            current = proto.output[0]
        if current != outputs[0]:
            raise OnnxError(f"its output is {outputs[0]}, legal is {current}, the chain's last")
        return nn.Sequential(self.modules)

    def _append(self, node: _Node, module: nn.Module | None) -> None:
        if node.node.op_type != "MatMul":
            self.open = None
        if module is None:
            return
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in node.node.name).strip("_")
        if not name.isidentifier() or name in self.modules or hasattr(nn.Sequential, name):
            name = f"{node.node.op_type.lower()}{len(self.modules)}"
        self.modules[name] = module
        if node.node.op_type == "MatMul":
            assert isinstance(module, nn.Linear)
            self.open = name, module

    def _constant(self, proto: onnx.NodeProto) -> None:
        (attribute,) = proto.attribute
        if attribute.name == "value":
            self.constants[proto.output[0]] = numpy_helper.to_array(attribute.t)
        else:
            array = np.array(onnx.helper.get_attribute_value(attribute))
            self.constants[proto.output[0]] = array

    def _gemm(self, node: _Node) -> nn.Module:
        weights = self._matrix(node)
        alpha, beta = (node.attributes.get(key, 1.0) for key in ("alpha", "beta"))
        if node.attributes.get("transA", 0):
            raise node.refuse("transA is 1, legal is 0")
        if not node.attributes.get("transB", 0):
            weights = weights.T
        bias = node.constants[2] if len(node.constants) > 2 else None
        key = (*node.node.input[1:], str(sorted(node.attributes.items())))
        return self._linear(node, key, alpha * weights, None if bias is None else beta * bias)

    def _matmul(self, node: _Node) -> nn.Module:
        return self._linear(node, tuple(node.node.input[1:]), self._matrix(node).T, None)

    def _matrix(self, node: _Node) -> Real:
        if node.constants[0] is not None or node.constants[1] is None:
            raise node.refuse("its matrix is not constant, or comes first")
        if node.constants[1].ndim != 2:
            raise node.refuse(f"its matrix has shape {node.constants[1].shape}, legal is (n, m)")
        return node.constants[1]

    def _add(self, node: _Node) -> nn.Module | None:
        """The bias of the MatMul right before."""
        if self.open is None:
            raise node.refuse("is not right behind a MatMul")
        name, linear = self.open
        index = 0 if node.constants[0] is not None else 1
        bias = node.constants[index]
        assert bias is not None
        key = (node.node.input[index], *(str(id(linear)),))
        weights = linear.weight.detach().numpy()
        self.modules[name] = self._linear(node, key, weights, bias)
        return None

    def _linear(
        self, node: _Node, key: tuple[str, ...], weights: Real, bias: Real | None
    ) -> nn.Linear:
        """A Linear of these constants: the same one for the same ``key``."""
        n_out, n_in = weights.shape
        if bias is not None and bias.size not in (1, n_out):
            raise node.refuse(f"its bias has {bias.size} values, legal are {n_out}")
        if key not in self.shared:
            linear = self.shared[key] = nn.Linear(n_in, n_out, bias=bias is not None)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(np.ascontiguousarray(weights)))
                if bias is not None:
                    flat = np.broadcast_to(bias.reshape(-1), (n_out,))
                    linear.bias.copy_(torch.tensor(flat.copy()))
        return self.shared[key]

    def _axis(self, node: _Node) -> int:
        axis = node.attributes.get("axis", -1)
        if axis not in (1, -1):
            raise node.refuse(f"its axis is {axis}, legal is 1")
        return int(axis)

    def _flatten(self, node: _Node) -> None:
        if node.attributes.get("axis", 1) != 1:
            raise node.refuse(f"its axis is {node.attributes['axis']}, legal is 1")

    def _dropout(self, node: _Node) -> None:
        training = node.constants[2] if len(node.constants) > 2 else None
        if training is not None and bool(training):
            raise node.refuse("drops in evaluation too")

    def _norm(self, node: _Node) -> nn.Module:
        scale, bias, mean, variance = node.constants[1:5]
        if scale is None or bias is None or mean is None or variance is None:
            raise node.refuse("its parameters are not constant")
        if node.attributes.get("training_mode", 0):
            raise node.refuse("training_mode is 1, legal is 0")
        norm = nn.BatchNorm1d(scale.size, eps=node.attributes.get("epsilon", 1e-5))
        parts = {"weight": scale, "bias": bias, "running_mean": mean, "running_var": variance}
        with torch.no_grad():
            for name, values in parts.items():
                getattr(norm, name).copy_(torch.tensor(np.ascontiguousarray(values)))
        return norm
