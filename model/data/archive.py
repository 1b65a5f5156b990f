"""Arrays in an NPZ file, read whole or refused; nothing in it is executed."""

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from common.errors import VerbatimError, reason

# What all arrays of a file may come to: a small file can inflate to any size.
MOST_BYTES = 1 << 30


class ArchiveError(VerbatimError):
    """A file that holds no arrays: the message names it, and says what is wrong with it."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of a file, by name; raises `ArchiveError` where it is missing or damaged."""
    try:
        with path.open("rb") as stream:
            return _read(stream)
    except ArchiveError as error:
        raise ArchiveError(f"{path}: cannot be read: {error}") from error
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read: {reason(error)}") from error


def _read(stream: IO[bytes]) -> dict[str, NDArray[Any]]:
    start = stream.read(len(npy.MAGIC_PREFIX))
    if not start:
        raise ArchiveError("is empty")
    if start == npy.MAGIC_PREFIX:
        raise ArchiveError("holds one bare array of numpy.save, expected numpy.savez")
    try:
        archive = zipfile.ZipFile(stream)
    except Exception as error:  # zipfile raises whatever the damaged bytes lead it to
        raise ArchiveError("is truncated, damaged or no NPZ") from error
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES:
        raise ArchiveError(
            f"holds {size / 1e9:.2f} GB of arrays, expected at most {MOST_BYTES / 1e9:.2f} GB"
        )
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name in arrays or name == member.filename:
            raise ArchiveError(f"{member.filename!r} is no array, or is there twice")
        try:
            with archive.open(member) as opened:
                arrays[name] = _array(opened, member.file_size)
        except ArchiveError as error:
            raise ArchiveError(f"array {name!r} {error}") from error
        except Exception as error:  # zipfile and zlib too
            raise ArchiveError(f"array {name!r} is damaged") from error
    return arrays


def _array(opened: IO[bytes], size: int) -> NDArray[Any]:
    """One member; its header must say exactly what its ``size`` bytes hold."""
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = readers[npy.read_magic(opened)](opened)
    if dtype.hasobject:
        raise ArchiveError("holds Python objects, which would have to be executed")
    count = math.prod(shape)
    if min(shape, default=0) < 0 or opened.tell() + count * dtype.itemsize != size:
        raise ArchiveError(f"has a header for shape {shape}, which its {size} bytes do not hold")
    flat = np.frombuffer(opened.read(), dtype, count)
    if dtype.kind == "U":
        flat.tolist()  # characters that there are none of
    return flat.reshape(shape, order="F" if fortran else "C")
