"""Ports that lead nowhere get no pin; every other port keeps all of its own."""

from typing import Any

from syn import pins


def design(**ports: tuple[str, list[int | str]]) -> dict[str, Any]:
    """A cell from net 2 to net 3, among ports of a direction and bits."""
    made = {name: {"direction": way, "bits": bits} for name, (way, bits) in ports.items()}
    cell = {
        "type": "LUT",
        "port_directions": {"I": "input", "O": "output"},
        "connections": {"I": [2, 4], "O": [3]},
    }
    return {"modules": {"top": {"ports": made, "cells": {"cell": cell}}}}


def test_port_that_nothing_reads_or_makes_goes() -> None:
    found = design(unread=("input", [7, 8]), still=("output", ["0", "1"]), a=("input", [2]))
    assert pins.drop(found) == ["unread", "still"]
    assert set(found["modules"]["top"]["ports"]) == {"a"}


def test_port_with_one_bit_in_use_stays_whole() -> None:
    found = design(a=("input", [7, 4]), y=("output", ["0", 3]), through=("input", [9]))
    found["modules"]["top"]["ports"]["out"] = {"direction": "output", "bits": [9]}
    assert pins.drop(found) == []
