"""Tables and picture of the study of learning, for its page and for the guide's block."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.markdown import table_of_numbers
from model.learning.plans import PLANS
from studies.learning_runs import ROUNDINGS
from studies.learning_tasks import CASES, CHOICES, ENOUGH, GAIN, MARKS, OFFSET, RARE

PAGE, PICTURE, BLOCK = "learning.md", "learning.png", "field"
COLOURS = dict(zip(PLANS, ("#1f6feb", "#d9730d", "#2f9e5b", "#8250df"), strict=True))

# A job's function and arguments, and under ``found`` its figures.
Entry = Mapping[str, Any]


def of(found: Sequence[Entry], function: str, **wanted: object) -> Iterator[Entry]:
    """The entries of a function with these arguments."""
    for entry in found:
        if entry["function"] == function and all(entry[k] == v for k, v in wanted.items()):
            yield entry


def one(found: Sequence[Entry], function: str, **wanted: object) -> Mapping[str, Any]:
    """The figures of the only such entry."""
    (entry,) = of(found, function, **wanted)
    figures: Mapping[str, Any] = entry["found"]
    return figures


def choices(found: Sequence[Entry]) -> str:
    """A row for each changed thing: correct samples over all starts."""
    rows = []
    for name in CHOICES:
        figures = one(found, "choice", name=name)
        shown = f"**{name}**" if name.startswith("as specified") else name
        cells = [
            text
            for part in ("train", "test")
            for text in (f"{np.mean(figures[part]):.1f}", str(min(figures[part])))
        ]
        rows.append([shown, *cells, f"{enough(figures)}/{len(figures['train'])}"])
    least = f">= {ENOUGH[0]} and >= {ENOUGH[1]}"
    return table_of_numbers(["", "train mean", "worst", "test mean", "worst", least], rows)


def enough(figures: Mapping[str, Any]) -> int:
    """Starts that reach `ENOUGH` correct training and test samples."""
    pairs = zip(figures["train"], figures["test"], strict=True)
    return sum(train >= ENOUGH[0] and test >= ENOUGH[1] for train, test in pairs)


def starts(found: Sequence[Entry]) -> str:
    """Correct samples of each start of IrisNet."""
    rows = []
    for score in ("exp", "taylor2"):
        figures = one(found, "choice", name=f"as specified, {score}")
        for part in ("train", "test"):
            rows.append([f"{score}, {part}", *map(str, figures[part])])
    count = len(rows[0]) - 1
    return table_of_numbers(["seed", *map(str, range(1, count + 1))], rows)


def raw(found: Sequence[Entry]) -> str:
    """Rounding of the update, on raw features."""
    rows = []
    for rounding in ROUNDINGS:
        cells = []
        for score in ("exp", "taylor2"):
            correct = one(found, "raw", score=score)[rounding]
            cells += [f"{np.mean(correct):.1f}", str(min(correct))]
        rows.append([f"**{rounding}**" if rounding == "dither" else rounding, *cells])
    columns = ["update rounded", "exp: train mean", "worst", "taylor2: train mean", "worst"]
    return table_of_numbers(columns, rows)


def validation(found: Sequence[Entry]) -> str:
    """Percent of cross-validation: integers, SGD in floats, the difference, Adam."""
    rows = []
    for entry in of(found, "cross_validation", kind="integers"):
        key = {"name": entry["name"], "score": entry["score"]}
        parts = {
            kind: one(found, "cross_validation", kind=kind, **key)["percent"]
            for kind in ("integers", "sgd", "adam")
        }
        means = {kind: float(np.mean(values)) for kind, values in parts.items()}
        spread = {kind: f"{means[kind]:.2f} +- {np.std(parts[kind]):.2f}" for kind in parts}
        rows.append(
            [
                f"{key['name']}, {key['score']}",
                spread["integers"],
                f"{min(parts['integers']):.2f}",
                spread["sgd"],
                f"{means['integers'] - means['sgd']:+.2f}",
                spread["adam"],
            ]
        )
    order = [f"{name}, {score}" for name in PLANS for score in ("exp", "taylor2")]
    rows.sort(key=lambda row: order.index(row[0]))
    columns = ["", "integers", "worst seed", "float SGD", "integers - SGD", "float Adam"]
    return table_of_numbers(columns, rows)


def differences(found: Sequence[Entry]) -> dict[str, float]:
    """Points between integers and SGD, by dataset and score."""
    points = {}
    for entry in of(found, "cross_validation", kind="integers"):
        key = {"name": entry["name"], "score": entry["score"]}
        other = one(found, "cross_validation", kind="sgd", **key)["percent"]
        points[f"{key['name']}, {key['score']}"] = float(
            np.mean(entry["found"]["percent"]) - np.mean(other)
        )
    return points


def block(found: Sequence[Entry]) -> str:
    """Percent correct in the field, a row for each dataset and case."""
    columns = ["", "at the desk", *(f"after {mark}" for mark in MARKS), "retrained"]
    rows = []
    for case in CASES:
        for name in PLANS:
            figures = one(found, "field", name=name, case=case)
            values = [figures["at first"], *figures["after"].values(), figures["desk"]]
            shown = f"{case}, {name}"
            rows.append([shown, *(f"{np.mean(value):.1f}" for value in values)])
            if figures["of the class"]:
                values = list(figures["of the class"].values())
                cells = ["", *(f"{np.mean(value):.1f}" for value in values)]
                rows.append(["of the class alone", *cells])
    return table_of_numbers(columns, rows)


def picture(found: Sequence[Entry]) -> Figure:
    """Percent correct against samples learned on the device, and what retraining reaches."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, 2)
    titles = ("sensors drift: all test samples", "a rare class: test samples of that class")
    for axes, case, title in zip(panels, CASES, titles, strict=True):
        for name in PLANS:
            figures = one(found, "field", name=name, case=case)
            after = figures["of the class"] or figures["after"]
            desk = figures["of the class"].get("desk", figures["desk"])
            curve(axes, name, [after[str(mark)] for mark in MARKS], desk)
        places = range(len(MARKS) + 1)
        axes.set_xticks(places, [*map(str, MARKS), "retrained\nat the desk"])
        axes.set(xlabel="samples learned on the device", ylabel="% correct", title=title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.25)
    panels[0].legend(frameon=False, loc="lower right")
    return figure


def curve(axes: Axes, name: str, after: Sequence[Sequence[float]], desk: Sequence[float]) -> None:
    """Mean over the runs, their middle half in a band, and retraining as a diamond."""
    colour, places = COLOURS[name], range(len(after))
    axes.plot(places, [np.mean(values) for values in after], "o-", color=colour, label=name)
    low, high = (np.array([np.percentile(values, q) for values in after]) for q in (25, 75))
    axes.fill_between(places, low, high, color=colour, alpha=0.12, linewidth=0)
    axes.plot([len(after)], [np.mean(desk)], "D", color=colour)


def page(found: Sequence[Entry], settings: Mapping[str, int], seconds: int) -> str:
    """docs/results/learning.md."""
    checked = [entry["found"] for entry in of(found, "agreement")]
    masters = sum(figures["masters"] for figures in checked)
    longest = max(figures["samples"] for figures in checked)
    points = differences(found)
    worst = min(points, key=lambda key: points[key])
    reached = {
        score: enough(one(found, "choice", name=f"as specified, {score}"))
        for score in ("exp", "taylor2")
    }
    runs = settings["splits"] * settings["seeds"]
    count = settings["starts"]
    return f"""# Learning in the field, and beside floats

Written by `make study-learning` on {datetime.now(UTC).date().isoformat()}; its jobs took {seconds}
seconds, one after the other. Runs are computed side by side in NumPy; {len(checked)} of them were
compared with the reference of `model/learning/` after up to {longest} samples: {masters:,} masters,
0 differ. The core equals that reference, which its own tests show.

## In the field

A network is learned in integers from a random start on a training split, as at a desk. Then its
core learns samples one at a time on the device, from the same weights, with the scaling of the
desk, at the first rate of its plan, `exp` for the score. Percent of test samples correct, mean of
{runs} runs (splits: {settings["splits"]}, seeds of each: {settings["seeds"]}).

* **drift**: each feature is multiplied by a gain between {1 - GAIN:g} and {1 + GAIN:g}, and an
  offset of up to {OFFSET:g} standard deviations is added, drawn for each run. "At the desk" is
  before the drift, "after 0" with it and nothing learned.
* **rare class**: the desk saw {RARE} samples of one class. "Of the class alone" counts its test
  samples.
* **retrained**: from a random start on all training samples of the device, for all epochs, with a
  scaling of their own.

{block(found)}

![percent correct against samples learned on the device]({PICTURE})

The band is the middle half of the runs.

## Naive choices

IrisNet on the project's split, {count} starts (seeds 1 to {count}); one thing is changed in each
row. Where an update drops more bits than the LFSR has, as with masters of 8 bits, its word is the
top of the dither. Deltas that are floored are so from the logits on. Correct of 120 training and 30
test samples:

{choices(found)}

On raw features, in centimetres, hidden layers at frac 4, {settings["raw_epochs"]} epochs from rate
2^-6 (`exp`) or 2^-7 (`taylor2`), {settings["raw_starts"]} starts; correct of 120 training samples:

{raw(found)}

## Each start

At least {ENOUGH[0]} training and {ENOUGH[1]} test samples are correct in {reached["exp"]} of
{count} starts with `exp`, in {reached["taylor2"]} of {count} with `taylor2`.

{starts(found)}

## Beside floats

Cross-validation (splits: {settings["splits"]}, seeds: {settings["seeds"]}); percent of all samples
that are correct in the split that did not learn them, mean and deviation over the seeds. SGD in
float64 has the start, order, rates and features of the integers; Adam has their start and features
and the epochs and rate of the dataset's recipe, all samples at once. The largest loss to SGD is
{max(0.0, -points[worst]):.2f} points ({worst}).

{validation(found)}
"""
