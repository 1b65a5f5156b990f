"""Does anything depend on power-on values, or survive a reset? Both simulators, every cycle."""

import re
import shutil
from pathlib import Path

from common import sources
from common.errors import VerbatimError
from common.jobs import Figures
from common.paths import BUILD, RTL
from common.programs import SimulatorError
from model.spec import NetworkSpec
from syn.yosys import YosysError, run_yosys
from tb.job import Job
from tb.modules.case import Case
from tb.modules.layer import OfOneLayer
from tb.modules.networks import FOLDS, MADE_UP
from tb.modules.registry import (
    CASES,
    ON_BOTH_SIMULATORS,
    case_named,
    is_streaming,
    operator_of,
)
from verify.campaigns import campaign
from verify.campaigns.campaign import Campaign, Step

# Initial values of every register under Verilator; Icarus has one, X.
SEEDS = range(1, 6)
HERE = "verify.campaigns.x_reset"
RESET = "survives_reset_at_every_cycle$"
# Resets of a step, so that an interrupted campaign loses little.
CHUNK = 250


def campaigns() -> list[Campaign]:
    """One about power-on values, one about resets."""
    return [
        Campaign(
            name="x",
            level=6,
            claim="no X leaks under Icarus, and no result depends on Verilator's random registers",
            command="make verify-x-reset",
            steps=unknowns(),
        ),
        Campaign(
            name="reset",
            level=6,
            claim="a reset in any cycle of a vector leaves nothing of it behind",
            command="make verify-x-reset",
            steps=resets(),
            seed=1,
        ),
    ]


def unknowns() -> dict[str, Step]:
    """Every bench with X in every register, and with several draws of random bits."""
    runs = [("icarus", 1), *(("verilator", seed) for seed in SEEDS)]
    found = {"initial values": Step(f"{HERE}:no_initial_value", top=None)}
    run = "verify.campaigns.campaign"
    for simulator, seed in runs:
        how = {"label": f"x-{seed}", "simulator": simulator, "seed": seed}
        both = [case for case in ON_BOTH_SIMULATORS if seed == 1 or not _has_banks(case)]
        for case in CASES if simulator == "icarus" else both:
            step = campaign.step_of_case(case.name, f"{run}:run_case", **how)
            found[f"{case.name}, {simulator} {seed}"] = step
        for name in MADE_UP:
            step = Step(f"{run}:run_made_up", {"name": name, **how})
            found[f"top-{name}, {simulator} {seed}"] = step
    return found


def _has_banks(case: Case) -> bool:
    """True of a layer alone whose weights can be loaded.

    Verilator may see an edge of the clock before a bench drives anything, and a load that comes
    then at random may write over weights. In a core `mlp_load` stands before the layers, and has
    them answer from the bank that is not written: ``top-loadable`` is run with every draw.
    """
    return isinstance(case.setting, OfOneLayer) and case.setting.network.spec.loadable


def no_initial_value() -> Figures:
    """No register of the design has an initial value."""
    return {"registers without initial value": check_power_on()}


def resets() -> dict[str, Step]:
    """Every cycle of every streaming case under Icarus, and of the golden network's folds."""
    found = {
        case.name: campaign.step_of_case(case.name, f"{HERE}:reset_case")
        for case in CASES
        if is_streaming(case.module)
    }
    for fold, spec in FOLDS.items():
        for first in range(0, cycles_of(spec), CHUNK):
            step = Step(f"{HERE}:reset_golden", {"fold": fold, "first": first})
            found[f"iris-{fold} from cycle {first}"] = step
    return found


def cycles_of(spec: NetworkSpec) -> int:
    """Cycles of a sample in which a reset can come."""
    return spec.latency + spec.interval


def reset_case(name: str) -> Figures:
    """A case, reset in every cycle."""
    case = case_named(name)
    job = Job(case.module, *case.prepare(BUILD / "campaigns" / f"reset-{name}"))
    operator = operator_of(job)
    cycles = operator.latency + 2 * operator.interval + 2
    options = {"resets": [0, cycles]}
    figures = campaign.run_case("reset", name, "icarus", testcase=RESET, options=options, seed=1)
    return figures | {"resets": cycles}


def reset_golden(fold: str, first: int) -> Figures:
    """The golden network, reset in some of its cycles."""
    end = min(first + CHUNK, cycles_of(FOLDS[fold]))
    figures = campaign.run_golden(
        f"reset-{first}",
        fold,
        "verilator",
        10,
        testcase=RESET,
        options={"resets": [first, end]},
        seed=1,
    )
    return figures | {"resets": end - first}


# Set at power-up alone, as memories are: which bank of weights answers must outlive a reset.
AT_POWER_UP = {"mlp_load/g_load.bank"}


class InitialValue(VerbatimError):
    """A register with a value at power-on; the message names it."""


def check_power_on(rtl: Path = RTL, folder: Path = BUILD / "power_on") -> int:
    """Count the registers of all modules; raise `InitialValue` where one has an initial value.

    ROMs are memories, not registers, and may; so may those `AT_POWER_UP`. Raises `SimulatorError`
    where Yosys cannot read the modules.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sources.verilog(rtl):
        shutil.copy(source, folder)
    lines = [
        *("read_verilog *.v", "proc", "tee -q -o initial.txt select -list w:* a:init %i"),
        "tee -q -o registers.txt select -list t:$dff t:$dffe t:$sdff t:$sdffe t:$adff",
    ]
    try:
        run_yosys(lines, folder, "power_on")
    except YosysError as error:
        raise SimulatorError(f"Yosys cannot read {rtl}: {error}") from error
    named = re.findall(r"\S+", (folder / "initial.txt").read_text())
    if found := [name for name in named if name not in AT_POWER_UP]:
        raise InitialValue(f"{', '.join(found)}: a register with an initial value")
    return len(re.findall(r"\S+", (folder / "registers.txt").read_text()))


if __name__ == "__main__":
    campaign.main(campaigns, "x_reset", __doc__)
