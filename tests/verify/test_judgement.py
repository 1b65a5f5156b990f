"""A mutant is killed by a bench that fails, and by nothing else."""

from typing import Any

import pytest

from common.jobs import Done, Job
from common.programs import SimulatorError
from tb.sim.runner import SimulationFailed
from verify.mutation import judge, run
from verify.mutation.judge import Case

NOTICE, PROVE = Job("mutant", "a:b"), Job("mutant", "c:d")


def case(prove: Job | None = PROVE) -> Case:
    return Case("netlist", "mlp_relu", "relu-000", "inv at Y[0]", "mlp_relu.v:3", NOTICE, prove)


def fails(error: Exception) -> Any:
    def bench() -> None:
        raise error

    return bench


def test_bench_that_fails_has_noticed() -> None:
    assert judge.noticed(fails(SimulationFailed("mlp_relu: t: it broke; log: a.log"))) == (
        "mlp_relu: t: it broke"
    )
    assert judge.noticed(lambda: None) is None


@pytest.mark.parametrize("error", [SimulatorError("no iverilog"), OSError(28, "full"), KeyError()])
def test_bench_that_could_not_run_has_noticed_nothing(error: Exception) -> None:
    with pytest.raises(type(error)):
        judge.noticed(fails(error))


@pytest.mark.parametrize(
    ("complaint", "proof", "outcome", "why"),
    [
        ("it broke", None, "killed", "it broke"),
        (None, {"outcome": "equivalent", "why": "proved"}, "equivalent", "proved"),
        (None, {"outcome": "survived", "why": "no proof either"}, "survived", "no proof either"),
        (None, None, "survived", "every bench passes"),
    ],
)
def test_outcome_is_that_of_bench_and_proof(
    complaint: str | None, proof: dict[str, str] | None, outcome: str, why: str
) -> None:
    proved = Done(proof, 2.0) if proof else None
    verdict = case().verdict(Done({"complaint": complaint}, 1.0), proved)
    assert (verdict.outcome, verdict.why) == (outcome, why)
    assert verdict.seconds == (3.0 if proof else 1.0)


def test_every_seed_of_the_stimulus_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ran(subject: object, rtl: object, name: str, seed: int) -> None:
        asked.append(seed)
        if seed == judge.SEEDS[-1]:
            raise SimulationFailed("it broke")

    class Mutants:
        def rtl(self, mutant: object) -> None:
            return None

    monkeypatch.setattr(judge, "run_netlist", ran)
    subject: Any = None
    mutants: Any = Mutants()
    mutant: Any = judge.NetlistMutant("relu-1-8", 0, "-mode inv")
    assert judge.complaint_of(subject, mutants, mutant) == f"seed {judge.SEEDS[-1]}: it broke"
    assert asked == [1, 2, 3]


def test_module_that_fails_without_a_mutant_is_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"complaint": "it broke"}
    monkeypatch.setattr(
        run.jobs, "run", lambda label, work, *_, **__: [Done(told, 1.0)] * len(work)
    )
    with pytest.raises(run.MutantsError, match="relu-000: fails without a mutant: it broke"):
        run.require_unnoticed([case(None)], 1)


def test_mutants_that_no_bench_notices_ask_a_prover(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ran(label: str, work: list[Job], *_: Any, **__: Any) -> list[Done]:
        asked.extend(job.function for job in work)
        if work and work[0] == NOTICE:
            return [Done({"complaint": said}, 1.0) for said in ("it broke", None, None)]
        return [Done({"outcome": "equivalent", "why": "proved"}, 1.0)] * len(work)

    monkeypatch.setattr(run.jobs, "run", ran)
    verdicts = run.judge_all([case(), case(), case(None)], 1, "mutants")
    assert [verdict.outcome for verdict in verdicts] == ["killed", "equivalent", "survived"]
    assert asked == ["a:b", "a:b", "a:b", "c:d"]
