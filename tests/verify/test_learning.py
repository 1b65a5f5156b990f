"""The campaign of the core that learns: what its steps cover, and that each would fail."""

import numpy as np
import pytest

from common.errors import CommandError
from common.paths import BUILD
from model.learning.learner import Learner
from syn.netlist import KINDS
from tb.modules.mutant import mutated
from tb.modules.registry import CASES, mutant_named
from tb.sim.simulators import SIMULATORS
from verify.campaigns import learning, netlists, slope
from verify.campaigns.learning import LANES, SAMPLES, SCORES, SMALL


def test_steps_have_every_lanes_score_and_simulator() -> None:
    asked = [step.arguments for step in learning.every_value().values()]
    assert {(a["simulator"], a["lanes"], a["score"]) for a in asked} == {
        (simulator, lanes, score) for simulator in SIMULATORS for lanes in LANES for score in SCORES
    }
    assert {a["count"] for a in asked} == {SAMPLES}
    assert len(learning.every_epoch()) == len(LANES) * len(SCORES)
    names = [campaign.name for campaign in learning.campaigns()]
    assert len(set(names)) == len(names)


def test_every_value_of_so_many_samples_is_compared() -> None:
    found = learning.values_agree("icarus", 30, "taylor2", 2)
    assert found["samples"] == 2 and found["values compared"] > 2 * 1083


def test_epochs_are_counted() -> None:
    found = learning.epochs_agree(30, "exp", 1)
    assert found["epochs"] == 1 and found["samples"] == 120


def test_another_run_is_another_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Learner.begin
    monkeypatch.setattr(Learner, "begin", lambda plan, seed: begin(plan, seed + 1))
    with pytest.raises(CommandError, match=r"epoch 0: .*: expected .*, got "):
        learning.epochs_agree(30, "exp", 1)


def test_resets_come_in_every_cycle_that_is_asked_for() -> None:
    found = learning.reset_everywhere(SMALL, 3)
    # After each, a sample's 2 probabilities and class, then 62 masters, 4 counters and 4 counts.
    assert found["resets"] == 3 and found["values compared"] == 3 * 73


def test_every_delta_of_a_logit_is_the_references() -> None:
    sent = slope.vectors()
    for column in (0, 1):
        assert len(np.unique(sent[:, [column, 2 + column]], axis=0)) == 1 << 16
    assert slope.check("taylor2", 1) == slope.check("taylor2", 8) == 2 << 16


def test_a_wrong_delta_is_named() -> None:
    rtl = mutated(mutant_named("slope-of-one"), BUILD / "mutants" / "slope")
    said = r"p 165, logit 90, another class: expected -?\d+, got -?\d+ \(\d+ of 131072 differ\)"
    with pytest.raises(slope.SlopeError, match=said):
        slope.check("taylor2", 8, rtl)


@pytest.mark.parametrize("kind", KINDS)
def test_netlists_have_every_module_that_has_a_case(kind: str) -> None:
    assert {case.module for case in CASES} <= {s.top for s in netlists.steps(kind).values()}
