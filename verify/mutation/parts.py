"""Proofs on mutants of the parts of the core that learns: what their users owe, where they look.

A part is no module with one stream in and one out: the proof compares every output in every cycle
from the same reset on, wherever the part's users look at it.
"""

from collections.abc import Mapping

from model.stage import Parameter

DROPS = "{signal} <= {{DROP_MAX}} - {{DROP_MIN}}"
LAYER = "{signal} < {{N_LAYERS}}"
# What the users of a part owe it: Verilog over its ports, in which {NAME} is a parameter.
ASSUMED: dict[str, tuple[str, ...]] = {
    "mlp_learn_ram": ("addr < {DEPTH}", "write_addr < {DEPTH}"),
    "mlp_learn_bias": ("row < {ROWS}", "frac <= 8", DROPS.format(signal="drop")),
    "mlp_learn_dither": (DROPS.format(signal="above + halvings"),),
    "mlp_learn_formats": (LAYER.format(signal="layer"),),
    "mlp_learn_forward": ("in_lacks <= {SHIFT_MAX} - {SHIFT_MIN}",),
    "mlp_learn_input": ("!out_free || gold_out_valid", "addr < ({N} + {LANES} - 1) / {LANES}"),
    "mlp_learn_lane": (DROPS.format(signal="update_drop"), "!in_backward || !in_update"),
    "mlp_learn_layers": (LAYER.format(signal="layer"),),
    "mlp_learn_operands": ("x_addr < {WORDS}", "d_addr < {DELTAS}"),
    "mlp_learn_order": ("!step || gold_found", "samples != 0"),
    "mlp_learn_phase": ("!begins || gold_idle", "!pass || !gold_idle"),
    "mlp_learn_timing": (LAYER.format(signal="in_layer"), "!in_backward || !in_update"),
    "mlp_learn_update": (DROPS.format(signal="in_drop"),),
    "mlp_learn_walk": ("!step || gold_here",),
}
# Where an output is looked at; the others are, in every cycle.
SEEN: dict[str, dict[str, str]] = {
    "mlp_learn_backward": {"out_d": "gold_out_valid"},
    "mlp_learn_error": dict.fromkeys(("out_d", "out_last"), "gold_out_valid"),
    "mlp_learn_forward": dict.fromkeys(("out_y", "out_last", "out_final"), "gold_out_valid"),
    "mlp_learn_input": dict.fromkeys(("out_learn", "out_label"), "gold_out_valid"),
    "mlp_learn_order": {
        "out_last": "gold_out_valid",
        "out_index": "gold_out_valid",
        "index": "gold_found",
        "position": "gold_busy",
        "word": "gold_busy",
    },
    "mlp_learn_phase": {"layer": "!gold_idle"},
    "mlp_learn_random": {"start_master": "gold_start_made"},
    "mlp_learn_sequence": dict.fromkeys(
        (
            *("out_backward", "out_update", "out_layer", "out_place"),
            *("out_word", "out_row", "out_x", "out_d"),
        ),
        "gold_out_valid",
    ),
    "mlp_learn_start": {"out_master": "gold_out_valid"},
    "mlp_learn_walk": {
        "last": "gold_here",
        "bias": "gold_here",
        "word": "gold_here && !gold_bias",
        "lane": "gold_here && !gold_bias",
        "row": "gold_here && gold_bias",
    },
}


def promised(module: str, parameters: Mapping[str, Parameter]) -> list[str]:
    """Duties of a part's users, under its parameters."""
    return [text.format(**parameters) for text in ASSUMED.get(module, ())]


def checks(
    module: str, inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """Declarations and checks of a part in its miter."""
    body = ["        started <= 1'b1;"]
    if "rst" in inputs:
        body.append("        if (!started) assume (rst);")
    for name in outputs:
        where = SEEN.get(module, {}).get(name)
        wanted = f"gold_{name} == gate_{name}"
        body.append(f"        if (started) assert ({wanted}{f' || !({where})' if where else ''});")
    return ["    reg started = 1'b0;"], body
