"""Write a network as hls4ml's C++: what its hardware is made from, and what emulates it.

Run by the interpreter of the peers' own environment. Every type is given: results are rounded half
to even and saturate, as in this project's numerics, and accumulators are as wide as ours.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.model.graph import ModelGraph
from hls4ml.utils.config import create_config

TOP = "hls4ml_network"
# Folders of headers of a project, where it has them: arbitrary precision of either vendor.
HEADERS = ("firmware", "firmware/ap_types", "firmware/ac_types")


def fixed(form: dict[str, int], *modes: str) -> str:
    """The type of a format, by width and bits in front of the point, the sign among them.

    Without ``modes`` it truncates and wraps, which changes no value that fits.
    """
    words = (str(form["width"]), str(form["width"] - form["frac"]), *modes)
    return f"ap_fixed<{','.join(words)}>"


def linear(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers up to the logits, as the network's file has them."""
    return [stage for stage in content["spec"]["stages"] if stage["kind"] == "linear"]


def described(content: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Layers as hls4ml lists them, and the types of each by its name."""
    first = linear(content)[0]
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": "entered", "input_shape": [first["n_in"]]}
    ]
    types = {"entered": {"result": fixed(first["x"])}}
    for stage in linear(content):
        name, n_out, frac = stage["name"], stage["n_out"], stage["w"]["frac"] + stage["x"]["frac"]
        weights = np.array(content["weights"][stage["weights"]]) * 2.0 ** -stage["w"]["frac"]
        biases = np.array(content["biases"][name]) * 2.0**-frac
        dense = {"class_name": "Dense", "name": name, "n_in": stage["n_in"], "n_out": n_out}
        layers.append(dense | {"weight_data": weights.T, "bias_data": biases})
        sums = fixed({"width": stage["acc_w"], "frac": frac})
        result = fixed(stage["y"], "AP_RND_CONV", "AP_SAT")
        weight = fixed(stage["w"])
        types[name] = {"weight": weight, "bias": sums, "accum": sums, "result": result}
        if stage["relu"]:
            relu = {"class_name": "Activation", "activation": "relu", "n_in": n_out}
            layers.append(relu | {"name": f"{name}_relu"})
            types[f"{name}_relu"] = {"result": result}
    return layers, types


def main() -> None:
    """Write the C++ into ``OUT/project`` and what is known of it to ``OUT/generated.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="the exported network")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything written")
    parser.add_argument("--backend", required=True, help="whose tool the C++ is written for")
    arguments = parser.parse_args()
    content = json.loads(arguments.network.read_text())
    project = arguments.out / "project"

    start = time.perf_counter()
    layers, types = described(content)
    config = create_config(str(project), TOP, arguments.backend)
    # Weights are in the C++ and not in files that it would read when it runs.
    config["WriterConfig"]["WriteWeightsTxt"] = False
    # The types of the model are those of what has none of its own: tables that nothing reads.
    config["HLSConfig"] = {
        "Model": {"Precision": "ap_fixed<32,16>", "ReuseFactor": 1},
        "LayerName": {name: {"Precision": precision} for name, precision in types.items()},
    }
    ModelGraph.from_layer_list(config, layers).write()
    seconds = time.perf_counter() - start

    facts = {
        "top": TOP,
        "seconds": round(seconds, 2),
        "headers": [name for name in HEADERS if (project / name).is_dir()],
        "in": linear(content)[0]["x"],
        "out": linear(content)[-1]["y"],
    }
    (arguments.out / "generated.json").write_text(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
