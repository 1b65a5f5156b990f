"""The core that learns equals its reference, at any parallelism, and its bench would notice."""

import re

import numpy as np
import pytest

from common.paths import BUILD
from common.programs import SimulatorError
from model.learning.backprop import IRIS, Plan
from model.learning.core import Core
from model.learning.learner import Learner
from model.learning.plans import samples_of
from tb.modules.learning_networks import random_case
from tb.modules.mutant import mutated
from tb.modules.registry import case_named, mutant_named
from tb.sim.learning import NativeLearner
from tb.sim.runner import SimulationFailed, simulate

TESTS_OF_BENCH = 9


def test_iris_is_learned_under_verilator() -> None:
    assert case_named("learn_top-iris-30-exp").run("verilator").passed == TESTS_OF_BENCH


@pytest.mark.parametrize("name", ["hard-4-exp", "hard-5-taylor2", "random-2", "random-8"])
def test_small_cores_learn_under_icarus(name: str) -> None:
    assert case_named(f"learn_top-{name}").run("icarus").passed == TESTS_OF_BENCH


def test_random_cases_cover_what_a_plan_may_be() -> None:
    plans: list[tuple[Plan, int]] = [random_case(seed) for seed in range(1, 60)]
    assert {plan.score for plan, _ in plans} == {"exp", "taylor2"}
    assert {plan.divider for plan, _ in plans} == {"reciprocal", "restoring"}
    assert {plan.layers for plan, _ in plans} == {1, 2, 3, 4}
    assert any(len(set(plan.sets)) < plan.layers for plan, _ in plans)
    assert {1, 5, 10} <= {lanes for _, lanes in plans}


def test_an_epoch_has_one_digest_in_the_library() -> None:
    x, labels = samples_of("iris")
    run = Learner.begin(IRIS, 1)
    with NativeLearner(Core(IRIS, 30), optimize=False) as core:
        core.start(1)
        for _ in range(2):
            wrong = run.epoch(x, labels)
            taught = core.learn(x, labels, len(x))
            saved = core.save()
            assert saved.digest == run.state.digest
            assert int((taught.classes != labels[taught.indices]).sum()) == wrong
        core.start(7)
        core.load(saved)
        run.epoch(x, labels)
        core.learn(x, labels, len(x))
        assert core.save().digest == run.state.digest
        answers = core.predict(x)
        expected = [run.predict(sample) for sample in x]
        assert np.array_equal(answers.classes, [seen.predicted for seen in expected])
        assert np.array_equal(answers.probabilities, [seen.probabilities for seen in expected])


def test_a_divergence_is_named() -> None:
    mutant = mutant_named("no-mask")
    rtl = mutated(mutant, BUILD / "mutants" / "learning-divergence")
    with pytest.raises(SimulationFailed) as caught:
        case_named(mutant.case).run(
            "icarus", rtl=rtl, testcase="learns_every_value", name="learning-divergence"
        )
    pattern = r"sample \d+, backward, delta of layer \d, element \[\d+\]: expected -?\d+, got -?\d+"
    assert re.search(pattern, str(caught.value))


def test_layers_of_one_set_must_be_alike() -> None:
    wrong = {"SET": (0, 0)}
    name = "illegal-mlp_learn_layers-unequal"
    with pytest.raises((SimulationFailed, SimulatorError)) as caught:
        simulate("mlp_learn_layers", wrong, simulator="icarus", bench="idle_bench", name=name)
    assert re.search(r"mlp_learn_layers(\.\S+)?: .*SET=0.*need", str(caught.value))
