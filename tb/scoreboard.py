"""Compares, counts what it compared, and names the first divergence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.spec import Int


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
    """One stream: the values it must carry, and how far it got."""

    def __init__(self, name: str, expected: Int) -> None:
        self.name = name
        self.expected = expected.reshape(len(expected), -1)
        self.compared = 0
        self.differing = 0

    def observe(self, values: Sequence[int], time_ns: int) -> Divergence | None:
        """Compare the next values of this stream; return the first that differs."""
        first = None
        samples, elements = self.expected.shape
        for got in values:
            sample, element = divmod(self.compared, elements)
            if sample >= samples:
                raise AssertionError(f"{self.name}: a value beyond its {samples} samples: {got}")
            expected = int(self.expected[sample, element])
            self.compared += 1
            if got != expected:
                self.differing += 1
                first = first or Divergence(self.name, sample, element, expected, got, time_ns)
        return first


class Scoreboard:
    """All streams of a bench: passes when every expected value came, equal, and there were some."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.first: Divergence | None = None

    def expect(self, stream: str, values: Int) -> None:
        """``stream`` must carry ``values [samples, ...]``, in this order."""
        self.channels[stream] = Channel(stream, np.asarray(values))

    def observe(self, stream: str, values: Sequence[int], time_ns: int) -> None:
        """The next values that ``stream`` carried."""
        divergence = self.channels[stream].observe(values, time_ns)
        self.first = self.first or divergence

    @property
    def complete(self) -> bool:
        """Every expected value was seen."""
        return all(c.compared == c.expected.size for c in self.channels.values())

    def conclude(self) -> int:
        """Raise AssertionError unless all was compared and equal; return how many values."""
        total = sum(channel.compared for channel in self.channels.values())
        differing = sum(channel.differing for channel in self.channels.values())
        assert self.first is None, f"{self.first} ({differing} of {total} values differ)"
        assert total > 0, "nothing was compared"
        for channel in self.channels.values():
            assert channel.compared == channel.expected.size, (
                f"{channel.name}: {channel.compared} of {channel.expected.size} values came"
            )
        return total
