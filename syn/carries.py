"""Ends of an ECP5's carry chains: a carry that nothing reads or makes has no net.

nextpnr leads each last carry with a net out of its chain, and each constant first carry into it, by
a cell of two LUTs, whether or not something depends on it.
"""

from collections.abc import Mapping
from typing import Any

from syn import nets

_CELL = "CCU2C"
# What Yosys writes for no net: nextpnr refuses a carry cell without these ports.
_NO_NET = ["x"]
# LUT4 of a half where its input D is 1: all 0, and the carry of the half is its own.
_WITH_D = slice(0, 8)


def free(design: dict[str, Any]) -> tuple[int, int]:
    """Take the net from each carry at an end that does nothing; return how many came in, went out.

    ``design`` is Yosys's netlist in JSON values, which changes in place.
    """
    came_in = went_out = 0
    for module in design["modules"].values():
        read = nets.read(module)
        for cell in module["cells"].values():
            if cell["type"] != _CELL:
                continue
            ports = cell["connections"]
            if ports["COUT"] != _NO_NET and not read[ports["COUT"][0]]:
                ports["COUT"] = _NO_NET
                went_out += 1
            if ports["CIN"] in (["0"], ["1"]) and _begins(cell, read):
                ports["CIN"] = _NO_NET
                came_in += 1
    return came_in, went_out


def _begins(cell: Mapping[str, Any], read: Mapping[int | str, int]) -> bool:
    """Tell whether the first half makes its carry from no other, and nothing reads its sum."""
    ports = cell["connections"]
    closed = ports["D0"] == ["1"] and set(cell["parameters"]["INIT0"][_WITH_D]) == {"0"}
    return closed and not any(read[bit] for bit in ports["S0"])
