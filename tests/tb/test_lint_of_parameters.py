"""Verilator has nothing to say of a module at any of the parameters that a test drives.

Simulations under Icarus, which warns of less, drive most of them; a user's network may be of any.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from common import sources
from common.paths import RTL
from model.verilog import literal
from tb import test_learning_ends, test_parameter_ends
from tb.modules import learning
from tb.modules.case import Case, Parameters
from tb.modules.description import Module
from tb.modules.registry import MODULES
from tests.repo.test_lint import complaints


def cases_of(module: Module) -> list[Case]:
    """Every case in which a module is simulated by itself."""
    ends = [*test_parameter_ends.CASES, *test_learning_ends.CASES]
    every = [*module.cases, *module.cases_for_mutants, *ends]
    return [case for case in every if case.module == module.name]


def rows_of(module: Module, folder: Path) -> Iterator[Parameters]:
    """Every set of parameters of a module that a test drives, and of those within it."""
    if module.name == learning.TOP:
        yield from test_learning_ends.rows_of(module, cases_of(module), folder)
    else:
        yield from test_parameter_ends.rows_of(module, cases_of(module), folder)


def warnings(module: str, row: Parameters, rtl: Path = RTL) -> str:
    """Complaints of Verilator about a module at these parameters."""
    values = [f"-G{name}={literal(value)}" for name, value in row.items()]
    arguments = ["--lint-only", "--quiet", "-Wall", "--language", "1364-2005"]
    source = rtl / f"{module}.v"
    return complaints(
        ["verilator", *arguments, "--top-module", module, "-y", str(rtl), *values, source]
    )


# The others are parts of the core that learns, and seen within it.
@pytest.mark.parametrize(
    "module",
    [module for module in MODULES.values() if module.name == learning.TOP or cases_of(module)],
    ids=lambda module: module.name,
)
def test_verilator_is_silent_at_every_row(module: Module, tmp_path: Path) -> None:
    images = [name for name, words in module.parameters.items() if words == "image"]
    rows = {
        str(sorted((name, value) for name, value in row.items() if name not in images)): row
        for row in rows_of(module, tmp_path)
    }
    assert rows
    found = {name: said for name, row in rows.items() if (said := warnings(module.name, row))}
    assert found == {}


def test_a_warning_at_one_row_alone_is_found(tmp_path: Path) -> None:
    for path in sources.verilog():
        text = path.read_text().replace("wire unused_value = &{1'b0, value};", "")
        (tmp_path / path.name).write_text(text)
    said = [warnings("mlp_loadable_rom", {"WIDTH": width}, tmp_path) for width in (8, 4)]
    assert not said[0] and "'value'[7:4]" in said[1]
