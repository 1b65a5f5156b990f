"""Jobs of the study of learning: functions whose figures are JSON values."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from common.paths import RECIPES
from model import recipe, reference
from model.data import datasets
from model.data.datasets import Dataset
from model.data.scaling import Scaling
from model.format import Format, Int
from model.learning import floats
from model.learning.backprop import IRIS, Plan
from model.learning.from_recipe import SLOW_ETA
from model.learning.learner import Learner
from model.learning.plans import INPUT, PLANS, scaling_of, with_score
from studies.learning_runs import ROUNDINGS, Floats, Integers, Rule, Samples, of_samples

TEST_FRACTION = 0.2
# What counts as learned: correct training and test samples of iris.
ENOUGH = 118, 29
MARKS = (0, 10, 30, 100, 300)
CASES = ("drift", "rare class")
# Of the drift: gain 1 +- GAIN, offset in deviations of a feature; samples of the rare class.
GAIN, OFFSET, RARE = 0.1, 0.5, 2

# The study's size.
SETTINGS = {"starts": 20, "raw_starts": 8, "raw_epochs": 1000, "splits": 5, "seeds": 5}

Figures = dict[str, Any]


def plan_of(name: str, score: str) -> Plan:
    """A dataset's plan through a score; digits under taylor2 have half the rate."""
    plan = with_score(PLANS[name], score)
    slow = (name, score) == ("digits", "taylor2")
    return dataclasses.replace(plan, eta=SLOW_ETA) if slow else plan


# One thing changed, in the order of the table; plan and rule of each.
LONG: Figures = {"epochs": 500, "eta": 7}
CHOICES: dict[str, tuple[Figures, Rule]] = {
    "as specified, exp": ({}, Rule()),
    "as specified, taylor2": ({"score": "taylor2"}, Rule()),
    "float SGD, exp": ({"float": True}, Rule()),
    "float SGD, taylor2": ({"float": True, "score": "taylor2"}, Rule()),
    "masters of 12 bits": ({}, Rule(master_w=12)),
    "masters of 10 bits": ({}, Rule(master_w=10)),
    "masters of 8 bits": ({}, Rule(master_w=8)),
    "500 epochs from 2^-7, update rounded: floor": (LONG, Rule(rounding="floor")),
    "500 epochs from 2^-7, update rounded: half to even": (LONG, Rule(rounding="half to even")),
    "500 epochs from 2^-7, update rounded: dither": (LONG, Rule()),
    "deltas of 8 bits, frac 6": ({}, Rule(delta=Format(8, 6))),
    "deltas of 8 bits, frac 6, floor": ({}, Rule(delta=Format(8, 6), floor=True)),
    "rate 2^-3 at first": ({"eta": 3}, Rule()),
    "weights of 4 bits forward and backward": ({}, Rule(weight_w=4)),
    "taylor2, p - onehot for the slope": ({"score": "taylor2"}, Rule(slope="one")),
    "taylor2, its sign only": ({"score": "taylor2"}, Rule(slope="sign")),
    "start in +-2^-4": ({"ranges": (4, 4, 4)}, Rule()),
}


def choice(name: str, starts: int) -> Figures:
    """Correct training and test samples of iris from each start, seeds 1 and up."""
    changes, rule = CHOICES[name]
    wanted = {"score": "exp", **changes}
    in_float = wanted.pop("float", False)
    plan = dataclasses.replace(with_score(IRIS, wanted.pop("score")), **wanted)
    data = datasets.load("iris")
    train, test = datasets.split(data, TEST_FRACTION, 0)
    scale = scaling_of("iris", data.features[train])
    run: Integers | Floats
    seeds = range(1, starts + 1)
    run = Floats(plan, seeds) if in_float else Integers(plan, seeds, rule)
    parts = [samples_of(data, part, scale, starts, in_float) for part in (train, test)]
    run.train(parts[0])
    return {"train": run.correct(parts[0]), "test": run.correct(parts[1])}


def samples_of(
    data: Dataset, rows: Int, scale: Scaling | None, runs: int, in_float: bool = False
) -> Samples:
    """The same rows for each run, as codes or as the values of these codes."""
    values = data.features[rows]
    codes = reference.quantize(values if scale is None else scale.apply(values), INPUT)
    x = codes * INPUT.lsb if in_float else codes
    return Samples.shared(x, data.labels[rows], runs)


def raw(score: str, starts: int, epochs: int) -> Figures:
    """Correct training samples of iris in centimetres, hidden layers at frac 4, by rounding."""
    eta = {"exp": 6, "taylor2": 7}[score]
    plan = dataclasses.replace(with_score(IRIS, score), epochs=epochs, eta=eta, hidden_frac=4)
    data = datasets.load("iris")
    train, _ = datasets.split(data, TEST_FRACTION, 0)
    samples = samples_of(data, train, None, starts * len(ROUNDINGS))
    seeds = [*range(1, starts + 1)] * len(ROUNDINGS)
    run = Integers(plan, seeds, Rule(rounding=ROUNDINGS))
    run.train(samples)
    correct = run.correct(samples)
    return {
        rounding: correct[n * starts : (n + 1) * starts] for n, rounding in enumerate(ROUNDINGS)
    }


def cross_validation(name: str, score: str, kind: str, splits: int, seeds: int) -> Figures:
    """Percent of all samples correct, each tested by the run that did not learn it, by seed."""
    data, plan = datasets.load(name), plan_of(name, score)
    found = np.zeros(seeds, np.int64)
    pairs: list[tuple[int, Int, Int]] = []
    for seed in range(seeds):
        shuffle = StratifiedKFold(splits, shuffle=True, random_state=seed)
        for train, test in shuffle.split(data.features, data.labels):
            pairs.append((seed, np.sort(train), np.sort(test)))
    # Runs of one size go side by side.
    for size in sorted({len(train) for _, train, _ in pairs}):
        group = [pair for pair in pairs if len(pair[1]) == size]
        scales = [scaling_of(name, data.features[train]) for _, train, _ in group]
        parts = [
            stacked(data, rows, scales, kind != "integers")
            for rows in ([train for _, train, _ in group], [test for *_, test in group])
        ]
        starts = [seed + 1 for seed, _, _ in group]
        counts = _TRAINERS[kind](name, of_samples(plan, size), starts, parts[0], parts[1])
        for (seed, _, _), count in zip(group, counts, strict=True):
            found[seed] += count
    return {"percent": [round(100 * int(count) / len(data.labels), 4) for count in found]}


def stacked(
    data: Dataset, rows: list[Int], scales: list[Scaling], in_float: bool = False
) -> Samples:
    """Rows of their own for each run; tests of unequal size are filled up with label -1."""
    most = max(map(len, rows))
    x = np.zeros((len(rows), most, data.features.shape[1]))
    labels = np.full((len(rows), most), -1)
    for run, (part, scale) in enumerate(zip(rows, scales, strict=True)):
        codes = reference.quantize(scale.apply(data.features[part]), INPUT)
        x[run, : len(part)] = codes * INPUT.lsb if in_float else codes
        labels[run, : len(part)] = data.labels[part]
    return Samples(x, labels)


def _integers(_: str, plan: Plan, seeds: list[int], train: Samples, test: Samples) -> list[int]:
    run = Integers(plan, seeds)
    run.train(train)
    return run.correct(test)


def _sgd(_: str, plan: Plan, seeds: list[int], train: Samples, test: Samples) -> list[int]:
    run = Floats(plan, seeds)
    run.train(train)
    return run.correct(test)


def _adam(name: str, plan: Plan, seeds: list[int], train: Samples, test: Samples) -> list[int]:
    """By the settings of the dataset's recipe, all samples at once."""
    settings = recipe.load(recipe_of(name)).training
    assert settings is not None
    found = []
    for run, seed in enumerate(seeds):
        x = np.asarray(train.x[run], np.float64)
        parameters = floats.adam(
            plan,
            seed,
            x,
            train.labels[run],
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
        )
        tested = np.asarray(test.x[run], np.float64)
        found.append(floats.correct(plan, parameters, tested, test.labels[run]))
    return found


_TRAINERS: dict[str, Callable[[str, Plan, list[int], Samples, Samples], list[int]]] = {
    "integers": _integers,
    "sgd": _sgd,
    "adam": _adam,
}


def recipe_of(name: str) -> Path:
    """Path of a dataset's recipe."""
    return RECIPES / f"{name}.toml"


def field(name: str, case: str, splits: int, seeds: int) -> Figures:
    """Percent of test samples correct in the field, after each count of `MARKS` and at the desk.

    ``drift`` changes gain and offset of each feature; ``rare class`` has the samples of one class
    at the desk but for `RARE`, and ``of the class`` is that class alone.
    """
    data, plan = datasets.load(name), plan_of(name, "exp")
    desk, device, tested, rare = [], [], [], []
    for number in range(splits * seeds):
        train, test = datasets.split(data, TEST_FRACTION, number // seeds)
        rng = np.random.default_rng([number, CASES.index(case)])
        changed = data
        if case == "drift":
            changed = drifted(data, train, rng)
            rare.append(-1)
        else:
            rare.append(number % len(data.class_names))
        desk.append((data, train if case == "drift" else without(data, train, rare[-1], rng)))
        device.append((changed, train))
        tested.append((changed, test))
    scales = [scaling_of(name, data.features[rows]) for data, rows in desk]
    starts = [1 + number % seeds for number in range(splits * seeds)]
    plan = of_samples(plan, len(desk[0][1]))
    run = Integers(plan, starts)
    run.train(joined(desk, scales))
    held, unchanged = joined(tested, scales), joined([(data, t) for _, t in tested], scales)
    figures: Figures = {"at first": percent(run, unchanged), "after": {}, "of the class": {}}
    learning, taken = joined(device, scales), 0
    runs = np.arange(len(starts))
    for mark in MARKS:
        while taken < mark:
            if taken % plan.samples == 0:
                order = run.clocks.order()
            j = order[:, taken % plan.samples]
            run.learn(learning.x[runs, j].astype(np.float32), learning.labels[runs, j], plan.eta)
            taken += 1
        figures["after"][str(mark)] = percent(run, held)
        if case != "drift":
            figures["of the class"][str(mark)] = percent(run, held, np.array(rare))
    scales = [scaling_of(name, data.features[rows]) for data, rows in device]
    again, held = Integers(plan, starts), joined(tested, scales)
    again.train(joined(device, scales))
    figures["desk"] = percent(again, held)
    if case != "drift":
        figures["of the class"]["desk"] = percent(again, held, np.array(rare))
    return figures


def drifted(data: Dataset, train: Int, rng: np.random.Generator) -> Dataset:
    """The samples as sensors give them whose gain and offset have changed."""
    n = data.features.shape[1]
    gain = 1 + rng.uniform(-GAIN, GAIN, n)
    offset = rng.uniform(-OFFSET, OFFSET, n) * data.features[train].std(axis=0)
    return dataclasses.replace(data, features=data.features * gain + offset)


def without(data: Dataset, rows: Int, label: int, rng: np.random.Generator) -> Int:
    """As many rows, of which only `RARE` are of a class; others come again in their places."""
    mine = data.labels[rows] == label
    few = rng.choice(rows[mine], RARE, replace=False)
    others = rows[~mine]
    again = rng.choice(others, len(rows) - len(others) - RARE)
    return np.sort(np.concatenate([few, others, again]))


def joined(parts: list[tuple[Dataset, Int]], scales: list[Scaling]) -> Samples:
    """Codes of rows of a dataset for each run, all of one size."""
    codes = [
        reference.quantize(scale.apply(data.features[rows]), INPUT)
        for (data, rows), scale in zip(parts, scales, strict=True)
    ]
    return Samples(np.stack(codes), np.stack([data.labels[rows] for data, rows in parts]))


def percent(run: Integers, samples: Samples, classes: Int | None = None) -> list[float]:
    """Percent correct of each run, of all samples or of those of one class a run."""
    right = run.answers(samples) == samples.labels
    counted = np.ones_like(right) if classes is None else samples.labels == classes[:, None]
    shares = 100 * (right & counted).sum(axis=1) / counted.sum(axis=1)
    return [round(float(share), 4) for share in shares]


def agreement(name: str, score: str, count: int) -> Figures:
    """Masters of a run after so many samples, compared with the reference's; raises if one differs.

    The run is one of three side by side.
    """
    plan = plan_of(name, score)
    data = datasets.load(name)
    train, _ = datasets.split(data, TEST_FRACTION, 0)
    samples = samples_of(data, train, scaling_of(name, data.features[train]), 3)
    run, reference_run = Integers(plan, [1, 7, 9]), Learner.begin(plan, 7)
    order = run.clocks.order()[:, :count]
    run.epoch(samples, 0, order)
    for j in order[1]:
        reference_run.learn(samples.x[1, j], int(samples.labels[1, j]))
    compared = 0
    for mine, rows in zip(run.masters, reference_run.state.masters, strict=True):
        if not np.array_equal(mine[1], rows):
            raise ValueError(f"{name}, {score}: masters differ from the reference's")
        compared += rows.size
    return {"samples": order.shape[1], "masters": compared}
