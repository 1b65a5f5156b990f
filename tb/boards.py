"""A network behind a serial line, without a board: its bench, and the same RTL at a terminal."""

import dataclasses
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from boards.protocol import network_id
from model import artifact
from model.artifact import Network
from model.spec import Int, Parameter
from tb.network_run import MEM_DIR
from tb.runner import Outcome, simulate
from tb.tools import BUILD, ROOT, RTL, SimulatorError
from tb.verilated import build_harness

BOARD_RTL = ROOT / "boards" / "rtl"
HARNESS = Path(__file__).with_name("simulated_board.cpp")
# Clock cycles of a bit: the fewest that the receiver takes.
CYCLES = 8


def for_serial_line(network: Network) -> Network:
    """The same network with one feature and one probability a beat."""
    spec = dataclasses.replace(network.spec, in_lanes=1, out_lanes=1)
    return network.refolded(spec)


def parameters(network: Network, cycles: int) -> dict[str, Parameter]:
    """Those of ``mlp_board`` at ``cycles`` clock cycles of a bit."""
    return {
        "CYCLES": cycles,
        "ID": network_id(network),
        **network.spec.parameters(MEM_DIR),
    }


def sources(boards: Path = BOARD_RTL) -> Path:
    """A folder of the core's sources and those of the boards, named by what they are."""
    texts = {path.name: path.read_text() for path in (*RTL.glob("*.v"), *boards.glob("*.v"))}
    folder = BUILD / "boards" / "sources" / artifact.digest(texts)[:16]
    for name, text in texts.items():
        if not (folder / name).exists():
            artifact.write_atomically(folder / name, text)
    return folder


def run_bench(
    network: Network,
    x: Int,
    simulator: str,
    *,
    name: str,
    boards: Path = BOARD_RTL,
    testcase: str | None = None,
) -> Outcome:
    """Run tb/board_bench.py with input codes ``x [samples, n_in]``; raises as `simulate` does."""
    folder = BUILD / "rows" / name
    artifact.save(network, folder / "network.json")
    artifact.write_images(network, folder / "mem")
    np.save(folder / "inputs.npy", x)
    return simulate(
        "mlp_board",
        parameters(network, CYCLES),
        simulator=simulator,
        bench="board_bench",
        options={
            "network": str(folder / "network.json"),
            "inputs": str(folder / "inputs.npy"),
        },
        name=name,
        rtl=sources(boards),
        testcase=testcase,
        links={MEM_DIR: folder / "mem"},
    )


@dataclass(frozen=True)
class SimulatedBoard:
    """A running board: ``port`` is what a host opens."""

    port: str
    commands: IO[str]

    def reset(self) -> None:
        """Press its button, whatever it is doing."""
        self.commands.write("reset\n")
        self.commands.flush()


@contextmanager
def simulated_board(
    network: Network, *, name: str, noise: int = 0, seed: int = 1
) -> Iterator[SimulatedBoard]:
    """The RTL of a board that holds ``network``, behind a pseudo-terminal.

    ``noise`` is how many bits in a million are turned over, in both directions. Raises
    `SimulatorError` where it cannot be built or does not start.
    """
    folder = BUILD / "boards" / name
    artifact.write_images(network, folder / MEM_DIR)
    program = build_harness("mlp_board", parameters(network, CYCLES), HARNESS, rtl=sources())
    with subprocess.Popen(
        [str(word) for word in (program, CYCLES, noise, seed)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        port = process.stdout.readline().strip()
        if not port:
            raise SimulatorError(f"{name}: the simulated board does not start")
        try:
            yield SimulatedBoard(port, process.stdin)
        finally:
            process.kill()
