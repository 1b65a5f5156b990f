"""A network behind a serial line, without a board: its bench, and the same RTL at a terminal."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from boards.design import BOARD_RTL, parameters, sources_folder
from common.paths import BUILD
from common.programs import SimulatorError
from model import artifact, images
from model.artifact import Network
from model.format import Int
from model.images import MEM_DIR
from tb.sim.runner import Outcome, simulate
from tb.sim.verilator_cpp import build_harness

HARNESS = Path(__file__).with_name("simulated_board.cpp")
# Clock cycles of a bit: the fewest that the receiver takes.
CYCLES = 8


def run_bench(
    network: Network,
    x: Int,
    simulator: str,
    *,
    name: str,
    boards: Path = BOARD_RTL,
    testcase: str | None = None,
    bench: str = "board_bench",
    loads: Sequence[Network] = (),
) -> Outcome:
    """Run a bench of `mlp_board` with input codes ``x [samples, n_in]``.

    ``loads`` are networks that it is told to load. Raises as `simulate` does.
    """
    folder = BUILD / "rows" / name
    artifact.save(network, folder / "network.json")
    paths = [folder / f"load{n}.network.json" for n in range(len(loads))]
    for other, path in zip(loads, paths, strict=True):
        artifact.save(other, path)
    images.write_images(network, folder / "mem")
    np.save(folder / "inputs.npy", x)
    return simulate(
        "mlp_board",
        parameters(network, CYCLES),
        simulator=simulator,
        bench=bench,
        options={
            "network": str(folder / "network.json"),
            "inputs": str(folder / "inputs.npy"),
            "loads": list(map(str, paths)),
        },
        name=name,
        rtl=sources_folder(boards),
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
    images.write_images(network, folder / MEM_DIR)
    program = build_harness("mlp_board", parameters(network, CYCLES), HARNESS, rtl=sources_folder())
    with at_terminal(program, folder, noise, seed) as board:
        yield board


@contextmanager
def at_terminal(program: Path, folder: Path, noise: int, seed: int) -> Iterator[SimulatedBoard]:
    """A board's harness that runs in ``folder``, which holds its ROM images.

    Raises `SimulatorError` where it does not start.
    """
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
            raise SimulatorError(f"{folder.name}: the simulated board does not start")
        try:
            yield SimulatedBoard(port, process.stdin)
        finally:
            process.kill()
