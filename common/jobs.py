"""Work as data: jobs that are done once, by whatever executor, under one progress bar."""

import contextlib
import functools
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from common import executors, imports, results, tools
from common.executors import Call, Executor
from common.files import shown
from common.paths import ROOT
from common.results import Ingredients

# Counts by name, such as values compared.
Figures = dict[str, int]


@dataclass(frozen=True)
class Job:
    """A function by its dotted name, its arguments by name, and what its result rests on.

    Arguments and result are JSON values. ``rests_on`` is all that the result follows from beside
    function and arguments, such as sources; ``name`` tells it from the others of its campaign.
    ``given`` are more arguments, which need only pickle, where ``rests_on`` says what they are.
    """

    name: str
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    rests_on: Ingredients = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Ingredients:
        """Everything that its result rests on."""
        call = {"function": self.function, "arguments": self.arguments}
        return {**call, **self.rests_on}


@dataclass(frozen=True)
class Done:
    """The result of a job, and the wall seconds that it took when it ran."""

    result: Any
    seconds: float


def rests_on(
    *modules: str,
    tops: Sequence[str] | None = None,
    files: Sequence[Path] = (),
    without: Sequence[str] = (),
) -> dict[str, dict[str, str]]:
    """Ingredients of a verdict of these Python modules: sources, tools, and the ``files`` it reads.

    Sources are the modules, all behind them, and the RTL of the modules ``tops`` and all that they
    instantiate; without ``tops`` that is every module of the RTL. ``without`` are lists of others,
    of which the verdict takes nothing.
    """
    sources, named = _rests_on(modules, None if tops is None else tuple(tops), tuple(without))
    return {
        "sources": dict(sources),
        "tools": dict(named),
        "files": {shown(path): results.sha256(path) for path in files},
    }


@functools.cache
def _rests_on(
    modules: tuple[str, ...], tops: tuple[str, ...] | None, without: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Sources and tools, as this process found them first, and has imported them since."""
    behind = imports.behind(*modules, without=without)
    rtl = imports.below(*tops) if tops else [] if tops is not None else imports.below()
    return results.files([*behind, *rtl], ROOT), tools.named_in(behind)


def standing(job: Job, keep: Path) -> Done | None:
    """The kept result of a job in this folder, or None."""
    found = results.kept(keep, job.name, job.key)
    return None if found is None else Done(found["result"], found["seconds"])


def run(
    label: str,
    work: Sequence[Job],
    keep: Path,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    bar: Progress | None = None,
    each: Callable[[Job, Any], str | None] = lambda job, result: None,
) -> list[Done]:
    """Each job's result, in their order: kept in the folder ``keep``, or run now and kept there.

    ``executor`` is by default the one that ``CLUSTER`` names, else ``workers`` processes. ``bar``
    is one that is shown already. ``each`` gets every new result once it is there, and may return a
    remark on it. Raises what a job or ``each`` raises; what is done by then is kept, so that an
    interrupted campaign goes on where it was.
    """
    done = {n: found for n, job in enumerate(work) if (found := standing(job, keep))}
    left = [index for index in range(len(work)) if index not in done]
    executor = executor or executors.chosen(workers if len(left) > 1 else 1)
    with contextlib.nullcontext(bar) if bar else _progress() as shown_bar:
        task = shown_bar.add_task(label, total=len(work), completed=len(done))
        calls = [Call("common.jobs:timed", {"job": work[index]}) for index in left]
        with contextlib.closing(executor.run(calls)) as finished:
            for number, found in finished:
                index = left[number]
                job, done[index] = work[index], Done(found["result"], found["seconds"])
                results.keep(keep, job.name, job.key, found)
                shown_bar.advance(task)
                remark = each(job, found["result"])
                if remark:
                    shown_bar.console.print(remark)
    return [done[index] for index in range(len(work))]


def _progress() -> Progress:
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def timed(job: Job) -> dict[str, Any]:
    """The result of a job as a JSON value, and the seconds that it took."""
    start = time.perf_counter()
    result = Call(job.function, {**job.arguments, **job.given})()
    seconds = round(time.perf_counter() - start, 3)
    return {"result": json.loads(json.dumps(result)), "seconds": seconds}


def total(done: Sequence[Done]) -> tuple[Figures, float]:
    """The sum of all figures, and of all seconds, whenever and wherever they were spent."""
    figures: Counter[str] = Counter()
    for found in done:
        figures.update(found.result)
    return dict(figures), round(sum(found.seconds for found in done), 1)
