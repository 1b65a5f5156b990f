"""Train networks for area from several seeds: weights kept, accuracy, LUTs, and their clock."""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from common import cli, files, jobs
from common.executors import Serial
from common.jobs import Job
from common.paths import BUILD
from model.artifact import Network
from studies import area_networks, area_page
from studies.area_page import Row
from syn import synthesis, utilization
from syn.targets import target

HERE = "studies.area"
FOLDER = BUILD / "area"
TARGET, DEVICE = target("ecp5"), "25k"
# Seeds of each recipe of `model/networks/area/`.
SEEDS = {"iris_area": 10, "wine_area": 5, "breast_cancer_area": 5, "digits_area": 3}
PLACEMENTS = (1, 2, 3)


def measured(content: Mapping[str, Any], placements: Sequence[int]) -> dict[str, Any]:
    """Cells of a network's unrolled build, placed with each of these seeds."""
    network = unrolled(content)
    silent, device = Progress(disable=True), TARGET.device(DEVICE)
    facts = utilization.measure(network, TARGET, device, placements, silent, Serial())
    kept = ("cells", "placed", "clock", "cycles", "available", "tools")
    return {key: facts[key] for key in kept}


def unrolled(content: Mapping[str, Any]) -> Network:
    """The network with every weight a constant."""
    with tempfile.TemporaryDirectory() as folder:
        network = area_networks.network_of(dict(content), Path(folder))
    return network.refolded(network.spec.unrolled())


def rows(seeds: Mapping[str, int], workers: int) -> list[Row]:
    """A row a network and seed; the median of each network's LUTs is placed too."""
    work = [(name, seed) for name, count in seeds.items() for seed in range(count)]
    learning = [area_networks.job(*of) for of in work]
    learned = jobs.run("training for area", learning, FOLDER / "networks", workers=workers)
    found = [
        {"name": name, "seed": seed, **done.result}
        for (name, seed), done in zip(work, learned, strict=True)
    ]
    _measure("synthesis", found, (), workers)
    middle = [area_page.median([row for row in found if row["name"] == name]) for name in seeds]
    _measure("placement", middle, PLACEMENTS, workers)
    return found


def _measure(label: str, found: Sequence[Row], placements: Sequence[int], workers: int) -> None:
    """Add what each row's network takes of the device."""
    rests_on = {**jobs.rests_on(HERE), "tools of synthesis": synthesis.versions()}
    work = [
        Job(
            f"{row['name']}-{row['seed']}{'-placed' if placements else ''}",
            f"{HERE}:measured",
            {"content": row["network"], "placements": list(placements)},
            rests_on,
        )
        for row in found
    ]
    done = jobs.run(label, work, FOLDER / "builds", workers=workers)
    for row, measured_row in zip(found, done, strict=True):
        row |= measured_row.result


def fitted(found: Sequence[Row]) -> list[float]:
    """The slopes of `model.adders` that predict the LUTs of these builds best, in proportion."""
    parts, luts = [], []
    for row in found:
        network = unrolled(row["network"])
        layers = sum(layer.area.luts for layer in network.spec.layers)
        cost = row["cost"]
        rest = network.spec.area.luts - layers
        parts.append([cost["adder_bits"], cost["requantizer_bits"], rest])
        luts.append(row["cells"]["LUT"])
    scale = np.array(luts, dtype=float)
    slopes, *_ = np.linalg.lstsq(np.array(parts) / scale[:, None], np.ones(len(luts)), rcond=None)
    return [round(float(slope), 2) for slope in slopes]


def run(arguments: argparse.Namespace) -> None:
    """Write ``area.md`` and its picture, when every network is built."""
    seeds = {
        name: min(count, arguments.seeds or count)
        for name, count in SEEDS.items()
        if not arguments.only or name in arguments.only
    }
    found = rows(seeds, arguments.jobs)
    slopes = fitted(found)
    with files.whole_file(arguments.docs / area_page.PICTURE) as temporary:
        area_page.picture(found).savefig(temporary, dpi=120, format="png")
    files.write_atomically(arguments.docs / area_page.PAGE, area_page.page(found, slopes))
    plain = [{key: value for key, value in row.items() if key != "network"} for row in found]
    files.write_atomically(BUILD / "area.json", json.dumps(plain, indent=1) + "\n")
    print(f"{arguments.docs / area_page.PAGE}: {len(found)} networks")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.area", description=__doc__)
    built.add_argument("--jobs", type=int, default=2, help="networks at a time")
    built.add_argument("--seeds", type=int, help="most seeds of a network")
    built.add_argument("--only", nargs="*", choices=list(SEEDS), help="these networks alone")
    cli.add_docs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
