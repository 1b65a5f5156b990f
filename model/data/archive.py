"""Arrays in an NPZ file, read whole or refused; nothing in it is executed."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError


class ArchiveError(VerbatimError):
    """A file that holds no arrays: the message names it, and says what is wrong with it."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of a file, by name; raises `ArchiveError` where it is missing or damaged."""
    try:
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            members = dict(archive) if isinstance(archive, np.lib.npyio.NpzFile) else {}
    except Exception as error:  # numpy and zipfile raise whatever the damaged bytes lead them to
        raise ArchiveError(f"{path}: cannot be read: {error}") from error
    for name, member in members.items():
        if not isinstance(member, np.ndarray):
            raise ArchiveError(f"{path}: cannot be read: {name} is no array")
    return members
