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
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import load_external_data_for_model
from onnx.reference import ReferenceEvaluator
from torch import nn

from common.errors import VerbatimError, reason
from model.recipe import MAX_LAYERS

SUPPORTED = (
    "Gemm, MatMul and Add, Relu, BatchNormalization, Dropout, Identity, Flatten from axis 1, and "
    "Softmax or LogSoftmax over axis 1, in one chain"
)
# Constants alone may go through these; other nodes are the network's.
FOLDED = frozenset(
    {"Add", "Cast", "DequantizeLinear", "Div", "Identity", "Mul", "Reshape", "Squeeze", "Sub"}
    | {"Transpose", "Unsqueeze"}
)
# Older operators have other attributes.
OLDEST_OPSET = 7
Real = NDArray[np.float64]


class OnnxError(VerbatimError):
    """A file that is no network of the supported kind: the message names the file and the node."""


def load(path: Path) -> nn.Sequential:
    """The network of an ONNX file, ``[samples, n_in]`` to its output, in float32.

    Raises `OnnxError`, naming file and node, on anything but `SUPPORTED`. Each name of the module
    is that of a node, or its operator and number.
    """
    model = _read(path)
    try:
        _check_versions(model)
        load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
    except OnnxError as error:
        raise OnnxError(f"{path}: {error}") from error
    except Exception as error:  # the checker has no common class of errors
        missing = next((f for f in _external(path, model) if not f.is_file()), None)
        words = f"its tensors are in {missing.name}, which is missing" if missing else reason(error)
        raise OnnxError(f"{path}: is no valid ONNX: {words}") from error
    try:
        return _Reader(model).module()
    except OnnxError as error:
        raise OnnxError(f"{path}: {error}") from error
    except Exception as error:  # what the checker lets pass, damaged all the same
        raise OnnxError(f"{path}: is no valid ONNX: {reason(error)}") from error


def external_files(path: Path) -> set[Path]:
    """Return the files beside an ONNX file that hold its tensors; raises `OnnxError`."""
    return {file.resolve() for file in _external(path, _read(path)) if file.is_file()}


def _read(path: Path) -> onnx.ModelProto:
    """A file's graph, without tensors that other files hold."""
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise OnnxError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # protobuf has no common class of errors
        raise OnnxError(f"{path}: cannot be read: is truncated, damaged or no ONNX") from error
    if not model.graph.node:
        raise OnnxError(f"{path}: holds no node, expected a network")
    return model


def _external(path: Path, model: onnx.ModelProto) -> set[Path]:
    return {
        path.parent / entry.value
        for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }


def _check_versions(model: onnx.ModelProto) -> None:
    """Refuse versions whose operators may mean something else."""
    newest = onnx.defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and not OLDEST_OPSET <= opset.version <= newest:
            raise OnnxError(
                f"its opset must be {OLDEST_OPSET} to {newest}, got {opset.version}: "
                "export it again with another opset_version"
            )
    if not 3 <= model.ir_version <= onnx.IR_VERSION:
        raise OnnxError(f"its ir_version must be 3 to {onnx.IR_VERSION}, got {model.ir_version}")


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
        """An error that says what is supported in the place of this node."""
        return OnnxError(f"{self}: {reason}; supported are {SUPPORTED}")

    def wrong(self, reason: str) -> OnnxError:
        """An error about the node's own values."""
        return OnnxError(f"{self}: {reason}")


class _Reader:
    """Walks along the one chain of a graph and collects its modules."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model, self.graph = model, model.graph
        self.constants: dict[str, Real] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
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
                f"has inputs {', '.join(inputs)} and outputs {', '.join(outputs)}, expected one of "
                "each"
            )
        (current,) = inputs
        for proto in self.graph.node:
            node = _Node(
                proto,
                {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute},
                [self.constants.get(name) for name in proto.input],
            )
            variable = [name for name in proto.input if name and name not in self.constants]
            if proto.op_type == "Constant":
                self._constant(node)
                continue
            if not variable:
                self._fold(node)
                continue
            if variable != [current]:
                raise node.refuse(f"its inputs must be {current}, got {', '.join(variable)}")
            operator = self.operators.get(proto.op_type)
            if operator is None or proto.domain not in ("", "ai.onnx"):
                raise node.refuse("is not supported")
            self._append(node, operator(node))
            current = proto.output[0]
        if current != outputs[0]:
            raise OnnxError(f"its output must be {current}, the chain's last, got {outputs[0]}")
        linears = sum(isinstance(module, nn.Linear) for module in self.modules.values())
        if linears > MAX_LAYERS:
            raise OnnxError(f"has {linears} layers, expected at most {MAX_LAYERS}")
        return nn.Sequential(self.modules)

    def _append(self, node: _Node, module: nn.Module | None) -> None:
        if node.node.op_type != "MatMul":
            self.open = None
        if module is None:
            return
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in node.node.name).strip("_")
        if not name.isidentifier() or name in self.modules or hasattr(nn.Sequential(), name):
            name = f"{node.node.op_type.lower()}{len(self.modules)}"
        self.modules[name] = module
        if node.node.op_type == "MatMul":
            assert isinstance(module, nn.Linear)
            self.open = name, module

    def _fold(self, node: _Node) -> None:
        """The value of a node of constants alone, as ONNX defines it."""
        if node.node.op_type not in FOLDED or node.node.domain not in ("", "ai.onnx"):
            raise node.refuse("is computed from constants alone, which is not supported")
        values = {name: self.constants[name] for name in node.node.input if name}
        ends = [
            [onnx.helper.make_empty_tensor_value_info(name) for name in names]
            for names in (values, node.node.output)
        ]
        graph = onnx.helper.make_graph([node.node], "constants", ends[0], ends[1])
        own = max(o.version for o in self.model.opset_import if o.domain in ("", "ai.onnx"))
        # The evaluator knows no older DequantizeLinear, which says the same.
        opset = max(own, 21) if node.node.op_type == "DequantizeLinear" else own
        try:
            made = onnx.helper.make_model(
                graph, opset_imports=[onnx.helper.make_opsetid("", opset)]
            )
            (value,) = ReferenceEvaluator(made).run(None, values)
        except Exception as error:  # the evaluator has no common class of errors
            raise node.refuse(f"its constants cannot be computed: {reason(error)}") from error
        self.constants[node.node.output[0]] = np.asarray(value)

    def _constant(self, node: _Node) -> None:
        values = list(node.attributes.items())
        if len(values) != 1 or values[0][0].startswith("sparse"):
            raise node.refuse("must have one value, which is not sparse")
        ((key, value),) = values
        array = numpy_helper.to_array(value) if key == "value" else np.array(value)
        self.constants[node.node.output[0]] = array

    def _gemm(self, node: _Node) -> nn.Module:
        weights = self._matrix(node)
        alpha, beta = (node.attributes.get(key, 1.0) for key in ("alpha", "beta"))
        if node.attributes.get("transA", 0):
            raise node.refuse("transA must be 0, got 1")
        if not node.attributes.get("transB", 0):
            weights = weights.T
        bias = node.constants[2] if len(node.constants) > 2 else None
        if bias is not None:
            _require_numbers(node, "bias", bias)
        key = (*node.node.input[1:], str(sorted(node.attributes.items())))
        return self._linear(node, key, alpha * weights, None if bias is None else beta * bias)

    def _matmul(self, node: _Node) -> nn.Module:
        return self._linear(node, tuple(node.node.input[1:]), self._matrix(node).T, None)

    def _matrix(self, node: _Node) -> Real:
        if node.constants[0] is not None or node.constants[1] is None:
            raise node.refuse("its matrix is not constant, or comes first")
        if node.constants[1].ndim != 2:
            raise node.refuse(f"its matrix must have shape (n, m), got {node.constants[1].shape}")
        _require_numbers(node, "matrix", node.constants[1])
        return node.constants[1]

    def _add(self, node: _Node) -> nn.Module | None:
        """The bias of the MatMul right before."""
        if self.open is None:
            raise node.refuse("is not right behind a MatMul")
        name, linear = self.open
        index = 0 if node.constants[0] is not None else 1
        bias = node.constants[index]
        assert bias is not None
        _require_numbers(node, "bias", bias)
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
            raise node.refuse(f"its bias must have {n_out} values, got {bias.size}")
        if key not in self.shared:
            linear = self.shared[key] = nn.Linear(n_in, n_out, bias=bias is not None)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(np.ascontiguousarray(weights)))
                if bias is not None:
                    flat = np.broadcast_to(bias.reshape(-1), (n_out,))
                    linear.bias.copy_(torch.tensor(flat.copy()))
            if not all(torch.isfinite(parameter).all() for parameter in linear.parameters()):
                raise node.wrong("its constants leave the range of float32")
        return self.shared[key]

    def _axis(self, node: _Node) -> int:
        axis = node.attributes.get("axis", -1)
        if axis not in (1, -1):
            raise node.refuse(f"its axis must be 1, got {axis}")
        return int(axis)

    def _flatten(self, node: _Node) -> None:
        if node.attributes.get("axis", 1) != 1:
            raise node.refuse(f"its axis must be 1, got {node.attributes['axis']}")

    def _dropout(self, node: _Node) -> None:
        training = node.constants[2] if len(node.constants) > 2 else None
        if training is not None and bool(training):
            raise node.refuse("drops in evaluation too")

    def _norm(self, node: _Node) -> nn.Module:
        scale, bias, mean, variance = node.constants[1:5]
        if scale is None or bias is None or mean is None or variance is None:
            raise node.refuse("its parameters are not constant")
        if node.attributes.get("training_mode", 0):
            raise node.refuse("training_mode must be 0, got 1")
        for name, values in zip(
            ("scale", "B", "mean", "var"), (scale, bias, mean, variance), strict=True
        ):
            _require_numbers(node, name, values)
        if not all(values.shape == scale.shape for values in (bias, mean, variance)):
            raise node.wrong("its parameters differ in shape")
        norm = nn.BatchNorm1d(scale.size, eps=node.attributes.get("epsilon", 1e-5))
        parts = {"weight": scale, "bias": bias, "running_mean": mean, "running_var": variance}
        with torch.no_grad():
            for name, values in parts.items():
                getattr(norm, name).copy_(torch.tensor(np.ascontiguousarray(values)))
        return norm


def _require_numbers(node: _Node, what: str, values: Real) -> None:
    """Refuse constants that are no finite numbers, or none at all."""
    if not values.size or values.dtype.kind != "f":
        raise node.wrong(
            f"its {what} must be floats, got {values.dtype} of shape {list(values.shape)}"
        )
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        place = tuple(bad[0].tolist())
        raise node.wrong(f"its {what}{list(place)} is {values[place]}, expected a finite number")
