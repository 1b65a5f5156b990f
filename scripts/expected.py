"""Read what an export leaves of its dataset: features, labels, and what PyTorch computes."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from common.errors import CommandError
from common.paths import INSTALLED, typed
from model.data.archive import ArchiveError, read_arrays

FILE = "expected.npz"
KEYS = {"features", "labels", "train", "test", "input"}


def command_of(step: str) -> str:
    """Command that writes the files of a step of the way: train, export or sim."""
    if INSTALLED:
        return typed("train" if step == "export" else step)
    return f"python -m scripts.{step}"


def read_expected(path: Path) -> dict[str, NDArray[Any]]:
    """Read the export of a dataset; raises `CommandError` if it is missing or damaged."""
    command = command_of("export")
    try:
        arrays = read_arrays(path)
    except ArchiveError as error:
        raise CommandError(f"{error}; run {command} first") from error
    missing = sorted(KEYS - set(arrays))
    if not {"float.class", "float.values"} & set(arrays):
        missing.append("float.class")
    if missing:
        raise CommandError(f"{path}: has no {', '.join(missing)}, run {command}")
    return arrays
