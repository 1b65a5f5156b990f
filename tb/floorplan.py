"""A floorplan of multipliers: the lanes of a dot product side by side, in the order of the data.

The multipliers of an ECP5 stand in a few rows across the chip. A placer that is left to itself puts
the lanes of one adder tree into several of them, and the ways between decide the clock.
"""

import bisect
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from model.artifact import write_atomically

# Sites of multipliers by instance, in the order of its lanes.
Plan = dict[str, list[str]]

# What an instance of mlp_dot is called, and its multipliers.
_DOT, _MULTIPLIER = ".u_dot", "MULT18X18D"


def planned(multipliers: Mapping[str, int], rows: Sequence[Sequence[str]]) -> Plan:
    """Sites in ``rows`` for a netlist with so many ``multipliers`` an instance; {} without a plan.

    It is for dot products. What else multiplies in such a netlist, as a softmax, stands at its end.
    """
    instances = [name for name in sorted(multipliers, key=_by_number) if multipliers[name]]
    if not rows or not any(name.endswith(_DOT) for name in instances):
        return {}
    counts = [multipliers[name] for name in instances]
    sites = list(itertools.chain.from_iterable(rows))
    starts = _starts(counts, [len(row) for row in rows])
    ends = map(sum, zip(starts, counts, strict=True))
    return {
        name: sites[start:end] for name, start, end in zip(instances, starts, ends, strict=True)
    }


def write(plan: Plan, netlist: Path, written: Path) -> None:
    """The netlist of Yosys with a place on each multiplier of the plan."""
    design = json.loads(netlist.read_text())
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
    write_atomically(written, json.dumps(design))


def _starts(counts: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """The first site of each instance: each within a row, or else each behind the one before."""
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
