"""Run the benches on Yosys' netlists: of every module, and of whole networks."""

from functools import partial

from common.jobs import Piece
from syn.netlist import KINDS
from tb.modules.case import Case
from tb.modules.networks import MADE_UP
from tb.modules.registry import CASES
from tb.sim.run_network import LONG_RUN
from verify.campaigns import campaign
from verify.campaigns.campaign import Campaign

FLOWERS = 150
# Cases of which so many cells or gates take Icarus up to half an hour each.
LARGE = {
    "generic": ("softmax-64by4-16.12-",),
    "ice40": (
        "softmax-64by4-",
        "softmax-10by5-",
        "softmax_normalize-10by",
        "linear-30x6-",
        "layer-30x6-",
    ),
}


def campaigns() -> list[Campaign]:
    """A campaign for each kind of netlist."""
    return [
        Campaign(
            name=f"netlist-{kind}",
            level=7,
            claim=f"Yosys' {kind} netlist passes the benches of the RTL",
            command="make verify-netlists",
            steps=steps(kind),
            seed=1,
        )
        for kind in KINDS
    ]


def simulator(case: Case, kind: str) -> str:
    """Icarus where it comes to an end soon."""
    return "verilator" if case.name.startswith(LARGE[kind]) else "icarus"


def steps(kind: str) -> dict[str, Piece]:
    """Every case under Icarus, whose X may leak, but the largest; made-up networks; the flowers."""
    label = f"netlist-{kind}"
    found: dict[str, Piece] = {
        case.name: partial(
            campaign.run_case, label, case.name, simulator(case, kind), netlist=kind, seed=1
        )
        for case in CASES
    }
    for name in MADE_UP:
        found[f"top-{name}"] = partial(
            campaign.run_made_up, label, name, "icarus", netlist=kind, seed=1
        )
    for fold in ("serial", "default"):
        found[f"iris-{fold}"] = partial(
            campaign.run_golden,
            *(label, fold, "verilator", FLOWERS),
            testcase=LONG_RUN,
            netlist=kind,
            seed=1,
        )
    return found


if __name__ == "__main__":
    campaign.main(campaigns, "netlist", __doc__)
