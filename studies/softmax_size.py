"""Synthesize the softmax with each score and divider, and write the cells into docs/softmax.md."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from common import cli, markdown
from common.paths import BUILD, ROOT
from model.format import Format
from model.stages.softmax import COMBINATIONS, EXP_IMAGE, RECIPROCAL_IMAGE, SoftmaxSpec
from syn.synthesis import IMAGES, Cells, Design, synthesize
from syn.targets import KINDS, TARGETS, Device, Target
from tb.modules.softmax import softmax_parameters

PAGE, BLOCK = "softmax.md", "size"
FOLDER = BUILD / "softmax_size"

ICE40, ECP5 = TARGETS["ice40"], TARGETS["ecp5"]
FAMILIES = {
    "iCE40": (ICE40, ICE40.device("hx1k")),
    "iCE40, DSP": (ICE40, ICE40.device("up5k")),
    "ECP5": (ECP5, ECP5.device(None)),
}
COLUMNS = ("score", "divider", "target", *KINDS)

INTRODUCTION = """`make study-softmax-size` writes this part: cells of `mlp_softmax` for 3
classes of int8 logits at frac 4, one class a cycle, after synthesis by Yosys and before placement.
The limit is 600 LUTs of an iCE40: for `taylor2` with `reciprocal` where its multipliers may be
DSPs, with `restoring` where there are none. Without DSPs the 15 by 16 bits that `reciprocal`
multiplies are most of it. A carry cell of an ECP5 counts as the two LUTs that it occupies.

"""


def cells(spec: SoftmaxSpec, target: Target, device: Device | None) -> Cells:
    """Cells of ``mlp_softmax``, by kind."""
    images = FOLDER / f"{spec.score}-{spec.divider}"
    images.mkdir(parents=True, exist_ok=True)
    parameters = softmax_parameters(spec, images)
    parameters |= {
        "EXP": f"{IMAGES}/{EXP_IMAGE}",
        "RECIPROCAL": f"{IMAGES}/{RECIPROCAL_IMAGE}",
    }
    multipliers = spec.area.multipliers
    design = Design("mlp_softmax", parameters, images, multipliers=multipliers)
    return synthesize(design, target, device).cells


def run(arguments: argparse.Namespace) -> None:
    """Synthesize every combination for every family, then fill the part of the page."""
    rows = []
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("synthesis", total=len(COMBINATIONS) * len(FAMILIES))
        for score, divider in COMBINATIONS:
            spec = SoftmaxSpec(3, Format(8, 4), score, divider, lanes=1)
            for name, (target, device) in FAMILIES.items():
                found = cells(spec, target, device).values()
                rows.append((f"`{score}`", f"`{divider}`", name, *found))
                bar.advance(task)
    table = markdown.table(COLUMNS, rows)
    page = ROOT / arguments.docs / PAGE
    markdown.fill(page, {BLOCK: INTRODUCTION + table})
    print(table)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.softmax_size", description=__doc__)
    built.add_argument(
        "--docs", type=Path, default=Path("docs"), help="folder of the page (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
