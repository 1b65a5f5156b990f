"""The beats that a bench compared, as its scoreboard wrote them down."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One beat of a channel: when it was handed over, what it had to carry, what it carried."""

    channel: str
    time_ns: int
    expected: list[int]
    got: list[int]

    @property
    def differing(self) -> list[int]:
        """Lanes that differ."""
        pairs = zip(self.expected, self.got, strict=True)
        return [lane for lane, (expected, got) in enumerate(pairs) if expected != got]


class Diary:
    """Every beat of one test, in the order in which they came."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self.entries = entries
        self._channels: dict[str, list[Entry]] = {}
        for entry in self.entries:
            self._channels.setdefault(entry.channel, []).append(entry)

    @classmethod
    def read(cls, path: Path) -> "Diary":
        """Read the beats that a simulation left; a bench that compared nothing leaves no file."""
        lines = path.read_text().splitlines() if path.exists() else []
        return cls([Entry(*json.loads(line)) for line in lines])

    @property
    def first_divergence(self) -> Entry | None:
        """The earliest beat that differs."""
        return next((entry for entry in self.entries if entry.differing), None)

    def from_time(self, channel: str, time_ns: int) -> list[Entry]:
        """The beats of a channel that were handed over at ``time_ns`` or later."""
        entries = self._channels.get(channel, [])
        return entries[bisect_left(entries, time_ns, key=lambda entry: entry.time_ns) :]
