"""Train networks for area from several seeds: weights kept, accuracy, LUTs, and their clock.

Networks of several levels of pruning are built beside those that cross-validation chose, and
alkaid's pipelines of the same integers beside ours.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.progress import Progress

from common import cli, files, jobs
from common.executors import Serial
from common.jobs import Job
from common.paths import BUILD
from model import adders
from studies import area_networks, area_page, area_peers
from studies.area_networks import Row
from syn import synthesis, utilization
from syn.targets import target

HERE = "studies.area"
FOLDER = BUILD / "area"
FAMILY, DEVICE = "ecp5", "25k"
# Small devices for the median of the first network, each with the seeds of its placement: the
# package of the second has fewer pins than a result a cycle needs.
SMALL: tuple[tuple[str, tuple[int, ...]], ...] = (("hx8k", (1, 2, 3)), ("up5k", ()))
# Recipes of `model/networks/area/`, each learned from as many seeds.
NAMES = ("iris_area", "wine_area", "breast_cancer_area", "digits_area", "jet_tagging_area")
SEEDS = 10
# Levels of the first seed that are built, whatever cross-validation says of them.
LEVELS = (0.35, 0.18, 0.09, 0.045)


def measured(
    content: Mapping[str, Any],
    placements: Sequence[int],
    family: str = FAMILY,
    device: str = DEVICE,
) -> dict[str, Any]:
    """Cells of a network's build, placed with each of these seeds."""
    network, chosen = area_networks.network_of(content), target(family)
    facts = utilization.measure(
        network,
        chosen,
        chosen.device(device),
        placements,
        Progress(disable=True),
        Serial(),
    )
    kept = ("device", "cells", "modules", "placed", "clock", "cycles", "available", "tools")
    return {key: facts[key] for key in kept}


def placements(name: str) -> tuple[int, ...]:
    """Seeds of the placement of a network's median build: several of the first."""
    return (1, 2, 3) if name == NAMES[0] else (1,)


def seeds(names: Sequence[str], count: int, workers: int) -> list[Row]:
    """A row a network and seed, as cross-validation prunes it; the medians are placed too."""
    work = [(name, seed) for name in names for seed in range(count)]
    learning = [area_networks.job(*of) for of in work]
    learned = jobs.run("training for area", learning, FOLDER / "networks", workers=workers)
    found = [
        {"name": name, "seed": seed, **done.result}
        for (name, seed), done in zip(work, learned, strict=True)
    ]
    for row, built in zip(found, _built("seeds", found, workers), strict=True):
        row |= built
    middle = list(area_page.medians(found).values())
    for row, built in zip(middle, _built("medians", middle, workers, place=True), strict=True):
        row["median"] = built
    return found


def levels(names: Sequence[str], workers: int) -> list[Row]:
    """A row a network and level of `LEVELS`."""
    learning = [area_networks.levels_job(name, LEVELS) for name in names]
    learned = jobs.run("levels", learning, FOLDER / "levels", workers=workers)
    found = [
        {"name": name, **row}
        for name, done in zip(names, learned, strict=True)
        for row in done.result
    ]
    for row, built in zip(found, _built("levels", found, workers), strict=True):
        row |= built
    return found


def small(row: Row, workers: int) -> list[Row]:
    """A row a device of `SMALL`, for this row's network."""
    work = [
        _job(f"{row['name']}-{device}", row, own, family="ice40", device=device)
        for device, own in SMALL
    ]
    done = jobs.run("small devices", work, FOLDER / "builds", workers=workers)
    return [{**row, **found.result} for found in done]


def _built(
    label: str, found: Sequence[Row], workers: int, *, place: bool = False
) -> list[dict[str, Any]]:
    """Cells of each row's network, and its clock where it is placed."""
    work = [
        _job(
            f"{row['name']}-{label}-{row.get('seed', row.get('level'))}",
            row,
            placements(row["name"]) if place else (),
        )
        for row in found
    ]
    done = jobs.run(f"build {label}", work, FOLDER / "builds", workers=workers)
    return [measured_row.result for measured_row in done]


def _job(name: str, row: Row, seeds_of_placement: Sequence[int], **options: object) -> Job:
    rests_on = {**jobs.rests_on(HERE), "tools of synthesis": synthesis.versions()}
    given = {"content": row["network"], "placements": list(seeds_of_placement), **options}
    return Job(name, f"{HERE}:measured", given, rests_on)


def fitted(found: Sequence[Row]) -> list[float]:
    """The slopes of `model.adders` that predict the LUTs of these builds best, in proportion."""
    parts, luts = [], []
    for row in found:
        cost = row["cost"]
        rest = adders.rest(area_networks.network_of(row["network"]))
        parts.append([cost["adder_bits"], cost["requantizer_bits"], rest])
        luts.append(row["cells"]["LUT"])
    scale = np.array(luts, dtype=float)
    slopes, *_ = np.linalg.lstsq(np.array(parts) / scale[:, None], np.ones(len(luts)), rcond=None)
    return [round(float(slope), 2) for slope in slopes]


def run(arguments: argparse.Namespace) -> None:
    """Write ``area.md`` and its picture, when every network is built."""
    names = [name for name in NAMES if not arguments.only or name in arguments.only]
    found = seeds(names, min(SEEDS, arguments.seeds or SEEDS), arguments.jobs)
    walked = levels(names, arguments.jobs)
    medians = area_page.medians(found)
    piped = area_peers.measured(medians, target(FAMILY), DEVICE, placements, FOLDER, arguments.jobs)
    fitting = small(medians[names[0]], arguments.jobs)
    slopes = fitted([*found, *walked])
    with files.whole_file(arguments.docs / area_page.PICTURE) as temporary:
        picture = area_page.picture(found, walked, piped)
        picture.savefig(temporary, dpi=120, format="png")
    page = area_page.page(found, walked, piped, fitting, slopes)
    files.write_atomically(arguments.docs / area_page.PAGE, page)
    listed = {"seeds": found, "levels": walked, "alkaid": piped, "small": fitting}
    plain = {
        kind: [{key: value for key, value in row.items() if key != "network"} for row in rows]
        for kind, rows in listed.items()
    }
    files.write_atomically(BUILD / "area.json", json.dumps(plain, indent=1) + "\n")
    print(f"{arguments.docs / area_page.PAGE}: {len(found)} networks")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.area", description=__doc__)
    built.add_argument("--jobs", type=int, default=2, help="networks at a time")
    built.add_argument("--seeds", type=int, help="most seeds of a network")
    built.add_argument("--only", nargs="*", choices=NAMES, help="these networks alone")
    cli.add_docs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
