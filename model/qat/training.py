"""Float training, and fine-tuning through the integers and the softmax of the hardware."""

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from model import adders
from model.data import scaling
from model.data.datasets import Dataset
from model.data.scaling import Scaling, TargetScaling
from model.format import Int
from model.frontends import checks, load, torch_fx
from model.frontends.torch_fx import Chain, Layer
from model.qat import pruning
from model.qat.calibration import Calibration, calibrate, of_logits
from model.qat.epochs import Advance, TrainingError, minimize
from model.qat.losses import SCORES
from model.qat.pruning import Choice, Held
from model.qat.quantize import QuantizedNetwork, export, shapes
from model.recipe import Recipe, Training

# Labels ``[samples]``, or scaled targets ``[samples, n]`` of a regression.
Goals = NDArray[np.int64] | NDArray[np.float64]
# Of outputs and targets ``[samples, n]``, the mean over all.
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Trained:
    """The float module, and the quantized network that was fine-tuned from it.

    Both take features as ``scaling`` leaves them, and give values as ``targets`` scales them; None
    leaves them as they are. Of a network that
    is ``given``, which came quantized, the module rounds too, and nothing was fine-tuned. Of a
    network that was pruned, ``choice`` is how far.
    """

    module: nn.Module
    quantized: QuantizedNetwork
    scaling: Scaling | None = None
    given: bool = False
    targets: TargetScaling | None = None
    choice: Choice | None = None

    def scaled(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The networks' inputs for raw features ``[samples, n_in]``."""
        return features if self.scaling is None else self.scaling.apply(features)


def learn(recipe: Recipe, dataset: Dataset, train: Int, advance: Advance = lambda: None) -> Trained:
    """Follow a recipe on the samples ``train``; ``advance`` is called after each epoch.

    Raises `FrontendError`, `ModuleError` and `SpecError` where module and recipe do not fit each
    other, `TrainingError` where a loss is not finite. Same seed, same machine: same bits.
    With ``area`` in the recipe these samples are cross-validated first, for the level to prune to.
    """
    if recipe.area is None:
        return _learn(recipe, dataset, train, advance)
    judged = functools.partial(_held_out, recipe, dataset, advance)
    choice = pruning.choose(recipe.area, dataset, train, recipe.seed, judged)
    levels = recipe.area.walked[: choice.level + 1]
    return replace(_learn(recipe, dataset, train, advance, levels), choice=choice)


def walk(
    recipe: Recipe,
    dataset: Dataset,
    train: Int,
    judge: Callable[[Trained], None],
    advance: Advance = lambda: None,
) -> None:
    """Follow a recipe with ``area`` to the last of its levels; ``judge`` is called at each.

    Raises what `learn` raises.
    """
    assert recipe.area is not None
    _learn(recipe, dataset, train, advance, recipe.area.walked, judge)


def _held_out(
    recipe: Recipe, dataset: Dataset, advance: Advance, learned: Int, held: Int
) -> list[Held]:
    """Errors on the samples ``held`` at each level of a network of the others."""
    found: list[Held] = []

    def judge(trained: Trained) -> None:
        network = export(trained.quantized, recipe, {}, trained.scaling, trained.targets)
        errors = _errors(trained, dataset, held)
        found.append(Held(errors, adders.cost(network).luts))

    walk(recipe, dataset, learned, judge, advance)
    return found


def _errors(trained: Trained, dataset: Dataset, held: Int) -> float:
    """Samples ``held`` that are wrong; of a regression the sum of squared errors."""
    with torch.no_grad():
        logits = trained.quantized.logits(torch.tensor(trained.scaled(dataset.features[held])))
        scores, _ = trained.quantized.scores(logits)
    if dataset.targets is None:
        classes = SCORES[trained.quantized.score].classes(scores)
        return _wrong(classes, torch.tensor(dataset.labels[held]))
    values = scores.numpy()
    values = values if trained.targets is None else trained.targets.undo(values)
    return float(((values - dataset.targets[held]) ** 2).sum())


def _learn(
    recipe: Recipe,
    dataset: Dataset,
    train: Int,
    advance: Advance,
    levels: Sequence[float] = (1.0,),
    judge: Callable[[Trained], None] = lambda trained: None,
) -> Trained:
    """As `learn`, pruned to each of these levels; ``judge`` is called at each."""
    torch.manual_seed(recipe.seed)
    module = load.make(recipe, dataset)
    recipe = load.settled(recipe, module)
    core = torch_fx.core_layers(module, recipe.score)
    recipe.plan(shapes(core))
    recipe.formats.check([(layer.name, layer.weights) for layer in core])
    check_shape(recipe, dataset, core)
    found = find_scaling(recipe, dataset.features[train])
    features = dataset.features[train] if found is None else found.apply(dataset.features[train])
    labels: Goals = dataset.labels[train]
    targets = None
    if dataset.targets is not None:
        if recipe.score == "sigmoids":
            dataset.require_labels()
        elif torch_fx.given(module, recipe.score) is not None:
            raise TrainingError(
                "a regression must not take codes as they come: requantize = true in the recipe "
                "quantizes the float weights inside"
            )
        elif recipe.training is not None and not (core[-1].relu or core[-1].activation):
            # An activation at the end bounds what it gives, in the units of the targets themselves.
            targets = TargetScaling.standardizing(dataset.targets[train])
        labels = dataset.targets[train]
        labels = labels if targets is None else targets.apply(labels)
    if torch_fx.given(module, recipe.score) is not None:
        return Trained(module, take_given(module, features, recipe), found, given=True)
    checks.require_equal(module, torch_fx.layers(module, recipe.score), features)
    behind, _, inputs = without_front(module, found, features)
    rehearse(torch_fx.core_layers(behind, recipe.score), inputs, recipe)
    if recipe.training is not None:
        penalty = recipe.area.penalty if recipe.area else 0.0
        train_float(module, features, labels, recipe.training, advance, _loss(recipe), penalty)
        checks.require_equal(module, torch_fx.layers(module, recipe.score), features)
    module, found, features = without_front(module, found, features)
    for network in tuned(module, features, labels, recipe, advance, levels):
        trained = Trained(module, network, found, targets=targets)
        judge(trained)
    return trained


def take_given(
    module: nn.Module, features: NDArray[np.float64], recipe: Recipe
) -> QuantizedNetwork:
    """The network of a module that came quantized, in its own formats and codes.

    The last layer alone gets a format by the recipe, where it has none. Raises `FrontendError`
    where a value differs from the module's own.
    """
    given = torch_fx.given(module, recipe.score)
    assert given is not None
    least = float(features.min())
    if given.unsigned and least < 0:
        raise TrainingError(
            "the network's input has codes without a sign: features must be at least 0, got "
            f"{least}"
        )
    last = given.layers[-1]
    outputs = dict(given.outputs)
    logits = own_logits(
        copy.deepcopy(module).double(), torch.tensor(features).double(), recipe.score
    )
    before = outputs[given.layers[-2].name] if len(given.layers) > 1 else given.x
    if last.name not in outputs:
        finest = given.weights[last.weights].frac + before.frac
        outputs[last.name] = of_logits(recipe.formats, last.name, logits, finest)
    chain = Chain(given.layers)
    network = QuantizedNetwork(
        chain, Calibration(given.x, given.weights, outputs, given.sums), recipe.score
    )
    checks.require_same_codes(
        module,
        network.layer_values(torch.tensor(features).double()),
        last,
        logits,
        last.name in given.outputs,
    )
    return network


def without_front(
    module: nn.Module, found: Scaling | None, features: NDArray[np.float64]
) -> tuple[nn.Module, Scaling | None, NDArray[np.float64]]:
    """Move what stands in front of a module's first layer into the scaling of its features.

    Also returns the features as the module without it takes them.
    """
    split = torch_fx.behind_front(module)
    if split is None:
        return module, found, features
    behind, front = split
    inputs = front.apply(features)
    checks.require_equal(module, behind.layers, features, inputs)
    return behind, front if found is None else found.then(front), inputs


def rehearse(layers: list[Layer], features: NDArray[np.float64], recipe: Recipe) -> None:
    """Calibrate and export a network before it is trained, so that what export refuses is said now.

    Raises `SpecError` and `QuantizeError`, as the export does.
    """
    chain = Chain(layers).double()
    formats = calibrate(chain.layers, features, recipe.formats)
    export(QuantizedNetwork(chain, formats, recipe.score), recipe, {})


def find_scaling(recipe: Recipe, features: NDArray[np.float64]) -> Scaling | None:
    """Scaling of raw features by the recipe, as these ``[samples, n_in]`` of the training say."""
    if isinstance(recipe.features, Scaling):
        if len(recipe.features.scale) != features.shape[1]:
            raise TrainingError(
                f"features: scale must have {features.shape[1]} numbers, one for each feature, got "
                f"{len(recipe.features.scale)}"
            )
        return recipe.features
    return scaling.standardize(features) if recipe.features == "standardize" else None


def check_shape(recipe: Recipe, dataset: Dataset, layers: list[Layer]) -> None:
    """Raise `TrainingError` unless the network takes the features and gives the classes."""
    has = (layers[0].linear.in_features, layers[-1].linear.out_features)
    needs = (len(dataset.feature_names), recipe.n_outputs(len(dataset.class_names)))
    if has != needs:
        raise TrainingError(
            f"the network has (inputs, outputs) = {has}, expected (features, classes) = {needs} of "
            f"dataset {dataset.name}"
        )


def train_float(
    module: nn.Module,
    features: NDArray[np.float64],
    labels: Goals,
    settings: Training,
    advance: Advance = lambda: None,
    loss: Loss = F.mse_loss,
    penalty: float = 0.0,
) -> None:
    """Train in place and in float32, on the cross-entropy of the ordinary softmax.

    Of targets ``[samples, n]`` on ``loss``. Features are ``[samples, n_in]``, as the module takes
    them; ``penalty`` is that of `pruning.penalty`. Raises `TrainingError`.
    """
    logits_of = torch_fx.logits(module.train())
    x, target = torch.tensor(features, dtype=torch.float32), torch.tensor(labels)

    def evaluate() -> tuple[Tensor, int]:
        if target.ndim == 2:
            return loss(_as_columns(logits_of(x)), target.float()), 0
        logits = _of_two(logits_of(x))
        return F.cross_entropy(logits, target), _wrong(logits.argmax(dim=1), target)

    minimize(module, evaluate, settings, advance, penalty)
    module.eval()


def fine_tune(
    module: nn.Module,
    features: NDArray[np.float64],
    labels: Goals,
    recipe: Recipe,
    advance: Advance = lambda: None,
    kind: type[QuantizedNetwork] = QuantizedNetwork,
) -> QuantizedNetwork:
    """Calibrate a copy of a float module and train it on, through fake quantization.

    The loss is the mean of ``-log(score of the label / sum of scores)``: for `taylor2` of the
    scores that the hardware has, for `exp` of the exponential itself, since the steps of its table
    have no slope; of a regression it is the mean squared error, of labels that do not exclude each
    other their binary cross-entropy. The classes are the hardware's.
    Quantized networks jump from epoch to epoch: kept are the weights of the epoch with the fewest
    of these samples wrong, then the lowest loss.
    Weights that come with the network as exact zeros were pruned, and stay zero.
    ``kind`` may be another network than the hardware's, for studies of what it would give.
    Raises `TrainingError`.
    """
    (network,) = tuned(module, features, labels, recipe, advance, kind=kind)
    return network


def tuned(
    module: nn.Module,
    features: NDArray[np.float64],
    labels: Goals,
    recipe: Recipe,
    advance: Advance = lambda: None,
    levels: Sequence[float] = (1.0,),
    kind: type[QuantizedNetwork] = QuantizedNetwork,
) -> Iterator[QuantizedNetwork]:
    """As `fine_tune`, of these parts of all weights in turn: each network is valid until the next.

    Ends before a level at which a matrix would have no weight left.
    """
    chain = Chain(torch_fx.core_layers(module, recipe.score)).double()
    layers = chain.layers
    score, loss = SCORES[recipe.score], _loss(recipe)
    if score.rises_from is not None:
        raise_logits(layers, features, score.rises_from)
    x, target = torch.tensor(features, dtype=torch.float64), torch.tensor(labels)
    penalty = recipe.area.penalty if recipe.area else 0.0
    for level in levels:
        if level < 1 and not pruning.prune(layers, level):
            return
        network = kind(chain, calibrate(layers, features, recipe.formats), recipe.score)
        let_go = pruning.keep_zeros(layers) if recipe.training is None or level < 1 else None

        def evaluate(network: QuantizedNetwork = network) -> tuple[Tensor, int]:
            logits = network.logits(x)
            if target.ndim == 2:
                return loss(logits, target), 0
            scores, _ = network.scores(logits)
            wrong = _wrong(score.classes(scores), target)
            return F.nll_loss(score.log_probabilities(logits), target), wrong

        best = minimize(chain, evaluate, recipe.fine_tuning, advance, penalty)
        chain.load_state_dict(best)
        if let_go:
            let_go()
        yield network


def _loss(recipe: Recipe) -> Loss:
    """The loss of targets ``[samples, n]``."""
    return F.mse_loss if recipe.is_regression else F.binary_cross_entropy_with_logits


def raise_logits(layers: list[Layer], features: NDArray[np.float64], lowest: float) -> None:
    """Move the last biases, all by the same amount, so that the least logit is ``lowest``.

    The ordinary softmax does not notice; a score that only rises from ``lowest`` on then ranks the
    classes as the ordinary softmax does. A last layer that is shared, has no bias, or has an
    activation behind it, such as a ReLU, stays as it is.
    """
    last = layers[-1].linear
    shared = any(layer.linear is last for layer in layers[:-1])
    if last.bias is None or layers[-1].relu or layers[-1].activation or shared:
        return
    with torch.no_grad():
        logits = torch_fx.outputs(layers, torch.tensor(features, dtype=torch.float64))[-1]
        last.bias.add_(lowest - logits.min())


def probabilities(module: nn.Module, features: NDArray[np.float64]) -> NDArray[np.float32]:
    """The ordinary softmax of the float module's logits, ``[samples, classes]``."""
    logits = own_logits(module, torch.tensor(features, dtype=torch.float32))
    output: NDArray[np.float32] = F.softmax(logits, dim=1).numpy()
    return output


def values(trained: Trained, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a float module ``[samples, n]``, in the units of its targets.

    Of labels that do not exclude each other, their probabilities.
    """
    with torch.no_grad():
        x = torch.tensor(features, dtype=torch.float32)
        logits = _as_columns(torch_fx.logits(trained.module.eval())(x))
        if trained.quantized.score == "sigmoids":
            logits = logits.sigmoid()
    found: NDArray[np.float64] = logits.double().numpy()
    return found if trained.targets is None else trained.targets.undo(found)


def _as_columns(values: Tensor) -> Tensor:
    return values[:, None] if values.ndim == 1 else values


def own_logits(module: nn.Module, x: Tensor, output: str = "softmax") -> Tensor:
    """A module's logits ``[samples, classes]`` in evaluation; of one output, those of two.

    Each by itself where the ``output`` is one that takes it so.
    """
    with torch.no_grad():
        found = torch_fx.logits(module.eval())(x)
    return found if output in torch_fx.AS_THEY_ARE else _of_two(found)


def _of_two(logits: Tensor) -> Tensor:
    """Logits of at least two classes: one alone is that of the second, against 0."""
    if logits.shape[1] > 1:
        return logits
    return torch.cat([torch.zeros_like(logits), logits], dim=1)


def _wrong(classes: Tensor, target: Tensor) -> int:
    return int((classes != target).sum())
