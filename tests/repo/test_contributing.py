"""Who follows CONTRIBUTING.md's steps to add a module gets all of its checks."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.paths import ROOT

BLOCK = re.compile(r"^\*\*([\w/.]+)\*\*\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    \S*pytest -k (\w+) ((?:(?:tb|tests)/?\S*[\s\\]+)+)", re.MULTILINE)
NAME = "absolute"
CASE = f"{NAME}-8"
MODULE = f"mlp_{NAME}"

LEFT_OUT = shutil.ignore_patterns("build", ".*", "__pycache__")

# The lists that commands and campaigns make of the descriptions.
LISTS = """
import json
from syn.netlist import KINDS
from tb.modules import illegal
from tb.modules.registry import CASES, CONTRACTS, MUTANTS, ON_BOTH_SIMULATORS, SUBJECTS
from verify.campaigns import netlists, simulator_agreement, x_reset
from verify.coverage import runs
from verify.mutation.netlist_mutants import quotas
print(json.dumps({
    "benches": [case.name for case in CASES],
    "both simulators": [case.name for case in ON_BOTH_SIMULATORS],
    "mutants by Yosys": [name for name, count in quotas(560, SUBJECTS).items() if count],
    "named mutants": [mutant.case for mutant in MUTANTS],
    "proofs": [proof.module for proof in CONTRACTS],
    "illegal parameters": [module for module, _ in illegal.CASES],
    "coverage": list(runs.runs()),
    "unknowns": list(x_reset.unknowns()),
    "resets": list(x_reset.resets()),
    "agreement": list(simulator_agreement.steps()),
    **{f"netlists {kind}": list(netlists.steps(kind)) for kind in KINDS},
}))
"""
# And one simulation more than the commands of the page run, on the module's netlist.
NETLIST = f"""
from tb.modules.registry import case_named
outcome = case_named("{CASE}").run("icarus", netlist="generic", name="{CASE}-netlist")
print(outcome.passed, outcome.compared)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with the module of CONTRIBUTING.md in it."""
    folder = tmp_path_factory.mktemp("contributing")
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT, dirs_exist_ok=True)
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(blocks) == 3
    for name, text in blocks:
        assert not (folder / name).exists()
        (folder / name).write_text(text)
    with (folder / "rtl/verbatim.f").open("a") as listed:
        listed.write(f"{MODULE}.v\n")
    registry = folder / "tb/modules/registry.py"
    text = registry.read_text()
    for old, new in (
        ("from tb.modules import (\n", f"from tb.modules import (\n    {NAME},\n"),
        ("FAMILIES = (", f"FAMILIES = ({NAME}, "),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    registry.write_text(text)
    return folder


def run(tree: Path, *arguments: str) -> str:
    """Output of Python in the tree, which must succeed."""
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**environment, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_new_module_is_in_every_list(tree: Path) -> None:
    lists = json.loads(run(tree, "-c", LISTS).splitlines()[-1])
    assert len(lists) == 12
    for name, entries in lists.items():
        assert any(re.search(rf"\b{NAME}\b|{MODULE}", entry) for entry in entries), name


def test_new_module_passes_its_checks(tree: Path) -> None:
    ((chosen, files),) = COMMAND.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert chosen == NAME
    # What Verilator compiles takes long, and is no other list.
    arguments = ["-k", f"{chosen} and not verilator", *files.replace("\\", "").split()]
    text = run(tree, "-m", "pytest", "-v", "-n", "0", *arguments)
    passed = re.findall(r"(\w+)(?:\[.*\])? PASSED", text)
    assert set(passed) >= {
        "test_iverilog_is_silent",
        "test_slang_is_silent",
        "test_yosys_synthesizes_without_latch",
        "test_house_rules_are_kept",
        "test_parameters_are_those_of_the_verilog",
        "test_case_is_legal_and_travels",
        "test_module_equals_its_reference_under_icarus",
        "test_illegal_parameter_is_named",
        "test_contract_is_proved",
        "test_proof_is_refuted_on_a_broken_module",
        "test_bench_catches",
    }
    assert passed.count("test_module_equals_its_reference_under_icarus") == 2


def test_new_module_passes_its_bench_as_a_netlist(tree: Path) -> None:
    passed, compared = map(int, run(tree, "-c", NETLIST).split()[-2:])
    assert passed > 10 and compared > 500


def test_module_that_is_wrong_fails_its_bench(tree: Path, tmp_path: Path) -> None:
    broken = tmp_path / "tree"
    shutil.copytree(tree, broken, symlinks=True, ignore=shutil.ignore_patterns("build"))
    source = broken / f"rtl/{MODULE}.v"
    text = source.read_text()
    assert text.count("~LEAST") == 1
    source.write_text(text.replace("~LEAST", "LEAST"))
    with pytest.raises(AssertionError, match=r"y: sample \d+, element 0: expected 127, got -128"):
        run(broken, "-m", "pytest", "-n", "0", "tb/test_modules.py", "-k", f"icarus and {CASE}")
