"""Pruning while fine-tuning: fewer weights level by level, the level found by cross-validation."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from common.errors import VerbatimError
from model import adders
from model.artifact import Network
from model.data.datasets import Dataset
from model.format import Int, require, require_integer
from model.frontends.torch_fx import Layer
from model.recipe import Recipe
from model.sparsity import Sparsity

# Scores of the levels of one part of the cross-validation, with the LUTs that each is predicted.
Walk = Callable[[Int, Int], list["Held"]]


class PruningError(VerbatimError):
    """Samples among which no level can be chosen: the message says what was found."""


@dataclass(frozen=True)
class Held:
    """A level on samples held out: the sum of their errors, and the LUTs predicted."""

    errors: float
    luts: int


@dataclass(frozen=True)
class Choice:
    """Levels of a recipe as cross-validation ranks them: scores, mean LUTs, the one chosen.

    Level 0 has all weights. A score is the share of samples correct, or R2 of a regression.
    """

    scores: tuple[float, ...]
    luts: tuple[int, ...]
    level: int

    def __post_init__(self) -> None:
        count = len(self.scores)
        require_integer("choice", 0, count - 1, level=self.level)
        legal = all(isinstance(score, float) and math.isfinite(score) for score in self.scores)
        require(legal, f"choice: scores must be finite floats, got {self.scores!r}")
        require(
            len(self.luts) == count, f"choice: luts must be {count} integers, got {self.luts!r}"
        )
        for index, luts in enumerate(self.luts):
            require_integer("choice", 0, 1 << 53, **{f"luts[{index}]": luts})


def keep_zeros(layers: list[Layer]) -> Callable[[], None]:
    """Let training leave every weight alone that is exactly 0 now, as pruning leaves them.

    Calling the result ends that.
    """
    handles = []
    for linear in dict.fromkeys(layer.linear for layer in layers):
        kept = linear.weight.detach() != 0
        if not kept.all():
            masked = functools.partial(torch.mul, kept.double())
            handles.append(linear.weight.register_hook(masked))  # type: ignore[no-untyped-call]

    def end() -> None:
        for handle in handles:
            handle.remove()

    return end


def prune(layers: list[Layer], fraction: float) -> bool:
    """Set all but this fraction of the weights to 0: the least, against the largest of the matrix.

    What then neither varies nor is read goes too. Nothing is changed and False returned where a
    matrix would lose its last weight.
    """
    linears = {layer.weights: layer.linear for layer in layers}
    sizes = {
        key: linear.weight.detach().abs() / linear.weight.detach().abs().max().clamp(min=1e-30)
        for key, linear in linears.items()
    }
    ranked = torch.cat([size.flatten() for size in sizes.values()]).sort(descending=True).values
    least = max(float(ranked[max(1, round(fraction * len(ranked))) - 1]), 1e-30)
    masks = {key: (size >= least).numpy() for key, size in sizes.items()}
    masks = adders.alive([layer.weights for layer in layers], masks)
    if not all(mask.any() for mask in masks.values()):
        return False
    with torch.no_grad():
        for key, linear in linears.items():
            linear.weight.mul_(torch.tensor(masks[key], dtype=linear.weight.dtype))
    return True


def penalty(module: nn.Module, factor: float) -> Tensor:
    """``factor`` times the sum of all absolute weights, without biases; differentiable."""
    matrices = [parameter for parameter in module.parameters() if parameter.ndim > 1]
    return factor * torch.stack([matrix.abs().sum() for matrix in matrices]).sum()


def choose(settings: Sparsity, dataset: Dataset, train: Int, seed: int, walk: Walk) -> Choice:
    """Choose the level of the fewest predicted LUTs whose score is at most ``lost`` below the best.

    ``walk(learned, held)`` trains on the samples ``learned``, a part of ``train``, level by level.
    Raises `PruningError` where a class has fewer samples than there are splits.
    """
    walks = [walk(learned, held) for learned, held in splits(settings, dataset, train, seed)]
    levels = min(map(len, walks))
    errors = [sum(walk[level].errors for walk in walks) for level in range(levels)]
    luts = [round(float(np.mean([walk[level].luts for walk in walks]))) for level in range(levels)]
    scores = [1 - error / _most(dataset, train) for error in errors]
    allowed = [n for n in range(levels) if scores[n] >= max(scores) - settings.lost - 1e-12]
    level = min(allowed, key=lambda n: (luts[n], n))
    return Choice(tuple(round(score, 6) for score in scores), tuple(luts), level)


def splits(
    settings: Sparsity, dataset: Dataset, train: Int, seed: int
) -> Iterator[tuple[Int, Int]]:
    """Samples to learn from and those held out, each of ``train`` once; each class in proportion.

    Raises `PruningError` where that cannot be.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    labels, count = dataset.labels[train], settings.splits
    occur, found = np.unique(labels, return_counts=True)
    if found.min() < count:
        few = (
            f"{len(train)} samples"
            if dataset.targets is not None
            else f"{found.min()} of class {dataset.class_names[occur[found.argmin()]]!r}"
        )
        raise PruningError(
            f"area: splits must be at most the training samples of each class, got {count} for "
            f"{few}"
        )
    kind = KFold if dataset.targets is not None else StratifiedKFold
    for learned, held in kind(count, shuffle=True, random_state=seed).split(train, labels):
        yield train[learned], train[held]


def _most(dataset: Dataset, train: Int) -> float:
    """The sum of errors with score 0: all samples wrong, or each target taken for the mean."""
    if dataset.targets is None:
        return len(train)
    targets = dataset.targets[train]
    return float(((targets - targets.mean(axis=0)) ** 2).sum())


def recorded(network: Network, recipe: Recipe, choice: Choice) -> Network:
    """The network with the choice of its level, and what is left of it, in its provenance."""
    assert recipe.area is not None
    found = adders.cost(network)
    facts = {
        "weights": found.weights,
        "kept": found.kept,
        "predicted_luts": found.luts,
        "level": recipe.area.walked[choice.level],
        "levels": list(recipe.area.walked[: len(choice.scores)]),
        "cross_validated": list(choice.scores),
        "cross_validated_luts": list(choice.luts),
    }
    return dataclasses.replace(network, provenance={**network.provenance, "area": facts})


def summary(network: Network) -> str:
    """Weights kept of a network that `recorded` has given, and its scores, for a person."""
    facts = network.provenance["area"]
    score = facts["cross_validated"][facts["levels"].index(facts["level"])]
    return (
        f"{facts['kept']} of {facts['weights']} weights kept, {facts['predicted_luts']:,} LUTs "
        f"predicted unrolled\nlevel {facts['level']:g} cross-validated to {score:.4f}, the best to "
        f"{max(facts['cross_validated']):.4f}"
    )
