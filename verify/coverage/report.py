"""Count what the regression covers of the RTL: lines, branches, toggles, and situations."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from common import cli, errors, jobs, sources, tables
from common.files import write_atomically
from common.jobs import Done
from common.paths import ROOT, RTL
from tb.benches import functional
from verify import record
from verify.coverage import pages
from verify.coverage import points as coverage
from verify.coverage.points import (
    Collected,
    Exclusion,
    Point,
    merged,
    of_checks,
    read_exclusions,
)
from verify.coverage.runs import FOLDER, Run, runs

HERE = "verify.coverage.report"
EXCLUSIONS = Path(__file__).with_name("exclusions.toml")
PAGE = ROOT / "docs/results/coverage.md"

# Percent that each kind must reach at least, of the points that are not excused.
REVIEWED = {"line": 100.0, "branch": 100.0, "toggle": 98.0, "expr": 100.0}
MOST_NAMED = 3


def texts_of(rtl: Path = RTL) -> dict[str, list[str]]:
    """The lines of each module."""
    return {path.stem: path.read_text().splitlines() for path in sources.verilog(rtl)}


def collect(
    work: Sequence[Run], done: Sequence[Done], exclusions: Sequence[Exclusion]
) -> Collected:
    """Merge what the runs of ``work`` have covered, as they gave it in ``done``."""
    lines = texts_of()
    found = [
        (run, Counter({Point(*point): count for *point, count in result.result["points"]}))
        for run, result in zip(work, done, strict=True)
    ]
    counts = merged(
        of_checks(counts, lines) if run.checks_alone else counts for run, counts in found
    )
    given = (result.result["situations"] for result in done)
    situations = functional.merged(seen for seen in given if seen is not None)
    excuses = coverage.excused(counts, exclusions, lines)
    return Collected(len(done), counts, excuses, situations, lines)


def complaints(found: Collected) -> list[str]:
    """Reasons that keep the figures from their aims, a sentence each."""
    sentences = []
    for kind, figure in found.figures.items():
        if not figure.points or figure.reviewed < REVIEWED[kind]:
            named = [p for p in found.missing if p.kind == kind][:MOST_NAMED]
            places = "; ".join(f"{p.module}.v:{p.line} {p.what}" for p in named)
            sentences.append(
                f"{kind}: {figure.covered} of {figure.points - figure.excused} points are covered, "
                f"the aim is {REVIEWED[kind]:g} %; missing are {places or 'all'}"
            )
    if found.missing_situations:
        named_bins = "; ".join(found.missing_situations[:MOST_NAMED])
        sentences.append(f"{len(found.missing_situations)} situations never came: {named_bins}")
    return sentences


def table(found: Collected) -> Table:
    """The figures as a person reads them."""
    rows = Table("kind", "points", "covered", "raw", "excused", "reviewed", title="Coverage")
    for kind, figure in found.figures.items():
        numbers = (figure.points, figure.covered, figure.excused)
        points, covered, excused = (f"{number:,}" for number in numbers)
        raw, reviewed = (f"{percent:.2f} %" for percent in (figure.raw, figure.reviewed))
        rows.add_row(kind, points, covered, raw, excused, reviewed)
    bins = sum(map(len, found.situations.values()))
    hit = bins - len(found.missing_situations)
    percent = f"{100 * hit / bins:.2f} %"
    rows.add_row("situations", f"{bins:,}", f"{hit:,}", percent, "0", percent)
    return rows


def run(arguments: argparse.Namespace) -> None:
    """Run, merge, judge, and write pages; raises `CommandError` where an aim is not reached."""
    work = list(runs().values())
    todo = [run.job for run in work]
    done = jobs.run("coverage", todo, FOLDER / "covered", workers=arguments.jobs)
    found = collect(work, done, read_exclusions(EXCLUSIONS))
    html = FOLDER / "index.html"
    write_atomically(html, pages.html(found))
    tables.show(table(found))
    print(html.relative_to(ROOT))
    sentences = complaints(found)
    if sentences:
        raise errors.CommandError("; ".join(sentences))
    write_atomically(PAGE, pages.markdown(found, REVIEWED))
    figures = {
        f"{kind}, {which} %": round(getattr(figure, which), 2)
        for kind, figure in found.figures.items()
        for which in ("raw", "reviewed")
    }
    record.record(
        "coverage",
        level=3,
        claim="every line and branch is run, every situation has come",
        command="make verify-coverage",
        figures={
            "runs": found.runs,
            **figures,
            "situations hit": sum(map(len, found.situations.values())),
            "situations missing": 0,
        },
        seconds=sum(result.seconds for result in done),
        seed=1,
        modules=[HERE],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.coverage.report", description=__doc__)
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
