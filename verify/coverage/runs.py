"""The simulations in which coverage is counted: the cases of the regression that Verilator runs."""

import contextlib
import dataclasses
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import sources
from common.jobs import Job
from common.paths import BUILD, RTL
from model import reference
from model.artifact import Network
from model.data import datasets
from model.format import Int
from model.spec import TOP
from tb.modules import illegal
from tb.modules.networks import IRIS, MADE_UP, at
from tb.modules.registry import ON_BOTH_SIMULATORS, case_named
from tb.modules.situations import directed
from tb.sim.run_network import LONG_RUN, run_network
from tb.sim.runner import SimulationFailed, simulate
from verify import cases
from verify.coverage.points import read

HERE = "verify.coverage.runs"
FOLDER = BUILD / "coverage"
SIMULATOR = "verilator"
SAMPLES = 40
# The whole core that learns, with each score and several numbers of lanes.
CORES = ("learn_top-hard-4-exp", "learn_top-hard-5-taylor2", "learn_top-random-2")

# Illegal instances of one design: the sentences of more do not fit into one buffer of a C library,
# and cocotb's log would tear one of them.
FEW = 10


@dataclass(frozen=True)
class Run:
    """One simulation as data: its kind, the case or network of it, and what it rests on.

    Where ``checks_alone``, only checks at elaboration are counted.
    """

    name: str
    kind: str
    rests_on: Mapping[str, Any]

    @property
    def checks_alone(self) -> bool:
        """Tell if the design is stopped by its own checks."""
        return self.kind == ILLEGAL

    @property
    def job(self) -> Job:
        """The function that simulates it."""
        arguments = {"kind": self.kind, "name": self.name}
        return Job(self.name, f"{HERE}:covered", arguments, self.rests_on)


def runs() -> dict[str, Run]:
    """Every run by its name."""
    others = [cases.REGISTRY, "tb.modules.illegal"]
    found = [
        Run(case.name, CASE, cases.rests_on([HERE], case.module, others))
        for case in (*ON_BOTH_SIMULATORS, *map(case_named, CORES))
    ]
    of_top = cases.rests_on([HERE], TOP, others)
    found += [Run(name, NETWORK, of_top) for name in networks()]
    found.append(Run("illegal-parameters", ILLEGAL, cases.rests_on([HERE], None)))
    return {run.name: run for run in found}


def covered(kind: str, name: str) -> dict[str, Any]:
    """Coverage of a run: each of Verilator's points with its count, and situations of samples."""
    data = FOLDER / "data" / f"{name}.dat"
    data.parent.mkdir(parents=True, exist_ok=True)
    situations = data.with_suffix(".json")
    for path in (data, situations):
        path.unlink(missing_ok=True)
    SIMULATIONS[kind](name, data)
    return {
        "points": [[*dataclasses.astuple(point), count] for point, count in read(data).items()],
        "situations": json.loads(situations.read_text()) if situations.exists() else None,
    }


def _case(name: str, data: Path) -> None:
    folder = FOLDER / "cases" / name
    case_named(name).run(SIMULATOR, coverage=data, folder=folder, name=f"coverage-{name}")


def networks() -> dict[str, tuple[Network, Int, str | None]]:
    """Networks that are simulated whole: their inputs, and the test where it is one alone."""
    found: dict[str, tuple[Network, Int, str | None]] = {
        f"top-{name}": (made, directed(made, SAMPLES), None) for name, made in MADE_UP.items()
    }
    flowers = reference.quantize(datasets.load("iris").features, IRIS.spec.x)
    x = np.concatenate([flowers, directed(IRIS, SAMPLES)])
    return found | {f"iris-{name}": (iris, x, LONG_RUN) for name, iris in golden_networks().items()}


def golden_networks() -> dict[str, Network]:
    """The golden network at two folds, and with the other divider."""
    softmax = dataclasses.replace(IRIS.spec.softmax, divider="restoring")
    divided = IRIS.refolded(IRIS.spec.with_output(softmax))
    return {"serial": at("serial"), "default": IRIS, "divider": divided}


def _network(name: str, data: Path) -> None:
    network, x, testcase = networks()[name]
    run_network(
        network,
        x,
        SIMULATOR,
        coverage=data,
        functional=data.with_suffix(".json"),
        testcase=testcase,
        folder=FOLDER / "networks" / name,
        name=f"coverage-{name}",
    )


def _illegal(name: str, data: Path) -> None:
    """Elaborations in which each instance's own check must find its fault; their records as one."""
    records: list[str] = []
    for first in range(0, len(illegal.CASES), FEW):
        part = data.with_name(f"{name}-{first}.dat")
        _illegal_cases(illegal.CASES[first : first + FEW], f"{name}-{first}", part)
        head, *found = part.read_text().splitlines()
        records += found
        part.unlink()
    data.write_text("\n".join([head, *records, ""]))


def _illegal_cases(cases_of_design: Sequence[illegal.Case], name: str, data: Path) -> None:
    rtl = FOLDER / name
    shutil.rmtree(rtl, ignore_errors=True)
    shutil.copytree(RTL, rtl)
    sources.add(rtl, f"{illegal.TOP}.v", illegal.verilog(cases_of_design))
    with contextlib.suppress(SimulationFailed):
        simulate(
            illegal.TOP,
            {},
            simulator=SIMULATOR,
            bench="idle_bench",
            name=f"coverage-{name}",
            rtl=rtl,
            coverage=data,
        )
        raise AssertionError(f"{name}: illegal parameters were taken")
    log = (BUILD / "runs" / SIMULATOR / f"coverage-{name}" / "simulation.log").read_text()
    for number, case in enumerate(cases_of_design):
        sentence = rf"\b{illegal.instance(number)}(\.\S+)?: .*(need|must)"
        if re.search(sentence, log) is None:
            raise AssertionError(f"{case} was elaborated without a complaint")


CASE, NETWORK, ILLEGAL = "case", "network", "illegal"
# What leaves the coverage of a run of each kind in a file.
SIMULATIONS: dict[str, Callable[[str, Path], None]] = {
    CASE: _case,
    NETWORK: _network,
    ILLEGAL: _illegal,
}
