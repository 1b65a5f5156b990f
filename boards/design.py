"""The network behind a serial port: its parameters and sources."""

import dataclasses
from pathlib import Path

from boards.protocol import network_id
from common import files
from common.paths import BUILD, ROOT
from common.sources import verilog
from model.artifact import Network
from model.images import MEM_DIR
from model.stage import Parameter

BOARD_RTL = ROOT / "boards" / "rtl"


def for_serial_line(network: Network) -> Network:
    """The same network with one feature and one probability a beat."""
    spec = dataclasses.replace(network.spec, in_lanes=1, out_lanes=1)
    return network.refolded(spec)


def parameters(network: Network, cycles: int) -> dict[str, Parameter]:
    """Those of ``mlp_board`` at ``cycles`` clock cycles of a bit."""
    return {
        "CYCLES": cycles,
        "ID": network_id(network),
        "LATENCY": network.spec.latency,
        **network.spec.parameters(MEM_DIR),
    }


def sources_folder(boards: Path = BOARD_RTL) -> Path:
    """A folder of the core's sources and those of the boards, named by what they are."""
    texts = {path.name: path.read_text() for path in (*verilog(), *boards.glob("*.v"))}
    folder = BUILD / "boards" / "sources" / files.digest(texts)[:16]
    for name, text in texts.items():
        if not (folder / name).exists():
            files.write_atomically(folder / name, text)
    return folder
