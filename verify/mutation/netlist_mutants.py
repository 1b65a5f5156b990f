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
from typing import Any

from common import sources
from common.files import write_atomically
from common.paths import BUILD, RTL
from model.stage import Parameter
from model.verilog import literal
from syn.yosys import chosen, run_yosys
from tb.modules.case import Case

FOLDER = BUILD / "mutants"
NETLIST = "whole.il"


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
    for module, cases in subjects.items():
        count = -(-total * sizes[module] // sum(sizes.values()))
        for index, case in enumerate(cases):
            shares[case] = (count + len(cases) - 1 - index) // len(cases)
    return shares


class Subject:
    """A module elaborated at a case's parameters, whole and ready to be mutated."""

    def __init__(self, case: Case, rtl: Path = RTL, folder: Path | None = None) -> None:
        self.case = case
        self.folder = folder or FOLDER / case.name
        self.parameters, self.options = case.prepare(self.folder)
        self.sources = sources.verilog(rtl)
        self._elaborate()

    @property
    def inner(self) -> str:
        """Name of the module that is mutated, inside the shell."""
        return f"{self.case.module}_mutant"

    @functools.cached_property
    def digest(self) -> str:
        """sha256 of what is mutated: other modules of rtl/ may change."""
        return hashlib.sha256((self.folder / NETLIST).read_bytes()).hexdigest()

    @property
    def inputs(self) -> str:
        """What the bench is told, wherever the folder lies."""
        return json.dumps(self.options, sort_keys=True).replace(f"{self.folder}/", "")

    @functools.cached_property
    def ports(self) -> dict[str, dict[str, Any]]:
        """Direction and bits of each port."""
        design = json.loads((self.folder / "ports.json").read_text())
        ports: dict[str, dict[str, Any]] = design["modules"][self.inner]["ports"]
        return ports

    def _elaborate(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for source in self.sources:
            shutil.copy(source, self.folder)
        inside = {key: self._relative(value) for key, value in self.parameters.items()}
        names = " ".join(source.name for source in self.sources)
        lines = [
            f"read_verilog {names}",
            f"chparam {chosen(inside)} {self.case.module}",
            *(f"hierarchy -top {self.case.module}", f"rename -top {self.inner}"),
            *("proc", "opt", "wreduce", "memory_collect", "opt_clean"),
            *(f"write_rtlil {NETLIST}", f"select {self.inner}", "write_json -selected ports.json"),
        ]
        run_yosys(lines, self.folder, "elaborate")

    def _relative(self, value: Parameter) -> Parameter:
        prefix = f"{self.folder}/"
        return value.removeprefix(prefix) if isinstance(value, str) else value

    def propose(self, count: int, seed: int, filters: str = "") -> list[NetlistMutant]:
        """At most ``count`` mutants, spread evenly over the module by Yosys, or over its choice."""
        listing = self.folder / f"list-{seed}-{count}.txt"
        run_yosys(
            [
                f"read_rtlil {NETLIST}",
                f"mutate -list {count} -seed {seed} -o {listing.name} {filters} {self.inner}",
            ],
            self.folder,
            "propose",
        )
        changes = dict.fromkeys(listing.read_text().splitlines())
        return [
            NetlistMutant(self.case.name, number, change.removeprefix("mutate "))
            for number, change in enumerate(changes)
        ]

    def place(self, mutant: NetlistMutant | None) -> Path:
        """The folder of a mutant's Verilog; of None, of the module as it is."""
        return self.folder / (f"{mutant.number:03d}" if mutant else "unchanged")

    def write(self, mutants: Sequence[NetlistMutant | None]) -> None:
        """Write the Verilog of each mutant into its place."""
        lines = [f"read_rtlil {NETLIST}", "design -save whole"]
        for mutant in mutants:
            folder = self.place(mutant)
            folder.mkdir(exist_ok=True)
            lines += ["design -load whole", *([f"mutate {mutant.change}"] if mutant else [])]
            lines.append(f"write_verilog -noattr {folder.name}/{self.case.module}.v")
        run_yosys(lines, self.folder, "write")
        for mutant in mutants:
            path = self.place(mutant) / f"{self.case.module}.v"
            write_atomically(path, self._shell() + path.read_text())

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
        return (
            f"module {self.case.module} #(\n{parameters}\n) (\n{ports}\n);\n"
            f"    {self.inner} u_mutant ({wires});\nendmodule\n\n"
        )
