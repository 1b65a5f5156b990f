"""The version, which `pyproject.toml` states: that of the checkout, or as it was installed."""

import importlib.metadata
import tomllib

from common.paths import INSTALLED, ROOT


def version() -> str:
    """Version of the code that runs."""
    if INSTALLED:
        return importlib.metadata.version("verbatim")
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return str(stated["project"]["version"])
