"""Parameters as the Verilog declares them."""

import re

from common.paths import RTL
from model.stage import Parameter
from tb.modules.description import Module

# `parameter NAME = value,  // comment`, with the range of a list before its name.
PARAMETER = re.compile(r"^ +parameter (?:\[.*?\] +)?(\w+) += ([^,/\s]+),? *// (.*)$", re.MULTILINE)


def declared(module: Module) -> dict[str, tuple[str, str]]:
    """Default and comment of each parameter, as the Verilog has them."""
    text = (RTL / f"{module.name}.v").read_text()
    return {name: (default, comment) for name, default, comment in PARAMETER.findall(text)}


def defaults(module: Module) -> dict[str, Parameter]:
    """The defaults that are integers or strings."""
    found: dict[str, Parameter] = {}
    for name, (default, _) in declared(module).items():
        if default.startswith('"'):
            found[name] = default.strip('"')
        elif default.isdecimal():
            found[name] = int(default)
    return found
