"""Every module by name, and its cases, mutants and contracts; a new family is one line here."""

from tb.job import Job
from tb.modules import (
    arithmetic,
    chain,
    graph,
    guard,
    layer,
    learning,
    loading,
    output,
    softmax,
    stream,
    top,
)
from tb.modules.case import Case, Contract
from tb.modules.description import Module
from tb.modules.mutant import Mutant
from tb.modules.operator import Operator, Pipeline

FAMILIES = (arithmetic, stream, layer, graph, chain, softmax, output, loading, guard, top, learning)
MODULES: dict[str, Module] = {m.name: m for family in FAMILIES for m in family.MODULES}
# The Python module that describes each, by name.
FAMILY_OF = {m.name: family.__name__ for family in FAMILIES for m in family.MODULES}

# All that run under Icarus, and those of them that run under Verilator too, which compiles C++ for
# each: the parameter sets at which it could differ.
CASES: list[Case] = [case for module in MODULES.values() for case in module.cases]
ON_BOTH_SIMULATORS = [case for module in MODULES.values() for case in module.cases_on_both]
MUTANTS: list[Mutant] = [mutant for module in MODULES.values() for mutant in module.mutants]
CONTRACTS: list[Contract] = [proof for module in MODULES.values() for proof in module.proofs]
# The cases at which Yosys mutates each module; named mistakes alone judge the others.
SUBJECTS = {module.name: module.subjects for module in MODULES.values() if module.mutated}

_FOR_MUTANTS = [case for module in MODULES.values() for case in module.cases_for_mutants]
_CASES = {case.name: case for case in (*CASES, *_FOR_MUTANTS)}
_MUTANTS = {mutant.name: mutant for mutant in MUTANTS}
_CONTRACTS = {contract.name: contract for contract in CONTRACTS}


def case_named(name: str) -> Case:
    """The case of this name; raises KeyError where there is none."""
    return _CASES[name]


def mutant_named(name: str) -> Mutant:
    """The mutant of this name; raises KeyError where there is none."""
    return _MUTANTS[name]


def contract_named(name: str) -> Contract:
    """The contract of this name; raises KeyError where there is none."""
    return _CONTRACTS[name]


def is_streaming(module: str) -> bool:
    """Tell if the module is known and described by an `Operator`."""
    known = MODULES.get(module)
    return known is not None and known.operator is not None and issubclass(known.operator, Operator)


def operator_of(job: Job) -> Operator:
    """The reference of a streaming module under the job's parameters; TypeError for others."""
    kind = MODULES[job.module].operator
    if kind is None or not issubclass(kind, Operator):
        raise TypeError(f"{job.module} is no streaming module")
    return kind(job)


def pipeline_of(job: Job) -> Pipeline:
    """The reference of a part without a stream under the job's parameters; TypeError for others."""
    kind = MODULES[job.module].operator
    if kind is None or not issubclass(kind, Pipeline):
        raise TypeError(f"{job.module} has a stream")
    return kind(job)
