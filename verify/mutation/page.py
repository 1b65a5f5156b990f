"""docs/results/mutation.md: verdicts on the mutants, by module, and the line of each survivor."""

from collections import Counter
from collections.abc import Sequence

from common import markdown
from verify.mutation.judge import Outcome, Verdict

KINDS = {
    "netlist": "by Yosys",
    "named": "named mistakes",
    "data": "exported data",
}
OUTCOMES: tuple[Outcome, ...] = ("killed", "equivalent", "survived")
INTRODUCTION = """# Mutants

`make verify-mutation` writes this page.
It breaks the design in one place at a time and looks whether the
benches of `make test` notice. A mutant is *killed* when a bench fails on it; it is *equivalent*
when a proof shows that nobody can tell it from the module at its streams; else it has *survived*,
and the command fails. First each module must pass its bench as an unchanged netlist.

* by Yosys: one bit of one cell inverted, stuck at 0 or 1, or tied to another bit; spread over the
  modules by their lines. A proof sets module and mutant side by side under all inputs, stalls and
  resets, by ABC's property-directed reachability. A mutant with another clock, or edge,
  is killed by the rule that registers have the rising edge of `clk`, where no bench has noticed it.
* named mistakes: those of `tb/modules/`, such as a wrong rounding or a lost backpressure.
* exported data: bits of weights, biases and table entries of the golden network, and its shifts.

"""


def _counts(owner: str, rows: Sequence[Sequence[object]]) -> str:
    columns = [owner, "in all", *OUTCOMES]
    return markdown.table(columns, rows, right=range(1, len(columns)))


def _counted(label: str, verdicts: Sequence[Verdict]) -> list[object]:
    counts = Counter(verdict.outcome for verdict in verdicts)
    return [label, len(verdicts), *(counts[outcome] for outcome in OUTCOMES)]


def summary(verdicts: Sequence[Verdict]) -> str:
    """One row a kind, and their sum."""
    rows = [
        _counted(label, [v for v in verdicts if v.kind == kind]) for kind, label in KINDS.items()
    ]
    return _counts("mutants", [*rows, _counted("sum", verdicts)])


def by_module(verdicts: Sequence[Verdict]) -> str:
    """One row a module or image."""
    owners = dict.fromkeys(verdict.module for verdict in verdicts)
    rows = [
        _counted(f"`{owner}`", [v for v in verdicts if v.module == owner])
        for owner in sorted(owners)
    ]
    return _counts("module or image", rows)


def listed(verdicts: Sequence[Verdict], outcome: str) -> str:
    """Each mutant of this outcome: where it is, what it changes, and why it counts as that."""
    rows = [
        (f"`{v.name}`", v.source, f"`{v.change}`", v.why) for v in verdicts if v.outcome == outcome
    ]
    return markdown.table(("mutant", "source", "change", "why"), rows) if rows else "None.\n"


def page(verdicts: Sequence[Verdict], seed: int, of: int) -> str:
    """The whole page: verdicts on so many of ``of`` mutants."""
    parts = [
        f"{INTRODUCTION}Seed {seed}, {len(verdicts)} of {of} judged.\n\n{summary(verdicts)}",
        f"## By module\n\n{by_module(verdicts)}",
        f"## Survived\n\n{listed(verdicts, 'survived')}",
        f"## Proved equivalent\n\n{listed(verdicts, 'equivalent')}",
    ]
    return "\n".join(parts)


def figures(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """For the ledger."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    of_rtl = sum(verdict.kind == "netlist" for verdict in verdicts)
    named = {str(outcome): counts[outcome] for outcome in OUTCOMES}
    return {"mutants": len(verdicts), "mutants of the RTL by Yosys": of_rtl, **named}
