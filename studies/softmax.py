"""Put the polynomial in the place of the softmax of trained networks, and count what it changes."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from common import cli, jobs
from common.jobs import Job
from model import recipe, reference
from model.data import datasets
from model.data.datasets import Dataset
from model.format import Format, Int
from model.frontends import torch_fx
from model.qat import calibration, quantize, training
from model.recipe import Recipe
from model.stage import PROBABILITY_ONE
from model.stages.softmax import MAX_LOGIT_FRAC, SoftmaxSpec
from studies import softmax_page
from studies.softmax_page import Row

Float = NDArray[np.float64]
HERE = "studies.softmax"


def exponential(logits: Float) -> Float:
    """The ordinary softmax before it is normalized."""
    scores: Float = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scores


def polynomial(logits: Float) -> Float:
    """``1 + x + x**2/2``, which falls until x = -1 and rises again below it."""
    return 1 + logits + logits**2 / 2


def minus_maximum(logits: Float) -> Float:
    """The polynomial of how far each logit lies below the largest of its sample."""
    return polynomial(logits - logits.max(axis=1, keepdims=True))


def minus_minimum(logits: Float) -> Float:
    """The polynomial of how far each logit lies above the least of its sample."""
    return polynomial(logits - logits.min(axis=1, keepdims=True))


def clamped(logits: Float) -> Float:
    """The polynomial of logits that are nowhere below -1, where it turns."""
    return polynomial(np.maximum(logits, -1))


def article(codes: Int) -> Float:
    """``1 + u + u**2`` of 8-bit codes read as unsigned, without a scale.

    >>> article(np.array([[0, 2, -1]])).tolist()     # -1 is 255
    [[1.0, 7.0, 65281.0]]
    """
    unsigned = (codes & 0xFF).astype(np.float64)
    return 1 + unsigned + unsigned**2


# What takes the place of the softmax without any training, on the float network's own logits.
SWAPPED: dict[str, Callable[[Float], Float]] = {
    "ordinary": exponential,
    "raw": polynomial,
    "minus_maximum": minus_maximum,
    "minus_minimum": minus_minimum,
    "clamped": clamped,
}


def swapped_rows(logits: Float, fmt: Format, labels: Int) -> dict[str, Row]:
    """Count the effect of each replacement on a float network's ``logits [samples, n]``.

    ``fmt`` is the 8-bit format in which two of the rows see them.
    """
    wanted = normalized(exponential(logits))
    made = {key: normalized(score(logits)) for key, score in SWAPPED.items()}
    codes = reference.quantize(logits, fmt)
    made["article"] = normalized(article(codes))
    softmax = SoftmaxSpec(n=logits.shape[1], x=fmt, score="exp", divider="reciprocal", lanes=1)
    made["exp_swapped"] = reference.softmax(codes, softmax)["probabilities"] / PROBABILITY_ONE
    return {key: row(found, found.argmax(axis=1), wanted, labels) for key, found in made.items()}


def normalized(scores: Float) -> Float:
    """Scores divided by their sum."""
    probabilities: Float = scores / scores.sum(axis=1, keepdims=True)
    return probabilities


def row(found: Float, classes: Int, wanted: Float, labels: Int) -> Row:
    """``classes`` and probabilities ``found``, against those ``wanted`` and the labels."""
    errors = np.abs(found - wanted)
    return Row(
        samples=len(labels),
        kept=int((classes == wanted.argmax(axis=1)).sum()),
        correct=int((classes == labels).sum()),
        mean_error=float(errors.mean()),
        max_error=float(errors.max()),
    )


def study(plan: Recipe, dataset: Dataset) -> dict[str, Row]:
    """Every row, for the network that the recipe's seed gives, on all samples."""
    torch.set_num_threads(1)
    train, _ = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    plans = {
        score: dataclasses.replace(plan, softmax=dataclasses.replace(plan.softmax, score=score))
        for score in ("taylor2", "exp")
    }
    trained = training.learn(plans["taylor2"], dataset, train)
    tuned = {
        "taylor2": trained.quantized,
        "exp": training.fine_tune(
            trained.module, dataset.features[train], dataset.labels[train], plans["exp"]
        ),
    }
    layers = torch_fx.layers(trained.module)
    with torch.no_grad():
        x = torch.tensor(dataset.features, dtype=torch.float32)
        logits = torch_fx.outputs(layers, x)[-1].double().numpy()
    largest = float(np.abs(logits[train]).max())
    fmt = calibration.best_format(8, largest, finest=MAX_LOGIT_FRAC)
    rows = swapped_rows(logits, fmt, dataset.labels)
    wanted = normalized(exponential(logits))
    for score, quantized in tuned.items():
        network = quantize.export(quantized, plans[score], {})
        classes, probabilities = reference.predict(network, dataset.features)
        rows[f"through_{score}"] = row(
            probabilities / PROBABILITY_ONE, classes, wanted, dataset.labels
        )
    return rows


def plain_study(plan: Recipe, dataset: Dataset) -> dict[str, Any]:
    """The same rows as JSON values."""
    return {key: dataclasses.asdict(found) for key, found in study(plan, dataset).items()}


def job_of(plan: Recipe, dataset: Dataset) -> Job:
    """The study of the recipe's seed; it rests on recipe, data, versions and sources."""
    rests_on = {**jobs.rests_on(HERE, tops=[]), "inputs": quantize.provenance(plan, dataset)}
    given = {"plan": plan, "dataset": dataset}
    return Job(f"seed-{plan.seed}", f"{HERE}:plain_study", {}, rests_on, given)


def figures_by_seed(
    plan: Recipe, seeds: int, build: Path, processes: int | None
) -> dict[int, dict[str, Row]]:
    """Every row of every seed; those that ``build`` does not hold are computed and left there."""
    dataset = datasets.load(plan.dataset)
    work = [job_of(dataclasses.replace(plan, seed=seed), dataset) for seed in range(seeds)]
    done = jobs.run("seeds", work, build, workers=processes)
    return {
        seed: {key: Row(**figures) for key, figures in found.result.items()}
        for seed, found in enumerate(done)
    }


def run(arguments: argparse.Namespace) -> None:
    """Write ``seed-N.json`` into the build folder, and tables and pictures into the docs."""
    plan = recipe.load(arguments.network)
    with cli.step(arguments.build, "softmax_study"):
        figures = figures_by_seed(plan, arguments.seeds, arguments.build, arguments.processes)
        softmax_page.write(arguments.docs, figures)
    page = arguments.docs / softmax_page.PAGE
    print(f"{page}: {len(figures)} seeds, {len(softmax_page.TITLES)} softmaxes")


def parser() -> argparse.ArgumentParser:
    """``--seeds`` sets the size; ``--docs`` is where page and pictures lie."""
    built = cli.build_parser("studies.softmax", __doc__)
    built.set_defaults(build=Path("build/softmax-study"))
    for name, default, words in (
        ("seeds", 10, "initial weights, each trained anew"),
        ("processes", 2, "trainings at a time"),
    ):
        built.add_argument(
            f"--{name}", type=int, default=default, help=f"{words} (default: %(default)s)"
        )
    cli.add_docs(built, "docs")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
