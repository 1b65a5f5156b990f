"""The fate of a mutant: killed by a bench, proved equivalent, or neither.

A mutant is a case, plain data: a job that asks its bench and, where that notices nothing, one that
asks a prover. Each is kept under a key of its own: what a bench has noticed asks no prover.
"""

import functools
import os
import re
import resource
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from common import jobs
from common.jobs import Done, Job
from common.paths import BUILD
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import FAMILY_OF, case_named, mutant_named
from tb.sim.runner import MAX_FAILURES, SimulationFailed, simulate
from verify import cases
from verify.mutation import equivalence
from verify.mutation.data_mutants import DataMutant, Flip, Shift
from verify.mutation.netlist_mutants import FOLDER, Mutants, NetlistMutant, Subject, subject_of

HERE = "verify.mutation.judge"
NOTICED, PROVED = FOLDER / "noticed", FOLDER / "proved"
# Seeds of the random stimulus after which a mutant counts as not noticed.
SEEDS = (1, 2, 3)
# A mutant may loop without time passing. Its simulator is stopped, and the mutant noticed.
CPU_SECONDS = 120
PROOF_SECONDS = 60

Outcome = Literal["killed", "equivalent", "survived"]
Told = dict[str, str | None]
# Of a mutant that no simulation needs to notice: a rule of the sources does.
RULE = "test_registers_have_the_rising_edge_of_clk"
REFUSED: Told = {"outcome": "killed", "why": RULE}


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
    """One mutant as data: what it changes and where, and the jobs that judge it.

    ``notice`` asks the bench; ``prove`` is there where a proof may excuse the bench, else
    ``passes`` says what a bench that notices nothing has done.
    """

    kind: str
    module: str
    name: str
    change: str
    source: str
    notice: Job
    prove: Job | None = None
    passes: str = "every bench passes"

    def verdict(self, noticed: Done, proved: Done | None) -> Verdict:
        """The verdict, from what its two jobs gave."""
        seconds = noticed.seconds + (proved.seconds if proved else 0)
        told = {"outcome": "killed", "why": noticed.result["complaint"]}
        if told["why"] is None:
            told = proved.result if proved else {"outcome": "survived", "why": self.passes}
        what = (self.kind, self.module, self.name, told["outcome"], self.change, self.source)
        return Verdict(*what, told["why"], round(seconds, 1))

    def standing(self) -> Verdict | None:
        """The verdict that stands already, or None."""
        noticed = jobs.standing(self.notice, NOTICED)
        if noticed is None:
            return None
        if noticed.result["complaint"] is not None or self.prove is None:
            return self.verdict(noticed, None)
        proved = jobs.standing(self.prove, PROVED)
        return None if proved is None else self.verdict(noticed, proved)


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


def of_netlist(case: str, proposed: Mapping[str, Any], number: int, count: int, seed: int) -> Case:
    """Mutant ``number`` of those that Yosys ``proposed`` for a case, ``count`` of this seed."""
    mutant = NetlistMutant(case, number, proposed["changes"][number])
    origin = {"case": case, "number": number, "count": count, "seed": seed}
    module = case_named(case).module
    name = f"netlist-{mutant.name}"
    notice = Job(name, f"{HERE}:notice_netlist", origin, _bench(case, proposed, mutant.change))
    prove = Job(name, f"{HERE}:prove_netlist", origin, _prover(proposed, mutant.change))
    what = (mutant.name, mutant.sentence, mutant.source)
    return Case("netlist", module, *what, notice, prove)


def of_unchanged(case: str, proposed: Mapping[str, Any], count: int, seed: int) -> Case:
    """The netlist of a case without a mutant, which no bench may notice."""
    origin = {"case": case, "number": None, "count": count, "seed": seed}
    rests_on = _bench(case, proposed, "")
    notice = Job(f"unchanged-{case}", f"{HERE}:notice_netlist", origin, rests_on)
    return Case("unchanged", case_named(case).module, case, "nothing", "", notice)


def _bench(case: str, proposed: Mapping[str, Any], change: str) -> dict[str, Any]:
    """Ingredients of a bench's verdict on a mutant: other modules of rtl/ may change."""
    found = case_named(case)
    modules = (f"tb.benches.{found.bench}", "tb.sim.runner", FAMILY_OF[found.module])
    tests = jobs.rests_on(*modules, tops=[], without=[cases.REGISTRY])
    own = {"netlist": proposed["netlist"], "inputs": proposed["inputs"], "change": change}
    return {**tests, **own}


def _prover(proposed: Mapping[str, Any], change: str) -> dict[str, Any]:
    """Ingredients of a proof on a mutant."""
    modules = ("verify.mutation.equivalence",)
    provers = jobs.rests_on(*modules, tops=[], without=[cases.REGISTRY])
    return {**provers, "netlist": proposed["netlist"], "change": change}


def _mutant(
    case: str, number: int | None, count: int, seed: int
) -> tuple[Subject, Mutants, NetlistMutant | None]:
    subject = subject_of(case)
    mutants = subject.mutants(count, seed)
    return subject, mutants, None if number is None else mutants.every[number]


def notice_netlist(case: str, number: int | None, count: int, seed: int) -> Told:
    """Complaint of a case's bench about a mutant by Yosys; None where it passes."""
    subject, mutants, mutant = _mutant(case, number, count, seed)
    return {"complaint": complaint_of(subject, mutants, mutant)}


def complaint_of(subject: Subject, mutants: Mutants, mutant: NetlistMutant | None) -> str | None:
    """The first complaint of a subject's bench, under any of the seeds."""
    name = mutant.name if mutant else subject.case.name
    for seed in SEEDS if mutant else SEEDS[:1]:
        run = functools.partial(run_netlist, subject, mutants.rtl(mutant), name, seed)
        complaint = noticed(run)
        if complaint:
            return f"seed {seed}: {complaint}"
    return None


def prove_netlist(case: str, number: int, count: int, seed: int) -> Told:
    """The outcome of a proof that a mutant by Yosys is its module, and how far it got."""
    subject, _, mutant = _mutant(case, number, count, seed)
    assert mutant is not None
    return proof_of(subject, mutant)


def proof_of(subject: Subject, mutant: NetlistMutant) -> Told:
    """Decide if a mutant cannot be told from its module."""
    proof = equivalence.compare(subject, mutant, seconds=PROOF_SECONDS)
    if proof is None:
        return REFUSED
    if proof.holds:
        return {"outcome": "equivalent", "why": f"proved, {proof.frames} frames"}
    told = f"a run of {proof.frames} cycles tells them apart"
    return {"outcome": "survived", "why": told if proof.holds is False else "no proof either"}


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
    bench = f"tb.benches.{case_named(mutant.case).bench}"
    modules = (bench, "tb.modules.mutant", "tb.sim.runner")
    change = " ".join(f"{mutant.right} becomes {mutant.wrong}".split())
    rests_on = {**cases.rests_on(modules, mutant.module), "change": asdict(mutant)}
    job = Job(f"named-{mutant.name}", f"{HERE}:notice_named", {"name": mutant.name}, rests_on)
    what = (mutant.name, change, f"{mutant.module}.v")
    return Case("named", mutant.module, *what, job, passes=f"{mutant.case} passes")


def notice_named(name: str) -> Told:
    """Complaint of the bench of a named mistake; None where it passes."""
    mutant = mutant_named(name)
    rtl = mutated(mutant, FOLDER / "named" / name)
    run = f"mutants/named-{name}"
    return {"complaint": noticed(lambda: case_named(mutant.case).run("icarus", rtl=rtl, name=run))}


def of_data(mutant: DataMutant) -> Case:
    """A wrong number in what export writes."""
    arguments = {"flip" if isinstance(mutant, Flip) else "shift": asdict(mutant)}
    rests_on = cases.rests_on(["verify.mutation.data_mutants"], None)
    job = Job(f"data-{mutant.name}", f"{HERE}:notice_data", arguments, rests_on)
    return Case("data", mutant.owner, mutant.name, mutant.sentence, "", job)


def notice_data(
    flip: Mapping[str, Any] | None = None, shift: Mapping[str, Any] | None = None
) -> Told:
    """Complaint of the benches about wrong data; None where they pass."""
    mutant = Flip(**flip) if flip else Shift(**(shift or {}))
    return {"complaint": noticed(lambda: mutant.run(FOLDER / "data" / mutant.name))}
