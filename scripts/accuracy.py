"""Cross-validate the float network against the quantized one, and write the table to a file."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sklearn.model_selection import StratifiedKFold

from model import datasets, recipe, training
from model.artifact import write_atomically
from scripts import cli

NETWORKS = ("float", "calibrated", "fine_tuned")


@dataclass(frozen=True)
class Job:
    """One fold of one seed's shuffle; the seed also draws the initial weights."""

    plan: recipe.Recipe
    seed: int
    train: tuple[int, ...]
    test: tuple[int, ...]


def rights(job: Job) -> tuple[int, dict[str, int]]:
    """Seed, and test samples that each network classifies right."""
    torch.set_num_threads(1)
    plan = dataclasses.replace(job.plan, seed=job.seed)
    dataset = datasets.load(plan.dataset)
    train, test = np.array(job.train), np.array(job.test)
    features, labels = dataset.features[test], dataset.labels[test]
    trained = training.learn(plan, dataset, train)
    only_calibrated = dataclasses.replace(
        plan, fine_tuning=dataclasses.replace(plan.fine_tuning, epochs=0)
    )
    calibrated = training.fine_tune(
        trained.module, dataset.features[train], dataset.labels[train], only_calibrated
    )
    predicted = {
        "float": training.probabilities(trained.module, features).argmax(axis=1),
        "calibrated": calibrated.trace(features)["softmax.class"],
        "fine_tuned": trained.quantized.trace(features)["softmax.class"],
    }
    return job.seed, {key: int((classes == labels).sum()) for key, classes in predicted.items()}


def jobs(plan: recipe.Recipe, seeds: int, folds: int) -> Iterator[Job]:
    """Every fold of every seed."""
    dataset = datasets.load(plan.dataset)
    for seed in range(seeds):
        shuffle = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for train, test in shuffle.split(dataset.features, dataset.labels):
            yield Job(plan, seed, tuple(train.tolist()), tuple(test.tolist()))


def cross_validate(
    work: list[Job], executor: Executor, console: Console
) -> dict[int, dict[str, int]]:
    """Samples right by seed and network, summed over the folds."""
    totals: dict[int, dict[str, int]] = {job.seed: dict.fromkeys(NETWORKS, 0) for job in work}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("cross-validation", total=len(work))
        for future in as_completed([executor.submit(rights, job) for job in work]):
            seed, right = future.result()
            for network, count in right.items():
                totals[seed][network] += count
            progress.advance(task)
    return totals


def report(plan: recipe.Recipe, totals: dict[int, dict[str, int]], folds: int) -> dict[str, object]:
    """The figures of the table: accuracies in percent, by seed and over all of them."""
    samples = len(datasets.load(plan.dataset).labels)
    percent = {
        network: [100 * totals[seed][network] / samples for seed in sorted(totals)]
        for network in NETWORKS
    }
    mean = {network: float(np.mean(values)) for network, values in percent.items()}
    return {
        "network": plan.name,
        "recipe_sha256": plan.sha256,
        "samples": samples,
        "folds": folds,
        "right_by_seed": {str(seed): totals[seed] for seed in sorted(totals)},
        "mean_percent": {network: round(value, 3) for network, value in mean.items()},
        "std_percent": {key: round(float(np.std(values)), 3) for key, values in percent.items()},
        "points_lost": round(mean["float"] - mean["fine_tuned"], 3),
    }


def table(figures: dict[str, object]) -> Table:
    """The figures as a person reads them."""
    by_seed, mean, std = (figures[key] for key in ("right_by_seed", "mean_percent", "std_percent"))
    assert isinstance(by_seed, dict) and isinstance(mean, dict) and isinstance(std, dict)
    rows = Table(
        title=f"{figures['network']}: right of {figures['samples']}, {figures['folds']} folds"
    )
    for column in ("seed", *(network.replace("_", "-") for network in NETWORKS)):
        rows.add_column(column, justify="right")
    for seed, right in by_seed.items():
        rows.add_row(seed, *(str(right[network]) for network in NETWORKS))
    rows.add_section()
    rows.add_row("mean %", *(f"{mean[network]:.2f} ± {std[network]:.2f}" for network in NETWORKS))
    return rows


def run(arguments: argparse.Namespace) -> None:
    """Write ``<build>/accuracy.json`` and print it as a table."""
    plan = recipe.load(arguments.network)
    work = list(jobs(plan, arguments.seeds, arguments.folds))
    with (
        cli.step(arguments.build, "accuracy"),
        ProcessPoolExecutor(arguments.processes, get_context("spawn")) as executor,
    ):
        totals = cross_validate(work, executor, Console(stderr=True))
    figures = report(plan, totals, arguments.folds)
    path: Path = arguments.build / "accuracy.json"
    write_atomically(path, json.dumps(figures, indent=2) + "\n")
    Console(file=sys.stdout).print(table(figures))
    lost = figures["points_lost"]
    assert isinstance(lost, float)
    if lost > arguments.tolerance:
        raise cli.CommandError(
            f"the fine-tuned network is {lost} percentage points below float, "
            f"legal are {arguments.tolerance}"
        )


def parser() -> argparse.ArgumentParser:
    """``--seeds`` and ``--folds`` set the size, ``--tolerance`` what may be lost."""
    built = cli.build_parser("scripts.accuracy", __doc__)
    for name, default, words in (
        ("seeds", 5, "shuffles and initial weights"),
        ("folds", 5, "parts, each the test set once"),
        ("processes", 2, "trainings at a time"),
    ):
        built.add_argument(
            f"--{name}", type=int, default=default, help=f"{words} (default: %(default)s)"
        )
    built.add_argument(
        "--tolerance",
        type=float,
        default=1.0,
        help="percentage points that quantization may cost (default: %(default)s)",
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
