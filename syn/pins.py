"""Ports of a netlist that need no pin: nothing reads them, or constants alone drive them."""

from collections.abc import Iterable
from typing import Any

_CONSTANTS = {"0", "1", "x", "z"}


def drop(design: dict[str, Any]) -> list[str]:
    """Take such ports from the modules of a design; return their names.

    ``design`` is Yosys's netlist in JSON values, which changes in place. A port goes whole or not
    at all. Without pin constraints nextpnr gives each bit of a port a pin of its own, and a core
    whose weights are constants has a stream for new ones that leads nowhere.
    """
    gone = []
    for module in design["modules"].values():
        read = set(_bits(cell["connections"].values() for cell in module["cells"].values()))
        read |= set(_bits([[port["bits"]] for port in module["ports"].values() if _leaves(port)]))
        for name, port in list(module["ports"].items()):
            used = set(port["bits"]) - _CONSTANTS if _leaves(port) else set(port["bits"]) & read
            if not used:
                del module["ports"][name]
                gone.append(name)
    return gone


def _leaves(port: dict[str, Any]) -> bool:
    return bool(port["direction"] == "output")


def _bits(groups: Iterable[Iterable[list[int | str]]]) -> list[int | str]:
    return [bit for group in groups for bits in group for bit in bits]
