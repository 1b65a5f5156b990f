"""Run the benches on Yosys' netlists: of every module, and of whole networks."""

from syn.netlist import KINDS
from tb.modules.networks import MADE_UP
from tb.modules.registry import CASES
from tb.sim.run_network import LONG_RUN
from verify.campaigns import campaign
from verify.campaigns.campaign import Campaign, Step

FLOWERS = 150
# Parts of the names of those whose many cells or gates take Icarus up to half an hour each. A stage
# is as large as the module in it.
LARGE = {
    "generic": ("softmax-64by4-16.12-", "top-argmax"),
    "ice40": (
        "argmax-130by",
        "top-argmax",
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


def simulator(name: str, kind: str) -> str:
    """Icarus where it comes to an end soon."""
    return "verilator" if any(part in name for part in LARGE[kind]) else "icarus"


def steps(kind: str) -> dict[str, Step]:
    """Every case under Icarus, whose X may leak, but the largest; made-up networks; the flowers."""
    how = {"label": f"netlist-{kind}", "netlist": kind, "seed": 1}
    run = "verify.campaigns.campaign"
    found = {
        case.name: campaign.step_of_case(
            case.name, f"{run}:run_case", simulator=simulator(case.name, kind), **how
        )
        for case in CASES
    }
    for name in MADE_UP:
        arguments = {"name": name, "simulator": simulator(f"top-{name}", kind), **how}
        found[f"top-{name}"] = Step(f"{run}:run_made_up", arguments)
    golden = {"simulator": "verilator", "samples": FLOWERS, "testcase": LONG_RUN, **how}
    for fold in ("serial", "default"):
        found[f"iris-{fold}"] = Step(f"{run}:run_golden", {"fold": fold, **golden})
    return found


if __name__ == "__main__":
    campaign.main(campaigns, "netlists", __doc__)
