"""Elaborate a module in a simulator, run a bench on it through cocotb, judge the outcome.

A build is cached by content (sources, parameters, arguments): a second run of the same module
compiles nothing. ROM images are read when a simulation starts, so new weights need no new build.
"""

import contextlib
import dataclasses
import functools
import json
import logging
import os
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec
from xml.etree import ElementTree

from cocotb_test import simulator as cocotb_test
from filelock import FileLock

from common.errors import SimulationError
from common.paths import BUILD, RTL
from common.paths import module as full_name
from common.programs import SimulatorError
from model.stage import Parameter
from model.verilog import literal
from syn.netlist import kind_in_environment
from syn.netlist import netlist as cells_of
from tb.job import COUNTS, Job
from tb.sim.given import given
from tb.sim.simulators import (
    SIMULATORS,
    build_folder,
    build_jobs,
    compiler_cache,
    complaint_in,
    environment_of,
    makefile_variables,
    without_foreign,
)

DEFAULT_SEED = 1
# Names a variable: after so many failures, a bench begins no further test.
MAX_FAILURES = "VERBATIM_MAX_FAILURES"

_COMPILE_ARGS = {
    "icarus": ["-g2005", "-Wall"],
    "verilator": [
        *("--language", "1364-2005", "-Wall", "--quiet-stats"),
        *("--x-assign", "unique", "--x-initial", "unique"),
        # cocotb-test makes all of a design public; `_made_public` says what a bench needs of it.
        "--no-public-flat-rw",
    ],
}
# Toggles of buses of any width; and elaboration checks must run where a warning would stop first.
# `--coverage` looks for state machines too, and this Verilator fails at that where a word of a
# memory is written.
_COVERAGE_ARGS = ["--coverage-line", "--coverage-toggle", "--coverage-expr"]
_COVERAGE_ARGS += ["--coverage-max-width", "65536", "-Wno-fatal"]
# A bench of a few seconds is done sooner where no compiler optimizes the C++ that it runs.
# What runs once, such as the set-up of a waveform, is never worth it.
_SOON = ("OPT_FAST=-O0", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0")
_FAST = ("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1")
# A netlist is written by a machine, which linters were not made for.
_NETLIST_ARGS: dict[str, list[str]] = {
    "icarus": [],
    "verilator": ["-Wno-lint", "-Wno-style", "-Wno-UNOPTFLAT"],
}

# Values that benches have compared since this process began, by simulator.
COMPARED: Counter[str] = Counter()


class SimulationFailed(SimulationError):
    """A bench that failed; the message is its first failure and where the log lies.

    ``testcase`` is the test that failed, where one did, on ``job``; ``again`` simulates it once
    more, by itself, on the same design from the same seed, and takes what else `simulate` may be
    told.
    """

    def __init__(self, message: str, testcase: str | None = None) -> None:
        super().__init__(message)
        self.testcase = testcase
        self.job: Job | None = None
        self.again: Callable[..., Outcome] | None = None


@dataclass(frozen=True)
class Outcome:
    """A simulation that passed: how many tests (never 0), the wall seconds it took, and how many
    values its scoreboards compared."""

    passed: int
    build_seconds: float
    run_seconds: float
    compared: int = 0


class _Told(BaseException):
    """A signal that told a simulation to stop: its number."""


# How cocotb-test ends where it is told so.
_TOLD = re.compile(r"Exiting pid: .* with signum: (\d+)")

Arguments = ParamSpec("Arguments")


def _alone(run: Callable[Arguments, Outcome]) -> Callable[Arguments, Outcome]:
    """Lets a second simulation of one name wait for the first, whose folder it would empty, and a
    signal end either with status 128 and its number."""

    @functools.wraps(run)
    def waiting(*args: Arguments.args, **how: Arguments.kwargs) -> Outcome:
        runs = BUILD / "runs" / str(how["simulator"])
        lock = runs / f"{how.get('name') or args[0]}.lock"
        known = how["simulator"] in SIMULATORS
        if known:
            lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock) if known else contextlib.nullcontext():
                return run(*args, **how)
        except _Told as told:
            raise SystemExit(128 + told.args[0]) from None

    return waiting


@_alone
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
    coverage: Path | None = None,
    links: Mapping[str, Path] | None = None,
    visible: Sequence[str] = (),
    diary: Path | None = None,
    netlist: str | None = None,
    optimize: bool = False,
) -> Outcome:
    """Run ``tb.benches.<bench>`` on ``module``.

    ``name`` is the folder of the run under build/runs, in which the simulation runs; ``links``
    are folders that it finds there by name, so that no path needs to be built into the design.
    ``visible`` are modules below the top whose signals the bench reads: Verilator lets it see what
    is public, and compiles that slowly.
    ``waves`` is the FST file to leave, also where a test fails; without it WAVES=1 in the
    environment leaves one in that folder. ``coverage`` is the file to leave of what Verilator
    counts of lines, branches, toggles and expressions (`verify.coverage.points` reads it).
    ``diary`` is the file into which every beat that the bench compares is written, for
    `tb.debug.beat_log`. ``netlist`` is a kind of `syn.netlist`, whose netlist of the module is
    simulated; without it NETLIST in the environment names one, or none. With ``optimize`` what
    Verilator makes compiles longer and runs twice as fast: for hundreds of thousands of cycles.
    Raises `SimulatorError` where nothing could run, and `SimulationFailed` where a test failed,
    was skipped, or where none was found.
    """
    environment = environment_of(simulator)
    seed = int(os.environ.get("SEED", DEFAULT_SEED)) if seed is None else seed
    netlist = netlist or kind_in_environment()
    task = Job(module, dict(parameters), dict(options or {}), netlist)
    made: dict[str, Any] = {}
    if simulator == "verilator":
        made["optimization"] = list(_FAST if optimize else _SOON)
    run_dir = BUILD / "runs" / simulator / (name or module)
    shutil.rmtree(run_dir, ignore_errors=True)
    run_dir.mkdir(parents=True)
    for link, target in (links or {}).items():
        (run_dir / link).symlink_to(target.resolve())
    if waves is None and os.environ.get("WAVES") == "1":
        waves = run_dir / "waves.fst"
    design, arguments = rtl, [*_COMPILE_ARGS[simulator]]
    if coverage:
        arguments = [*arguments, *_COVERAGE_ARGS]
    if netlist:
        design = cells_of(module, parameters, netlist, rtl, links)
        arguments = [*arguments, *_NETLIST_ARGS[simulator]]
    results = run_dir / "results.xml"
    recorded = run_dir / ("dump.fst" if simulator == "verilator" else f"{module}.fst")
    plus_args = []
    if simulator == "verilator":
        plus_args = ["+verilator+rand+reset+2", f"+verilator+seed+{seed % (1 << 31) or 1}"]
        plus_args += ["--trace"] if waves else []
        plus_args += [f"+verilator+coverage+file+{coverage}"] if coverage else []

    own_env = {
        "VERBATIM_JOB": json.dumps(dataclasses.asdict(task)),
        "COCOTB_ANSI_OUTPUT": "0",
        "GPI_LOG_LEVEL": "INFO",
    }
    own_env |= {"VERBATIM_DIARY": str(diary.resolve())} if diary else {}
    own_env |= {"COCOTB_MAX_FAILURES": most} if (most := os.environ.get(MAX_FAILURES)) else {}

    def run(folder: Path, *, building: bool) -> None:
        """Build into the folder, or run what was built there."""
        files, short = given(module, parameters, design, folder)
        verilog = list(map(str, files))
        if building and simulator == "verilator":
            verilog.append(str(_made_public(folder, (module, *visible))))
        _launch(
            simulator,
            toplevel=module,
            module=full_name(f"tb.benches.{bench}"),
            # Where there are none, none is newer than the build, and nothing is compiled again.
            verilog_sources={module: verilog if building else []},
            parameters={key: literal(value) for key, value in short.items()},
            compile_args=list(arguments),
            compile_only=building,
            force_compile=building,
            sim_build=str(folder),
            work_dir=str(run_dir),
            timescale="1ns/1ps",
            waves=waves is not None,
            plus_args=list(plus_args),
            seed=seed,
            testcase=testcase,
            extra_env=environment | own_env,
            **made,
        )

    log = run_dir / "simulation.log"
    with _logged_to(log), _environment(environment | {"COCOTB_RESULTS_FILE": str(results)}):
        start = built_at = time.perf_counter()
        try:
            recipe = {"arguments": arguments, "waves": waves is not None, "visible": list(visible)}
            recipe |= made
            folder = build_folder(
                *(module, parameters, simulator, design, recipe),
                lambda beside: run(beside, building=True),
            )
        except SystemExit as error:
            raise SimulatorError(
                f"{module}: {simulator} cannot build it: {complaint_in(log)}; log: {log}"
            ) from error
        built_at = time.perf_counter()
        # What went wrong stands in the results, or where there are none in the log.
        with contextlib.suppress(SystemExit):
            run(folder, building=False)
    end = time.perf_counter()
    if waves and recorded.exists():
        waves.parent.mkdir(parents=True, exist_ok=True)
        recorded.replace(waves)
    try:
        passed = _judge(module, results, log)
    except SimulationFailed as failure:
        failure.job = task
        failure.again = functools.partial(
            simulate,
            module,
            parameters,
            simulator=simulator,
            bench=bench,
            options=options,
            rtl=rtl,
            seed=seed,
            testcase=f"{re.escape(failure.testcase)}$" if failure.testcase else testcase,
            links=links,
            visible=visible,
            netlist=netlist,
        )
        raise
    counts = run_dir / COUNTS
    compared = sum(map(int, counts.read_text().split())) if counts.exists() else 0
    COMPARED[simulator] += compared
    return Outcome(passed, built_at - start, end - built_at, compared)


def _judge(module: str, results: Path, log: Path) -> int:
    """Count the tests that passed; anything else in the results is a failure."""
    if not results.exists() or not results.stat().st_size:
        raise SimulationFailed(f"{module}: ended without results: {complaint_in(log)}; log: {log}")
    cases = list(ElementTree.parse(results).iter("testcase"))
    for case in cases:
        for outcome in case:
            if outcome.tag in ("failure", "error", "skipped"):
                message = outcome.get("error_msg") or outcome.get("message") or outcome.tag
                sentence, complaint = message.splitlines()[0], complaint_in(log)
                if sentence not in complaint:
                    sentence += f" [{complaint}]"
                name = case.get("name")
                raise SimulationFailed(f"{module}: {name}: {sentence}; log: {log}", name)
    if not cases:
        raise SimulationFailed(f"{module}: the bench holds no test; log: {log}")
    return len(cases)


def _made_public(folder: Path, modules: Sequence[str]) -> Path:
    """A file for Verilator: a bench may see the signals of these modules."""
    lines = [f'public_flat_rw -module "{name}" -var "*"' for name in modules]
    public = folder / "public.vlt"
    public.write_text("\n".join(["`verilator_config", *lines, ""]))
    return public


class _Verilator(cocotb_test.Verilator):  # type: ignore[misc]
    """cocotb-test's Verilator, which has no option to run what was built without building it."""

    def build_command(self) -> list[list[str]]:
        commands: list[list[str]] = super().build_command()
        return commands if self.compile_only else commands[-1:]


def _run_verilator(optimization: Sequence[str], **options: Any) -> None:
    make_args = [*makefile_variables(), *optimization, f"-j{build_jobs()}"]
    make_args += [f"{key}={value}" for key, value in compiler_cache().items()]
    _Verilator(make_args=make_args, **options).run()


_RUN: dict[str, Callable[..., object]] = {
    "icarus": functools.partial(cocotb_test.run, simulator="icarus"),
    "verilator": _run_verilator,
}


def _launch(simulator: str, **options: Any) -> None:
    """Build or run; a signal ends that as it ends a command, whose handlers stand again behind it.

    cocotb-test has handlers of its own, which raise an assertion, and leaves them behind.
    """
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _RUN[simulator](**options)
    except AssertionError as error:
        if told := _TOLD.match(str(error)):
            raise _Told(int(told[1])) from None
        raise
    finally:
        for number, handler in before.items() if main else ():
            signal.signal(number, handler)


class _environment:
    """Sets variables for a while, and takes foreign ones away: cocotb-test passes os.environ on,
    and lets it win over what it is given."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def __enter__(self) -> None:
        self.before = dict(os.environ)
        kept = without_foreign(self.before) | dict(self.values)
        os.environ.clear()
        os.environ.update(kept)

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
