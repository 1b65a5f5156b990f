"""Predict the class and the probabilities of samples from a file, by any backend."""

import argparse
import csv
import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common import cli, errors
from common.files import write_atomically
from model import Network, Prediction
from model.backends import BACKENDS

FEATURES_KEY = "features"


def read_features(path: Path) -> NDArray[np.float64]:
    """Features ``[samples, n_in]`` of a csv, with a header or without, or of an npz.

    An npz has them as ``features``, or as its only array. Raises `CommandError`, naming the file
    and line, on anything else.
    """
    try:
        if path.suffix == ".npz":
            return _read_npz(path)
        with path.open(newline="") as stream:
            return _read_csv(path, list(csv.reader(stream)))
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise errors.CommandError(f"{path}: cannot be read: {error}") from error


def _read_npz(path: Path) -> NDArray[np.float64]:
    with np.load(path, allow_pickle=False) as arrays:
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise errors.CommandError(f"{path}: holds one bare array, legal is an npz")
        key = FEATURES_KEY if len(arrays.files) != 1 else arrays.files[0]
        if key not in arrays.files:
            raise errors.CommandError(
                f"{path}: found arrays {', '.join(arrays.files)}, legal is one named {FEATURES_KEY}"
            )
        features: NDArray[np.float64] = arrays[key]
        return features


def _read_csv(path: Path, rows: list[list[str]]) -> NDArray[np.float64]:
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if row]
    if numbered and not _numbers(numbered[0][1]):
        numbered = numbered[1:]
    if not numbered:
        raise errors.CommandError(f"{path}: found no sample, legal is a line of numbers for each")
    samples = []
    for number, row in numbered:
        values = _numbers(row)
        if values is None or len(values) != len(numbered[0][1]):
            raise errors.CommandError(
                f"{path}: line {number} is {','.join(row)[:60]!r}, "
                f"legal are {len(numbered[0][1])} numbers"
            )
        samples.append(values)
    return np.array(samples)


def _numbers(row: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in row]
    except ValueError:
        return None


def as_csv(found: Prediction) -> str:
    """A header, then a line a sample: its class, and its probabilities in units of 1/255."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["class", *(f"p{index}" for index in range(found.probabilities.shape[1]))])
    rows = np.column_stack([found.classes, found.probabilities])
    writer.writerows(rows.tolist())
    return stream.getvalue()


def run(arguments: argparse.Namespace) -> None:
    """Print the predictions, or write them to ``--out``, whole or not at all."""
    network = Network.load(arguments.network)
    told = {} if arguments.port is None else {"port": arguments.port}
    found = network.predict(read_features(arguments.input), backend=arguments.backend, **told)
    if arguments.output is None:
        sys.stdout.write(as_csv(found))
    else:
        write_atomically(arguments.output, as_csv(found))
        print(f"{arguments.output}: {len(found.classes):,} samples by {arguments.backend}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.predict", description=__doc__)
    built.add_argument("--network", type=Path, required=True, help="the network's file")
    built.add_argument(
        "--input", type=Path, required=True, help="features: a .csv or an .npz, a row a sample"
    )
    built.add_argument(
        "--backend",
        default="reference",
        help=f"one of {', '.join(BACKENDS)} (default: %(default)s)",
    )
    built.add_argument("--port", help="where the backend board listens, such as /dev/ttyUSB1")
    built.add_argument("--output", type=Path, help="a .csv to write (default: print)")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
