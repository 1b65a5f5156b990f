"""Feed the readers of files with damaged ones: each is refused in a sentence, or rightly taken."""

import argparse
import dataclasses
import functools
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from common import cli, errors, jobs, tables
from common.errors import MOST_CHARACTERS, VerbatimError
from common.jobs import Job
from common.paths import BUILD
from verify import record
from verify.fuzz import checkpoint, learning, network
from verify.fuzz import targets as fuzz_targets
from verify.fuzz.targets import Target

HERE = "verify.fuzz.run"
SEED = 1
BLOCK = 1000
INPUTS = {
    "network": 50_000,
    "recipe": 30_000,
    "table": 20_000,
    "arrays": 10_000,
    "image": 20_000,
    "checkpoint": 5_000,
    "learning": 20_000,
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
    """Count of each verdict, and every finding."""
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
    own = (network.target(), checkpoint.target(), learning.target())
    return fuzz_targets.targets() | {target.name: target for target in own}


def block(name: str, start: int, stop: int) -> dict[str, Any]:
    """Verdicts and findings of the inputs ``start .. stop`` of a target."""
    verdicts, findings = fuzz(targets()[name], range(start, stop))
    found = [dataclasses.asdict(finding) for finding in findings]
    return {"verdicts": verdicts, "findings": found}


def blocks(scale: float) -> Iterator[tuple[str, int, int]]:
    """The work, in pieces that an interrupted campaign takes up again."""
    for name, count in INPUTS.items():
        most = round(count * scale)
        yield from ((name, at, min(at + BLOCK, most)) for at in range(0, most, BLOCK))


def run(arguments: argparse.Namespace) -> None:
    """Judge every input, print the verdicts; raise `CommandError` at a finding."""
    rests_on = jobs.rests_on(HERE, tops=[])
    work = [
        Job(
            f"{name}-{start}-{stop}",
            f"{HERE}:block",
            {"name": name, "start": start, "stop": stop},
            rests_on,
        )
        for name, start, stop in blocks(arguments.scale)
    ]
    totals: dict[str, Counter[str]] = {name: Counter() for name in INPUTS}
    findings: list[dict[str, Any]] = []
    done = jobs.run("damaged files", work, FOLDER / "blocks", workers=arguments.jobs)
    for job, found in zip(work, done, strict=True):
        totals[job.arguments["name"]].update(found.result["verdicts"])
        findings += found.result["findings"]
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
        seconds=sum(found.seconds for found in done),
        seed=SEED,
        modules=[HERE],
        tops=[],
    )


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.fuzz.run", description=__doc__)
    cli.add_jobs(built)
    built.add_argument(
        "--scale", type=float, default=1.0, help="part of the campaign (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
