"""A weakening of a checker as data."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``text`` stands once in ``source`` and becomes ``instead``; one of ``tests`` must fail."""

    name: str
    source: str
    text: str
    instead: str
    tests: tuple[str, ...]


def weaken(
    source: str, tests: str, changes: Mapping[str, tuple[str, str, str]]
) -> tuple[Mutant, ...]:
    """Mutants of a source: text, what it becomes, and the test in the file ``tests``, by name."""
    return tuple(
        Mutant(name, source, text, instead, (f"{tests}::{test}",))
        for name, (text, instead, test) in changes.items()
    )
