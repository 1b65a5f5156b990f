"""Prove for each sample of a network in how large a box of codes its class is constant."""

import argparse
import csv
import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from common import cli, files, jobs, results, tables
from common.errors import CommandError
from common.jobs import Job
from model import artifact, backends, recipe, reference
from model.artifact import Network
from model.data import datasets
from model.format import Int
from model.stages.softmax import SoftmaxSpec
from studies.robustness import check, page, search
from studies.robustness.search import Prover, Sample

HERE = "studies.robustness.measure"
# Samples of a job, and corners of a box that the RTL is asked for.
PIECE, CORNERS = 20, 16
RADII = (1, 2, 4)
# Samples that the terminal shows.
SHOWN = 5


class RobustnessError(CommandError):
    """A proof that is refused, or an RTL that is of another opinion: the message names it."""


@dataclass(frozen=True)
class Measured:
    """Samples with their proofs, and which of them are classified correctly."""

    network: Network
    samples: Sequence[Sample]
    labels: Int

    @property
    def correct(self) -> list[bool]:
        """By sample."""
        pairs = zip(self.samples, self.labels, strict=True)
        return [sample.winner == label for sample, label in pairs]


def samples(path: Path, codes: Int, keep: Path, workers: int | None) -> list[Sample]:
    """The proofs of codes ``[samples, n_in]`` in their order; finished pieces are reused."""
    rests_on = jobs.rests_on(search.HERE, tops=[], files=[path])
    work = [
        Job(
            str(start),
            f"{search.HERE}:piece",
            {"network": files.shown(path), "codes": codes[start : start + PIECE].tolist()},
            rests_on,
        )
        for start in range(0, len(codes), PIECE)
    ]
    done = jobs.run("robustness", work, keep, workers=workers)
    return [search.from_plain(plain) for found in done for plain in found.result]


def certificate(path: Path, found: Sequence[Sample]) -> str:
    """Text that `check` takes: the digest of the network's file, and an entry a sample."""
    lines = ",\n".join(json.dumps(sample.plain, separators=(",", ":")) for sample in found)
    return f'{{"network": "{results.sha256(path)}",\n"samples": [\n{lines}\n]}}\n'


def checked(network: Path, proof: Path) -> tuple[str, float]:
    """Sentence and CPU seconds of the checker, in a Python of its own.

    Raises `RobustnessError` where it refuses.
    """
    start = os.times().children_user
    command = [sys.executable, "-I", str(check.__file__), str(network), str(proof)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RobustnessError(f"{proof}: {done.stderr.strip()}")
    return done.stdout.strip(), round(os.times().children_user - start, 1)


def corners(prover: Prover, sample: Sample) -> Int:
    """Corners of a proved box: all of them, or the two ends and some at random."""
    low, high = search.box_of(prover, sample.codes, sample.radius)
    n_in = len(low)
    if 1 << n_in <= CORNERS:
        chosen = np.array(list(itertools.product((False, True), repeat=n_in)))
    else:
        chosen = np.random.default_rng(sample.radius).random((CORNERS, n_in)) < 0.5
        chosen[0], chosen[1] = False, True
    return np.where(chosen, high, low)


def replay(network: Network, found: Sequence[Sample], backend: str = "native") -> int:
    """Ask a backend, by default the RTL, for corners and counterexamples: the samples asked for.

    Raises `RobustnessError` at the first of another class than the proof's.
    """
    prover = Prover(network)
    codes, expected, of = [], [], []
    for number, sample in enumerate(found):
        at = [corners(prover, sample)] + ([] if sample.other is None else [sample.other[None]])
        sizes = [len(part) for part in at]
        codes += at
        expected += [sample.winner] * sizes[0] + [sample.rival] * sum(sizes[1:])
        of += [number] * sum(sizes)
    classes, _ = backends.find(backend, {})(network, np.concatenate(codes))
    for row in np.flatnonzero(np.asarray(classes) != np.array(expected))[:1]:
        raise RobustnessError(
            f"sample {of[row]}: backend {backend} must have class {expected[row]} for codes "
            f"{np.concatenate(codes)[row].tolist()}, got {int(classes[row])}"
        )
    return len(of)


def figures(measured: Measured) -> dict[str, Any]:
    """Counts of a network for its row of the page, and its two curves."""
    radii = np.array([sample.radius for sample in measured.samples])
    span = measured.network.spec.x.q_max - measured.network.spec.x.q_min
    apart = np.array([s.distance or span + 1 for s in measured.samples])
    correct = np.array(measured.correct)
    ends = range(page.WIDEST + 1)
    return {
        "network": measured.network.spec.name,
        "inputs": measured.network.spec.n_in,
        "samples": len(radii),
        "correct": int(correct.sum()),
        "exact": int((apart == radii + 1).sum()),
        "gap": int((apart - radii - 1).max()),
        "median": float(np.median(radii)),
        "largest": int(radii.max()),
        "leaves": sum(leaves_of(sample.cuts) for sample in measured.samples),
        "constant": [int((radii >= end).sum()) for end in ends],
        "proved": [int((correct & (radii >= end)).sum()) for end in ends],
        "open": [int((correct & (apart > end)).sum()) for end in ends],
    }


def exactness(found: Mapping[str, Any]) -> str:
    """Sentence on how many radii are the largest.

    >>> exactness({"exact": 2, "samples": 2, "gap": 0})
    'every radius is exact: the next larger box holds a counterexample'
    >>> exactness({"exact": 1, "samples": 2, "gap": 3})
    'radius exact for 1 of 2 samples, of the others at most 3 too small'
    """
    exact, count = found["exact"], found["samples"]
    if exact == count:
        return "every radius is exact: the next larger box holds a counterexample"
    gap = found["gap"]
    return f"radius exact for {exact:,} of {count:,} samples, of the others at most {gap} too small"


def leaves_of(cuts: Sequence[int]) -> int:
    """Leaves of a tree in preorder."""
    steps, found = iter(cuts), 0
    for feature in steps:
        found += feature < 0
        if feature >= 0:
            next(steps)
    return found


def units(network: Network) -> Mapping[str, float]:
    """One LSB of each feature in the feature's own unit, by name."""
    scale = np.ones(network.spec.n_in) if network.scaling is None else network.scaling.scale
    named = () if network.names is None else network.names.features
    names = named or [f"feature {n}" for n in range(network.spec.n_in)]
    return {n: s * network.spec.x.lsb for n, s in zip(names, scale, strict=True)}


def rows(measured: Measured) -> str:
    """The samples as CSV, the nearest counterexample of each in the units of its features."""
    network = measured.network
    lsb = np.array(list(units(network).values()))
    offset = 0.0 if network.scaling is None else np.array(network.scaling.offset)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ("sample", "label", "class", "radius", "counterexample", "exact", "its class")
    writer.writerow([*head, *units(network)])
    for number, (sample, label) in enumerate(zip(measured.samples, measured.labels, strict=True)):
        other = [] if sample.other is None else (sample.other * lsb + offset).tolist()
        apart = sample.distance
        cells = (number, int(label), sample.winner, sample.radius, apart)
        writer.writerow([*cells, int(apart == sample.radius + 1), sample.rival, *other])
    return text.getvalue()


def shown(measured: Measured) -> list[Table]:
    """Tables for a terminal: radii, units of features, and the samples that change first."""
    found = figures(measured)
    name, count = found["network"], found["samples"]
    at = Table(title=f"{name}: class proved constant in a box, {count} samples")
    for column in ("radius in LSB", "constant", "correct and constant", "%"):
        at.add_column(column, justify="right")
    for radius in RADII:
        proved = found["proved"][radius]
        share = f"{100 * proved / count:.1f}"
        at.add_row(str(radius), str(found["constant"][radius]), str(proved), share)
    known = units(measured.network)
    by_size: dict[float, list[str]] = {}
    for feature, size in known.items():
        by_size.setdefault(size, []).append(feature)
    sizes = Table(title="an LSB in the unit of the feature")
    sizes.add_column("LSB", justify="right")
    sizes.add_column("features")
    for size, features in sorted(by_size.items()):
        few = ", ".join(features[:SHOWN]) + (" ..." if len(features) > SHOWN else "")
        sizes.add_row(f"{size:g}", "all" if len(by_size) == 1 else few)
    first = Table(title="samples that change first")
    for column in ("sample", "label", "class", "radius", "counterexample at", "its class"):
        first.add_column(column, justify="right")
    order = sorted(range(count), key=lambda n: (measured.samples[n].radius, n))
    for number in order[:SHOWN]:
        s = measured.samples[number]
        cells = (number, int(measured.labels[number]), s.winner, s.radius, s.distance, s.rival)
        first.add_row(*map(str, cells))
    return [at, sizes, first]


def measure(plan: recipe.Recipe, path: Path, build: Path, workers: int | None) -> Measured:
    """Proofs of all samples of a recipe's data by the network of a file."""
    network = artifact.load(path)
    by_table = [layer.name for layer in network.spec.layers if layer.activation]
    if by_table or network.spec.output.kind != SoftmaxSpec.kind:
        raise RobustnessError(
            f"{path}: layers must have a ReLU or nothing behind them and a softmax at the end, got "
            f"{', '.join([*by_table, network.spec.output.kind])}"
        )
    dataset = datasets.load(plan.dataset, plan.folder)
    codes = reference.encode(network, dataset.features)
    found = samples(path, codes, build / "robustness", workers)
    return Measured(network, found, dataset.labels)


def prove(measured: Measured, path: Path, build: Path, *, rtl: bool = True) -> dict[str, Any]:
    """Write certificate, table of samples and figures of a network, all of it checked."""
    proof = build / "robustness.json"
    files.write_atomically(proof, certificate(path, measured.samples))
    sentence, seconds = checked(path, proof)
    replayed = replay(measured.network, measured.samples) if rtl else 0
    found = figures(measured) | {"check seconds": seconds, "replayed": replayed}
    files.write_atomically(build / "robustness.csv", rows(measured))
    tables.show(*shown(measured))
    print(exactness(found))
    print(f"{files.shown(proof)}: the certificate")
    print(f"checker: {sentence}")
    print(f"checker: {seconds} CPU seconds")
    if rtl:
        print(f"RTL: {replayed:,} corners and counterexamples, each of the class proved")
    return found


def run(arguments: argparse.Namespace) -> None:
    """Prove, check and replay all samples, then draw the share that is proved."""
    plan = recipe.load(arguments.network)
    build: Path = arguments.build
    path = arguments.artifact or build / "network.json"
    with cli.step(build, "robustness"):
        found = prove(measure(plan, path, build, arguments.jobs), path, build)
    with files.whole_file(build / "robustness.png") as temporary:
        page.picture([found]).savefig(temporary, dpi=120, format="png")
    print(f"{build / 'robustness.png'}: share of samples against radius")
    print(f"{build / 'robustness.csv'}: every sample with its nearest counterexample")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = cli.build_parser(HERE, __doc__ or "")
    built.add_argument(
        "--artifact", type=Path, help="the network's file (default: network.json of --build)"
    )
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
