"""The floorplan: which multiplier stands where, and that a device has each of the places."""

import json
import subprocess
from pathlib import Path

import pytest

from common.paths import GOLDEN_IRIS
from model.artifact import load
from syn import floorplan, utilization
from syn.synthesis import run_tool, synthesize
from syn.targets import TARGETS, Device

ECP5 = TARGETS["ecp5"]
ROWS = (("a0", "a1", "a2"), ("b0", "b1", "b2"))


def written(plan: floorplan.Plan, names: list[str], folder: Path) -> dict[str, str]:
    """The place on each multiplier of a netlist with these, when the plan is written onto it."""
    cells = {
        name: {
            "type": "MULT18X18D",
            "parameters": {},
            "attributes": {},
            "port_directions": {"A0": "input", "P0": "output"},
            "connections": {"A0": [2], "P0": [3 + number]},
        }
        for number, name in enumerate(names)
    }
    outputs = [3 + number for number in range(len(names))]
    ports = {
        "a": {"direction": "input", "bits": [2]},
        "y": {"direction": "output", "bits": outputs},
    }
    module = {"attributes": {"top": "1"}, "ports": ports, "cells": cells, "netnames": {}}
    design = {"creator": "a test", "modules": {"top": module}}
    floorplan.put(plan, design)
    (folder / "planned.json").write_text(json.dumps(design))
    return {name: cell["attributes"].get("BEL") for name, cell in cells.items()}


def dot(layer: int, pe: int = 0) -> str:
    return f"l[{layer}].g_pe[{pe}].u_dot"


def test_a_layer_keeps_to_a_row() -> None:
    plan = floorplan.planned({dot(0): 2, dot(1): 2, "u_softmax": 1}, ROWS)
    assert plan == {dot(0): ["a0", "a1"], dot(1): ["b0", "b1"], "u_softmax": ["b2"]}


def test_where_rows_would_not_do_layers_follow_one_another() -> None:
    plan = floorplan.planned({dot(0): 2, dot(1): 2, dot(2): 2}, ROWS)
    assert list(plan.values()) == [["a0", "a1"], ["a2", "b0"], ["b1", "b2"]]
    assert floorplan.planned({dot(0): 5}, ROWS) == {dot(0): ["a0", "a1", "a2", "b0", "b1"]}


def test_dot_products_of_a_layer_take_turns_lane_by_lane() -> None:
    plan = floorplan.planned({dot(0, 0): 2, dot(0, 1): 1, dot(0, 2): 2}, ROWS)
    assert plan == {dot(0, 0): ["a0", "b0"], dot(0, 1): ["a1"], dot(0, 2): ["a2", "b1"]}


def test_layers_and_lanes_come_by_number(tmp_path: Path) -> None:
    plan = floorplan.planned({dot(10): 1, dot(9): 2}, ROWS)
    assert plan == {dot(9): ["a0", "a1"], dot(10): ["a2"]}
    names = [f"{dot(10)}.x", f"{dot(9)}.g[10].x", f"{dot(9)}.g[9].x"]
    assert written(plan, names, tmp_path) == dict(zip(names, ("a2", "a1", "a0"), strict=True))


def test_a_netlist_without_the_multipliers_of_the_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        written({dot(0): ["a0", "a1"]}, [f"{dot(0)}.x", f"{dot(1)}.x"], tmp_path)


@pytest.mark.parametrize("multipliers", [{}, {"u_softmax.u_score": 3}, {dot(0): 0}])
def test_without_dot_products_there_is_no_plan(multipliers: dict[str, int]) -> None:
    assert floorplan.planned(multipliers, ROWS) == {}
    assert floorplan.planned({dot(0): 3}, ()) == {}


@pytest.mark.parametrize("device", ECP5.devices, ids=lambda device: device.name)
def test_a_device_has_every_place_that_a_plan_may_name(device: Device, tmp_path: Path) -> None:
    names = [f"{dot(0)}.g[{number}]" for number in range(device.dsps)]
    plan = floorplan.planned({dot(0): device.dsps}, device.dsp_rows)
    assert len(set(written(plan, names, tmp_path).values())) == device.dsps
    assert _placed(device, tmp_path).returncode == 0
    plan[dot(0)][-1] = "X0/Y0/MULT18_0"
    written(plan, names, tmp_path)
    assert "No Bel named 'X0/Y0/MULT18_0'" in _placed(device, tmp_path).stderr


def test_every_multiplier_of_irisnet_has_a_place() -> None:
    network, device = load(GOLDEN_IRIS), ECP5.device("85k")
    assert device is not None
    netlist = synthesize(utilization.design(network), ECP5, device)
    multipliers = {instance: cells["DSP"] for instance, cells in netlist.instances.items()}
    plan = floorplan.planned(multipliers, device.dsp_rows)
    places = [place for sites in plan.values() for place in sites]
    assert len(places) == len(set(places)) == netlist.cells["DSP"] == 84
    wide = [sites for sites in plan.values() if len(sites) == 30]
    rows = [{site.split("/")[1] for site in sites} for sites in wide]
    assert rows == [{"Y10"}, {"Y34"}]


def _placed(device: Device, folder: Path) -> subprocess.CompletedProcess[str]:
    words = ("--json", "planned.json", "--no-route")
    assert ECP5.router is not None
    return run_tool(ECP5.router, *device.arguments, *words, cwd=folder)
