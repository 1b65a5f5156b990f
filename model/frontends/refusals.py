"""Words about a node that the hardware cannot be: what it is, and where it comes from."""

import re
import sysconfig
from itertools import pairwise
from pathlib import Path

from torch import fx, nn

from model.frontends.chain import FrontendError
from model.recipe import MAX_LAYERS

# Modules, functions and methods alike. Short: a message keeps no more of itself than one reads.
SUPPORTED = (
    "nn.Linear, BatchNorm1d and constants around it, activations, Dropout, Flatten, at the end "
    "softmax or nothing, in one chain"
)
MOST_OF_A_PART = 50
# Code that is no user's own: the standard library, and these files.
FOREIGN = (sysconfig.get_path("stdlib"), str(Path(__file__).parent), "<frozen")


def refuse_too_many(owner: str, count: int) -> FrontendError:
    """An error about the number of layers."""
    return FrontendError(f"{owner} has {count} Linear layers, expected at most {MAX_LAYERS}")


def describe(node: fx.Node, submodule: nn.Module | None) -> str:
    """The function that a node calls, in short."""
    if submodule is not None:
        return shown(submodule)
    return f"{node.op} {getattr(node.target, '__name__', node.target)}"


def shown(submodule: nn.Module) -> str:
    """The class of a module, and its arguments where it prints them."""
    try:
        text = repr(submodule).splitlines()[0]
    except Exception:  # a module's own text
        text = ""
    name = type(submodule).__name__
    return (text if text.startswith(name) else name)[:MOST_OF_A_PART]


def where(node: fx.Node) -> str:
    """File, line and text of the user's code that made a node, where it has any."""
    return place(node.stack_trace or "")


def place(trace: str) -> str:
    """The last line of a stack that is of a user's own code."""
    lines = [line.strip() for line in trace.splitlines()]
    for line, code in reversed(list(pairwise([*lines, ""]))):
        frame = re.fullmatch(r'File "(.+)", line (\d+), in .+', line)
        if frame and not frame[1].startswith(FOREIGN) and "site-packages" not in frame[1]:
            text = "" if code.startswith("File ") else f": {code[:MOST_OF_A_PART]}"
            return f", {Path(frame[1]).name} line {frame[2]}{text}"
    return ""
