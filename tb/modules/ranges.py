"""Legal values of a parameter, in the words of the Verilog headers.

``2 .. 16``, ``1 or more``, ``divides N``, ``"exp" or "taylor2"``, ``image``, and ``each 2 .. 16``
for a list with an entry per layer. A bound may be a formula of other parameters, with ``log2`` for
the ceiling of the logarithm and ``bits`` for the width of an unsigned integer.
"""

from collections.abc import Mapping

from model.format import tree_levels
from model.stage import Parameter


def _bits(value: float) -> int:
    return int(value).bit_length()


FUNCTIONS = {"log2": tree_levels, "bits": _bits}


def bound(formula: str, values: Mapping[str, Parameter]) -> int:
    """Find the value of a bound, where all parameters have these."""
    found = eval(formula, {"__builtins__": {}} | FUNCTIONS, dict(values))
    return int(found)


def is_legal(value: Parameter, words: str, values: Mapping[str, Parameter]) -> bool:
    """Tell if a value is one that ``words`` name; ``values`` are those of all parameters.

    >>> is_legal(3, "divides N", {"N": 6}), is_legal(4, "divides N", {"N": 6})
    (True, False)
    >>> is_legal(17, "2 .. 16", {}), is_legal(3, "log2(N) or more", {"N": 9})
    (False, False)
    >>> is_legal("exp", '"taylor2" or "exp"', {}), is_legal((2, 1), "each 2 .. 16", {})
    (True, False)
    """
    if words.startswith("each "):
        entries = value if isinstance(value, tuple) else ()
        return bool(entries) and all(
            is_legal(entry, words.removeprefix("each "), values) for entry in entries
        )
    if words == "image":
        return isinstance(value, str)
    if words.startswith('"'):
        return f'"{value}"' in words.split(" or ")
    if not isinstance(value, int):
        return False
    if words.startswith("divides "):
        return value > 0 and bound(words.removeprefix("divides "), values) % value == 0
    least, _, most = words.removesuffix(" or more").partition(" .. ")
    return value >= bound(least, values) and not (most and value > bound(most, values))


def faults(ranges: Mapping[str, str], values: Mapping[str, Parameter]) -> list[str]:
    """Names of the parameters whose values are not legal, unknown ones included.

    >>> faults({"N": "1 or more", "LANES": "divides N"}, {"N": 5, "LANES": 2, "W": 1})
    ['LANES', 'W']
    """
    return [
        name
        for name, value in values.items()
        if name not in ranges or not is_legal(value, ranges[name], values)
    ]
