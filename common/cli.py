"""Parts that every command shares: errors as one sentence, common arguments, seconds of a step."""

import argparse
import errno
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from common.errors import CommandError, VerbatimError
from common.files import digest, write_atomically
from common.paths import BUILD

# What is wrong with a place that a user named, and not with the code that writes there.
_PLACES = {errno.ENOSPC, errno.EDQUOT, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EPERM}
_PLACES |= {errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST}


def main(
    run: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    *,
    alone: bool = False,
    words: Sequence[str] | None = None,
) -> None:
    """Run a command on its arguments; one of the project's own errors ends it with status 2.

    ``words`` are the arguments, by default those of the process.
    ``alone`` is for a command whose files in ``--build`` another one must not write meanwhile: it
    waits until the other has ended. A full disk, or a place where no file can be, ends a command
    with status 2 too. One that is stopped stops what it started, and has status 128 and the number
    of the signal.
    """
    arguments = parser.parse_args(words)
    try:
        with (
            _stopped_by(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
            holding(arguments.build) if alone else nullcontext(),
        ):
            run(arguments)
    except VerbatimError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in _PLACES:
            raise
        place = error.filename2 or error.filename or "build/"
        print(f"{parser.prog}: {place}: {error.strerror}", file=sys.stderr)
        sys.exit(2)


@contextmanager
def _stopped_by(*signals: signal.Signals) -> Iterator[None]:
    """Let each signal end the block as an exception, so that whatever runs in it is stopped too.

    Python gives signals to the main thread alone: in any other the block just runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def holding(build: Path) -> Iterator[None]:
    """Hold a build folder during the block, saying so where that must wait; leave nothing."""
    # Imported where it is needed: a prediction needs numpy alone.
    from filelock import FileLock, Timeout

    name = digest(str(build.resolve()))[:16]
    locks = BUILD / "locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"{build}: another command works there, waiting for its end", file=sys.stderr)
            lock.acquire()
    except OSError as error:
        raise CommandError(f"{locks}: cannot be written: {error}") from error
    try:
        yield
    finally:
        lock.release()


def warn(sentences: Iterable[str]) -> None:
    """Print each as a warning on stderr, so that none is lost in the output."""
    for sentence in sentences:
        print(f"WARNING: {VerbatimError(sentence)}", file=sys.stderr)


def build_parser(module: str, description: str) -> argparse.ArgumentParser:
    """Build a parser with the arguments of most commands: ``--network`` and ``--build``."""
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
    """Add the argument ``--build``."""
    parser.add_argument(
        "--build",
        type=Path,
        default=Path("build/iris"),
        help="folder of everything generated (default: %(default)s)",
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``--jobs``."""
    parser.add_argument(
        "--jobs", type=int, help="processes at a time (default: one a core; none where CLUSTER is)"
    )


def add_workers(parser: argparse.ArgumentParser, of: str, default: int = 2) -> None:
    """Add the argument ``--workers``: how many of what stand side by side."""
    parser.add_argument(
        "--workers", type=int, default=default, help=f"{of} side by side (default: %(default)s)"
    )


def add_docs(parser: argparse.ArgumentParser, folder: str = "docs/results") -> None:
    """Add the argument ``--docs``."""
    parser.add_argument(
        "--docs", type=Path, default=Path(folder), help="folder of the page (default: %(default)s)"
    )


def add_sim(parser: argparse.ArgumentParser, simulators: Sequence[str]) -> None:
    """Add the argument ``--sim``."""
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
