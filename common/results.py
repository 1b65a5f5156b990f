"""The one store of what is made once: found by a key of all that it rests on, whole or not there.

An entry lies in a folder of its kind under ``NAME-KEY``. It is made beside its place and moved
there at once, so that whatever ends its maker leaves nothing that is believed; a second maker
waits for the first. The ingredients of the key stand in it.
"""

import functools
import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from common.files import digest, write_atomically

# Everything that an entry rests on, by name: JSON values, such as digests of files, parameters,
# arguments and versions of tools.
Ingredients = Mapping[str, Any]

RECORD = "rests_on.json"
# Hexadecimal digits of a key in a name; the whole of its ingredients is compared besides.
_DIGITS = 16


def files(paths: Iterable[Path], root: Path | None = None) -> dict[str, str]:
    """sha256 of each file, as an ingredient, by its name, or by its path below ``root``."""
    return {
        str(path.relative_to(root)) if root else path.name: sha256(path) for path in sorted(paths)
    }


def sha256(path: Path) -> str:
    """Digest of what a file holds."""
    now = path.stat()
    return _sha256(path, now.st_mtime_ns, now.st_size)


@functools.cache
def _sha256(path: Path, changed: int, size: int) -> str:
    """The same, read once for as long as the file stays as it is."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """Version of each installed package, as an ingredient."""
    return {name: importlib.metadata.version(name) for name in packages}


def folder(kind: Path, name: str, rests_on: Ingredients, make: Callable[[Path], object]) -> Path:
    """The folder that ``make`` fills where there is none of these ingredients yet.

    ``make`` gets an empty folder, whose path is not the one that it will have. What it leaves when
    it raises stays there to be read, and is no entry.
    """
    entry = _place(kind, name, rests_on)
    if _holds(entry / RECORD, rests_on):
        return entry
    with _alone(entry):
        if not _holds(entry / RECORD, rests_on):
            shutil.rmtree(entry, ignore_errors=True)
            beside = entry.with_name(f".{entry.name}.making")
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            # A maker may change a list that it shares with the ingredients.
            text = _text({"rests_on": rests_on})
            make(beside)
            write_atomically(beside / RECORD, text)
            beside.rename(entry)
    return entry


def value(kind: Path, name: str, rests_on: Ingredients, make: Callable[[], Any]) -> Any:
    """The JSON value that ``make`` gives where none of these ingredients is kept yet."""
    with _alone(_place(kind, name, rests_on)):
        found = kept(kind, name, rests_on)
        if found is None:
            found = make()
            keep(kind, name, rests_on, found)
    return found


def kept(kind: Path, name: str, rests_on: Ingredients) -> Any:
    """The value that is kept under these ingredients, or None."""
    return _read(_file(kind, name, rests_on), rests_on).get("value")


def keep(kind: Path, name: str, rests_on: Ingredients, found: Any) -> None:
    """Keep a JSON value, which is not None."""
    content = {"rests_on": rests_on, "value": found}
    write_atomically(_file(kind, name, rests_on), _text(content))


def _place(kind: Path, name: str, rests_on: Ingredients) -> Path:
    return kind / f"{name}-{digest(rests_on)[:_DIGITS]}"


def _file(kind: Path, name: str, rests_on: Ingredients) -> Path:
    return kind / f"{_place(kind, name, rests_on).name}.json"


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"


def _read(path: Path, rests_on: Ingredients) -> dict[str, Any]:
    """Content of a file of the store, where it is whole and speaks of these ingredients."""
    try:
        content = json.loads(path.read_text())
        found: dict[str, Any] = content if digest(content["rests_on"]) == digest(rests_on) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found


def _holds(path: Path, rests_on: Ingredients) -> bool:
    return bool(_read(path, rests_on))


@contextmanager
def _alone(entry: Path) -> Iterator[None]:
    """Nobody else makes this entry during the block, in whatever process."""
    locks = entry.parent / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    with FileLock(locks / f"{entry.name}.lock"):
        yield
