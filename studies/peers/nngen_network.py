"""Make an accelerator of a network with NNgen: one stream of multipliers, weights in a memory.

Run by the interpreter of the peers' own environment. NNgen rounds half away from zero; its own
evaluation says what its hardware is to give.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import nngen
import numpy as np

TOP = "nngen_network"


def operators(content: dict[str, Any], batch: int, side: int) -> tuple[Any, Any, list[Any]]:
    """Placeholder, last operator and all parameters; ``side`` inputs times ``side`` outputs."""
    layers = [stage for stage in content["spec"]["stages"] if stage["kind"] == "linear"]
    entered = nngen.placeholder(nngen.int8, shape=(batch, layers[0]["n_in"]), name="x")
    parameters: dict[str, Any] = {}
    values = entered
    for layer in layers:
        name, shared = layer["name"], f"weights_{layer['weights']}"
        for key, kind, integers in (
            (shared, nngen.int8, content["weights"][layer["weights"]]),
            (f"bias_{name}", nngen.int32, content["biases"][name]),
        ):
            if key not in parameters:
                array = np.array(integers, dtype=np.int64)
                parameters[key] = nngen.variable(kind, shape=array.shape, name=key)
                parameters[key].set_value(array)
        values = nngen.matmul(
            values,
            parameters[shared],
            parameters[f"bias_{name}"],
            transposed_b=True,
            act_func=nngen.relu if layer["relu"] else None,
            asymmetric_clip=True,
            dtype=nngen.int8,
            sum_dtype=nngen.int32,
            name=name,
        )
        shift = layer["w"]["frac"] + layer["x"]["frac"] - layer["y"]["frac"]
        values.attribute(par_ich=side, par_och=side, cshamt_out=shift)
    return entered, values, list(parameters.values())


def evaluated(last: Any, codes: Any, batch: int) -> list[list[int]]:
    """Evaluate NNgen's own model on input codes ``[samples, n_in]``, batch by batch."""
    batches = [nngen.eval([last], x=part)[0] for part in codes.reshape(-1, batch, codes.shape[1])]
    found: list[list[int]] = np.concatenate(batches).astype(int).tolist()
    return found


def main() -> None:
    """Write ``rtl/``, the memory's parameters and ``generated.json`` into ``OUT``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="the exported network")
    parser.add_argument("--inputs", type=Path, required=True, help="JSON list of input codes")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything written")
    parser.add_argument("--batch", type=int, required=True, help="samples of one run")
    parser.add_argument("--side", type=int, required=True, help="inputs, and outputs, side by side")
    arguments = parser.parse_args()
    content = json.loads(arguments.network.read_text())
    codes = np.array(json.loads(arguments.inputs.read_text()), dtype=np.int64)
    rtl = arguments.out / "rtl"

    start = time.perf_counter()
    entered, last, parameters = operators(content, arguments.batch, arguments.side)
    module = nngen.to_veriloggen([last], TOP, silent=True)
    verilog = module.to_verilog()
    image = nngen.export_ndarray([last])
    seconds = time.perf_counter() - start

    rtl.mkdir(parents=True, exist_ok=True)
    (rtl / f"{TOP}.v").write_text(verilog)
    (arguments.out / "parameters.bin").write_bytes(image.astype(np.int8).tobytes())
    facts = {
        "top": TOP,
        "seconds": round(seconds, 2),
        "parameters": {"address": min(int(parameter.addr) for parameter in parameters)},
        "in": {"address": int(entered.addr), "lanes": int(entered.aligned_shape[-1])},
        "out": {"address": int(last.addr), "lanes": int(last.aligned_shape[-1])},
        "logits": evaluated(last, codes, arguments.batch),
    }
    (arguments.out / "generated.json").write_text(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
