"""Prove what each module with streams promises, by *_properties.v at sizes a solver can take.

Inputs, stalls and resets are free. Where a proof is unbounded it holds for all time; else for every
run of so many cycles, the first one a reset.
"""

import shutil
from pathlib import Path

from common import sources
from common.paths import BUILD, RTL
from syn.yosys import chosen
from tb.modules.case import Contract, short
from verify.formal.pdr import decide
from verify.formal.softmax_proofs import SECONDS, ProofError

FORMAL = Path(__file__).parent
CONTRACT = "stream_contract.v"
# Cycles of a bounded proof beyond latency and interval: a reset, a stall, and the cycle after it.
SLACK = 3

# The promises of verify/formal/stream_contract.v.
PROMISES = (
    "stable_while_stalled",
    "nothing_is_invented",
    "each_result_in_order",
    "nothing_is_lost",
    "nobody_waits_forever",
    "no_more_than_fits",
)


def promises(contract: Contract) -> tuple[str, ...]:
    """The assertions; gates alone keep no contract over time."""
    return ("equals_its_formula",) if contract.gates else PROMISES


def bound(contract: Contract) -> int | None:
    """Cycles of the runs that are covered, None for all time."""
    return contract.latency + contract.interval + SLACK if contract.bounded else None


def extent(contract: Contract) -> str:
    """Reach of the proof."""
    return f"{bound(contract)} cycles" if contract.bounded else "for all time"


def solver(contract: Contract) -> str:
    """The solver that proves it."""
    return "ABC bmc3" if contract.bounded else "ABC pdr"


def prove(
    contract: Contract, rtl: Path = RTL, *, folder: Path | None = None, promise: str | None = None
) -> int:
    """Prove all promises, or this one; return the cycles that the solver looked at.

    Raises `ProofError` where a run breaks one, or the solver gives up.
    """
    folder = folder or BUILD / "formal" / contract.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    top = f"{short(contract.module)}_properties"
    for source in (FORMAL / CONTRACT, FORMAL / f"{top}.v", *sources.verilog(rtl)):
        shutil.copy(source, folder)
    # The solver works in the folder, whose images need no path.
    parameters = {
        name: value.removeprefix(f"{folder}/") if isinstance(value, str) else value
        for name, value in contract.setting.prepare(folder)[0].items()
    }
    if not contract.gates:
        # As many vectors as cycles of latency, and what a register more may hold.
        parameters["CAPACITY"] = contract.latency + 2
        parameters["PATIENCE"] = contract.latency + contract.interval
    named = " ".join(sorted(path.name for path in folder.glob("*.v")))
    design = [f"read_verilog -formal {named}", f"chparam {chosen(parameters)} {top}"]
    design.append(f"prep -top {top}")
    if promise:
        design.append(f"chformal -assert -remove t:$check c:*{promise} %d")
    verdict = decide(design, folder, seconds=SECONDS, bound=bound(contract))
    if not verdict.holds:
        said = "undecided" if verdict.holds is None else "refuted"
        what = promise or "a promise"
        raise ProofError(
            f"{contract.name}: {what} is {said} after {verdict.frames} cycles; see {folder}"
        )
    return verdict.frames
