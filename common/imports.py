"""The files that a piece of the project rests on, found from what its sources name.

A module rests on what it imports, wherever in it, and on what its strings name: another module
(``"tb.sim.native:stream"``), a bench (``"stream_bench"``), a file beside it or in the checkout.
That may be more than one run of it reads.
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from common import paths
from common.paths import BUILD, PACKAGE, ROOT, RTL
from common.sources import verilog

BENCHES = "tb.benches"
# Data in the checkout that modules find through `common.paths`.
_DATA = {"GOLDEN": paths.GOLDEN, "GOLDEN_IRIS": paths.GOLDEN_IRIS, "RECIPES": paths.RECIPES}
_DOTTED = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)+(:\w+)?", flags=re.ASCII)


def behind(*modules: str, without: Iterable[str] = ()) -> list[Path]:
    """All files of the checkout that these modules rest on, their own included, Verilog left out.

    ``without`` are modules that count for nothing, nor what they alone name. Raises `ValueError`
    where there is no such module.
    """
    unknown = [name for name in modules if _file(name) is None]
    if unknown:
        raise ValueError(f"{unknown[0]} must be a module of this checkout")
    left_out = set(_files(without))
    seen: set[Path] = set()
    todo = list(_files(modules))
    while todo:
        path = todo.pop()
        if path not in seen | left_out:
            seen.add(path)
            todo += _named(path)
    return sorted(seen)


def below(*tops: str, rtl: Path = RTL) -> list[Path]:
    """The Verilog sources of these modules, and of all that they instantiate; of none, every one.

    Raises `ValueError` where there is no such module.
    """
    every = {path.stem: path for path in verilog(rtl)}
    unknown = [name for name in tops if name not in every]
    if unknown:
        raise ValueError(f"{unknown[0]} must be a module of {rtl}")
    seen: set[str] = set()
    todo = list(tops or every)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            text = re.sub(r"//.*", "", every[name].read_text())
            todo += every.keys() & set(re.findall(r"\w+", text))
    return sorted(every[name] for name in seen)


def _file(module: str) -> Path | None:
    """File of a module of the project."""
    path = ROOT.joinpath(*module.removeprefix(PACKAGE).split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _named(path: Path) -> list[Path]:
    """The files that one file names itself."""
    if path.suffix != ".py":
        return []
    now = path.stat()
    return _read(path, now.st_mtime_ns, now.st_size)


@functools.cache
def _read(path: Path, changed: int, size: int) -> list[Path]:
    """The same, read once for as long as the file stays as it is."""
    package = path.relative_to(ROOT).parent.parts
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(_files(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parents, *filter(None, [node.module])])
            names = [alias.name for alias in node.names]
            modules = list(_files(f"{base}.{name}" for name in names))
            # Of a package whose modules alone are named, nothing is used.
            found.update(modules if len(modules) == len(names) else [*modules, *_files([base])])
            if base.removeprefix(PACKAGE) == "common.paths":
                found.update(file for name in names for file in _data(name))
        elif isinstance(node, ast.JoinedStr):
            last = node.values[-1] if node.values else None
            ending = str(last.value) if isinstance(last, ast.Constant) else ""
            if re.search(r"\.(v|cpp|h|toml|html)$", ending):
                found.update(path.parent.glob(f"*{ending}"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(_in_text(node.value, path))
    return sorted(found)


def _files(modules: Iterable[str]) -> Iterator[Path]:
    yield from (path for name in modules if (path := _file(name)))


def _data(name: str) -> list[Path]:
    path = _DATA.get(name)
    if path is None:
        return []
    return [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]


def _in_text(text: str, path: Path) -> list[Path]:
    """The file that a string is the name of."""
    if not text or len(text) > 200 or not re.fullmatch(r"[\w./:-]+", text):
        return []
    if _DOTTED.fullmatch(text) and (module := _file(text.partition(":")[0])):
        return [module]
    if text.endswith("_bench") and (bench := _file(f"{BENCHES}.{text}")):
        return [bench]
    if "." in text:
        places = (path.parent / text, ROOT / text)
        return [place for place in places if place.is_file() and _is_source(place)]
    return []


def _is_source(path: Path) -> bool:
    """Tell if a file is of the checkout, and none that a run has left there."""
    return ROOT in path.parents and BUILD not in path.parents
