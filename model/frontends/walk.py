"""The path of the data through a traced graph, node by node: a chain of layers, or a refusal."""

from typing import Any

import torch
from torch import Tensor, fx, nn

from model.frontends import activations
from model.frontends.activations import Nonlinearity
from model.frontends.chain import Affine, FrontendError, Step, Use, make_linear, normalization
from model.frontends.fixed_point import FixedPoint
from model.frontends.layer_names import unique
from model.frontends.refusals import refuse_too_many, where
from model.frontends.sides import viewed
from model.frontends.spellings import (
    HINTS,
    argument,
    changes_nothing,
    is_flat,
    is_over_classes,
    is_relu,
    operation,
)
from model.frontends.walk_nodes import Nodes
from model.recipe import MAX_LAYERS

MINUS = torch.tensor(-1.0, dtype=torch.float64)


class Walk(Nodes):
    """The path of the data: what each operation adds to the chain.

    Raises `FrontendError`, naming the node, on anything else in the graph.
    """

    # Operations: whether the value is kept, or None where the hardware has no such step

    def _linear(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        assert isinstance(submodule, nn.Linear)
        return self._use(node, str(node.target), (str(node.target),), submodule)

    def _f_linear(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        weight, bias = (argument(node, k, name, None) for k, name in ((1, "weight"), (2, "bias")))
        return self._matrix(node, weight, bias, transposed=False)

    def _matmul(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return self._matrix(node, node.args[1], None, transposed=True)

    def _addmm(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        plain = not node.kwargs and len(node.args) == 3 and node.args[1] in self._versions
        return self._matrix(node, node.args[2], node.args[0], transposed=True) if plain else None

    def _matrix(self, node: fx.Node, weight: Any, bias: Any, *, transposed: bool) -> bool | None:
        given, shift = self._sides.value(weight), self._sides.value(bias)
        legal = isinstance(given, Tensor) and given.ndim == 2
        if not legal or not (shift is None or (isinstance(shift, Tensor) and shift.ndim == 1)):
            return None
        linear = make_linear(given.T if transposed else given, shift)
        target = str(weight.target) if isinstance(weight, fx.Node) else node.name
        path = target.removesuffix(".weight")
        return self._use(node, path, (path, self._sides.key(weight), self._sides.key(bias)), linear)

    def _use(
        self, node: fx.Node, path: str, key: tuple[Any, ...], linear: nn.Linear
    ) -> bool | None:
        if self.ends or self._flat:
            return None
        if self._width not in (None, linear.in_features):
            raise FrontendError(
                f"{self.owner}: node {node.name!r} takes {linear.in_features} features, expected "
                f"{self._width}, as they come{where(node)}"
            )
        self._counts[key] += 1
        name = unique(path, self._counts[key], {use.name for use in self.uses})
        before = [step for step, _ in self._open]
        self.uses.append(Use(name, key, linear, before))
        self._open, self._width = [], linear.out_features
        if len(self.uses) > MAX_LAYERS:
            raise refuse_too_many(self.owner, max(self._count, len(self.uses)))
        return False

    def _norm(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        assert isinstance(submodule, nn.BatchNorm1d)
        path, width = str(node.target), submodule.num_features
        if submodule.running_mean is None:
            return None
        if self._width not in (None, width):
            behind = f", the outputs of {self.uses[-1].key[0]}" if self.uses else ""
            raise FrontendError(
                f"{self.owner}: {path} normalizes {width} features, expected {self._width}{behind}"
            )
        found = (submodule.running_mean, submodule.running_var, submodule.weight, submodule.bias)
        return self._normalize(node, (path,), found, submodule.eps)

    def _f_norm(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        keys = enumerate(("running_mean", "running_var", "weight", "bias"), start=1)
        given = [argument(node, position, key, None) for position, key in keys]
        if argument(node, 5, "training", False) or given[0] is None:
            return None
        key = (node.name, *map(self._sides.key, given))
        eps = argument(node, 7, "eps", 1e-5)
        return self._normalize(node, key, tuple(map(self._sides.value, given)), eps)

    def _normalize(
        self, node: fx.Node, key: tuple[Any, ...], statistics: tuple[Any, ...], eps: float
    ) -> bool | None:
        gain, shift = normalization(statistics, eps)
        return self._affine_step(node, key, gain, shift)

    def _affine(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        assert isinstance(submodule, Affine)
        given = (submodule.gain, submodule.shift)
        gain, shift = (None if value is None else value.double() for value in given)
        return self._affine_step(node, (str(node.target),), gain, shift)

    def _add(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return self._arithmetic(node, lambda c: (None, c))

    def _sub(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        is_first = node.args[0] in self._versions
        return self._arithmetic(node, lambda c: (None, -c) if is_first else (MINUS, c))

    def _mul(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return self._arithmetic(node, lambda c: (c, None))

    def _div(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        if node.args[0] not in self._versions:
            return None
        return self._arithmetic(node, lambda c: (1 / c, None))

    def _neg(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return self._affine_step(node, (node.name,), MINUS, None)

    def _arithmetic(self, node: fx.Node, to_step: Any) -> bool | None:
        """A step whose other operand is a constant."""
        if len(node.args) != 2 or node.kwargs:
            return None
        other = node.args[1] if node.args[0] in self._versions else node.args[0]
        value = self._sides.value(other)
        if not isinstance(value, Tensor | int | float):
            return None
        constant = torch.as_tensor(value).detach().double()
        key = (node.name if not isinstance(other, fx.Node) else str(other.target),)
        gain, shift = to_step(constant)
        return self._affine_step(
            node, (*key, operation(node, None), self._sides.key(other)), gain, shift
        )

    def _affine_step(
        self, node: fx.Node, key: tuple[Any, ...], gain: Tensor | None, shift: Tensor | None
    ) -> bool | None:
        parts = []
        if self.ends or (self.uses[-1].fixed if self.uses else self.input):
            return None
        for value in (gain, shift):
            if value is not None and value.numel() > 1:
                count = value.numel()
                if value.shape not in ((count,), (1, count)) or self._width not in (None, count):
                    return None
                self._width = count
            parts.append(value if value is None else value.reshape(-1))
        step = Step(key, *parts)
        if not self.uses or self.uses[-1].relu or self.uses[-1].activation:
            self._open.append((step, node))
        else:
            self.uses[-1].behind.append(step)
        return False

    def _fixed(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        """The format that another tool rounded values to; left out behind the last step."""
        assert isinstance(submodule, FixedPoint)
        use = self.uses[-1] if self.uses else None
        if self.ends:
            return True
        curve = use.activation if use is not None else None
        if self._open or (curve and submodule.is_unsigned and not curve.is_nonnegative):
            return None
        try:
            found = submodule.format(submodule.is_unsigned or (use is not None and use.relu))
        except FrontendError as error:
            raise self._refusal(node, str(error)) from error
        if use is None:
            again = self.input and self.input.format(self.input.is_unsigned)
            self.input = submodule
        elif curve:
            again, use.behind_activation = use.behind_activation, found
        else:
            again, use.fixed = use.fixed, found
            use.relu = use.relu or submodule.is_unsigned
        return False if again in (None, found) else None

    def _relu(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        if not self.uses or self.ends or self._flat:
            return None
        if self._open:
            self._close(self._open)
        if self.uses[-1].relu:
            return True
        if self.uses[-1].activation:
            return None
        self.uses[-1].relu = True
        return False

    def _clamp(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        if is_relu(node, submodule, "clamp"):
            return self._relu(node, submodule)
        return self._activate(activations.of_node(node, submodule, "clamp"))

    def _threshold(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return self._relu(node, submodule) if is_relu(node, submodule, "threshold") else None

    def _maximum(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        others = [a for a in node.args if a not in self._versions]
        value = self._sides.value(others[0]) if len(node.args) == 2 and others else None
        zero = isinstance(value, Tensor) and bool((value == 0).all())
        return self._relu(node, submodule) if zero else None

    # What stands at the end, and what changes no number

    def _softmax(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        over_classes = is_over_classes(node, submodule) and not self._flat
        return self._end("softmax") if over_classes and not (self.ends or self._to_come) else None

    def _sigmoid(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        if self._to_come:
            return self._activate(Nonlinearity("sigmoid"))
        if self.ends:
            return None
        self._sigmoid_inside = self._refusal(node, HINTS["sigmoid"])
        if self._width != 1:
            self.several = self._sigmoid_inside
        return self._end("sigmoid")

    def _argmax(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        legal = argument(node, 1, "dim", None) in (1, -1) and not self._flat
        if argument(node, 2, "keepdim", False) or "argmax" in self.ends or not legal:
            return None
        return self._end("argmax")

    def _end(self, name: str) -> bool | None:
        if not self.uses:
            return None
        self._close(self._open)
        self.ends.append(name)
        return False

    def _squeeze(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        dim = argument(node, 1, "dim", None)
        if dim not in (1, -1, None):
            return None
        return self._one_output() if self._width == 1 else True

    def _getitem(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        index: Any = node.args[1]
        first = isinstance(index, tuple) and len(index) == 2 and index[0] in (slice(None), ...)
        return self._one_output() if first and index[1] in (0, -1) else None

    def _one_output(self) -> bool | None:
        if self._width != 1 or not self.uses:
            return None
        self._flat = True
        return True

    def _pass(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return changes_nothing(node, submodule, "pass") or None

    def _cast(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        return changes_nothing(node, submodule, "cast") or None

    def _flatten(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        if self._flat or is_flat(node, submodule):
            return True
        return self._one_output()

    def _view(self, node: fx.Node, submodule: nn.Module | None) -> bool | None:
        given = argument(node, 1, "shape", argument(node, 1, "size", None))
        sizes = given if isinstance(given, tuple | list) else node.args[1:]
        found = [self._sides.value(size) for size in sizes]
        kind, width = viewed(found, self._width)
        if kind == "column":
            return self._one_output()
        self._width = self._width if self._flat else width
        return True if kind == "whole" and not self._flat else None
