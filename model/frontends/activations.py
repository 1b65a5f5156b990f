"""Activations by table as PyTorch writes them: which function of `model.functions` a node calls."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from model.functions import FUNCTIONS

# Functions that give no value below 0, wherever they are.
NEVER_NEGATIVE = frozenset({"sigmoid", "hardsigmoid", "softplus"})


@dataclass(frozen=True)
class Nonlinearity:
    """A ``function`` of `model.functions` with its arguments, on real numbers of any shape."""

    function: str
    arguments: tuple[float, ...] = ()

    @property
    def is_nonnegative(self) -> bool:
        """Return whether no value is below 0."""
        return self.function in NEVER_NEGATIVE or (
            self.function == "clamp" and self.arguments[0] >= 0
        )

    def __call__(self, x: Tensor) -> Tensor:
        """The function's value as PyTorch computes it; differentiable."""
        return _BY_TORCH[self.function](x, *self.arguments)


_BY_TORCH: dict[str, Callable[..., Tensor]] = {
    "leaky_relu": F.leaky_relu,
    "clamp": torch.clamp,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "elu": F.elu,
    "softplus": F.softplus,
}
assert _BY_TORCH.keys() == FUNCTIONS.keys()

# What a node calls, by the name of the operation.
SPELLED: dict[object, str] = {
    **dict.fromkeys((nn.Tanh, F.tanh, torch.tanh, "tanh", "tanh_"), "tanh"),
    **dict.fromkeys((nn.LeakyReLU, F.leaky_relu, F.leaky_relu_), "leaky_relu"),
    nn.PReLU: "prelu",
    **dict.fromkeys((nn.ReLU6, F.relu6), "relu6"),
    **dict.fromkeys((nn.Hardtanh, F.hardtanh, F.hardtanh_), "hardtanh"),
    **dict.fromkeys((nn.Hardsigmoid, F.hardsigmoid), "hardsigmoid"),
    **dict.fromkeys((nn.Hardswish, F.hardswish), "hardswish"),
    **dict.fromkeys((nn.GELU, F.gelu), "gelu"),
    **dict.fromkeys((nn.SiLU, F.silu), "silu"),
    **dict.fromkeys((nn.ELU, F.elu, F.elu_), "elu"),
    **dict.fromkeys((nn.Softplus, F.softplus), "softplus"),
}
# The parameters of an operation, each with its default, in the order of a call.
PARAMETERS: dict[str, tuple[tuple[str, Any], ...]] = {
    "leaky_relu": (("negative_slope", 0.01),),
    "hardtanh": (("min_val", -1.0), ("max_val", 1.0)),
    "gelu": (("approximate", "none"),),
    "elu": (("alpha", 1.0),),
    "softplus": (("beta", 1.0),),
    "clamp": (("min", None), ("max", None)),
}
# x times what these give is another activation.
GATES = {"sigmoid": "silu", "hardsigmoid": "hardswish"}
ACCEPTED = (
    "nn.ReLU, LeakyReLU, PReLU of one slope, ReLU6, Hardtanh, Hardsigmoid, Hardswish, Sigmoid, "
    "Tanh, GELU, SiLU, ELU and Softplus"
)
NEAREST: dict[object, str] = {
    **dict.fromkeys((nn.PReLU, F.prelu, torch.prelu), "nn.LeakyReLU(0.25)"),
    **dict.fromkeys((nn.RReLU, F.rrelu, torch.rrelu), "nn.LeakyReLU(0.25)"),
    **dict.fromkeys((nn.SELU, F.selu, torch.selu, nn.CELU, F.celu, torch.celu), "nn.ELU()"),
    **dict.fromkeys((nn.Mish, F.mish), "nn.SiLU()"),
    **dict.fromkeys((nn.Softsign, F.softsign), "nn.Tanh()"),
    **dict.fromkeys((nn.Tanhshrink, nn.Softshrink, nn.Hardshrink), "nn.Tanh()"),
    **dict.fromkeys((nn.LogSigmoid, F.logsigmoid), "nn.Softplus()"),
}


def of_node(node: fx.Node, submodule: nn.Module | None, name: str) -> Nonlinearity | None:
    """The function of an operation ``name`` with a node's arguments, or None where it is none."""
    given = _arguments(node, submodule, name)
    if isinstance(submodule, nn.PReLU):
        slopes = submodule.weight.detach().tolist()
        one = len(slopes) == 1 and _is_finite(slopes[0])
        return Nonlinearity("leaky_relu", tuple(slopes)) if one else None
    if name == "relu6":
        return Nonlinearity("clamp", (0.0, 6.0))
    if name in ("hardtanh", "clamp"):
        legal = all(_is_finite(value) for value in given) and given[0] <= given[1]
        return Nonlinearity("clamp", tuple(map(float, given))) if legal else None
    if name == "gelu":
        return {"none": Nonlinearity("gelu"), "tanh": Nonlinearity("gelu_tanh")}.get(given[0])
    if name == "softplus":
        return Nonlinearity("softplus") if given == (1,) else None
    legal = name in FUNCTIONS and all(map(_is_finite, given))
    return Nonlinearity(name, tuple(map(float, given))) if legal else None


def _arguments(node: fx.Node, submodule: nn.Module | None, name: str) -> tuple[Any, ...]:
    keys = PARAMETERS.get(name, ())
    if submodule is not None:
        return tuple(getattr(submodule, key) for key, _ in keys)
    rest = dict(enumerate(node.args[1:]))
    return tuple(
        node.kwargs.get(key, rest.get(position, default))
        for position, (key, default) in enumerate(keys)
    )


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def nearest(node: fx.Node, submodule: nn.Module | None) -> str:
    """A hint to what is nearest to an activation that is not supported, or ""."""
    found = NEAREST.get(node.target if submodule is None else type(submodule), "")
    if isinstance(submodule, nn.PReLU):
        found = f"nn.LeakyReLU({float(submodule.weight.detach().mean()):.4g})"
    return f"nearest to it is {found}; activations are {ACCEPTED}" if found else ""


def gated(
    graph: fx.Graph, names: Mapping[fx.Node, str]
) -> tuple[set[fx.Node], dict[fx.Node, Nonlinearity]]:
    """Gates of ``x * sigmoid(x)`` and ``x * hardsigmoid(x)``, and what these products are.

    ``names`` are those of the nodes' operations.
    """
    gates: set[fx.Node] = set()
    products: dict[fx.Node, Nonlinearity] = {}
    for node in graph.nodes:
        if names[node] not in GATES or len(node.users) != 1 or not node.all_input_nodes:
            continue
        (product,), x = node.users, node.all_input_nodes[0]
        if names[product] == "mul" and product.args in ((x, node), (node, x)):
            gates.add(node)
            products[product] = Nonlinearity(GATES[names[node]])
    return gates, products
