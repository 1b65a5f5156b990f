"""A core in LiteX: its module, elaborated to Verilog, passes the core's own bench."""

import re
import sys
from pathlib import Path

import pytest

from model.artifact import Network
from tb.sim.made_up import made_up
from tests.cores import IRIS, WIDE, flip, moved, run

LOADABLE = made_up([3, 4, 2], loadable=True)
SMALL = made_up([2, 3, 2])
# As a SoC would have it: clock and reset of its own, endpoints that others drive.
SOC = """\
import sys
from pathlib import Path

sys.path.insert(0, {core!r})

from litex.build.generic_platform import GenericPlatform
from litex.gen import LiteXModule
from litex.gen.fhdl import verilog
from migen import ClockDomain, Signal

from {name}_litex import Core


class Soc(LiteXModule):
    def __init__(self, platform):
        self.cd_sys = ClockDomain()
        self.core = Core(platform)
        self.ports = {{self.cd_sys.clk, self.cd_sys.rst}}
        for bus, endpoint, taken, more in {buses}:
            self.join(bus, getattr(self.core, endpoint), taken, more)
        for name in {flags}:
            self.port(name, getattr(self.core, name), False)

    def join(self, bus, endpoint, taken, more):
        self.port(f"{{bus}}_tready", endpoint.ready, not taken)
        for name in ("valid", "last", "data", *more):
            self.port(f"{{bus}}_t{{name}}", getattr(endpoint, name), taken)

    def port(self, name, signal, taken):
        port = Signal(len(signal), name=name)
        self.ports.add(port)
        self.comb += signal.eq(port) if taken else port.eq(signal)


platform = GenericPlatform("any", [])
soc = Soc(platform)
verilog.convert(soc, soc.ports, name="soc", platform=platform).write("soc.v")
Path("soc.f").write_text("".join(f"{{path}}\\n" for path, *_ in platform.sources))
"""


def in_soc(core: Path) -> list[str]:
    """Elaborate a SoC around the core, compile the core's bench around that; return how it runs."""
    (bench,) = core.glob("*_tb.v")
    name, text = bench.name.removesuffix("_tb.v"), bench.read_text()
    work = core.parent / "work"
    work.mkdir()
    loads, numbers = "s_load_tvalid" in text, "m_axis_tid" in text
    flags = ["load_done", "load_refused"] if loads else []
    flags += ["block_done", "block_lost"] if numbers else []
    buses = [
        ("s_axis", "sink", True, []),
        ("m_axis", "source", False, ["user", *(["id"] if numbers else [])]),
        *([("s_load", "load", True, [])] if loads else []),
    ]
    script = SOC.format(
        core=str(core),
        name=name,
        buses=buses,
        flags=flags,
    )
    (work / "soc.py").write_text(script)
    done = run(sys.executable, "soc.py", cwd=work)
    assert done.returncode == 0, done.stderr
    text, count = re.subn(
        rf"{name}_core #\([^;]*?\) (u_\w+ \()\s*\.clk\(", r"soc \1 .sys_clk(", text
    )
    assert count == 1 and text.count(".rst(rst)") == 1
    (work / "bench.v").write_text(text.replace(".rst(rst)", ".sys_rst(rst)"))
    listed = ("-f", "soc.f", "soc.v", "bench.v")
    done = run("iverilog", "-g2005", "-o", "soc.vvp", *listed, cwd=work)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    (work / "vectors").symlink_to(core / "vectors")
    return ["vvp", "-N", str(work / "soc.vvp")]


@pytest.mark.parametrize(
    ("network", "index_w"),
    [(IRIS, 0), (WIDE, 0), (LOADABLE, 0), (SMALL, 1), (LOADABLE, 9)],
    ids=["iris", "wide", "loadable", "numbered", "both"],
)
def test_bench_passes_in_litex_and_fails_on_a_flipped_bit(
    network: Network, index_w: int, tmp_path: Path
) -> None:
    core = moved(network, tmp_path, index_w)
    command = in_soc(core)
    done = run(*command, cwd=core.parent / "work")
    assert done.returncode == 0 and done.stdout.startswith("PASS: "), done.stdout
    flip(core / "vectors/expected.mem", 0, 0)
    done = run(*command, cwd=core.parent / "work")
    assert done.returncode != 0 and "FAIL: pass " in done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("i_s_axis_tlast=sink.last", "i_s_axis_tlast=sink.valid"),
        ("o_m_axis_tlast=source.last", "o_m_axis_tlast=source.first"),
        ("i_s_axis_tdata=sink.data", "i_s_axis_tdata=~sink.data"),
        (
            "o_m_axis_tdata=source.data,\n            o_m_axis_tuser=source.user",
            "o_m_axis_tdata=source.user,\n            o_m_axis_tuser=source.data",
        ),
        ("i_rst=ResetSignal(clock_domain)", "i_rst=0"),
    ],
)
def test_bench_sees_a_wrong_connection(right: str, wrong: str, tmp_path: Path) -> None:
    core = moved(SMALL, tmp_path)
    module = core / "made_up_litex.py"
    assert right in module.read_text()
    module.write_text(module.read_text().replace(right, wrong))
    done = run(*in_soc(core), cwd=core.parent / "work")
    assert done.returncode != 0 and "PASS" not in done.stdout
