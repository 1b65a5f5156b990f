"""A campaign of many simulations: on all cores, resumable, with a bar, and evidence at its end."""

import argparse
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common import cli
from common.errors import CommandError
from common.jobs import Figures, Piece, digest, run_pieces
from common.paths import BUILD, GOLDEN
from tb.modules import networks
from tb.modules.registry import case_named
from tb.sim.runner import Outcome
from verify import record

# A simulation, told the simulator and what else it may be told.
Simulation = Callable[..., Figures]


@dataclass(frozen=True)
class Campaign:
    """What is claimed when every step has passed; each step's figures are added up."""

    name: str
    level: int
    claim: str
    command: str
    steps: Mapping[str, Piece]
    seed: int | None = None

    def run(self, workers: int | None = None) -> Figures:
        """Run what has not passed yet with these sources, then leave the evidence.

        Raises what the first failing step raises; what has passed by then is kept.
        """
        own = hashlib.sha256(repr((self.seed, sorted(self.steps))).encode()).hexdigest()
        found, seconds = run_pieces(
            self.name,
            BUILD / "campaigns" / f"{self.name}.json",
            own + digest(*sorted(GOLDEN.iterdir())),
            self.steps,
            workers,
        )
        total = {"steps": len(self.steps)} | found
        record.record(
            self.name,
            level=self.level,
            claim=self.claim,
            command=self.command,
            figures=total,
            seconds=seconds,
            seed=self.seed,
        )
        print(f"{self.name}: " + ", ".join(f"{value:,} {key}" for key, value in total.items()))
        return total


def figures_of(outcome: Outcome) -> Figures:
    """What a simulation that passed adds to a campaign; one that compared nothing is a failure."""
    if not outcome.compared:
        raise CommandError("a simulation passed and compared nothing")
    return {"simulations": 1, "tests": outcome.passed, "values compared": outcome.compared}


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
    parser = argparse.ArgumentParser(prog=f"python -m scripts.{name}", description=description)
    parser.add_argument("--jobs", type=int, help="simulations at a time (default: one a core)")

    def run(arguments: argparse.Namespace) -> None:
        for campaign in campaigns():
            campaign.run(arguments.jobs)

    cli.main(run, parser)
