"""The operators of ONNX that the reader knows, one function for each: a module, or None."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from model.frontends.onnx_activations import ACTIVATIONS
from model.frontends.onnx_constants import code_range, rounded
from model.frontends.onnx_node import Node, Real
from model.frontends.onnx_quantized import Codes, code_ends
from model.frontends.onnx_reader import Column, Operator, Reader, Winner

Made = nn.Module | None
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
AT_THE_END = (nn.Softmax, nn.LogSoftmax, nn.Sigmoid)


def _gemm(reader: Reader, node: Node) -> Made:
    weights, scale = _matrix(reader, node, 1)
    alpha, beta = (node.attributes.get(key, 1.0) for key in ("alpha", "beta"))
    if node.attributes.get("transA", 0):
        raise node.refuse("transA must be 0, got 1")
    if not node.attributes.get("transB", 0):
        weights = weights.T
    bias = node.constant(2)
    if bias is not None:
        node.require_numbers("bias", bias)
    key = (*node.node.input[1:], str(sorted(node.attributes.items())))
    scale = None if scale is None else np.abs(scale * alpha)
    return reader.linear(node, key, alpha * weights, None if bias is None else beta * bias, scale)


def _matmul(reader: Reader, node: Node) -> Made:
    weights, scale = _matrix(reader, node, 1)
    return reader.linear(node, tuple(node.node.input[1:]), weights.T, None, scale)


def _matrix(reader: Reader, node: Node, position: int) -> tuple[Real, Any]:
    """A constant matrix, and its scale where it was quantized."""
    found = node.constant(position)
    if node.constant(0) is not None or found is None:
        raise node.refuse("its matrix is not constant, or comes first")
    if found.ndim != 2:
        raise node.refuse(f"its matrix must have shape (n, m), got {found.shape}")
    node.require_numbers("matrix", found)
    return found, reader.constants.scales.get(node.node.input[position])


def _add(reader: Reader, node: Node) -> Made:
    """The bias of the MatMul right before, or a constant for each feature."""
    index = 0 if node.constant(0) is not None else 1
    bias = node.constant(index)
    if reader.open is None or bias.size not in (1, reader.open[1].out_features):
        return reader.affine(node, None, bias)
    name, linear = reader.open
    node.require_numbers("bias", bias)
    key = (node.node.input[index], *(str(id(linear)),))
    weights = linear.weight.detach().numpy()
    reader.modules[name] = reader.linear(node, key, weights, bias, linear.lsb)
    return None


def _sum(reader: Reader, node: Node) -> Made:
    if len(node.constants) != 2:
        raise node.refuse(f"it must add two values, got {len(node.constants)}")
    return _add(reader, node)


def _sub(reader: Reader, node: Node) -> Made:
    first, second = node.constant(0), node.constant(1)
    if second is not None:
        return reader.affine(node, None, -np.asarray(second, dtype=np.float64))
    if np.size(first) == 1 and float(np.ravel(first)[0]) == 1 and reader.is_at_an_end(nn.Sigmoid):
        reader.complements.add(node.node.output[0])
        return None
    return reader.affine(node, np.float64(-1), first)


def _mul(reader: Reader, node: Node) -> Made:
    return reader.affine(node, node.constant(0 if node.constant(0) is not None else 1), None)


def _div(reader: Reader, node: Node) -> Made:
    divisor = node.constant(1)
    if divisor is None:
        raise node.refuse("divides a constant by what comes, the other way round is supported")
    with np.errstate(divide="ignore"):
        return reader.affine(node, 1 / np.asarray(divisor, dtype=np.float64), None)


def _scaler(reader: Reader, node: Node) -> Made:
    """``(x - offset) * scale``, of scikit-learn's scalers."""
    scale = np.array(node.attributes.get("scale", [1.0]), dtype=np.float64)
    offset = np.array(node.attributes.get("offset", [0.0]), dtype=np.float64)
    made = reader.affine(node, scale, -offset * scale)
    return made


def _norm(reader: Reader, node: Node) -> Made:
    scale, bias, mean, variance = node.constants[1:5]
    if scale is None or bias is None or mean is None or variance is None:
        raise node.refuse("its parameters are not constant")
    if node.attributes.get("training_mode", 0):
        raise node.refuse("training_mode must be 0, got 1")
    named = zip(("scale", "B", "mean", "var"), (scale, bias, mean, variance), strict=True)
    for name, values in named:
        node.require_numbers(name, values)
    if not all(values.shape == scale.shape for values in (bias, mean, variance)):
        raise node.wrong("its parameters differ in shape")
    norm = nn.BatchNorm1d(scale.size, eps=node.attributes.get("epsilon", 1e-5))
    parts = {"weight": scale, "bias": bias, "running_mean": mean, "running_var": variance}
    with torch.no_grad():
        for name, values in parts.items():
            getattr(norm, name).copy_(torch.tensor(np.ascontiguousarray(values)))
    return norm


def _max(reader: Reader, node: Node) -> Made:
    constants = [value for value in node.constants if value is not None]
    if len(constants) != 1 or len(node.constants) != 2 or not (constants[0] == 0).all():
        raise node.refuse("its other input must be 0, as in Relu")
    return nn.ReLU()


def _softmax(kind: type[nn.Softmax] | type[nn.LogSoftmax]) -> Callable[[Reader, Node], Made]:
    def make(reader: Reader, node: Node) -> Made:
        axis = node.attributes.get("axis", -1)
        if axis not in (1, -1):
            raise node.refuse(f"its axis must be 1, got {axis}")
        return kind(dim=1)

    return make


def _argmax(reader: Reader, node: Node) -> Made:
    axis = node.attributes.get("axis", 0)
    if axis not in (1, -1):
        raise node.refuse(f"its axis must be 1, got {axis}")
    if node.attributes.get("select_last_index", 0):
        raise node.refuse("select_last_index must be 0, got 1: of equal logits the first wins")
    return Winner()


def _flatten(reader: Reader, node: Node) -> Made:
    if node.attributes.get("axis", 1) != 1:
        raise node.refuse(f"its axis must be 1, got {node.attributes['axis']}")
    return None


def _reshape(reader: Reader, node: Node) -> Made:
    sizes = node.constant(1)
    if sizes is None and len(node.node.input) > 1:
        sizes = reader.constants.sizes.get(node.node.input[1])
    if sizes is not None and reader.is_flat(sizes):
        return None
    if sizes is not None and np.size(sizes) == 1 and reader.width == 1:
        return Column()
    shown = "" if sizes is None else f", got [{', '.join(map(str, np.ravel(sizes)))}]"
    raise node.refuse(f"its shape must keep the samples and flatten the rest, as [-1, n]{shown}")


def _squeeze(reader: Reader, node: Node) -> Made:
    axes = node.attributes.get("axes", node.constant(1))
    over = [-1] if axes is None else np.ravel(axes).tolist()
    if reader.is_at_an_end(Winner):
        return None
    if over not in ([1], [-1]) or reader.width != 1:
        raise node.refuse("it must take axis 1 of one output away, at the end")
    return Column()


def _cast(reader: Reader, node: Node) -> Made:
    if node.attributes.get("to") not in FLOATS and not reader.is_at_an_end(Winner):
        raise node.refuse("it must be to floats")
    return None


def _dropout(reader: Reader, node: Node) -> Made:
    training = node.constant(2)
    if training is not None and bool(training):
        raise node.refuse("drops in evaluation too")
    return None


def _shape(reader: Reader, node: Node) -> Made:
    reader.constants.measure(node, reader.width)
    return None


def _nothing(reader: Reader, node: Node) -> Made:
    return None


# Quantization


def _quantize(reader: Reader, node: Node) -> Made:
    zero = node.constant(2)
    if reader.floats:
        reader.floating.add(node.node.output[0])
        return _float_of(reader, zero is None or int(np.min(zero)) == code_ends(node, zero)[0])
    reader.codes = Codes.of(node, node.constant(1), zero)
    return None


def _float_of(reader: Reader, unsigned: bool) -> Made:
    """The ReLU that codes without a sign are behind a layer."""
    behind = any(isinstance(module, nn.Linear) for module in reader.modules.values())
    return nn.ReLU() if unsigned and behind and not reader.is_at_an_end(*AT_THE_END) else None


def _dequantize(reader: Reader, node: Node) -> Made:
    if reader.codes is not None:
        reader.codes.require_same(node, node.constant(1), node.constant(2))
        made, reader.codes = reader.codes.module(), None
        reader.fixed = True
        return made
    if not reader.floats:
        raise node.refuse("of what no QuantizeLinear gives is not supported")
    return None


def _quant(reader: Reader, node: Node) -> Made:
    rounded(node, np.zeros(1))
    if reader.floats:
        return _float_of(reader, code_range(node)[0] == 0)
    reader.fixed = True
    return Codes.of_quant(node).module()


def _dynamic(reader: Reader, node: Node) -> Made:
    raise node.wrong(
        "finds a scale for each sample, and the hardware has one for all: quantize statically, to "
        "powers of two"
    )


def _read_codes(reader: Reader, node: Node, position: int) -> None:
    """Codes that a node takes become numbers."""
    if reader.codes is not None:
        reader.codes.require_same(node, node.constant(position), node.constant(position + 1))
        reader.append(reader.codes.node, reader.codes.module())
        reader.fixed, reader.codes = True, None


def _dequantized(node: Node, position: int) -> tuple[Real, Any]:
    """A constant of codes, its scale and its zero point at a node's inputs, as numbers."""
    codes, scale, zero = (node.constant(position + k) for k in range(3))
    if codes is None or scale is None:
        raise node.refuse("its matrix is not constant, or comes first")
    zero = 0 if zero is None else np.asarray(zero).astype(np.int64)
    values = (codes.astype(np.int64) - zero) * np.asarray(scale, dtype=np.float64)
    return values.astype(np.float32), scale


def _write_codes(reader: Reader, node: Node, position: int) -> None:
    scale, zero = node.constant(position), node.constant(position + 1)
    if scale is None:
        return
    if not reader.floats:
        reader.codes = Codes.of(node, scale, zero)
    elif made := _float_of(reader, zero is None or int(np.min(zero)) == code_ends(node, zero)[0]):
        reader.append(node, made)


def _qlinear_matmul(reader: Reader, node: Node) -> Made:
    _read_codes(reader, node, 1)
    weights, scale = _dequantized(node, 3)
    reader.append(node, reader.linear(node, tuple(node.node.input[3:6]), weights.T, None, scale))
    _write_codes(reader, node, 6)
    return None


def _qgemm(reader: Reader, node: Node) -> Made:
    _read_codes(reader, node, 1)
    weights, scale = _dequantized(node, 3)
    alpha = node.attributes.get("alpha", 1.0)
    if node.attributes.get("transA", 0):
        raise node.refuse("transA must be 0, got 1")
    if not node.attributes.get("transB", 0):
        weights = weights.T
    bias = node.constant(6)
    if bias is not None:
        step = np.asarray(node.constant(1), dtype=np.float64) * np.asarray(scale) * alpha
        bias = (bias.astype(np.float64) * step).astype(np.float32)
    key = (*node.node.input[3:7], str(alpha))
    reader.append(node, reader.linear(node, key, alpha * weights, bias, np.abs(scale * alpha)))
    _write_codes(reader, node, 7)
    return None


def _qlinear_add(reader: Reader, node: Node) -> Made:
    first = 3 if node.constant(0) is None else 0
    _read_codes(reader, node, 1 if first else 4)
    values, _ = _dequantized(node, first)
    reader.append(node, reader.affine(node, None, values))
    _write_codes(reader, node, 6)
    return None


def _qlinear_softmax(reader: Reader, node: Node) -> Made:
    _read_codes(reader, node, 1)
    made = _softmax(nn.Softmax)(reader, node)
    assert made is not None
    reader.append(node, made)
    if not reader.floats:
        # Its own codes are rounded again where they are dequantized, behind the last layer.
        reader.codes = Codes(node, float(node.constant(3)), int(node.constant(4)), 0, 0)
    return None


def _zipmap(reader: Reader, node: Node) -> Made:
    return None


OPERATORS: dict[str, Operator] = {
    "Gemm": Operator(_gemm),
    "MatMul": Operator(_matmul),
    "Add": Operator(_add),
    "Sum": Operator(_sum),
    "Sub": Operator(_sub),
    "Mul": Operator(_mul),
    "Div": Operator(_div),
    "BatchNormalization": Operator(_norm),
    **ACTIVATIONS,
    "Max": Operator(_max),
    "Softmax": Operator(_softmax(nn.Softmax)),
    "LogSoftmax": Operator(_softmax(nn.LogSoftmax)),
    "ArgMax": Operator(_argmax),
    "Flatten": Operator(_flatten),
    "Reshape": Operator(_reshape),
    "Squeeze": Operator(_squeeze),
    "Cast": Operator(_cast),
    "Identity": Operator(_nothing),
    "Dropout": Operator(_dropout),
    "Shape": Operator(_shape),
    "QuantizeLinear": Operator(_quantize),
    "DequantizeLinear": Operator(_dequantize, takes_codes=True),
    "DynamicQuantizeLinear": Operator(_dynamic),
    "QLinearMatMul": Operator(_qlinear_matmul, takes_codes=True),
    "com.microsoft:QGemm": Operator(_qgemm, takes_codes=True),
    "com.microsoft:QLinearAdd": Operator(_qlinear_add, takes_codes=True),
    "com.microsoft:QLinearSoftmax": Operator(_qlinear_softmax, takes_codes=True),
    "qonnx.custom_op.general:Quant": Operator(_quant),
    "onnx.brevitas:Quant": Operator(_quant),
    "ai.onnx.ml:Scaler": Operator(_scaler),
    "ai.onnx.ml:ZipMap": Operator(_zipmap),
}
