"""Activations among the operators of ONNX: a module for each node."""

import numpy as np
from torch import nn

from model.frontends.onnx_node import Node
from model.frontends.onnx_reader import Operator, Reader

Made = nn.Module | None


def _clip(reader: Reader, node: Node) -> Made:
    if reader.codes is not None:
        reader.codes = reader.codes.clipped(node)
        return None
    if node.node.input[0] in reader.floating:
        reader.floating.add(node.node.output[0])
        return None
    low = node.attributes.get("min", node.constant(1))
    high = node.attributes.get("max", node.constant(2))
    open_above = high is None or float(np.ravel(high)[0]) >= np.finfo(np.float32).max
    least = None if low is None else float(np.ravel(low)[0])
    if least == 0 and open_above:
        return nn.ReLU()
    if least is None or high is None or open_above or not least <= (most := np.ravel(high)[0]):
        raise node.refuse("its min must be 0 and its max open, as in Relu, or both must be given")
    return nn.Hardtanh(least, float(most))


def _number(node: Node, key: str, default: float) -> float:
    """An attribute of float32, by its shortest decimal."""
    return float(str(np.float32(node.attributes.get(key, default))))


def _sigmoid(reader: Reader, node: Node) -> Made:
    return nn.SiLU() if reader.is_gate(node) else nn.Sigmoid()


def _hard_sigmoid(reader: Reader, node: Node) -> Made:
    alpha, beta = _number(node, "alpha", 0.2), _number(node, "beta", 0.5)
    if abs(alpha - 1 / 6) > 1e-6 or beta != 0.5:
        raise node.refuse(
            f"its alpha and beta must be 1/6 and 0.5, as in nn.Hardsigmoid, got {alpha} and {beta}"
        )
    return nn.Hardswish() if reader.is_gate(node) else nn.Hardsigmoid()


def _gelu(reader: Reader, node: Node) -> Made:
    approximate = node.attributes.get("approximate", b"none")
    return nn.GELU(approximate.decode())


def _prelu(reader: Reader, node: Node) -> Made:
    slope = node.constant(1)
    if slope is None or np.size(slope) != 1:
        raise node.refuse("its slope must be one constant, as in LeakyRelu")
    return nn.LeakyReLU(float(str(np.float32(np.ravel(slope)[0]))))


ACTIVATIONS: dict[str, Operator] = {
    "Relu": Operator(lambda reader, node: nn.ReLU()),
    "Clip": Operator(_clip, takes_codes=True),
    "Sigmoid": Operator(_sigmoid),
    "Tanh": Operator(lambda reader, node: nn.Tanh()),
    "LeakyRelu": Operator(lambda reader, node: nn.LeakyReLU(_number(node, "alpha", 0.01))),
    "PRelu": Operator(_prelu),
    "HardSigmoid": Operator(_hard_sigmoid),
    "HardSwish": Operator(lambda reader, node: nn.Hardswish()),
    "Elu": Operator(lambda reader, node: nn.ELU(_number(node, "alpha", 1.0))),
    "Gelu": Operator(_gelu),
    "Softplus": Operator(lambda reader, node: nn.Softplus()),
}
