"""What became of a mutant: killed by a bench, proved equivalent, or neither.

A verdict is kept under a key of all that it rests on, so that a campaign goes on where it stopped.
"""

import functools
import hashlib
import json
import os
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from common import sources
from common.files import write_atomically
from common.paths import BUILD, ROOT
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import case_named
from tb.sim.runner import MAX_FAILURES, SimulationFailed, simulate
from verify.mutation import equivalence
from verify.mutation.data_mutants import DataMutant
from verify.mutation.netlist_mutants import FOLDER, NetlistMutant, Subject

RESULTS = FOLDER / "results"
# Seeds of the random stimulus after which a mutant counts as not noticed.
SEEDS = (1, 2, 3)
# A mutant may loop without time passing. Its simulator is stopped, and the mutant noticed.
CPU_SECONDS = 120
PROOF_SECONDS = 60

# What a bench consists of. A case's own parameters are in the netlist that is mutated.
TESTS = (
    *(
        "tb/benches/stream_bench.py",
        "tb/modules/operator.py",
        "tb/modules/arithmetic.py",
        "tb/modules/layer.py",
        "tb/modules/softmax_operators.py",
        "tb/modules/stream.py",
        "tb/benches/pipeline_bench.py",
        "tb/benches/top_bench.py",
    ),
    *(
        "tb/benches/drivers.py",
        "tb/benches/scoreboard.py",
        "tb/benches/elaboration.py",
        "tb/benches/monitors.py",
        "verify/mutation/data_mutants.py",
    ),
    "tb/sim/made_up.py",
    *("model/reference.py", "model/spec.py", "model/tables.py"),
)
# And who is asked where no bench notices.
PROVERS = ("verify/mutation/equivalence.py", "verify/formal/pdr.py", "syn/yosys.py")

Outcome = Literal["killed", "equivalent", "survived"]


@dataclass(frozen=True)
class Verdict:
    """``why`` is the bench's sentence, or how far a proof got."""

    kind: str
    module: str
    name: str
    outcome: Outcome
    change: str
    source: str
    why: str
    seconds: float


@dataclass(frozen=True)
class Case:
    """One mutant: what it changes and where, what a verdict on it rests on, and how to reach it."""

    kind: str
    module: str
    name: str
    change: str
    source: str
    rests_on: tuple[str, ...]
    judge: Callable[[], tuple[Outcome, str]]

    @property
    def path(self) -> Path:
        """Where the verdict is kept."""
        return RESULTS / f"{self.kind}-{self.name}.json"

    @property
    def key(self) -> str:
        """sha256 of all that it rests on that a bench notices, or does not."""
        content = [self.kind, self.name, self.change, *self.rests_on, digest_of(TESTS)]
        return hashlib.sha256("\0".join(content).encode()).hexdigest()

    def stored(self) -> Verdict | None:
        """The verdict that stands already. What a bench has noticed asks no prover."""
        if not self.path.exists():
            return None
        found = json.loads(self.path.read_text())
        key, provers = found.pop("key", None), found.pop("provers", None)
        verdict = Verdict(**found)
        stands = verdict.outcome == "killed" or provers == digest_of(PROVERS)
        return verdict if key == self.key and stands else None

    def verdict(self) -> Verdict:
        """The verdict: read where it stands already, else reached and written."""
        found = self.stored()
        if found:
            return found
        start = time.perf_counter()
        outcome, why = self.judge()
        seconds = round(time.perf_counter() - start, 1)
        what = (self.kind, self.module, self.name, outcome, self.change, self.source)
        verdict = Verdict(*what, why, seconds)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rests_on = {"key": self.key, "provers": digest_of(PROVERS)}
        write_atomically(self.path, json.dumps(rests_on | asdict(verdict)) + "\n")
        return verdict


@functools.cache
def digest_of(names: tuple[str, ...]) -> str:
    """sha256 of these files of the project."""
    content = hashlib.sha256()
    for name in names:
        content.update((ROOT / name).read_bytes())
    return content.hexdigest()


@contextmanager
def _strict() -> Iterator[None]:
    """The first test that fails ends a bench, and no simulator computes for longer than it may."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    before = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_SECONDS, before[1]))
    os.environ[MAX_FAILURES] = "1"
    try:
        yield
    finally:
        del os.environ[MAX_FAILURES]
        resource.setrlimit(resource.RLIMIT_CPU, before)


def noticed(run: Callable[[], object]) -> str | None:
    """The sentence of the bench that fails, or None where it passes.

    Raises `SimulatorError` where nothing could run: that notices no mutant.
    """
    with _strict():
        try:
            run()
        except SimulationFailed as error:
            return re.sub(r"; log: \S+", "", str(error))
    return None


def of_netlist(subject: Subject, mutant: NetlistMutant) -> Case:
    """A mutant by Yosys, whose Verilog stands in its place."""
    rtl = subject.place(mutant)

    def judge() -> tuple[Outcome, str]:
        for seed in SEEDS:
            complaint = noticed(functools.partial(run_netlist, subject, rtl, mutant.name, seed))
            if complaint:
                return "killed", f"seed {seed}: {complaint}"
        proof = equivalence.compare(subject, mutant, seconds=PROOF_SECONDS)
        if proof.holds:
            return "equivalent", f"proved, {proof.frames} frames"
        told = f"a run of {proof.frames} cycles tells them apart"
        return "survived", told if proof.holds is False else "no proof either"

    module, rests_on = subject.case.module, (subject.digest, mutant.change, subject.inputs)
    return Case("netlist", module, mutant.name, mutant.sentence, mutant.source, rests_on, judge)


def of_unchanged(subject: Subject) -> Case:
    """The netlist without a mutant, which no bench may notice."""
    rtl = subject.place(None)

    def judge() -> tuple[Outcome, str]:
        complaint = noticed(lambda: run_netlist(subject, rtl, subject.case.name))
        return ("killed", complaint) if complaint else ("survived", "every bench passes")

    case, rests_on = subject.case, (subject.digest, subject.inputs)
    return Case("unchanged", case.module, case.name, "nothing", "", rests_on, judge)


def run_netlist(subject: Subject, rtl: Path, name: str, seed: int = SEEDS[0]) -> None:
    """The case's bench on a netlist; raises `SimulationFailed` where it notices."""
    case, run = subject.case, f"mutants/{name}"
    simulate(
        case.module,
        subject.parameters,
        simulator="icarus",
        bench=case.bench,
        options=subject.options,
        rtl=rtl,
        name=run,
        seed=seed,
    )
    shutil.rmtree(BUILD / "runs" / "icarus" / run, ignore_errors=True)


def of_name(mutant: Mutant) -> Case:
    """A named mistake."""

    def judge() -> tuple[Outcome, str]:
        case = case_named(mutant.case)
        rtl = mutated(mutant, FOLDER / "named" / mutant.name)
        run = f"mutants/named-{mutant.name}"
        complaint = noticed(lambda: case.run("icarus", rtl=rtl, name=run))
        return ("killed", complaint) if complaint else ("survived", f"{mutant.case} passes")

    change = " ".join(f"{mutant.right} becomes {mutant.wrong}".split())
    texts = tuple(path.read_text() for path in sources.verilog())
    source = f"{mutant.module}.v"
    return Case("named", mutant.module, mutant.name, change, source, (*texts, mutant.case), judge)


def of_data(mutant: DataMutant) -> Case:
    """A wrong number in what export writes."""

    def judge() -> tuple[Outcome, str]:
        complaint = noticed(lambda: mutant.run(FOLDER / "data" / mutant.name))
        return ("killed", complaint) if complaint else ("survived", "every bench passes")

    texts = tuple(path.read_text() for path in sources.verilog())
    return Case("data", mutant.owner, mutant.name, mutant.sentence, "", texts, judge)
