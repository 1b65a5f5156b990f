"""Hold both simulators together: every stream in every cycle, stalls and resets included."""

from functools import partial
from pathlib import Path
from typing import Any

from scripts import campaign
from scripts.campaign import Campaign
from scripts.pieces import Figures, Piece
from tb.cycles import same_cycles
from tb.network_run import EVERY_SAMPLE
from tb.rows import ON_BOTH_SIMULATORS
from tb.tools import BUILD
from tb.tops import FOLDS, MADE_UP

LABEL = "cycles"
# What a fold of the golden network can show in reasonable waveforms.
FLOWERS = {"serial": 5, "default": 50, "unrolled": 50}


def campaigns() -> list[Campaign]:
    """The one campaign."""
    return [
        Campaign(
            name="same-cycles",
            level=10,
            claim="valid, ready and valid payload of every stream are equal under Icarus and "
            "Verilator in every cycle, by sha256",
            command="make same-cycles",
            steps=steps(),
            seed=1,
        )
    ]


def steps() -> dict[str, Piece]:
    """Rows that run on both simulators, made-up networks, and the golden one at its folds."""
    found: dict[str, Piece] = {
        row.name: partial(row_agrees, row.name)
        for row in ON_BOTH_SIMULATORS
        if row.bench == "operator_bench"
    }
    found |= {f"top-{name}": partial(made_up_agrees, name) for name in MADE_UP}
    return found | {f"iris-{fold}": partial(golden_agrees, fold) for fold in FOLDS}


def row_agrees(name: str) -> Figures:
    """One row."""
    return _agrees(partial(campaign.run_row, LABEL, name), name)


def made_up_agrees(name: str) -> Figures:
    """One made-up network."""
    return _agrees(partial(campaign.run_made_up, LABEL, name), f"top-{name}")


def golden_agrees(fold: str) -> Figures:
    """The golden network, without the resets of its bench: made-up networks have them."""

    def run(simulator: str, **how: Any) -> Figures:
        return campaign.run_golden(
            LABEL, fold, simulator, FLOWERS[fold], testcase=EVERY_SAMPLE, **how
        )

    return _agrees(run, f"iris-{fold}")


def _agrees(run: campaign.Simulation, name: str) -> Figures:
    """Run on both simulators, and compare."""

    def simulated(simulator: str, waves: Path) -> Figures:
        return run(simulator, seed=1, waves=waves)

    found = same_cycles(simulated, BUILD / "campaigns" / f"{LABEL}-waves-{name}")
    compared = found.streams * found.cycles
    return {"streams": found.streams, "cycles": found.cycles, "cycles of streams": compared}


if __name__ == "__main__":
    campaign.main(campaigns, "same_cycles", __doc__)
