"""Results of a core, for each kind of output: widths, bytes, and words for them."""

from typing import Any

from model.artifact import Network
from model.names import Names
from model.spec import NetworkSpec
from model.stages.output import ArgmaxSpec, LogitsSpec
from model.trimming import box_of
from syn.package.quoted import plural

# A value of each kind of output, and several.
_WORDS = {
    "softmax": ("probability", "probabilities"),
    "sigmoid": ("probability", "probabilities"),
    "logits": ("logit", "logits"),
    "argmax": ("class", "classes"),
}

# A byte of tuser, of which the lowest bit says that a sample is outside of the network's box.
FLAG_W = 8


def value_bytes(spec: NetworkSpec) -> int:
    """Bytes of one value of a result."""
    return spec.tdata.width // 8


def result_bytes(spec: NetworkSpec) -> int:
    """Bytes of one result."""
    return spec.n_out * value_bytes(spec)


def tdata_width(spec: NetworkSpec) -> int:
    """Bits of a beat that leaves."""
    return spec.tdata.width * spec.tdata.lanes


def user_width(network: Network) -> int:
    """Bits of tuser: the class, and of a trimmed network a byte more for its flag."""
    return network.spec.tuser.width + (0 if box_of(network) is None else FLAG_W)


def as_bytes(spec: NetworkSpec, values: list[int]) -> bytes:
    """Values of one result in the bytes in which they leave."""
    count = value_bytes(spec)
    return b"".join(value.to_bytes(count, "little", signed=spec.tdata.signed) for value in values)


def _named(network: Network) -> str:
    """Name of a value of a result: probability, logit, value or class."""
    output = network.spec.output
    if isinstance(output, LogitsSpec) and not output.classes:
        return "value"
    return _WORDS[output.kind][0]


def context(network: Network) -> dict[str, Any]:
    """Facts of a result that templates are filled with."""
    spec, output = network.spec, network.spec.output
    width, one, many = value_bytes(spec), *_WORDS[output.kind]
    noun = f"1 {one}" if spec.out_lanes == 1 else f"{spec.out_lanes} {many}"
    whole = f"{spec.n_out} {one if spec.n_out == 1 else many}"
    holds_class = bool(output.classes) and not isinstance(output, ArgmaxSpec)
    names = (network.names or Names()).classes or tuple(map(str, range(spec.n_names)))
    return {
        "kind": output.kind,
        "classes": names if output.classes else (),
        "outputs": () if output.classes else names,
        "y": output.y,
        "targets": network.targets,
        "value": _named(network),
        "beat": f"{noun} of {plural(width, 'byte')}",
        "whole": f"{whole} and a class" if holds_class else "a class" if output.classes else whole,
        "value_bytes": width,
        "result_bytes": result_bytes(spec),
        "out_w": tdata_width(spec),
        "class_w": spec.tuser.width,
        "user_w": user_width(network),
        "result": _result_bytes(network, names),
    }


def _result_bytes(network: Network, names: tuple[str, ...]) -> list[tuple[int, str]]:
    """Each byte of a result: its number, and what it holds."""
    spec = network.spec
    sign = ", sign-extended" if spec.output.y and spec.output.y.width < 16 else ""
    parts = ("",) if value_bytes(spec) == 1 else (", low byte", f", high byte{sign}")
    if isinstance(spec.output, ArgmaxSpec):
        held = ["index of the class"]
    elif spec.output.kind == "sigmoid" and spec.output.classes:
        held = [f"probability of {names[1]}"]
    else:
        held = [f"{_named(network)} of {name}" for name in names]
    return list(enumerate(f"{value}{part}" for value in held for part in parts))
