"""Cross-validate a network, float and quantized at several widths, beside simple classifiers."""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from common import cli, errors, tables
from common.files import digest, write_atomically
from common.jobs import Job as Task
from common.jobs import rests_on as rests_on_modules
from common.jobs import run as run_tasks
from model import recipe
from model.data import datasets
from model.data.datasets import Dataset
from model.format import Int
from model.qat import quantize, training
from model.qat.per_channel import PerChannel
from model.qat.quantize import QuantizedNetwork
from model.recipe import Recipe

HERE = "studies.accuracy"
NETWORKS = ("float", "calibrated", "fine_tuned", "logistic", "tree")
WIDTHS = range(2, 9)
# Ways to fine-tune at each width: the calibration, then the score where it is not the recipe's.
# The last has a frac for each output, which the hardware has not.
WAYS = ("max", "mse", "mse_exp", "channels")
# Few bits need larger steps than the fine-tuning of 8 bits.
SWEEP_LEARNING_RATE = 0.01
# Levels of the decision tree: at most 32 leaves.
TREE_DEPTH = 5


# Correct samples by network.
Correct = dict[str, int]


@dataclass(frozen=True)
class Job:
    """One split of one seed's shuffle; the seed also draws the initial weights."""

    plan: Recipe
    seed: int
    train: tuple[int, ...]
    test: tuple[int, ...]
    # True where the network is fine-tuned at each of the widths too.
    widths: bool = False

    @property
    def columns(self) -> list[str]:
        """Counted outcomes."""
        at_widths = [f"{way}_{width}" for way in WAYS for width in WIDTHS]
        return [*NETWORKS, *(at_widths if self.widths else [])]


def correct(job: Job) -> dict[str, int]:
    """Test samples that each network classifies correctly."""
    torch.set_num_threads(1)
    plan = dataclasses.replace(job.plan, seed=job.seed)
    dataset = datasets.load(plan.dataset, plan.folder)
    train, test = np.array(job.train), np.array(job.test)
    labels = dataset.labels[test]
    trained = training.learn(plan, dataset, train)
    learned, features = (trained.scaled(dataset.features[part]) for part in (train, test))

    def tuned(changed: Recipe, kind: type[QuantizedNetwork] = QuantizedNetwork) -> Int:
        network = training.fine_tune(
            trained.module, learned, dataset.labels[train], changed, kind=kind
        )
        return classes_of(network, features)

    calibrated = dataclasses.replace(
        plan, fine_tuning=dataclasses.replace(plan.fine_tuning, epochs=0)
    )
    predicted = {
        "float": training.probabilities(trained.module, features).argmax(axis=1),
        "calibrated": tuned(calibrated),
        "fine_tuned": classes_of(trained.quantized, features),
        **baselines(dataset, train, test, job.seed),
    }
    for column in job.columns[len(NETWORKS) :]:
        way, _, width = column.rpartition("_")
        kind = PerChannel if way == "channels" else QuantizedNetwork
        predicted[column] = tuned(swept(plan, way, int(width)), kind)
    return {key: int((classes == labels).sum()) for key, classes in predicted.items()}


def swept(plan: Recipe, way: str, width: int) -> Recipe:
    """The recipe at another width, fine-tuned in one of the ways."""
    formats = dataclasses.replace(
        plan.formats.at(width), calibration="mse" if way.startswith("mse") else "max"
    )
    score = "exp" if way == "mse_exp" else plan.softmax.score
    rate = SWEEP_LEARNING_RATE
    return dataclasses.replace(
        plan,
        formats=formats,
        softmax=dataclasses.replace(plan.softmax, score=score),
        fine_tuning=dataclasses.replace(plan.fine_tuning, learning_rate=rate),
    )


def classes_of(network: QuantizedNetwork, features: Any) -> Int:
    """Classes ``[samples]`` of scaled features, by the scores of the hardware."""
    with torch.no_grad():
        scores, _ = network.scores(network.logits(torch.tensor(features, dtype=torch.float64)))
    found: Int = scores.argmax(dim=1).numpy()
    return found


def baselines(dataset: Dataset, train: Int, test: Int, seed: int) -> dict[str, Int]:
    """Classes that two simple classifiers of scikit-learn give the test samples."""
    classifiers = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
        "tree": DecisionTreeClassifier(max_depth=TREE_DEPTH, random_state=seed),
    }
    return {
        name: classifier.fit(dataset.features[train], dataset.labels[train]).predict(
            dataset.features[test]
        )
        for name, classifier in classifiers.items()
    }


def jobs(plan: Recipe, seeds: int, splits: int) -> Iterator[Job]:
    """Every split of every seed; those of the first sweep the widths."""
    dataset = datasets.load(plan.dataset, plan.folder)
    for seed in range(seeds):
        shuffle = StratifiedKFold(splits, shuffle=True, random_state=seed)
        for train, test in shuffle.split(dataset.features, dataset.labels):
            yield Job(plan, seed, tuple(train.tolist()), tuple(test.tolist()), widths=seed == 0)


def task_of(job: Job) -> Task:
    """The job as data; it rests on recipe, data, versions and sources."""
    dataset = datasets.load(job.plan.dataset, job.plan.folder)
    tested = digest([job.seed, job.test])[:8]
    rests_on = {
        **rests_on_modules(HERE, tops=[], files=list(job.plan.files())),
        "inputs": quantize.provenance(job.plan, dataset),
        "split": [job.seed, job.test, job.widths],
    }
    return Task(f"{job.seed}-{tested}", f"{HERE}:correct", {}, rests_on, {"job": job})


def cross_validate(work: list[Job], processes: int | None, folder: Path) -> dict[int, Correct]:
    """Correct samples by seed and network, summed over the splits; kept results are reused."""
    totals: dict[int, Correct] = {job.seed: dict.fromkeys(job.columns, 0) for job in work}
    done = run_tasks("cross-validation", [task_of(job) for job in work], folder, workers=processes)
    for job, found in zip(work, done, strict=True):
        for network, count in found.result.items():
            totals[job.seed][network] += count
    return totals


def report(plan: Recipe, totals: dict[int, dict[str, int]], splits: int) -> dict[str, Any]:
    """The figures of the tables: accuracies in percent, by seed and over all of them."""
    dataset = datasets.load(plan.dataset, plan.folder)
    samples = len(dataset.labels)
    percent = {
        network: [100 * totals[seed][network] / samples for seed in sorted(totals)]
        for network in NETWORKS
    }
    mean = {network: float(np.mean(values)) for network, values in percent.items()}
    first = totals[min(totals)]
    return {
        "network": plan.name,
        "recipe_sha256": plan.sha256,
        "dataset_sha256": dataset.sha256,
        "date": datetime.now(UTC).date().isoformat(),
        "samples": samples,
        "splits": splits,
        "correct_by_seed": {
            str(seed): {network: totals[seed][network] for network in NETWORKS}
            for seed in sorted(totals)
        },
        "mean_percent": {network: round(value, 3) for network, value in mean.items()},
        "std_percent": {key: round(float(np.std(values)), 3) for key, values in percent.items()},
        "percent_at_width": {
            way: {
                str(width): round(100 * first[f"{way}_{width}"] / samples, 3)
                for width in WIDTHS
                if f"{way}_{width}" in first
            }
            for way in WAYS
        },
        "points_lost": round(mean["float"] - mean["fine_tuned"], 3),
    }


def table(figures: dict[str, Any]) -> Table:
    """Table of the figures for a terminal."""
    by_seed, mean, std = (
        figures[key] for key in ("correct_by_seed", "mean_percent", "std_percent")
    )
    rows = Table(
        title=f"{figures['network']}: correct of {figures['samples']}, {figures['splits']} splits"
    )
    for column in ("seed", *(network.replace("_", "-") for network in NETWORKS)):
        rows.add_column(column, justify="right")
    for seed, counts in by_seed.items():
        rows.add_row(seed, *(str(counts[network]) for network in NETWORKS))
    rows.add_section()
    rows.add_row("mean %", *(f"{mean[network]:.2f} ± {std[network]:.2f}" for network in NETWORKS))
    return rows


def table_of_widths(figures: dict[str, Any]) -> Table:
    """Table of accuracy against bits for a terminal."""
    at_width = figures["percent_at_width"]
    rows = Table(title=f"{figures['network']}: % correct by bits, fine-tuned, seed 0")
    for column in ("fracs", *map(str, WIDTHS)):
        rows.add_column(column, justify="right")
    for way, found in at_width.items():
        rows.add_row(way, *(f"{found[str(width)]:.2f}" for width in WIDTHS))
    return rows


def run(arguments: argparse.Namespace) -> None:
    """Write ``<build>/accuracy.json`` and print it as two tables."""
    plan = recipe.load(arguments.network)
    if plan.has_targets:
        raise errors.CommandError(
            f"{arguments.network}: accuracy is of classes, got targets of a regression: make sim "
            "reports its RMSE and R2"
        )
    work = list(jobs(plan, arguments.seeds, arguments.splits))
    with cli.step(arguments.build, "accuracy"):
        totals = cross_validate(work, arguments.processes, arguments.build / "accuracy")
    figures = report(plan, totals, arguments.splits)
    path: Path = arguments.build / "accuracy.json"
    write_atomically(path, json.dumps(figures, indent=2) + "\n")
    tables.show(table(figures), table_of_widths(figures))
    lost = figures["points_lost"]
    if lost > arguments.tolerance:
        raise errors.CommandError(
            f"the fine-tuned network must be at most {arguments.tolerance} percentage points "
            f"below float, got {lost}"
        )


def parser() -> argparse.ArgumentParser:
    """``--seeds`` and ``--splits`` set the size, ``--tolerance`` what may be lost."""
    built = cli.build_parser("studies.accuracy", __doc__ or "")
    for name, default, words in (
        ("seeds", 3, "shuffles and initial weights"),
        ("splits", 5, "parts of the data, each the test set once"),
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
