"""Mistakes that a designer could make, by name: each in one place, each caught by a case."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from common.paths import RTL


@dataclass(frozen=True)
class Mutant:
    """``right`` stands once in ``module``'s file and becomes ``wrong``; ``case`` must fail."""

    name: str
    module: str
    right: str
    wrong: str
    case: str = ""


def mistake(name: str, case: str, right: str, wrong: str) -> Mutant:
    """A mutant of the module whose description it stands in, caught at the setting ``case``."""
    return Mutant(name, "", right, wrong, case)


def mutated(mutant: Mutant, folder: Path, rtl: Path = RTL) -> Path:
    """Write a copy of ``rtl`` with the mutant in it; return ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(rtl, folder)
    source = folder / f"{mutant.module}.v"
    text = source.read_text()
    assert text.count(mutant.right) == 1, f"{mutant.name}: {mutant.right!r} does not stand once"
    source.write_text(text.replace(mutant.right, mutant.wrong))
    return folder
