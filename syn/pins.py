"""Ports of a netlist that need no pin: nothing reads them, or constants alone drive them."""

from typing import Any

from syn import nets

_CONSTANTS = ("0", "1", "x", "z")


def drop(design: dict[str, Any]) -> list[str]:
    """Take such ports from the modules of a design; return their names.

    ``design`` is Yosys's netlist in JSON values, which changes in place. A port goes whole or not
    at all. Without pin constraints nextpnr gives each bit of a port a pin of its own, and a core
    whose weights are constants has a stream for new ones that leads nowhere.
    """
    gone = []
    for module in design["modules"].values():
        read = nets.read(module)
        for name, port in list(module["ports"].items()):
            leaves = port["direction"] == "output"
            if not any(bit not in _CONSTANTS if leaves else read[bit] for bit in port["bits"]):
                del module["ports"][name]
                gone.append(name)
    return gone
