"""Every flower that a ruler of 0.1 cm can tell apart, through the RTL of IrisNet."""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common import cli, errors, files, jobs
from common.errors import SimulationError
from common.jobs import Job
from common.paths import BUILD, GOLDEN_IRIS, RTL
from model import artifact, fast
from model.artifact import Network
from model.reference import quantize
from model.spec import TOP
from tb.sim import native
from verify import record

HERE = "verify.campaigns.input_grid"
# Ends of each feature of the Iris data, in tenths of a cm, inclusive: 37 * 25 * 60 * 25 vectors.
ENDS = ((43, 79), (20, 44), (10, 69), (1, 25))
SHAPE = tuple(last - first + 1 for first, last in ENDS)
VECTORS = int(np.prod(SHAPE))


class BoxError(SimulationError):
    """A vector of the box that the RTL and the reference disagree on: the message names it."""


def features(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Vectors ``[samples, 4]`` in cm by their numbers ``0 .. VECTORS - 1``, the last axis first."""
    tenths = np.stack(np.unravel_index(indices, SHAPE), axis=1) + [first for first, _ in ENDS]
    return tenths / 10


def check(
    network: Network,
    indices: NDArray[np.int64],
    *,
    rtl: Path = RTL,
    mem: Path | None = None,
    optimize: bool = True,
) -> int:
    """Classes and probabilities of these vectors by the RTL and the reference: values compared.

    The RTL is `mlp_top` at the network's own fold, the reference is its fast path. ``mem`` is a
    folder of ROM images other than the network's. Raises `BoxError` at the first that differs.
    """
    x = quantize(features(indices), network.spec.x)
    found = native.stream(network, x, rtl=rtl, mem=mem, optimize=optimize)
    classes, probabilities = fast.predict_codes(network, x)
    for row, have, want in native.differing(found, classes, probabilities):
        raise BoxError(
            f"vector {indices[row]}, {features(indices[[row]])[0].tolist()} cm: class and "
            f"probabilities are {have}, the reference has {want}"
        )
    return found.classes.size + found.results.size


CHUNK = 50_000


def piece(network: str, start: int) -> jobs.Figures:
    """The values compared of a chunk of the box, through the network of this file."""
    indices = np.arange(start, min(start + CHUNK, VECTORS))
    return {"compared": check(artifact.load(files.found(network)), indices)}


def run(arguments: argparse.Namespace) -> None:
    """Check chunk after chunk; one that passed with the same sources and network is kept."""
    network = artifact.load(arguments.network)
    rests_on = jobs.rests_on(HERE, tops=[TOP], files=[arguments.network])
    work = [
        Job(
            str(start),
            f"{HERE}:piece",
            {"network": files.shown(arguments.network), "start": start},
            rests_on,
        )
        for start in range(0, VECTORS, CHUNK)
    ]
    done = jobs.run("the box", work, BUILD / "exhaustive" / "box", workers=arguments.jobs)
    found, seconds = jobs.total(done)
    compared = found["compared"]
    expected = VECTORS * (1 + network.spec.n_out)
    if compared != expected:
        raise errors.CommandError(f"{expected:,} values must be compared, got {compared:,}")
    record.record(
        "box",
        level=3,
        claim="every vector of the 0.1 cm box of the Iris data: class and probabilities are the "
        "reference's, by the RTL at the fold that ships",
        command="make verify-input-grid",
        figures={"vectors": VECTORS, "compared": compared, "differing": 0},
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
        files=[arguments.network],
    )
    print(f"{VECTORS:,} vectors, {compared:,} values compared, 0 differ, in {seconds:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(
        prog="python -m verify.campaigns.input_grid", description=__doc__
    )
    built.add_argument(
        "--network",
        type=Path,
        default=GOLDEN_IRIS,
        help="the network's file (default: the golden one)",
    )
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
