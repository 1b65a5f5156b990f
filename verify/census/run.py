"""Upset every flip-flop of IrisNet in every cycle of a sample, and write down what follows."""

import argparse
from collections import Counter
from collections.abc import Sequence

from common import cli, files, jobs, markdown
from common.errors import CommandError
from common.jobs import Figures, Job
from common.paths import GOLDEN_IRIS, ROOT
from model.spec import TOP
from syn.package import content
from verify import record
from verify.census import cycle, upsets
from verify.census.page import BLOCKS, INTRODUCTION
from verify.census.upsets import OUTCOMES, Core

HERE, CYCLE = "verify.census.run", "verify.census.cycle"
PAGE = "census.md"
RESULTS = upsets.FOLDER / "results"
TOPS = [TOP, content.WATCH]
FILES = [GOLDEN_IRIS, content.WRAPPER]
# Outcomes of samples that are correct.
FINE = ("masked", "late")
LASTING = "wrong until reset"
COLUMNS = ("upsets", *OUTCOMES, LASTING)
FOLLOWS = ("the next sample wrong", "the one after it wrong", "wrong after a reset")
# Bits of the number beside each result, in the half of the census that has one.
INDEX_W = 8
# Outcomes that a number tells, and what the table says of them.
TOLD = ("lost", "more", "frame", "hang")
NOTICED = ("noticed", "the next sample is none of its own", "noticed", "nothing noticed")


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


def unnoticed(words: str) -> bool:
    """Tell if a sample has no result of its own, and the core has not said so."""
    return any(word in TOLD for word in words.split()[1:4])


def numbered(found: Figures) -> str:
    """Return the table of a core whose results are numbered, by what the sample becomes."""
    rows: list[Sequence[object]] = []
    for outcome in OUTCOMES:
        own = {k: n for k, n in found.items() if k.split()[1].rstrip("!") == outcome}
        noticed = sum(n for k, n in own.items() if k.split()[1].endswith("!"))
        follows = Counter[bool]()
        for words, count in own.items():
            follow = words.split()[2]
            if follow.rstrip("!") in TOLD:
                follows[follow.endswith("!")] += count
        silent = sum(n for k, n in own.items() if unnoticed(k))
        figures = (sum(own.values()), noticed, follows.total(), follows[True], silent)
        rows.append((outcome, *(f"{n:,}" for n in figures)))
    return markdown.table(("sample", "upsets", *NOTICED), rows, right=range(1, 6))


def upset(index_w: int, workers: int | None) -> tuple[Core, Figures, float]:
    """Run cycle after cycle of a core; return it, counts, and the seconds of all jobs."""
    shown = files.shown(GOLDEN_IRIS)
    core = cycle.loaded(shown, index_w)
    rests_on = jobs.rests_on(CYCLE, tops=TOPS if index_w else [TOP], files=FILES)
    cycles = upsets.busy(core.network)
    name = f"index-{index_w}-cycle" if index_w else "cycle"
    work = [
        Job(
            f"{name}-{at:03d}",
            f"{CYCLE}:piece",
            {"network": shown, "at": at, "index_w": index_w},
            rests_on,
        )
        for at in range(cycles)
    ]
    label = "cycles, results numbered" if index_w else "cycles"
    found, seconds = jobs.total(jobs.run(label, work, RESULTS, workers=workers))
    if sum(found.values()) != cycles * len(core.names):
        raise CommandError(
            f"upsets must be {cycles * len(core.names):,}, got {sum(found.values())}"
        )
    return core, found, seconds


def run(arguments: argparse.Namespace) -> None:
    """Both halves; a cycle that ran with the same sources and network is kept."""
    core, found, seconds = upset(0, arguments.workers)
    with_index, of_blocks, more = upset(INDEX_W, arguments.workers)
    said = f"{len(core.names):,} flip-flops, {upsets.busy(core.network)} cycles.\n\n"
    said += tables(found, Counter(core.modules)) + BLOCKS
    said += f"{len(with_index.names):,} flip-flops.\n\n" + numbered(of_blocks)
    silent = sum(count for words, count in of_blocks.items() if unnoticed(words))
    files.write_atomically(ROOT / arguments.docs / PAGE, INTRODUCTION + said)
    print(said)
    if silent:
        raise CommandError(f"upsets that a number does not tell must be 0, got {silent}")
    total: dict[str, int | float | str] = dict(zip(COLUMNS, columns(found), strict=True))
    total |= {"of numbered results": sum(of_blocks.values()), "unnoticed there": silent}
    record.record(
        "census",
        level=6,
        claim="what each upset of a flip-flop of IrisNet does, in each cycle of a sample",
        command="make verify-census",
        figures=total,
        seconds=seconds + more,
        modules=[HERE],
        tops=TOPS,
        files=FILES,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog=f"python -m {HERE}", description=__doc__)
    cli.add_docs(built)
    cli.add_workers(built, "cycles")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
