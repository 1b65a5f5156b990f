"""Say whose a build folder is, so that recipes of one name in different folders do not meet."""

import argparse
from pathlib import Path

from common import cli
from common.errors import CommandError
from common.files import write_atomically
from common.paths import BUILD, INSTALLED, PACKAGE, RECIPES, ROOT

# In a build folder: what it is made from.
MARKER = "made-from"


def described(source: Path) -> str:
    """Words for a recipe or a network's file that stay the same where a project is moved.

    Those of the project lead from the folder that has ``build/``; any other path is whole.
    """
    path = source.resolve()
    if INSTALLED and path.is_relative_to(ROOT):
        return f"{PACKAGE}{path.relative_to(ROOT)}"
    return str(path.relative_to(BUILD.parent) if path.is_relative_to(BUILD.parent) else path)


def claim(build: Path, source: Path) -> None:
    """Mark a folder as that of ``source``, where nothing else is in it.

    Raises `CommandError` where it is another one's, or has files that no network's folder begins
    with.
    """
    whose, marker = described(source), build / MARKER
    try:
        if marker.exists():
            found = marker.read_text().strip()
            if found != whose:
                raise CommandError(
                    f"{build}: must be the folder of {whose}, is that of {found}: rename one of "
                    "the two files, or move the folder away"
                )
            return
        shipped = source.resolve().parent == RECIPES
        if build.exists() and not shipped and any(build.iterdir()):
            raise CommandError(
                f"{build}: must be empty or not exist before {whose} is built in it, has no file "
                f"{MARKER}: rename the recipe, or move the folder away"
            )
        write_atomically(marker, f"{whose}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{build}: cannot be used: {error}") from error


def run(arguments: argparse.Namespace) -> None:
    """Claim ``--build`` for ``--network``."""
    claim(arguments.build, arguments.network)


if __name__ == "__main__":
    cli.main(run, cli.build_parser("scripts.claim", __doc__))
