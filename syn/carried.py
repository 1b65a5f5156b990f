"""Synthesis as jobs: a design with its sources and images in it, made wherever the job runs."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import results, sources
from common.jobs import Job
from common.results import Ingredients
from syn import synthesis
from syn.synthesis import Design, Netlist, Placement
from syn.targets import Device, Target

HERE = "syn.carried"
_RTL, _IMAGES = "rtl", "images"


def carried(design: Design) -> dict[str, Any]:
    """A design as plain data: its parameters, and the text of each source and image."""
    images = sorted(design.images.iterdir()) if design.images else []
    return {
        "module": design.module,
        "core": design.core,
        "parameters": dict(design.parameters),
        "multipliers": design.multipliers,
        "blocks": design.blocks,
        _RTL: {path.name: path.read_text() for path in sources.verilog(design.rtl)},
        _IMAGES: {path.name: path.read_text() for path in images} if design.images else None,
    }


def arrived(plain: Mapping[str, Any]) -> Design:
    """The design that `carried` has made plain, its files written where they are not there yet."""

    def make(folder: Path) -> None:
        for part in (_RTL, _IMAGES):
            (folder / part).mkdir()
            for name, text in (plain[part] or {}).items():
                (folder / part / name).write_text(text)

    folder = results.folder(synthesis.FOLDER / "carried", plain["module"], dict(plain), make)
    return Design(
        plain["module"],
        plain["parameters"],
        folder / _IMAGES if plain[_IMAGES] is not None else None,
        folder / _RTL,
        plain["core"],
        plain["multipliers"],
        plain["blocks"],
    )


def netlist_job(design: Design, target: Target, device: Device | None) -> Job:
    """Synthesize; the result is a plain netlist, without its folder."""
    given = {"design": carried(design), "target": target, "device": device}
    name = f"{design.module}-{target.name}"
    return Job(name, f"{HERE}:synthesized", {}, _rests_on(design, target, device), given)


def placement_job(
    design: Design, target: Target, device: Device, seed: int, *, route: bool = True
) -> Job:
    """Synthesize where that is not done yet, then place; the result is a plain placement."""
    given = {"design": carried(design), "target": target, "device": device}
    rests_on = {**_rests_on(design, target, device), "device": dataclasses.asdict(device)}
    name = f"{design.module}-{target.name}-{device.name}-{seed}"
    return Job(name, f"{HERE}:placed", {"seed": seed, "route": route}, rests_on, given)


def _rests_on(design: Design, target: Target, device: Device | None) -> Ingredients:
    options = [*target.router_options, target.timing_weights]
    placing = {"frequency": target.frequency, "options": options}
    return {**synthesis.rests_on(design, target, device), **placing}


def synthesized(design: Mapping[str, Any], target: Target, device: Device | None) -> dict[str, Any]:
    """The netlist of a plain design, as JSON values."""
    return synthesis.plain(synthesis.synthesize(arrived(design), target, device))


def placed(
    design: Mapping[str, Any], target: Target, device: Device, seed: int, route: bool
) -> dict[str, Any]:
    """The placement of a plain design, as JSON values."""
    netlist = synthesis.synthesize(arrived(design), target, device)
    return synthesis.plain(synthesis.place(netlist, target, device, seed, route=route))


def netlist_of(result: Mapping[str, Any]) -> Netlist:
    """Result of a job of `netlist_job`."""
    return Netlist(Path(), **{**result, "warnings": tuple(result["warnings"])})


def placement_of(result: Mapping[str, Any]) -> Placement:
    """Result of a job of `placement_job`."""
    return Placement(**{**result, "warnings": tuple(result["warnings"])})
