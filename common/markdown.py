"""Markdown that commands write: tables, and blocks between two markers of a page."""

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

from common import errors
from common.files import write_atomically


def table(
    columns: Sequence[object], rows: Iterable[Sequence[object]], right: Container[int] = ()
) -> str:
    """A Markdown table, a line each; the columns whose index is in ``right`` hold numbers.

    >>> table(("stream", "values"), [("fc1.y", 30)], right=[1])
    '| stream | values |\\n| --- | ---: |\\n| fc1.y | 30 |\\n'
    """
    rule = ["---:" if index in right else "---" for index in range(len(columns))]
    lines = (columns, rule, *rows)
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in lines)


def block(page: str, name: str) -> str:
    """Text between the two markers of ``name``; raises `CommandError` as `filled` does.

    >>> block("a <!-- x -->\\n\\nold\\n\\n<!-- /x --> c", "x")
    'old'
    """
    return _parts(page, name)[1].strip()


def filled(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` between the two markers of ``name``, and nothing else changed.

    Raises `CommandError` unless each marker is there once, in order.

    >>> filled("a <!-- x -->old<!-- /x --> c", "x", "new")
    'a <!-- x -->\\n\\nnew\\n\\n<!-- /x --> c'
    """
    before, _, after = _parts(page, name)
    return f"{before}<!-- {name} -->\n\n{text.strip()}\n\n<!-- /{name} -->{after}"


def _parts(page: str, name: str) -> tuple[str, str, str]:
    """Text before, between and after the markers."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opened, rest = page.partition(opening)
    between, closed, after = rest.partition(closing)
    if not (opened and closed) or opening in rest or closing in before + after:
        raise errors.CommandError(f"the page must have {opening} and {closing}, once each")
    return before, between, after


def fill(path: Path, blocks: Mapping[str, str]) -> None:
    """Put each text between its markers of a page, and write the page whole or not at all."""
    try:
        page = path.read_text()
        for name, text in blocks.items():
            page = filled(page, name, text)
    except (OSError, UnicodeDecodeError) as error:
        raise errors.CommandError(f"{path}: cannot be read: {error}") from error
    except errors.CommandError as error:
        raise errors.CommandError(f"{path}: {error}") from error
    write_atomically(path, page)


def table_of_numbers(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    return table(columns, rows, right=range(1, len(columns))).rstrip("\n")
