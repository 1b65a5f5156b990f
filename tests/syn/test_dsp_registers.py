"""Registers that move into multipliers: proved equal before and after, and others stay."""

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from common.paths import GOLDEN_IRIS
from model.artifact import load
from model.spec import NetworkSpec
from syn import blocks, dsp_registers, synthesis, utilization
from syn.synthesis import Design, place, synthesize
from syn.targets import TARGETS, WEIGHTS_IN_BLOCKS
from syn.yosys import YosysError, run_yosys
from tb.sim.made_up import made_up
from verify.formal import netlist_models

ECP5 = TARGETS["ecp5"]
CELLS = "+/lattice/cells_sim_ecp5.v"
# Cells of the netlist, then those that their models are made of.
STEPS = ("t:LUT4 t:PFUMX t:CCU2C t:TRELLIS_FF", "t:LUT2 t:LUT4")
MULTIPLIER = "multiplier.v"
# Two products of 5 x 5 bits, each behind its own enable.
PRODUCTS = """
module top(input clk, other, input [1:0] en, input signed [4:0] a, b, output [20:0] y);
    reg signed [9:0] p, q;
    wire signed [9:0] exact = a * b, second = a * $signed(~b);
    always @(posedge clk) if (en[0]) p <= exact;
    always @(posedge clk) if (en[1]) q <= second;
    assign y = {1'b0, p, q};
endmodule
"""

Netlist = dict[str, Any]


def netlist(folder: Path, verilog: str) -> Netlist:
    """Yosys's netlist for an ECP5, in JSON values."""
    (folder / "top.v").write_text(verilog)
    lines = ["read_verilog top.v", "synth_ecp5 -top top", "write_json top.json"]
    run_yosys(lines, folder, "synthesize")
    found: Netlist = json.loads((folder / "top.json").read_text())
    return found


def kinds(found: Netlist) -> Counter[str]:
    """How many cells of each type the netlist has."""
    return Counter(cell["type"] for cell in found["modules"]["top"]["cells"].values())


def prove(folder: Path, before: Netlist, after: Netlist) -> str:
    """Yosys's log of the proof, by induction, that two netlists never differ from all 0 on."""
    (folder / MULTIPLIER).write_text(netlist_models.multiplier())
    lines = []
    for name, found in (("before", before), ("after", after)):
        (folder / f"{name}.json").write_text(json.dumps(found))
        lines += [f"read_json {name}.json", "setattr -mod -unset keep_hierarchy top"]
        lines += [f"techmap -autoproc -map {MULTIPLIER} t:MULT18X18D"]
        lines += [f"techmap -autoproc -map {CELLS} {cells}" for cells in STEPS]
        lines += ["proc", "opt_clean", f"rename top {name}", f"design -stash {name}"]
    lines += [f"design -copy-from {name} -as {name} {name}" for name in ("before", "after")]
    lines += ["miter -equiv -flatten -make_outputs before after equal", "hierarchy -top equal"]
    lines += ["async2sync", "opt -full"]
    lines += ["sat -verify -tempinduct -set-init-zero -prove trigger 0 equal"]
    return run_yosys(lines, folder, "prove")


def absorbed(found: Netlist) -> tuple[Netlist, int]:
    """A copy whose registers have moved, and how many did."""
    after = copy.deepcopy(found)
    return after, dsp_registers.absorb(after)


def test_registers_of_products_move_and_nothing_else_changes(tmp_path: Path) -> None:
    before = netlist(tmp_path, PRODUCTS)
    after, went = absorbed(before)
    assert went == kinds(before)["TRELLIS_FF"] - kinds(after)["TRELLIS_FF"] == 20
    assert kinds(after)["MULT18X18D"] == kinds(before)["MULT18X18D"] == 2
    assert "SUCCESS" in prove(tmp_path, before, after)


def of_multiplier(found: Netlist, number: int) -> Netlist:
    """A multiplier of a netlist, in the order of names."""
    cells = found["modules"]["top"]["cells"]
    names = sorted(name for name, cell in cells.items() if cell["type"] == "MULT18X18D")
    cell: Netlist = cells[names[number]]
    return cell


@pytest.mark.parametrize("fault", ["enable", "bit", "no register"])
def test_a_wrong_move_is_refuted(fault: str, tmp_path: Path) -> None:
    before = netlist(tmp_path, PRODUCTS)
    after, _ = absorbed(before)
    first = of_multiplier(after, 0)
    ports = first["connections"]
    if fault == "enable":
        ports["CE0"] = ["1"]
    elif fault == "bit":
        ports["P0"], ports["P1"] = ports["P1"], ports["P0"]
    else:
        first["parameters"]["REG_OUTPUT_CLK"] = "NONE"
    with pytest.raises(YosysError, match="proof did fail"):
        prove(tmp_path, before, after)


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ("if (en[0]) p <= exact;", "if (other) p <= 0; else if (en[0]) p <= exact;"),
        ("posedge clk) if (en[0])", "negedge clk) if (en[0])"),
        ("{1'b0, p", "{exact[9], p"),
        ("if (en[0]) p <= exact;", "begin if (en[0]) p[4:0] <= exact; p[9:5] <= exact[9:5]; end"),
        ("if (en[0]) p <= exact;", "p <= exact ^ {10{en[0]}};"),
        ("reg signed [9:0] p, q;", "reg signed [9:0] p = 10'h3ff, q;"),
    ],
)
def test_a_register_that_a_multiplier_cannot_be_stays(
    right: str, other: str, tmp_path: Path
) -> None:
    assert PRODUCTS.count(right) == 1
    before = netlist(tmp_path, PRODUCTS.replace(right, other))
    after, went = absorbed(before)
    assert went == 10
    assert "SUCCESS" in prove(tmp_path, before, after)


def test_a_register_without_an_enable_moves_too(tmp_path: Path) -> None:
    before = netlist(tmp_path, PRODUCTS.replace("if (en[0]) p", "p"))
    after, went = absorbed(before)
    assert went == 20
    assert "SUCCESS" in prove(tmp_path, before, after)


def test_nextpnr_places_multipliers_with_their_registers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)
    device = ECP5.device("25k")
    assert device is not None
    dot = Design("mlp_dot", {"SIMD": 4, "ACC_W": 18}, multipliers=4)
    found = synthesize(dot, ECP5, device)
    placed = place(found, ECP5, device, 1, route=False).used["FF"]
    monkeypatch.setattr(dsp_registers, "absorb", lambda design: 0)
    assert place(found, ECP5, device, 2, route=False).used["FF"] == found.cells["FF"]
    assert placed == found.cells["FF"] - 4 * 16


IRIS = load(GOLDEN_IRIS).spec


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        # Words of 96, 240, 240 and 80 bits.
        (IRIS, 3 + 7 + 7 + 3),
        (IRIS.unrolled(), 0),
        (IRIS.serial(), 1 + 2 + 2 + 1),
        (made_up([4, 6, 3], loadable=True).spec, 0),
    ],
)
def test_blocks_of_weights_are_counted(spec: NetworkSpec, expected: int) -> None:
    assert blocks.of_weights(spec) == expected


def test_weights_are_in_blocks_where_the_device_has_twice_as_many() -> None:
    device = ECP5.device("25k")
    assert device is not None and device.blocks == 56
    for count, stored in ((0, False), (1, True), (28, True), (29, False)):
        assert (WEIGHTS_IN_BLOCKS in ECP5.script(device, 4, "top", count)) == stored
    assert WEIGHTS_IN_BLOCKS in ECP5.script(None, 4, "top", 1000)
    assert TARGETS["ice40"].script(None, 4, "top", 1) == TARGETS["ice40"].script(None, 4, "top")


def test_a_rom_of_weights_is_a_block_and_was_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)
    design = utilization.design(made_up([4, 8, 2], folds=[(2, 2), (4, 1)]))
    assert design.blocks == 2
    inside = synthesize(design, ECP5, ECP5.device("25k")).cells
    plain = synthesize(Design(**vars(design) | {"blocks": 0}), ECP5, ECP5.device("25k")).cells
    assert inside["BRAM"] - plain["BRAM"] == 2
    assert inside["LUT"] < plain["LUT"]
