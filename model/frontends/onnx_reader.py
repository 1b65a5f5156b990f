"""The chain of an ONNX graph as modules: a walk from its input to the one output."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from model.frontends import onnx_gelu
from model.frontends.chain import Affine
from model.frontends.fixed_point import FixedLinear
from model.frontends.onnx_constants import FEATURES, SAMPLES, Constants, is_power_of_two
from model.frontends.onnx_file import OnnxError
from model.frontends.onnx_node import Node, Real
from model.frontends.onnx_quantized import Codes, no_power_of_two
from model.frontends.onnx_results import choose
from model.recipe import MAX_LAYERS

JOINED = "two paths meet there, and the hardware has one chain, without skip or concatenation"


@dataclass(frozen=True)
class Operator:
    """The module that a node becomes, or None; ``takes_codes`` where it reads integers."""

    make: "Callable[[Reader, Node], nn.Module | None]"
    takes_codes: bool = False


class Winner(nn.Module):
    """The class of each sample, for ``[samples, n]``."""

    def forward(self, x: Tensor) -> Tensor:
        """Indices ``[samples]``, the first of equal ones."""
        return x.argmax(dim=1)


class Column(nn.Module):
    """One output as a number for each sample."""

    def forward(self, x: Tensor) -> Tensor:
        """``[samples]`` of ``[samples, 1]``."""
        return x.squeeze(1)


class Reader:
    """Walks along the one chain of a graph and collects its modules."""

    def __init__(
        self,
        model: onnx.ModelProto,
        operators: Mapping[str, Operator],
        result: str | int | None,
        floats: bool,
    ) -> None:
        self.graph, self.operators = model.graph, operators
        self.constants = Constants(model, floats)
        self.result, self.floats = result, floats
        self.modules: OrderedDict[str, nn.Module] = OrderedDict()
        self.shared: dict[tuple[str, ...], nn.Module] = {}
        # The sum of a MatMul that an Add may still complete.
        self.open: tuple[str, FixedLinear] | None = None
        self.current, self.batch = "", 0
        self.codes: Codes | None = None
        self.fixed = False
        # Names of codes that floats stand for.
        self.floating: set[str] = set()
        # Names of products x * sigmoid(x), which are one activation of x.
        self.products: set[str] = set()
        # Values of GELUs that are written out.
        self.gelus = onnx_gelu.find(model.graph)
        # Names of 1 - p, where p is the probability of the second of two classes.
        self.complements: set[str] = set()
        # Scales of weights that are no powers of two, with their nodes.
        self.odd_weights: list[tuple[Node, Any]] = []

    def module(self) -> nn.Sequential:
        """The chain, from the graph's only input to one output."""
        known = self.constants.values
        inputs = [value for value in self.graph.input if value.name not in known]
        if len(inputs) != 1:
            names = ", ".join(value.name for value in inputs)
            raise OnnxError(f"has inputs {names}, expected one")
        self.current = inputs[0].name
        dims = inputs[0].type.tensor_type.shape.dim
        self.batch = dims[0].dim_value if dims else 0
        chosen = choose(self.graph, self.result, set(known))
        for proto in self.graph.node:
            if proto.op_type == "Constant" or set(proto.output) & chosen.live:
                self._visit(proto)
        if self.current != chosen.name:
            raise OnnxError(
                f"its output must be {self.current}, the chain's last, got {chosen.name}"
            )
        self._finish_codes(None)
        if self.fixed and self.odd_weights:
            node, scale = self.odd_weights[0]
            raise no_power_of_two(node, scale)
        linears = sum(isinstance(module, nn.Linear) for module in self.modules.values())
        if linears > MAX_LAYERS:
            raise OnnxError(f"has {linears} layers, expected at most {MAX_LAYERS}")
        return nn.Sequential(self.modules)

    def _visit(self, proto: onnx.NodeProto) -> None:
        known, sizes = self.constants.values, self.constants.sizes
        node = Node(
            proto,
            {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute},
            [known.get(name) for name in proto.input],
        )
        variable = [name for name in proto.input if name and name not in known]
        if proto.op_type == "Constant":
            self.constants.read(node)
        elif not variable:
            self.constants.fold(node)
        elif all(name in sizes for name in variable):
            self.constants.follow(node)
        elif proto.output[0] in self.gelus.inside:
            pass
        elif self.gelus.whole.get(proto.output[0]) == self.current:
            self.open = None
            self.append(node, nn.GELU())
            self.current = proto.output[0]
        elif proto.output[0] in self.products or self._are_both(proto, variable):
            self.current = proto.output[0]
        else:
            variable = [name for name in variable if name not in sizes]
            if variable != [self.current]:
                got = ", ".join(variable)
                raise node.refuse(f"its inputs must be {self.current}, got {got}: {JOINED}")
            self._follow(node)

    def _are_both(self, proto: onnx.NodeProto, names: list[str]) -> bool:
        """Return whether a node joins the probabilities of two classes, of one output."""
        both = proto.op_type == "Concat" and len(names) == 2
        return both and names[0] in self.complements and names[1] == self.current

    def _follow(self, node: Node) -> None:
        """One node that takes the chain's value."""
        operator = self.operators.get(node.operator)
        if operator is None:
            raise node.refuse("is not supported")
        if self.codes is not None and not operator.takes_codes:
            self._finish_codes(node)
        before = self.current
        module = operator.make(self, node)
        if node.node.op_type != "MatMul":
            self.open = None
        if module is not None:
            self.append(node, module)
        if self.current == before and node.node.output[0] not in (
            self.complements | self.constants.sizes.keys()
        ):
            self.current = node.node.output[0]

    def _finish_codes(self, node: Node | None) -> None:
        """Append what codes round, where they are taken as numbers."""
        if self.codes is not None and node is not None:
            raise node.refuse("takes codes, and the hardware numbers: put DequantizeLinear before")
        if self.codes is not None:
            self.append(self.codes.node, self.codes.module())
            self.fixed, self.codes = True, None

    def append(self, node: Node, module: nn.Module) -> None:
        """Append a module, named after its node."""
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in node.node.name).strip("_")
        if not name.isidentifier() or name in self.modules or hasattr(nn.Sequential(), name):
            name = f"{node.node.op_type.lower()}{len(self.modules)}"
        self.modules[name] = module
        if node.node.op_type == "MatMul" and isinstance(module, FixedLinear):
            self.open = name, module

    @property
    def width(self) -> int | None:
        """Values of a sample, where they are known."""
        for module in reversed(self.modules.values()):
            if isinstance(module, nn.Linear):
                return module.out_features
            if isinstance(module, nn.BatchNorm1d):
                return module.num_features
        return None

    def is_gate(self, node: Node) -> bool:
        """Return whether all that takes a node's result is its product with what the node takes."""
        x, found = node.node.input[0], node.node.output[0]
        takers = [proto for proto in self.graph.node if found in proto.input]
        ends = any(found == value.name for value in self.graph.output)
        product = len(takers) == 1 and takers[0].op_type == "Mul" and not ends
        if not product or sorted(takers[0].input) != sorted((x, found)):
            return False
        self.products.add(takers[0].output[0])
        return True

    def is_at_an_end(self, *kinds: type) -> bool:
        """Return whether one of these modules is the last."""
        return bool(self.modules) and isinstance(next(reversed(self.modules.values())), kinds)

    def linear(
        self, node: Node, key: tuple[str, ...], weights: Real, bias: Real | None, scale: Any = None
    ) -> FixedLinear:
        """A Linear of these constants: the same one for the same ``key``."""
        n_out, n_in = weights.shape
        if bias is not None and bias.size not in (1, n_out):
            raise node.refuse(f"its bias must have {n_out} values, got {bias.size}")
        if scale is not None and not is_power_of_two(scale):
            self.odd_weights.append((node, scale))
        if key not in self.shared:
            made = FixedLinear(n_in, n_out, bias=bias is not None)
            with torch.no_grad():
                made.weight.copy_(torch.tensor(np.ascontiguousarray(weights)))
                if bias is not None:
                    flat = np.broadcast_to(bias.reshape(-1), (n_out,))
                    made.bias.copy_(torch.tensor(flat.copy()))
            if not all(torch.isfinite(parameter).all() for parameter in made.parameters()):
                raise node.wrong("its constants leave the range of float32")
            made.lsb = None if scale is None else float(np.min(scale))
            self.shared[key] = made
        found = self.shared[key]
        assert isinstance(found, FixedLinear)
        return found

    def affine(self, node: Node, gain: Any, shift: Any) -> Affine:
        """A step by feature: the same module for the same constants."""
        parts: list[Tensor | None] = []
        for values in (gain, shift):
            if values is None:
                parts.append(None)
                continue
            values = np.asarray(values)
            kind = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
            if values.dtype.kind not in "fiu" or values.size not in (1, *values.shape):
                raise node.refuse("its constant must have one number for each feature")
            node.require_numbers("constant", values.astype(kind))
            parts.append(torch.tensor(values.astype(np.float64).reshape(-1), dtype=torch.float32))
        key = (node.operator, *node.node.input[1:])
        made = self.shared.setdefault(key, Affine(*parts))
        assert isinstance(made, Affine)
        return made

    def is_flat(self, sizes: Any) -> bool:
        """Return whether a reshape to these sizes keeps ``[samples, n]``."""
        found = [size if isinstance(size, str) else int(size) for size in np.ravel(sizes)]
        if len(found) != 2 or found[0] not in (-1, 0, SAMPLES, self.batch):
            return False
        if found[1] in (-1, FEATURES):
            return found != [-1, -1] and (found[1] == -1 or self.width is None)
        return self.width in (None, found[1])
