"""The output of an ONNX graph that is the network's, and the nodes that lead to it."""

from dataclasses import dataclass

import onnx

from model.frontends.onnx_file import OnnxError

# Nodes behind the logits: what they make of them, the hardware makes too, or leaves out.
OF_CLASSES = frozenset({"ArgMax", "ArrayFeatureExtractor", "Binarizer", "LabelEncoder", "TopK"})
BEHIND_LOGITS = OF_CLASSES | frozenset(
    {"Cast", "Concat", "Identity", "LogSoftmax", "Reshape", "Sigmoid", "Softmax", "Squeeze"}
    | {"Sub", "ZipMap", "Flatten"}
)


@dataclass(frozen=True)
class Result:
    """Name of the output that is taken, and of every value that it comes of."""

    name: str
    live: set[str]


def choose(graph: onnx.GraphProto, result: str | int | None, constants: set[str]) -> Result:
    """The output ``result``, or the only one that is no class where all come of the same logits.

    Raises `OnnxError` where it must be named.
    """
    names = [value.name for value in graph.output]
    if isinstance(result, int):
        if not 0 <= result < len(names):
            raise OnnxError(f"result must be from 0 to {len(names) - 1}, got {result}")
        result = names[result]
    makers = {name: node for node in graph.node for name in node.output}
    if result is None:
        result = names[0] if len(names) == 1 else _last(names, makers, constants)
    if result is None:
        raise OnnxError(
            f"has outputs {', '.join(names)}, expected one: name it in the recipe, "
            f'result = "{names[-1]}"'
        )
    if result not in names:
        raise OnnxError(f"result must be one of {', '.join(names)}, got {result}")
    taken = str(result)
    live: set[str] = set()
    waiting = [taken]
    while waiting:
        name = waiting.pop()
        if name not in live:
            live.add(name)
            waiting += makers[name].input if name in makers else ()
    return Result(taken, live)


def _last(names: list[str], makers: dict[str, onnx.NodeProto], constants: set[str]) -> str | None:
    ends = {name: _behind(name, makers, constants) for name in names}
    if len({logits for logits, _ in ends.values()}) > 1:
        return None
    depths = {
        name: len(behind) for name, (_, behind) in ends.items() if not OF_CLASSES & set(behind)
    }
    deepest: str | None = max(depths, key=lambda name: depths[name], default=None)
    return deepest


def _behind(
    name: str, makers: dict[str, onnx.NodeProto], constants: set[str]
) -> tuple[str, list[str]]:
    """The logits that a value comes of, and the operators on the way."""
    operators = []
    while name in makers and makers[name].op_type in BEHIND_LOGITS:
        taken = [n for n in makers[name].input if n not in constants]
        if not taken:
            break
        operators.append(makers[name].op_type)
        name = taken[-1]
    return name, operators
