"""Prove what the softmax promises, at widths that a solver can take, and write it down."""

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from model import artifact
from scripts import cli
from tb.formal import proofs
from tb.tools import ROOT

PAGE = "softmax_formal.md"
COLUMNS = ("score", "divider", "classes by lanes", "logits", "cycles", "result")
INTRODUCTION = """# The softmax, proved

`make formal` writes this page. SymbiYosys and z3 look for any run of so many cycles, its first one
a reset, in which `mlp_softmax` breaks a promise of `formal/softmax.v`. Logits, stalls on both sides
and later resets are free in every cycle. The proofs are bounded: they say nothing of longer runs.

* the sum is 255; the winner is the first of the largest score; none is above it, and no smaller
  score equal to it;
* a result waits unchanged while it is stalled; none comes without its logits.

"""


def run(arguments: argparse.Namespace) -> None:
    """Run every proof; the first that fails ends the command."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    every = proofs()
    start = time.perf_counter()
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("proofs", total=len(every))
        for proof in every:
            proof.prove()
            spec = proof.spec
            shape = (f"{spec.n} by {spec.lanes}", f"{spec.x.width} bits, frac {spec.x.frac}")
            rows.append(
                (f"`{spec.score}`", f"`{spec.divider}`", *shape, str(proof.depth), "proved")
            )
            bar.advance(task)
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    artifact.write_atomically(ROOT / arguments.docs / PAGE, INTRODUCTION + table)
    print(table)
    print(f"{len(every)} proofs in {time.perf_counter() - start:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.formal", description=__doc__)
    built.add_argument(
        "--docs", type=Path, default=Path("docs"), help="folder of the page (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
