"""Each of the 2^32 inputs of IrisNet, four bytes, through its RTL and an independent program."""

import argparse
import ctypes
import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common import cli, errors, files, jobs
from common.errors import SimulationError
from common.jobs import Job
from common.paths import BUILD, GOLDEN_IRIS, RTL
from model import artifact
from model.artifact import Network
from model.format import Int
from model.spec import TOP, NetworkSpec
from model.stages.softmax import SoftmaxSpec
from tb.sim import native
from verify import record
from verify.shared_library import shared_library

HERE = "verify.campaigns.inputs"
FOLDER = BUILD / "exhaustive" / "inputs"
SOURCE = Path(__file__).with_name("inputs.cpp")

INPUTS = 1 << 32
PIECE = 1 << 24
PIECES = INPUTS // PIECE
CHUNK = 1 << 18
# Inputs of each class of the golden network, as another program counted them.
COUNTS = (2_906_043_895, 399_826_063, 989_097_338)
# What the program in C++ holds.
MOST_VALUES = 64
WORD_W = 32


class InputError(SimulationError):
    """An input that the RTL and the program disagree on: the message names it."""


def codes(first: int, count: int) -> Int:
    """Inputs ``[count, 4]`` from a number on: code ``k`` is byte ``k``, the lowest first.

    >>> codes(255, 2).tolist()
    [[-1, 0, 0, 0], [0, 1, 0, 0]]
    """
    numbers = np.arange(first, first + count, dtype="<u4")
    return numbers.view(np.int8).reshape(count, 4).astype(np.int64)


def predicted(network: Network, first: int, count: int) -> tuple[Int, NDArray[np.uint8]]:
    """Classes ``[count]`` and bytes ``[count, n_out]`` of inputs by the program in C++.

    It gets integers and shifts of the network, and shares no code with reference and RTL. Raises
    `CommandError` where it cannot hold the network, `SimulatorError` where it cannot be compiled.
    """
    spec = network.spec
    _require_known(spec)
    layers, kept = (_Layer * len(spec.layers))(), []
    for layer, made in zip(spec.layers, layers, strict=True):
        weights = np.ascontiguousarray(network.weights[layer.weights], np.int16)
        biases = np.ascontiguousarray(network.biases[layer.name], np.int32)
        kept += [weights, biases]
        made.n_in, made.n_out, made.shift = layer.n_in, layer.n_out, layer.shift
        made.relu = layer.relu
        made.weights, made.biases = weights.ctypes.data, biases.ctypes.data
    classes = np.empty(count, np.uint8)
    probabilities = np.empty((count, spec.n_out), np.uint8)
    _entry()(
        *(layers, len(layers), spec.output.x.frac, first, count),
        *(classes.ctypes.data, probabilities.ctypes.data),
    )
    return classes.astype(np.int64), probabilities


class _Layer(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("n_in", "n_out", "shift", "relu")),
        *((name, ctypes.c_void_p) for name in ("weights", "biases")),
    )


def _require_known(spec: NetworkSpec) -> None:
    """Raise `CommandError` where the program in C++ does not know a network of this spec."""
    layers, end = spec.layers, spec.output
    known = (
        (spec.n_in, spec.x.width) == (4, 8)
        and isinstance(end, SoftmaxSpec)
        and (end.score, end.divider) == ("taylor2", "reciprocal")
        and all(layer.z.width == 8 and not layer.activation for layer in layers)
        and max(max(layer.n_in, layer.n_out) for layer in layers) <= MOST_VALUES
        and max(layer.acc_w for layer in layers) <= WORD_W
    )
    if not known:
        raise errors.CommandError(
            f"network {spec.name}: must have 4 inputs of 8 bits, layers of 8 bits with at most "
            f"{MOST_VALUES} values, and a softmax of taylor2 and reciprocal"
        )


@functools.cache
def _entry() -> "ctypes._NamedFuncPointer":
    path = shared_library(SOURCE, FOLDER, "-Wall", "-Wextra", "-Werror")
    function = ctypes.CDLL(str(path)).verbatim_inputs
    function.restype = None
    numbers = (ctypes.c_int32, ctypes.c_int32, ctypes.c_uint32, ctypes.c_uint32)
    function.argtypes = (ctypes.c_void_p, *numbers, ctypes.c_void_p, ctypes.c_void_p)
    return function


def check(
    network: Network,
    first: int,
    count: int,
    *,
    rtl: Path = RTL,
    mem: Path | None = None,
    optimize: bool = True,
) -> jobs.Figures:
    """Inputs of each class, and values compared: classes and bytes of the RTL and of the program.

    The RTL is `mlp_top` at the network's own fold. ``mem`` is a folder of ROM images other than the
    network's. Raises `InputError` at the first input that differs.
    """
    found = native.stream(network, codes(first, count), rtl=rtl, mem=mem, optimize=optimize)
    classes, probabilities = predicted(network, first, count)
    for row, have, want in native.differing(found, classes, probabilities):
        raise InputError(
            f"input {first + row}, codes {codes(first + row, 1)[0].tolist()}: class and "
            f"probabilities must be {want}, got {have}"
        )
    counts = np.bincount(classes, minlength=network.spec.n_out)
    compared = found.classes.size + found.results.size
    return {"compared": compared} | {f"class {k}": int(n) for k, n in enumerate(counts)}


def piece(network: str, first: int) -> jobs.Figures:
    """The figures of a piece of all inputs, through the network of this file."""
    core = native.fast(artifact.load(files.found(network)), INPUTS)
    found = [check(core, start, CHUNK) for start in range(first, first + PIECE, CHUNK)]
    return {name: sum(figures[name] for figures in found) for name in found[0]}


def run(arguments: argparse.Namespace) -> None:
    """Check piece after piece; one that passed with the same sources and network is kept."""
    if not 1 <= arguments.first <= PIECES:
        raise errors.CommandError(
            f"first must be an integer from 1 to {PIECES}, got {arguments.first}"
        )
    shown = files.shown(GOLDEN_IRIS)
    rests_on = jobs.rests_on(HERE, tops=[TOP], files=[GOLDEN_IRIS])
    work = [
        Job(f"piece-{n:03d}", f"{HERE}:piece", {"network": shown, "first": n * PIECE}, rests_on)
        for n in range(PIECES)
    ]
    keep = FOLDER / "results"
    jobs.run("inputs", work[: arguments.first], keep, workers=arguments.jobs)
    # What earlier runs have left beyond these counts too.
    done = [found for job in work if (found := jobs.standing(job, keep))]
    figures, seconds = jobs.total(done)
    said = summary(figures, len(done))
    record.record(
        "inputs",
        level=5,
        claim=claim(len(done)),
        command="make verify-inputs",
        figures={"inputs": len(done) * PIECE, "of": INPUTS, **figures, "differing": 0},
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
        files=[GOLDEN_IRIS],
    )
    print(f"{said}, in {seconds:,.0f} s")


def claim(pieces: int) -> str:
    """The claim of this number of pieces."""
    what = "every input" if pieces == PIECES else f"{pieces} of {PIECES} parts of the inputs"
    return (
        f"{what} that four bytes can be: class and probabilities of IrisNet's RTL, unrolled with "
        "shared sums, are those of an independent program"
    )


def summary(figures: jobs.Figures, pieces: int) -> str:
    """The figures of so many pieces in words; raises `CommandError` where they do not add up."""
    inputs = pieces * PIECE
    counts = [count for name, count in figures.items() if name.startswith("class ")]
    compared = inputs * (1 + len(counts))
    if (figures["compared"], sum(counts)) != (compared, inputs):
        raise errors.CommandError(
            f"{compared:,} values of {inputs:,} inputs must be compared, "
            f"got {figures['compared']:,} of {sum(counts):,}"
        )
    if pieces == PIECES and tuple(counts) != COUNTS:
        raise errors.CommandError(f"inputs of each class must be {COUNTS}, got {tuple(counts)}")
    named = " / ".join(f"{count:,}" for count in counts)
    return (
        f"inputs {inputs:,} of {INPUTS:,}, {compared:,} values compared, 0 differ; classes {named}"
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    built.add_argument(
        "--first",
        type=int,
        default=PIECES,
        help=f"pieces of {PIECE:,} inputs, from the first on (default: all %(default)s)",
    )
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
