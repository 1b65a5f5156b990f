"""Networks of `model/networks/area/` by seed, trained, exported, and counted on both splits."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch

from common.errors import CommandError
from common.files import digest
from common.jobs import Job, rests_on
from common.paths import RECIPES
from model import adders, artifact, recipe, reference
from model.artifact import Network
from model.data import datasets
from model.qat import pruning, quantize, training

HERE = "studies.area_networks"
FOLDER = RECIPES / "area"


def learned(name: str, seed: int) -> dict[str, Any]:
    """Content of a network's file, trained from this seed, and how many samples are correct."""
    torch.set_num_threads(1)
    plan = dataclasses.replace(recipe.load(_recipe(name)), seed=seed)
    dataset = datasets.load(plan.dataset, plan.folder)
    train, test = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, dataset, train)
    if trained.choice is None:
        raise CommandError(f"{_recipe(name)}: must have [area], which this study is of")
    origin = quantize.provenance(plan, dataset)
    network = quantize.export(trained.quantized, plan, origin, trained.scaling, trained.targets)
    quantize.compare(trained.quantized.trace(trained.scaled(dataset.features)), network)
    network = pruning.recorded(network, plan, trained.choice)
    classes, _ = reference.predict(network, dataset.features)
    correct = classes == dataset.labels
    cost = adders.cost(network)
    return {
        "network": artifact.to_content(network),
        "train": [int(correct[train].sum()), len(train)],
        "test": [int(correct[test].sum()), len(test)],
        "cost": dataclasses.asdict(cost),
    }


def job(name: str, seed: int) -> Job:
    """The same as data."""
    of = {"name": name, "seed": seed}
    return Job(
        f"{name}-{seed}", f"{HERE}:learned", of, rests_on(HERE, tops=[], files=[_recipe(name)])
    )


def network_of(content: dict[str, Any], folder: Path) -> Network:
    """The network of a file's content, read as every other from a file of this folder."""
    lines = json.dumps({**content, "sha256": digest(content)})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "network.json"
    path.write_text(lines)
    return artifact.load(path)


def _recipe(name: str) -> Path:
    return FOLDER / f"{name}.toml"
