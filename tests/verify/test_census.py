"""Upsets are what Icarus says they are, and a core that is not the reference is refused."""

import dataclasses
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from common import sources
from common.paths import RTL
from model import fast, images
from model.artifact import Network
from model.format import Format
from model.spec import TOP
from model.verilog import literal
from tb.modules.mutant import Mutant, mutated
from tb.sim.made_up import made_up
from verify.census import cycle, run, upsets
from verify.census.upsets import OUTCOMES, PHASES, Core, UpsetError

# ROMs of whole powers of two, as what is behind their end is X to Icarus; no softmax.
SMALL = made_up(
    [4, 4],
    folds=[(2, 2)],
    formats=[Format(6, 2), Format(6, 2)],
    weight_format=Format(4, 2),
    output="ranked",
)
CODES = np.array([[9, -20, 31, 4], [-30, 8, 25, -32]])
# A bench in plain Verilog: samples as `verbatim_upsets` offers them, one inverted bit a simulation.
BENCH = """module bench;
    reg clk = 1'b0, rst = 1'b1, valid = 1'b0;
    wire ready, out_valid, out_last;
    reg [7:0] beats [0:{beats_2}-1];
    integer sent = 0, offered = 0, phase, k;
    integer which [0:3];
    wire [7:0] data, user;
    wire left = sent < offered;
    wire [31:0] beat = which[sent / {beats}] * {beats} + sent % {beats};
    {top} #({parameters}) dut (
        .clk(clk), .rst(rst), .s_axis_tvalid(valid), .s_axis_tready(ready),
        .s_axis_tlast(sent % {beats} == {beats} - 1), .s_axis_tdata(beats[beat]),
        .m_axis_tvalid(out_valid), .m_axis_tready(1'b1), .m_axis_tlast(out_last),
        .m_axis_tdata(data), .m_axis_tuser(user)
    );
    task tick; begin #1 clk = 1'b1; #1 clk = 1'b0; end endtask
    initial begin
        $readmemh("beats.mem", beats);
        for (phase = 0; phase < 4; phase = phase + 1) begin
            if (phase == 0 || phase == 3) begin
                rst = 1'b1; valid = 1'b0; sent = 0; offered = 0;
                tick; tick;
                rst = 1'b0;
            end
            which[offered / {beats}] = phase % 2;
            offered = offered + {beats};
            for (k = 0; k < {wait}; k = k + 1) begin
                valid = left;
                if (phase == 0 && k == {at}) dut.{signal} = dut.{signal} ^ (1 << {index});
                #1;
                if (out_valid)
                    $display("%0d %0d %0d %0d %0d", phase, k, data, user, out_last);
                if (valid && ready) begin #1 clk = 1'b1; #1 clk = 1'b0; sent = sent + 1; end
                else tick;
            end
            $display("%0d sent %0d", phase, sent < offered);
        end
        $finish;
    end
endmodule
"""


@cache
def core() -> Core:
    """The small network's core."""
    return upsets.core(SMALL)


def by_icarus(network: Network, signal: str, index: int, at: int, folder: Path) -> list[str]:
    """Outcomes of one upset, by Icarus and this function."""
    folder.mkdir()
    spec = network.spec
    images.write_images(network, folder / "mem")
    beats = [f"{code & 255:02x}" for code in CODES.ravel()]
    (folder / "beats.mem").write_text("\n".join(beats))
    parameters = ", ".join(f".{k}({literal(v)})" for k, v in spec.parameters("mem").items())
    text = BENCH.format(
        **{"beats": spec.n_in, "beats_2": 2 * spec.n_in, "top": TOP, "parameters": parameters},
        **{"wait": 2 * upsets.busy(network), "at": at, "signal": signal, "index": index},
    )
    (folder / "bench.v").write_text(text)
    for source in sources.verilog(RTL):
        shutil.copy(source, folder)
    build = ["iverilog", "-g2005", "-s", "bench", "-o", "bench.vvp", "bench.v"]
    build += [source.name for source in sources.verilog(RTL)]
    subprocess.run(build, cwd=folder, check=True)
    done = subprocess.run(
        ["vvp", "bench.vvp"], cwd=folder, check=True, capture_output=True, text=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    classes, values = fast.predict_codes(network, CODES)
    found = []
    for phase in range(PHASES):
        own = [line[1:] for line in lines if line[0] == str(phase)]
        stuck = own.pop()[1] == "1"
        # A word that was never written is 0 in the census, and no integer to Icarus.
        given = [tuple(-1 if "x" in w.lower() else int(w) for w in line[1:]) for line in own]
        expected = [
            (int(value) & 255, int(classes[phase % 2]), int(k + 1 == spec.n_out))
            for k, value in enumerate(values[phase % 2])
        ]
        found.append(judged(given, expected, stuck))
    return found


def judged(given: list[tuple[int, ...]], expected: list[tuple[int, int, int]], stuck: bool) -> str:
    """An outcome but for its cycle: what is correct is masked here."""
    if stuck:
        return "hang"
    if not given:
        return "lost"
    lasts = [beat[2] for beat in given]
    if len(given) % len(expected) or lasts != [b[2] for b in expected] * (
        len(given) // len(expected)
    ):
        return "frame"
    if len(given) > len(expected):
        return "more"
    if [beat[1] for beat in given] != [beat[1] for beat in expected]:
        return "class"
    return "masked" if given == expected else "bytes"


def test_upsets_are_those_of_icarus(tmp_path: Path) -> None:
    """One of each combination of outcomes that the small core shows."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for at in range(0, upsets.busy(SMALL), 5):
        outcomes = upsets.upset(core(), CODES, range(len(core().names)), at)
        for register, row in enumerate(outcomes):
            # Yosys has names of its own for generate blocks that have none, and one for a wire and
            # its register.
            name, module = core().names[register][0], core().modules[register]
            declared = rf"\breg\b[^;,]*\b{name.rpartition('.')[2]}\b"
            if "genblk" not in name and re.search(declared, (RTL / f"{module}.v").read_text()):
                found.setdefault(tuple(OUTCOMES[code] for code in row), (register, at))
    assert {outcomes[0] for outcomes in found} >= {"masked", "bytes", "lost", "more"}
    for number, (outcomes, (register, at)) in enumerate(found.items()):
        signal, index = core().names[register]
        said = by_icarus(SMALL, signal, index, at, tmp_path / str(number))
        assert said == ["masked" if o == "late" else o for o in outcomes], (signal, index, at)


def test_every_upset_of_a_cycle_is_counted() -> None:
    found = cycle.counted(core(), CODES, 7)
    registers = Counter(core().modules)
    assert sum(found.values()) == len(core().names) == registers.total()
    assert all(words.endswith("masked") for words in found)
    figures = dict(zip(run.COLUMNS, run.columns(found), strict=True))
    assert figures["upsets"] == sum(figures[outcome] for outcome in OUTCOMES)
    assert figures["upsets"] > figures["masked"] > 0
    said = run.tables(found, registers)
    assert f"| all | {registers.total()} | {registers.total()} |" in said


def test_core_that_is_not_the_reference_is_refused() -> None:
    biases = {name: array + 9 for name, array in SMALL.biases.items()}
    other = dataclasses.replace(core(), network=dataclasses.replace(SMALL, biases=biases))
    with pytest.raises(UpsetError, match=r"sample 1: without an upset the core must answer as"):
        upsets.upset(other, CODES, [0], 0)


def test_number_tells_each_result_that_is_lost_or_added() -> None:
    numbered = upsets.core(SMALL, index_w=3)
    assert "mlp_watch" in numbered.modules and len(numbered.names) > len(core().names)
    found = Counter[str]()
    for at in range(upsets.busy(SMALL)):
        found.update(cycle.counted(numbered, CODES, at))
    first = Counter(words.split()[1] for words in found.elements())
    assert first["lost!"] > 100 and first["frame!"] > 100 and first["masked!"] > 10
    assert not any(run.unnoticed(words) for words in found)
    # A lost block leaves nothing behind: what follows is sound, or is noticed itself.
    behind = {words.split()[2] for words in found if words.split()[1].endswith("!")}
    assert behind == {"masked"}
    assert {words.split()[k] for words in found for k in (3, 4)} == {"masked"}
    said = run.numbered(dict(found))
    assert f"| lost | {first['lost!']} | {first['lost!']} | 0 | 0 | 0 |" in said


@pytest.mark.parametrize(("kept", "after_reset"), [("!rst && ", "masked"), ("", "bytes")])
def test_upset_that_lasts_is_followed_through_every_sample(
    kept: str, after_reset: str, tmp_path: Path
) -> None:
    """A register that keeps its upset until a reset, or for good: cores that recover end sooner."""
    lanes = "assign out_lanes = x[LANES*W-1:0]"
    never = "!out_valid && count != {COUNT_W{1'b0}}"
    keeps = f"reg odd; always @(posedge clk) odd <= {kept}(odd || ({never}));"
    lasting = Mutant(
        "lasting", "mlp_stream_unpack", f"{lanes};", f"{lanes} ^ {{LANES*W{{odd}}}}; {keeps}"
    )
    broken = upsets.core(SMALL, rtl=mutated(lasting, tmp_path / "lasting"))
    found = cycle.counted(broken, CODES, 2)
    assert found[f"mlp_stream_unpack bytes bytes bytes {after_reset}"] > 0
    until_reset = sum(n for words, n in found.items() if words.split()[3] not in run.FINE)
    assert run.columns(found)[-1] == until_reset > 0
    assert sum(found.values()) == len(broken.names) > len(core().names)


def test_broken_watch_is_told_by_the_census(tmp_path: Path) -> None:
    blind = Mutant("blind", "mlp_watch", "(in_valid || unequal)", "in_valid")
    core = upsets.core(SMALL, index_w=3, rtl=mutated(blind, tmp_path / "blind"))
    assert any(run.unnoticed(words) for words in cycle.counted(core, CODES, 9))
    counts_on = Mutant("counts-on", "mlp_watch", "index = results", "index = samples")
    core = upsets.core(SMALL, index_w=3, rtl=mutated(counts_on, tmp_path / "counts-on"))
    with pytest.raises(UpsetError, match="sample 1: without an upset the core must answer as"):
        cycle.counted(core, CODES, 9)
