"""Gather what every campaign has left into the ledger: one table, one JSON, one RTL."""

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import cli, errors, markdown, sources
from common.files import write_atomically
from common.paths import BUILD, ROOT
from verify import record

PAGE = ROOT / "docs" / "verification.md"
LEDGER = BUILD / "verification.json"

# The levels of docs/verification.md, each of which needs evidence.
LEVELS = (
    "lint",
    "reference",
    "modules",
    "network",
    "protocol",
    "exhaustive",
    "X and reset",
    "netlist",
    "formal",
    "mutation",
    "agreement",
)
DIGEST = "sha256 of the RTL: "
COLUMNS = ("level", "claim", "figures", "command", "seconds", "seed", "date")


class LedgerError(errors.CommandError):
    """Evidence that is missing, or that speaks of another RTL: the message says what to run."""


def gather(folder: Path, rtl: str) -> dict[str, dict[str, Any]]:
    """All evidence of ``folder`` by name, in the order of the levels.

    Raises `LedgerError` where a level has none, or where one speaks of an RTL other than ``rtl``.
    """
    found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for level, name in enumerate(LEVELS):
        if not any(entry["level"] == level for entry in found.values()):
            raise LedgerError(f"level {level}, {name}, has no evidence in {folder}")
    for name, entry in found.items():
        if entry["rtl"] != rtl:
            raise LedgerError(f"{name} ran on another RTL: run `{entry['command']}` again")
    return dict(sorted(found.items(), key=lambda item: (item[1]["level"], item[0])))


def table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The ledger as Markdown: a row a campaign."""
    rows = []
    for entry in entries.values():
        rows.append(
            (
                f"{entry['level']} {LEVELS[entry['level']]}",
                entry["claim"],
                "; ".join(f"{name} {_figure(value)}" for name, value in entry["figures"].items()),
                f"`{entry['command']}`",
                f"{entry['seconds']:,.0f}",
                "" if entry["seed"] is None else str(entry["seed"]),
                entry["date"],
            )
        )
    return markdown.table(COLUMNS, rows)


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def block(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """What stands between the markers of the page: the table, the RTL's digest, the tools."""
    first = next(iter(entries.values()))
    versions: dict[str, list[str]] = {}
    for entry in entries.values():
        for tool, version in entry["tools"].items():
            known = versions.setdefault(tool, [])
            known.extend([] if version in known else [version])
    named = ", ".join(f"{tool} {' and '.join(known)}" for tool, known in sorted(versions.items()))
    return f"{table(entries)}\n{DIGEST}`{first['rtl']}`\n\nTools: {named}."


def check(page: Path, rtl: str) -> None:
    """Raise `LedgerError` unless the ledger on this page speaks of the RTL with this sha256."""
    found = re.search(f"{DIGEST}`([0-9a-f]+)`", page.read_text())
    if not found or found[1] != rtl:
        what = "speaks of another RTL" if found else "holds no ledger"
        raise LedgerError(f"{page}: {what}: run `make verify`")


def run(arguments: argparse.Namespace) -> None:
    """Write the page's ledger and ``build/verification.json``, or neither."""
    entries = gather(arguments.evidence, sources.rtl_digest())
    markdown.fill(arguments.page, {"ledger": block(entries)})
    write_atomically(LEDGER, json.dumps(entries, indent=1) + "\n")
    print(table(entries))
    print(f"{arguments.page}: {len(entries)} campaigns, every level, one RTL")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.ledger", description=__doc__)
    built.add_argument(
        "--evidence",
        type=Path,
        default=record.FOLDER,
        help="folder of what the campaigns left (default: %(default)s)",
    )
    built.add_argument("--page", type=Path, default=PAGE, help="default: %(default)s")
    return built


if __name__ == "__main__":
    cli.main(run, parser())
