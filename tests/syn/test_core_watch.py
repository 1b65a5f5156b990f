"""A core whose results are numbered: its bench, and what it says of one that loses some."""

import re
from pathlib import Path

import numpy as np
import pytest

from common.errors import CommandError
from model.artifact import Network
from syn.package import content
from tb.sim.made_up import made_up
from tests.cores import (
    OUTPUTS,
    SMALL,
    compiled_by_icarus,
    compiled_by_verilator,
    features_of,
    moved,
    run,
)

CORES = {
    "small": SMALL,
    "trimmed": OUTPUTS["trimmed"],
    "loadable": made_up([4, 6, 3], loadable=True),
}
SOON = ("-O0", "-MAKEFLAGS", "OPT_FAST=-O0 OPT_GLOBAL=-O0")

# Offers samples of whatever bytes for ever, and once gives registers another value. It
# prints a line for each result, with its number, and for the end of each block.
UPSET = """
module upset;
    reg clk = 0, rst = 1;
    always #5 clk = !clk;
    wire ready, valid, last, done, lost;
    wire [{index_w}-1:0] index;
    reg [15:0] beat = 0;
    reg hit = 0;
    integer cycle = 0;
    {module} dut (
        .clk(clk), .rst(rst), .s_axis_tvalid(1'b1), .s_axis_tready(ready),
        .s_axis_tlast(beat % {beats} == {beats} - 1), .s_axis_tdata(beat[7:0]),
        .m_axis_tvalid(valid), .m_axis_tready(1'b1), .m_axis_tlast(last), .m_axis_tdata(),
        .m_axis_tuser(), .m_axis_tid(index), .block_done(done), .block_lost(lost)
    );
    always @(posedge clk) begin
        cycle <= cycle + 1;
        rst   <= cycle < 3;
        if (ready && !rst) beat <= beat + 1;
        if (valid && last && !rst) $display("result %0d", index);
        if (done) $display("done %0d", lost);
        if (cycle == {cycles}) $finish;
    end
    always @(negedge clk)
        if (cycle >= {at} && !hit && dut.{signal} != {value}) begin
            dut.{signal} = {value};
            hit = 1;
        end
endmodule
"""


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("index_w", [1, 8])
def test_bench_passes(name: str, index_w: int, tmp_path: Path) -> None:
    core = moved(CORES[name], tmp_path, index_w)
    compilers = [compiled_by_icarus] + ([compiled_by_verilator] if index_w > 1 else [])
    for compiled in compilers:
        options = SOON if compiled is compiled_by_verilator else ()
        done = run(*compiled(core, *options), cwd=core)
        assert done.returncode == 0 and done.stdout.startswith("PASS: made_up_core: "), done.stdout


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("rtl/mlp_watch.v", "index = results[INDEX_W-1:0]", "index = {INDEX_W{1'b0}}", "number"),
        ("rtl/mlp_watch.v", "in_last && complete", "in_last", "a block is lost"),
        ("rtl/mlp_watch.v", "rests && quiet ==", "1'b0 && quiet ==", "has not ended"),
        ("made_up_core.v", ".WAIT(84)", ".WAIT(8)", "a block is lost"),
        ("made_up_core.v", "core_ready && open", "core_ready", "results|beat"),
    ],
    ids=["number", "short-frame", "endless", "hasty", "always-open"],
)
def test_bench_fails(file: str, right: str, wrong: str, said: str, tmp_path: Path) -> None:
    core = moved(SMALL, tmp_path, 3)
    text = (core / file).read_text()
    assert text.count(right) == 1
    (core / file).write_text(text.replace(right, wrong))
    done = run("iverilog", "-o", "x.vvp", "-f", "made_up.f", "made_up_tb.v", cwd=core)
    assert done.returncode == 0, done.stderr
    done = run("vvp", "-N", "x.vvp", cwd=core)
    assert "FAIL: pass " in done.stdout and "PASS" not in done.stdout
    assert re.search(said, done.stdout), done.stdout


@pytest.mark.parametrize(
    ("signal", "value"),
    [
        ("u_top.u_unpack.out_valid", 0),
        ("u_top.u_layers.g_layer[0].u_layer.u_requantize.out_valid", 0),
        ("u_top.u_input.g_pack.u_pack.out_valid", 1),
        ("u_watch.results", 3),
        ("u_watch.wrong", 1),
    ],
)
def test_core_tells_of_an_upset_and_goes_on(signal: str, value: int, tmp_path: Path) -> None:
    """After the block that is lost every block is whole again, without anybody's help."""
    core = moved(SMALL, tmp_path, 2)
    spec = SMALL.spec
    text = UPSET.format(
        index_w=2,
        module="made_up_core",
        beats=spec.n_in // spec.in_lanes,
        at=3 * (spec.latency + 4 * spec.interval),
        cycles=20 * spec.latency,
        signal=signal,
        value=value,
    )
    (core / "upset.v").write_text(text)
    done = run("iverilog", "-g2012", "-o", "u.vvp", "-f", "made_up.f", "upset.v", cwd=core)
    assert done.returncode == 0, done.stderr
    done = run("vvp", "-N", "u.vvp", cwd=core)
    blocks = re.findall(r"((?:result \d\n)*)done (\d)\n", done.stdout)
    lost = [number for number, (_, is_lost) in enumerate(blocks) if is_lost == "1"]
    assert len(lost) == 1 and 0 < lost[0] < len(blocks) - 2, done.stdout
    whole = "".join(f"result {number}\n" for number in range(4))
    assert {results for results, is_lost in blocks if is_lost == "0"} == {whole}


@pytest.mark.parametrize("index_w", [-1, 17])
def test_bits_of_an_index_are_checked(index_w: int) -> None:
    with pytest.raises(CommandError, match=rf"index must be 0 \.\. 16, got {index_w}"):
        content.Core.of(SMALL, features_of(SMALL), index_w)


def test_pages_speak_of_numbers_where_there_are_some(tmp_path: Path) -> None:
    def page(network: Network, index_w: int) -> str:
        core = content.Core.of(network, np.zeros((1, network.spec.n_in)), index_w)
        return content.texts(core)["README.md"]

    assert "| `m_axis_tid` | 8 | number of the result" in page(SMALL, 8)
    assert "a block has at most 256." in page(SMALL, 8)
    assert "`tid`" in page(SMALL, 0) and "**Blocks.**" not in page(SMALL, 0)
