"""Ask ONNX Runtime what a network computes, and hold reference and RTL against its answer."""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from common import cli, errors, files, jobs, tables
from common.jobs import Job
from common.paths import BUILD, GOLDEN_IRIS
from model import artifact, onnx_export, reference
from model.artifact import Network
from model.compare import require_equal
from model.data import datasets
from model.format import Format, Int
from model.spec import TOP
from model.stages.softmax import DIVIDERS, SCORES
from tb.sim import native
from tb.sim.made_up import codes, made_up
from verify import record

HERE = "verify.campaigns.onnx_runtime"
REFERENCE, OWN, FAST = "reference", "RTL", "RTL at its fast fold"
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
    for start in range(0, len(x), BATCH):
        batch = x[start : start + BATCH]
        wanted, found = reference.trace(network, batch), onnx_export.trace_codes(network, batch)
        if list(found) != list(wanted):
            raise errors.CommandError(f"{name}: traces have other tensors: {list(found)}")
        values += sum(require_equal(found, wanted, "ONNX Runtime").values())
    return Comparison("reference", name, inputs, len(x), values)


def against_rtl(name: str, inputs: str, network: Network, x: Int) -> Comparison:
    """The classes and probabilities that the RTL itself gives on ``x``, at the network's fold."""
    streamed = native.stream(network, x)
    given = _outputs(streamed.classes.astype(np.int64), streamed.results)
    found = _outputs(*onnx_export.predict_codes(network, x))
    values = sum(require_equal(found, given, "ONNX Runtime", "the RTL").values())
    who = f"RTL, {network.spec.interval} cycles"
    return Comparison(who, name, inputs, len(x), values)


def _outputs(classes: Int, probabilities: NDArray[np.integer]) -> dict[str, Int]:
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


def flowers(network: Network) -> Int:
    """Every flower as codes of the network."""
    return reference.quantize(datasets.load("iris").features, network.spec.x)


def random_codes(network: Network, samples: int) -> Int:
    """So many codes, the same every time."""
    return codes(np.random.default_rng(SEED), network, samples)


def row(network: str, who: str, inputs: str, samples: int) -> dict[str, Any]:
    """One row of the table, of the network in a file, or of one of `others` by its name.

    ``who`` is the reference, or the RTL at its own or at the fast fold. Raises `DifferenceError`
    at the first value that differs.
    """
    made = others().get(network)
    held = made or artifact.load(files.found(network))
    x = flowers(held) if inputs == "flowers" else random_codes(held, samples)
    if who == FAST:
        held = native.fast(held, len(x))
    compare = against_reference if who == REFERENCE else against_rtl
    return asdict(compare(network if made else held.spec.name, inputs, held, x))


def work(path: Path, samples: int) -> list[Job]:
    """A job a row of the table."""
    network, rests_on = files.shown(path), jobs.rests_on(HERE, tops=[TOP], files=[path])
    rows = [
        (network, REFERENCE, "flowers", 0),
        (network, REFERENCE, "random", samples),
        *((other, REFERENCE, "random", BATCH) for other in others()),
        *(
            (network, who, inputs, samples)
            for who in (OWN, FAST)
            for inputs in ("flowers", "random")
        ),
    ]
    names = ("network", "who", "inputs", "samples")
    return [
        Job(f"{number}", f"{HERE}:row", dict(zip(names, values, strict=True)), rests_on)
        for number, values in enumerate(rows)
    ]


def run(arguments: argparse.Namespace) -> None:
    """Compare everything, print the table, leave the figures for the ledger."""
    todo = work(arguments.network, arguments.samples)
    label = "ONNX Runtime"
    done = jobs.run(label, todo, BUILD / "campaigns" / "oracles", workers=arguments.jobs)
    table = Table("who", "network", "inputs", "samples", "values", "differ")
    table.title = "Held against ONNX Runtime"
    values = {"reference": 0, "RTL": 0}
    for found in done:
        compared = Comparison(**found.result)
        cells = (compared.who, compared.network, compared.inputs, f"{compared.samples:,}")
        table.add_row(*cells, f"{compared.values:,}", "0")
        values[compared.who.partition(",")[0]] += compared.values
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
        seconds=sum(found.seconds for found in done),
        seed=SEED,
        modules=[HERE],
        tops=[TOP],
        files=[arguments.network],
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
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
