"""All int8 logit triples through the RTL of the softmax, in a C++ harness."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model import artifact
from model.spec import Format, SoftmaxSpec
from tb.rows import softmax_parameters
from tb.tools import BUILD, RTL
from tb.verilated import build_harness

ALL_TRIPLES = 1 << 24
HARNESS = Path(__file__).with_name("softmax_exhaustive.cpp")
BINS_PER_LSB = 16


class ExhaustiveError(AssertionError):
    """A promise that the softmax breaks; the message is the logits, what they became, and which."""


@dataclass(frozen=True)
class Case:
    """A softmax of three int8 logits, fully unrolled: a vector in each cycle."""

    score: str
    divider: str
    frac: int

    @property
    def name(self) -> str:
        """``exp-reciprocal-frac4``."""
        return f"{self.score}-{self.divider}-frac{self.frac}"

    @property
    def spec(self) -> SoftmaxSpec:
        """What the widths follow from."""
        return SoftmaxSpec(3, Format(8, self.frac), self.score, self.divider, lanes=3)

    def build(self, rtl: Path = RTL) -> Path:
        """The executable; its folder is named by the sha256 of all that went into it."""
        parameters = softmax_parameters(self.spec, self.tables)
        return build_harness("mlp_softmax", parameters, HARNESS, rtl=rtl)

    @property
    def tables(self) -> Path:
        """Folder of the ROM images."""
        return BUILD / "exhaustive" / self.name

    def run(
        self,
        vectors: int = ALL_TRIPLES,
        *,
        seed: int = 1,
        rtl: Path = RTL,
        progress: Callable[[int], None] = lambda checked: None,
    ) -> dict[str, Any]:
        """Check ``vectors`` triples: all of them in order, or so many at random.

        Returns vectors checked, cycles, losers that are 1 LSB below the exact quotient, and the
        errors against the real softmax: their range in LSB, and their counts in bins of 1/16 LSB.
        Raises `ExhaustiveError` at the first promise that does not hold.
        """
        artifact.write_softmax_images(self.spec, self.tables)
        count = 0 if vectors == ALL_TRIPLES else vectors
        table = self.tables / artifact.EXP_IMAGE
        words = [self.build(rtl), self.score, self.divider, self.frac, table, count, seed]
        lines: list[str] = []
        with subprocess.Popen(
            [str(word) for word in words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout and process.stderr
            for line in process.stdout:
                if line.startswith("progress "):
                    progress(int(line.split()[1]))
                else:
                    lines.append(line)
            complaint = process.stderr.read().strip()
        if process.returncode or len(lines) != 1:
            raise ExhaustiveError(f"{self.name}: {complaint or f'status {process.returncode}'}")
        result: dict[str, Any] = json.loads(lines[0])
        if result["checked"] != vectors:
            raise ExhaustiveError(f"{self.name}: {result['checked']} of {vectors} were checked")
        return result
