"""RTL and netlist, both down to gates and registers: what Yosys makes of either, by one script."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from common import sources
from common.paths import RTL
from model.stage import Parameter
from syn.synthesis import IMAGES
from syn.yosys import chosen, run_yosys
from verify.formal import netlist_models

LOWERED = "lowered.json"
# Registers of one clock and no initial value, ANDs and inverters; products stay products. A memory
# that is never written is a ROM.
GATES = (
    *("proc", "flatten", "setattr -unset init w:*", "opt_clean", "opt_expr -keepdc"),
    *("memory_collect", "opt_mem", "memory_map", "simplemap", "techmap t:* t:$mul %d"),
    *("dfflegalize -cell $_DFF_P_ 01", "aigmap", "opt_clean", f"write_json {LOWERED}"),
)
# Yosys' models of the cells of a family, without those that we have of our own; a LUT is a table to
# whoever reads the gates.
MODELS = {
    "ecp5": (
        "read_verilog -defer +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh",
        r"delete $abstract\LUT4",
    ),
    "ice40": (
        "read_verilog -defer +/ice40/cells_sim.v",
        r"delete $abstract\SB_LUT4 $abstract\SB_MAC16 $abstract\SB_RAM40_4K",
    ),
}


def rtl(
    top: str,
    parameters: Mapping[str, Parameter],
    images: Path,
    folder: Path,
    source: Path = RTL,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Read a module's Verilog, its ROM images in a folder, down to gates; return their file.

    ``more`` are texts of Verilog beside ``source``, by the names of their files.

    Raises `YosysError` where Yosys refuses it.
    """
    texts = sources.verilog(source)
    for path in texts:
        shutil.copy(path, folder)
    shutil.copytree(images, folder / IMAGES, dirs_exist_ok=True)
    for name, text in more.items():
        (folder / name).write_text(text)
    names = " ".join([*(path.name for path in texts), *more])
    lines = [f"read_verilog {names}", f"chparam {chosen(parameters)} {top}"]
    run_yosys([*lines, f"hierarchy -check -top {top}", *GATES], folder, "lower")
    return folder / LOWERED


def netlist(top: str, path: Path, family: str, folder: Path) -> Path:
    """Read the netlist of a family, as JSON, down to gates; return their file.

    Raises `ProofError` where a cell does what its model does not, `YosysError` where Yosys refuses
    it.
    """
    modules = json.loads(path.read_text())["modules"]
    for name, cell in modules[top]["cells"].items():
        for parameter, value in netlist_models.parameters(name, cell).items():
            cell["parameters"][parameter] = f"{value:032b}"
    (folder / "netlist.json").write_text(json.dumps({"modules": {top: modules[top]}}))
    (folder / "cells.v").write_text(netlist_models.OF_FAMILY[family]())
    lines = [*MODELS[family], "read_verilog -defer cells.v", "read_json netlist.json"]
    run_yosys([*lines, f"hierarchy -top {top}", *GATES], folder, "lower")
    return folder / LOWERED
