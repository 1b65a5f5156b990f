"""Predict classes, probabilities or values of samples from a file, by any backend."""

import argparse
import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from common import cli, errors
from common.files import whole_file
from model import Network, Prediction
from model.backends import BACKENDS
from model.data import tables, userdata
from model.data.archive import read_arrays
from model.data.tables import Table
from model.names import Names

FEATURES_KEY, NAMES_KEY = "features", "feature_names"
# Samples that are held at once, whatever the file's length.
PIECE = 1 << 14

Real = NDArray[np.float64]


def pieces(path: Path, network: Network, header: bool | None = None) -> Iterator[Real]:
    """Features ``[samples, n_in]`` of a CSV or an NPZ, in pieces of the file.

    Columns go by the names of the network's features, in any order; without names on either side
    they go by position, which is said on stderr. Raises `VerbatimError`, naming the file.
    """
    if path.suffix == ".npz":
        yield from _of_npz(path, network)
        return
    names = _names(network)
    remedy = "--header yes or --header no"
    with tables.opened(path, header=header, known=names.features, remedy=remedy) as table:
        yield from _of_table(table, network)


def _names(network: Network) -> Names:
    return Names() if network.names is None else network.names


def _order(path: Path, found: Sequence[str] | None, count: int, network: Network) -> list[int]:
    """Columns of the features, by name where file and network have names."""
    names, n_in = _names(network), network.spec.n_in
    if found is not None and names.features:
        return names.columns(found, f"{path}:")
    if count != n_in:
        raise errors.CommandError(
            f"{path}: columns that go by position must be {n_in}, got {count}"
            f"{': ' if names.features else ''}{', '.join(names.features)}"
        )
    whose = "the network's file" if not names.features else path
    order = f" ({', '.join(names.features)})" if names.features else ""
    print(f"{whose} has no names of features: columns go by position{order}", file=sys.stderr)
    return list(range(n_in))


def _of_npz(path: Path, network: Network) -> Iterator[Real]:
    arrays = read_arrays(path)
    samples = [name for name in arrays if name != NAMES_KEY]
    key = samples[0] if len(samples) == 1 else FEATURES_KEY
    if key not in arrays:
        raise errors.CommandError(
            f"{path}: must hold an array {FEATURES_KEY!r}, got {', '.join(arrays) or 'none'}"
        )
    features: NDArray[Any] = arrays[key]
    userdata.require_numbers(path, features)
    found = None
    if NAMES_KEY in arrays:
        found = userdata.names(path, NAMES_KEY, arrays[NAMES_KEY], features.shape[1])
    order = _order(path, found, features.shape[1], network)
    if not len(features):
        raise errors.CommandError(f"{path}: has no sample, expected a row for each")
    for start in range(0, len(features), PIECE):
        piece = userdata.as_float64(features[start : start + PIECE])[:, order]
        bad = np.argwhere(~np.isfinite(piece))
        if bad.size:
            row, column = bad[0]
            raise errors.CommandError(
                f"{path}: sample {start + row}, feature {column} is {piece[row, column]}, expected "
                "a finite number"
            )
        yield piece


def _of_table(table: Table, network: Network) -> Iterator[Real]:
    order = _order(table.path, table.names if table.named else None, len(table.names), network)
    piece: list[list[float]] = []
    empty = True
    for line, row in table.rows:
        piece.append([table.number(line, n, row[n]) for n in order])
        if len(piece) == PIECE:
            yield np.array(piece)
            piece, empty = [], False
    if piece:
        yield np.array(piece)
    elif empty:
        raise errors.CommandError(f"{table.path}: has no sample, expected a line for each")


def features_of(path: Path, network: Network) -> Real:
    """All features ``[samples, n_in]`` of a file; raises as `pieces`."""
    return np.concatenate(list(pieces(path, network)))


def write_csv(found: Iterator[Prediction], network: Network, stream: TextIO) -> int:
    """Write a header, then a line for each sample; return the number of samples.

    A line has what the output has: the class, by name where the network has names; then the
    probabilities in units of 1/255, or the values in the units of their targets.
    """
    names, output = _names(network).classes, network.spec.output
    labels, columns = _labels(network), _columns(network)
    prefix = {"softmax": "p", "sigmoid": "p", "logits": "y"}.get(output.kind)
    named = f"{prefix}_" if columns == names else prefix
    values = [f"{named}{name}" for name in columns] if prefix else []
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(["class"] if output.classes else []), *values])
    samples = 0
    for piece in found:
        rows: list[list[object]] = [[] for _ in next(iter(piece.results.values()))]
        for key, array in piece.results.items():
            for row, given in zip(rows, array.tolist(), strict=True):
                row.extend([labels[given]] if key == "classes" else given)
        writer.writerows(rows)
        samples += len(rows)
    return samples


def write_lines(found: Iterator[Prediction], network: Network, stream: TextIO) -> int:
    """Write the name of each sample's class; where it has none, its values or probabilities."""
    labels, samples = _labels(network), 0
    for piece in found:
        if "classes" in piece.results:
            lines = [labels[index] for index in piece.classes.tolist()]
        else:
            lines = [",".join(map(str, row)) for row in next(iter(piece.results.values())).tolist()]
        stream.writelines(f"{line}\n" for line in lines)
        samples += len(lines)
    return samples


def write_json(found: Iterator[Prediction], network: Network, stream: TextIO) -> int:
    """Write an object of JSON for each sample, in a line: ``class``, ``probabilities``, values."""
    labels, columns, samples = _labels(network), _columns(network), 0
    for piece in found:
        rows: list[dict[str, object]] = [{} for _ in next(iter(piece.results.values()))]
        for key, array in piece.results.items():
            for row, given in zip(rows, array.tolist(), strict=True):
                if key == "classes":
                    row["class"] = labels[given]
                else:
                    row[key] = dict(zip(columns, given, strict=True))
        stream.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        samples += len(rows)
    return samples


def write_probabilities(found: Iterator[Prediction], network: Network, stream: TextIO) -> int:
    """Write as `write_csv` does; raises `OutputError` where the output has no probabilities."""
    return write_csv((piece for piece in found if len(piece.probabilities)), network, stream)


def _labels(network: Network) -> tuple[str, ...]:
    """A word for each class: its name, or its number."""
    return _names(network).classes or tuple(map(str, range(network.spec.output.classes)))


def _columns(network: Network) -> tuple[str, ...]:
    """A word for each value that leaves the network."""
    names, count = _names(network).classes, network.spec.output.n_out
    return names if len(names) == count else tuple(map(str, range(count)))


# What is written for samples, by name.
FORMS: dict[str, Callable[[Iterator[Prediction], Network, TextIO], int]] = {
    "csv": write_csv,
    "json": write_json,
    "lines": write_lines,
    "probabilities": write_probabilities,
}


@contextmanager
def _whole(output: Path | None) -> Iterator[TextIO]:
    """A stream to the output, which gets all of it at the end, or nothing."""
    if output is None:
        with tempfile.TemporaryFile("w+", newline="", encoding="utf-8") as stream:
            yield stream
            stream.seek(0)
            shutil.copyfileobj(stream, sys.stdout)
    else:
        with (
            whole_file(output) as partial,
            partial.open("w", newline="", encoding="utf-8") as stream,
        ):
            yield stream


def _counted(found: Iterator[Prediction], outside: list[int]) -> Iterator[Prediction]:
    """Pass predictions on; append how many samples of each are outside of the network's box."""
    for piece in found:
        outside.append(0 if piece.outside is None else int(piece.outside.sum()))
        yield piece


def run(arguments: argparse.Namespace) -> None:
    """Print the predictions, or write them to ``--output``, whole or not at all."""
    network = Network.load(arguments.network)
    options = {} if arguments.port is None else {"port": arguments.port}
    header = None if arguments.header is None else arguments.header == "yes"
    outside: list[int] = []
    with _whole(arguments.output) as stream:
        features = pieces(arguments.input, network, header)
        found = (network.predict(x, backend=arguments.backend, **options) for x in features)
        samples = FORMS[arguments.form](_counted(found, outside), network, stream)
    if any(outside):
        cli.warn(
            [
                f"{arguments.network}: is trimmed, and {sum(outside):,} of {samples:,} samples are "
                "outside of its box, where the whole network may answer otherwise"
            ]
        )
    if arguments.output is not None:
        print(f"{arguments.output}: {samples:,} samples by {arguments.backend}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.predict", description=__doc__)
    built.add_argument("--network", type=Path, required=True, help="the network's file")
    built.add_argument(
        "--input", type=Path, required=True, help="features: a .csv or an .npz, a row a sample"
    )
    built.set_defaults(form="csv")
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its network, input and form."""
    parser.add_argument(
        "--header",
        choices=("yes", "no"),
        help="whether the first line of a CSV is a header (default: as its cells say)",
    )
    parser.add_argument(
        "--backend",
        default="reference",
        help=f"one of {', '.join(BACKENDS)} (default: %(default)s)",
    )
    parser.add_argument("--port", help="where the backend board listens, such as /dev/ttyUSB1")
    parser.add_argument("--output", type=Path, help="a file to write (default: print)")


if __name__ == "__main__":
    cli.main(run, parser())
