"""Values beside the chain of a traced graph: sizes of samples, constants, what comes of them."""

import enum
from typing import Any

import torch
from torch import fx, nn

from model.frontends.spellings import argument, in_place


class Size(enum.Enum):
    """A size that is not known before there are samples."""

    SAMPLES = enum.auto()
    FEATURES = enum.auto()


class Sides:
    """Values of nodes that do not take the chain's value, or its size alone."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._values: dict[fx.Node, Any] = {}

    def read(self, node: fx.Node) -> None:
        """Read a parameter, buffer or constant of the module."""
        value: Any = self._module
        for name in str(node.target).split("."):
            value = getattr(value, name)
        self._values[node] = value

    def measure(self, node: fx.Node, width: int | None) -> None:
        """Take the size of ``[samples, width]``; raises where a node asks for something else."""
        shape = (Size.SAMPLES, Size.FEATURES if width is None else width)
        if node.target is getattr:
            known = {"shape": shape, "dtype": torch.float32, "device": torch.device("cpu")}
            self._values[node] = known[str(node.args[1])]
        else:
            dim = argument(node, 1, "dim", None)
            self._values[node] = shape if dim is None else shape[dim]

    def compute(self, node: fx.Node) -> None:
        """Compute a node from its inputs; raises whatever that raises, such as on unknown sizes."""
        arguments = fx.node.map_arg(node.args, lambda n: self._values[n])
        named = fx.node.map_arg(node.kwargs, lambda n: self._values[n])
        with torch.no_grad():
            if node.op == "call_method":
                first, *rest = arguments
                self._values[node] = getattr(first, str(node.target))(*rest, **named)
            elif callable(node.target):
                self._values[node] = node.target(*arguments, **named)
            else:
                raise TypeError(f"{node.target} is no function")

    def value(self, argument: Any) -> Any:
        """The value of an argument: itself, or what a node beside the chain holds."""
        return self._values.get(argument) if isinstance(argument, fx.Node) else argument

    def key(self, argument: Any) -> Any:
        """The identity of a constant: where it comes from, not what it is now."""
        if not isinstance(argument, fx.Node):
            return repr(argument)
        if argument.op == "get_attr":
            return str(argument.target)
        return str(argument.target), *map(self.key, argument.args), str(argument.kwargs)


def viewed(sizes: list[Any], width: int | None) -> tuple[str, int | None]:
    """Result of a view of ``[samples, width]`` to ``sizes``: whole, or one output as a column.

    With the width that is known then; "" where it changes more than that.
    """
    if len(sizes) == 1 and isinstance(sizes[0], tuple):
        sizes = list(sizes[0])
    if not 1 <= len(sizes) <= 2 or sizes[0] not in (-1, Size.SAMPLES):
        return "", width
    if len(sizes) == 1:
        return "column", width
    if isinstance(sizes[1], int) and sizes[1] > 0:
        return ("whole", sizes[1]) if width in (None, sizes[1]) else ("", width)
    whole = sizes == [Size.SAMPLES, -1] or sizes[1] is Size.FEATURES
    return "whole" if whole else "", width


def without_use(graph: fx.Graph, module: nn.Module) -> set[fx.Node]:
    """Nodes that the result does not come of."""
    found: set[fx.Node] = set()
    for node in reversed(graph.nodes):
        part = module.get_submodule(str(node.target)) if node.op == "call_module" else None
        acts = node.op in ("placeholder", "output") or in_place(node, part)
        if not acts and found.issuperset(node.users):
            found.add(node)
    return found
