"""Places of things, in both lives of the project: a checkout, and the installed package.

In a checkout the rooms are packages of their own, such as ``model``, and everything generated goes
below its ``build/``. Installed, they are below ``verbatim``, such as ``verbatim.model``, and
everything generated goes below ``build/`` of the folder that the process was started in.
"""

import re
from pathlib import Path

# What the names of modules begin with: nothing in a checkout, "verbatim." in the package.
PACKAGE = __name__.removesuffix("common.paths")
INSTALLED = PACKAGE != ""

# Sources, which nothing writes; and outputs.
ROOT = Path(__file__).resolve().parent.parent
BUILD = (Path.cwd() if INSTALLED else ROOT) / "build"

RTL = ROOT / "rtl"
RECIPES = ROOT / "model" / "networks"

# Networks and their outputs, as they were when they were committed.
GOLDEN = ROOT / "tb" / "golden"
GOLDEN_IRIS = GOLDEN / "iris.network.json"

# What make, a shell, PYTHONPATH or Verilator's makefiles would take apart, as in the Makefile.
ODD = re.compile(r"""[\s:;|&<>'"`\\*?!%=$#()\[\]{}]""")


def module(name: str) -> str:
    """Full name of a module that is named by its room, such as ``tb.sim.runner``.

    The name of any other module, such as a user's own, stays as it is.
    """
    path = ROOT.joinpath(*name.split("."))
    own = path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
    return PACKAGE + name if own else name


def typed(step: str, network: Path | str | None = None) -> str:
    """Command that a person types for a step such as ``sim``, of this network if one is given.

    >>> typed("core"), typed("sim", "mine.toml")
    ('make core', 'make sim NETWORK=mine.toml')
    """
    whose = "" if network is None else f" {network}" if INSTALLED else f" NETWORK={network}"
    return f"{'verbatim' if INSTALLED else 'make'} {step}{whose}"


def remedy(extra: str) -> str:
    """Command that brings a missing dependency; ``extra`` is the one of the package that has it."""
    return f"pip install 'verbatim[{extra}]'" if INSTALLED else "see requirements.txt"


def odd_characters(path: Path) -> list[str]:
    """The characters of an absolute path for which no command line or makefile can take it.

    >>> odd_characters(Path("/tmp/my nets/it's.toml")), odd_characters(Path("/tmp/né,+@/a.toml"))
    ([' ', "'"], [])
    """
    return ODD.findall(str(path.absolute()))
