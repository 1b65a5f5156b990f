"""The sources that a result rests on: which files they are, and one sha256 of what they say."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from common.errors import VerbatimError
from common.paths import ROOT, RTL

LIST = "verbatim.f"
SUFFIXES = frozenset({".cpp", ".f", ".h", ".html", ".py", ".toml", ".v"})


class SourceError(VerbatimError):
    """A source that is listed and missing, or a pattern that no source matches."""


def verilog(folder: Path = RTL) -> list[Path]:
    """The Verilog sources of a folder: those of its ``verbatim.f``; without one, all by name.

    Raises `SourceError` where a listed file is missing, and where a folder has no source.
    """
    listed = folder / LIST
    if not listed.exists():
        found = sorted(folder.glob("*.v"))
    else:
        found = [folder / name for name in listed.read_text().split()]
    missing = [path for path in found if not path.exists()]
    if missing or not found:
        raise SourceError(f"{listed}: {missing[0].name if missing else 'every source'} is missing")
    return found


def add(folder: Path, name: str, text: str) -> None:
    """Write one more Verilog source into a copy of a folder, and list it."""
    (folder / name).write_text(text)
    with (folder / LIST).open("a") as stream:
        stream.write(f"{name}\n")


def matching(*patterns: str) -> list[Path]:
    """The sources that the patterns of `Path.glob` find in the checkout, tests left out.

    Raises `SourceError` where a pattern finds none: a renamed file would drop out in silence.
    """
    found: set[Path] = set()
    for pattern in patterns:
        paths = {
            path
            for path in ROOT.glob(pattern)
            if path.suffix in SUFFIXES and not path.name.startswith("test_")
        }
        if not paths:
            raise SourceError(f"{pattern}: no source has such a name")
        found |= paths
    return sorted(found)


def digest(paths: Iterable[Path]) -> str:
    """sha256 of files, their names included."""
    content = hashlib.sha256()
    for path in paths:
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def checkout_digest() -> str:
    """sha256 of everything in the checkout that a job may rest on, paths included."""
    rooms = ("boards", "common", "model", "rtl", "studies", "syn", "tb", "tests", "verify")
    suffixes = SUFFIXES | {".json", ".csv", ".npz"}
    content = hashlib.sha256()
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                content.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def rtl_digest(rtl: Path = RTL) -> str:
    """sha256 of every Verilog source, names included."""
    return digest(sorted(verilog(rtl)))
