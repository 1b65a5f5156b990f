"""The core that learns at length: every value of many samples, every epoch, every kind of fault."""

from pathlib import Path

from common.errors import CommandError
from common.jobs import Figures
from common.paths import BUILD
from model.learning.core import TOP, Core
from model.learning.learner import Learner
from model.learning.plans import PLANS, samples_of, with_score
from tb.modules.case import Case
from tb.modules.learning_networks import Learning, of_dataset
from tb.modules.registry import MODULES, case_named
from tb.sim.learning import NativeLearner
from tb.sim.simulators import SIMULATORS
from verify.campaigns import campaign
from verify.campaigns.campaign import Campaign, Step
from verify.campaigns.simulator_agreement import same_cycles
from verify.campaigns.x_reset import SEEDS

HERE = "verify.campaigns.learning"
COMMAND = "make verify-learning"
NETWORK = "iris"
LANES, SCORES = (1, 6, 30), ("exp", "taylor2")
SAMPLES = 300
EVERY_VALUE = "learns_every_value$"
RESET = "survives_reset_in_the_middle$"
# What a netlist has no names for is left out: all that lies inside.
OUTSIDE = (
    "learns_the_same_under_stalls|goes_on_from_a_saved_state|survives_reset_in_the_middle"
    "|predicts_with_weights_written_at_run_time|refuses_a_load_of_the_wrong_length"
)
SMALL, OTHERS = "learn_top-hard-4-exp", ("learn_top-hard-5-taylor2", "learn_top-random-2")


def campaigns() -> list[Campaign]:
    """A campaign for each level that the core has evidence of."""
    return [
        Campaign(
            name="learning",
            level=3,
            claim="every master, delta and activation after every sample equals the reference on "
            "both simulators; one sha256 of all masters at the end of each of 100 epochs, at any "
            "number of lanes",
            command=COMMAND,
            steps=every_value() | every_epoch(),
            seed=1,
        ),
        Campaign(
            name="learning-reset",
            level=6,
            claim="a reset in any cycle of a sample leaves nothing of it behind, and no result of "
            "the core that learns depends on Verilator's random registers",
            command=COMMAND,
            steps=resets(),
            seed=1,
        ),
        Campaign(
            name="learning-netlist",
            level=7,
            claim="Yosys' generic netlist of the core that learns passes the benches of its ports",
            command=COMMAND,
            steps={
                name: Step(f"{HERE}:on_netlist", {"name": name}, TOP) for name in (SMALL, *OTHERS)
            },
            seed=1,
        ),
        Campaign(
            name="learning-cycles",
            level=10,
            claim="valid, ready and valid payload of every stream of the core that learns are "
            "equal under Icarus and Verilator in every cycle, by sha256",
            command=COMMAND,
            steps={name: Step(f"{HERE}:agrees", {"name": name}, TOP) for name in (SMALL, *OTHERS)},
            seed=1,
        ),
    ]


def every_value() -> dict[str, Step]:
    """Iris at each number of lanes, with each score, on each simulator."""
    found = {}
    for simulator in SIMULATORS:
        for lanes in LANES:
            for score in SCORES:
                how = {"simulator": simulator, "lanes": lanes, "score": score, "count": SAMPLES}
                name = f"{NETWORK}-{lanes}-{score}, {simulator}"
                found[name] = Step(f"{HERE}:values_agree", how, TOP)
    return found


def values_agree(simulator: str, lanes: int, score: str, count: int) -> Figures:
    """Read everything where it lies after each of ``count`` samples."""
    setting = of_dataset(NETWORK, lanes, score, count)
    of_top = MODULES[TOP]
    case = Case(TOP, setting, of_top.bench, of_top.visible)
    name = f"learning-{simulator}-{case.name}"
    outcome = case.run(
        simulator,
        folder=BUILD / "campaigns" / name,
        name=name,
        testcase=EVERY_VALUE,
        seed=1,
        optimize=True,
    )
    return campaign.figures_of(outcome) | {"samples": count}


def every_epoch() -> dict[str, Step]:
    """The whole training at each number of lanes, with each score."""
    return {
        f"{NETWORK}-{lanes}-{score}, epochs": Step(
            f"{HERE}:epochs_agree", {"lanes": lanes, "score": score}, TOP
        )
        for lanes in LANES
        for score in SCORES
    }


def epochs_agree(lanes: int, score: str, epochs: int | None = None) -> Figures:
    """Compare masters and wrong answers at the end of each epoch; raise at the first that differs.

    ``epochs`` are all of the plan's where they are not given.
    """
    plan = with_score(PLANS[NETWORK], score)
    x, labels = samples_of(NETWORK)
    run = Learner.begin(plan, 1)
    found = {"epochs": epochs or plan.epochs, "samples": 0, "cycles": 0}
    with NativeLearner(Core(plan, lanes)) as core:
        core.start(1)
        for epoch in range(found["epochs"]):
            wrong = run.epoch(x, labels)
            taught = core.learn(x, labels, plan.samples)
            missed = int((taught.classes != labels[taught.indices]).sum())
            for what, mine, its in (
                ("wrong answers", wrong, missed),
                ("sha256 of all masters", run.state.digest, core.save().digest),
                ("counts", run.counts, core.counts()),
            ):
                if mine != its:
                    raise CommandError(
                        f"{TOP}, {lanes} lanes, {score}: epoch {epoch}: {what}: expected {mine}, "
                        f"got {its}"
                    )
            found["samples"] += plan.samples
            found["cycles"] += taught.cycles
    return found


def resets() -> dict[str, Step]:
    """A reset in each cycle of a small sample, and several draws of what registers begin with."""
    found = {
        f"{SMALL}, verilator {seed}": campaign.step_of_case(
            SMALL,
            "verify.campaigns.campaign:run_case",
            label=f"learning-x-{seed}",
            simulator="verilator",
            seed=seed,
        )
        for seed in SEEDS
    }
    return found | {f"{SMALL}, resets": Step(f"{HERE}:reset_everywhere", {"name": SMALL}, TOP)}


def reset_everywhere(name: str, cycles: int | None = None) -> Figures:
    """A case, reset in every cycle of its first sample, or in so many of them."""
    setting = case_named(name).setting
    assert isinstance(setting, Learning)
    count = cycles or setting.core.cycles + 10
    figures = campaign.run_case(
        "learning-reset", name, "verilator", testcase=RESET, options={"resets": count}, seed=1
    )
    return figures | {"resets": count}


def on_netlist(name: str) -> Figures:
    """A case as Yosys' gates."""
    return campaign.run_case(
        "learning-netlist", name, "icarus", netlist="generic", testcase=OUTSIDE, seed=1
    )


def agrees(name: str) -> Figures:
    """A case under both simulators, cycle by cycle."""

    def run(simulator: str, waves: Path) -> Figures:
        return campaign.run_case("learning-cycles", name, simulator, seed=1, waves=waves)

    found = same_cycles(run, BUILD / "campaigns" / f"learning-waves-{name}")
    compared = found.streams * found.cycles
    return {"streams": found.streams, "cycles": found.cycles, "cycles of streams": compared}


if __name__ == "__main__":
    campaign.main(campaigns, "learning", __doc__)
