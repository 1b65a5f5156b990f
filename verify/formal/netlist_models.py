"""Models of cells that are proved with: products stay products, and a ROM is no larger than it is.

Yosys has none of an ECP5's multipliers and block RAMs. Its model of an iCE40's DSP has four
products of 8 bits, whose sum no other product is known to equal, and that of its block RAM keeps
two bits in the place of one where words are narrow.
"""

from collections.abc import Callable, Mapping
from typing import Any

from verify.formal.softmax_proofs import ProofError

Cell = Mapping[str, Any]
# Bits of the widest word of an ECP5's block RAM.
WIDE = 36
# What a DSP of an iCE40 gives: a sum behind a register, to which nothing is added, or the product.
REGISTERED, DIRECT = 1, 3
SUM_WITH_NOTHING = {
    "TOPADDSUB_LOWERINPUT": 2,
    "BOTADDSUB_LOWERINPUT": 2,
    "TOPADDSUB_UPPERINPUT": 1,
    "BOTADDSUB_UPPERINPUT": 1,
    "TOPADDSUB_CARRYSELECT": 3,
    "BOTADDSUB_CARRYSELECT": 0,
}
HALVES = ("IRST", "ORST", "OLOAD", "ADDSUB", "OHOLD")
IDLE_PORTS = ["C", "D", *(f"{name}{half}" for name in HALVES[:-1] for half in ("TOP", "BOT"))]
IDLE_SETTINGS = ["NEG_TRIGGER", "C_REG", "D_REG", "MODE_8x8", "TOP_8x8_MULT_REG"]
IDLE_SETTINGS += ["BOT_8x8_MULT_REG", "PIPELINE_16x16_MULT_REG1", "PIPELINE_16x16_MULT_REG2"]


def parameters(name: str, cell: Cell) -> dict[str, int]:
    """Parameters that the model of a cell has beside those of the netlist.

    Raises `ProofError` where the cell does what its model does not.
    """
    more = _MORE.get(cell["type"])
    return more(name, cell) if more else {}


def _of_rom(name: str, cell: Cell) -> dict[str, int]:
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
    return {"WORDS": 1 << max(max(asked, default=0) - 3, 1)}


def _of_product(name: str, cell: Cell) -> dict[str, int]:
    """Parameters of the model of an iCE40's DSP: bits of its operands, and whether they are one."""
    settings = {key: int(value, 2) for key, value in cell["parameters"].items()}
    ports = cell["connections"]
    selected = settings["TOPOUTPUT_SELECT"]
    plain = selected == settings["BOTOUTPUT_SELECT"] in (REGISTERED, DIRECT)
    plain = plain and ports["OHOLDTOP"] == ports["OHOLDBOT"] and ports["CE"] == ["1"]
    plain = plain and all(set(ports[port]) == {"0"} for port in IDLE_PORTS)
    plain = plain and not any(settings[key] for key in IDLE_SETTINGS)
    if selected == REGISTERED:
        plain = plain and all(settings[key] == value for key, value in SUM_WITH_NOTHING.items())
    if not plain:
        raise ProofError(f"{name}: must be a product, with no more than registers around it")
    widths = {}
    for port in "AB":
        bits = ports[port]
        while len(bits) > 1 and bits[-1] == (bits[-2] if settings[f"{port}_SIGNED"] else "0"):
            bits = bits[:-1]
        widths[f"{port}_W"] = len(bits)
    same = all(settings[f"A_{key}"] == settings[f"B_{key}"] for key in ("REG", "SIGNED")) and all(
        ports[f"A{key}"] == ports[f"B{key}"] for key in ("", "HOLD")
    )
    return widths | {"SAME": int(same)}


def product() -> str:
    """Verilog of a DSP of an iCE40 as one product, with or without the registers around it.

    Yosys' own model has four products of 8 bits, whose sum no other product is known to equal.
    Operands that are the same, in the same kind of register, are one.
    Source: Lattice, DSP function usage guide for iCE40 devices.
    """
    inputs = ["CLK", "CE", "CI", "ACCUMCI", "SIGNEXTIN"]
    inputs += [f"{letter}HOLD" for letter in "ABCD"]
    inputs += [f"{name}{half}" for name in HALVES for half in ("TOP", "BOT")]
    settings = [*IDLE_SETTINGS, *SUM_WITH_NOTHING, "A_REG", "B_REG", "A_SIGNED", "B_SIGNED"]
    settings += ["TOPOUTPUT_SELECT", "BOTOUTPUT_SELECT", "SAME"]
    return "\n".join(
        [
            f"module SB_MAC16 (input {', '.join(inputs)}, input [15:0] A, B, C, D,",
            "    output [31:0] O, output CO, ACCUMCO, SIGNEXTOUT);",
            "parameter A_W = 16, B_W = 16;",
            *(f"parameter {name} = 0;" for name in settings),
            "reg [A_W-1:0] a_q;",
            "reg [B_W-1:0] b_q;",
            "reg [31:0] product_q;",
            "wire [A_W-1:0] a = A_REG ? a_q : A[A_W-1:0];",
            "wire [B_W-1:0] b = SAME ? a : B_REG ? b_q : B[B_W-1:0];",
            "wire signed [A_W:0] x = {A_SIGNED & a[A_W-1], a};",
            "wire signed [B_W:0] y = {B_SIGNED & b[B_W-1], b};",
            "wire signed [31:0] product = x * y;",
            "always @(posedge CLK) if (!AHOLD) a_q <= A[A_W-1:0];",
            "always @(posedge CLK) if (!BHOLD) b_q <= B[B_W-1:0];",
            "always @(posedge CLK) if (!OHOLDTOP) product_q <= product;",
            f"assign O = TOPOUTPUT_SELECT == {REGISTERED} ? product_q : product;",
            "endmodule\n",
        ]
    )


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


def _of_words(name: str, cell: Cell) -> dict[str, int]:
    """Nothing more for a ROM of an iCE40, which is never written."""
    if ["0"] not in (cell["connections"]["WE"], cell["connections"]["WCLKE"]):
        raise ProofError(f"{name}: must be a ROM")
    return {}


def words() -> str:
    """Verilog of a block RAM of an iCE40 that is a ROM: 256 words of 16 bits, or more of fewer.

    Words of 8, 4 and 2 bits lie side by side, a bit of each next to one of the others.
    Source: Lattice, memory usage guide for iCE40 devices.
    """
    values = [f"INIT_{number:X}" for number in range(16)]
    return "\n".join(
        [
            "module SB_RAM40_4K (input RCLK, RCLKE, RE, WCLK, WCLKE, WE,",
            "    input [10:0] RADDR, WADDR, input [15:0] MASK, WDATA, output reg [15:0] RDATA);",
            "parameter READ_MODE = 0, WRITE_MODE = 0;",
            *(f"parameter [255:0] {value} = 256'd0;" for value in values),
            f"wire [4095:0] every = {{{', '.join(reversed(values))}}};",
            "localparam BESIDE = 1 << READ_MODE, AT = BESIDE > 1 ? BESIDE / 2 - 1 : 0;",
            "reg [15:0] words [0:255];",
            "integer k;",
            "initial for (k = 0; k < 256; k = k + 1) words[k] = every[16*k +: 16];",
            "wire [15:0] all = words[RADDR[7:0]];",
            "wire [15:0] found = all >> (RADDR[10:8] & (BESIDE - 1));",
            "genvar n;",
            "generate for (n = 0; n < 16; n = n + BESIDE) begin : g_bit",
            "always @(posedge RCLK) if (RE && RCLKE) RDATA[n + AT] <= found[n];",
            "end endgenerate",
            "endmodule\n",
        ]
    )


def _bits(name: str, width: int, *, down: bool = False) -> str:
    """``A0, A1``, or from the highest on."""
    numbers = range(width)
    return ", ".join(f"{name}{k}" for k in (reversed(numbers) if down else numbers))


_MORE: Mapping[str, Callable[[str, Cell], dict[str, int]]] = {
    "DP16KD": _of_rom,
    "SB_MAC16": _of_product,
    "SB_RAM40_4K": _of_words,
}
# Verilog of our own models of a family's cells.
OF_FAMILY: Mapping[str, Callable[[], str]] = {
    "ecp5": lambda: multiplier() + memory(),
    "ice40": lambda: product() + words(),
}
