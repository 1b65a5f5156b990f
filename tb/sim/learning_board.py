"""A core that learns behind a serial line: its bench, and the same RTL at a terminal."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from boards.design import BOARD_RTL, learning_parameters, sources_folder
from boards.lessons import CHUNK
from common.paths import BUILD
from model.format import Int
from model.images import MEM_DIR
from model.learning.core import Core
from tb.sim.board import CYCLES, SimulatedBoard, at_terminal
from tb.sim.runner import Outcome, simulate
from tb.sim.verilator_cpp import build_harness

HARNESS = Path(__file__).with_suffix(".cpp")
TOP = "mlp_learn_board"
# Where the bench stops the core.
VISIBLE = ("mlp_learn_top", "mlp_learn_network", "mlp_learn_sequence", "mlp_learn_phase")


def run_bench(
    core: Core,
    x: Int,
    labels: Int,
    simulator: str,
    *,
    name: str,
    chunk: int = CHUNK,
    boards: Path = BOARD_RTL,
    testcase: str | None = None,
) -> Outcome:
    """Run the bench of `mlp_learn_board` with codes ``x [samples, n_in]`` and their labels.

    Raises as `simulate` does.
    """
    folder = BUILD / "rows" / name
    core.write_images(folder / "mem")
    np.savez(folder / "samples.npz", x=x, labels=labels)
    return simulate(
        TOP,
        learning_parameters(core, CYCLES, chunk),
        simulator=simulator,
        bench="learning_board_bench",
        options={
            "plan": dataclasses.asdict(core.plan),
            "lanes": core.lanes,
            "chunk": chunk,
            "samples": str(folder / "samples.npz"),
        },
        name=name,
        rtl=sources_folder(boards),
        testcase=testcase,
        visible=VISIBLE,
        links={MEM_DIR: folder / "mem"},
    )


@contextmanager
def simulated_board(
    core: Core, *, name: str, noise: int = 0, seed: int = 1
) -> Iterator[SimulatedBoard]:
    """The RTL of a board that learns with ``core``, behind a pseudo-terminal.

    ``noise`` is how many bits in a million are turned over, in both directions. Raises
    `SimulatorError` where it cannot be built or does not start.
    """
    folder = BUILD / "boards" / name
    core.write_images(folder / MEM_DIR)
    program = build_harness(TOP, learning_parameters(core, CYCLES), HARNESS, rtl=sources_folder())
    with at_terminal(program, folder, noise, seed) as board:
        yield board
