"""The PyTorch module of a recipe: a class, a list of sizes, or an ONNX file; its parameters."""

import importlib
from pathlib import Path
from types import ModuleType

from torch import nn, random

from common.errors import reason
from common.paths import module as full_name
from model.data.datasets import Dataset
from model.frontends import onnx, torch_fx
from model.frontends.checks import refuse_hidden_steps
from model.frontends.imports import importing, run_file
from model.frontends.mlp import mlp
from model.frontends.results import choose
from model.frontends.state import ModuleError, load_parameters
from model.recipe import Recipe

__all__ = ["ModuleError", "instantiate", "load_parameters", "make", "settled", "sources"]


def make(recipe: Recipe, dataset: Dataset) -> nn.Module:
    """Make the recipe's module in float32: new by PyTorch's random state, or with its parameters.

    Raises `ModuleError`, `OnnxError` where an ONNX file holds something else, and `FrontendError`
    where a module has steps outside its ``forward``.
    """
    if recipe.onnx is not None:
        return onnx.load(recipe.folder / recipe.onnx, recipe.result, recipe.requantize)
    if recipe.module is not None:
        module, _ = instantiate(recipe.module, recipe.folder)
        refuse_hidden_steps(module)
        module = choose(module, recipe.result)
    else:
        outputs = recipe.n_outputs(len(dataset.class_names))
        sizes = len(dataset.feature_names), *(recipe.hidden or ()), outputs
        module = mlp(sizes)
    if recipe.checkpoint is not None:
        load_parameters(module, recipe.folder / recipe.checkpoint)
    return module.float()


def settled(recipe: Recipe, module: nn.Module) -> Recipe:
    """The recipe with the output that its module ends in, where it names none.

    Raises `SpecError` where that would be a softmax, and `FrontendError` as `make`.
    """
    return recipe.ending(in_sigmoid=torch_fx.ends_in_sigmoid(module))


def instantiate(reference: str, folder: Path = Path()) -> tuple[nn.Module, set[Path]]:
    """Make a module of the class ``package.module:Class``, or ``file.py:Class`` in ``folder``.

    Both can import what lies in ``folder``. Also returns the files that were read for it. Raises
    `ModuleError` where there is no such class or it takes arguments.
    """
    place, _, name = reference.rpartition(":")
    with importing(folder) as found:
        try:
            is_file = place.endswith(".py")
            source = run_file(folder / place) if is_file else _imported(place)
            module = getattr(source, name)()
        except Exception as error:  # this runs the user's own code, which may raise anything
            raise ModuleError(
                f"module {reference!r} cannot be made: {type(error).__name__}: {reason(error)}"
            ) from error
    if not isinstance(module, nn.Module):
        raise ModuleError(
            f"module {reference!r} must be an nn.Module, got a {type(module).__name__}"
        )
    return module, found


def _imported(place: str) -> ModuleType:
    return importlib.import_module(full_name(place))


def sources(recipe: Recipe) -> list[Path]:
    """Return every file that the network is made from: when one changes, it is another network.

    Those that the recipe names, those that its Python code reads, and those that hold the tensors
    of an ONNX file. Raises as `make`, and `ModuleError` where a file is missing.
    """
    named = list(recipe.files())
    missing = next((path for path in named if not path.is_file()), None)
    if missing is not None:
        raise ModuleError(f"{missing}: cannot be read: no such file")
    found: set[Path] = set()
    if recipe.module is not None:
        with random.fork_rng(devices=[]):
            _, found = instantiate(recipe.module, recipe.folder)
    if recipe.onnx is not None:
        found |= onnx.external_files(recipe.folder / recipe.onnx)
    known = {path.resolve() for path in named}
    return named + sorted(found - known)
