"""What every command shares: errors as one sentence, the seconds of each step, whole files."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from model.artifact import write_atomically
from model.errors import VerbatimError


class CommandError(VerbatimError):
    """A command that cannot be done: the message is one sentence for the person who typed it."""


def is_expected(error: Exception) -> bool:
    """Whether an error was raised on purpose, for a person: by a class of this project."""
    of_bench = type(error).__module__.partition(".")[0] == "tb"
    return isinstance(error, VerbatimError) or of_bench


def main(run: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Run a command on its arguments; one of the project's own errors ends it with status 2."""
    arguments = parser.parse_args()
    try:
        run(arguments)
    except Exception as error:
        if not is_expected(error):
            raise
        print(f"{parser.prog}: {error}", file=sys.stderr)
        sys.exit(2)


def build_parser(module: str, description: str) -> argparse.ArgumentParser:
    """A parser with the two arguments that most commands take: ``--network`` and ``--build``."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument(
        "--network",
        type=Path,
        default=Path("model/networks/iris.toml"),
        help="the recipe (default: %(default)s)",
    )
    add_build(parser)
    return parser


def add_build(parser: argparse.ArgumentParser) -> None:
    """The argument ``--build``."""
    parser.add_argument(
        "--build",
        type=Path,
        default=Path("build/iris"),
        help="folder of everything generated (default: %(default)s)",
    )


def add_sim(parser: argparse.ArgumentParser, simulators: Sequence[str]) -> None:
    """The argument ``--sim``."""
    parser.add_argument(
        "--sim", choices=simulators, default="verilator", help="simulator (default: %(default)s)"
    )


@contextmanager
def step(build: Path, name: str) -> Iterator[None]:
    """Write the wall seconds of the block to ``build/seconds/name.json``, where it succeeds."""
    start = time.perf_counter()
    yield
    seconds = {"step": name, "seconds": round(time.perf_counter() - start, 3)}
    write_atomically(build / "seconds" / f"{name}.json", json.dumps(seconds) + "\n")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to it where the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
