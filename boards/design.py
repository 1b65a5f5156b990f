"""A network behind a serial port, or a core that learns: parameters and sources."""

import dataclasses
from pathlib import Path

from boards.lessons import CHUNK, plan_id, state_words
from boards.protocol import core_id, network_id
from common import files
from common.paths import BUILD, ROOT
from common.sources import verilog
from model.artifact import Network
from model.images import MEM_DIR
from model.learning.core import Core
from model.stage import Parameter

BOARD_RTL = ROOT / "boards" / "rtl"

# Of a master at random, more than any other word takes; and what is before and behind.
START_CYCLES, SETTLE_CYCLES = 17, 64


def for_serial_line(network: Network) -> Network:
    """The same network with one feature and one probability a beat."""
    spec = dataclasses.replace(network.spec, in_lanes=1, out_lanes=1)
    return network.refolded(spec)


def parameters(network: Network, cycles: int) -> dict[str, Parameter]:
    """Those of ``mlp_board`` at ``cycles`` clock cycles of a bit."""
    return {
        "CYCLES": cycles,
        "ID": network_id(network),
        "CORE": core_id(network.spec),
        "LATENCY": network.spec.latency,
        **network.spec.parameters(MEM_DIR),
    }


def learning_parameters(core: Core, cycles: int, chunk: int = CHUNK) -> dict[str, Parameter]:
    """Those of ``mlp_learn_board`` at ``cycles`` clock cycles of a bit, ``chunk`` words a frame."""
    plan, words = core.plan, state_words(core.plan)
    return {
        "CYCLES": cycles,
        "ID": plan_id(plan),
        "PATIENCE": patience(core),
        "SAMPLES": plan.samples,
        "STATE": words,
        "CHUNK": chunk,
        "THRESHOLDS": plan.thresholds,
        **core.parameters(MEM_DIR),
    }


def patience(core: Core) -> int:
    """Cycles that no request takes: twice those of a start, or of a sample and an order's search.

    A request may come while the sample before it is still being learned.
    """
    passed_over = (1 << (core.plan.samples - 1).bit_length()) - core.plan.samples
    start = START_CYCLES * state_words(core.plan)
    return 2 * (max(start, 2 * core.cycles) + passed_over + SETTLE_CYCLES)


def sources_folder(boards: Path = BOARD_RTL) -> Path:
    """A folder of the core's sources and those of the boards, named by what they are."""
    texts = {path.name: path.read_text() for path in (*verilog(), *boards.glob("*.v"))}
    folder = BUILD / "boards" / "sources" / files.digest(texts)[:16]
    for name, text in texts.items():
        if not (folder / name).exists():
            files.write_atomically(folder / name, text)
    return folder
