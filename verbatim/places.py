"""Networks as a person names them, and the folder in which each is built."""

from dataclasses import dataclass
from pathlib import Path

from common.errors import CommandError
from common.paths import BUILD, RECIPES, odd_characters
from scripts.claim import MARKER

NETWORK = "network.json"


@dataclass(frozen=True)
class Place:
    """A recipe or a network's file, and the folder of everything that is made from it.

    ``text`` is what a person typed.
    """

    text: str
    source: Path
    build: Path

    @property
    def is_recipe(self) -> bool:
        """Return False for the file of a network, which needs no training."""
        return self.source.suffix == ".toml"

    @property
    def network(self) -> Path:
        """File of the network."""
        return self.build / NETWORK


def place(text: str) -> Place:
    """Find a network by the name of a shipped recipe, or by the path of a ``.toml`` or ``.json``.

    Raises `CommandError` where it is none, and where its name cannot be a folder's.
    """
    path = Path(text)
    if path.suffix not in (".toml", ".json"):
        shipped = {found.stem: found for found in RECIPES.glob("*.toml")}
        if text not in shipped:
            raise CommandError(
                f"network must be one of {', '.join(sorted(shipped))}, or the path of a recipe "
                f"(.toml) or of a network's file (.json), got {text!r}"
            )
        path = shipped[text]
    if not path.is_file():
        raise CommandError(f"{path}: cannot be read: no such file")
    if path.name == NETWORK and (path.parent / MARKER).is_file():
        return Place(text, path, path.parent)
    if odd := odd_characters(Path("/", path.stem)):
        raise CommandError(f"{path}: its name must have no {odd[0]!r}, since a folder has it too")
    return Place(text, path, _shown(BUILD) / path.stem)


def built() -> list[Path]:
    """Network of each folder that holds one."""
    return sorted(path.parent / NETWORK for path in _shown(BUILD).glob(f"*/{NETWORK}"))


def _shown(path: Path) -> Path:
    """A path from the folder of the process, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
