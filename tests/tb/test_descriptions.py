"""The description of each module agrees with its Verilog, and cases and contracts are data."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from common import sources
from common.paths import ROOT
from tb.modules import learning, registry
from tb.modules.case import Case, Contract
from tb.modules.declared import declared, defaults
from tb.modules.description import Illegal, Module
from tb.modules.ranges import faults
from tb.modules.registry import (
    CASES,
    CONTRACTS,
    MODULES,
    MUTANTS,
    case_named,
    contract_named,
    mutant_named,
)
from verify.formal.properties import FORMAL

# What a comment may say of legal values, in the words of tb/modules/ranges.py.
RANGE = re.compile(
    r"([\w+\- ]+ \.\. [\w+\- ]+|\w+ or more|divides \w+(?:\[\w+\])?|\"\w+\"(?: or \"\w+\")+)"
)

each_module = pytest.mark.parametrize("module", MODULES.values(), ids=lambda module: module.name)
SEALED = [case for module in MODULES.values() for case in module.cases_for_mutants]


def test_every_module_is_described_once() -> None:
    described = [module.name for family in registry.FAMILIES for module in family.MODULES]
    assert sorted(described) == sorted(path.stem for path in sources.verilog())


@each_module
def test_parameters_are_those_of_the_verilog(module: Module) -> None:
    assert list(module.parameters) == list(declared(module))


@each_module
def test_ranges_are_those_of_the_header(module: Module) -> None:
    for name, (_, comment) in declared(module).items():
        said = RANGE.search(comment)
        if said and not module.parameters[name].startswith("each "):
            assert module.parameters[name] == said[1].strip(), name


def test_headers_say_most_ranges() -> None:
    comments = [comment for m in MODULES.values() for _, comment in declared(m).values()]
    assert sum(RANGE.search(comment) is not None for comment in comments) > 50


@pytest.mark.parametrize("case", [*CASES, *SEALED], ids=lambda case: case.name)
def test_case_is_legal_and_travels(case: Case, tmp_path: Path) -> None:
    module = MODULES[case.module]
    parameters, options = case.prepare(tmp_path)
    assert faults(module.parameters, defaults(module) | parameters) == []
    copy = pickle.loads(pickle.dumps(case))
    assert copy.name == case.name == case_named(case.name).name
    assert copy.prepare(tmp_path) == (parameters, options)


@pytest.mark.parametrize(
    "module, illegal",
    [(module, illegal) for module in MODULES.values() for illegal in module.illegal],
    ids=lambda value: value.name if isinstance(value, Module) else str(dict(value.parameters)),
)
def test_illegal_parameter_is_out_of_its_range(module: Module, illegal: Illegal) -> None:
    found = faults(module.parameters, defaults(module) | dict(illegal.parameters))
    assert set(found) & set(illegal.parameters)
    assert illegal.named.partition("=")[0] in ("", *found, *illegal.parameters.values())


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_contract_travels_and_has_its_properties(contract: Contract, tmp_path: Path) -> None:
    copy = pickle.loads(pickle.dumps(contract))
    assert copy.name == contract.name == contract_named(contract.name).name
    assert copy.setting.prepare(tmp_path) == contract.setting.prepare(tmp_path)
    stem = contract.module.removeprefix("mlp_")
    assert (FORMAL / f"{stem}_properties.v").exists()


@each_module
def test_names_lead_to_the_module(module: Module) -> None:
    # Mutants by Yosys of the core that learns: verify/mutation/run.py.
    of_learning = module in learning.MODULES
    assert bool(module.mutated) != of_learning
    assert {case_named(name).module for name in module.subjects} <= {module.name}
    assert (module.within == learning.TOP) == (of_learning and module.name != learning.TOP)
    for mutant in module.mutants:
        assert mutant.module == module.name
        assert case_named(mutant.case).module == (module.within or module.name)
    for contract in module.proofs:
        assert contract.mistake is None or mutant_named(contract.mistake) in module.mutants


def test_names_are_unique() -> None:
    for named in ([*CASES, *SEALED], MUTANTS, CONTRACTS):
        names = [one.name for one in named]
        assert len(set(names)) == len(names)


def test_a_simulation_imports_nothing_that_takes_seconds() -> None:
    # Thousands of simulations start a Python of their own that knows every module by its name.
    heavy = {"matplotlib", "onnx", "onnxruntime", "pandas", "rich", "scipy", "sklearn", "torch"}
    imported = "import sys, tb.modules.registry; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", imported], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = {name.partition(".")[0] for name in done.stdout.split()}
    assert "numpy" in found
    assert not found & heavy


def test_a_simulation_computes_no_table_that_it_does_not_ask_for() -> None:
    # Tables of activations are correctly rounded in decimals: about a second for all of them.
    asked = "import tb.modules.registry, model.functions as f; print(f.table.cache_info().misses)"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "0\n"
