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


def traced(content: dict[str, Any]) -> Any:
    """The network as alkaid's combinational logic: layers up to the logits."""
    layers = [stage for stage in content["spec"]["stages"] if stage["kind"] == "linear"]
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


def lane(forms: Any) -> dict[str, int]:
    """Width and frac of each value of a packed port, from the formats of all of them."""
    signed, whole, fraction = (int(bits) for bits in np.max(np.array(forms), axis=-1))
    return {"width": signed + whole + fraction, "frac": fraction, "signed": signed}


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
    facts = {
        "top": TOP,
        "seconds": round(seconds, 2),
        "stages": int(np.max(model.latency)),
        "in": lane(logic.inp_kifs),
        "out": lane(logic.out_kifs),
    }
    (arguments.out / "generated.json").write_text(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
