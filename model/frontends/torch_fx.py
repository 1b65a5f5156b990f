"""From a PyTorch module to the chain of layers that the hardware has, by `torch.fx`."""

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import fx, nn

from common.errors import reason
from model.data.scaling import Scaling
from model.frontends import chain, fixed_point
from model.frontends.chain import Affine, Chain, FrontendError, Layer, outputs
from model.frontends.fixed_point import FixedPoint, Given
from model.frontends.layer_names import RESERVED
from model.frontends.refusals import SUPPORTED, place, refuse_too_many, shown
from model.frontends.spellings import operation
from model.frontends.walk import Walk
from model.recipe import MAX_LAYERS

__all__ = [
    "RESERVED",
    "Chain",
    "FrontendError",
    "Layer",
    "behind_front",
    "core_layers",
    "ends_in_sigmoid",
    "given",
    "layers",
    "logits",
    "outputs",
    "trace",
]

# Modules that hold others; classes derived from them are a user's own networks.
CONTAINERS = (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict)
ENDS = frozenset({"softmax", "sigmoid", "argmax", "squeeze", "getitem", "view", "flatten"})
BETWEEN_ENDS = frozenset({"pass", "cast"})
# Outputs that take each logit by itself, one alone too.
AS_THEY_ARE = ("sigmoid", "sigmoids", "values")


def layers(module: nn.Module, output: str = "softmax") -> list[Layer]:
    """The module's chain of layers as it evaluates, in the order of its data path.

    The ``output`` is that of `core_layers`.

    Parameters stay shared with the module, except where BatchNorm or a constant stands beside a
    Linear: there they are copies into which its present values are folded. Raises `FrontendError`,
    naming the node, on anything but the `SUPPORTED` operations in a chain.
    """
    if isinstance(module, Chain):
        return module.layers
    walk = _walk(module)
    if walk.several and output != "sigmoids":
        raise walk.several
    return chain.assemble(type(module).__name__, walk.uses)


def behind_front(module: nn.Module) -> tuple[Chain, Scaling] | None:
    """Layers behind what stands in front of the first, and that as a scaling of the features.

    None where nothing stands there. Raises as `layers`.
    """
    if isinstance(module, Chain):
        return None
    return chain.behind_front(type(module).__name__, _walk(module).uses)


def given(module: nn.Module, output: str = "softmax") -> Given | None:
    """Layers and formats of a module that came quantized, or None; raises as `layers`.

    The ``output`` is that of `core_layers`.
    """
    if isinstance(module, Chain):
        return None
    walk = _walk(module)
    found = fixed_point.given(type(module).__name__, walk.uses, walk.input)
    if found is None or output in AS_THEY_ARE:
        return found
    return replace(found, layers=chain.two_classes(found.layers))


def ends_in_sigmoid(module: nn.Module) -> bool:
    """Return whether the last step is a sigmoid behind the last layer; raises as `layers`."""
    return not isinstance(module, Chain) and _walk(module).ends[-1:] == ["sigmoid"]


def core_layers(module: nn.Module, output: str = "softmax") -> list[Layer]:
    """The layers that the hardware has of a module: with two logits where it has one output.

    The ``output`` sigmoid takes a logit alone, ``sigmoids`` and ``values`` each as it is. Raises
    `FrontendError` where what stands behind the last layer would change values.
    """
    walk = None if isinstance(module, Chain) else _walk(module)
    if output in ("values", "sigmoids") and walk:
        passed = ("squeeze", "sigmoid") if output == "sigmoids" else ("squeeze",)
        behind = [end for end in walk.ends if end not in passed]
        if behind:
            raise FrontendError(
                f"{type(module).__name__}: {behind[0]} behind the last Linear changes "
                f"{'values of a regression' if output == 'values' else 'independent labels'}: "
                "leave it out, or end in nn.Tanh() or nn.Hardsigmoid()"
            )
    if walk and walk.several and output != "sigmoids":
        raise walk.several
    found = given(module, output)
    if found or output in AS_THEY_ARE:
        return found.layers if found else layers(module, output)
    return chain.two_classes(layers(module))


def logits(module: nn.Module) -> nn.Module:
    """The module without its softmax, in its present mode; parameters are shared with it."""
    graph = trace(module)
    *nodes, output = graph.nodes
    output.args = (behind_ends(module, output.all_input_nodes[0])[0],)
    for node in reversed(nodes):
        if not node.users and operation(node, _submodule(module, node)) in ENDS | BETWEEN_ENDS:
            graph.erase_node(node)
    return fx.GraphModule(module, graph)


def behind_ends(module: nn.Module, node: fx.Node) -> tuple[fx.Node, list[str]]:
    """The node of the logits that a result comes of, and the names of what stands behind it."""
    kept, names, found = node, [], []
    while node.all_input_nodes:
        name = operation(node, _submodule(module, node))
        if name not in ENDS | BETWEEN_ENDS:
            break
        node = node.all_input_nodes[0]
        names.append(name)
        if name in ENDS:
            kept, found = node, list(names)
    return kept, found


def _walk(module: nn.Module) -> Walk:
    """The path through a module as it evaluates; its mode stays."""
    count = sum(isinstance(part, nn.Linear) for part in module.modules())
    if count > MAX_LAYERS:
        raise refuse_too_many(type(module).__name__, count)
    training = module.training
    try:
        graph = trace(module.eval())
    finally:
        module.train(training)
    return Walk(module, graph)


class _Tracer(fx.Tracer):
    """Enters a user's own modules alone, and knows in which one tracing failed."""

    record_stack_traces = True

    def __init__(self) -> None:
        super().__init__()
        self.failed = ""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """A class derived from a layer of PyTorch is one node, whatever it computes."""
        kinds = (kind for kind in type(m).__mro__ if kind not in CONTAINERS)
        return any(
            kind in (Affine, FixedPoint) or kind.__module__.startswith("torch.nn") for kind in kinds
        )

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
            self.failed = self.failed or f": its part {self.path_of_module(m)} ({shown(m)})"
            raise


def trace(module: nn.Module) -> fx.Graph:
    """Graph of a module in its present mode; raises `FrontendError` where it has none."""
    tracer = _Tracer()
    try:
        return tracer.trace(module)
    except Exception as error:  # tracing runs the module's own code, which may raise anything
        frames = traceback.format_tb(error.__traceback__)
        raise FrontendError(
            f"{type(module).__name__} cannot be traced{tracer.failed}: {reason(error)}"
            f"{place(''.join(frames))}; supported are {SUPPORTED}"
        ) from error


def _submodule(module: nn.Module, node: fx.Node) -> nn.Module | None:
    return module.get_submodule(str(node.target)) if node.op == "call_module" else None
