"""Messages between a runner and a bench."""

import json
import os
from dataclasses import dataclass
from typing import Any

from model.stage import Parameter


@dataclass(frozen=True)
class Job:
    """The task of a bench: the module, the parameters of this very build, and its own options.

    ``netlist`` is the kind of netlist that is simulated in the module's place, whose inner signals
    have no names.
    """

    module: str
    parameters: dict[str, Parameter]
    options: dict[str, Any]
    netlist: str | None = None


def job() -> Job:
    """The job of the simulation that this process runs in."""
    plain = json.loads(os.environ["VERBATIM_JOB"])
    lists = {k: tuple(v) if isinstance(v, list) else v for k, v in plain["parameters"].items()}
    return Job(**plain | {"parameters": lists})


# In the folder of the simulation: a line with the values that each scoreboard compared.
COUNTS = "compared.txt"
