"""What commands write into pages that people write: text between two markers."""

from collections.abc import Mapping
from pathlib import Path

from model.artifact import write_atomically
from scripts import cli


def fill(path: Path, blocks: Mapping[str, str]) -> None:
    """Put each text between ``<!-- name -->`` and ``<!-- /name -->`` of a page, and write it.

    Raises `CommandError` where the page or a pair of markers is missing.
    """
    try:
        page = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise cli.CommandError(f"{path}: cannot be read: {error}") from error
    for name, text in blocks.items():
        opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, opened, rest = page.partition(opening)
        _, closed, after = rest.partition(closing)
        if not (opened and closed):
            raise cli.CommandError(f"{path}: legal is a page that has {opening} and {closing}")
        page = f"{before}{opening}\n\n{text.strip()}\n\n{closing}{after}"
    write_atomically(path, page)
