"""The plan of a recipe: its shape and softmax, and what it does not say of learning."""

import math

from model.learning.backprop import IRIS, Plan
from model.learning.learner import LearningError
from model.recipe import Recipe

# What a recipe does not say: epochs, and of digits under taylor2 half the rate.
EPOCHS = {"iris": 100, "wine": 50, "breast_cancer": 30, "digits": 30}
OTHER_EPOCHS = 100
ETA, SLOW_ETA = 5, 6
ARTICLE = "model.frontends.irisnet:IrisNet"


def start_range(n_in: int) -> int:
    """The range of a start near ``1 / sqrt(n_in)``, which lies in ``+-2**-range``.

    >>> [start_range(n) for n in (1, 4, 8, 13, 30, 32, 64)]
    [0, 1, 1, 2, 2, 2, 3]
    """
    return math.ceil(math.log2(n_in) / 2 - 0.5)


def of_recipe(
    recipe: Recipe, n_in: int, n_out: int, samples: int, epochs: int | None = None
) -> Plan:
    """The plan of a recipe's shape and softmax, for so many samples to learn.

    Raises `LearningError` where its module is not IrisNet and it has no ``hidden``, and
    `SpecError` where no core can be this.
    """
    if recipe.has_targets:
        raise LearningError(
            f"recipe {recipe.name}: the core that learns tells classes apart, got targets of a "
            "regression"
        )
    if recipe.hidden is None and recipe.module != ARTICLE:
        raise LearningError(
            f"recipe {recipe.name}: the network must be {ARTICLE} or a list of hidden layers "
            "to be learned from its start"
        )
    sizes, sets, relu = IRIS.sizes, IRIS.sets, IRIS.relu
    if recipe.hidden is not None:
        sizes = (n_in, *recipe.hidden, n_out)
        sets = tuple(range(len(sizes) - 1))
        relu = (True,) * len(recipe.hidden) + (False,)
    dataset = recipe.dataset if isinstance(recipe.dataset, str) else ""
    score = recipe.softmax.score
    return Plan(
        sizes,
        sets,
        relu,
        tuple(start_range(sizes[sets.index(number)]) for number in range(len(set(sets)))),
        EPOCHS.get(dataset, OTHER_EPOCHS) if epochs is None else epochs,
        samples,
        score,
        recipe.softmax.divider,
        SLOW_ETA if (dataset, score) == ("digits", "taylor2") else ETA,
    )
