"""The walk along a traced graph, node by node, to the one value that the chain has there."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

from model.frontends import activations
from model.frontends.activations import Nonlinearity
from model.frontends.chain import FrontendError, Step, Use
from model.frontends.fixed_point import FixedPoint
from model.frontends.refusals import SUPPORTED, describe, where
from model.frontends.sides import Sides, without_use
from model.frontends.spellings import HINTS, in_place, operation

LINEARS = frozenset({"linear", "f_linear", "matmul", "addmm"})
JOINED = "two paths meet there, and the hardware has one chain, without skip or concatenation"


class Nodes:
    """A walk along a graph in evaluation: ``uses`` of Linears, then ``ends``.

    A class derived from it has a method for each name of an operation, ``_linear`` and others.
    ``ends`` are names of operations behind the last layer: softmax, sigmoid, argmax, squeeze.
    Raises `FrontendError`, naming the node, on anything else in the graph.
    """

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        self.module, self.owner = module, type(module).__name__
        self.uses: list[Use] = []
        self.ends: list[str] = []
        self.input: FixedPoint | None = None
        # Steps that no Linear has taken in so far, with the nodes that they come from.
        self._open: list[tuple[Step, fx.Node]] = []
        # Versions of the chain's value that nodes hold: one may be written over in place.
        self._versions: dict[fx.Node, int] = {}
        self._version = 0
        self._aliases: set[fx.Node] = set()
        self._sides = Sides(module)
        self._width: int | None = None
        self._flat = False
        self._before: fx.Node | None = None
        # What is said where anything follows a sigmoid, which the hardware has at the end alone.
        self._sigmoid_inside: FrontendError | None = None
        # The same of sigmoids of several outputs, which are labels that do not exclude each other.
        self.several: FrontendError | None = None
        self._counts: Counter[tuple[Any, ...]] = Counter()
        names = {node: operation(node, self._submodule(node)) for node in graph.nodes}
        self._count = sum(name == "linear" for name in names.values())
        kept = {n: "" if in_place(n, self._submodule(n)) else name for n, name in names.items()}
        gates, self._products = activations.gated(graph, kept)
        dead = without_use(graph, module) | gates
        visited = [node for node in graph.nodes if node not in dead]
        # Linears that are still to come: what stands behind the last is an end.
        self._to_come = sum(names[node] in LINEARS for node in visited)
        for node in visited:
            self._to_come -= names[node] in LINEARS
            self._visit(node)

    # Nodes, one after another

    def _visit(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            self._placeholder(node)
        elif node.op == "get_attr":
            self._sides.read(node)
        elif node.op == "output":
            self._output(node)
        elif not any(taken in self._versions for taken in node.all_input_nodes):
            self._beside(node, lambda: self._sides.compute(node))
        else:
            self._step(node)

    def _placeholder(self, node: fx.Node) -> None:
        if self._before is None:
            self._versions[node] = self._version
            self._aliases = {node}
            self._before = node
        elif node.users or not node.args:
            raise self._refusal(node, "one input is")

    def _output(self, node: fx.Node) -> None:
        (result,) = node.args
        if not isinstance(result, fx.Node) or self._versions.get(result) != self._version:
            raise self._refusal(
                node, "one result at the end of the chain is: name it by result = in the recipe"
            )
        if not self.uses:
            raise FrontendError(f"{self.owner} has no Linear layer, expected at least one")
        self._close(self._open)

    def _step(self, node: fx.Node) -> None:
        """One node that takes the chain's value."""
        taken = [n for n in node.all_input_nodes if n in self._versions]
        submodule = self._submodule(node)
        name = operation(node, submodule)
        if name == "size":
            width = self._width
            self._beside(node, lambda: self._sides.measure(node, width))
            return
        twice = len(taken) > 1 or node.args.count(taken[0]) > 1
        if (twice and name != "cast") or self._versions[taken[0]] != self._version:
            raise self._refusal(node, JOINED)
        if node in self._products:
            kept = self._activate(self._products[node])
        elif name in activations.SPELLED.values():
            kept = self._activate(activations.of_node(node, submodule, name))
        else:
            kept = getattr(self, f"_{name}")(node, submodule) if name else None
        if kept is None:
            hint = HINTS.get(name, "") or activations.nearest(node, submodule)
            raise self._sigmoid_inside or self._refusal(node, hint)
        self._moved(node, submodule, kept)

    def _beside(self, node: fx.Node, find: Callable[[], None]) -> None:
        """Find the value of a node beside the chain."""
        try:
            if self._flat:
                raise ValueError("there is one number for each sample")
            find()
        except Exception as error:  # an operation on a size that is not known, or a user's own
            raise self._refusal(node, HINTS.get(operation(node, None), "")) from error

    def _moved(self, node: fx.Node, submodule: nn.Module | None, kept: bool) -> None:
        """Take note of the value that a node gives: ``kept``, or another one."""
        writes = in_place(node, submodule)
        if not kept:
            self._version += 1
            if writes:
                self._versions.update(dict.fromkeys(self._aliases, self._version))
            else:
                self._aliases = set()
        self._versions[node] = self._version
        if node.target not in ("clone", torch.clone):
            self._aliases.add(node)
        self._before = node

    def _activate(self, found: Nonlinearity | None) -> bool | None:
        """An activation by table behind the last Linear, which has none so far."""
        use = self.uses[-1] if self.uses else None
        if found is None or use is None or self.ends or self._flat or self._open:
            return None
        if use.relu or use.activation:
            return None
        use.activation = found
        return False

    def _close(self, steps: list[tuple[Step, fx.Node]]) -> None:
        """Move steps behind a ReLU in front of it, since no Linear behind takes them in."""
        for step, node in steps:
            if not step.commutes or self.uses[-1].activation:
                raise self._refusal(
                    node, "behind a ReLU it is where a Linear follows, or as a positive factor"
                )
            self.uses[-1].behind.append(step)
        self._open = []

    def _submodule(self, node: fx.Node) -> nn.Module | None:
        return self.module.get_submodule(str(node.target)) if node.op == "call_module" else None

    def _refusal(self, node: fx.Node, hint: str) -> FrontendError:
        words = f": {hint}" if hint else ""
        before = self._before.name if self._before else "nothing"
        return FrontendError(
            f"{self.owner}: node {node.name!r} ({describe(node, self._submodule(node))}) after "
            f"{before!r} is not supported{where(node)}{words}; supported are {SUPPORTED}"
        )
