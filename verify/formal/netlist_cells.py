"""RTL and netlist, both down to gates and registers: what Yosys makes of either, by one script."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from common import sources
from common.paths import RTL
from model.stage import Parameter
from syn.synthesis import IMAGES
from syn.yosys import chosen, run_yosys
from verify.formal.softmax_proofs import ProofError

LOWERED = "lowered.json"
# Bits of a block RAM's widest word.
WIDE = 36
# Registers of one clock and no initial value, ANDs and inverters; products stay products. A memory
# that is never written is a ROM.
GATES = (
    *("proc", "flatten", "setattr -unset init w:*", "opt_clean", "opt_expr -keepdc"),
    *("memory_collect", "opt_mem", "memory_map", "simplemap", "techmap t:* t:$mul %d"),
    *("dfflegalize -cell $_DFF_P_ 01", "aigmap", "opt_clean", f"write_json {LOWERED}"),
)
# Yosys' own models of the cells of a family; a LUT is a table to whoever reads the gates.
MODELS = {
    "ecp5": (
        "read_verilog -defer +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh",
        r"delete $abstract\LUT4",
    ),
    "ice40": ("read_verilog -defer +/ice40/cells_sim.v", r"delete $abstract\SB_LUT4"),
}


def rtl(
    top: str,
    parameters: Mapping[str, Parameter],
    images: Path,
    folder: Path,
    source: Path = RTL,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Read a module's Verilog, its ROM images in a folder, down to gates; return their file.

    ``more`` are texts of Verilog beside ``source``, by the names of their files.

    Raises `YosysError` where Yosys refuses it.
    """
    texts = sources.verilog(source)
    for path in texts:
        shutil.copy(path, folder)
    shutil.copytree(images, folder / IMAGES, dirs_exist_ok=True)
    for name, text in more.items():
        (folder / name).write_text(text)
    names = " ".join([*(path.name for path in texts), *more])
    lines = [f"read_verilog {names}", f"chparam {chosen(parameters)} {top}"]
    run_yosys([*lines, f"hierarchy -check -top {top}", *GATES], folder, "lower")
    return folder / LOWERED


def netlist(top: str, path: Path, family: str, folder: Path) -> Path:
    """Read the netlist of a family, as JSON, down to gates; return their file.

    Raises `ProofError` where a block RAM is no ROM without a register behind it, `YosysError` where
    Yosys refuses it.
    """
    modules = json.loads(path.read_text())["modules"]
    for name, cell in modules[top]["cells"].items():
        if cell["type"] == "DP16KD":
            words = _words_of_rom(name, cell)
            cell["parameters"]["WORDS"] = f"{words:032b}"
    (folder / "netlist.json").write_text(json.dumps({"modules": {top: modules[top]}}))
    (folder / "cells.v").write_text(multiplier() + memory() if family == "ecp5" else "")
    lines = [*MODELS[family], "read_verilog -defer cells.v", "read_json netlist.json"]
    run_yosys([*lines, f"hierarchy -top {top}", *GATES], folder, "lower")
    return folder / LOWERED


def _words_of_rom(name: str, cell: Mapping[str, Any]) -> int:
    """Words of 18 bits that a block RAM can be asked for: others would only cost time.

    Words of 36 bits are read at port B, and port A writes where it is enabled; others at A.
    """
    width = int(cell["parameters"]["DATA_WIDTH_A"], 2)
    side, idle = ("B", ("CEA", "WEB", "RSTB")) if width == WIDE else ("A", ("WEA", "WEB", "RSTA"))
    plain = cell["parameters"][f"REGMODE_{side}"] == "NOREG"
    never = all(cell["connections"][port] == ["0"] for port in idle)
    if not plain or not never:
        raise ProofError(f"{name}: must be a ROM without a register behind it")
    asked = [bit for bit in range(14) if cell["connections"][f"AD{side}{bit}"] != ["0"]]
    return 1 << max(max(asked, default=0) - 3, 1)


def multiplier() -> str:
    """Verilog of a multiplier of ECP5, of which Yosys has no model; a register at its output.

    Source: Lattice, ECP5 sysDSP usage guide: 18 by 18 bits, each operand signed where it says so.
    """
    return "\n".join(
        [
            f"module MULT18X18D (input {_bits('A', 18)}, {_bits('B', 18)}, {_bits('C', 18)},",
            "    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0,",
            f"    output {_bits('P', 36)});",
            'parameter REG_OUTPUT_CLK = "NONE";',
            *(f"parameter {name} = 0;" for name in ("REG_OUTPUT_CE", "REG_OUTPUT_RST", "GSR")),
            f"wire [17:0] a = {{{_bits('A', 18, down=True)}}};",
            f"wire [17:0] b = {{{_bits('B', 18, down=True)}}};",
            "wire signed [18:0] x = {SIGNEDA & a[17], a};",
            "wire signed [18:0] y = {SIGNEDB & b[17], b};",
            "wire signed [37:0] product = x * y;",
            "reg [35:0] held;",
            "always @(posedge CLK0) if (RST0) held <= 0; else if (CE0) held <= product[35:0];",
            f"assign {{{_bits('P', 36, down=True)}}} =",
            '    REG_OUTPUT_CLK == "CLK0" ? held : product[35:0];',
            "endmodule\n",
        ]
    )


def memory() -> str:
    """Verilog of a block RAM of ECP5 that is a ROM: 1,024 words of 18 bits, or other shapes of it.

    A word of 18 bits is two of 9; in 8 bits of each are two words of 4, four of 2 or eight of one.
    Two are one of 36, the lower first; that leaves at port A, the upper at port B.
    Source: Lattice, ECP5 memory usage guide: 16 words, of 20 bits each, in an initial value.
    """
    ports = [_bits(name, width) for name, width in (("DIA", 18), ("ADA", 14), ("CSA", 3))]
    ports += [_bits(name, width) for name, width in (("DIB", 18), ("ADB", 14), ("CSB", 3))]
    ports += [f"{name}{side}" for side in "AB" for name in ("CE", "OCE", "CLK", "WE", "RST")]
    settings = ["ASYNC_RESET_RELEASE", "GSR", "RESETMODE"]
    settings += [
        name.replace("?", side)
        for side in "AB"
        for name in ("CLK?MUX", "CSDECODE_?", "DATA_WIDTH_?", "REGMODE_?", "WRITEMODE_?")
    ]
    values = [f"INITVAL_{number:02X}" for number in range(64)]
    return "\n".join(
        [
            f"module DP16KD (input {', '.join(ports)},",
            f"    output reg {_bits('DOA', 18)}, output reg {_bits('DOB', 18)});",
            "parameter WORDS = 1024;",
            *(f"parameter {name} = 0;" for name in settings),
            *(f"parameter [319:0] {value} = 320'd0;" for value in values),
            f"wire [20479:0] every = {{{', '.join(reversed(values))}}};",
            "localparam BITS = $clog2(WORDS);",
            "reg [17:0] words [0:WORDS-1];",
            "integer k;",
            "initial for (k = 0; k < WORDS; k = k + 1) words[k] = every[20*k +: 18];",
            f"wire [13:0] place = {{{_bits('ADA', 14, down=True)}}};",
            "wire [17:0] all = words[place[4 +: BITS]];",
            "wire [8:0] part = place[3] ? all[17:9] : all[8:0];",
            "wire [17:0] found = DATA_WIDTH_A == 18 ? all : DATA_WIDTH_A == 9 ? part",
            "    : DATA_WIDTH_A == 4 ? part >> {place[2], 2'b00}",
            "    : part >> (DATA_WIDTH_A == 2 ? {place[2:1], 1'b0} : place[2:0]);",
            f"wire [13:0] pair = {{{_bits('ADB', 14, down=True)}}};",
            f"generate if (DATA_WIDTH_B == {WIDE}) begin",
            "always @(posedge CLKB) if (CEB) begin",
            f"{{{_bits('DOA', 18, down=True)}}} <= words[pair[4 +: BITS] & -2];",
            f"{{{_bits('DOB', 18, down=True)}}} <= words[pair[4 +: BITS] | 1];",
            "end",
            "end else begin",
            f"always @(posedge CLKA) if (CEA) {{{_bits('DOA', 18, down=True)}}} <= found;",
            "end endgenerate",
            "endmodule\n",
        ]
    )


def _bits(name: str, width: int, *, down: bool = False) -> str:
    """``A0, A1``, or from the highest on."""
    numbers = range(width)
    return ", ".join(f"{name}{k}" for k in (reversed(numbers) if down else numbers))
