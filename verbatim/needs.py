"""Packages that a verb needs beside numpy: extras of the installed package."""

from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import CommandError
from common.paths import remedy


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Turn a package that is missing in the block into a sentence that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CommandError(f"{error.name} is not installed: {remedy(extra)}") from error
