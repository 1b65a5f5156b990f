"""Registers behind an ECP5's multipliers become their own: each has one at its output.

Yosys leaves these unused, so that a product travels through the fabric to flip-flops elsewhere, and
what a multiplier takes of a cycle is most of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from syn import nets

_CELL, _REGISTER = "MULT18X18D", "TRELLIS_FF"
_PRODUCT = tuple(f"P{bit}" for bit in range(36))
_NEVER = ["0"]
# Rising edge, 0 at power-up, no reset: what the register of a multiplier can be without its reset.
_PLAIN = {"CLKMUX": "CLK", "REGSET": "RESET"}
_OWN = {
    "REG_OUTPUT_CLK": "CLK0",
    "REG_OUTPUT_CE": "CE0",
    "REG_OUTPUT_RST": "RST0",
    "GSR": "DISABLED",
}

Cell = dict[str, Any]


def absorb(design: dict[str, Any]) -> int:
    """Move registers of products into their multipliers; return how many flip-flops went.

    A product moves as a whole: each of its bits that something reads must be read by one flip-flop
    alone, all of them with the same clock and enable. ``design`` is Yosys's netlist in JSON values,
    which changes in place.
    """
    went = 0
    for module in design["modules"].values():
        cells, read = module["cells"], nets.read(module)
        behind = {
            cell["connections"]["DI"][0]: name
            for name, cell in cells.items()
            if cell["type"] == _REGISTER
        }
        for multiplier in [cell for cell in cells.values() if cell["type"] == _CELL]:
            ports = multiplier["connections"]
            live = [port for port in _PRODUCT if ports[port] and read[ports[port][0]]]
            names = [behind.get(ports[port][0], "") for port in live]
            alone = all(names) and all(read[ports[port][0]] == 1 for port in live)
            control = _control([cells[name] for name in names]) if alone else None
            if control is None:
                continue
            for port, name in zip(live, names, strict=True):
                ports[port] = cells.pop(name)["connections"]["Q"]
            for port, bit in control.items():
                ports[port] = [bit]
                multiplier["port_directions"][port] = "input"
            multiplier["parameters"] |= _OWN
            went += len(names)
    return went


def _control(registers: Sequence[Cell]) -> Mapping[str, int | str] | None:
    """Nets of the multiplier's register in the place of these; None where they differ or reset."""
    found = {_control_of(register) for register in registers}
    if len(found) != 1 or None in found:
        return None
    (control,) = found
    assert control is not None
    clock, enable = control
    return {"CLK0": clock, "CE0": enable, "RST0": "0"}


def _control_of(register: Cell) -> tuple[int | str, int | str] | None:
    """Clock and enable of a register, ``"1"`` where it has none; None where it is not plain."""
    ports, parameters = register["connections"], register["parameters"]
    # Yosys writes a space behind text that could be taken for a number.
    enabled = parameters["CEMUX"].strip()
    plain = all(parameters.get(name) == value for name, value in _PLAIN.items())
    if not plain or ports.get("LSR", _NEVER) != _NEVER or enabled not in ("CE", "1"):
        return None
    return ports["CLK"][0], ports["CE"][0] if enabled == "CE" else "1"
