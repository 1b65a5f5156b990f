"""The PyTorch module of a recipe: a class, a list of sizes, or an ONNX file; its parameters."""

import importlib
import importlib.util
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from common.errors import VerbatimError
from model.data.datasets import Dataset
from model.frontends import onnx
from model.frontends.mlp import mlp
from model.recipe import Recipe


class ModuleError(VerbatimError):
    """A module that cannot be made: the message names it, or the file of its parameters."""


def make(recipe: Recipe, dataset: Dataset) -> nn.Module:
    """The recipe's module in float32: new by PyTorch's random state, or with its own parameters.

    Raises `ModuleError`, or `OnnxError` where an ONNX file holds something else.
    """
    if recipe.onnx is not None:
        return onnx.load(recipe.folder / recipe.onnx)
    if recipe.module is not None:
        module = instantiate(recipe.module, recipe.folder)
    else:
        sizes = len(dataset.feature_names), *(recipe.hidden or ()), len(dataset.class_names)
        module = mlp(sizes)
    if recipe.checkpoint is not None:
        load_parameters(module, recipe.folder / recipe.checkpoint)
    return module.float()


def instantiate(reference: str, folder: Path = Path()) -> nn.Module:
    """A new module of the class ``package.module:Class``, or ``file.py:Class`` in ``folder``.

    Raises `ModuleError` where there is no such class or it takes arguments.
    """
    place, _, name = reference.rpartition(":")
    try:
        source = _run_file(folder / place) if place.endswith(".py") else _import(place)
        module = getattr(source, name)()
    except Exception as error:  # this runs the user's own code, which may raise anything
        raise ModuleError(
            f"module {reference!r} cannot be made: {type(error).__name__}: {_line(error)}"
        ) from error
    if not isinstance(module, nn.Module):
        raise ModuleError(f"module {reference!r} is a {type(module).__name__}, legal: nn.Module")
    return module


def _import(name: str) -> ModuleType:
    return importlib.import_module(name)


def _run_file(path: Path) -> ModuleType:
    """A Python file as a module of its own; classes find it by its name while it runs."""
    name = f"verbatim_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def load_parameters(module: nn.Module, path: Path) -> None:
    """Fill a module from a state_dict: a `torch.save` file, of which nothing is executed, or
    safetensors.

    Raises `ModuleError` where the file cannot be read or its parameters are another module's.
    """
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise ModuleError(f"{path}: cannot be read: {_line(error)}") from error
    if not isinstance(state, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise ModuleError(f"{path}: is no state_dict, legal is what module.state_dict() returns")
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ModuleError(
            f"{path}: does not fit {type(module).__name__}: {_line(error)}"
        ) from error
