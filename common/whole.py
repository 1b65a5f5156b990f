"""Tables of `common.tables` in which a blank inside a number or a name is no place to cut it."""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table

from common import tables
from common.tables import Fitted, console


class Whole(Fitted):
    """A fitted table whose columns that may not wrap are as wide as their cells."""

    def _width(self, console: Console, options: ConsoleOptions, block: Sequence[int]) -> int:
        wide = options.update(max_width=tables._UNLIMITED)
        part = tables._part(self.table, block, whole=True)
        part.title = None
        for column in part.columns:
            cells = (column.header, *column.cells) if column.no_wrap else ()
            column.min_width = max(
                (Measurement.get(console, wide, cell).maximum for cell in cells), default=None
            )
        return Measurement.get(console, wide, part).minimum


def show(*shown: RenderableType) -> None:
    """Print tables so that each fits; anything else as rich prints it."""
    for one in shown:
        console().print(Whole(one) if isinstance(one, Table) else one)
