"""Parameters as Verilog writes them."""

from model.stage import Parameter

LIST_ENTRY_W = 32


def code(value: Parameter) -> int | str:
    """A parameter as one number, as the simulator holds it: a list has its first entry lowest."""
    if not isinstance(value, tuple):
        return value
    return sum(entry << (LIST_ENTRY_W * index) for index, entry in enumerate(value))


def literal(value: Parameter) -> str:
    """A parameter as a Verilog literal.

    >>> literal((4, 30))
    "64'h0000001e00000004"
    """
    if isinstance(value, tuple):
        return f"{LIST_ENTRY_W * len(value)}'h{code(value):0{8 * len(value)}x}"
    return f'"{value}"' if isinstance(value, str) else str(value)
