"""Upset every flip-flop of IrisNet in every cycle of a sample, and write down what follows."""

import argparse
from collections import Counter
from collections.abc import Sequence

from common import cli, files, jobs, markdown
from common.errors import CommandError
from common.jobs import Figures, Job
from common.paths import GOLDEN_IRIS, ROOT
from model.spec import TOP
from verify import record
from verify.census import cycle, upsets
from verify.census.page import INTRODUCTION
from verify.census.upsets import OUTCOMES

HERE, CYCLE = "verify.census.run", "verify.census.cycle"
PAGE = "census.md"
RESULTS = upsets.FOLDER / "results"
# Outcomes of samples that are correct.
FINE = ("masked", "late")
LASTING = "wrong until reset"
COLUMNS = ("upsets", *OUTCOMES, LASTING)
FOLLOWS = ("the next sample wrong", "the one after it wrong", "wrong after a reset")


def columns(found: Figures) -> list[int]:
    """Return the figures of a row of the table by module."""
    first = Counter[str]()
    lasting = 0
    for words, count in found.items():
        _, outcome, _, third, _ = words.split()
        first[outcome] += count
        lasting += count * (third not in FINE)
    return [first.total(), *(first[outcome] for outcome in OUTCOMES), lasting]


def tables(found: Figures, registers: Counter[str]) -> str:
    """Return the page's tables: by what the sample becomes, then by module."""
    rows: list[Sequence[object]] = []
    total = sum(found.values())
    for outcome in OUTCOMES:
        chosen = {tuple(k.split()[2:]): 0 for k in found if k.split()[1] == outcome}
        for words, count in found.items():
            _, first, *later = words.split()
            if first == outcome:
                chosen[tuple(later)] += count
        count = sum(chosen.values())
        wrong = [sum(n for later, n in chosen.items() if later[k] not in FINE) for k in range(3)]
        share = f"{100 * count / total:.3f} %"
        rows.append((outcome, f"{count:,}", share, *(f"{n:,}" for n in wrong)))
    first_table = markdown.table(("sample", "upsets", "share", *FOLLOWS), rows, right=range(1, 6))
    rows = []
    for module in sorted(registers, key=lambda name: -registers[name]):
        own = {words: n for words, n in found.items() if words.split()[0] == module}
        rows.append((f"`{module}`", registers[module], *(f"{n:,}" for n in columns(own))))
    rows.append(("all", registers.total(), *(f"{n:,}" for n in columns(found))))
    names = ("module", "flip-flops", *COLUMNS)
    return first_table + "\n" + markdown.table(names, rows, right=range(1, len(names)))


def run(arguments: argparse.Namespace) -> None:
    """Run cycle after cycle; one that ran with the same sources and network is kept."""
    shown = files.shown(GOLDEN_IRIS)
    core = cycle.loaded(shown)
    rests_on = jobs.rests_on(CYCLE, tops=[TOP], files=[GOLDEN_IRIS])
    cycles = upsets.busy(core.network)
    work = [
        Job(f"cycle-{at:03d}", f"{CYCLE}:piece", {"network": shown, "at": at}, rests_on)
        for at in range(cycles)
    ]
    found, seconds = jobs.total(jobs.run("cycles", work, RESULTS, workers=arguments.workers))
    if sum(found.values()) != cycles * len(core.names):
        raise CommandError(
            f"upsets must be {cycles * len(core.names):,}, got {sum(found.values())}"
        )
    said = tables(found, Counter(core.modules))
    facts = f"{len(core.names):,} flip-flops, {cycles} cycles.\n\n"
    files.write_atomically(ROOT / arguments.docs / PAGE, INTRODUCTION + facts + said)
    print(said)
    total = dict(zip(COLUMNS, columns(found), strict=True))
    record.record(
        "census",
        level=6,
        claim="what each upset of a flip-flop of IrisNet does, in each cycle of a sample",
        command="make verify-census",
        figures=total,
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
        files=[GOLDEN_IRIS],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    cli.add_docs(built)
    cli.add_workers(built, "cycles")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
