"""Feed the readers of files with damaged ones: each is refused in a sentence, or rightly taken."""

import argparse
import dataclasses
import functools
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from common import cli, errors, sources, tables
from common.errors import MOST_CHARACTERS, VerbatimError
from common.files import write_atomically
from common.paths import BUILD
from verify import record
from verify.fuzz import checkpoint, network
from verify.fuzz import targets as fuzz_targets
from verify.fuzz.targets import Target

SEED = 1
BLOCK = 1000
INPUTS = {
    "network": 50_000,
    "recipe": 30_000,
    "table": 20_000,
    "arrays": 10_000,
    "image": 20_000,
    "checkpoint": 5_000,
}
FOLDER = BUILD / "fuzz"

REFUSED, TAKEN = "refused", "rightly taken"


@dataclass(frozen=True)
class Finding:
    """An input on which a reader did what it must not; ``index`` makes it again."""

    target: str
    index: int
    complaint: str


def judge(target: Target, data: bytes, path: Path) -> str:
    """`REFUSED`, `TAKEN`, or what the reader did wrong with ``data``; written to ``path``."""
    path.write_bytes(data)
    try:
        loaded = target.read(path)
    except VerbatimError as error:
        sentence = str(error)
        if len(sentence.splitlines()) != 1 or len(sentence) > MOST_CHARACTERS:
            return f"its sentence is none: {sentence[:300]!r}"
        return REFUSED
    except Exception as error:
        return f"raised {type(error).__name__}: {str(error)[:200]}"
    try:
        complaint = target.wrong(data, loaded)
    except Exception as error:
        complaint = f"{type(error).__name__} when it was looked at: {str(error)[:200]}"
    return TAKEN if complaint is None else f"was taken, though {complaint}"


def made(target: Target, index: int, seed: int = SEED) -> bytes:
    """Input number ``index`` of a target."""
    return target.make(random.Random(f"{seed} {target.name} {index}"))


def fuzz(target: Target, indices: range, seed: int = SEED) -> tuple[Counter[str], list[Finding]]:
    """How often each verdict fell, and every finding."""
    verdicts: Counter[str] = Counter()
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{target.suffix}"
        for index in indices:
            verdict = judge(target, made(target, index, seed), path)
            if verdict in (REFUSED, TAKEN):
                verdicts[verdict] += 1
            else:
                findings.append(Finding(target.name, index, verdict))
    return verdicts, findings


@functools.cache
def targets() -> dict[str, Target]:
    """Every reader that is fed, by its name."""
    own = {target.name: target for target in (network.target(), checkpoint.target())}
    return fuzz_targets.targets() | own


def sources_sha256() -> str:
    """Digest of readers and fuzzer: what was found by others does not count."""
    return sources.digest(sources.matching("common/*.py", "model/**/*.py", "verify/fuzz/*.py"))


def block(key: str, name: str, start: int, stop: int) -> dict[str, Any]:
    """Inputs ``start .. stop`` of a target, judged now or, from sources of this ``key``, before."""
    path = FOLDER / name / f"{start}-{stop}.json"
    if path.exists() and (stored := json.loads(path.read_text()))["key"] == key:
        return dict(stored)
    begun = time.perf_counter()
    verdicts, findings = fuzz(targets()[name], range(start, stop))
    found = [dataclasses.asdict(finding) for finding in findings]
    seconds = time.perf_counter() - begun
    result = {"key": key, "verdicts": verdicts, "findings": found, "seconds": seconds}
    write_atomically(path, json.dumps(result) + "\n")
    return result


def blocks(scale: float) -> Iterator[tuple[str, int, int]]:
    """The work, in pieces that an interrupted campaign takes up again."""
    for name, count in INPUTS.items():
        most = round(count * scale)
        yield from ((name, at, min(at + BLOCK, most)) for at in range(0, most, BLOCK))


def run(arguments: argparse.Namespace) -> None:
    """Judge every input, print the verdicts; raise `CommandError` at a finding."""
    judged = functools.partial(block, sources_sha256())
    work, seconds = list(blocks(arguments.scale)), 0.0
    totals: dict[str, Counter[str]] = {name: Counter() for name in INPUTS}
    findings: list[dict[str, Any]] = []
    stderr = Console(stderr=True)
    with (
        ProcessPoolExecutor(arguments.jobs) as workers,
        Progress(console=stderr, disable=not stderr.is_terminal) as bar,
    ):
        task = bar.add_task("damaged files", total=len(work))
        for (name, *_), result in zip(
            work, workers.map(judged, *zip(*work, strict=True)), strict=True
        ):
            totals[name].update(result["verdicts"])
            findings += result["findings"]
            seconds += result["seconds"]
            bar.advance(task)
    table = Table("reader", REFUSED, TAKEN, "findings", title="Damaged files")
    for name, verdicts in totals.items():
        wrong = sum(finding["target"] == name for finding in findings)
        table.add_row(name, *(f"{verdicts[key]:,}" for key in (REFUSED, TAKEN)), str(wrong))
    tables.show(table)
    if findings:
        first = Finding(**findings[0])
        path = FOLDER / f"{first.target}-{first.index}"
        path.write_bytes(made(targets()[first.target], first.index))
        raise errors.CommandError(
            f"{len(findings)} findings, the first of {first.target}, input {first.index}, kept as "
            f"{path}: {first.complaint}"
        )
    figures = {f"inputs of {name}": verdicts.total() for name, verdicts in totals.items()}
    record.record(
        "fuzz",
        level=1,
        claim="a damaged file is refused in one sentence, or says exactly what was read from it",
        command="make verify-fuzz",
        figures=figures | {"inputs": sum(figures.values()), "findings": 0},
        seconds=seconds,
        seed=SEED,
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.fuzz.run", description=__doc__)
    built.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    built.add_argument(
        "--scale", type=float, default=1.0, help="part of the campaign (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
