"""Results of training for export: the parameters of both networks, and the formats found."""

import dataclasses
import hashlib
import warnings
from pathlib import Path
from typing import IO, Any

import torch
from torch import nn

from common.errors import VerbatimError, reason
from model.data.datasets import Dataset
from model.data.scaling import Scaling, TargetScaling
from model.format import Format, SpecError
from model.frontends import torch_fx
from model.frontends.load import make, settled, sources
from model.frontends.torch_fx import Chain, Layer
from model.plain import build
from model.qat.calibration import Calibration
from model.qat.pruning import Choice
from model.qat.quantize import QuantizedNetwork
from model.qat.training import Trained
from model.recipe import Recipe

FILE = "checkpoint.pt"


class CheckpointError(VerbatimError):
    """A checkpoint that cannot be exported: the message names the file and what to do."""


def sources_sha256(recipe: Recipe, dataset: Dataset) -> str:
    """Digest of the recipe, of the samples, and of every file that the network is made from."""
    content = hashlib.sha256((recipe.sha256 + dataset.sha256).encode())
    for path in sources(recipe):
        content.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()


def save(
    trained: Trained,
    recipe: Recipe,
    dataset: Dataset,
    path: Path | IO[bytes],
    sources: str | None = None,
) -> None:
    """Write a checkpoint; `load` needs the same recipe, samples and files.

    ``sources`` is their digest from before the training, which a change meanwhile is not in.
    """
    torch.save(
        {
            "sources_sha256": sources or sources_sha256(recipe, dataset),
            "scaling": None if trained.scaling is None else dataclasses.asdict(trained.scaling),
            "targets": None if trained.targets is None else dataclasses.asdict(trained.targets),
            "float": trained.module.state_dict(),
            "fine_tuned": trained.quantized.module.state_dict(),
            "formats": dataclasses.asdict(trained.quantized.formats),
            **({} if trained.choice is None else {"choice": dataclasses.asdict(trained.choice)}),
        },
        path,
    )


def load(recipe: Recipe, dataset: Dataset, path: Path) -> Trained:
    """Read a checkpoint; nothing in it is executed.

    Raises `CheckpointError` where it is missing, damaged, or was trained from another recipe, other
    samples or other files.
    """
    content = _read(path)
    keys = {"sources_sha256", "scaling", "targets", "float", "fine_tuned", "formats"}
    keys |= {"choice"} if recipe.area else set()
    if not isinstance(content, dict) or set(content) != keys:
        raise CheckpointError(f"{path}: is no checkpoint, expected the keys {sorted(keys)}")
    if content["sources_sha256"] != sources_sha256(recipe, dataset):
        raise CheckpointError(f"{path}: was trained from another recipe, data or code: train again")
    module = make(recipe, dataset)
    recipe = settled(recipe, module)
    if split := torch_fx.behind_front(module):
        module, _ = split
    try:
        _fill(module, "float", content["float"])
        tuned = Chain(torch_fx.core_layers(module, recipe.score)).double()
        _fill(tuned, "fine_tuned", content["fine_tuned"])
        formats = _calibration(content["formats"], torch_fx.layers(tuned))
        plain = content["scaling"]
        scaling = None if plain is None else build(Scaling, "scaling", plain)
        if scaling is not None and len(scaling.scale) != len(dataset.feature_names):
            raise CheckpointError(f"scaling is for {len(scaling.scale)} features")
        plain = content["targets"]
        targets = None if plain is None else build(TargetScaling, "targets", plain)
        if targets is not None and len(targets.scale) != tuned.layers[-1].linear.out_features:
            raise CheckpointError(f"targets are for {len(targets.scale)} values")
        choice = None
        if recipe.area is not None:
            choice = build(Choice, "choice", content["choice"])
            if len(choice.scores) > len(recipe.area.walked):
                raise CheckpointError(f"choice is of {len(choice.scores)} levels")
    except (CheckpointError, SpecError) as error:
        raise CheckpointError(f"{path}: is damaged, train again: {error}") from error
    quantized = QuantizedNetwork(tuned, formats, recipe.score)
    return Trained(module, quantized, scaling, targets=targets, choice=choice)


def _read(path: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read, train first: {reason(error)}") from error
    except Exception as error:  # torch raises whatever the damaged bytes lead it to
        raise CheckpointError(f"{path}: cannot be read: is damaged, train again") from error


def _fill(module: nn.Module, owner: str, parameters: object) -> None:
    """Give a module its parameters, if they are its own: names, shapes, types, all finite."""
    wanted = module.state_dict()
    found = parameters if isinstance(parameters, dict) else {}
    if found.keys() != wanted.keys():
        raise CheckpointError(f"{owner} has not the parameters {', '.join(wanted)}")
    for name, legal in wanted.items():
        tensor = found[name]
        alike = isinstance(tensor, torch.Tensor) and tensor.layout == legal.layout
        if not alike or (tensor.dtype, tensor.shape) != (legal.dtype, legal.shape):
            raise CheckpointError(f"{owner}.{name} is no {legal.dtype} of {list(legal.shape)}")
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{owner}.{name} is not finite")
    module.load_state_dict(found)


def _calibration(plain: object, layers: list[Layer]) -> Calibration:
    fields: dict[str, Any] = {"x": None, "weights": {}, "outputs": {}, "sums": {}} | (
        plain if isinstance(plain, dict) else {}
    )
    names = {
        "weights": {layer.weights for layer in layers},
        "outputs": {layer.name for layer in layers},
        "sums": {layer.name for layer in layers if layer.activation},
    }
    tables = {}
    for key, legal in names.items():
        table = fields[key]
        if len(fields) != 4 or not isinstance(table, dict) or table.keys() != legal:
            raise CheckpointError(f"formats.{key} is not for {', '.join(sorted(legal))}")
        tables[key] = {
            name: build(Format, f"formats.{key}.{name}", fmt) for name, fmt in table.items()
        }
    return Calibration(build(Format, "formats.x", fields["x"]), **tables)
