"""Descriptions of modules: `tb/modules/<family>.py` has one for each of its modules.

Benches, mutants, proofs, coverage, campaigns and tests read it through `tb.modules.registry`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from model.stage import Parameter
from tb.modules.case import Case, Contract, Setting, short
from tb.modules.mutant import Mutant
from tb.modules.operator import Operator, Pipeline


@dataclass(frozen=True)
class Illegal:
    """Parameters that stop elaboration, those that are not named at their defaults.

    Where ``named``, each simulator by itself must say so in a sentence that holds this text, or, if
    Verilator's own warning comes first, a warning of ``warning``. Where ``together``, an instance
    of a design of all such cases is stopped by its own check.
    """

    parameters: Mapping[str, Parameter]
    named: str = ""
    together: bool = True
    warning: str = ""


@dataclass(frozen=True)
class Module:
    """One Verilog module, and all that is checked of it.

    ``operator`` is its reference with its ports, streams, latency and corners; ``parameters`` are
    all that it has, in the order of its file, each with its legal values in the words of
    `tb.modules.ranges`. Every setting of ``on_both`` runs under both simulators, those of ``more``
    under Icarus alone, those of ``for_mutants`` where mutants are judged only. ``mutated`` names
    the settings at which Yosys mutates the module, and a mutant names its setting likewise.
    ``contracts`` are proved. ``assumed`` is what the module's users owe it beyond stable payloads,
    as its header says: Verilog in which ``{NAME}`` is a parameter's value. The bench reads signals
    of the modules ``visible`` below it. ``within`` names the module whose cases judge this one's
    mutants, and check it where it has no case of its own.
    """

    name: str
    operator: type[Operator] | type[Pipeline] | None
    parameters: Mapping[str, str]
    on_both: tuple[Setting, ...] = ()
    more: tuple[Setting, ...] = ()
    for_mutants: tuple[Setting, ...] = ()
    mutated: tuple[str, ...] = ()
    illegal: tuple[Illegal, ...] = ()
    mistakes: tuple[Mutant, ...] = ()
    contracts: tuple[Contract, ...] = ()
    assumed: tuple[str, ...] = ()
    bench: str = ""
    visible: tuple[str, ...] = ()
    within: str = ""

    @property
    def cases(self) -> list[Case]:
        """A case of each setting that the regression runs."""
        return self._cases(self.on_both + self.more)

    @property
    def cases_on_both(self) -> list[Case]:
        """Those that run under both simulators."""
        return self._cases(self.on_both)

    @property
    def cases_for_mutants(self) -> list[Case]:
        """Those that the regression leaves out."""
        return self._cases(self.for_mutants)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the cases at which Yosys mutates the module."""
        return tuple(f"{short(self.name)}-{name}" for name in self.mutated)

    @property
    def mutants(self) -> list[Mutant]:
        """The named mistakes, each with its module and the name of its case."""
        return [
            dataclasses.replace(
                mutant, module=self.name, case=f"{short(self.within or self.name)}-{mutant.case}"
            )
            for mutant in self.mistakes
        ]

    @property
    def proofs(self) -> list[Contract]:
        """The contracts, each with its module."""
        return [dataclasses.replace(contract, module=self.name) for contract in self.contracts]

    def _cases(self, settings: tuple[Setting, ...]) -> list[Case]:
        bench = self.bench or (self.operator.bench if self.operator else "")
        return [Case(self.name, setting, bench, self.visible) for setting in settings]
