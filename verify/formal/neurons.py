"""Prove every neuron of the networks that ship, for every input, and write it down."""

import argparse
from dataclasses import dataclass

from common import cli, files, jobs, markdown
from common.cli import main
from common.jobs import Done, Job
from common.paths import BUILD, ROOT
from model import artifact
from model.spec import TOP
from model.stages.linear import LayerSpec
from verify import record
from verify.formal import neurons_proof
from verify.formal.neurons_layer import LAYER
from verify.formal.neurons_page import INTRODUCTION
from verify.formal.neurons_proof import ANSWERS, BEHIND, NEURONS, SUMS
from verify.formal.neurons_top import WIRES

HERE, PROOF = "verify.formal.neurons", "verify.formal.neurons_proof"
WIRING = "verify.formal.neurons_top"
PAGE = "neurons.md"
RESULTS = BUILD / "formal" / "neurons" / "results"
COUNTS = (NEURONS, ANSWERS, SUMS, BEHIND)
COLUMNS = ("network", "layer", "inputs", "fold", *COUNTS, "seconds")


@dataclass(frozen=True)
class Subject:
    """A layer of a network that ships."""

    network: str
    index: int
    layer: LayerSpec

    @property
    def job(self) -> Job:
        """Its lemmas, as one job."""
        rests_on = jobs.rests_on(PROOF, tops=[LAYER], files=[neurons_proof.file(self.network)])
        return Job(
            f"{self.network}-{self.layer.name}",
            f"{PROOF}:layer",
            {"name": self.network, "index": self.index},
            {**rests_on, "solver": neurons_proof.solver()},
        )

    def row(self, done: Done) -> tuple[object, ...]:
        """Its row of the page."""
        layer = self.layer
        codes = f"2^{layer.n_in * layer.x.width}"
        counts = [done.result[name] for name in COUNTS]
        return (self.network, layer.name, codes, layer.fold, *counts, f"{done.seconds:.1f}")


def subjects() -> list[Subject]:
    """Every layer of every network that ships."""
    return [
        Subject(name, index, layer)
        for name in neurons_proof.NETWORKS
        for index, layer in enumerate(artifact.load(neurons_proof.file(name)).spec.layers)
    ]


def table(found: list[Subject], done: list[Done]) -> str:
    """One row a layer."""
    rows = [subject.row(result) for subject, result in zip(found, done, strict=True)]
    return markdown.table(COLUMNS, rows, right=range(COLUMNS.index(NEURONS), len(COLUMNS)))


def wiring(name: str) -> Job:
    """The wiring of a network that ships, as a job."""
    rests_on = jobs.rests_on(WIRING, tops=[TOP], files=[neurons_proof.file(name)])
    return Job(f"{name}-wiring", f"{WIRING}:connections", {"name": name}, rests_on)


def wires(done: list[Done]) -> str:
    """One row a network."""
    rows = [
        (name, found.result[WIRES], f"{found.seconds:.1f}")
        for name, found in zip(neurons_proof.NETWORKS, done, strict=True)
    ]
    return markdown.table(("network", WIRES, "seconds"), rows, right=[1, 2])


def run(arguments: argparse.Namespace) -> None:
    """Prove every layer; the first lemma that fails ends the command, and nothing is written."""
    found = subjects()
    work = [subject.job for subject in found]
    wired = [wiring(name) for name in neurons_proof.NETWORKS]
    every = jobs.run("proofs", [*work, *wired], RESULTS, workers=arguments.workers)
    done, connected = every[: len(work)], every[len(work) :]
    figures, seconds = jobs.total(every)
    tables = table(found, done) + "\n" + wires(connected)
    said = (
        f"\n{figures[NEURONS]} neurons of {len(neurons_proof.NETWORKS)} networks are proved, "
        "0 are undecided.\n"
    )
    page = INTRODUCTION + tables + said
    files.write_atomically(ROOT / arguments.docs / PAGE, page)
    print(tables + said)
    record.record(
        "neurons",
        level=8,
        claim="every neuron that ships is the reference's for every input, at its fold",
        command="make verify-neurons",
        figures={**figures, "undecided": 0, **neurons_proof.solver()},
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
        files=[neurons_proof.file(name) for name in neurons_proof.NETWORKS],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.formal.neurons", description=__doc__)
    cli.add_docs(built)
    cli.add_workers(built, "layers")
    return built


if __name__ == "__main__":
    main(run, parser())
