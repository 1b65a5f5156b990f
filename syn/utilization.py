"""FPGA resources, clock and time of a network on a device, beside the spec's estimate."""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.progress import Progress
from rich.table import Table

from common import files, jobs
from common.executors import Executor
from common.paths import BUILD
from common.sources import rtl_digest
from model import images
from model.artifact import Network
from model.spec import TOP, NetworkSpec
from syn import blocks, carried, synthesis
from syn.synthesis import IMAGES, Design, Netlist, Placement
from syn.targets import KINDS, Device, Target

SEEDS = (1, 2, 3)
WORKERS = 2

Facts = dict[str, Any]


def design(network: Network) -> Design:
    """``mlp_top`` as this network, its images beside it."""
    folder = BUILD / "synthesis" / "images" / files.digest(images.images(network))[:16]
    images.write_images(network, folder)
    spec = network.spec
    return Design(
        TOP,
        spec.parameters(IMAGES),
        folder,
        multipliers=spec.area.multipliers,
        blocks=blocks.of_weights(spec),
    )


def measure(
    network: Network,
    target: Target,
    device: Device | None,
    seeds: Sequence[int],
    bar: Progress,
    executor: Executor | None = None,
    *,
    route: bool = True,
) -> Facts:
    """Synthesize, and place with each seed where the family has an open router.

    Where nothing is to be routed, which takes hours for a design that fills a third of its device,
    the clock is what nextpnr expects before.

    Raises `SynthesisError` where a tool fails, as where the device is too small.
    """
    label = f"{network.spec.name} for {target.name} {device.name if device else ''}".strip()
    whole = design(network)
    work = [carried.netlist_job(whole, target, device)]
    if device is not None:
        work += [carried.placement_job(whole, target, device, seed, route=route) for seed in seeds]
    keep = synthesis.FOLDER / "jobs"
    first, *rest = jobs.run(label, work, keep, executor=executor, workers=WORKERS, bar=bar)
    placements = [carried.placement_of(found.result) for found in rest]
    return facts(network.spec, target, device, carried.netlist_of(first.result), placements)


def facts(
    spec: NetworkSpec,
    target: Target,
    device: Device | None,
    netlist: Netlist,
    placements: Sequence[Placement],
) -> Facts:
    """Everything that is known, as JSON values."""
    estimate = spec.area
    warnings = list(netlist.warnings)
    for placement in placements:
        warnings += [line for line in placement.warnings if line not in warnings]
    return {
        "network": spec.name,
        "target": target.name,
        "device": device.name if device else None,
        "date": datetime.now(UTC).date().isoformat(),
        "tools": synthesis.versions(),
        "rtl": rtl_digest(),
        "lut": target.lut,
        "fold": {layer.name: [layer.simd, layer.pe] for layer in spec.layers},
        "cycles": {"interval": spec.interval, "latency": spec.latency},
        "cells": netlist.cells,
        "placed": placements[0].used if placements else None,
        "available": placements[0].available if placements else None,
        "estimate": {
            "LUT": estimate.luts,
            "FF": estimate.flip_flops,
            "DSP": estimate.multipliers,
            "ROM bits": estimate.rom_bits,
        },
        "modules": netlist.modules,
        "instances": netlist.instances,
        "clock": clock(spec, placements),
        "warnings": warnings,
        "seconds": {
            "synthesis": netlist.seconds,
            "place and route": [placement.seconds for placement in placements],
        },
    }


def clock(spec: NetworkSpec, placements: Sequence[Placement]) -> Facts | None:
    """MHz by seed, and what the median of them means; None without a router."""
    if not placements:
        return None
    by_seed = {str(placement.seed): placement.megahertz for placement in placements}
    median = statistics.median(by_seed.values())
    return {
        "MHz": by_seed,
        "least": min(by_seed.values()),
        "median": median,
        "most": max(by_seed.values()),
        "latency in ns": round(1000 * spec.latency / median, 1),
        "results per second": round(1e6 * median / spec.interval),
    }


def tables(found: Facts) -> list[Table]:
    """The facts for a terminal: the whole beside its estimate, then each module."""
    whole = Table(title=f"{found['network']} on {found['target']} {found['device'] or ''}".strip())
    for column in ("", "estimated", "synthesized", "placed", "there are"):
        whole.add_column(column, justify="right" if column else "left")
    for kind in KINDS:
        rest = [(found[key] or {}).get(kind, "") for key in ("placed", "available")]
        cells = [found["estimate"].get(kind, ""), found["cells"][kind], *rest]
        whole.add_row(found["lut"] if kind == "LUT" else kind, *map(str, cells))
    whole.add_row("ROM bits", str(found["estimate"]["ROM bits"]))
    for name, value in found["cycles"].items():
        whole.add_row(f"cycles of {name}", str(value))
    for name, value in (found["clock"] or {}).items():
        shown = ", ".join(map(str, value.values())) if isinstance(value, dict) else f"{value:,}"
        whole.add_row(f"{name} MHz" if name in ("least", "median", "most") else name, "", "", shown)
    parts = Table(title="Cells by module, flattened")
    for column in ("module", *KINDS):
        parts.add_column(column, justify="left" if column == "module" else "right")
    for module, cells in found["modules"].items():
        parts.add_row(module, *map(str, cells.values()))
    return [whole, parts]
