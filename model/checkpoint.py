"""What training leaves for export: the parameters of both networks, and the formats found."""

import dataclasses
import hashlib
import pickle
from pathlib import Path
from typing import Any

import torch

from model import frontend, modules
from model.calibration import Calibration
from model.datasets import Dataset
from model.errors import VerbatimError
from model.frontend import Chain
from model.quantize import QuantizedNetwork
from model.recipe import Recipe
from model.scaling import Scaling
from model.spec import Format
from model.training import Trained

FILE = "checkpoint.pt"


class CheckpointError(VerbatimError):
    """A checkpoint that cannot be exported: the message names the file and what to do."""


def sources_sha256(recipe: Recipe, dataset: Dataset) -> str:
    """Digest of the recipe, of the samples, and of every file that the recipe names."""
    content = hashlib.sha256((recipe.sha256 + dataset.sha256).encode())
    for path in recipe.files():
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()


def save(trained: Trained, recipe: Recipe, dataset: Dataset, path: Path) -> None:
    """Write a checkpoint; `load` needs the same recipe, samples and files."""
    torch.save(
        {
            "sources_sha256": sources_sha256(recipe, dataset),
            "scaling": None if trained.scaling is None else dataclasses.asdict(trained.scaling),
            "float": trained.module.state_dict(),
            "fine_tuned": trained.quantized.module.state_dict(),
            "formats": dataclasses.asdict(trained.quantized.formats),
        },
        path,
    )


def load(recipe: Recipe, dataset: Dataset, path: Path) -> Trained:
    """Read a checkpoint; nothing in it is executed.

    Raises `CheckpointError` where it is missing, damaged, or was trained from another recipe, other
    samples or other files.
    """
    try:
        content = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: cannot be read, train first: {error}") from error
    keys = {"sources_sha256", "scaling", "float", "fine_tuned", "formats"}
    if not isinstance(content, dict) or set(content) != keys:
        raise CheckpointError(f"{path}: is no checkpoint, legal are the keys {sorted(keys)}")
    if content["sources_sha256"] != sources_sha256(recipe, dataset):
        raise CheckpointError(f"{path}: was trained from another recipe or data, train again")
    module = modules.make(recipe, dataset)
    tuned = Chain(frontend.layers(module)).double()
    try:
        module.load_state_dict(content["float"])
        tuned.load_state_dict(content["fine_tuned"])
    except RuntimeError as error:
        raise CheckpointError(f"{path}: is of another module, train again: {error}") from error
    formats = _calibration(content["formats"])
    scaling = None if content["scaling"] is None else Scaling(**content["scaling"])
    return Trained(module, QuantizedNetwork(tuned, formats, recipe.softmax.score), scaling)


def _calibration(plain: dict[str, Any]) -> Calibration:
    tables = {
        key: {name: Format(**fmt) for name, fmt in plain[key].items()}
        for key in ("weights", "outputs")
    }
    return Calibration(Format(**plain["x"]), **tables)
