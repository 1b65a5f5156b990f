"""Unroll a network with alkaid: each stage combinational, a register behind it, a sample a cycle.

Run by the interpreter of the peers' own environment. Everything is exact: alkaid rounds half to
even and saturates where it is asked to, as this project's numerics do.
"""

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from alkaid.codegen.rtl import RTLModel
from alkaid.trace import FVArray, HWConfig, trace

TOP = "alkaid_network"
# No sharing of multipliers, no limit to an adder's or a carry's width: alkaid's own defaults.
HARDWARE = HWConfig(1, -1, -1)


def whole_bits(form: dict[str, int]) -> int:
    """Bits in front of the point, without the sign."""
    return form["width"] - 1 - form["frac"]


def linear_stages(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers of a network's file."""
    return [stage for stage in content["spec"]["stages"] if stage["kind"] == "linear"]


def traced(content: dict[str, Any]) -> Any:
    """The network as alkaid's combinational logic: layers up to the logits."""
    layers = linear_stages(content)
    first = layers[0]
    signs, whole, fraction = (
        np.full(first["n_in"], bits) for bits in (1, whole_bits(first["x"]), first["x"]["frac"])
    )
    entered = FVArray.from_kif(signs, whole, fraction, HARDWARE)
    values = entered
    for layer in layers:
        weights = np.array(content["weights"][layer["weights"]]) * 2.0 ** -layer["w"]["frac"]
        lsb = 2.0 ** -(layer["w"]["frac"] + layer["x"]["frac"])
        sums = values @ weights.T + np.array(content["biases"][layer["name"]]) * lsb
        values = sums.quantize(1, whole_bits(layer["y"]), layer["y"]["frac"], "SAT", "RND_CONV")
        if layer["relu"]:
            values = values.relu()
    return trace(entered, values)


def lanes(forms: Any, frac: int) -> list[dict[str, int]]:
    """The values of a packed port: width, sign, and zeros below that a code of ``frac`` has more.

    What nothing reads, and what is always 0, has no width and no place in the port.
    """
    return [
        {
            "width": int(signed + whole + fraction),
            "signed": int(signed),
            "shift": int(frac - fraction),
        }
        for signed, whole, fraction in np.array(forms).T
    ]


def main() -> None:
    """Write the Verilog into ``OUT/rtl`` and what is known of it to ``OUT/generated.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="the exported network")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything written")
    parser.add_argument("--cutoff", type=float, required=True, help="delay of a stage, in units")
    arguments = parser.parse_args()
    content = json.loads(arguments.network.read_text())
    project, rtl = arguments.out / "project", arguments.out / "rtl"

    start = time.perf_counter()
    logic = traced(content)
    options = {"latency_cutoff": arguments.cutoff, "print_latency": False, "ternary_fuse": False}
    model = RTLModel(logic, project, TOP, **options)
    model.write()
    seconds = time.perf_counter() - start

    rtl.mkdir(parents=True, exist_ok=True)
    for source in sorted((project / "src").rglob("*.v")):
        shutil.copy(source, rtl)
    linear = linear_stages(content)
    facts = {
        "top": TOP,
        "seconds": round(seconds, 2),
        "stages": int(np.max(model.latency)),
        "in": lanes(logic.inp_kifs, linear[0]["x"]["frac"]),
        "out": lanes(logic.out_kifs, linear[-1]["y"]["frac"]),
    }
    (arguments.out / "generated.json").write_text(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
