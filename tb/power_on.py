"""Does a register of the design begin with a value? Only what reset gives it may count."""

import re
import shutil
from pathlib import Path

from tb.tools import BUILD, RTL, SimulatorError
from tb.yosys import YosysError, run_yosys


class InitialValue(AssertionError):
    """A register with a value at power-on; the message names it."""


def check_power_on(rtl: Path = RTL, folder: Path = BUILD / "power_on") -> int:
    """Count the registers of all modules; raise `InitialValue` where one has an initial value.

    ROMs are memories, not registers, and may. Raises `SimulatorError` where Yosys cannot read
    the modules.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in rtl.glob("*.v"):
        shutil.copy(source, folder)
    lines = [
        *("read_verilog *.v", "proc", "tee -q -o initial.txt select -list w:* a:init %i"),
        "tee -q -o registers.txt select -list t:$dff t:$dffe t:$sdff t:$sdffe t:$adff",
    ]
    try:
        run_yosys(lines, folder, "power_on")
    except YosysError as error:
        raise SimulatorError(f"Yosys cannot read {rtl}: {error}") from error
    found = re.findall(r"\S+", (folder / "initial.txt").read_text())
    if found:
        raise InitialValue(f"{', '.join(found)}: a register with an initial value")
    return len(re.findall(r"\S+", (folder / "registers.txt").read_text()))
