"""Compares, counts what it compared, and names the first divergence.

In a simulation it leaves how many values it compared, for `tb.sim.runner`; and where VERBATIM_DIARY
names a file, each beat as it comes, for `tb.debug.beat_log`.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from model.format import Int
from model.words import Field
from tb.job import COUNTS


@dataclass(frozen=True)
class Divergence:
    """One value that differs, and when it was seen."""

    stream: str
    sample: int
    element: int
    expected: int
    got: int
    time_ns: int

    def __str__(self) -> str:
        return (
            f"{self.stream}: sample {self.sample}, element {self.element}: "
            f"expected {self.expected}, got {self.got}, at {self.time_ns} ns"
        )


class Channel:
    """One stream: the beats that it must carry, and how far it got."""

    def __init__(self, name: str, field: Field, expected: Int) -> None:
        self.name, self.field = name, field
        self.elements = expected[0].size
        self.words = field.pack_all(expected.reshape(-1, field.lanes))
        self.beats = 0
        self.differing = 0

    @property
    def compared(self) -> int:
        """Values compared."""
        return self.beats * self.field.lanes

    @property
    def size(self) -> int:
        """Values expected."""
        return len(self.words) * self.field.lanes

    def observe(self, word: int, time_ns: int) -> Divergence | None:
        """Compare the next beat of this stream; return the first value that differs."""
        beat, self.beats = self.beats, self.beats + 1
        if beat == len(self.words):
            raise AssertionError(f"{self.name}: a beat beyond the {beat} that were expected")
        if word == self.words[beat]:
            return None
        first = None
        pairs = zip(self.field.unpack(self.words[beat]), self.field.unpack(word), strict=True)
        for lane, (expected, got) in enumerate(pairs):
            if got != expected:
                self.differing += 1
                where = divmod(beat * self.field.lanes + lane, self.elements)
                first = first or Divergence(self.name, *where, expected, got, time_ns)
        return first


class Scoreboard:
    """All streams of a bench: passes when every expected value came, equal, and there were some."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.first: Divergence | None = None
        diary = os.environ.get("VERBATIM_DIARY")
        self.diary = Path(diary) if diary else None

    def expect(self, stream: str, field: Field, values: Int) -> None:
        """``stream`` must carry ``values [samples, ...]``, in this order, in beats of ``field``."""
        self.channels[stream] = Channel(stream, field, values)

    def observe(self, stream: str, word: int, time_ns: int) -> None:
        """The next beat that ``stream`` carried."""
        channel = self.channels[stream]
        if self.diary and channel.beats < len(channel.words):
            lanes = map(channel.field.unpack, (channel.words[channel.beats], word))
            with self.diary.open("a") as page:
                page.write(json.dumps([stream, time_ns, *lanes]) + "\n")
        divergence = channel.observe(word, time_ns)
        self.first = self.first or divergence

    def conclude(self) -> int:
        """Raise AssertionError unless all was compared and equal; return how many values."""
        total = sum(channel.compared for channel in self.channels.values())
        differing = sum(channel.differing for channel in self.channels.values())
        assert self.first is None, f"{self.first} ({differing} of {total} values differ)"
        assert total > 0, "nothing was compared"
        for channel in self.channels.values():
            assert channel.compared == channel.size, (
                f"{channel.name}: {channel.compared} of {channel.size} values came"
            )
        if "VERBATIM_JOB" in os.environ:
            with Path(COUNTS).open("a") as counts:
                counts.write(f"{total}\n")
        return total
