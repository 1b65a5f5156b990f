"""Each delta of a logit through the RTL: all probabilities and logits, the label's and others'.

Taylor2's product with its slope is beyond the solvers; its inputs are few enough for all of them.
"""

import argparse
import subprocess
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common import cli
from common.errors import SimulationError
from common.paths import BUILD, RTL
from model.format import Int
from model.images import MEM_DIR
from model.learning import backprop
from model.learning.backprop import Plan
from model.learning.core import SLOPES_IMAGE, Core
from tb.sim.verilator_cpp import build_harness
from verify import record

HERE, TOP, COMMAND = "verify.campaigns.slope", "mlp_learn_error", "make verify-slope"
HARNESS = Path(__file__).with_name("slope.cpp")
# Fraction bits that logits may have: taylor2's slopes are another table for each, exp has none.
FRACS = {"exp": (3,), "taylor2": range(backprop.GUARD + 1)}


class SlopeError(SimulationError):
    """A delta that is not the reference's; the message is what it was made of, and both."""


def plan(score: str, frac: int) -> Plan:
    """Two classes with this score, whose logits have so many fraction bits."""
    return Plan((1, 2), (0,), (False,), (0,), epochs=1, samples=1, score=score, logit_frac=frac)


def vectors() -> NDArray[np.uint8]:
    """Every byte with every logit, of the label and of another class: ``[65536, 5]``."""
    pairs = np.arange(1 << 16)
    p, logit = (pairs & 0xFF).astype(np.uint8), (pairs >> 8).astype(np.uint8)
    # The other class goes through the pairs in another order.
    return np.stack([p, p[::-1] ^ 0x5A, logit, logit[::-1] ^ 0xA5, np.zeros_like(p)], axis=1)


def run_rtl(score: str, frac: int, sent: NDArray[np.uint8], rtl: Path = RTL) -> Int:
    """Deltas of the RTL for vectors ``[n, 5]``, as ``[n, 2]``.

    Raises `SlopeError` where it gives not two a vector.
    """
    program = build_harness(
        TOP,
        {"N": 2, "SCORE": score, "SLOPES": f"{MEM_DIR}/{SLOPES_IMAGE}"},
        HARNESS,
        rtl=rtl,
    )
    folder = BUILD / "slope" / f"{score}-{frac}"
    Core(plan(score, frac), 1).write_images(folder / MEM_DIR)
    done = subprocess.run(
        [program], cwd=folder, input=sent.tobytes(), capture_output=True, check=False
    )
    found = np.frombuffer(done.stdout, np.int16)
    if done.returncode or found.size != 2 * len(sent):
        complaint = done.stderr.decode().strip() or f"{found.size} deltas of {2 * len(sent)}"
        raise SlopeError(f"{TOP} {score} frac {frac}: {complaint}")
    return found.reshape(-1, 2).astype(np.int64)


def check(score: str, frac: int, rtl: Path = RTL) -> int:
    """Compare every delta with the reference; return how many.

    Raises `SlopeError` at the first that differs.
    """
    sent = vectors()
    p, logits = sent[:, :2].astype(np.int64), sent[:, 2:4].astype(np.int8).astype(np.int64)
    expected = backprop.error(plan(score, frac), p, logits, 0)
    found = run_rtl(score, frac, sent, rtl)
    wrong = np.argwhere(found != expected)
    if len(wrong):
        at = tuple(wrong[0])
        what = f"p {p[at]}, logit {logits[at]}, {'another class' if at[1] else 'the label'}"
        raise SlopeError(
            f"{TOP} {score} frac {frac}: {what}: expected {expected[at]}, got {found[at]} "
            f"({len(wrong)} of {found.size} differ)"
        )
    return int(found.size)


def run(arguments: argparse.Namespace) -> None:
    """Check both scores at every format of a logit that matters."""
    begun = time.perf_counter()
    compared = sum(check(score, frac) for score, fracs in FRACS.items() for frac in fracs)
    seconds = time.perf_counter() - begun
    record.record(
        "slope",
        level=5,
        claim="each delta of a logit is the reference's, at all probabilities, logits and formats",
        command=COMMAND,
        figures={"deltas compared": compared, "differing": 0},
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
    )
    print(f"{compared:,} deltas compared, 0 differ, in {seconds:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    return argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)


if __name__ == "__main__":
    cli.main(run, parser())
