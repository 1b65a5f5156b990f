"""Modules that Verilator compiles into C++ of ours, for what would take cocotb hours."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from model.spec import Parameter
from tb.builds import build_dir
from tb.tools import (
    PRECOMPILED,
    RTL,
    SimulatorError,
    compiler_cache,
    complaint_in,
    literal,
    verilator_tools,
)

_HARNESS_ARGS = [
    *("--cc", "--exe", "--build", "--prefix", "Vdut", "--language", "1364-2005", "-Wall"),
    *("--quiet", "-O3", "-CFLAGS", "-O2", "-MAKEFLAGS", PRECOMPILED),
]


def build_harness(
    module: str, parameters: Mapping[str, Parameter], harness: Path, *, rtl: Path = RTL
) -> Path:
    """The executable of ``module``, as ``Vdut`` under Verilator, in a C++ ``harness``.

    Raises `SimulatorError` where it cannot be built.
    """
    environment = os.environ | verilator_tools() | compiler_cache()
    recipe = [_HARNESS_ARGS, harness.read_text()]
    folder = build_dir(module, parameters, "verilator", rtl, recipe)
    executable, log = folder / "harness", folder / "build.log"
    command = [
        *("verilator", *_HARNESS_ARGS, "--top-module", module, "--Mdir", str(folder)),
        *(f"-G{key}={literal(value)}" for key, value in parameters.items()),
        *map(str, sorted(rtl.glob("*.v"))),
        str(harness),
    ]
    with FileLock(folder.with_suffix(".lock")):
        if not executable.exists():
            with log.open("w") as stream:
                done = subprocess.run(
                    command, env=environment, stdout=stream, stderr=subprocess.STDOUT, check=False
                )
            if done.returncode:
                raise SimulatorError(f"{module}: {complaint_in(log)}; log: {log}")
            (folder / "Vdut").rename(executable)
    return executable
