"""A table keeps every digit at every width."""

import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from common.tables import Fitted

NAMES = ["fc1.acc", "softmax.probabilities", "m_axis.tuser"]
NUMBERS = [[f"{1000 * row + column}.{column:06d}" for column in range(9)] for row in range(3)]


def table() -> Table:
    made = Table(title="values")
    made.add_column("stream", no_wrap=True)
    for column in range(9):
        made.add_column(f"of {column}", justify="right", no_wrap=True)
    for name, numbers in zip(NAMES, NUMBERS, strict=True):
        made.add_row(name, *numbers)
    return made


def printed(width: int) -> str:
    text = io.StringIO()
    Console(file=text, width=width).print(Fitted(table()))
    return text.getvalue()


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40])
def test_every_cell_is_whole_at_every_width(width: int) -> None:
    text = printed(width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in text and "..." not in text
    found = re.findall(r"\d+\.\d{6}", text)
    assert sorted(found) == sorted(cell for numbers in NUMBERS for cell in numbers)
    # Each block names its rows.
    blocks = text.count("stream")
    assert blocks == (1 if width == 200 else text.count("fc1.acc")) and blocks >= 1
    for name, numbers in zip(NAMES, NUMBERS, strict=True):
        rows = [line for line in lines if name in line]
        assert re.findall(r"\d+\.\d{6}", " ".join(rows)) == numbers


def test_a_table_that_fits_stays_as_it_is() -> None:
    text = io.StringIO()
    Console(file=text, width=200).print(table())
    assert printed(200) == text.getvalue()


def test_a_column_that_is_too_wide_by_itself_wraps() -> None:
    text = printed(24)
    digits = "".join(re.findall(r"[\d.]", text))
    assert "…" not in text
    assert len(digits) >= sum(len(number) for numbers in NUMBERS for number in numbers)
