"""From a PyTorch module to the chain of layers that the hardware has, by `torch.fx`."""

import itertools
import re
import sysconfig
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from common.errors import VerbatimError, reason
from model.recipe import MAX_LAYERS

# Modules, functions and methods alike. Short: a message keeps no more of itself than one reads.
SUPPORTED = (
    "nn.Linear, BatchNorm1d right behind it, ReLU, Dropout, Identity, Flatten from dim 1, and at "
    "the end softmax or log_softmax over dim 1, or nothing, in one chain"
)

# What a node calls: the class of a module, a function, or the name of a method.
OPERATIONS: dict[object, str] = {
    nn.Linear: "linear",
    nn.BatchNorm1d: "norm",
    **dict.fromkeys((nn.ReLU, F.relu, torch.relu, "relu"), "relu"),
    **dict.fromkeys((nn.Softmax, F.softmax, torch.softmax, "softmax"), "softmax"),
    **dict.fromkeys((nn.LogSoftmax, F.log_softmax, torch.log_softmax, "log_softmax"), "softmax"),
    **dict.fromkeys((nn.Identity, nn.Dropout, F.dropout, torch.dropout), "pass"),
    **dict.fromkeys((nn.Flatten, torch.flatten, "flatten"), "pass"),
}
MOST_OF_A_PART = 50
# Code that is no user's own: the standard library, and this file.
FOREIGN = (sysconfig.get_path("stdlib"), __file__, "<frozen")

AFTER_LINEAR = ("linear", "norm", "relu")
# What an operation may follow; a "pass" changes nothing and may follow anything.
LEGAL_BEFORE = {
    "linear": ("placeholder", *AFTER_LINEAR),
    "norm": ("linear", "norm"),
    "relu": ("linear", "norm"),
    "softmax": AFTER_LINEAR,
    "output": (*AFTER_LINEAR, "softmax"),
    "pass": ("placeholder", *AFTER_LINEAR, "softmax"),
}


# Names of stages and streams beside the layers': a layer of such a name gets another.
RESERVED = frozenset({"input", "output", "softmax", "logits", "argmax", "sigmoid", "join"})
# Modules that hold others; classes derived from them are a user's own networks.
CONTAINERS = (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict)


class FrontendError(VerbatimError):
    """A module that the hardware cannot be: the message names the node and what is supported."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One use of an `nn.Linear` and, where ``relu``, the ReLU behind it.

    ``weights`` names the matrix, ``name`` this use of it: ``fc2``, then ``fc2_2``.
    """

    name: str
    weights: str
    linear: nn.Linear
    relu: bool


class Chain(nn.Module):
    """Copies of layers as a module of their own, ``[samples, n_in]`` to logits ``[samples, n]``."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        copies = {layer.linear: _copied(layer.linear) for layer in layers}
        self.layers = [replace(layer, linear=copies[layer.linear]) for layer in layers]
        self.linears = nn.ModuleList(copies.values())

    def forward(self, x: Tensor) -> Tensor:
        """The logits."""
        y = outputs(self.layers, x)[-1]
        return F.relu(y) if self.layers[-1].relu else y


def _copied(linear: nn.Linear) -> nn.Linear:
    """A Linear of the same parameters, and of nothing else that the first may have been given."""
    n_out, n_in = linear.weight.shape
    kind, bias = linear.weight.dtype, linear.bias is not None
    copied = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, n_in, n_out, bias=bias, dtype=kind
    )
    assert isinstance(copied, nn.Linear)
    copied.load_state_dict(linear.state_dict())
    return copied


def outputs(layers: list[Layer], x: Tensor) -> list[Tensor]:
    """Each layer's linear output, before a ReLU, for ``x [samples, n_in]``."""
    found = []
    for layer in layers:
        y = layer.linear(x)
        found.append(y)
        x = F.relu(y) if layer.relu else y
    return found


def layers(module: nn.Module) -> list[Layer]:
    """The module's chain of layers as it evaluates, in the order of its data path.

    Parameters stay shared with the module, except where BatchNorm follows: there they are copies
    into which its present statistics are folded. Raises `FrontendError`, naming the node, on
    anything but the `SUPPORTED` operations in a chain.
    """
    if isinstance(module, Chain):
        return module.layers
    count = sum(isinstance(part, nn.Linear) for part in module.modules())
    if count > MAX_LAYERS:
        raise _too_many(module, count)
    steps = _steps(module)
    folded: dict[tuple[str, ...], tuple[str, nn.Linear]] = {}
    found: list[Layer] = []
    for step in steps:
        matrix = (step.linear, *step.norms)
        if matrix not in folded:
            uses = {(use.linear, *use.norms) for use in steps if use.linear == step.linear}
            first = next(use.name for use in steps if use.linear == step.linear)
            folded[matrix] = first if uses == {matrix} else step.name, _folded(module, step)
        weights, linear = folded[matrix]
        found.append(Layer(step.name, weights, linear, step.relu))
    return found


def logits(module: nn.Module) -> nn.Module:
    """The module without its softmax, in its present mode; parameters are shared with it."""
    graph = _trace(module)
    for node in graph.nodes:
        if _operation(node, _submodule(module, node)) == "softmax":
            node.replace_all_uses_with(node.all_input_nodes[0])
            graph.erase_node(node)
    return fx.GraphModule(module, graph)


@dataclass
class _Step:
    """One use of a Linear, by the paths of the submodules that make it up."""

    name: str
    linear: str
    norms: list[str] = field(default_factory=list)
    relu: bool = False


def _steps(module: nn.Module) -> list[_Step]:
    """The chain of a module as it evaluates; raises `FrontendError`."""
    training = module.training
    try:
        graph = _trace(module.eval())
    finally:
        module.train(training)
    found: list[_Step] = []
    uses: Counter[str] = Counter()
    last = "placeholder"
    for before, node in pairwise(graph.nodes):
        submodule = _submodule(module, node)
        operation = _operation(node, submodule)
        if node.all_input_nodes != [before] or last not in LEGAL_BEFORE.get(operation, ()):
            raise FrontendError(
                f"{type(module).__name__}: node {node.name!r} ({_describe(node, submodule)}) after "
                f"{before.name!r} is not supported{_where(node)}; supported are {SUPPORTED}"
            )
        target = str(node.target)
        if operation == "linear":
            uses[target] += 1
            name = _unique(target, uses[target], {step.name for step in found})
            found.append(_Step(name, target))
            if len(found) > MAX_LAYERS:
                raise _too_many(module, sum(_is_linear(module, node) for node in graph.nodes))
        elif operation == "norm":
            found[-1].norms.append(target)
        elif operation == "relu":
            found[-1].relu = True
        last = last if operation == "pass" else operation
    return found


class _Tracer(fx.Tracer):
    """Enters a user's own modules alone, and knows in which one tracing failed."""

    record_stack_traces = True

    def __init__(self) -> None:
        super().__init__()
        self.failed = ""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """A class derived from a layer of PyTorch is one node, whatever it computes."""
        layers = (kind for kind in type(m).__mro__ if kind not in CONTAINERS)
        return any(kind.__module__.startswith("torch.nn") for kind in layers)

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """As its base; of modules that fail, the innermost is kept."""
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception:
            self.failed = self.failed or f": its part {self.path_of_module(m)} ({_shown(m)})"
            raise


def _trace(module: nn.Module) -> fx.Graph:
    tracer = _Tracer()
    try:
        return tracer.trace(module)
    except Exception as error:  # tracing runs the module's own code, which may raise anything
        frames = traceback.format_tb(error.__traceback__)
        raise FrontendError(
            f"{type(module).__name__} cannot be traced{tracer.failed}: {reason(error)}"
            f"{_place(''.join(frames))}; supported are {SUPPORTED}"
        ) from error


def _is_linear(module: nn.Module, node: fx.Node) -> bool:
    return isinstance(_submodule(module, node), nn.Linear)


def _too_many(module: nn.Module, count: int) -> FrontendError:
    return FrontendError(
        f"{type(module).__name__} has {count} Linear layers, expected at most {MAX_LAYERS}"
    )


def _folded(module: nn.Module, step: _Step) -> nn.Linear:
    """The Linear of a step: itself, or a copy with its BatchNorms folded in."""
    linear = module.get_submodule(step.linear)
    assert isinstance(linear, nn.Linear)
    for path in step.norms:
        norm = module.get_submodule(path)
        assert isinstance(norm, nn.BatchNorm1d)
        if norm.num_features != linear.out_features:
            raise FrontendError(
                f"{type(module).__name__}: {path} normalizes {norm.num_features} features, "
                f"expected {linear.out_features}, the outputs of {step.linear}"
            )
        linear = fold_norm(linear, norm)
        if not torch.isfinite(linear.weight).all() or not torch.isfinite(linear.bias).all():
            raise FrontendError(
                f"{type(module).__name__}: the statistics of {path} must be finite, with variances "
                "above 0"
            )
    return linear


def fold_norm(linear: nn.Linear, norm: nn.BatchNorm1d) -> nn.Linear:
    """A Linear that computes ``norm(linear(x))`` with the running statistics of ``norm``."""
    assert norm.running_mean is not None and norm.running_var is not None
    folded = nn.Linear(linear.in_features, linear.out_features, dtype=linear.weight.dtype)
    with torch.no_grad():
        gain = (norm.running_var + norm.eps).rsqrt()
        gain = gain if norm.weight is None else gain * norm.weight
        bias = -norm.running_mean if linear.bias is None else linear.bias - norm.running_mean
        folded.weight.copy_(linear.weight * gain[:, None])
        folded.bias.copy_(bias * gain + (0 if norm.bias is None else norm.bias))
    return folded


def _identifier(path: str) -> str:
    """A name for a submodule: ``fc1``, ``layer_0_2`` for the third of a nested sequence."""
    name = path.replace(".", "_")
    return name if name.isidentifier() and name not in RESERVED else f"layer_{name}"


def _unique(path: str, use: int, taken: set[str]) -> str:
    """The name of a use of a submodule, unlike those that are taken: ``fc2``, then ``fc2_2``."""
    name = _identifier(path)
    names = itertools.chain(
        [name] if use == 1 else [], (f"{name}_{n}" for n in itertools.count(max(use, 2)))
    )
    return next(name for name in names if name not in taken)


def _submodule(module: nn.Module, node: fx.Node) -> nn.Module | None:
    return module.get_submodule(str(node.target)) if node.op == "call_module" else None


def _operation(node: fx.Node, submodule: nn.Module | None) -> str:
    """Function of a node: an entry of `LEGAL_BEFORE`, or "" where the hardware has none."""
    if node.op == "output":
        return "output" if isinstance(node.args[0], fx.Node) else ""
    called = node.target if submodule is None else type(submodule)
    operation = OPERATIONS.get(called, "")
    if operation == "softmax":
        dim = getattr(submodule, "dim", None) if submodule else _argument(node, 1, "dim", None)
        return operation if dim in (1, -1) else ""
    if isinstance(submodule, nn.BatchNorm1d) and submodule.running_mean is None:
        return ""
    if called in (F.dropout, torch.dropout):
        # Traced in evaluation, it must not drop: F.dropout drops unless it is told otherwise.
        return operation if _argument(node, 2, "training", True) is False else ""
    if called in (nn.Flatten, torch.flatten, "flatten"):
        given = _argument(node, 1, "start_dim", 0)
        start = submodule.start_dim if isinstance(submodule, nn.Flatten) else given
        return operation if start == 1 else ""
    return operation


def _argument(node: fx.Node, position: int, name: str, default: object) -> object:
    return node.kwargs.get(name, node.args[position] if len(node.args) > position else default)


def _describe(node: fx.Node, submodule: nn.Module | None) -> str:
    if submodule is not None:
        return _shown(submodule)
    return f"{node.op} {getattr(node.target, '__name__', node.target)}"


def _shown(submodule: nn.Module) -> str:
    """The class of a module, and its arguments where it prints them."""
    try:
        shown = repr(submodule).splitlines()[0]
    except Exception:  # a module's own text
        shown = ""
    name = type(submodule).__name__
    return (shown if shown.startswith(name) else name)[:MOST_OF_A_PART]


def _where(node: fx.Node) -> str:
    """File, line and text of the user's code that made a node, where it has any."""
    return _place(node.stack_trace or "")


def _place(trace: str) -> str:
    """The last line of a stack that is of a user's own code."""
    lines = [line.strip() for line in trace.splitlines()]
    for line, code in reversed(list(pairwise([*lines, ""]))):
        frame = re.fullmatch(r'File "(.+)", line (\d+), in .+', line)
        if frame and not frame[1].startswith(FOREIGN) and "site-packages" not in frame[1]:
            shown = "" if code.startswith("File ") else f": {code[:MOST_OF_A_PART]}"
            return f", {Path(frame[1]).name} line {frame[2]}{shown}"
    return ""
