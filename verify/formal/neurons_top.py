"""Wiring of the layers in `mlp_top`: each feeds the next, with its own parameters.

Yosys elaborates the top without looking into any instance but that of `mlp_layers`; wires that are
connected have one number in what it writes.
"""

import itertools
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import imports
from common.jobs import Figures
from common.paths import RTL
from model import artifact
from model.artifact import Network
from model.images import MEM_DIR, write_images
from model.spec import TOP
from syn.yosys import chosen, run_yosys
from verify.formal import neurons_proof
from verify.formal.neurons_layer import parameters
from verify.formal.softmax_proofs import ProofError

WIRES = "wires between stages"
# The module that chains the layers, and its instance, which is taken apart.
CHAIN, LAYERS = "mlp_layers", "u_layers"
# The stream between two instances: the port that gives, and the one that takes.
STREAM = {"out_valid": "in_valid", "out_ready": "in_ready", "out_x": "in_x"}


def connections(name: str) -> Figures:
    """Prove the wiring of a network that ships; return the wires between its stages."""
    network = artifact.load(neurons_proof.file(name))
    return {WIRES: wiring(network, neurons_proof.FOLDER / f"{name}-wiring")}


def wiring(network: Network, folder: Path, rtl: Path = RTL) -> int:
    """Prove that layers are chained from the packed features to the output; return the wires.

    Raises `ProofError` where a port is connected to another wire, or a parameter differs.
    """
    found = _elaborated(network, folder, rtl)
    (top,) = [module for name, module in found.items() if name == TOP]
    cells, layers = top["cells"], network.spec.layers
    chain = [f"{LAYERS}.g_layer[{index}].u_layer" for index in range(len(layers))]
    names = ["u_input", *chain, "u_output"]
    beside = {name for name in cells if "u_layer" in name} - set(names)
    if beside:
        raise ProofError(f"{TOP}: must have {len(layers)} layers, got {', '.join(sorted(beside))}")
    wires = 0
    for first, second in itertools.pairwise(names):
        for out, into in STREAM.items():
            given, taken = cells[first]["connections"][out], cells[second]["connections"][into]
            _require(f"{second}: {into}", taken, given)
            wires += len(given)
    for name in names:
        for port in ("clk", "rst"):
            expected = top["ports"][port]["bits"]
            _require(f"{name}: {port}", cells[name]["connections"][port], expected)
    for index, layer in enumerate(layers):
        defined = found[cells[names[index + 1]]["type"]]
        expected_values = parameters(layer, index) | {"TABLE_W": 0}
        for key, value in expected_values.items():
            named = f"{MEM_DIR}/{value}" if isinstance(value, str) else value
            _require(f"{layer.name}: {key}", _value(defined, key, type(value)), named)
    return wires


def _elaborated(network: Network, folder: Path, rtl: Path) -> dict[str, Any]:
    """Modules of the top by name, as Yosys writes them."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / MEM_DIR).mkdir(parents=True)
    write_images(network, folder / MEM_DIR)
    needed = imports.below(TOP, rtl=rtl)
    for source in needed:
        shutil.copy(source, folder)
    lines = [
        f"read_verilog {' '.join(path.name for path in needed)}",
        f"chparam {chosen(network.spec.parameters(MEM_DIR))} {TOP}",
        f"hierarchy -check -top {TOP}",
        f"setattr -mod -set keep_hierarchy 1 * *{CHAIN}* %d",
        "proc",
        "flatten -noscopeinfo",
        "write_json top.json",
    ]
    run_yosys(lines, folder, "elaborate")
    modules: dict[str, Any] = json.loads((folder / "top.json").read_text())["modules"]
    return modules


def _value(module: Mapping[str, Any], key: str, kind: type) -> object:
    """A parameter of a module, as an integer or as the characters that its bits are."""
    found = module["parameter_default_values"][key]
    if set(found) - {"0", "1"}:
        return found
    number = int(found, 2)
    return number if kind is int else number.to_bytes(len(found) // 8, "big").decode()


def _require(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ProofError(f"{what}: is refuted: expected {expected}, got {found}")
