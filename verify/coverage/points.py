"""Verilator's counts: its coverage.dat files read, merged, and held against the exclusions.

A point is a place in the source and what was counted there. It is the same point in every instance,
at every parameter set and in every run, and it is covered when one of them covered it.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from common.errors import VerbatimError

# "branch" is one way out of a decision, "expr" one way in which a term decides an expression,
# "toggle" one edge of one bit, "line" a block of statements.
KINDS = ("line", "branch", "toggle", "expr")

_RECORD = re.compile(r"C '(?P<keys>.*)' (?P<count>\d+)")
_FIRST_LINE = "# SystemC::Coverage-3"
_INDEX = re.compile(r"\[[^\[\]]*\](\+:\d+)?")
_NUMBER = re.compile(r"\d+'s?h[0-9a-f]+")


class CoverageError(VerbatimError):
    """Coverage that cannot be read, or an exclusion that excuses nothing or too much."""


@dataclass(frozen=True, order=True)
class Point:
    """A place in a source, the kind of what is counted there, and which of its possibilities."""

    module: str
    line: int
    column: int
    kind: str
    what: str


def shape(expression: str) -> str:
    """An expression's term without what parameters make of it: widths, indices, repetitions.

    >>> shape("(a[3:0][1]==0 && a[3:0][2]==0 && b==32'h1) => 0")
    '(a==0 && b==#) => 0'
    """
    found = _NUMBER.sub("#", expression)
    while (shorter := _INDEX.sub("", found)) != found:
        found = shorter
    terms, arrow, value = found.partition(" => ")
    each = dict.fromkeys(terms.removeprefix("(").removesuffix(")").split(" && "))
    return f"({' && '.join(each)}){arrow}{value}" if arrow else found


def read(path: Path) -> Counter[Point]:
    """Count of passes of each point in one run; raises `CoverageError` on another file."""
    lines = path.read_text().splitlines()
    if not lines or lines[0] != _FIRST_LINE:
        raise CoverageError(f"{path}: is no coverage of Verilator's, its first line is another")
    counts: Counter[Point] = Counter()
    for number, line in enumerate(lines[1:], start=2):
        record = _RECORD.fullmatch(line)
        if record is None:
            raise CoverageError(f"{path}: line {number} is no record: {line[:60]!r}")
        keys = dict(entry.split("\2", 1) for entry in record["keys"].split("\1")[1:])
        if keys["t"] not in KINDS:
            raise CoverageError(
                f"{path}: line {number} must count one of {KINDS}, got {keys['t']!r}"
            )
        what = shape(keys["o"]) if keys["t"] == "expr" else keys["o"]
        place = Path(keys["f"]).stem, int(keys["l"]), int(keys["n"])
        counts[Point(*place, keys["t"], what)] += int(record["count"])
    return counts


def of_checks(counts: Mapping[Point, int], sources: Mapping[str, list[str]]) -> Counter[Point]:
    """The points of checks at elaboration alone: the decision that an ``initial`` begins with.

    A design that its checks stop drives nothing, so nothing else in it is covered on purpose.
    """
    return Counter(
        {
            point: count
            for point, count in counts.items()
            if point.module in sources
            and sources[point.module][point.line - 2].strip() == "initial begin"
        }
    )


def merged(runs: Iterable[Mapping[Point, int]]) -> Counter[Point]:
    """All counts of several runs; points that were never passed keep their 0."""
    total: Counter[Point] = Counter()
    for counts in runs:
        total.update(counts)
    return total


@dataclass(frozen=True)
class Exclusion:
    """Points that no stimulus can cover, and why: all uncovered ones that the patterns fit.

    ``source`` is found in the line of the point, ``what`` in the point's own words; ``most`` is how
    many points it may excuse, so that it does not excuse what comes later.
    """

    module: str
    kinds: tuple[str, ...]
    source: str
    what: str
    most: int
    reason: str

    def fits(self, point: Point, line: str) -> bool:
        """Tell if it excuses an uncovered point on a ``line`` of source."""
        return (
            re.fullmatch(self.module, point.module) is not None
            and point.kind in self.kinds
            and re.search(self.source, line) is not None
            and re.search(self.what, point.what) is not None
        )


def read_exclusions(path: Path) -> list[Exclusion]:
    """The list in a TOML file; raises `CoverageError` on an entry that is not one."""
    legal = {field.name for field in fields(Exclusion)}
    found = []
    for number, entry in enumerate(tomllib.loads(path.read_text())["exclusion"], start=1):
        entry = {"source": "", "what": ""} | entry
        if set(entry) != legal or not entry["reason"].strip() or set(entry["kinds"]) - {*KINDS}:
            raise CoverageError(
                f"{path}: exclusion {number}: must have {', '.join(sorted(legal))}, a reason, and "
                f"kinds of {', '.join(KINDS)}, got {', '.join(entry)}"
            )
        found.append(Exclusion(**entry | {"kinds": tuple(entry["kinds"])}))
    return found


def excused(
    counts: Mapping[Point, int], exclusions: Iterable[Exclusion], sources: Mapping[str, list[str]]
) -> dict[Point, Exclusion]:
    """Each uncovered point that an exclusion fits, by the first that does.

    ``sources`` are the lines of each module. Raises `CoverageError` where an exclusion fits no
    uncovered point, or more of them than it says.
    """
    uncovered = [point for point, count in sorted(counts.items()) if not count]
    found: dict[Point, Exclusion] = {}
    for exclusion in exclusions:
        fitting = [
            point
            for point in uncovered
            if point not in found and exclusion.fits(point, sources[point.module][point.line - 1])
        ]
        if not 0 < len(fitting) <= exclusion.most:
            raise CoverageError(
                f"the exclusion of {exclusion.module}, {exclusion.reason!r}, must fit 1 to "
                f"{exclusion.most} uncovered points, got {len(fitting)}"
            )
        found |= dict.fromkeys(fitting, exclusion)
    return found


@dataclass(frozen=True)
class Figure:
    """Points of one kind: how many there are, are covered, and are excused."""

    points: int
    covered: int
    excused: int

    @property
    def raw(self) -> float:
        """Percent of all points that are covered."""
        return 100 * self.covered / max(1, self.points)

    @property
    def reviewed(self) -> float:
        """Percent of the points that are not excused."""
        return 100 * self.covered / max(1, self.points - self.excused)


def figures(counts: Mapping[Point, int], excuses: Mapping[Point, Exclusion]) -> dict[str, Figure]:
    """A figure for each kind."""
    points = Counter(point.kind for point in counts)
    covered = Counter(point.kind for point, count in counts.items() if count)
    excusable = Counter(point.kind for point in excuses)
    return {kind: Figure(points[kind], covered[kind], excusable[kind]) for kind in KINDS}


@dataclass(frozen=True)
class Collected:
    """Points that all ``runs`` covered together.

    ``excuses`` has the points that an exclusion excuses, ``situations`` the hits of each bin by
    point or cross, ``sources`` the lines of each module.
    """

    runs: int
    counts: Counter[Point]
    excuses: dict[Point, Exclusion]
    situations: dict[str, Counter[str]]
    sources: dict[str, list[str]]

    @property
    def figures(self) -> dict[str, Figure]:
        """Points, covered and excused, by kind."""
        return figures(self.counts, self.excuses)

    @property
    def missing(self) -> list[Point]:
        """Points that are neither covered nor excused."""
        return [
            p for p, count in sorted(self.counts.items()) if not count and p not in self.excuses
        ]

    @property
    def missing_situations(self) -> list[str]:
        """Bins that no sample hit."""
        return [
            f"{name}: {bin_}"
            for name, bins in self.situations.items()
            for bin_, hits in bins.items()
            if not hits
        ]
