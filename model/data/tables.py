"""Tables in text files: one reader for all of them, and one rule for what a header is.

Cells are separated by commas, semicolons or tabs, in UTF-8, with or without a byte order mark.
"""

import csv
import itertools
import math
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from common.errors import VerbatimError, reason

NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
# A number with a typo in it: a letter O for a zero, a comma for a point, a minus of typography.
NEARLY_A_NUMBER = re.compile(r"[-+\u2212\d.,_' eEOolI%]*\d[-+\u2212\d.,_' eEOolI%]*")
MISSING = frozenset({"", "?", "-", "na", "n/a", "nan", "inf", "-inf", "null", "none"})
# What spreadsheets write above the table, to say which separator they took.
SEPARATOR_LINE = re.compile(r"sep=([,;\t])\s*")
# Lines below the first that say which columns hold numbers.
PEEK = 100
# The path that stands for standard input.
STANDARD_INPUT = Path("-")
# Column names that could as well be a sample: 0, 1, 2, ... as some programs number columns.
FEWEST_COUNTED = 3
MOST_OF_A_LINE = 60

Row = tuple[int, list[str]]


class DataError(VerbatimError):
    """A file that holds no samples: the message names file, row and column, and the remedy."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of an open file, and its samples, line by line.

    Without a header, ``named`` is False and the columns are ``column_1``, ``column_2``, ...
    """

    path: Path
    names: tuple[str, ...]
    named: bool
    rows: Iterator[Row]

    def where(self, line: int, column: int) -> str:
        """Place of a cell, for a message."""
        name = f"{self.names[column]!r}" if self.named else str(column + 1)
        return f"{self.path}: line {line}, column {name}"

    def number(self, line: int, column: int, cell: str) -> float:
        """Value of a cell; raises `DataError` unless it is a finite number."""
        if is_number(cell):
            return float(cell)
        cut = "..." if len(cell) > MOST_OF_A_LINE else ""
        shown = f"{cell[:MOST_OF_A_LINE]!r}{cut}" if cell.strip() else "empty"
        comma = re.fullmatch(r"\s*[-+]?\d+,\d+\s*", cell, re.ASCII)
        hint = " with a decimal point" if comma else ""
        raise DataError(f"{self.where(line, column)} is {shown}, expected a finite number{hint}")


def is_number(text: str) -> bool:
    """Tell a finite number as every program writes it: no ``1_0``, no other digits."""
    return NUMBER.fullmatch(text.strip(" \t")) is not None and math.isfinite(float(text))


@contextmanager
def opened(
    path: Path, *, header: bool | None = None, known: Collection[str] = (), remedy: str
) -> Iterator[Table]:
    """Open a table, the path ``-`` is standard input; raises `DataError` on anything that is none.

    The first line is a header where none of its cells is a number, and a sample where all are, the
    columns that hold text in other lines aside; ``header`` decides what remains, else ``remedy``
    says how to. A line that has all of the ``known`` names is a header.
    """
    try:
        with _opened(path) as stream:
            yield _table(path, stream, header, known, remedy)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{path}: is not UTF-8 text (byte {byte:#04x}): save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def _opened(path: Path) -> TextIO:
    if path == STANDARD_INPUT:
        return open(0, newline="", encoding="utf-8-sig", closefd=False)
    return path.open(newline="", encoding="utf-8-sig")


def _table(
    path: Path, stream: TextIO, header: bool | None, known: Collection[str], remedy: str
) -> Table:
    rows = _rows(path, stream)
    (_, first), *below = start = list(itertools.islice(rows, PEEK + 1)) or [(1, [])]
    first = [cell.strip() for cell in first]
    if not first:
        raise DataError(f"{path}: is empty, expected one line for each sample")
    named = header
    if named is None:
        named = is_header(first, [row for _, row in below if len(row) == len(first)], known)
    if named is None:
        line = ",".join(first)[:MOST_OF_A_LINE]
        raise DataError(
            f"{path}: line {start[0][0]} is {line!r}, which may be a header or a sample"
            f"{_odd(first)}: say which by {remedy}"
        )
    names = tuple(first) if named else tuple(f"column_{n + 1}" for n in range(len(first)))
    if named:
        names = (names[0].removeprefix("#").lstrip(), *names[1:])
        _check_names(path, names)
    lines = itertools.chain(start[1:] if named else start, rows)
    return Table(path, names, named, _of_one_length(path, lines, len(names)))


def _rows(path: Path, stream: TextIO) -> Iterator[Row]:
    """Lines that are not empty, as cells; a cell never spans lines."""
    lines = itertools.dropwhile(lambda line: not line.strip(), stream)
    first = next(lines, "")
    said = SEPARATOR_LINE.fullmatch(first)
    if said:
        first = next(lines, "")
    separator = said[1] if said else _separator(path, first)
    reader = csv.reader(itertools.chain([first], lines), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any("\n" in cell or "\r" in cell for cell in row):
                raise DataError(f"{path}: line {reader.line_num}: a cell spans lines: check quotes")
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} is no row of cells: {error}") from error


def _separator(path: Path, line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    found = [character for character in ",;" if character in bare]
    if len(found) > 1:
        raise DataError(
            f"{path}: its first line has commas and semicolons, expected one of them between cells "
            "and numbers with a decimal point"
        )
    return found[0] if found else "\t" if "\t" in bare.strip() else ","


def _of_one_length(path: Path, rows: Iterator[Row], length: int) -> Iterator[Row]:
    for line, row in rows:
        if len(row) != length:
            shown = ",".join(row)[:MOST_OF_A_LINE]
            raise DataError(
                f"{path}: line {line} has {len(row)} cells ({shown!r}), expected {length}"
            )
        yield line, row


def _check_names(path: Path, names: Sequence[str]) -> None:
    if "" in names:
        raise DataError(
            f"{path}: column {names.index('') + 1} has no name in the header, expected a name for "
            "each (an index that a program added is best left out)"
        )
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise DataError(f"{path}: its header has {repeated[0]!r} twice, expected each name once")


def is_header(
    first: Sequence[str], below: Sequence[Sequence[str]], known: Collection[str] = ()
) -> bool | None:
    """Tell a header by the lines below it; None where it may be either.

    >>> is_header(["5.1", "setosa"], [["4.9", "setosa"]]), is_header(["cm", "kind"], [["4.9", "a"]])
    (False, True)
    >>> is_header(["5.1", "O.2"], [["4.9", "1.5"]]), is_header(["0", "1", "2"], [["4", "9", "5"]])
    (None, None)
    """
    if known and set(known) <= set(first):
        return True
    columns = list(zip(*below, strict=True)) if below else []
    numeric = [n for n, cells in enumerate(columns) if 2 * sum(map(is_number, cells)) >= len(cells)]
    cells = [first[n] for n in numeric or range(len(first))]
    numbers = sum(map(is_number, cells))
    if numbers == len(cells):
        return None if _count_up(cells) else False
    if numbers or all(map(_may_be_a_number, cells)):
        return None
    text = [n for n in range(len(columns)) if numeric and n not in numeric]
    return None if any(first[n] and first[n] in columns[n] for n in text) else True


def _may_be_a_number(cell: str) -> bool:
    return cell.lower() in MISSING or NEARLY_A_NUMBER.fullmatch(cell) is not None


def _count_up(cells: Sequence[str]) -> bool:
    counts = ([str(n + start) for n in range(len(cells))] for start in (0, 1))
    return len(cells) >= FEWEST_COUNTED and list(cells) in counts


def _odd(first: Sequence[str]) -> str:
    """The only cell of a line that is no number."""
    others = [n for n, cell in enumerate(first) if not is_number(cell)]
    return f" (column {others[0] + 1} is {first[others[0]]!r})" if len(others) == 1 else ""
