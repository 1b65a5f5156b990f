"""The core that learns equals its reference, at any parallelism, and its bench would notice."""

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from common.errors import VerbatimError
from common.paths import BUILD, ROOT
from common.programs import SimulatorError
from model import Network
from model.learning import learner, teach
from model.learning.backprop import IRIS, Plan
from model.learning.core import Core, stream
from model.learning.counts import Counts
from model.learning.learner import Learner
from model.learning.plans import samples_of
from tb.modules.learning_networks import random_case
from tb.modules.mutant import mutated
from tb.modules.registry import case_named, mutant_named
from tb.sim.learning import NativeLearner
from tb.sim.runner import SimulationFailed, simulate
from tb.sim.stepped import SteppedLearner

TESTS_OF_BENCH = 10


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
            assert core.counts() == run.counts
        core.start(7)
        core.load(saved)
        run.epoch(x, labels)
        core.learn(x, labels, len(x))
        assert core.save().digest == run.state.digest
        answers = core.predict(x)
        expected = [run.predict(sample) for sample in x]
        assert np.array_equal(answers.classes, [seen.predicted for seen in expected])
        assert np.array_equal(answers.probabilities, [seen.probabilities for seen in expected])


# A network that the library learns, and its samples, in the units of the codes.
SMALL = Plan((3, 4, 4, 2), (0, 1, 2), (True, True, False), (0, 0, 0), epochs=2, samples=9)
FEATURES = np.random.default_rng(3).uniform(-4, 4, (9, 3))
CLASSES = np.random.default_rng(4).integers(0, 2, 9)


def test_a_simulator_does_what_the_library_does() -> None:
    """Learn, predict, count, save and load, a call at a time."""
    core = Core(SMALL, 3)
    x = np.floor(FEATURES / SMALL.x(0).lsb).astype(np.int64)
    with NativeLearner(core, optimize=False) as native, SteppedLearner(core, "icarus") as stepped:
        for by in (native, stepped):
            by.start(7)
        for _ in range(2):
            theirs, ours = (by.learn(x, CLASSES, len(x)) for by in (native, stepped))
            assert np.array_equal(theirs.indices, ours.indices)
            assert np.array_equal(theirs.classes, ours.classes)
            assert np.array_equal(theirs.probabilities, ours.probabilities)
            assert native.counts() == stepped.counts() and native.counts().wrong > 0
            assert stream(SMALL, native.save()).tolist() == stream(SMALL, stepped.save()).tolist()
        saved = native.save()
        stepped.start(9)
        assert stepped.save().digest != saved.digest
        stepped.load(saved)
        assert stepped.counts() == Counts()
        theirs, ours = native.predict(x[:4]), stepped.predict(x[:4])
        assert np.array_equal(theirs.probabilities, ours.probabilities)
        assert stepped.save().digest == saved.digest


def test_a_simulator_refuses_what_the_library_refuses() -> None:
    x = np.zeros((9, 3), np.int64)
    with SteppedLearner(Core(SMALL, 3), "icarus") as core:
        for call in (core.save, lambda: core.predict(x), lambda: core.learn(x, CLASSES, 9)):
            with pytest.raises(learner.LearningError, match="has no network before start or load"):
                call()
        with pytest.raises(VerbatimError, match="seed must be an integer from 1 to 65535, got 0"):
            core.start(0)
        with pytest.raises(learner.LearningError, match=r"samples must have shape \(9, 3\)"):
            core.learn(x[1:], CLASSES, 8)


@pytest.fixture
def small() -> Network:
    plain = learner.network(SMALL, Learner.begin(SMALL, 5).state.masters, name="small")
    return Network(**vars(plain))


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("native", {"lanes": 3}),
        ("native", {"lanes": 1}),
        ("icarus", {"lanes": 3}),
        ("verilator", {"lanes": 3}),
    ],
)
def test_the_library_learns_the_same_by_each_backend(
    backend: str, options: dict[str, Any], small: Network
) -> None:
    expected = small.learn(FEATURES, CLASSES, epochs=3, seed=7)
    found = small.learn(FEATURES, CLASSES, epochs=3, seed=7, backend=backend, **options)
    assert (found.wrong, found.digest) == (expected.wrong, expected.digest)
    assert vars(found.state).keys() == vars(expected.state).keys()
    for key in ("lfsr", "word", "epoch", "position"):
        assert getattr(found.state, key) == getattr(expected.state, key)
    assert np.array_equal(
        found.network.predict(FEATURES).probabilities,
        expected.network.predict(FEATURES).probabilities,
    )
    # The last sample of an epoch is answered before it is learned.
    least = 3 * (len(FEATURES) - 1) * Core(found.plan, options["lanes"]).cycles
    assert found.cycles is not None and least <= found.cycles < 2 * least


def test_the_library_learns_pieces_in_the_core(
    small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach, "PIECE", 5)
    expected = small.learn(FEATURES, CLASSES, epochs=2)
    found = small.learn(FEATURES, CLASSES, epochs=2, backend="native", lanes=3)
    assert (found.wrong, found.digest) == (expected.wrong, expected.digest)
    assert {piece.stop - piece.start for piece in teach.pieces(9)} == {4, 5}


# The core is as small as can be: what counts is the memory that samples take, in 16 pieces.
MILLION = """
from pathlib import Path
import numpy as np
from model import Network
from model.learning import learner
from model.learning.backprop import Plan
from model.learning.core import Core
from model.learning.learner import Learner
plan = Plan((2, 2), (0,), (False,), (0,), epochs=1, samples=2)
plain = learner.network(plan, Learner.begin(plan, 1).state.masters, name="least")
features = np.random.default_rng(1).uniform(-4, 4, (1_000_000, 2))
labels = (features[:, 0] > features[:, 1]).astype(int)
found = Network(**vars(plain)).learn(features, labels, backend="native", lanes=2, epochs=1)
assert found.cycles >= 999_000 * Core(found.plan, 2).cycles
assert found.state.epoch == 16 and 0 < found.wrong[0] < 50_000
status = Path("/proc/self/status").read_text().splitlines()
print(*(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")))
"""


def test_a_million_samples_are_learned_in_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MILLION], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    assert int(done.stdout) < 500


def test_a_core_that_learns_otherwise_is_no_result_of_the_library(
    small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Core.parameters

    def changed(core: Core, mem_dir: str) -> dict[str, Any]:
        return real(core, mem_dir) | {"RELU": (1, 0, 0)}

    monkeypatch.setattr(Core, "parameters", changed)
    with pytest.raises(SimulationFailed, match=r"sample \d+, .*expected -?\d+, got -?\d+"):
        small.learn(FEATURES, CLASSES, epochs=3, backend="icarus", lanes=3)


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
