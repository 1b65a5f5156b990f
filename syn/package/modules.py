"""The Verilog sources that a core needs, out of all of a folder."""

import re
from pathlib import Path

from common import sources
from common.paths import RTL

_COMMENT = re.compile(r"//[^\n]*|/\*[\s\S]*?\*/")
_INSTANCE = re.compile(r"^\s*(mlp_\w+)\s*(?:#\s*\(|u_\w+\s*\()", flags=re.M)


def instantiated(text: str) -> set[str]:
    """Modules that a source instantiates, those of a branch that a parameter leaves out included.

    >>> sorted(instantiated("mlp_rom #(.W(8)) u_rom (\\n); // mlp_x u_x (\\n  mlp_dot u_dot ();"))
    ['mlp_dot', 'mlp_rom']
    """
    return set(_INSTANCE.findall(_COMMENT.sub("", text)))


def needed(*tops: str, rtl: Path = RTL) -> list[Path]:
    """Sources of ``tops`` and of every module below it, in the order of the folder's list.

    A module that a parameter leaves out is among them: no tool then meets a name without a
    module, and none finds a parameter of its parent unused.
    """
    known = {path.stem: path for path in sources.verilog(rtl)}
    todo, found = list(tops), set()
    while todo:
        name = todo.pop()
        if name not in found and name in known:
            found.add(name)
            todo += instantiated(known[name].read_text())
    return [path for name, path in known.items() if name in found]
