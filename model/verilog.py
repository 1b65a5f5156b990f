"""Parameters as Verilog writes them."""

import re

from common.errors import VerbatimError
from model.stage import Parameter

LIST_ENTRY_W = 32
# Entries of a list that are a literal by themselves: tools take no more than 64 Kbit in one.
PIECE = 1024


class TypingError(VerbatimError):
    """A parameter that a module's text does not declare once."""


def code(value: Parameter) -> int | str:
    """A parameter as one number, as the simulator holds it: a list has its first entry lowest."""
    if not isinstance(value, tuple):
        return value
    return sum(entry << (LIST_ENTRY_W * index) for index, entry in enumerate(value))


def number(value: Parameter) -> str:
    """A parameter as one literal, of any length.

    >>> number((4, 30))
    "64'h0000001e00000004"
    """
    if isinstance(value, tuple):
        digits = "".join(f"{entry:08x}" for entry in reversed(value))
        return f"{LIST_ENTRY_W * len(value)}'h{digits}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def is_long(value: Parameter) -> bool:
    """Tell whether a parameter is too long for a command line and for one literal."""
    return isinstance(value, tuple) and len(value) > PIECE // 2


def literal(value: Parameter) -> str:
    """A parameter as an expression in Verilog: long lists as literals side by side.

    >>> literal((4, 30))
    "64'h0000001e00000004"
    >>> literal(tuple([7] * (PIECE + 1))).startswith("{32'h00000007, 32768'h00000007")
    True
    """
    if not isinstance(value, tuple) or not is_long(value):
        return number(value)
    pieces = [number(value[start : start + PIECE]) for start in range(0, len(value), PIECE)]
    return f"{{{', '.join(reversed(pieces))}}}"


def typed(text: str, key: str, value: Parameter) -> str:
    """The text of a module in which parameter ``key`` is ``value`` unless it is given.

    Raises `TypingError` where it is not declared once, with its value on the same line.

    >>> typed("parameter N = 1, // one\\n", "N", 2)
    'parameter N = 2, // one\\n'
    """
    declared = rf"(^ *parameter (?:\[[^=\n]*\] )?{key} *= )[^,\n]+?(?=,| *//|\n)"
    found, count = re.subn(declared, lambda match: match[1] + literal(value), text, flags=re.M)
    if count != 1:
        raise TypingError(f"parameter {key} must be declared once, found {count} times")
    return found
