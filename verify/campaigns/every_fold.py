"""Every legal fold of a network's layers, each layer at each fold by itself.

Layers are joined by streams, so that a layer does not know the folds of the others: a case for each
fold of each layer covers what the product of all of them would.
"""

import argparse
import functools
import random
from collections.abc import Iterator
from pathlib import Path

from common import cli, files, jobs
from common.jobs import Job
from common.paths import BUILD, GOLDEN_IRIS
from model import artifact, folding
from model.artifact import Network
from tb.modules.case import Case
from tb.modules.layer import OfLayer
from tb.sim.simulators import SIMULATORS
from verify import record

HERE, TOP = "verify.campaigns.every_fold", "mlp_layer"
SEED = 5
FEW_CYCLES = range(2, 61)


def fold_cases(network: Network) -> Iterator[Case]:
    """`mlp_layer` as each layer at each of its folds, with the network's own integers."""
    for index, layer in enumerate(network.spec.layers):
        for fold in folding.legal_folds(layer):
            spec = network.spec.folded({layer.name: (fold.simd, fold.pe)})
            name = f"{network.spec.name}-{layer.name}-{fold.simd}x{fold.pe}"
            setting = OfLayer(name, functools.partial(network.refolded, spec), index, whole=True)
            yield Case("mlp_layer", setting, "stream_bench")


def sampled(network: Network) -> list[Case]:
    """One fold of each layer, drawn from those of few cycles; the same every time."""
    cases, draw = list(fold_cases(network)), random.Random(SEED)
    found = []
    for layer in network.spec.layers:
        quick = [fold for fold in folding.legal_folds(layer) if fold.cycles(layer) in FEW_CYCLES]
        fold = draw.choice(quick)
        ending = f"-{layer.name}-{fold.simd}x{fold.pe}"
        found += [case for case in cases if case.name.endswith(ending)]
    return found


def passed(network: str, name: str, simulator: str) -> jobs.Figures:
    """The tests of a case of the network in this file, all of which pass."""
    every = fold_cases(artifact.load(files.found(network)))
    case = next(case for case in every if case.name == name)
    return {"tests": case.run(simulator).passed}


def run(arguments: argparse.Namespace) -> None:
    """Run case after case; one that passed with the same network and sources is kept."""
    network = artifact.load(arguments.network)
    cases = list(fold_cases(network))
    name = f"all-folds-{network.spec.name}-{arguments.sim}"
    rests_on = jobs.rests_on(HERE, tops=[TOP], files=[arguments.network])
    how = {"network": files.shown(arguments.network), "simulator": arguments.sim}
    work = [
        Job(case.name, f"{HERE}:passed", {"name": case.name, **how}, rests_on) for case in cases
    ]
    label = f"{network.spec.name}, every fold"
    done = jobs.run(label, work, BUILD / name, workers=arguments.jobs)
    found, seconds = jobs.total(done)
    path = record.record(
        name,
        level=2,
        claim=f"every legal fold of every layer of {network.spec.name} equals the reference",
        command="make verify-every-fold",
        figures={"layers": len(network.spec.layers), "folds": len(cases)} | found,
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
        files=[arguments.network],
    )
    count = f"{len(cases)} folds of {len(network.spec.layers)} layers"
    print(f"{path}: {count}, {found['tests']:,} tests passed")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(
        prog="python -m verify.campaigns.every_fold", description=__doc__
    )
    built.add_argument(
        "--network",
        type=Path,
        default=GOLDEN_IRIS,
        help="the network's file (default: %(default)s)",
    )
    cli.add_sim(built, SIMULATORS)
    cli.add_jobs(built)
    built.set_defaults(sim="icarus")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
