"""Synthesize the softmax with each score and divider, and write the cells into docs/softmax.md."""

import argparse

from common import cli, jobs, markdown
from common.paths import BUILD, ROOT
from model.format import Format
from model.stages.softmax import COMBINATIONS, EXP_IMAGE, RECIPROCAL_IMAGE, SoftmaxSpec
from syn import carried
from syn.synthesis import IMAGES, Design
from syn.targets import KINDS, TARGETS
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


def design(spec: SoftmaxSpec) -> Design:
    """``mlp_softmax`` of this spec, its tables beside it."""
    images = FOLDER / f"{spec.score}-{spec.divider}"
    images.mkdir(parents=True, exist_ok=True)
    parameters = softmax_parameters(spec, images)
    parameters |= {
        "EXP": f"{IMAGES}/{EXP_IMAGE}",
        "RECIPROCAL": f"{IMAGES}/{RECIPROCAL_IMAGE}",
    }
    return Design("mlp_softmax", parameters, images, multipliers=spec.area.multipliers)


def run(arguments: argparse.Namespace) -> None:
    """Synthesize every combination for every family, then fill the part of the page."""
    combinations = [(*pair, name) for pair in COMBINATIONS for name in FAMILIES]
    work = [
        carried.netlist_job(
            design(SoftmaxSpec(3, Format(8, 4), score, divider, lanes=1)), *FAMILIES[name]
        )
        for score, divider, name in combinations
    ]
    done = jobs.run("synthesis", work, FOLDER / "jobs", workers=arguments.jobs)
    rows = [
        (f"`{score}`", f"`{divider}`", name, *carried.netlist_of(found.result).cells.values())
        for (score, divider, name), found in zip(combinations, done, strict=True)
    ]
    table = markdown.table(COLUMNS, rows)
    page = ROOT / arguments.docs / PAGE
    markdown.fill(page, {BLOCK: INTRODUCTION + table})
    print(table)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.softmax_size", description=__doc__)
    cli.add_docs(built, "docs")
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
