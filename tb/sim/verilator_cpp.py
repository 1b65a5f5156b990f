"""Modules that Verilator compiles into C++ of ours, for what would take cocotb hours."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from common import results
from common.paths import RTL
from common.programs import SimulatorError
from model.stage import Parameter
from model.verilog import literal
from tb.sim.given import given
from tb.sim.simulators import (
    MAKE_FAILED,
    build_folder,
    build_jobs,
    compiler_cache,
    complaint_in,
    makefile_variables,
    verilator_tools,
    without_foreign,
)

_ARGS = [
    *("--cc", "--exe", "--build", "--prefix", "Vdut", "--language", "1364-2005", "-Wall"),
    "--quiet",
]
# What runs once, such as reading ROM images, is compiled as soon as can be. Partial redundancies in
# a cycle's thousands of straight lines are not worth what their temporaries cost: 5 % more cycles.
_FAST = ["-O3", "-MAKEFLAGS", "OPT_FAST='-O2 -fno-tree-pre'"]
_SOON = ["-O3", "-MAKEFLAGS", "OPT_FAST=-O0"]
# Included by every harness of a library.
LIBRARY = Path(__file__).with_name("library.h")
# Verilog that others' generators wrote is not clean, and is not ours to clean.
_FOREIGN = [*_FAST, "-Wno-fatal"]
# Everything is made again, whatever a former attempt has left.
_ANEW = ["-MAKEFLAGS", "-B"]
# Nobody replaces a function of a library of ours, so what it calls within may be inlined: the core
# that learns takes a tenth less time.
_LIBRARY = [
    *("-CFLAGS", "-fPIC -fno-semantic-interposition -DVL_USER_WARN -DVL_USER_FATAL"),
    *("-LDFLAGS", "-shared -Wl,-Bsymbolic -Wl,--wrap=fopen"),
]


def build_harness(
    module: str,
    parameters: Mapping[str, Parameter],
    harness: Path,
    *,
    rtl: Path = RTL,
    foreign: bool = False,
) -> Path:
    """The executable of ``module``, as ``Vdut`` under Verilator, in a C++ ``harness``.

    Warnings are errors unless the Verilog is ``foreign``. Raises `SimulatorError` where it cannot
    be built.
    """
    args = _FOREIGN if foreign else _FAST
    return _build(module, parameters, [harness], rtl, args, "harness")


def build_library(
    module: str,
    parameters: Mapping[str, Parameter],
    harness: Path,
    *,
    rtl: Path = RTL,
    optimize: bool = True,
) -> Path:
    """As `build_harness`, a shared library; without ``optimize`` it compiles sooner, runs slower.

    The harness includes `LIBRARY`.
    """
    args = [*_LIBRARY, *(_FAST if optimize else _SOON)]
    return _build(module, parameters, [harness, LIBRARY], rtl, args, "harness.so")


def _build(
    module: str,
    parameters: Mapping[str, Parameter],
    harness: Sequence[Path],
    rtl: Path,
    args: Sequence[str],
    product: str,
) -> Path:
    environment = without_foreign(os.environ) | verilator_tools()

    def build(folder: Path) -> None:
        log = folder / "build.log"
        files, short = given(module, parameters, rtl, folder)
        command = [
            *("verilator", *_ARGS, *args, "--build-jobs", str(build_jobs())),
            *(word for known in makefile_variables() for word in ("-MAKEFLAGS", known)),
            *("--top-module", module, "--Mdir", str(folder), "-o", product),
            *(f"-G{key}={literal(value)}" for key, value in short.items()),
            *map(str, files),
            str(harness[0]),
        ]
        if _ends_well(command, environment | compiler_cache(), log):
            return
        # Where a compiler was killed or its cache failed, nothing is wrong with what it was given.
        if _make_failed(log) and _ends_well([*command, *_ANEW], environment, log):
            return
        raise SimulatorError(f"{module}: {complaint_in(log)}; log: {log}")

    recipe = {"arguments": [*_ARGS, *args], "harness": results.files(harness)}
    return build_folder(module, parameters, "verilator", rtl, recipe, build) / product


def _ends_well(command: Sequence[str], environment: Mapping[str, str], log: Path) -> bool:
    with log.open("a") as stream:
        done = subprocess.run(
            command, env=environment, stdout=stream, stderr=subprocess.STDOUT, check=False
        )
    return done.returncode == 0


def _make_failed(log: Path) -> bool:
    """Tell whether Verilator was content, and what it wrote was not compiled."""
    return MAKE_FAILED in log.read_text(errors="replace")
