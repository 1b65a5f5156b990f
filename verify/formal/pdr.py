"""Unbounded proofs: ABC's property-directed reachability, which lives inside the wheel of Yosys.

The wheel has no `abc` of its own to call, but the pass that maps logic runs whatever script it is
given: that of a proof reads the design as an AIGER file, proves it, and leaves the verdict.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syn.yosys import run_yosys

CARRIER = "module carrier(input a, b, output y); assign y = a & b; endmodule\n"
VERDICT = "verdict.txt"


# From a prepared top to and-gates and latches, one output an assertion. Registers that have no
# initial value begin at any.
LOWERED = [
    *("flatten", "async2sync", "chformal -lower", "delete -output", "setundef -undriven -anyseq"),
    *("setattr -unset keep", "opt -full", "memory_map -formal", "techmap", "opt -fast"),
    "setundef -anyseq",
    *("formalff -clk2ff -ff2anyinit", "simplemap", "dffunmap", "aigmap", "opt_clean"),
    "write_aiger -I -B -zinit -no-startoffset design.aig",
]


@dataclass(frozen=True)
class Verdict:
    """``holds`` is True where proved for all time, False where refuted, None where undecided.

    ``frames`` are the cycles that the proof looked at, or those of the shortest run that fails.
    """

    holds: bool | None
    frames: int


def decide(
    design: list[str], folder: Path, *, seconds: int = 60, bound: int | None = None
) -> Verdict:
    """Decide if every assertion of a design holds wherever its assumptions have held so far.

    For all time; or in runs of at most ``bound`` cycles, where a module is too large for that.
    ``design`` are the lines of a Yosys script, run in ``folder``, that end with a prepared top.
    Raises `YosysError` where they fail.
    """
    run_yosys([*design, *LOWERED], folder, "lower")
    engine = f"bmc3 -F {bound}" if bound else "pdr"
    reduced = ("read_aiger design.aig", "fold", "strash", "scorr", "write_aiger reduced.aig")
    run_abc([*reduced, f"{engine} -T {seconds}", f"write_status {VERDICT}"], folder, "prove")
    outputs = _outputs(folder / "reduced.aig")
    if outputs <= {0, 1}:  # nothing is left to prove
        return Verdict(outputs == {0}, 0)
    found = verdict(folder)
    frames = int(found[2])
    if bound and found[1] == "UNK":
        return Verdict(True if frames >= bound - 1 else None, bound)
    return Verdict({"UNSAT": True, "SAT": False}.get(found[1]), frames)


def run_abc(commands: Sequence[str], folder: Path, name: str) -> None:
    """Run ABC's commands in ``folder``, from a script and with a log of this name.

    Raises `YosysError` where they fail.
    """
    (folder / VERDICT).unlink(missing_ok=True)
    (folder / "carrier.v").write_text(CARRIER)
    script = ("write_blif carrier.blif", *commands, "read_blif carrier.blif", "")
    (folder / f"{name}.abc").write_text("\n".join(script))
    run_yosys(["read_verilog carrier.v", "techmap", f"abc -lut 2 -script {name}.abc"], folder, name)


def verdict(folder: Path) -> re.Match[str]:
    """The word that ABC left in `VERDICT`, ``UNSAT`` or ``SAT`` or another, and the frames."""
    found = re.match(r"snl_(\w+) (-?\d+)", (folder / VERDICT).read_text())
    assert found, f"{folder / VERDICT}: no verdict"
    return found


def _outputs(path: Path) -> set[int]:
    """The literals of an AIGER file's outputs: 0 is never, 1 is always."""
    lines = path.read_bytes().split(b"\n")
    _, _, _, latches, outputs, *_ = lines[0].split()
    return {int(line) for line in lines[1 + int(latches) :][: int(outputs)]}
