"""Carry chains of an ECP5: the map is proved, and nothing leads into or out of a chain in vain."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from syn import carries, synthesis
from syn.synthesis import Design, place, synthesize
from syn.targets import CARRY_CHAINS, TARGETS
from syn.yosys import YosysError, run_yosys

ECP5 = TARGETS["ecp5"]
CELLS = "+/lattice/cells_sim_ecp5.v"
# First carry, and whether the second operand is inverted.
CONSTANTS = [(0, 0), (1, 1), (1, 0), (0, 1)]


def alus(name: str, y: int, a: int, b: int, signed: int) -> str:
    """A module of an `$alu` for each pair of constants, with all three outputs."""
    cells = "".join(
        f"\\$alu #(.A_SIGNED({signed}), .B_SIGNED({signed}), .A_WIDTH({a}), .B_WIDTH({b}),"
        f" .Y_WIDTH({y})) u{k} (.A(a), .B(b), .CI(1'b{first}), .BI(1'b{invert}),"
        f" .Y(y[{k * y} +: {y}]), .X(x[{k * y} +: {y}]), .CO(co[{k * y} +: {y}]));\n"
        for k, (first, invert) in enumerate(CONSTANTS)
    )
    outputs = f"output [{len(CONSTANTS) * y - 1}:0] y, x, co"
    return (
        f"module {name}(input [{a - 1}:0] a, input [{b - 1}:0] b, {outputs});\n{cells}endmodule\n"
    )


def proof(modules: list[str], folder: Path, *, chains: str | None = None) -> str:
    """Yosys's log of the proof that each `$alu` equals the cells of its chain."""
    shutil.copy(CARRY_CHAINS, folder)
    if chains is not None:
        (folder / CARRY_CHAINS.name).write_text(chains)
    (folder / "alus.v").write_text("".join(modules))
    lines = ["read_verilog -icells alus.v", "design -save alus"]
    lines += [f"techmap -map {CARRY_CHAINS.name}", "select -assert-none t:$alu"]
    lines += [f"techmap -autoproc -map {CELLS} t:{cell}" for cell in ("CCU2C", "LUT2 t:LUT4")]
    lines += ["select -assert-none t:CCU2C t:LUT2 t:LUT4"]
    for k in range(len(modules)):
        lines += [f"rename m{k} mapped{k}", f"design -copy-from alus m{k}"]
        lines += [f"miter -equiv -flatten m{k} mapped{k} equal{k}"]
        lines += [f"sat -verify -prove trigger 0 equal{k}", f"delete m{k} mapped{k} equal{k}"]
    return run_yosys(lines, folder, "prove")


# Width of the sum, widths of both operands, whether they are signed.
SHAPES = [
    *((y, y, y, 0) for y in (*range(5, 13), 15, 16, 17, 24, 31, 32, 33)),
    *((y, a, b, signed) for y in (5, 8) for a, b in ((3, 4), (y + 2, 2)) for signed in (0, 1)),
]


def test_each_chain_is_proved_equal_to_its_addition(tmp_path: Path) -> None:
    modules = [alus(f"m{k}", *shape) for k, shape in enumerate(SHAPES)]
    log = proof(modules, tmp_path)
    assert log.count("SAT proof finished - no model found: SUCCESS!") == len(SHAPES)


@pytest.mark.parametrize(
    ("width", "correct", "wrong"),
    [
        (6, "4'b1011", "4'b1111"),
        (6, "4'b1000", "4'b0000"),
        (7, "{4{FIRST != 0}}", "4'b0000"),
        (6, "^ (FIRST != 0)", ""),
        (6, "(a & added) |", ""),
    ],
)
def test_a_wrong_chain_is_refuted(width: int, correct: str, wrong: str, tmp_path: Path) -> None:
    text = CARRY_CHAINS.read_text()
    assert text.count(correct) == 1
    with pytest.raises(YosysError, match=r"proof did fail"):
        proof([alus("m0", width, width, width, 0)], tmp_path, chains=text.replace(correct, wrong))


def cell(init: str, d: str, **nets: list[int | str]) -> dict[str, Any]:
    """A carry cell in JSON values, of these first LUT and nets."""
    outputs = {"S0", "S1", "COUT"}
    ports = {"CIN": ["0"], "D0": [d], "S0": [50], "S1": [51], "COUT": [52], **nets}
    return {
        "type": "CCU2C",
        "parameters": {"INIT0": init},
        "port_directions": {name: "output" if name in outputs else "input" for name in ports},
        "connections": ports,
    }


def ends(*cells: dict[str, Any], out: tuple[int, ...] = ()) -> list[tuple[Any, Any]]:
    """First and last carry of each cell behind `carries.free`, which must count those it freed."""
    ports = {"y": {"direction": "output", "bits": list(out)}}
    module = {"ports": ports, "cells": {str(k): cell for k, cell in enumerate(cells)}}
    before = [(cell["connections"]["CIN"], cell["connections"]["COUT"]) for cell in cells]
    counts = carries.free({"modules": {"top": module}})
    after = [(cell["connections"]["CIN"], cell["connections"]["COUT"]) for cell in cells]
    freed = [
        sum(old[end] != new[end] for old, new in zip(before, after, strict=True)) for end in (0, 1)
    ]
    assert list(counts) == freed
    return [(*first, *last) for first, last in after]


SUM, START = f"{0x96AA:016b}", f"{0x000B:016b}"


def test_a_carry_that_nothing_reads_has_no_net() -> None:
    assert ends(cell(SUM, "1", CIN=[7])) == [(7, "x")]
    assert ends(cell(SUM, "1", CIN=[7]), out=(52,)) == [(7, 52)]
    assert ends(cell(SUM, "1", CIN=[52], COUT=[53]), cell(SUM, "1", CIN=[7])) == [
        *((52, "x"), (7, 52))
    ]


def test_only_a_first_half_that_makes_its_carry_has_no_net_before_it() -> None:
    assert ends(cell(START, "1")) == ends(cell(START, "1", CIN=["1"])) == [("x", "x")]
    assert ends(cell(SUM, "1")) == ends(cell(START, "0")) == [("0", "x")]
    assert ends(cell(START, "1", CIN=[7])) == [(7, "x")]
    assert ends(cell(START, "1"), out=(50,)) == [("0", "x")]


def test_nothing_is_placed_beside_the_chains_of_a_netlist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)
    device = ECP5.device("25k")
    assert device is not None
    netlist = synthesize(Design("mlp_adder_tree", {"N": 5, "W": 13}), ECP5, device)
    plain = json.loads((netlist.folder / "top.json").read_text())
    kinds = [cell["type"] for cell in plain["modules"]["mlp_adder_tree"]["cells"].values()]
    assert netlist.cells["LUT"] == 2 * kinds.count("CCU2C") == 4 * 14
    placed = place(netlist, ECP5, device, 1, route=False).used["LUT"]
    monkeypatch.setattr(carries, "free", lambda design: (0, 0))
    before = place(netlist, ECP5, device, 2, route=False).used["LUT"]
    # A LUT each for the constants 0 and 1; two cells of two LUTs at each of four chains.
    assert (placed, before) == (4 * 14 + 2, 4 * 14 + 2 + 4 * 4)
