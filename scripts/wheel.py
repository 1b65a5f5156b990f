"""Build step of setuptools: the rooms of the checkout become subpackages of ``verbatim``.

It stands alone, since a build has nothing else of the checkout to import. An import of a room
becomes one of the package, ``from model.spec import x`` is ``from verbatim.model.spec import x``:
so the package has one name at the top, and none that a module of its user may have.
"""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

PACKAGE = "verbatim"
ROOMS = ("boards", "common", "model", "scripts", "syn", "tb")
# What else the rooms read, each at the place that it has in the checkout.
OTHERS = ("LICENSE", "rtl", "studies/__init__.py", "studies/published.py")
SUFFIXES = frozenset(
    {".cpp", ".f", ".h", ".html", ".j2", ".json", ".lpf", ".pcf", ".py", ".toml", ".v"}
)
# What only a checkout has a use for: its tests, `make bench` and what writes its own files.
LEFT_OUT = (
    "conftest.py",
    "test_*.py",
    "scripts/bench*.py",
    "scripts/golden.py",
    "scripts/report/readme.py",
    "scripts/setup.sh",
    "scripts/wheel.py",
    "tb/benches/speed_bench.py",
)


def shipped(root: Path) -> Iterator[str]:
    """Paths below ``root`` of the files that the package takes from the checkout."""
    for top in sorted((*ROOMS, *OTHERS)):
        place = root / top
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            name = path.relative_to(root)
            left_out = any(name.match(pattern) for pattern in LEFT_OUT)
            if path == place or (path.suffix in SUFFIXES and not left_out):
                yield name.as_posix()


def renamed(text: str, name: str, tops: frozenset[str]) -> str:
    """Source of a module whose absolute imports of ``tops`` go through the package.

    Raises `SyntaxError` at an ``import room.module``, which would bind another name.
    """
    lines = text.encode().splitlines(keepends=True)
    places = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            if (node.module or "").partition(".")[0] in tops:
                places.append((node.lineno - 1, node.col_offset))
        elif isinstance(node, ast.Import):
            wrong = [alias.name for alias in node.names if alias.name.partition(".")[0] in tops]
            if wrong:
                raise SyntaxError(
                    f"{name}: line {node.lineno}: must be `from ... import`, got import {wrong[0]}"
                )
    for line, column in places:
        before, after = lines[line][:column], lines[line][column:]
        lines[line] = before + after.replace(b"from ", f"from {PACKAGE}.".encode(), 1)
    return b"".join(lines).decode()


class Metadata(egg_info):  # type: ignore[misc]
    """The command `egg_info`, which leaves nothing beside the sources."""

    def initialize_options(self) -> None:
        """Set the folder in which metadata are made."""
        super().initialize_options()
        self.egg_base = "build/metadata"
        Path(self.egg_base).mkdir(parents=True, exist_ok=True)


class Rooms(build_py):  # type: ignore[misc]
    """The command `build_py`, which adds the rooms to the package."""

    def run(self) -> None:
        """Copy and rename them; an editable installation imports the checkout itself."""
        # What an earlier build left would be packed too.
        shutil.rmtree(Path(self.build_lib, PACKAGE), ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for name, target in self._targets().items():
                target.parent.mkdir(parents=True, exist_ok=True)
                text = Path(name).read_text(encoding="utf-8")
                if name.endswith(".py"):
                    text = renamed(text, name, frozenset({*ROOMS, "studies"}))
                target.write_text(text, encoding="utf-8")
            for path in Path(self.build_lib, PACKAGE).glob("*.py"):
                text = path.read_text(encoding="utf-8")
                path.unlink()
                path.write_text(renamed(text, path.name, frozenset({*ROOMS, "studies"})))

    def _targets(self) -> dict[str, Path]:
        return {name: Path(self.build_lib, PACKAGE, name) for name in shipped(Path())}

    def get_source_files(self) -> list[str]:
        """All files that a source distribution needs."""
        return [*super().get_source_files(), *shipped(Path()), "scripts/wheel.py"]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """All files that are written."""
        return [*super().get_outputs(include_bytecode), *map(str, self._targets().values())]
