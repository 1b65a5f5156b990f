"""All int8 logit triples through the RTL of the softmax, in a C++ harness."""

import argparse
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from common import cli, files, jobs, markdown
from common.errors import SimulationError
from common.jobs import Job
from common.paths import BUILD, GOLDEN_IRIS, RTL
from model import artifact, images
from model.format import Format
from model.stages.softmax import DIVIDERS, EXP_IMAGE, SCORES, SoftmaxSpec
from tb.modules.softmax import softmax_parameters
from tb.sim.verilator_cpp import build_harness
from verify import record

HERE, TOP = "verify.campaigns.exhaustive", "mlp_softmax"
ALL_TRIPLES = 1 << 24
HARNESS = Path(__file__).with_name("softmax_exhaustive.cpp")
BINS_PER_LSB = 16


class ExhaustiveError(SimulationError):
    """A promise that the softmax breaks; the message is the logits, what they became, and which."""


@dataclass(frozen=True)
class Case:
    """A softmax of three int8 logits, fully unrolled: a vector in each cycle."""

    score: str
    divider: str
    frac: int

    @property
    def name(self) -> str:
        """``exp-reciprocal-frac4``."""
        return f"{self.score}-{self.divider}-frac{self.frac}"

    @property
    def spec(self) -> SoftmaxSpec:
        """The spec from which the widths follow."""
        return SoftmaxSpec(3, Format(8, self.frac), self.score, self.divider, lanes=3)

    def build(self, rtl: Path = RTL) -> Path:
        """The executable; its folder is named by the sha256 of all that went into it."""
        parameters = softmax_parameters(self.spec, self.tables)
        return build_harness(TOP, parameters, HARNESS, rtl=rtl)

    @property
    def tables(self) -> Path:
        """Folder of the ROM images."""
        return BUILD / "exhaustive" / self.name

    def run(
        self,
        vectors: int = ALL_TRIPLES,
        *,
        seed: int = 1,
        rtl: Path = RTL,
    ) -> dict[str, Any]:
        """Check ``vectors`` triples: all of them in order, or so many at random.

        Returns vectors checked, cycles, losers that are 1 LSB below the exact quotient, and the
        errors against the real softmax: their range in LSB, and their counts in bins of 1/16 LSB.
        Raises `ExhaustiveError` at the first promise that does not hold.
        """
        images.write_softmax_images(self.spec, self.tables)
        count = 0 if vectors == ALL_TRIPLES else vectors
        table = self.tables / EXP_IMAGE
        words = [self.build(rtl), self.score, self.divider, self.frac, table, count, seed]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if not line.startswith("progress ")]
        if done.returncode or len(lines) != 1:
            complaint = done.stderr.strip() or f"status {done.returncode}"
            raise ExhaustiveError(f"{self.name}: {complaint}")
        result: dict[str, Any] = json.loads(lines[0])
        if result["checked"] != vectors:
            raise ExhaustiveError(f"{self.name}: {result['checked']} of {vectors} were checked")
        return result


FRAC = 4


PAGE, PICTURE, BLOCK = "softmax.md", "softmax-exhaustive.png", "exhaustive"


# Errors are drawn in steps of 1 LSB for the polynomial, whose largest are about 250.
COARSE = {"taylor2": BINS_PER_LSB, "exp": 1}


INTRODUCTION = f"""`make verify-exhaustive` writes this part. It streams all {ALL_TRIPLES:,} triples
of int8 logits through the RTL of `mlp_softmax`, fully unrolled, one a cycle, and stops at the first
that breaks a promise:

* the sum is 255, and no probability is negative;
* the winner is the largest score, the lowest index on a tie, and no smaller score ties it;
* `restoring` gives each loser exactly floor(255 n / S), `reciprocal` at most 1 below that.

The expected bytes are computed in C++, independently of the reference in Python. Errors are against
the real softmax of the same logits, in LSB of 1/255. Rounding down alone takes up to 1 from each
loser and gives it to the winner; `reciprocal` may take more. `taylor2` approximates no exponential
that far from zero: a network has to be trained through it.

"""


COLUMNS = (
    *("logit frac", "score", "divider", "vectors checked", "cycles"),
    *("losers 1 below exact", "losers' error", "winner's error"),
)


def cases() -> list[Case]:
    """Each score with each divider, at frac 4 and at the shipped network's logits."""
    shipped = artifact.load(GOLDEN_IRIS).spec.softmax.x.frac
    return [
        Case(score, divider, frac)
        for frac in dict.fromkeys((FRAC, shipped))
        for score in SCORES
        for divider in DIVIDERS
    ]


def result(score: str, divider: str, frac: int) -> dict[str, Any]:
    """The result of a case, by what tells it from the others."""
    return Case(score, divider, frac).run()


def results_of(every: Sequence[Case], workers: int | None) -> dict[Case, jobs.Done]:
    """The result of each case: read where it was run with the same sources, else run."""
    rests_on = jobs.rests_on(HERE, tops=[TOP])
    work = [Job(case.name, f"{HERE}:result", asdict(case), rests_on) for case in every]
    done = jobs.run("all triples", work, BUILD / "exhaustive" / "results", workers=workers)
    return dict(zip(every, done, strict=True))


def table(results: dict[Case, dict[str, Any]]) -> str:
    """One row a case."""
    rows = []
    for case, result in results.items():
        errors = [result["losers"], result["winners"]]
        rows.append(
            (
                *(str(case.frac), f"`{case.score}`", f"`{case.divider}`"),
                *(f"{result['checked']:,}", f"{result['cycles']:,}"),
                f"{result['losers_below']:,}",
                *(f"{error['least']:+.4f} .. {error['most']:+.4f}" for error in errors),
            )
        )
    return markdown.table(COLUMNS, rows)


def draw(results: dict[Case, dict[str, Any]], path: Path) -> None:
    """Histograms of the errors: a panel a case, the losers' and the winners'."""
    fracs = list(dict.fromkeys(case.frac for case in results))
    columns = len(results) // len(fracs)
    figure = Figure(figsize=(3.4 * columns, 2.8 * len(fracs)), layout="constrained")
    panels = figure.subplots(len(fracs), columns, squeeze=False, sharey=True)
    for panel, (case, result) in zip(panels.flat, results.items(), strict=True):
        step = COARSE[case.score]
        for role in ("losers", "winners"):
            counts: dict[int, int] = {}
            for index, count in result[role]["counts"].items():
                coarse = int(index) // step
                counts[coarse] = counts.get(coarse, 0) + count
            low, high = min(counts), max(counts)
            edges = [edge * step / BINS_PER_LSB for edge in range(low, high + 2)]
            heights = [counts.get(edge, 0) for edge in range(low, high + 1)]
            panel.stairs(heights, edges, label=role)
        panel.set(title=f"{case.score}, {case.divider}, frac {case.frac}", yscale="log")
        panel.set_ylim(0.7, 4 * ALL_TRIPLES)
        panel.set_xlabel("error in LSB")
        panel.grid(alpha=0.3)
    panels[0, 0].legend()
    for row in panels:
        row[0].set_ylabel("values per bin")
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def run(arguments: argparse.Namespace) -> None:
    """Run what has no result yet, then write page and picture."""
    every = cases()
    done = results_of(every, arguments.jobs)
    results = {case: found.result for case, found in done.items()}
    docs = arguments.docs
    draw(results, docs / PICTURE)
    picture = f"\n![Histograms of the errors against the real softmax]({PICTURE})\n"
    markdown.fill(docs / PAGE, {BLOCK: INTRODUCTION + table(results) + picture})
    print(table(results))
    seconds = sum(found.seconds for found in done.values())
    record.record(
        "softmax",
        level=5,
        claim="the softmax keeps its promises on every int8 triple",
        command="make verify-exhaustive",
        figures={
            "softmaxes": len(every),
            "triples": sum(result["checked"] for result in results.values()),
            "promises broken": 0,
        },
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
    )
    print(f"{docs / PAGE}: {len(every)} times {ALL_TRIPLES:,} triples in {seconds:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(
        prog="python -m verify.campaigns.exhaustive", description=__doc__
    )
    cli.add_docs(built, "docs")
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
