"""Tables for a terminal of any width: what does not fit beside the rest goes below it, whole."""

import copy
import itertools
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table

# What a log shows; a terminal has its own width.
COLUMNS = 100
_UNLIMITED = 10_000


class Fitted:
    """A table whose columns stand in blocks below each other where they do not fit side by side.

    Each block begins with the table's first column. Words may wrap, numbers, which stand to the
    right, only where a column is too wide by itself; nothing is cut off.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """As rich prints it."""
        for number, block in enumerate(self._blocks(console, options)):
            whole = self._width(console, options, block) <= options.max_width
            part = _part(self.table, block, whole=whole)
            part.title = self.table.title if number == 0 else None
            yield part

    def _blocks(self, console: Console, options: ConsoleOptions) -> list[list[int]]:
        """The fewest blocks of about as many columns each, all of which fit."""
        others = list(range(1, len(self.table.columns)))
        for count in range(1, len(others) + 1):
            ends = [len(others) * k // count for k in range(count + 1)]
            blocks = [[0, *others[a:b]] for a, b in itertools.pairwise(ends)]
            if all(self._width(console, options, block) <= options.max_width for block in blocks):
                return blocks
        return [[0, index] for index in others] or [[0]]

    def _width(self, console: Console, options: ConsoleOptions, block: Sequence[int]) -> int:
        """Characters that columns take at least.

        One that may not wrap is as wide as its cells: a blank inside them is no place to cut.
        """
        wide = options.update(max_width=_UNLIMITED)
        part = _part(self.table, block, whole=True)
        part.title = None
        for column in part.columns:
            cells = (column.header, *column.cells) if column.no_wrap else ()
            column.min_width = max(
                (Measurement.get(console, wide, cell).maximum for cell in cells), default=None
            )
        return Measurement.get(console, wide, part).minimum


def _part(table: Table, block: Sequence[int], *, whole: bool) -> Table:
    """The same rows with some of the columns; without ``whole`` any of them may wrap."""
    part = copy.copy(table)
    part.columns = []
    for position, index in enumerate(block):
        column = copy.copy(table.columns[index])
        column._index = position
        column.no_wrap = whole and (column.no_wrap or column.justify == "right")
        column.overflow = "fold"
        part.columns.append(column)
    return part


def console() -> Console:
    """Standard output, 100 columns wide where it is no terminal."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else COLUMNS, highlight=False)


def show(*tables: RenderableType) -> None:
    """Print tables so that each fits; anything else as rich prints it."""
    for table in tables:
        console().print(Fitted(table) if isinstance(table, Table) else table)
