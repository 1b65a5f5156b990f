"""An illegal parameter stops elaboration with a sentence that names instance and parameter."""

import hashlib
import re

import pytest

from common.programs import SimulatorError
from tb.modules.description import Illegal
from tb.modules.registry import MODULES
from tb.sim.runner import SimulationFailed, simulate
from tb.sim.simulators import SIMULATORS

ILLEGAL = [
    (module.name, illegal)
    for module in MODULES.values()
    for illegal in module.illegal
    if illegal.named
]


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    "module, illegal",
    ILLEGAL,
    ids=[f"{module}-{tuple(illegal.parameters.items())}" for module, illegal in ILLEGAL],
)
def test_illegal_parameter_is_named(module: str, illegal: Illegal, simulator: str) -> None:
    # Short, since the sentence that names the log is cut in its middle where it is long.
    name = f"illegal-{hashlib.sha256(repr((module, illegal)).encode()).hexdigest()[:8]}"
    with pytest.raises((SimulationFailed, SimulatorError)) as caught:
        simulate(module, illegal.parameters, simulator=simulator, bench="idle_bench", name=name)
    sentence = rf"{module}(\.\S+)?: .*{illegal.named}.*(need|must)"
    if simulator == "verilator" and illegal.warning:
        # It names file, line and width, and the build stops all the same.
        sentence = rf"%Warning-{illegal.warning}: \S+/{module}\.v:\d+"
    assert re.search(sentence, str(caught.value)), str(caught.value)
