"""Nets of a module of a netlist that Yosys has written, in JSON values."""

from collections import Counter
from collections.abc import Mapping
from typing import Any


def read(module: Mapping[str, Any]) -> Counter[int | str]:
    """Count how often each net is read, by a cell or by an output of the module."""
    found: Counter[int | str] = Counter()
    for port in module["ports"].values():
        if port["direction"] == "output":
            found.update(port["bits"])
    for cell in module["cells"].values():
        for name, bits in cell["connections"].items():
            if cell["port_directions"][name] != "output":
                found.update(bits)
    return found
