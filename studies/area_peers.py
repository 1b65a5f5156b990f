"""Alkaid's pipelines of the networks that were trained for area, on the same device."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from common import jobs
from model import artifact, reference
from studies import area_networks
from studies.area_networks import Row
from studies.peers import generate
from studies.peers.compare import CUTOFFS
from syn import carried
from syn.synthesis import Design
from syn.targets import Target


def measured(
    networks: Mapping[str, Row],
    target: Target,
    device: str,
    placements: Callable[[str], Sequence[int]],
    folder: Path,
    workers: int,
) -> list[Row]:
    """A row a network and cutoff: cells, clock and stages of a pipeline without a softmax.

    Raises `PeerError` where a pipeline gives other logits than the reference, on any sample of the
    network's dataset.
    """
    python = generate.environment()
    made = [
        (row, *pipeline)
        for name, row in networks.items()
        for pipeline in _pipelines(python, name, row, folder)
    ]
    chosen = target.device(device)
    assert chosen is not None
    work = [
        job
        for row, design, _ in made
        for job in (
            carried.netlist_job(design, target, chosen),
            *(
                carried.placement_job(design, target, chosen, seed)
                for seed in placements(row["name"])
            ),
        )
    ]
    done = iter(jobs.run("alkaid's pipelines", work, folder / "pipelines", workers=workers))
    found = []
    for row, _, stages in made:
        cells = carried.netlist_of(next(done).result).cells
        placed = [carried.placement_of(next(done).result) for _ in placements(row["name"])]
        megahertz = statistics.median(placement.megahertz for placement in placed)
        found.append(
            {
                **{key: row[key] for key in ("name", "seed", "train", "test")},
                "stages": stages,
                "cells": cells,
                "layers": cells["LUT"],
                "placed": placed[0].used,
                "placements": len(placed),
                "MHz": megahertz,
                "latency in ns": round(1000 * stages / megahertz, 1),
            }
        )
    return found


def _pipelines(python: Path, name: str, row: Row, folder: Path) -> Iterator[tuple[Design, int]]:
    """A pipeline for each cutoff, checked against the reference on all samples, and its stages."""
    path = area_networks.saved(row["network"], folder / "alkaid" / f"{name}-{row['seed']}")
    network = artifact.load(path)
    codes = reference.encode(network, area_networks.samples(name).features)
    wanted = reference.trace(network, codes)[network.spec.logits_key]
    for cutoff in CUTOFFS:
        made = generate.generate(
            python, "alkaid_network", {"network": path}, [f"--cutoff={cutoff}"]
        )
        simulated = generate.simulate_pipeline(made, codes, wanted)
        yield Design(made.top, {}, rtl=made.rtl, multipliers=0), simulated.latency
