"""Cuts a window out of a waveform: as small as what it is needed for."""

from pathlib import Path
from typing import TextIO

from vcd import VCDWriter

from tb.debug.waveform import Waveform


def cut(source: Path, target: Path, first_ns: int, last_ns: int) -> None:
    """Write the VCD ``target``: all signals of ``source`` from ``first_ns`` to ``last_ns``.

    Times are those of the source, and an x stays an x. Raises `WaveformError` where there is no
    waveform.
    """
    waveform = Waveform(source)
    with target.open("w") as stream, _writer(stream, first_ns) as writer:
        changes = []
        for name in sorted(waveform.names):
            scope, _, signal = name.rpartition(".")
            history = waveform.changes(name)
            before = [value for time, value in history if time <= first_ns]
            known = before[-1] if before else "x"
            width = waveform.width(name)
            variable = writer.register_var(scope, signal, "wire", size=width, init=known)
            changes += [(time, variable, value) for time, value in history if time > first_ns]
        for time, variable, value in sorted(changes, key=lambda change: change[0]):
            if time <= last_ns:
                writer.change(variable, time, value)
        writer.close(last_ns)


def _writer(stream: TextIO, first_ns: int) -> VCDWriter:
    return VCDWriter(stream, timescale="1 ns", date="", init_timestamp=first_ns)
