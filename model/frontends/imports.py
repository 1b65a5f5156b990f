"""Python files of a user: imported from their own folder, and what they read on the way.

The folder of the recipe can be imported from while its code runs. Every module that is loaded then,
and every file below the folder that is opened, counts as a source of the network.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from common.paths import INSTALLED, ROOT

# Modules of a user, by name; they are loaded afresh each time, since another network may have
# helpers of the same names, and since files change.
_loaded: set[str] = set()
_opened: list[Path] | None = None
_ROOMS = frozenset(path.parent.name for path in ROOT.glob("*/__init__.py"))
# Top-level names of this project's modules.
_TOPS = frozenset({ROOT.name}) if INSTALLED else _ROOMS
_INSTALLED = tuple(
    Path(sysconfig.get_path(k)) for k in ("stdlib", "platstdlib", "purelib", "platlib")
)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str | bytes):
        _opened.append(Path(os.fsdecode(arguments[0])))


sys.addaudithook(_audit)


class _Beside(MetaPathFinder):
    """Finds modules in a folder, before they are looked for anywhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Specification of a module that lies in the folder itself."""
        return PathFinder.find_spec(name, [str(self.folder)]) if path is None else None


@contextlib.contextmanager
def importing(folder: Path) -> Iterator[set[Path]]:
    """Let ``folder`` be imported from; the set holds the files that were read, when it is left."""
    global _opened
    folder = folder.resolve()
    found: set[Path] = set()
    for name in _loaded:
        sys.modules.pop(name, None)
    _loaded.clear()
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_hidden(name, folder)}
    before, writes_bytecode = set(sys.modules), sys.dont_write_bytecode
    beside = _Beside(folder)
    sys.meta_path.insert(0, beside)
    sys.dont_write_bytecode, _opened = True, []
    importlib.invalidate_caches()
    try:
        yield found
    finally:
        opened, _opened = _opened, None
        sys.dont_write_bytecode = writes_bytecode
        sys.meta_path.remove(beside)
        for name in set(sys.modules) - before:
            path = _file(sys.modules[name])
            if path is not None and _is_own(path):
                found.add(path)
                if name.partition(".")[0] in _TOPS:
                    del sys.modules[name]
                else:
                    _loaded.add(name)
        sys.modules.update(hidden)
        found |= {path.resolve() for path in opened if _is_data(path, folder)}


def run_file(path: Path) -> ModuleType:
    """Run a Python file as a module of its own; classes find it by its name while it runs."""
    name = f"verbatim_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # Not by the loader, which may take stale byte code for a file that changed within a second.
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return module


def _is_hidden(name: str, folder: Path) -> bool:
    """Tell if a module of this project has the name of one beside the user's own."""
    top = name.partition(".")[0]
    beside = (folder / f"{top}.py").exists() or any((folder / top).glob("*.py"))
    return top in _TOPS and folder != ROOT and beside


def _file(module: ModuleType) -> Path | None:
    name = getattr(module, "__file__", None)
    return Path(name).resolve() if isinstance(name, str) else None


def _is_own(path: Path) -> bool:
    """Tell if a module is neither installed nor of this project."""
    rooms = tuple(ROOT / room for room in _ROOMS)
    return not any(path.is_relative_to(place) for place in (*_INSTALLED, *rooms))


def _is_below(path: Path, folder: Path) -> bool:
    """Tell if a file lies in the folder; what is installed in an environment there does not."""
    return (
        path.is_relative_to(folder)
        and not {"site-packages", ".venv"} & set(path.parts)
        and _is_own(path)
    )


def _is_data(path: Path, folder: Path) -> bool:
    return path.suffix != ".pyc" and path.is_file() and _is_below(path.resolve(), folder)
