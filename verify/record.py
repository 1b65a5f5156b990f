"""Evidence of a campaign for the ledger: its figures, and the sources and tools they hold for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import files, jobs
from common.files import write_atomically
from common.paths import BUILD

FOLDER = BUILD / "verification"


def record(
    name: str,
    *,
    level: int,
    claim: str,
    command: str,
    figures: Mapping[str, int | float | str],
    seconds: float,
    modules: Sequence[str],
    tops: Sequence[str] | None = None,
    files: Sequence[Path] = (),
    seed: int | None = None,
) -> Path:
    """Write ``build/verification/<name>.json``, whole or not at all; call it when all has passed.

    ``level`` is 0 lint .. 10 agreement of the simulators; ``figures`` are a few named results, such
    as vectors compared and values differing; ``seconds`` are those of all the campaign's jobs. What
    the claim rests on is found from its Python ``modules``, the RTL of ``tops`` (without them, all
    of it) and the ``files`` that it was given, as `jobs.rests_on` does.
    """
    found = basis(modules, tops, files)
    content: dict[str, Any] = {
        "level": level,
        "claim": claim,
        "command": command,
        "figures": dict(figures),
        "seconds": round(seconds, 1),
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "basis": found,
        **rests_on(found),
    }
    path = FOLDER / f"{name}.json"
    write_atomically(path, json.dumps(content, indent=1) + "\n")
    return path


def basis(
    modules: Sequence[str], tops: Sequence[str] | None, given: Sequence[Path]
) -> dict[str, list[str] | None]:
    """From what the sources of a claim are found, as JSON values."""
    shown = [files.shown(path) for path in given]
    return {"modules": list(modules), "tops": None if tops is None else list(tops), "files": shown}


def rests_on(found: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Digest of each source and version of each tool that a claim of this basis rests on now.

    A file that is no longer there has none. Raises `ValueError` where a module is not.
    """
    given = jobs.rests_on(
        *found["modules"],
        tops=found["tops"],
        files=[path for path in map(files.found, found["files"]) if path.exists()],
    )
    return {"sources": given["sources"] | given["files"], "tools": given["tools"]}


def tops_of(tops: Iterable[str | None]) -> list[str] | None:
    """The modules that steps simulate together; None, all of the RTL, where one of them does."""
    every = set(tops)
    return None if None in every else sorted(str(top) for top in every)
