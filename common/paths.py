"""Paths of a checkout."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RTL = ROOT / "rtl"
BUILD = ROOT / "build"
RECIPES = ROOT / "model" / "networks"

# Networks and their outputs, as they were when they were committed.
GOLDEN = ROOT / "tb" / "golden"
GOLDEN_IRIS = GOLDEN / "iris.network.json"

# What make, a shell, PYTHONPATH or Verilator's makefiles would take apart, as in the Makefile.
ODD = re.compile(r"""[\s:;|&<>'"`\\*?!%=$#()\[\]{}]""")


def odd_characters(path: Path) -> list[str]:
    """The characters of an absolute path for which no command line or makefile can take it.

    >>> odd_characters(Path("/tmp/my nets/it's.toml")), odd_characters(Path("/tmp/né,+@/a.toml"))
    ([' ', "'"], [])
    """
    return ODD.findall(str(path.absolute()))
