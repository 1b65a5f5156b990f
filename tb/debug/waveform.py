"""Reads a waveform cycle by cycle: the values that flip-flops saw, whichever simulator wrote it."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pywellen

from common.errors import VerbatimError
from tb.streams import PERIOD_NS

# A number, or its bits where some of them are x or z.
Value = int | str

_TICKS_PER_NS = {"1ps": 1000, "1ns": 1}


class WaveformError(VerbatimError):
    """A waveform that cannot be read, or has no signal of a name."""


@dataclass(frozen=True)
class Handshake:
    """A stream that was found in a waveform by the names of its signals."""

    scope: str
    prefix: str
    payloads: tuple[str, ...]

    @property
    def name(self) -> str:
        """``mlp_top.u_layers.g_layer[0].u_layer.acc_``."""
        return f"{self.scope}.{self.prefix}"


class Waveform:
    """The signals of one FST or VCD file by their full names, such as ``mlp_relu.in_x``."""

    def __init__(self, path: Path) -> None:
        """Open ``path``; raises `WaveformError` where it is no waveform."""
        if not path.is_file():
            raise WaveformError(f"{path}: is no waveform: there is no such file")
        try:
            self._file = pywellen.Waveform(str(path))
        except Exception as error:
            raise WaveformError(f"{path}: is no waveform: {error}") from error
        # What is no vector, such as a real number, has no bits.
        self._vars = {var.full_name: var for var in self._file.all_vars() if var.bitwidth}
        timescale = str(self._file.timescale)
        if timescale not in _TICKS_PER_NS:
            raise WaveformError(f"{path}: timescale must be 1ps or 1ns, got {timescale}")
        self.ticks_per_ns = _TICKS_PER_NS[timescale]

    @property
    def names(self) -> set[str]:
        """Full names of all signals."""
        return set(self._vars)

    def width(self, name: str) -> int:
        """Bits of a signal."""
        return int(self._vars[name].bitwidth)

    def changes(self, name: str) -> list[tuple[int, Value]]:
        """``(ns, value)`` of each change of a signal."""
        if name not in self._vars:
            raise WaveformError(f"no signal {name} is in the waveform")
        return [(time // self.ticks_per_ns, value) for time, value in self._vars[name].signal]

    @cached_property
    def top(self) -> str:
        """Name of the design: the scope that holds the other scopes."""
        tops = {name.partition(".")[0] for name in self._vars} - {"$rootio"}
        (top,) = tops - {"iverilog_dump"}
        return top

    @cached_property
    def edges(self) -> list[int]:
        """Nanoseconds of each rising edge of the clock, or of each cycle where there is none."""
        clk = f"{self.top}.clk"
        if clk in self._vars:
            return [time for time, value in self.changes(clk) if value == 1]
        last = max(self.changes(name)[-1][0] for name in self._vars)
        return list(range(PERIOD_NS, last + 1, PERIOD_NS))

    def at_edges(self, name: str) -> list[Value]:
        """The value of a signal that each edge samples: what stood before it."""
        changes = self.changes(name)
        times = [time for time, _ in changes]
        found = (bisect_left(times, edge) for edge in self.edges)
        return [changes[index - 1][1] if index else "x" for index in found]

    def handshakes(self) -> list[Handshake]:
        """Every stream: a one-bit ``valid`` and ``ready`` of one prefix, and what shares it."""
        found = []
        for name in sorted(self._vars):
            match = re.fullmatch(r"(.+)\.(\w+_t?)valid", name)
            if match is None or name.startswith("$"):
                continue
            scope, prefix = match.groups()
            handshake = [f"{scope}.{prefix}{signal}" for signal in ("valid", "ready")]
            if any(wire not in self._vars or self.width(wire) != 1 for wire in handshake):
                continue
            found.append(Handshake(scope, prefix, self._payloads(scope, prefix, handshake)))
        return found

    def _payloads(self, scope: str, prefix: str, handshake: list[str]) -> tuple[str, ...]:
        """``acc`` and ``acc_last`` beside ``acc_valid`` and ``acc_ready``."""
        stem = re.escape(f"{scope}.{prefix}")
        load = re.compile(rf"{stem}\w+|{stem.removesuffix('_')}")
        return tuple(sorted(set(filter(load.fullmatch, self._vars)) - set(handshake)))
