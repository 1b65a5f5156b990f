"""Settings of a module as plain data: cases that simulate, contracts that solvers prove.

Cases and contracts pickle, so that they travel to other processes and machines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from common.paths import BUILD
from model.stage import Parameter

if TYPE_CHECKING:
    from tb.sim.runner import Outcome

Parameters = dict[str, Parameter]
Prepared = tuple[Parameters, dict[str, Any]]


class Setting(Protocol):
    """One set of parameters of a module, and the files that they name."""

    @property
    def name(self) -> str:
        """Name that tells it from the module's other settings."""

    @property
    def shown(self) -> Parameters:
        """The parameters that say its size."""

    def prepare(self, folder: Path) -> Prepared:
        """Write its files into ``folder``; return every parameter, and options of the bench."""


@dataclass(frozen=True)
class Plain:
    """A setting that needs no file."""

    values: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        """``1-20-8-7``."""
        return "-".join(str(value) for _, value in self.values) or "default"

    @property
    def shown(self) -> Parameters:
        """Every parameter."""
        return dict(self.values)

    def prepare(self, folder: Path) -> Prepared:
        """Return the parameters."""
        return dict(self.values), {}


def plain(**values: int) -> Plain:
    """A setting of these parameters, the others at their defaults."""
    return Plain(tuple(values.items()))


def short(module: str) -> str:
    """``name`` of ``mlp_name``, as cases and contracts are named."""
    return module.removeprefix("mlp_")


@dataclass(frozen=True)
class Case:
    """A module at one setting, and the bench in ``tb/benches/`` that runs it.

    ``visible`` are modules below it whose signals the bench reads.
    """

    module: str
    setting: Setting
    bench: str
    visible: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``requantize-1-20-8-7``."""
        return f"{short(self.module)}-{self.setting.name}"

    def prepare(self, folder: Path) -> Prepared:
        """Write the setting's files into ``folder``; return parameters and options."""
        return self.setting.prepare(folder)

    def run(
        self,
        simulator: str,
        *,
        folder: Path | None = None,
        options: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> "Outcome":
        """Run the bench; ``options`` go to it beside the setting's own, ``how`` to `simulate`."""
        # Benches read the descriptions inside of a simulation, and need no runner there.
        from tb.sim.runner import simulate

        parameters, own = self.prepare(folder or BUILD / "cases" / self.name)
        how = {"name": self.name, "visible": self.visible} | how
        return simulate(
            self.module,
            parameters,
            simulator=simulator,
            bench=self.bench,
            options=own | dict(options or {}),
            **how,
        )


@dataclass(frozen=True)
class Contract:
    """Promises of a module at one setting, proved by ``verify/formal/<name>_properties.v``.

    ``latency`` and ``interval`` are cycles. ``gates`` alone keep their formula, and no contract
    over time. Where ``bounded``, a solver covers runs of a few cycles; else all time. ``quick``
    ones take seconds. ``mistake`` names a mutant on which the proof must fail.
    """

    setting: Setting
    latency: int
    interval: int = 1
    gates: bool = False
    bounded: bool = False
    quick: bool = False
    mistake: str | None = None
    module: str = ""

    @property
    def name(self) -> str:
        """``requantize-9-4-3``."""
        return "-".join([short(self.module), *map(str, self.setting.shown.values())])

    @property
    def size(self) -> str:
        """``ACC_W=9 OUT_W=4 SHIFT=3``."""
        return " ".join(f"{name}={value}" for name, value in self.setting.shown.items())
