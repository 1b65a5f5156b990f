"""Prove the robustness of the networks in git, and of IrisNet at fewer bits; write their page."""

import argparse
from pathlib import Path
from typing import Any

from common import cli, files, jobs
from common.jobs import Job
from common.paths import BUILD, GOLDEN, RECIPES
from model import recipe
from studies import sweep
from studies.accuracy_page import SHIPPED
from studies.robustness import check, measure, page, search

HERE = "studies.robustness.study"
FOLDER = BUILD / "robustness"
# Bits of IrisNet's weights and of values between layers; its input keeps 8.
WIDTHS = (8, 7, 6, 5, 4)
SOFTMAX = ("taylor2", "reciprocal")


def shipped(workers: int | None) -> list[dict[str, Any]]:
    """Figures of each network in git, replayed on the RTL."""
    found = []
    for name in SHIPPED:
        plan, path = recipe.load(RECIPES / f"{name}.toml"), GOLDEN / f"{name}.network.json"
        measured = measure.measure(plan, path, FOLDER / name, workers)
        found.append(measure.prove(measured, path, FOLDER / name))
    return found


def narrower(workers: int | None) -> list[dict[str, Any]]:
    """Figures of IrisNet trained at each width, by the same recipe."""
    rests_on = jobs.rests_on(sweep.HERE, tops=[], files=[sweep.RECIPE])
    work = [
        Job(
            str(bits),
            f"{sweep.HERE}:learned",
            {"bits": bits, "score": SOFTMAX[0], "divider": SOFTMAX[1]},
            rests_on,
        )
        for bits in WIDTHS
    ]
    done = jobs.run("training", work, FOLDER / "networks", workers=workers)
    found = []
    for bits, trained in zip(WIDTHS, done, strict=True):
        build = FOLDER / f"iris-{bits}"
        path = build / "network.json"
        files.write_atomically(path, trained.result["network"])
        plan = sweep.at_width(recipe.load(sweep.RECIPE), bits, *SOFTMAX)
        measured = measure.measure(plan, path, build, workers)
        found.append(measure.prove(measured, path, build, rtl=False) | {"bits": bits})
    return found


def run(arguments: argparse.Namespace) -> None:
    """Write ``robustness.md`` and its picture, when everything is proved and checked."""
    rows = shipped(arguments.jobs)
    bits = narrower(arguments.jobs)
    docs: Path = arguments.docs
    with files.whole_file(docs / page.PICTURE) as temporary:
        page.picture(rows).savefig(temporary, dpi=120, format="png")
    lines = len(Path(check.__file__).read_text().splitlines())
    text = page.page(rows, bits, least=sweep.LEAST_LOGITS, narrow=search.NARROW, lines=lines)
    files.write_atomically(docs / page.PAGE, text)
    print(f"{docs / page.PAGE}: {len(rows)} networks, {len(bits)} widths")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    cli.add_docs(built)
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
