"""Files that an export leaves: the network, and its dataset with what PyTorch computes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import CommandError
from common.files import whole_file
from common.paths import INSTALLED, typed
from model import artifact, images
from model.artifact import Network
from model.data.archive import ArchiveError, read_arrays

FILE = "expected.npz"
KEYS = {"features", "labels", "train", "test", "input"}


def command_of(step: str) -> str:
    """Command that writes the files of a step of the way: train, export or sim."""
    if INSTALLED:
        return typed("train" if step == "export" else step)
    return f"python -m scripts.{step}"


def write_export(network: Network, expected: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Write the network, its images, and the dataset with what is known of it."""
    artifact.save(network, folder / "network.json")
    images.write_images(network, folder / images.MEM_DIR)
    with whole_file(folder / FILE) as temporary, temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **dict(expected))


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
