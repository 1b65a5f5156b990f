"""From a PyTorch module to the chain of layers that the hardware has, by `torch.fx`."""

import importlib
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import fx, nn
from torch.nn import functional as F

from model.errors import VerbatimError

SUPPORTED = (
    "nn.Linear, ReLU (nn.ReLU, F.relu, torch.relu, .relu()) right after a Linear, and one softmax "
    "over dim 1 (nn.Softmax, F.softmax, torch.softmax, .softmax()) at the end, in one chain"
)

# What a node calls: the class of a module, a function, or the name of a method.
OPERATIONS: dict[object, str] = {
    nn.Linear: "linear",
    **dict.fromkeys((nn.ReLU, F.relu, torch.relu, "relu"), "relu"),
    **dict.fromkeys((nn.Softmax, F.softmax, torch.softmax, "softmax"), "softmax"),
}
LEGAL_BEFORE = {
    "linear": ("placeholder", "linear", "relu"),
    "relu": ("linear",),
    "softmax": ("linear", "relu"),
    "output": ("softmax",),
}


class FrontendError(VerbatimError):
    """A module that the hardware cannot be: the message names the node and what is supported."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One use of an `nn.Linear` and, where ``relu``, the ReLU behind it.

    ``weights`` names the module, ``name`` this use of it: ``fc2``, then ``fc2_2``.
    """

    name: str
    weights: str
    linear: nn.Linear
    relu: bool


def instantiate(reference: str) -> nn.Module:
    """A new module of the class ``package.module:Class``, with PyTorch's current random state.

    Raises `FrontendError` where there is no such class or it takes arguments.
    """
    package, _, name = reference.partition(":")
    try:
        module = getattr(importlib.import_module(package), name)()
    except (ImportError, AttributeError, TypeError) as error:
        raise FrontendError(f"module {reference!r} cannot be made: {error}") from error
    if not isinstance(module, nn.Module):
        raise FrontendError(f"module {reference!r} is a {type(module).__name__}, legal: nn.Module")
    return module


def layers(module: nn.Module) -> list[Layer]:
    """The module's chain of layers, in the order of its data path; parameters stay shared with it.

    Raises `FrontendError`, naming the node, on anything but the `SUPPORTED` operations in a chain.
    """
    try:
        graph = fx.Tracer().trace(module)
    except Exception as error:  # tracing runs the module's own code, which may raise anything
        raise FrontendError(
            f"{type(module).__name__} cannot be traced: {error}; supported are {SUPPORTED}"
        ) from error
    found: list[Layer] = []
    uses: Counter[str] = Counter()
    operation = "placeholder"
    for before, node in pairwise(graph.nodes):
        submodule = module.get_submodule(str(node.target)) if node.op == "call_module" else None
        last, operation = operation, _operation(node, submodule)
        if node.all_input_nodes != [before] or last not in LEGAL_BEFORE.get(operation, ()):
            raise FrontendError(
                f"{type(module).__name__}: node {node.name!r} ({_describe(node, submodule)}) after "
                f"{before.name!r} is not supported, supported are {SUPPORTED}"
            )
        if isinstance(submodule, nn.Linear):
            weights = _identifier(str(node.target))
            uses[weights] += 1
            name = weights if uses[weights] == 1 else f"{weights}_{uses[weights]}"
            found.append(Layer(name, weights, submodule, relu=False))
        elif operation == "relu":
            found[-1] = replace(found[-1], relu=True)
    return found


def _identifier(path: str) -> str:
    """A legal name for a submodule: ``fc1``, ``layer_0_2`` for the third of a nested sequence."""
    name = path.replace(".", "_")
    return name if name.isidentifier() else f"layer_{name}"


def _operation(node: fx.Node, submodule: nn.Module | None) -> str:
    """What a node does: an entry of `LEGAL_BEFORE`, or "" where the hardware has no such thing."""
    if node.op == "output":
        return "output" if isinstance(node.args[0], fx.Node) else ""
    called = node.target if submodule is None else type(submodule)
    operation = OPERATIONS.get(called, "")
    if operation == "softmax":
        dim = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
        if isinstance(submodule, nn.Softmax):
            dim = submodule.dim
        return operation if dim in (1, -1) else ""
    return operation


def _describe(node: fx.Node, submodule: nn.Module | None) -> str:
    if submodule is not None:
        return repr(submodule).splitlines()[0]
    return f"{node.op} {getattr(node.target, '__name__', node.target)}"
