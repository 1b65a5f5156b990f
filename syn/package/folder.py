"""A folder that a command writes: whole or not at all, and never over somebody else's work.

``core.json`` lists what was written, with its sha256. A file that is no longer as it was written
belongs to somebody else, and is not replaced; one that is not in the list is kept.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.errors import CommandError, reason
from common.paths import typed

MANIFEST = "core.json"
FORMAT = "verbatim-core"


def sha256(text: str) -> str:
    """Digest of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(facts: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Text of ``core.json``: facts of the core, and the sha256 of each file by its path."""
    digests = {name: sha256(text) for name, text in sorted(texts.items())}
    return json.dumps({"format": FORMAT, **facts, "files": digests}, indent=1) + "\n"


def write(folder: Path, facts: Mapping[str, Any], texts: Mapping[str, str]) -> bool:
    """Write files by their paths below ``folder``; return False where it holds them already.

    Other files in it are kept. Raises `CommandError`, and leaves everything as it is, where the
    folder was not written by this function, where a file of it was changed since, and where a
    file that is not of it has a name that the core needs.
    """
    listed = manifest(facts, texts)
    before = _written(folder) if folder.exists() or folder.is_symlink() else None
    if before == {**texts, MANIFEST: listed}:
        return False
    others = [] if before is None else _others(folder, before, {*texts, MANIFEST})
    beside = folder.with_name(f".{folder.name}.making")
    former = folder.with_name(f".{folder.name}.former")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        for name, text in {**texts, MANIFEST: listed}.items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for path in others:
            kept = beside / path.relative_to(folder)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, kept, follow_symlinks=False)
        if before is not None:
            shutil.rmtree(former, ignore_errors=True)
            folder.rename(former)
        beside.rename(folder)
        shutil.rmtree(former, ignore_errors=True)
    except BaseException:
        if former.exists() and not folder.exists():
            former.rename(folder)
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return True


def _written(folder: Path) -> dict[str, str]:
    """Text of each file that the folder's list names, as it is now."""
    try:
        listed = (folder / MANIFEST).read_text(encoding="utf-8")
        content = json.loads(listed)
        kind, names = content["format"], [str(name) for name in content["files"]]
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
            raise ValueError("a file outside")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{folder}: must be a folder that {typed('core')} wrote, or not exist: move it away"
        ) from error
    if kind != FORMAT:
        raise CommandError(f"{folder}: {MANIFEST} must have format {FORMAT!r}, got {kind!r}")
    texts = {MANIFEST: listed}
    for name in names:
        path = folder / name
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{path}: must be as {typed('core')} wrote it: {reason(error)}; "
                "move the folder away"
            ) from error
    return texts


def _others(folder: Path, before: Mapping[str, str], names: set[str]) -> list[Path]:
    """Files that are not of the core; ``names`` are those of the new one."""
    digests = json.loads(before[MANIFEST])["files"]
    for name, text in before.items():
        if name != MANIFEST and sha256(text) != digests[name]:
            raise CommandError(
                f"{folder / name}: was changed since {typed('core')} wrote it: move the folder away"
            )
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name not in before:
            if name in names or any(parent in names for parent in map(str, Path(name).parents)):
                raise CommandError(f"{path}: was not written by {typed('core')}: move it away")
            found.append(path)
    return found
