"""A campaign of many simulations: on all cores, resumable, with a bar, and evidence at its end."""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from model.artifact import write_atomically
from scripts import cli, evidence
from scripts.cli import CommandError
from scripts.pieces import digest
from tb import tops
from tb.rows import ROWS, Row
from tb.runner import Outcome
from tb.tools import BUILD
from tb.tops import GOLDEN

Figures = dict[str, int]
# A step can be sent to another process: a function of a module, with its arguments.
Step = Callable[[], Figures]
# A simulation, told the simulator and what else it may be told.
Simulation = Callable[..., Figures]


@dataclass(frozen=True)
class Campaign:
    """What is claimed when every step has passed; each step's figures are added up."""

    name: str
    level: int
    claim: str
    command: str
    steps: Mapping[str, Step]
    seed: int | None = None

    def run(self, jobs: int | None = None) -> Figures:
        """Run what has not passed yet with these sources, then leave the evidence.

        Raises what the first failing step raises; what has passed by then is kept.
        """
        done, before = self._passed()
        begun = time.perf_counter()
        left = {name: step for name, step in self.steps.items() if name not in done}
        console = Console(stderr=True)
        console.print(f"{self.name}: {len(done)} of {len(self.steps)} steps stand already")
        bar = Progress(
            TextColumn("{task.description}"),
            *(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
            console=console,
        )
        with bar, ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
            task = bar.add_task(self.name, total=len(self.steps), completed=len(done))
            running = {pool.submit(step): name for name, step in left.items()}
            try:
                for future in as_completed(running):
                    done[running[future]] = future.result()
                    self._keep(done, before + time.perf_counter() - begun)
                    bar.update(task, advance=1, description=running[future])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return self._conclude(done, before + time.perf_counter() - begun)

    @property
    def _file(self) -> Path:
        return BUILD / "campaigns" / f"{self.name}.json"

    def _sources(self) -> str:
        """sha256 of everything that a step's verdict depends on."""
        own = hashlib.sha256(repr((self.seed, sorted(self.steps))).encode())
        return own.hexdigest() + digest(*sorted(GOLDEN.iterdir()))

    def _passed(self) -> tuple[dict[str, Figures], float]:
        """The steps that passed with these very sources, and the seconds that it took."""
        found = json.loads(self._file.read_text()) if self._file.exists() else {}
        if found.get("sources") != self._sources():
            return {}, 0.0
        return found["steps"], found["seconds"]

    def _keep(self, done: Mapping[str, Figures], seconds: float) -> None:
        content = {"sources": self._sources(), "seconds": round(seconds, 1), "steps": dict(done)}
        write_atomically(self._file, json.dumps(content, indent=1) + "\n")

    def _conclude(self, done: Mapping[str, Figures], seconds: float) -> Figures:
        total: Figures = {"steps": len(done)}
        for figures in done.values():
            for key, value in figures.items():
                total[key] = total.get(key, 0) + value
        evidence.record(
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


def row_named(name: str) -> Row:
    """A row of the regression."""
    return next(row for row in ROWS if row.name == name)


def run_row(label: str, name: str, simulator: str, **how: Any) -> Figures:
    """One row in folders of its own, which ``label`` tells from those of other campaigns."""
    own = f"{label}-{name}"
    folder = BUILD / "campaigns" / own
    return figures_of(row_named(name).run(simulator, folder=folder, name=own, **how))


def run_made_up(label: str, name: str, simulator: str, **how: Any) -> Figures:
    """One made-up network, as `run_row` runs a row."""
    own = f"{label}-top-{name}"
    folder = BUILD / "campaigns" / f"{own}-{simulator}"
    return figures_of(tops.run_made_up(name, simulator, folder=folder, name=own, **how))


def run_golden(label: str, fold: str, simulator: str, samples: int, **how: Any) -> Figures:
    """The golden network at one fold, as `run_row` runs a row."""
    own = f"{label}-iris-{fold}"
    folder = BUILD / "campaigns" / f"{own}-{simulator}"
    return figures_of(tops.run_golden(fold, simulator, samples, folder=folder, name=own, **how))


def main(campaigns: Callable[[], list[Campaign]], name: str, description: str | None) -> None:
    """The command of some campaigns: run each; its only argument says on how many cores."""
    parser = argparse.ArgumentParser(prog=f"python -m scripts.{name}", description=description)
    parser.add_argument("--jobs", type=int, help="simulations at a time (default: one a core)")

    def run(arguments: argparse.Namespace) -> None:
        for campaign in campaigns():
            campaign.run(arguments.jobs)

    cli.main(run, parser)
