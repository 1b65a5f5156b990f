"""A design of illegal parameters: each condition of each check at elaboration, one by one."""

from collections.abc import Mapping, Sequence

from model.stage import Parameter
from model.verilog import literal
from tb.modules.registry import MODULES

Case = tuple[str, Mapping[str, Parameter]]

TOP = "illegal"

# A case for each way in which a check may find fault, but for those that leave a width below 1:
# there elaboration stops before any check.
CASES: list[Case] = [
    (module.name, illegal.parameters)
    for module in MODULES.values()
    for illegal in module.illegal
    if illegal.together
]


def verilog(cases: Sequence[Case] = CASES) -> str:
    """A module of every case, to be elaborated at once: each instance must find its own fault."""
    instances = [
        f"    {module} #({_overrides(parameters)}) {instance(number)} ();"
        for number, (module, parameters) in enumerate(cases)
    ]
    # Only a module with a signal of its own is seen by cocotb.
    head = [f"module {TOP};", "    reg seen = 1'b0;"]
    return "\n".join([*head, *instances, "endmodule", ""])


def instance(number: int) -> str:
    """The name of a case's instance."""
    return f"u_case{number}"


def _overrides(parameters: Mapping[str, Parameter]) -> str:
    return ", ".join(f".{name}({literal(value)})" for name, value in parameters.items())
