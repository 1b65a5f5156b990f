"""The ledger: what every campaign claims, and whether its sources and tools are those of today.

Evidence that campaigns leave under ``build/`` is gathered into a file in git, from which the page
is written. A claim whose sources or tools have changed since stands there as of earlier sources.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common import cli, errors, markdown
from common.files import write_atomically
from common.paths import ROOT
from verify import record

PAGE = ROOT / "docs" / "verification.md"
LEDGER = ROOT / "docs" / "results" / "ledger.json"
BLOCK = "ledger"

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
COLUMNS = ("level", "claim", "figures", "command", "seconds", "seed", "date", "holds for")
FRESH = "these sources"
# Of evidence that was left before sources and tools were recorded.
UNKNOWN = "everything: what it rests on was not recorded"

Entry = dict[str, Any]


class LedgerError(errors.CommandError):
    """A level without evidence, or a page that is not true; the message says what to run."""


def read(ledger: Path) -> dict[str, Entry]:
    """Every claim of a ledger's file by its name, the sources of each with their digests."""
    content = json.loads(ledger.read_text())
    listed = [line.rpartition(" ") for line in content["sources"]]
    return {
        name: entry | {"sources": {listed[n][0]: listed[n][2] for n in entry["sources"]}}
        for name, entry in content["claims"].items()
    }


def text(entries: Mapping[str, Entry]) -> str:
    """The file of a ledger: each source with its digest once, then a line a claim."""
    lines = {name: source_lines(entry) for name, entry in entries.items()}
    listed = sorted({line for found in lines.values() for line in found})
    number = {line: index for index, line in enumerate(listed)}
    claims = [
        f"{json.dumps(name)}: "
        + json.dumps(entry | {"sources": [number[line] for line in lines[name]]})
        for name, entry in entries.items()
    ]
    sources = ",\n".join(map(json.dumps, listed))
    return f'{{"sources": [\n{sources}\n],\n"claims": {{\n' + ",\n".join(claims) + "\n}}\n"


def source_lines(entry: Entry) -> list[str]:
    """``rtl/mlp_top.v 0123456789abcdef``, a line a source of a claim."""
    return [f"{path} {digest[:DIGITS]}" for path, digest in sorted(entry["sources"].items())]


# Hexadecimal digits of a source's digest in the file.
DIGITS = 16


def gather(evidence: Path, known: Mapping[str, Entry]) -> dict[str, Entry]:
    """The claims that are known, with those of which ``evidence`` has newer ones, by level.

    What holds for today's sources is newer than what does not, then what has the later date.
    Raises `LedgerError` where a level has none.
    """
    found = dict(known)
    for path in sorted(evidence.glob("*.json")):
        entry = json.loads(path.read_text())
        old = found.get(path.stem)
        if old is None or _age(entry) >= _age(old):
            found[path.stem] = entry
    for level, name in enumerate(LEVELS):
        if not any(entry["level"] == level for entry in found.values()):
            raise LedgerError(f"level {level}, {name}, has no evidence in {evidence}")
    return dict(sorted(found.items(), key=lambda item: (item[1]["level"], item[0])))


def _age(entry: Entry) -> tuple[bool, str]:
    return not changes(entry), entry["date"]


def changes(entry: Entry) -> list[str]:
    """Ingredients of a claim that are not as they were: sources and tools, a word each.

    A source is named where it is Verilog, else by its folder.
    """
    if entry["basis"] is None:
        return [UNKNOWN]
    try:
        now = record.rests_on(entry["basis"])
    except ValueError as error:
        return [str(error)]
    were, are = ({line.rpartition(" ")[0]: line for line in source_lines(e)} for e in (entry, now))
    names = {name for name in were.keys() | are.keys() if were.get(name) != are.get(name)}
    sources = {name if name.endswith(".v") else str(Path(name).parent) for name in names}
    tools = {
        f"{name} {entry['tools'].get(name, 'none')}, now {now['tools'].get(name, 'none')}"
        for name in entry["tools"].keys() | now["tools"].keys()
        if entry["tools"].get(name) != now["tools"].get(name)
    }
    return [*sorted(sources), *sorted(tools)]


def table(entries: Mapping[str, Entry]) -> str:
    """The ledger as Markdown: a row a claim."""
    rows = []
    for entry in entries.values():
        changed = changes(entry)
        holds = f"earlier sources; changed: {', '.join(changed)}" if changed else FRESH
        rows.append(
            (
                f"{entry['level']} {LEVELS[entry['level']]}",
                entry["claim"],
                "; ".join(f"{name} {_figure(value)}" for name, value in entry["figures"].items()),
                f"`{entry['command']}`",
                f"{entry['seconds']:,.0f}",
                "" if entry["seed"] is None else str(entry["seed"]),
                entry["date"],
                holds,
            )
        )
    return markdown.table(COLUMNS, rows)


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def block(entries: Mapping[str, Entry]) -> str:
    """Text between the markers of the page: the table, and the tools of all claims."""
    versions: dict[str, list[str]] = {}
    for entry in entries.values():
        for tool, version in entry["tools"].items():
            known = versions.setdefault(tool, [])
            known.extend([] if version in known else [version])
    named = ", ".join(f"{tool} {' and '.join(known)}" for tool, known in sorted(versions.items()))
    return f"{table(entries)}\nTools: {named}."


def check(page: Path, ledger: Path) -> None:
    """Raise `LedgerError` unless the page says of each claim what is true today."""
    if markdown.block(page.read_text(), BLOCK) != block(read(ledger)).strip():
        raise LedgerError(
            f"{page}: must say which claims hold for the sources as they are: "
            "run `python -m verify.ledger`"
        )


def stale(entries: Mapping[str, Entry]) -> list[str]:
    """The commands that make every claim one of today's sources, each once."""
    return list(dict.fromkeys(e["command"] for e in entries.values() if changes(e)))


def run(arguments: argparse.Namespace) -> None:
    """Write the ledger and the page, or neither; raise `LedgerError` where it must be fresh."""
    known = read(arguments.ledger) if arguments.ledger.exists() else {}
    entries = gather(arguments.evidence, known)
    markdown.fill(arguments.page, {BLOCK: block(entries)})
    write_atomically(arguments.ledger, text(entries))
    again = stale(entries)
    count = sum(not changes(entry) for entry in entries.values())
    print(f"{arguments.page}: {len(entries)} claims, {count} of them of these sources")
    if again and arguments.fresh:
        raise LedgerError(f"claims of earlier sources are left: run {_commands(again)}")


def _commands(commands: Iterable[str]) -> str:
    return ", ".join(f"`{command}`" for command in commands)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m verify.ledger", description=__doc__)
    for name, default, words in (
        ("evidence", record.FOLDER, "folder of what campaigns left"),
        ("ledger", LEDGER, "file of every claim"),
        ("page", PAGE, "page that is written into"),
    ):
        built.add_argument(
            f"--{name}", type=Path, default=default, help=f"{words} (default: %(default)s)"
        )
    built.add_argument(
        "--fresh", action="store_true", help="fail where a claim is of earlier sources"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
