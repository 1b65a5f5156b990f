"""Networks of `model/networks/area/` by seed, trained, exported, and counted on both splits."""

import dataclasses
import json
import tempfile
from collections.abc import Mapping, Sequence
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
from model.data.datasets import Dataset
from model.networks.canonical import data
from model.qat import pruning, quantize, training
from model.qat.training import Trained
from model.recipe import Recipe

HERE = "studies.area_networks"
FOLDER = RECIPES / "area"
# Recipes whose samples are made up, and as whose they are.
MADE_UP = {"jet_tagging_area": "jet_tagging"}

# A network of a seed or a level, and what its build takes.
Row = dict[str, Any]


def learned(name: str, seed: int) -> Row:
    """Content of a network's file, trained from this seed, and how many samples are correct."""
    torch.set_num_threads(1)
    plan, dataset = _plan(name, seed), samples(name)
    train, test = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, dataset, train)
    assert trained.choice is not None
    network = pruning.recorded(_exported(plan, dataset, trained), plan, trained.choice)
    return _counted(network, dataset, {"train": train, "test": test})


def levels(name: str, built: Sequence[float]) -> list[Row]:
    """The same of the levels ``built``, one behind the other, without cross-validation."""
    torch.set_num_threads(1)
    plan, dataset = _plan(name, 0), samples(name)
    train, test = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    assert plan.area is not None
    found: list[Row] = []
    walked = iter(plan.area.walked)

    def keep(trained: Trained) -> None:
        level = next(walked)
        if level in built:
            network = _exported(plan, dataset, trained)
            found.append(
                {"level": level} | _counted(network, dataset, {"train": train, "test": test})
            )

    training.walk(plan, dataset, train, keep)
    return found


def _plan(name: str, seed: int) -> Recipe:
    plan = dataclasses.replace(recipe.load(_recipe(name)), seed=seed)
    if plan.area is None or plan.sharing is None:
        raise CommandError(f"{_recipe(name)}: must have [area] and sharing, which this study is of")
    return plan


def _exported(plan: Recipe, dataset: Dataset, trained: Trained) -> Network:
    """The network of a level, which gives what PyTorch computes."""
    origin = quantize.provenance(plan, dataset)
    network = quantize.export(trained.quantized, plan, origin, trained.scaling, trained.targets)
    quantize.compare(trained.quantized.trace(trained.scaled(dataset.features)), network)
    return network


def _counted(network: Network, dataset: Dataset, parts: Mapping[str, Any]) -> Row:
    """A network's content, its cost, and ``[correct, samples]`` of each part of the dataset."""
    classes, _ = reference.predict(network, dataset.features)
    correct = classes == dataset.labels
    counts = {name: [int(correct[part].sum()), len(part)] for name, part in parts.items()}
    cost = dataclasses.asdict(adders.cost(network))
    return {"network": artifact.to_content(network), **counts, "cost": cost}


def samples(name: str) -> Dataset:
    """The samples that a recipe learns from."""
    plan = recipe.load(_recipe(name))
    if name not in MADE_UP:
        return datasets.load(plan.dataset, plan.folder)
    with tempfile.TemporaryDirectory() as folder:
        data.write(MADE_UP[name], Path(folder))
        return datasets.load(plan.dataset, Path(folder))


def job(name: str, seed: int) -> Job:
    """`learned` as data."""
    return _job(f"{name}-{seed}", "learned", name, {"seed": seed})


def levels_job(name: str, built: Sequence[float]) -> Job:
    """`levels` as data."""
    return _job(f"{name}-levels", "levels", name, {"built": list(built)})


def _job(label: str, function: str, name: str, of: dict[str, Any]) -> Job:
    ingredients = rests_on(HERE, tops=[], files=[_recipe(name)])
    return Job(label, f"{HERE}:{function}", {"name": name, **of}, ingredients)


def network_of(content: Mapping[str, Any]) -> Network:
    """The network of a file's content, read as every other from a file."""
    with tempfile.TemporaryDirectory() as folder:
        return artifact.load(saved(content, Path(folder)))


def saved(content: Mapping[str, Any], folder: Path) -> Path:
    """The file of a network's content, in this folder."""
    lines = json.dumps({**content, "sha256": digest(dict(content))})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "network.json"
    path.write_text(lines)
    return path


def _recipe(name: str) -> Path:
    return FOLDER / f"{name}.toml"
