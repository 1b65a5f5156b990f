"""Ask ONNX Runtime what a network computes, and hold reference and RTL against its answer."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from common import cli, errors, tables
from common.paths import GOLDEN_IRIS
from model import artifact, onnx_export, reference
from model.artifact import Network
from model.compare import require_equal
from model.data import datasets
from model.format import Format, Int
from model.stages.softmax import DIVIDERS, SCORES
from tb.sim import native
from tb.sim.made_up import codes, made_up
from verify import record

SEED = 5
BATCH = 10_000


@dataclass(frozen=True)
class Comparison:
    """One row of the table: who was held against ONNX Runtime, on what, and how much of it."""

    who: str
    network: str
    inputs: str
    samples: int
    values: int


def against_reference(name: str, inputs: str, network: Network, x: Int) -> Comparison:
    """Every tensor of the reference's trace on ``x [samples, n_in]``, batch by batch."""
    values = 0
    words = f"{name}, {len(x):,} {inputs}"
    for start in track(range(0, len(x), BATCH), words, console=Console(stderr=True)):
        batch = x[start : start + BATCH]
        wanted, found = reference.trace(network, batch), onnx_export.trace_codes(network, batch)
        if list(found) != list(wanted):
            raise errors.CommandError(f"{name}: traces have other tensors: {list(found)}")
        values += sum(require_equal(found, wanted, "ONNX Runtime").values())
    return Comparison("reference", name, inputs, len(x), values)


def against_rtl(name: str, inputs: str, network: Network, x: Int) -> Comparison:
    """The classes and probabilities that the RTL itself gives on ``x``, at the network's fold."""
    with Console(stderr=True).status(f"the RTL runs {len(x):,} {inputs} of {name}"):
        streamed = native.stream(network, x)
    given = _outputs(streamed.classes.astype(np.int64), streamed.probabilities)
    found = _outputs(*onnx_export.predict_codes(network, x))
    values = sum(require_equal(found, given, "ONNX Runtime", "the RTL").values())
    who = f"RTL, {network.spec.interval} cycles"
    return Comparison(who, name, inputs, len(x), values)


def _outputs(classes: Int, probabilities: NDArray[np.uint8]) -> dict[str, Int]:
    return {"class": classes, "probabilities": probabilities.astype(np.int64)}


def others() -> dict[str, Network]:
    """Networks that reach what Iris leaves out: every softmax, both ends of the widths."""
    narrow, wide = [Format(2, 0)] * 3, [Format(16, 31), Format(16, 15), Format(16, 8)]
    networks = {
        f"{score}-{divider}": made_up([4, 8, 5], softmax=(score, divider), seed=SEED)
        for score in SCORES
        for divider in DIVIDERS
    }
    networks["2 bits"] = made_up([6, 6, 3], formats=narrow, weight_format=Format(2, 0))
    networks["16 bits"] = made_up([6, 6, 64], formats=wide, weight_format=Format(16, 31))
    return networks


def comparisons(network: Network, samples: int) -> Iterator[Comparison]:
    """Every row of the table; raises `DifferenceError` at the first value that differs."""
    name, rng = network.spec.name, np.random.default_rng(SEED)
    flowers = reference.quantize(datasets.load("iris").features, network.spec.x)
    many = codes(rng, network, samples)
    yield against_reference(name, "flowers", network, flowers)
    yield against_reference(name, "random", network, many)
    for other, made in others().items():
        yield against_reference(other, "random", made, codes(rng, made, BATCH))
    for spec in (network.spec, native.fast_fold(network.spec)):
        folded = network.refolded(spec)
        yield against_rtl(name, "flowers", folded, flowers)
        yield against_rtl(name, "random", folded, many)


def run(arguments: argparse.Namespace) -> None:
    """Compare everything, print the table, leave the figures for the ledger."""
    start = time.perf_counter()
    network = artifact.load(arguments.network)
    table = Table("who", "network", "inputs", "samples", "values", "differ")
    table.title = "Held against ONNX Runtime"
    values = {"reference": 0, "RTL": 0}
    for row in comparisons(network, arguments.samples):
        cells = (row.who, row.network, row.inputs, f"{row.samples:,}", f"{row.values:,}", "0")
        table.add_row(*cells)
        values[row.who.partition(",")[0]] += row.values
    tables.show(table)
    record.record(
        "oracles",
        level=3,
        claim="ONNX Runtime gives every value of reference and RTL",
        command="make verify-onnx-runtime",
        figures={
            "random inputs": arguments.samples,
            **{f"values of the {who} compared": count for who, count in values.items()},
            "values differing": 0,
        },
        seconds=time.perf_counter() - start,
        seed=SEED,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(
        prog="python -m verify.campaigns.onnx_runtime", description=__doc__
    )
    built.add_argument(
        "--network",
        type=Path,
        default=GOLDEN_IRIS,
        help="the network's file (default: %(default)s)",
    )
    built.add_argument("--samples", type=int, default=100_000, help="default: %(default)s")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
