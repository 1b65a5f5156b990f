"""Prove what each module promises, at sizes that a solver can take, and write it down."""

import argparse
from dataclasses import dataclass

from common import cli, files, jobs, markdown
from common.cli import main
from common.jobs import Done, Job
from common.paths import BUILD, ROOT
from common.results import Ingredients
from tb.modules.case import Contract
from tb.modules.registry import CONTRACTS
from verify import cases, record
from verify.formal import load_proofs, properties
from verify.formal.load_proofs import LoadProof
from verify.formal.softmax_proofs import Proof, proofs

HERE = "verify.formal.prove"
PAGE = "formal.md"
RESULTS = BUILD / "formal" / "results"
COLUMNS = ("module", "size", "holds for", "frames", "solver", "seconds")
INTRODUCTION = """# What is proved

`make verify-formal` writes this page.
A solver looks for any run, its first cycle a reset, in which a
module breaks a promise. Inputs, stalls on both sides and later resets are free in every cycle, and
registers begin at any value. *For all time* is no bound: ABC's property-directed reachability
finds an invariant. Where a module is too large for that, every run of so many cycles is covered.
A proof speaks of the sizes in its row; of requantization and ReLU that is every input of widths in
use.

Each module with streams keeps the contract of `verify/formal/stream_contract.v`:

* `stable_while_stalled`: what is offered stays as it is until it is taken;
* `nothing_is_invented`: no beat is given that is not owed;
* `each_result_in_order`: each vector's result is what its formula says, beat by beat, in its turn;
* `nothing_is_lost`: a beat that is owed is offered within latency and interval;
* `nobody_waits_forever`: so is a place for a beat, while nobody stalls the output;
* `no_more_than_fits`: reset or not, the module never owes more than it can hold.

A module of `mlp_learn_top` has promises of its own, in its file of `verify/formal/`:

* `mlp_learn_lane`, `mlp_learn_update`, `mlp_learn_dither`, `mlp_learn_mask`, `mlp_learn_rate`: the
  formula, from any state; a master never leaves its range;
* `mlp_lfsr`: the polynomial, and never 0;
* `mlp_learn_order`: whatever word is drawn, each sample comes once in an epoch of up to 4;
* `mlp_learn_sequence`: no word of masters is read while its write is under way, no operand before
  it is there;
* `mlp_learn_control`: one thing at a time, none before the last write of a sample, no network after
  a load of the wrong length, 16 steps before an order, a save that waits unchanged.

`mlp_learn_input` and `mlp_learn_error` keep the contract; taylor2's products are too large for a
solver, and left to the bench.

`mlp_load`, with two memories that it fills, keeps the promises of
`verify/formal/load_properties.v` whatever frames, vectors and resets come: no word that answers is
ever written; what answers is one whole frame; banks turn after a frame of the right length and
checksum alone, once, and between vectors; every other frame is refused; beats are held back only
while a right frame waits, and for no longer than the layers take.

ReLU is gates only: its stream passes through and each value is max(x, 0). `mlp_softmax` as a
whole keeps the promises of `verify/formal/softmax_bytes_properties.v`: the sum is 255, the winner
is the first of the largest score, none is above it and no smaller score equal to it; a result waits
unchanged while stalled, and none comes without its logits.

"""


@dataclass(frozen=True)
class Proved:
    """A proof that has gone through."""

    module: str
    size: str
    extent: str
    frames: int
    solver: str
    seconds: float


def every() -> dict[str, Contract | LoadProof | Proof]:
    """Every contract, and every proof of weights that load and of a whole softmax, by name."""
    found: list[Contract | LoadProof | Proof] = [*CONTRACTS, *load_proofs.proofs(), *proofs()]
    return {proof.name: proof for proof in found}


def prove(name: str) -> int:
    """Prove the one of this name; return the frames that were looked at, or raise `ProofError`."""
    proof = every()[name]
    return properties.prove(proof) if isinstance(proof, Contract) else proof.prove()


def proved(proof: Contract | LoadProof | Proof, done: Done) -> Proved:
    """A row of the page."""
    if isinstance(proof, Contract):
        extent, solver = properties.extent(proof), properties.solver(proof)
    else:
        extent, solver = proof.extent, proof.solver
    return Proved(proof.module, proof.size, extent, done.result, solver, done.seconds)


def table(found: list[Proved]) -> str:
    """One row a proof."""
    rows = [
        (f"`{p.module}`", p.size, p.extent, p.frames, p.solver, f"{p.seconds:.1f}") for p in found
    ]
    return markdown.table(COLUMNS, rows, right=[COLUMNS.index("frames"), COLUMNS.index("seconds")])


def rests_on(proof: Contract | LoadProof | Proof) -> dict[str, Ingredients]:
    """Ingredients of a proof: its family, and the RTL of all modules that it reads."""
    found = cases.rests_on([HERE], proof.module)
    if isinstance(proof, LoadProof):
        for kind, of_memory in cases.rests_on([HERE], proof.memory).items():
            found[kind] = {**found[kind], **of_memory}
    return found


def run(arguments: argparse.Namespace) -> None:
    """Run every proof; the first that fails ends the command."""
    work = [
        Job(name, f"{HERE}:prove", {"name": name}, rests_on(proof))
        for name, proof in every().items()
    ]
    done = jobs.run("proofs", work, RESULTS, workers=arguments.workers)
    found = [proved(proof, d) for proof, d in zip(every().values(), done, strict=True)]
    files.write_atomically(ROOT / arguments.docs / PAGE, INTRODUCTION + table(found))
    print(table(found))
    for_all_time = sum(proof.extent == "for all time" for proof in found)
    print(f"{len(found)} proofs, {for_all_time} of them for all time")
    record.record(
        "formal",
        level=8,
        claim="each module with streams keeps its contract and its formula",
        command="make verify-formal",
        figures={"proofs": len(found), "for all time": for_all_time, "refuted": 0},
        seconds=sum(proof.seconds for proof in found),
        modules=[HERE],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.formal.prove", description=__doc__)
    cli.add_docs(built)
    cli.add_workers(built, "proofs")
    return built


if __name__ == "__main__":
    main(run, parser())
