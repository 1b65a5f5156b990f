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
    PRECOMPILED,
    build_folder,
    build_jobs,
    compiler_cache,
    complaint_in,
    verilator_tools,
    without_foreign,
)

_ARGS = [
    *("--cc", "--exe", "--build", "--prefix", "Vdut", "--language", "1364-2005", "-Wall"),
    *("--quiet", "-MAKEFLAGS", PRECOMPILED),
]
# What runs once, such as reading ROM images, is compiled as soon as can be. Partial redundancies in
# a cycle's thousands of straight lines are not worth what their temporaries cost: 5 % more cycles.
_FAST = ["-O3", "-MAKEFLAGS", "OPT_FAST='-O2 -fno-tree-pre'"]
_SOON = ["-O3", "-MAKEFLAGS", "OPT_FAST=-O0"]
# Included by every harness of a library.
LIBRARY = Path(__file__).with_name("library.h")
# Verilog that others' generators wrote is not clean, and is not ours to clean.
_FOREIGN = [*_FAST, "-Wno-fatal"]
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
    environment = without_foreign(os.environ) | verilator_tools() | compiler_cache()

    def build(folder: Path) -> None:
        log = folder / "build.log"
        files, short = given(module, parameters, rtl, folder)
        command = [
            *("verilator", *_ARGS, *args, "--build-jobs", str(build_jobs())),
            *("-MAKEFLAGS", f"VERILATOR_ROOT={environment['VERILATOR_ROOT']}"),
            *("--top-module", module, "--Mdir", str(folder), "-o", product),
            *(f"-G{key}={literal(value)}" for key, value in short.items()),
            *map(str, files),
            str(harness[0]),
        ]
        with log.open("w") as stream:
            done = subprocess.run(
                command, env=environment, stdout=stream, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode:
            raise SimulatorError(f"{module}: {complaint_in(log)}; log: {log}")

    recipe = {"arguments": [*_ARGS, *args], "harness": results.files(harness)}
    return build_folder(module, parameters, "verilator", rtl, recipe, build) / product
