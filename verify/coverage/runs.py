"""The simulations in which coverage is counted: the cases of the regression that Verilator runs."""

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import sources
from common.paths import BUILD, ROOT, RTL
from model import images, reference
from model.artifact import Network
from model.data import datasets
from model.format import Int
from tb.modules import illegal
from tb.modules.case import Case
from tb.modules.networks import IRIS, MADE_UP, at
from tb.modules.registry import ON_BOTH_SIMULATORS
from tb.modules.situations import directed
from tb.sim.run_network import LONG_RUN, run_network
from tb.sim.runner import SimulationFailed, simulate

FOLDER = BUILD / "coverage"
SIMULATOR = "verilator"
SAMPLES = 40


# What a simulation of each kind is made of, besides RTL, parameters and files.
MODULE_BENCHES = ("stream_bench", "pipeline_bench", "operators", "stream", "elaboration")
TOP_BENCHES = ("top_bench", "taps", "stream", "elaboration", "functional")


@dataclass(frozen=True)
class Run:
    """One simulation; ``simulate`` leaves its coverage in the file that it is given.

    ``content`` is all that the outcome depends on, besides the RTL and the tools. Where
    ``checks_alone``, only checks at elaboration are counted.
    """

    name: str
    simulate: Callable[[Path], object]
    content: Callable[[], bytes]
    checks_alone: bool = False

    @property
    def data(self) -> Path:
        """Where its coverage lies, once it is done."""
        return FOLDER / "data" / f"{self.name}.dat"

    @property
    def is_done(self) -> bool:
        """Whether its coverage is that of these very sources."""
        stamp = self.data.with_suffix(".key")
        return self.data.exists() and stamp.exists() and stamp.read_text() == self.key

    @property
    def key(self) -> str:
        """Digest of everything that the simulation is made of."""
        version = importlib.metadata.version("verilator")
        digest = hashlib.sha256(version.encode() + self.content())
        for path in sources.verilog():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def run(self) -> None:
        """Simulate, unless the same has been simulated before."""
        if self.is_done:
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.data.unlink(missing_ok=True)
        start = time.perf_counter()
        self.simulate(self.data)
        self._clock.write_text(f"{time.perf_counter() - start:.1f}\n")
        self.data.with_suffix(".key").write_text(self.key)

    @property
    def seconds(self) -> float:
        """Wall seconds that it took, building included."""
        return float(self._clock.read_text())

    @property
    def _clock(self) -> Path:
        return self.data.with_suffix(".seconds")


def _benches(names: tuple[str, ...]) -> bytes:
    return b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in names)


def runs() -> dict[str, Run]:
    """Every run by its name."""
    found = [_of_case(case) for case in ON_BOTH_SIMULATORS]
    found += [
        _of_network(f"top-{name}", made, directed(made, SAMPLES)) for name, made in MADE_UP.items()
    ]
    flowers = reference.quantize(datasets.load("iris").features, IRIS.spec.x)
    x = np.concatenate([flowers, directed(IRIS, SAMPLES)])
    found += [
        _of_network(f"iris-{name}", iris, x, LONG_RUN) for name, iris in golden_networks().items()
    ]
    found.append(_of_illegal())
    return {run.name: run for run in found}


def _of_case(case: Case) -> Run:
    folder = FOLDER / "cases" / case.name

    def content() -> bytes:
        prepared = json.dumps(case.prepare(folder), sort_keys=True).replace(str(ROOT), "")
        files = b"".join(path.read_bytes() for path in sorted(folder.glob("*.mem")))
        return prepared.encode() + files + _benches(MODULE_BENCHES)

    how: dict[str, Any] = {"folder": folder, "name": f"coverage-{case.name}"}
    return Run(case.name, lambda data: case.run(SIMULATOR, coverage=data, **how), content)


def golden_networks() -> dict[str, Network]:
    """The golden network at two folds, and with the other divider."""
    softmax = dataclasses.replace(IRIS.spec.softmax, divider="restoring")
    divided = IRIS.refolded(IRIS.spec.with_output(softmax))
    return {"serial": at("serial"), "default": IRIS, "divider": divided}


def _of_network(name: str, network: Network, x: Int, testcase: str | None = None) -> Run:
    how: dict[str, Any] = {"folder": FOLDER / "rows" / name, "name": f"coverage-{name}"}

    def run(data: Path) -> None:
        run_network(
            network,
            x,
            SIMULATOR,
            coverage=data,
            functional=data.with_suffix(".json"),
            testcase=testcase,
            **how,
        )

    def content() -> bytes:
        hardware = [network.spec.parameters(""), images.images(network), testcase]
        return json.dumps(hardware).encode() + x.tobytes() + _benches(TOP_BENCHES)

    return Run(name, run, content)


def _of_illegal() -> Run:
    """An elaboration in which each instance's own check must find its fault."""
    name = "illegal-parameters"

    def run(data: Path) -> None:
        rtl = FOLDER / "rows" / name
        shutil.rmtree(rtl, ignore_errors=True)
        shutil.copytree(RTL, rtl)
        sources.add(rtl, f"{illegal.TOP}.v", illegal.verilog())
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
        for number, case in enumerate(illegal.CASES):
            sentence = rf"\b{illegal.instance(number)}(\.\S+)?: .*(need|must)"
            if re.search(sentence, log) is None:
                raise AssertionError(f"{case} was elaborated without a complaint")

    return Run(name, run, lambda: illegal.verilog().encode(), checks_alone=True)
