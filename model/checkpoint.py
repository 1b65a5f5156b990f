"""What training leaves for export: the parameters of both networks, and the formats found."""

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import torch

from model import frontend
from model.errors import VerbatimError
from model.quantize import Calibration, QuantizedNetwork
from model.recipe import Recipe
from model.spec import Format
from model.training import Trained

FILE = "checkpoint.pt"


class CheckpointError(VerbatimError):
    """A checkpoint that cannot be exported: the message names the file and what to do."""


def save(trained: Trained, recipe: Recipe, path: Path) -> None:
    """Write a checkpoint; `load` needs the same recipe."""
    torch.save(
        {
            "recipe_sha256": recipe.sha256,
            "float": trained.module.state_dict(),
            "fine_tuned": trained.quantized.module.state_dict(),
            "formats": dataclasses.asdict(trained.quantized.formats),
        },
        path,
    )


def load(recipe: Recipe, path: Path) -> Trained:
    """Read a checkpoint; nothing in it is executed.

    Raises `CheckpointError` where it is missing, damaged, or was trained from another recipe.
    """
    try:
        content = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: cannot be read, train first: {error}") from error
    keys = {"recipe_sha256", "float", "fine_tuned", "formats"}
    if not isinstance(content, dict) or set(content) != keys:
        raise CheckpointError(f"{path}: is no checkpoint, legal are the keys {sorted(keys)}")
    if content["recipe_sha256"] != recipe.sha256:
        raise CheckpointError(f"{path}: was trained from another recipe, train again")
    module, tuned = (frontend.instantiate(recipe.module) for _ in range(2))
    try:
        module.load_state_dict(content["float"])
        tuned.double().load_state_dict(content["fine_tuned"])
    except RuntimeError as error:
        raise CheckpointError(f"{path}: is of another module, train again: {error}") from error
    formats = _calibration(content["formats"])
    return Trained(module, QuantizedNetwork(tuned, formats, recipe.softmax.score))


def _calibration(plain: dict[str, Any]) -> Calibration:
    tables = {
        key: {name: Format(**fmt) for name, fmt in plain[key].items()}
        for key in ("weights", "outputs")
    }
    return Calibration(Format(**plain["x"]), **tables)
