"""Programs of campaigns in C++, compiled once and kept by their content."""

import subprocess
from pathlib import Path

from common import results
from common.programs import SimulatorError, last_words

# What the sources include of the project.
HEADER = Path(__file__).with_name("side_by_side.h")
COMMAND = ("c++", "-O3", "-shared", "-fPIC", "-std=c++17")


def shared_library(source: Path, folder: Path, *options: str) -> Path:
    """Return the shared library of a source below ``folder``, compiled where it is not there yet.

    ``options`` are those of the compiler beside the usual ones. Raises `SimulatorError` where it
    cannot be compiled.
    """
    name = f"{source.stem}.so"

    def make(place: Path) -> None:
        command = [*COMMAND, *options, str(source), "-o", str(place / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SimulatorError(f"{source.name}: {last_words(done)}")

    read = {"source": results.sha256(source), "header": results.sha256(HEADER)}
    rests_on = {**read, "command": [*COMMAND, *options]}
    return results.folder(folder, "library", rests_on, make) / name
