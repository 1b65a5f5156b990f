"""Float training, and fine-tuning through the integers and the softmax of the hardware."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from model import frontend
from model.datasets import Dataset
from model.errors import VerbatimError
from model.frontend import Layer
from model.quantize import SCORES, QuantizedNetwork, calibrate, check_folds, float_outputs
from model.recipe import FineTuning, Recipe, Training
from model.spec import Int

Advance = Callable[[], None]


class TrainingError(VerbatimError):
    """Training that does not get anywhere: the message says when it stopped."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The float module, and the quantized network that was fine-tuned from it."""

    module: nn.Module
    quantized: QuantizedNetwork


def learn(recipe: Recipe, dataset: Dataset, train: Int, advance: Advance = lambda: None) -> Trained:
    """Follow a recipe on the samples ``train``; ``advance`` is called after each epoch.

    Raises `FrontendError` and `SpecError` where module and recipe do not fit each other,
    `TrainingError` where a loss is not finite. Same seed, same machine: same bits.
    """
    torch.manual_seed(recipe.seed)
    module = frontend.instantiate(recipe.module)
    layers = frontend.layers(module)
    check_folds(recipe, layers)
    check_shape(dataset, layers)
    features, labels = dataset.features[train], dataset.labels[train]
    train_float(module, features, labels, recipe.training, advance)
    return Trained(module, fine_tune(module, features, labels, recipe, advance))


def check_shape(dataset: Dataset, layers: list[Layer]) -> None:
    """Raise `TrainingError` unless the network takes the features and gives the classes."""
    has = (layers[0].linear.in_features, layers[-1].linear.out_features)
    needs = (len(dataset.feature_names), len(dataset.class_names))
    if has != needs:
        raise TrainingError(
            f"the network has (inputs, outputs) = {has}, legal for dataset {dataset.name} is "
            f"(features, classes) = {needs}"
        )


def train_float(
    module: nn.Module,
    features: NDArray[np.float64],
    labels: Int,
    settings: Training,
    advance: Advance = lambda: None,
) -> None:
    """Train in place and in float32, on the cross-entropy of the ordinary softmax.

    Features are ``[samples, n_in]``, in their own units. Raises `TrainingError`.
    """
    layers = frontend.layers(module)
    x, target = torch.tensor(features, dtype=torch.float32), torch.tensor(labels)

    def evaluate() -> tuple[Tensor, int]:
        logits = float_outputs(layers, x)[-1]
        return F.cross_entropy(logits, target), _wrong(logits, target)

    _minimize(module, evaluate, settings, advance)


def fine_tune(
    module: nn.Module,
    features: NDArray[np.float64],
    labels: Int,
    recipe: Recipe,
    advance: Advance = lambda: None,
) -> QuantizedNetwork:
    """Calibrate a copy of a float module and train it on, through fake quantization.

    The loss is the mean of ``-log(score of the label / sum of scores)``: for `taylor2` of the
    scores that the hardware has, for `exp` of the exponential itself, since the steps of its table
    have no slope. The classes are the hardware's. Quantized networks jump from epoch to epoch: kept
    are the weights of the epoch with the fewest of these samples wrong, then the lowest loss.
    Raises `TrainingError`.
    """
    module = copy.deepcopy(module).double()
    layers = frontend.layers(module)
    score = SCORES[recipe.softmax.score]
    if score.rises_from is not None:
        raise_logits(layers, features, score.rises_from)
    formats = calibrate(layers, features, recipe.formats)
    network = QuantizedNetwork(module, formats, recipe.softmax.score)
    x, target = torch.tensor(features, dtype=torch.float64), torch.tensor(labels)

    def evaluate() -> tuple[Tensor, int]:
        logits = network.logits(x)
        scores, _ = network.scores(logits)
        return F.nll_loss(score.log_probabilities(logits), target), _wrong(scores, target)

    module.load_state_dict(_minimize(module, evaluate, recipe.fine_tuning, advance))
    return network


def raise_logits(layers: list[Layer], features: NDArray[np.float64], lowest: float) -> None:
    """Move the last biases, all by the same amount, so that the least logit is ``lowest``.

    The ordinary softmax does not notice; a score that only rises from ``lowest`` on then ranks the
    classes as the ordinary softmax does. A last layer that is shared or has no bias stays as it is.
    """
    last = layers[-1].linear
    if last.bias is None or any(layer.linear is last for layer in layers[:-1]):
        return
    with torch.no_grad():
        logits = float_outputs(layers, torch.tensor(features, dtype=torch.float64))[-1]
        last.bias.add_(lowest - logits.min())


def probabilities(module: nn.Module, features: NDArray[np.float64]) -> NDArray[np.float32]:
    """The float module's own output ``[samples, classes]``, ordinary softmax included."""
    with torch.no_grad():
        output: NDArray[np.float32] = module(torch.tensor(features, dtype=torch.float32)).numpy()
    return output


def _wrong(scores: Tensor, target: Tensor) -> int:
    return int((scores.argmax(dim=1) != target).sum())


def _minimize(
    module: nn.Module,
    evaluate: Callable[[], tuple[Tensor, int]],
    settings: Training | FineTuning,
    advance: Advance,
) -> dict[str, Tensor]:
    """Run Adam on the module in place; return the parameters of its best epoch.

    ``evaluate`` gives the loss and the number of samples wrong; fewest wrong, then least loss wins.
    """
    optimizer = torch.optim.Adam(module.parameters(), lr=settings.learning_rate, foreach=True)
    least, best = (math.inf, math.inf), copy.deepcopy(module.state_dict())
    for epoch in range(settings.epochs):
        optimizer.zero_grad()
        loss, wrong = evaluate()
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"loss is {loss.item()} in epoch {epoch} at learning_rate "
                f"{settings.learning_rate}, legal is a finite loss: try a smaller learning_rate"
            )
        if (wrong, loss.item()) < least:
            least, best = (wrong, loss.item()), copy.deepcopy(module.state_dict())
        torch.autograd.backward([loss])
        optimizer.step()
        advance()
    return best
