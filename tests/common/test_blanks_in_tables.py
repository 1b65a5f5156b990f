"""A table keeps every cell whole at every width, also one that holds blanks."""

import pytest
from rich.console import Console
from rich.table import Table

from common import tables
from common.tables import Fitted

ROWS = [
    ["mean %", "97.33 ± 0.04", "-1 .. 0.992188", "(30/30)*(30/1)", "29 %"],
    ["measured (verilator)", "4,500", "-16 .. 15.875", "", "100 %"],
]


def table() -> Table:
    made = Table()
    made.add_column("what", no_wrap=True)
    for name in ("of 30 test", "holds", "formula", "at the ends"):
        made.add_column(name, justify="right")
    for row in ROWS:
        made.add_row(*row)
    return made


def printed(width: int) -> str:
    shown = Console(width=width)
    with shown.capture() as text:
        shown.print(Fitted(table()))
    return text.get()


@pytest.mark.parametrize("width", [200, 100, 90, 80, 70, 60, 50])
def test_every_cell_is_whole_at_every_width(width: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    for cell in (*(column.header for column in table().columns), *ROWS[0], *ROWS[1]):
        assert str(cell) in text
    # Each block names its rows, and there is one where all fits.
    blocks = text.count("what")
    assert text.count("mean %") == text.count("measured (verilator)") == blocks
    assert (blocks == 1) == (width >= 90)


def test_a_cell_that_is_too_wide_by_itself_wraps() -> None:
    text = printed(24)
    assert max(map(len, text.splitlines())) <= 24
    letters = "".join(character for character in text if character.isalnum())
    for cell in (*ROWS[0], *ROWS[1]):
        assert all(
            letters.count(letter) >= cell.count(letter) for letter in cell if letter.isalnum()
        )


def test_tables_and_words_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(table(), "and a line")
    shown = capsys.readouterr().out
    assert "97.33 ± 0.04" in shown and "and a line" in shown
