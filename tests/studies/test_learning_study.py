"""The study of learning: runs side by side are the reference's, each choice changes something."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common import markdown
from common.paths import ROOT
from model.data import datasets
from model.format import Format
from model.learning import floats
from model.learning.backprop import Plan
from model.learning.learner import Learner
from model.learning.plans import PLANS, with_score
from studies import learning, learning_page, learning_tasks
from studies.learning_runs import ROUNDINGS, SLOPES, Floats, Integers, Rule, Samples

# A shared set, masters that saturate, rates that fall.
PLAN = Plan(
    (3, 5, 5, 5, 2),
    (0, 1, 1, 2),
    (True, False, True, False),
    (0, 0, 0),
    4,
    9,
    eta=2,
    drops=(30, 60),
)
RNG = np.random.default_rng(2)
X, LABELS = RNG.integers(-128, 128, (9, 3)), RNG.integers(0, 2, 9)


@pytest.mark.parametrize("score", ["exp", "taylor2"])
def test_runs_side_by_side_are_the_references(score: str) -> None:
    plan, seeds = with_score(PLAN, score), [1, 7, 65535]
    runs, samples = Integers(plan, seeds), Samples.shared(X, LABELS, 3)
    alone = [Learner.begin(plan, seed) for seed in seeds]
    for epoch in range(plan.epochs):
        wrong = runs.epoch(samples, epoch)
        assert wrong.tolist() == [run.epoch(X, LABELS) for run in alone]
        assert runs.digests() == [run.state.digest for run in alone]
    assert score == "taylor2" or any(rows.max() == 32767 for rows in runs.masters)
    expected = [[run.predict(row).predicted for row in X] for run in alone]
    assert runs.answers(samples).tolist() == expected
    right = [sum(np.array(classes) == LABELS) for classes in expected]
    assert runs.correct(samples) == right


def test_runs_go_on_from_masters() -> None:
    first = Integers(PLAN, [3])
    first.epoch(Samples.shared(X, LABELS, 1), 0)
    kept = [rows.astype(np.int64) for rows in first.masters]
    assert Integers(PLAN, [3], masters=kept).digests() == first.digests()


@pytest.mark.parametrize("score", ["exp", "taylor2"])
def test_floats_side_by_side_are_those_of_one_run(score: str) -> None:
    plan = dataclasses.replace(with_score(PLANS["wine"], score), epochs=2, samples=9, drops=(50,))
    x, labels = RNG.normal(size=(9, 13)), RNG.integers(0, 3, 9)
    runs = Floats(plan, [4, 5])
    runs.train(Samples.shared(x, labels, 2))
    *_, (_, expected) = floats.sgd(plan, 5, x, labels)
    for rows, wanted in zip(runs.parameters, expected, strict=True):
        np.testing.assert_allclose(rows[1], wanted, rtol=0, atol=1e-12)
    assert runs.correct(Samples.shared(x, labels, 2))[1] == floats.correct(
        plan, expected, x, labels
    )


def test_each_rule_learns_something_else() -> None:
    rules = [
        *(Rule(rounding=kind) for kind in ROUNDINGS),
        Rule(master_w=12),
        Rule(delta=Format(8, 6)),
        Rule(delta=Format(8, 6), floor=True),
        Rule(weight_w=4),
        *(Rule(slope=kind) for kind in SLOPES[1:]),
    ]
    found = set()
    for rule in rules:
        run = Integers(dataclasses.replace(with_score(PLAN, "taylor2"), eta=5), [1], rule)
        run.epoch(Samples.shared(X, LABELS, 1), 0)
        found.add(run.digests()[0])
    assert len(found) == len(rules)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("floor", [-2, -1, -1, 0, 0, 0, 1]),
        ("towards 0", [-1, 0, 0, 0, 0, 0, 1]),
        ("half to even", [-1, 0, 0, 0, 0, 1, 2]),
        # The word is 2 of 4.
        ("dither", [-1, 0, 0, 0, 0, 1, 2]),
        # Up where the high one of two dropped bits is above the low one.
        ("dropped bits", [-2, 0, -1, 0, 0, 0, 2]),
    ],
)
def test_rounding_by_hand(rounding: str, expected: list[int]) -> None:
    run = Integers(PLAN, [1])
    products = np.array([[[-5, -2, -1, 0, 1, 3, 6]]], np.float32)
    assert run.steps(products, 2, np.array([6]), rounding)[0, 0].tolist() == expected


def test_groups_of_runs_have_roundings_of_their_own() -> None:
    kinds = ("floor", "dither")
    both = Integers(PLAN, [1, 2, 1, 2], Rule(rounding=kinds))
    both.epoch(Samples.shared(X, LABELS, 4), 0)
    for number, kind in enumerate(kinds):
        alone = Integers(PLAN, [1, 2], Rule(rounding=kind))
        alone.epoch(Samples.shared(X, LABELS, 2), 0)
        assert both.digests()[2 * number : 2 * number + 2] == alone.digests()


def test_every_choice_of_the_table_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(learning_tasks.CHOICES) >= 16
    changes = [(str(plan), rule) for plan, rule in learning_tasks.CHOICES.values()]
    assert len(set(changes)) == len(changes)
    few = {name: ({**plan, "epochs": 1}, rule) for name, (plan, rule) in list(CHOSEN.items())[:3]}
    monkeypatch.setattr(learning_tasks, "CHOICES", few)
    for name in few:
        figures = learning_tasks.choice(name, 2)
        assert all(0 < count <= 120 for count in figures["train"])
        assert all(0 < count <= 30 for count in figures["test"])


CHOSEN = learning_tasks.CHOICES


def test_a_run_of_cross_validation_is_the_references(monkeypatch: pytest.MonkeyPatch) -> None:
    short = dataclasses.replace(PLANS["wine"], epochs=1)
    monkeypatch.setitem(learning_tasks.PLANS, "wine", short)
    seen: list[Any] = []
    real = learning_tasks._integers

    def watched(name: str, plan: Plan, seeds: list[int], train: Samples, test: Samples) -> list:
        counts = real(name, plan, seeds, train, test)
        seen.append((plan, seeds, train, test, counts))
        return counts

    monkeypatch.setitem(learning_tasks._TRAINERS, "integers", watched)
    (percent,) = learning_tasks.cross_validation("wine", "exp", "integers", 3, 1)["percent"]
    total = 0
    for plan, seeds, train, test, counts in seen:
        for run, seed in enumerate(seeds):
            alone = Learner.begin(plan, seed)
            alone.epoch(train.x[run].astype(np.int64), train.labels[run])
            codes = test.x[run].astype(np.int64)
            right = sum(
                alone.predict(row).predicted == label
                for row, label in zip(codes, test.labels[run], strict=True)
            )
            assert right == counts[run]
            total += right
    assert percent == round(100 * total / 178, 4)
    assert sum(int((test.labels >= 0).sum()) for *_, test, _ in seen) == 178


def test_field_has_a_drift_and_a_rare_class() -> None:
    data = datasets.load("iris")
    train, _ = datasets.split(data, 0.2, 0)
    rows = learning_tasks.without(data, train, 1, np.random.default_rng(1))
    assert len(rows) == len(train) and set(rows) <= set(train)
    assert (data.labels[rows] == 1).sum() == learning_tasks.RARE
    changed = learning_tasks.drifted(data, train, np.random.default_rng(1))
    # The first sample and the last differ in each feature.
    ends = [0, len(data.labels) - 1]
    slopes = np.diff(changed.features[ends], axis=0) / np.diff(data.features[ends], axis=0)
    assert 0 < np.abs(slopes - 1).max() <= learning_tasks.GAIN + 1e-9


def test_what_is_learned_in_the_field_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    short = dataclasses.replace(PLANS["iris"], epochs=3)
    monkeypatch.setitem(learning_tasks.PLANS, "iris", short)
    figures = learning_tasks.field("iris", "rare class", 1, 3)
    assert list(figures["after"]) == [str(mark) for mark in learning_tasks.MARKS]
    assert figures["at first"] == figures["after"]["0"]
    assert figures["after"]["300"] != figures["after"]["0"]
    assert all(len(values) == 3 for values in figures["of the class"].values())


def test_a_run_that_is_not_the_references_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert learning_tasks.agreement("wine", "exp", 20) == {"samples": 20, "masters": 275}
    monkeypatch.setattr(Rule, "guard", 7)
    with pytest.raises(ValueError, match="wine, exp: masters differ from the reference's"):
        learning_tasks.agreement("wine", "exp", 20)


def made_up() -> list[dict[str, Any]]:
    """Figures of each job of the study."""
    found = []
    for job in learning.work(2, 2, 10, 2, 2):
        function = job.function.partition(":")[2]
        percent = [95.0, 96.0, 97.0, 98.0]
        figures: dict[str, Any] = {
            "choice": {"train": [118, 117], "test": [30, 30]},
            "raw": {key: [80, 90] for key in ROUNDINGS},
            "cross_validation": {"percent": [96.5, 97.5]},
            "agreement": {"samples": 300, "masters": 1000},
            "field": {
                "at first": percent,
                "after": {str(mark): percent for mark in learning_tasks.MARKS},
                "of the class": {},
                "desk": percent,
            },
        }[function]
        if job.arguments.get("case") == "rare class":
            figures["of the class"] = {**figures["after"], "desk": percent}
        if job.arguments.get("kind") == "sgd":
            figures = {"percent": [97.0, 97.75]}
        found.append({"function": function, **job.arguments, "found": figures})
    return found


def test_page_and_picture_hold_every_figure(tmp_path: Path) -> None:
    found = made_up()
    settings = {"starts": 2, "raw_starts": 2, "raw_epochs": 10, "splits": 2, "seeds": 2}
    text = learning_page.page(found, settings, 5)
    for words in (
        "| **as specified, exp** | 117.5 | 117 | 30.0 | 30 | 1/2 |",
        "| **dither** | 85.0 | 80 | 85.0 | 80 |",
        "| iris, exp | 97.00 +- 0.50 | 96.50 | 97.38 +- 0.38 | -0.38 | 97.00 +- 0.50 |",
        "The largest loss to SGD is\n0.38 points",
        "are correct in 1 of\n2 starts with `exp`",
        "8,000 masters",
    ):
        assert words in text, words
    assert text.count("| drift, ") == text.count("| rare class, ") == len(PLANS)
    path = tmp_path / "learning.png"
    learning_page.picture(found).savefig(path)
    assert path.stat().st_size > 10_000


def test_jobs_have_names_of_their_own() -> None:
    names = [job.name for job in learning.work(**learning_tasks.SETTINGS)]
    assert len(set(names)) == len(names) > 50


def test_the_guide_has_the_figures_of_the_page() -> None:
    block = markdown.block((ROOT / "docs/learning.md").read_text(), learning_page.BLOCK)
    assert block.count("\n") > 10
    assert block in (ROOT / "docs/results/learning.md").read_text()
