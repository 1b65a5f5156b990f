"""A floorplan of multipliers: the lanes of a layer side by side, in the order of the data.

The multipliers of an ECP5 are in a few rows across the chip. A placer that is left to itself puts
the lanes of one adder tree into several of them, and the ways between decide the clock.
"""

import bisect
import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

# Sites of multipliers by instance, in the order of its lanes.
Plan = dict[str, list[str]]

# What a dot product is called behind the name of its layer.
_DOT = re.compile(r"\.g_pe\[\d+\]\.u_dot$")
_MULTIPLIER = "MULT18X18D"


def planned(multipliers: Mapping[str, int], rows: Sequence[Sequence[str]]) -> Plan:
    """Sites in ``rows`` for a netlist with ``multipliers`` for each instance; {} without a plan.

    It is for dot products: those of a layer share their inputs, so they take turns lane by lane.
    Other multipliers of such a netlist, such as a softmax's, come last.
    """
    instances = [name for name in sorted(multipliers, key=_by_number) if multipliers[name]]
    if not rows or not any(_DOT.search(name) for name in instances):
        return {}
    layers = defaultdict(list)
    for name in instances:
        layers[_DOT.sub("", name)].append(name)
    counts = [sum(multipliers[name] for name in layer) for layer in layers.values()]
    starts = _starts(counts, [len(row) for row in rows])
    sites = list(itertools.chain.from_iterable(rows))
    plan: Plan = {name: [] for name in instances}
    for start, layer in zip(starts, layers.values(), strict=True):
        lanes = sorted(
            (lane, pe) for pe, name in enumerate(layer) for lane in range(multipliers[name])
        )
        for site, (_, pe) in zip(sites[start : start + len(lanes)], lanes, strict=True):
            plan[layer[pe]].append(site)
    return plan


def put(plan: Plan, design: dict[str, Any]) -> None:
    """Put each multiplier of the plan into its place, in a netlist of Yosys in JSON values."""
    cells = {
        name: cell
        for module in design["modules"].values()
        for name, cell in module["cells"].items()
    }
    for instance, sites in plan.items():
        lanes = [
            name
            for name, cell in cells.items()
            if cell["type"] == _MULTIPLIER and name.startswith(f"{instance}.")
        ]
        for lane, site in zip(sorted(lanes, key=_by_number), sites, strict=True):
            cells[lane]["attributes"]["BEL"] = site


def _starts(counts: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """The first site of each layer: each within a row, or else each behind the one before."""
    ends = list(itertools.accumulate(lengths))
    starts, free = [], 0
    for count in counts:
        end = ends[min(bisect.bisect_right(ends, free), len(ends) - 1)]
        if free + count > end:
            free = end
        starts.append(free)
        free += count
    return starts if free <= ends[-1] else list(itertools.accumulate(counts, initial=0))[:-1]


def _by_number(name: str) -> list[tuple[int, str]]:
    """Names in the order of the numbers in them: lane 9 before lane 10."""
    return [
        (int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)
    ]
