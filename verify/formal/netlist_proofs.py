"""Prove that a netlist of IrisNet is its RTL, for every state and input, and write it down."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import cli, files, jobs, markdown
from common.jobs import Done, Job
from common.paths import BUILD, GOLDEN_IRIS, ROOT, RTL
from model import artifact
from model.artifact import Network
from model.spec import TOP
from syn import synthesis, utilization
from syn.folds import refolded
from syn.targets import target
from verify import record
from verify.formal import netlist_cells
from verify.formal.netlist_design import read
from verify.formal.netlist_equal import Equality, by_module
from verify.formal.netlist_page import INTRODUCTION

HERE = "verify.formal.netlist_proofs"
PAGE = "netlists.md"
FOLDER = BUILD / "formal" / "netlists"
RESULTS = FOLDER / "results"
# A device of each family and the fold at which IrisNet is proved on it, its products in DSPs. With
# products in LUTs functions are left that ABC does not decide in minutes.
SUBJECTS = {"ecp5": ("85k", "default"), "ice40": ("up5k", "1x1,2x1,2x1,1x1")}
MUTANTS, SEED = 20, 1
COLUMNS = ("module", *SUBJECTS)
COUNTS = ("functions", "registers absent", "functions that may be open", "products cut")
VERDICTS = ("refuted", "equal", "undecided")

Facts = dict[str, Any]


@dataclass(frozen=True)
class Folders:
    """The places of one proof."""

    rtl: Path
    netlist: Path
    proof: Path

    @classmethod
    def below(cls, folder: Path) -> "Folders":
        """Return places in a folder, made where they are not there."""
        found = cls(*(folder / name for name in ("rtl", "netlist", "proof")))
        for path in (found.rtl, found.netlist, found.proof):
            path.mkdir(parents=True, exist_ok=True)
        return found


def equality(network: Network, family: str, device: str, folder: Path, rtl: Path = RTL) -> Equality:
    """The netlist that is placed, beside the RTL, which may be another than it was made of.

    Raises `ProofError` where one of their signals has no counterpart.
    """
    design = utilization.design(network)
    chosen = target(family)
    made = synthesis.synthesize(design, chosen, chosen.device(device))
    places = Folders.below(folder)
    assert design.images is not None
    ours = netlist_cells.rtl(TOP, design.parameters, design.images, places.rtl, rtl)
    theirs = netlist_cells.netlist(TOP, made.folder / "top.json", family, places.netlist)
    return Equality(read(ours, TOP), read(theirs, TOP))


def prove(network: str, family: str) -> Facts:
    """Prove a netlist of a network's file, and flip bits of its LUTs: what was found, as JSON.

    Raises `ProofError` where a function is refuted.
    """
    folder = FOLDER / family
    device, fold = SUBJECTS[family]
    folded = refolded(artifact.load(files.found(network)), fold)
    found = equality(folded, family, device, folder)
    undecided = found.prove(folder / "proof")
    mutants = found.mutants(MUTANTS, SEED, folder / "proof")
    scopes = instances(folder / "rtl" / netlist_cells.LOWERED)
    return {
        "modules": by_module([pair.name for pair in found.pairs], scopes, TOP),
        "undecided": [f"{name}[{index}]" for name, index in undecided],
        "mutants": {verdict: mutants[verdict] for verdict in VERDICTS},
        **dict(zip(COUNTS, counts(found), strict=True)),
    }


def counts(found: Equality) -> tuple[int, ...]:
    """Figures of a proof, in the order of their names."""
    return len(found.pairs), len(found.absent), found.open, found.products


def instances(path: Path) -> dict[str, str]:
    """Module of each instance of a flattened design, by the instance's place."""
    cells = json.loads(path.read_text())["modules"][TOP]["cells"]
    return {
        name: cell["attributes"]["module_hdlname"]
        for name, cell in cells.items()
        if cell["type"] == "$scopeinfo"
    }


def table(found: Mapping[str, Facts]) -> str:
    """A row a module, then rows of figures, then the mutants."""
    modules = sorted({name for facts in found.values() for name in facts["modules"]})
    rows: list[Sequence[object]] = [
        (f"`{name}`", *(f"{facts['modules'].get(name, 0):,}" for facts in found.values()))
        for name in modules
    ]
    rows += [(f"all {COUNTS[0]}", *(f"{facts[COUNTS[0]]:,}" for facts in found.values()))]
    rows += [(name, *(f"{facts[name]:,}" for facts in found.values())) for name in COUNTS[1:]]
    rows += [("undecided", *(len(facts["undecided"]) for facts in found.values()))]
    rows += [
        (f"mutants {verdict}", *(facts["mutants"][verdict] for facts in found.values()))
        for verdict in VERDICTS
    ]
    return markdown.table(COLUMNS, rows, right=range(1, len(COLUMNS)))


def remarks(found: Mapping[str, Facts]) -> str:
    """The functions that are undecided, by name, or that there is none."""
    names = [
        f"{family}: `{name}`" for family, facts in found.items() for name in facts["undecided"]
    ]
    return (
        "\n".join(["\nUndecided, and simulated only:\n", *(f"* {name}" for name in names), ""])
        if names
        else "\nNo function is undecided.\n"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prove each netlist; a function that is refuted ends the command, and nothing is written."""
    rests_on = jobs.rests_on(HERE, tops=[TOP], files=[GOLDEN_IRIS])
    work = [
        Job(
            family,
            f"{HERE}:prove",
            {"network": files.shown(GOLDEN_IRIS), "family": family},
            rests_on,
        )
        for family in SUBJECTS
    ]
    done: list[Done] = jobs.run("netlists", work, RESULTS, workers=arguments.workers)
    found = {job.name: one.result for job, one in zip(work, done, strict=True)}
    said = table(found) + remarks(found)
    files.write_atomically(ROOT / arguments.docs / PAGE, INTRODUCTION + said)
    print(said)
    record.record(
        "netlist-proofs",
        level=8,
        claim="in every state, for every input, IrisNet's netlists do what its RTL does",
        command="make verify-netlist-proofs",
        figures={
            "functions": sum(facts[COUNTS[0]] for facts in found.values()),
            "refuted": 0,
            "undecided": sum(len(facts["undecided"]) for facts in found.values()),
            **{
                f"mutants {verdict}": sum(facts["mutants"][verdict] for facts in found.values())
                for verdict in VERDICTS
            },
        },
        seconds=sum(one.seconds for one in done),
        modules=[HERE],
        tops=[TOP],
        files=[GOLDEN_IRIS],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    cli.add_docs(built)
    cli.add_workers(built, "netlists")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
