"""Train the field's canonical small networks and hold four implementations against each other.

Their samples are synthetic. PyTorch, ONNX Runtime and the RTL, in cocotb and as a library, must
give every value of the integer reference, the RTL in the cycles of its formulas.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
from rich.table import Table

from common import cli, jobs, tables
from common.errors import SimulationError
from common.jobs import Figures, Job
from common.paths import BUILD, RECIPES
from model import artifact, onnx_export, recipe, reference
from model.artifact import Network
from model.compare import require_equal
from model.data import datasets
from model.format import Int
from model.networks.canonical import data
from model.qat import quantize, training
from model.spec import TOP
from tb.sim import native
from tb.sim.run_network import EVERY_SAMPLE, run_network
from verify import record

HERE = "verify.campaigns.canonical"
MODULES = [HERE, "model.networks.canonical.modules"]
FOLDER = BUILD / "canonical"
SOURCES = RECIPES / "canonical"
SAMPLES = 100
COLUMNS = ("samples", "cycles", "PyTorch", "ONNX Runtime", "RTL streams", "RTL library")


def prepare(name: str, folder: Path) -> Path:
    """Write the samples of a network beside copies of its recipe and its modules."""
    data.write(name, folder)
    shutil.copy(SOURCES / "modules.py", folder)
    return Path(shutil.copy(SOURCES / f"{name}.toml", folder))


def made(name: str, folder: Path, samples: int) -> tuple[Network, Int, int]:
    """A trained network, the codes of its first samples, and the values equal to PyTorch's.

    Raises `DifferenceError` where one differs.
    """
    plan = recipe.load(prepare(name, folder))
    dataset = datasets.load(plan.dataset, folder)
    train, _ = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    trained = training.learn(plan, dataset, train)
    network = quantize.export(trained.quantized, plan, {}, trained.scaling, trained.targets)
    artifact.save(network, folder / "network.json")
    features = dataset.features[:samples]
    traced = trained.quantized.trace(trained.scaled(features))
    compared = sum(quantize.compare(traced, network).values())
    return network, reference.encode(network, features), compared


def through_library(network: Network, x: Int) -> int:
    """Values of the RTL as a library, at the network's own fold; raises where one differs."""
    spec = network.spec
    found = native.stream(network, x, optimize=False)
    classes, results = reference.result(network, reference.trace(network, x))
    given = {"class": found.classes.astype(np.int64), "results": found.results.astype(np.int64)}
    compared = require_equal(given, {"class": classes, "results": results}, "the RTL")
    first = spec.n_in // spec.in_lanes + spec.latency
    beats = spec.n_out // spec.out_lanes
    cycles = first + beats - 1 + (len(x) - 1) * spec.interval
    if found.cycles != cycles:
        raise SimulationError(f"{spec.name}: must take {cycles} cycles, got {found.cycles}")
    return sum(compared.values())


def through_streams(network: Network, x: Int, simulator: str, folder: Path) -> int:
    """Values of every stream of the RTL; its bench raises where one or the cycles differ."""
    _, report = run_network(
        network,
        x,
        simulator,
        folder=folder,
        name=f"canonical-{folder.name}",
        testcase=EVERY_SAMPLE,
    )
    streams = report["streams"].values()
    differing = sum(stream["differing"] for stream in streams)
    if differing:
        raise SimulationError(f"{network.spec.name}: {differing} values of its streams differ")
    return sum(stream["compared"] for stream in streams)


def piece(name: str, samples: int) -> Figures:
    """Values compared of one network, by implementation; raises where one differs."""
    folder = FOLDER / name
    network, x, found = in_software(name, folder, samples)
    return found | {
        "RTL streams": through_streams(network, x, "verilator", folder),
        "RTL library": through_library(network, x),
    }


def in_software(name: str, folder: Path, samples: int) -> tuple[Network, Int, Figures]:
    """A trained network, codes of samples, and the values of PyTorch and ONNX Runtime compared.

    Raises where one differs from the reference's.
    """
    network, x, pytorch = made(name, folder, samples)
    found = onnx_export.trace_codes(network, x)
    wanted = reference.trace(network, x)
    onnx = sum(require_equal(found, wanted, "ONNX Runtime").values())
    figures = {"samples": len(x), "cycles": network.spec.interval}
    return network, x, figures | {"PyTorch": pytorch, "ONNX Runtime": onnx}


def work(samples: int) -> list[Job]:
    """A job a network."""
    files = [SOURCES / f"{name}.toml" for name in data.MAKERS]
    return [
        Job(
            name,
            f"{HERE}:piece",
            {"name": name, "samples": samples},
            jobs.rests_on(*MODULES, tops=[TOP], files=[path]),
        )
        for name, path in zip(data.MAKERS, files, strict=True)
    ]


def run(arguments: argparse.Namespace) -> None:
    """Run every network; one that passed with the same sources is kept."""
    todo = work(arguments.samples)
    done = jobs.run("canonical networks", todo, FOLDER / "done", workers=arguments.jobs)
    table = Table("network", *COLUMNS, title="values compared, none of which differs")
    for job, found in zip(todo, done, strict=True):
        table.add_row(job.name, *(f"{found.result[column]:,}" for column in COLUMNS))
    tables.show(table)
    totals, seconds = jobs.total(done)
    record.record(
        "canonical",
        level=3,
        claim="the field's canonical small networks: PyTorch, ONNX Runtime and the RTL give every "
        "value of the reference, in the cycles of the formulas",
        command="make verify-canonical",
        figures={
            "networks": len(todo),
            **{f"values of {name}": totals[name] for name in COLUMNS[2:]},
            "differing": 0,
        },
        seconds=seconds,
        seed=data.SEED,
        modules=MODULES,
        tops=[TOP],
        files=[SOURCES / f"{job.name}.toml" for job in todo],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    built.add_argument("--samples", type=int, default=SAMPLES, help="default: %(default)s")
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
