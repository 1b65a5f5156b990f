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
from verify.formal.neurons_opinion import GATES, OPINIONS, PAIRS
from verify.formal.neurons_page import INTRODUCTION
from verify.formal.neurons_proof import ANSWERS, BEHIND, NEURONS, SUMS
from verify.formal.neurons_top import WIRES

HERE, PROOF = "verify.formal.neurons", "verify.formal.neurons_proof"
WIRING, OPINION = "verify.formal.neurons_top", "verify.formal.neurons_opinion"
PAGE = "neurons.md"
RESULTS = BUILD / "formal" / "neurons" / "results"
COUNTS = (NEURONS, ANSWERS, SUMS, BEHIND)
# Layers whose neurons are asked of ABC too: the first and the last of IrisNet.
ASKED_AGAIN = (("iris", 0), ("iris", 3))
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


def again(name: str, index: int) -> Job:
    """The second opinion on a layer, as a job."""
    rests_on = jobs.rests_on(OPINION, tops=[LAYER], files=[neurons_proof.file(name)])
    return Job(
        f"{name}-{index}-opinion", f"{OPINION}:layer", {"name": name, "index": index}, rests_on
    )


def opinions(done: list[Done]) -> str:
    """One row a layer that ABC was asked of."""
    rows = []
    for (name, index), found in zip(ASKED_AGAIN, done, strict=True):
        layer = artifact.load(neurons_proof.file(name)).spec.layers[index]
        counts = [f"{found.result[count]:,}" for count in (OPINIONS, PAIRS, GATES)]
        rows.append((name, layer.name, layer.n_out, *counts, f"{found.seconds:.1f}"))
    columns = ("asked of ABC", "layer", NEURONS, OPINIONS, PAIRS, GATES, "seconds")
    return markdown.table(columns, rows, right=range(2, len(columns)))


def asked_again() -> int:
    """The number of neurons that ABC is asked of."""
    return sum(s.layer.n_out for s in subjects() if (s.network, s.index) in ASKED_AGAIN)


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
    asked = [again(*layer) for layer in ASKED_AGAIN]
    every = jobs.run("proofs", [*work, *wired, *asked], RESULTS, workers=arguments.workers)
    ends = len(work), len(work) + len(wired)
    done, connected, second = every[: ends[0]], every[ends[0] : ends[1]], every[ends[1] :]
    figures, _ = jobs.total([*done, *connected])
    seconds = sum(one.seconds for one in every)
    tables = "\n".join([table(found, done), wires(connected), opinions(second)])
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
        figures={
            **figures,
            "undecided": 0,
            "neurons that ABC proves too": asked_again(),
            **neurons_proof.solver(),
        },
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
