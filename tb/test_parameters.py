"""An illegal parameter stops elaboration with a sentence that names instance and parameter."""

import re

import pytest

from common.programs import SimulatorError
from tb.sim.runner import SimulationFailed, simulate
from tb.sim.simulators import SIMULATORS

ILLEGAL = [
    ("mlp_linear", {"N_IN": 6, "SIMD": 4}, "SIMD=4"),
    ("mlp_linear", {"N_IN": 2, "SIMD": 4}, "SIMD=4"),
    ("mlp_linear", {"N_OUT": 3, "PE": 2}, "PE=2"),
    ("mlp_linear", {"X_W": 17, "ACC_W": 40}, "X_W=17"),
    ("mlp_linear", {"ACC_W": 15}, "ACC_W=15"),
    ("mlp_requantize", {"ACC_W": 12, "OUT_W": 8, "SHIFT": 5}, "SHIFT=5"),
    ("mlp_requantize", {"ACC_W": 12, "OUT_W": 8, "SHIFT": 14}, "SHIFT=14"),
    ("mlp_requantize", {"SHIFT": -1}, "SHIFT=-1"),
    ("mlp_requantize", {"OUT_W": 1}, "OUT_W=1"),
    ("mlp_stream_pack", {"N": 5, "LANES": 2}, "LANES=2"),
    ("mlp_stream_unpack", {"N": 5, "LANES": 2}, "LANES=2"),
    ("mlp_argmax_tree", {"N": 5, "INDEX_W": 2}, "INDEX_W=2"),
    ("mlp_softmax_taylor2", {"FRAC": 17, "SCORE_W": 36}, "FRAC=17"),
    ("mlp_softmax_taylor2", {"SCORE_W": 12}, "SCORE_W=12"),
    ("mlp_softmax_sum", {"N": 65, "LANES": 1}, "N=65"),
    ("mlp_softmax_reciprocal", {"TOTAL_W": 8}, "TOTAL_W=8"),
    ("mlp_softmax", {"SCORE": "sigmoid"}, "sigmoid"),
    ("mlp_softmax_normalize", {"DIVIDER": "srt"}, "srt"),
]


# Verilator's own warnings stop these first: widths that the parameter makes impossible. They name
# file, line and width, and the build stops all the same.
STOPPED_BY_ITS_WIDTHS = {
    ("mlp_linear", "SIMD=4", 2): r"%Warning-SELRANGE: \S+/mlp_linear\.v:\d+",
    (
        "mlp_softmax_reciprocal",
        "TOTAL_W=8",
        None,
    ): r"%Warning-SELRANGE: \S+/mlp_softmax_reciprocal\.v:\d+",
}


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("module, parameters, named", ILLEGAL)
def test_illegal_parameter_is_named(
    module: str, parameters: dict[str, int | str], named: str, simulator: str
) -> None:
    name = f"illegal-{module}-{named}-{parameters.get('N_IN', '')}"
    with pytest.raises((SimulationFailed, SimulatorError)) as caught:
        simulate(module, parameters, simulator=simulator, bench="idle_bench", name=name)
    sentence = rf"{module}(\.\S+)?: .*{named}.*(need|must)"
    if simulator == "verilator":
        own = STOPPED_BY_ITS_WIDTHS.get((module, named, parameters.get("N_IN")))
        sentence = own or sentence
    assert re.search(sentence, str(caught.value)), str(caught.value)
