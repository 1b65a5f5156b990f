"""The ways in which PyTorch writes one operation: modules, functions and methods by its name."""

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from model.frontends import activations
from model.frontends.chain import Affine
from model.frontends.fixed_point import FixedLinear, FixedPoint

# What a node calls: the class of a module, a function, or the name of a method.
OPERATIONS: dict[object, str] = {
    **dict.fromkeys((nn.Linear, FixedLinear), "linear"),
    F.linear: "f_linear",
    **dict.fromkeys((operator.matmul, torch.matmul, torch.mm, "matmul", "mm"), "matmul"),
    **dict.fromkeys((torch.addmm, "addmm"), "addmm"),
    nn.BatchNorm1d: "norm",
    F.batch_norm: "f_norm",
    Affine: "affine",
    FixedPoint: "fixed",
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), "add"),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, "sub", "sub_"), "sub"),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, "mul", "mul_"), "mul"),
    **dict.fromkeys(
        (operator.truediv, operator.itruediv, torch.div, torch.true_divide, "div", "div_"), "div"
    ),
    **dict.fromkeys((operator.neg, torch.neg, "neg", "neg_"), "neg"),
    **dict.fromkeys((nn.ReLU, F.relu, F.relu_, torch.relu, torch.relu_, "relu", "relu_"), "relu"),
    **dict.fromkeys((torch.clamp, torch.clip, "clamp", "clamp_", "clip", "clip_"), "clamp"),
    **dict.fromkeys((torch.clamp_min, "clamp_min", "clamp_min_"), "clamp"),
    **dict.fromkeys((nn.Threshold, F.threshold), "threshold"),
    **dict.fromkeys((torch.maximum, torch.max, "maximum", "max"), "maximum"),
    **dict.fromkeys((nn.Softmax, F.softmax, torch.softmax, "softmax"), "softmax"),
    **dict.fromkeys((nn.LogSoftmax, F.log_softmax, torch.log_softmax, "log_softmax"), "softmax"),
    **dict.fromkeys((nn.Sigmoid, F.sigmoid, torch.sigmoid, "sigmoid", "sigmoid_"), "sigmoid"),
    **activations.SPELLED,
    **dict.fromkeys((torch.argmax, "argmax"), "argmax"),
    **dict.fromkeys((nn.AlphaDropout, nn.Dropout1d), "pass"),
    **dict.fromkeys((nn.Identity, nn.Dropout, F.dropout, torch.dropout), "pass"),
    **dict.fromkeys(("contiguous", "detach", "cpu", "clone", torch.clone), "pass"),
    **dict.fromkeys(("float", "double", "to", "type", "type_as"), "cast"),
    **dict.fromkeys((nn.Flatten, torch.flatten, "flatten"), "flatten"),
    **dict.fromkeys((torch.reshape, "view", "reshape"), "view"),
    **dict.fromkeys((torch.squeeze, "squeeze"), "squeeze"),
    operator.getitem: "getitem",
    **dict.fromkeys((getattr, "size"), "size"),
}
# What is said where an operation is known and its arguments are not those of a chain of layers.
HINTS = {
    "flatten": "torch.flatten(x, 1) is, or nn.Flatten()",
    "view": "x.view(x.size(0), -1) is, or torch.flatten(x, 1)",
    "softmax": "once over the classes of a sample is, nn.Softmax(dim=1), as the last step",
    "sigmoid": "between layers it is, and at the end behind a Linear of one output, or for targets",
    "argmax": "at the end over dim 1 it is, or return the logits: the core gives the class",
    "clamp": "clamp(min=0) behind a Linear is, or nn.ReLU(), or with both min and max",
    "threshold": "nn.Threshold(0, 0) behind a Linear is, or nn.ReLU()",
    "maximum": "torch.relu(x) behind a Linear is, and at the end argmax(dim=1)",
    "relu": "behind a Linear it is, or behind a BatchNorm there",
    "squeeze": "squeeze(1) of one output is, at the end",
    "getitem": "x[:, 0] of one output is, at the end",
    "cast": "x.float() is",
    "pass": "F.dropout(x, p, training=self.training) is, or nn.Dropout()",
    "norm": "with running statistics it is, in front of a Linear or right behind it",
    "add": "of a constant, one for each feature, it is, in front of a Linear or right behind it",
    "fixed": "once behind each layer and in front of the first it is",
    "linear": "in one chain it is, on all features of a sample",
}
for _same, _as in (("f_norm", "norm"), ("sub", "add"), ("mul", "add"), ("div", "add"),
                   ("affine", "add"), ("neg", "add"), ("f_linear", "linear"),
                   ("matmul", "linear"), ("addmm", "linear")):  # fmt: skip
    HINTS[_same] = HINTS[_as]
HINTS |= dict.fromkeys(activations.SPELLED.values(), "right behind a Linear it is")
# Whatever hinders a PReLU, a LeakyReLU in its place says how it is written.
del HINTS["prelu"]
HINTS["softplus"] = "nn.Softplus() right behind a Linear is, of beta 1"
FLOATS = (torch.float32, torch.float64)


def operation(node: fx.Node, submodule: nn.Module | None) -> str:
    """Name of what a node computes: an entry of `OPERATIONS`, or "" where there is none."""
    return OPERATIONS.get(node.target if submodule is None else type(submodule), "")


def argument(node: fx.Node, position: int, name: str, default: Any) -> Any:
    """An argument of a node, by position or by name."""
    return node.kwargs.get(name, node.args[position] if len(node.args) > position else default)


def in_place(node: fx.Node, submodule: nn.Module | None) -> bool:
    """Return whether a node writes over what it takes."""
    if submodule is not None:
        return bool(getattr(submodule, "inplace", False))
    name = getattr(node.target, "__name__", node.target)
    is_method = isinstance(name, str) and name.endswith("_") and not name.endswith("__")
    return is_method or node.kwargs.get("inplace", False) is True


def is_over_classes(node: fx.Node, submodule: nn.Module | None) -> bool:
    """Return whether a softmax goes over dim 1, which one without a dim does too."""
    dim = submodule.dim if submodule else argument(node, 1, "dim", None)
    return dim in (1, -1, None)


def is_relu(node: fx.Node, submodule: nn.Module | None, name: str) -> bool:
    """Return whether a clamp or threshold is ``max(x, 0)``."""
    if name == "threshold":
        given = (
            (submodule.threshold, submodule.value)
            if isinstance(submodule, nn.Threshold)
            else (argument(node, 1, "threshold", None), argument(node, 2, "value", None))
        )
        return given == (0, 0)
    return argument(node, 1, "min", None) == 0 and argument(node, 2, "max", None) is None


def changes_nothing(node: fx.Node, submodule: nn.Module | None, name: str) -> bool:
    """Return whether a cast keeps real numbers, and a dropout, in evaluation, all of them."""
    called = node.target
    if name == "pass":
        dropout = submodule is None and called in (F.dropout, torch.dropout)
        # Traced in evaluation, it must not drop: F.dropout drops unless it is told otherwise.
        return not dropout or argument(node, 2, "training", True) is False
    if called in ("to", "type"):
        kinds = [a for a in (*node.args[1:], *node.kwargs.values()) if isinstance(a, torch.dtype)]
        text = [a for a in node.args[1:] if called == "type" and isinstance(a, str)]
        return all(kind in FLOATS for kind in kinds) and not text
    return True


def is_flat(node: fx.Node, submodule: nn.Module | None) -> bool:
    """Return whether a flatten keeps the samples apart, from dim 1 to the last."""
    if isinstance(submodule, nn.Flatten):
        start, end = submodule.start_dim, submodule.end_dim
    else:
        start, end = argument(node, 1, "start_dim", 0), argument(node, 2, "end_dim", -1)
    return start in (1, -1) and end in (1, -1)
