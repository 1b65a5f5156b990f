"""A campaign of many simulations: wherever jobs run, resumable, and evidence at its end."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common import cli, jobs
from common.errors import CommandError
from common.jobs import Figures, Job
from common.paths import BUILD
from common.results import Ingredients
from model.spec import TOP
from tb.modules import networks
from tb.modules.registry import case_named
from tb.sim.runner import Outcome
from verify import cases, record

# A simulation, told the simulator and what else it may be told.
Simulation = Callable[..., Figures]


@dataclass(frozen=True)
class Step:
    """A function by its dotted name, its arguments by name, and the module that it simulates."""

    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    top: str | None = TOP


@dataclass(frozen=True)
class Campaign:
    """A claim that holds when every step has passed; each step's figures are added up."""

    name: str
    level: int
    claim: str
    command: str
    steps: Mapping[str, Step]
    seed: int | None = None

    def run(self, workers: int | None = None) -> Figures:
        """Run what has not passed yet with these sources, then leave the evidence.

        Raises what the first failing step raises; what has passed by then is kept.
        """
        work = [
            Job(name, step.function, step.arguments, rests_on_step(step))
            for name, step in self.steps.items()
        ]
        done = jobs.run(self.name, work, BUILD / "campaigns" / self.name, workers=workers)
        found, seconds = jobs.total(done)
        total = {"steps": len(self.steps)} | found
        record.record(
            self.name,
            level=self.level,
            claim=self.claim,
            command=self.command,
            figures=total,
            seconds=seconds,
            seed=self.seed,
            modules=sorted({step.function.partition(":")[0] for step in self.steps.values()}),
            tops=record.tops_of(step.top for step in self.steps.values()),
        )
        print(f"{self.name}: " + ", ".join(f"{value:,} {key}" for key, value in total.items()))
        return total


def rests_on_step(step: Step) -> Ingredients:
    """Ingredients of the verdict of a step; without a module, on all of the RTL."""
    return cases.rests_on([step.function.partition(":")[0]], step.top)


def figures_of(outcome: Outcome) -> Figures:
    """Figures of a simulation that passed; one that compared nothing is a failure."""
    if not outcome.compared:
        raise CommandError("a simulation passed and compared nothing")
    return {"simulations": 1, "tests": outcome.passed, "values compared": outcome.compared}


def step_of_case(name: str, function: str, **arguments: Any) -> Step:
    """A step on one case, by its name."""
    return Step(function, {"name": name, **arguments}, case_named(name).module)


def run_case(label: str, name: str, simulator: str, **how: Any) -> Figures:
    """One case in folders of its own, which ``label`` tells from those of other campaigns."""
    own = f"{label}-{name}"
    folder = BUILD / "campaigns" / own
    return figures_of(case_named(name).run(simulator, folder=folder, name=own, **how))


def run_made_up(label: str, name: str, simulator: str, **how: Any) -> Figures:
    """One made-up network, as `run_case` runs a case."""
    own = f"{label}-top-{name}"
    folder = BUILD / "campaigns" / f"{own}-{simulator}"
    return figures_of(networks.run_made_up(name, simulator, folder=folder, name=own, **how))


def run_golden(label: str, fold: str, simulator: str, samples: int, **how: Any) -> Figures:
    """The golden network at one fold, as `run_case` runs a case."""
    own = f"{label}-iris-{fold}"
    folder = BUILD / "campaigns" / f"{own}-{simulator}"
    return figures_of(networks.run_golden(fold, simulator, samples, folder=folder, name=own, **how))


def main(campaigns: Callable[[], list[Campaign]], name: str, description: str | None) -> None:
    """The command of some campaigns: run each; its only argument says on how many cores."""
    parser = argparse.ArgumentParser(
        prog=f"python -m verify.campaigns.{name}", description=description
    )
    cli.add_jobs(parser)

    def run(arguments: argparse.Namespace) -> None:
        for campaign in campaigns():
            campaign.run(arguments.jobs)

    cli.main(run, parser)
