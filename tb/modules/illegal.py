"""Parameters that no module takes: each condition of each check at elaboration, one by one."""

from collections.abc import Mapping, Sequence

from model.stage import Parameter
from model.verilog import literal

Case = tuple[str, dict[str, Parameter]]

TOP = "illegal"

# A case for each way in which a check may find fault, but for those that leave a width below 1:
# there elaboration stops before any check.
CASES: list[Case] = [
    ("mlp_linear", {"N_IN": 0, "SIMD": 1}),
    ("mlp_linear", {"N_OUT": 0, "PE": 1}),
    ("mlp_linear", {"N_OUT": 4, "PE": -1}),
    ("mlp_linear", {"N_IN": 6, "SIMD": 4}),
    ("mlp_linear", {"N_OUT": 3, "PE": 2}),
    ("mlp_dot", {"X_W": 1, "ACC_W": 40}),
    ("mlp_dot", {"X_W": 17, "ACC_W": 40}),
    ("mlp_dot", {"W_W": 1, "ACC_W": 40}),
    ("mlp_dot", {"W_W": 17, "ACC_W": 40}),
    ("mlp_dot", {"ACC_W": 15}),
    ("mlp_dot", {"ACC_W": 64}),
    ("mlp_requantize", {"LANES": 0}),
    ("mlp_requantize", {"ACC_W": 12, "OUT_W": 8, "SHIFT": 5}),
    ("mlp_requantize", {"SHIFT": -1}),
    ("mlp_requantize", {"OUT_W": 1}),
    ("mlp_stream_pack", {"N": 5, "LANES": 2}),
    ("mlp_stream_pack", {"N": 4, "LANES": -1}),
    ("mlp_stream_unpack", {"N": 5, "LANES": 2}),
    ("mlp_stream_unpack", {"N": 4, "LANES": -1}),
    ("mlp_argmax_tree", {"N": 5, "INDEX_W": 2}),
    ("mlp_softmax_taylor2", {"X_W": 1}),
    ("mlp_softmax_taylor2", {"X_W": 17, "SCORE_W": 40}),
    ("mlp_softmax_taylor2", {"FRAC": -1}),
    ("mlp_softmax_taylor2", {"FRAC": 17, "SCORE_W": 40}),
    ("mlp_softmax_taylor2", {"SCORE_W": 12}),
    ("mlp_softmax_exp", {"X_W": 17}),
    ("mlp_softmax_sum", {"N": 65, "LANES": 1}),
    ("mlp_softmax_sum", {"N": 5, "LANES": 2}),
    ("mlp_softmax_reciprocal", {"TOTAL_W": 8}),
    ("mlp_softmax_reciprocal", {"TOTAL_W": 49}),
    ("mlp_softmax", {"SCORE": "sigmoid"}),
    ("mlp_softmax_normalize", {"DIVIDER": "srt"}),
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
