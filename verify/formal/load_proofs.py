"""Proofs for all time of what replaces weights while a core runs, with memories that it fills."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from common import sources
from common.paths import BUILD, RTL
from syn.yosys import chosen
from tb.modules.case import Parameters
from verify.formal.pdr import decide
from verify.formal.softmax_proofs import SECONDS, ProofError

WRAPPER = Path(__file__).with_name("load_properties.v")
TOP = "load_properties"
PROMISES = (
    "what_answers_is_never_written",
    "answers_are_of_one_frame",
    "turns_after_a_whole_right_frame",
    "turns_when_done",
    "turns_between_vectors",
    "refuses_all_others",
    "takes_unless_one_is_pending",
    "holds_back_only_while_one_is_pending",
    "no_beat_is_invented",
    "stable_while_stalled",
    "nobody_waits_forever",
    "bytes_go_to_the_memories",
    "each_as_it_came",
    "reset_forgets_a_frame",
)
# The first cycle is a reset, which sets these; that they begin at 0 as those of the properties do
# lets the solver see that both are the same in every cycle.
ALIKE = {"crc": 32, "vectors": 12}


@dataclass(frozen=True)
class LoadProof:
    """The promises of load_properties.v for two memories of so many words of so many bits."""

    width_a: int
    depth_a: int
    width_b: int
    depth_b: int

    module = "mlp_load"
    memory = "mlp_loadable_rom"
    extent = "for all time"
    solver = "ABC pdr"

    @property
    def name(self) -> str:
        """``load-1x10-2x3``."""
        return f"load-{self.depth_a}x{self.width_a}-{self.depth_b}x{self.width_b}"

    @property
    def size(self) -> str:
        """The memories that the proof is for."""
        first, second = f"{self.depth_a} of {self.width_a}", f"{self.depth_b} of {self.width_b}"
        return f"words of `{self.memory}`: {first} bits, {second}"

    @property
    def parameters(self) -> Parameters:
        """Parameters of load_properties.v."""
        return {
            "WIDTH_A": self.width_a,
            "DEPTH_A": self.depth_a,
            "WIDTH_B": self.width_b,
            "DEPTH_B": self.depth_b,
        }

    def prove(
        self, rtl: Path = RTL, *, folder: Path | None = None, promise: str | None = None
    ) -> int:
        """Prove all promises, or this one; return the cycles that the solver looked at.

        Raises `ProofError` where a run breaks one, or the solver gives up.
        """
        folder = folder or BUILD / "formal" / self.name
        return max(self._decide(one, rtl, folder) for one in ([promise] if promise else PROMISES))

    def _decide(self, promise: str, rtl: Path, folder: Path) -> int:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        names = [WRAPPER.name, f"{self.module}.v", f"{self.memory}.v"]
        for source in (WRAPPER, *sources.verilog(rtl)):
            if source.name in names:
                shutil.copy(source, folder)
        design = [
            f"read_verilog -formal {' '.join(names)}",
            f"chparam {chosen(self.parameters)} {TOP}",
            f"prep -top {TOP}",
            *(f"setattr -set init {bits}'d0 w:*g_load.{name}" for name, bits in ALIKE.items()),
            f"chformal -assert -remove t:$check c:*{promise} %d",
        ]
        verdict = decide(design, folder, seconds=SECONDS)
        if not verdict.holds:
            said = "undecided" if verdict.holds is None else "refuted"
            raise ProofError(
                f"{self.name}: {promise} is {said} after {verdict.frames} cycles; see {folder}"
            )
        return verdict.frames


def proofs() -> list[LoadProof]:
    """A word of two bytes in front of two of one, at sizes that a solver can take."""
    return [LoadProof(10, 1, 3, 2)]
