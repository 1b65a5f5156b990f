"""docs/results/checkers.md: what each mutant of a checker changes, and the test that noticed it."""

from collections import Counter
from collections.abc import Sequence

from common import markdown
from verify.checkers.judge import Outcome, Verdict

OUTCOMES: tuple[Outcome, ...] = ("killed", "survived")
# Characters of a cell; what is longer is cut.
MOST = 90
INTRODUCTION = """# Mutants of the checkers

`make verify-checkers` writes this page.
A bench that compares less, a proof that takes *undecided* for an answer or a store that believes
half a result would pass everything. So one check at a time is weakened in a copy of the checkout,
and the tests of that check run there. A mutant is *killed* when one of them fails; else it has
*survived*, and the command fails. First the tests must pass in a copy without a mutant. A change
after which Python itself fails, or a test that cannot run, is an error and no verdict.

"""


def _cell(text: str) -> str:
    """Text in one line of a table, cut where it is long."""
    line = " ".join(text.replace("|", "\\|").split())
    return line if len(line) <= MOST else f"{line[:MOST]} ..."


def _code(text: str) -> str:
    """Text as code, where there is any."""
    line = _cell(text)
    if not line:
        return "nothing"
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def summary(verdicts: Sequence[Verdict]) -> str:
    """One row a source, and their sum."""
    sources = dict.fromkeys(found.mutant.source for found in verdicts)
    groups = {f"`{name}`": [v for v in verdicts if v.mutant.source == name] for name in sources}
    rows = []
    for label, group in [*groups.items(), ("sum", list(verdicts))]:
        counts = Counter(found.outcome for found in group)
        rows.append((label, len(group), *(counts[outcome] for outcome in OUTCOMES)))
    columns = ("checker", "in all", *OUTCOMES)
    return markdown.table(columns, rows, right=range(1, len(columns)))


def listed(verdicts: Sequence[Verdict], outcome: Outcome) -> str:
    """Each mutant of this outcome, by its source: what it changes, and what a test said."""
    parts = []
    for source in dict.fromkeys(v.mutant.source for v in verdicts if v.outcome == outcome):
        rows = [
            (f"`{v.mutant.name}`", *map(_code, (v.mutant.text, v.mutant.instead, v.test)))
            for v in verdicts
            if v.mutant.source == source and v.outcome == outcome
        ]
        table = markdown.table(("mutant", "text", "becomes", "noticed by"), rows)
        parts.append(f"### {source}\n\n{table}")
    return "\n".join(parts) if parts else "None.\n"


def page(verdicts: Sequence[Verdict], of: int) -> str:
    """The whole page: verdicts on so many of ``of`` mutants."""
    return "\n".join(
        [
            f"{INTRODUCTION}{len(verdicts)} of {of} judged.\n\n{summary(verdicts)}",
            f"## Survived\n\n{listed(verdicts, 'survived')}",
            f"## Killed\n\n{listed(verdicts, 'killed')}",
        ]
    )


def figures(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """For the ledger."""
    counts = Counter(found.outcome for found in verdicts)
    sources = {found.mutant.source for found in verdicts}
    named = {str(outcome): counts[outcome] for outcome in OUTCOMES}
    return {"mutants": len(verdicts), "checkers": len(sources), **named}
