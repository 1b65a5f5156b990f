"""Who may know whom, and what must stand nowhere."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from common import sources
from common.paths import ROOT

GENERATED = re.compile(r"build/[\w./-]+\.\w+")

# The rooms from left to right: an import may only lead to the left.
ROOMS = (
    ("common",),
    ("model",),
    ("syn",),
    ("boards",),
    ("tb",),
    ("studies", "verify"),
    ("scripts",),
    ("verbatim",),
)
# And those inside of tb, whose tests may import from all of them.
ROOMS_OF_TB = (
    ("tb.job", "tb.streams"),
    ("tb.sim",),
    ("tb.modules",),
    ("tb.benches",),
    ("tb.debug",),
)
PACKAGES = tuple(room for side_by_side in ROOMS for room in side_by_side)

# What only some rooms may import, from anywhere inside a function too.
KEPT_TO = {
    "torch": (
        "model.frontends",
        "model.networks",
        "model.qat",
        "studies",
        "verify.fuzz",
        "scripts",
    ),
    "onnx": (
        "model.frontends.onnx_constants",
        "model.frontends.onnx_file",
        "model.frontends.onnx_gelu",
        "model.frontends.onnx_node",
        "model.frontends.onnx_operators",
        "model.frontends.onnx_reader",
        "model.frontends.onnx_results",
        "model.onnx_export",
    ),
    "onnxruntime": ("model.onnx_export",),
    "cocotb": ("tb.benches",),
    "cocotb_coverage": ("tb.benches",),
    "cocotbext": ("tb.benches",),
    "cocotb_test": ("tb.sim.runner",),
    "cocotb_tools": (),
    "tests": (),
}

# They run inside a simulation, which torch would slow down by seconds.
WITHOUT_TORCH = ("common", "syn", "boards", "tb")

# A skipped or excused test proves nothing: pytest's words for it, unittest's and cocotb's.
EXCUSES = {"skip", "skipif", "skipIf", "skipUnless", "SkipTest", "xfail", "importorskip"}
EXCUSING_KEYWORDS = {"skip", "expect_fail", "expect_error"}

UNFINISHED = ("TO" + "DO", "FIX" + "ME")


def files(root: Path, suffix: str = "") -> Iterator[Path]:
    """Files of the project whose name ends in ``suffix``; nothing hidden, built or installed."""
    for folder, names, found in os.walk(root):
        names[:] = [
            name
            for name in names
            if name not in {"build", "__pycache__"}
            and (not name.startswith(".") or name in {".ci", ".github"})
        ]
        yield from (Path(folder, name) for name in sorted(found) if name.endswith(suffix))


def module_name(root: Path, path: Path) -> str:
    """``model/spec.py`` is ``model.spec``, ``model/__init__.py`` is ``model``."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, name: str) -> set[str]:
    """Every module that the file may import, wherever in it: ``from a import b`` is a and a.b."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def import_graph(root: Path) -> dict[str, set[str]]:
    """Modules of the packages, and all that each imports."""
    return {
        module_name(root, path): imports(path, module_name(root, path))
        for package in PACKAGES
        for path in files(root / package, ".py")
    }


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """All that importing ``start`` imports, through the project's own modules too."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            parents = {name.rpartition(".")[0]} - {""}
            todo += [*graph.get(name, ()), *parents]
    return seen


def inside(module: str, rooms: Sequence[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def wrong_arrows(root: Path) -> list[str]:
    graph = import_graph(root)
    place = {room: index for index, rooms in enumerate(ROOMS) for room in rooms}
    found = []
    for module, imported in sorted(graph.items()):
        own = module.partition(".")[0]
        tops = {name.partition(".")[0] for name in imported}
        for top in sorted(tops - {own}):
            if top in place and place[top] >= place[own]:
                found.append(f"{module} imports {top}, which does not stand to its left")
            if top in KEPT_TO and not inside(module, KEPT_TO[top]):
                found.append(f"{module} imports {top}")
        if own in WITHOUT_TORCH and "torch" in reachable(graph, module) - imported:
            found.append(f"{module} imports torch through another module")
    return found


def wrong_arrows_of_tb(graph: dict[str, set[str]]) -> list[str]:
    """Imports inside of tb that do not lead to the left."""
    place = {room: index for index, rooms in enumerate(ROOMS_OF_TB) for room in rooms}

    def room_of(module: str) -> str | None:
        return next((room for room in place if inside(module, (room,))), None)

    found = []
    for module, imported in sorted(graph.items()):
        own = room_of(module)
        for name in sorted(imported):
            other = room_of(name)
            if own and other and own != other and place[other] >= place[own]:
                found.append(f"{module} imports {name}, which does not stand to its left")
    return found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import themselves through others, function-level imports included.

    A package is left out: ``from model import spec`` names it and needs nothing of it.
    """
    packages = {name.rpartition(".")[0] for name in graph}
    modules = {name: found - packages for name, found in graph.items() if name not in packages}
    return [
        module
        for module in sorted(modules)
        if any(module in _modules_from(modules, name) for name in modules[module])
    ]


def _modules_from(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name in graph and name not in seen:
            seen.add(name)
            todo += graph[name]
    return seen


def excuses(path: Path) -> list[str]:
    """Where a test file skips a test or expects it to fail."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Attribute):
            names = [node.attr] if node.attr in EXCUSES else []
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names if alias.name in EXCUSES]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [
                keyword.arg
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call)
                for keyword in decorator.keywords
                if keyword.arg in EXCUSING_KEYWORDS
            ]
        found += [f"{path.name}:{node.lineno}: {name}" for name in names]
    return found


def uses(path: Path, dotted: str) -> list[str]:
    """Where a file calls ``print`` or touches ``sys.path``, as ``ast.unparse`` writes it."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) == dotted
    ]


def generated(path: Path) -> list[str]:
    """Places where a string is the path of a file in build/, which claims would take for a source.

    What they rest on is found from the strings of modules.
    """
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and GENERATED.fullmatch(node.value)
    ]


def unfinished(path: Path) -> list[str]:
    """Words that promise work, in any text file."""
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return []
    return [
        f"{path.name}:{number}: {word}"
        for number, line in enumerate(lines, 1)
        for word in UNFINISHED
        if word in line
    ]


def test_arrows_point_one_way() -> None:
    graph = import_graph(ROOT)
    assert {"model.spec", "model.reference", "tb.sim.runner", "scripts.train"} <= set(graph)
    assert wrong_arrows(ROOT) == []
    assert {"tb.job", "tb.sim.runner", "tb.modules.registry", "tb.debug.views"} <= set(graph)
    assert wrong_arrows_of_tb(graph) == []
    assert circles(graph) == []


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"model/spec.py": "import cocotb.triggers"}, "model.spec imports cocotb"),
        ({"model/spec.py": "from tb import runner"}, "model.spec imports tb, which"),
        ({"model/spec.py": "def f():\n    from scripts.sim import main"}, "model.spec imports scr"),
        ({"model/spec.py": "from ..tb import runner"}, "model.spec imports tb, which"),
        ({"common/files.py": "from model import spec"}, "common.files imports model, which"),
        ({"verify/ledger.py": "import studies.sweep"}, "verify.ledger imports studies, which"),
        ({"tb/sim/runner.py": "import torch"}, "tb.sim.runner imports torch"),
        ({"tb/sim/runner.py": "import scripts"}, "tb.sim.runner imports scripts, which"),
        ({"tb/modules/layer.py": "import cocotb"}, "tb.modules.layer imports cocotb"),
        ({"model/spec.py": "import torch.nn"}, "model.spec imports torch"),
        ({"model/reference.py": "from onnxruntime import X"}, "model.reference imports onnxr"),
        (
            {
                "tb/sim/runner.py": "from model import spec",
                "model/spec.py": "from .qat.quantize import f",
                "model/qat/quantize.py": "import torch",
            },
            "tb.sim.runner imports torch through another module",
        ),
        (
            {
                "tb/sim/runner.py": "from model.spec import x",
                "model/__init__.py": "import model.frontends.irisnet",
                "model/frontends/irisnet.py": "import torch",
                "model/spec.py": "",
            },
            "tb.sim.runner imports torch through another module",
        ),
    ],
)
def test_wrong_arrow_is_found(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert any(found.startswith(complaint) for found in wrong_arrows(tmp_path))


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("tb.modules.networks", "tb.benches.functional"),
        ("tb.sim.runner", "tb.modules.registry"),
        ("tb.benches.probes", "tb.debug"),
        ("tb.job", "tb.streams"),
        ("tb.streams", "tb.sim.runner"),
    ],
)
def test_wrong_arrow_inside_tb_is_found(module: str, imported: str) -> None:
    (found,) = wrong_arrows_of_tb({module: {imported, "model.spec", "tb"}})
    assert found.startswith(f"{module} imports {imported}, which")


def test_arrow_to_the_left_inside_tb_is_none() -> None:
    graph = {
        "tb.benches.functional": {"tb.modules.situations", "tb.benches.drivers"},
        "tb.test_top": {"tb.debug.views"},
    }
    assert wrong_arrows_of_tb(graph) == []


def test_circle_is_found() -> None:
    graph = {
        "model.a": {"model.b"},
        "model.b": {"model.c"},
        "model.c": {"model.a"},
        "model.d": set(),
    }
    assert circles(graph) == ["model.a", "model.b", "model.c"]


def test_every_folder_of_python_is_collected_and_typed() -> None:
    """Doctests of a folder that pytest does not know would never run."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    folders = {path.relative_to(ROOT).parts[0] for path in files(ROOT, ".py")} - {"conftest.py"}
    assert set(settings["pytest"]["ini_options"]["testpaths"]) == folders
    assert folders - {"tb", "tests"} <= set(settings["mypy"]["packages"])


def test_rtl_is_verilog_and_its_list_alone() -> None:
    assert {path.suffix for path in files(ROOT / "rtl")} == {".v", ".f"}
    listed = (ROOT / "rtl/verbatim.f").read_text().split()
    assert sorted(listed) == [path.name for path in files(ROOT / "rtl", ".v")]
    assert [path.name for path in files(ROOT / "rtl", ".v") if "`include" in path.read_text()] == []


def clocks(verilog: str) -> list[str]:
    """What a source says of clocks, other than that registers have the rising edge of ``clk``."""
    verilog = re.sub(r"//.*", "", verilog)
    events = re.findall(r"\balways\b\s*(@\s*\([^)]*\)|@\s*\*|.*)", verilog)
    wires = re.findall(r"\.clk\s*\(([^)]*)\)", verilog)
    driven = re.findall(r"\bassign\s+clk\b.*|\bclk\s*<?=[^=].*", verilog)
    other = [event for event in events if event not in ("@(posedge clk)", "@*", "@(*)")]
    return [*other, *(wire for wire in wires if wire != "clk"), *driven]


def test_registers_have_the_rising_edge_of_clk() -> None:
    """Mutants with another edge, which benches need not notice, rest on this."""
    found = {path.name: clocks(path.read_text()) for path in sources.verilog()}
    assert len(found) > 50 and {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize(
    "line",
    [
        "always @(negedge clk) q <= d;",
        "always @(posedge in_valid) q <= d;",
        "always @(posedge clk or posedge rst) q <= d;",
        "mlp_skid_buffer u (.clk(!clk), .rst(rst));",
        "assign clk = en && in_clk;",
        "always #5 clk = !clk;",
    ],
)
def test_another_clock_is_found(line: str) -> None:
    assert clocks(f"always @(posedge clk) a <= b;\n{line}\n")


def test_model_prints_nothing() -> None:
    assert [place for path in files(ROOT / "model", ".py") for place in uses(path, "print")] == []


def test_nobody_touches_the_import_path() -> None:
    assert [place for path in files(ROOT, ".py") for place in uses(path, "sys.path")] == []


def test_use_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("import sys\nsys.path.insert(0, '.')\nprint(1)\n")
    assert uses(path, "sys.path") == ["bad.py:2"]
    assert uses(path, "print") == ["bad.py:3"]


def test_no_string_names_a_generated_file(tmp_path: Path) -> None:
    rooms = [path for room in PACKAGES for path in files(ROOT / room, ".py")]
    assert len(rooms) > 100
    assert [place for path in rooms for place in generated(path)] == []
    (tmp_path / "bad.py").write_text("LEFT = 'build/iris/left.json'\nBUILD = 'build/'\n")
    assert generated(tmp_path / "bad.py") == ["bad.py:1"]


def test_files_of_tests_have_names_of_their_own() -> None:
    """Pytest refuses a second file of one name, whatever its folder, and then runs nothing."""
    names = [path.name for path in files(ROOT / "tests", ".py") if path.name.startswith("test_")]
    assert sorted(set(names)) == sorted(names)


def test_no_test_is_skipped_or_excused() -> None:
    tests = [path for folder in ("tests", "tb") for path in files(ROOT / folder, ".py")]
    assert Path(__file__).resolve() in tests
    assert [excuse for path in tests for excuse in excuses(path)] == []


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.skip\ndef test_x(): ...",
        "@pytest.mark.xfail(reason='x')\ndef test_x(): ...",
        "torch = pytest.importorskip('torch')",
        "from pytest import skip",
        "from unittest import SkipTest",
        "@cocotb.test(skip=True)\nasync def x(dut): ...",
        "@cocotb.test(expect_fail=True)\nasync def x(dut): ...",
    ],
)
def test_excuse_is_found(tmp_path: Path, text: str) -> None:
    path = tmp_path / "test_bad.py"
    path.write_text(text)
    assert excuses(path) != []


def test_skip_fails_the_session_in_ci_alone(tmp_path: Path) -> None:
    excused = [
        "@pytest.mark.skip(reason='tired')\ndef test_x(): ...",
        "@pytest.mark.xfail(reason='tired')\ndef test_x(): assert False",
        "@pytest.mark.xfail(reason='tired')\ndef test_x(): ...",
        "def test_x(): pytest.skip('tired')",
        "pytest.importorskip('no_such_module')\ndef test_x(): ...",
        "pytest.skip('tired', allow_module_level=True)",
    ]
    for number, text in enumerate(excused):
        (tmp_path / f"test_{number}.py").write_text(f"import pytest\n{text}\n")
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    summary = {}
    for ci in ("", "true"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "1", "--continue-on-collection-errors", "."],
            cwd=tmp_path,
            env={**os.environ, "CI": ci},
            capture_output=True,
            text=True,
        )
        summary[ci] = done.returncode, done.stdout.splitlines()[-1]
    assert summary[""][0] == 0 and "4 skipped, 1 xfailed, 1 xpassed in" in summary[""][1]
    assert summary["true"][0] == 1 and "3 failed, 3 errors in" in summary["true"][1]


def test_nothing_is_left_unfinished() -> None:
    assert [word for path in files(ROOT) for word in unfinished(path)] == []


@pytest.mark.parametrize("word", UNFINISHED)
def test_unfinished_word_is_found(tmp_path: Path, word: str) -> None:
    path = tmp_path / "Makefile"
    path.write_text(f"all:\n# {word}: everything\n")
    assert unfinished(path) == [f"Makefile:2: {word}"]
