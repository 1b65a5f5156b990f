"""What a waveform viewer shows first: the streams, in the order in which data passes them.

The same list of signals becomes a save file of GTKWave and a command file of Surfer, so both fit
any network.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path

from vcd.gtkw import GTKWSave

from common.files import write_atomically
from model.artifact import load
from model.spec import TOP
from model.stage import Payload, Stream
from model.words import Field
from tb.benches.probes import data_path
from tb.debug.waveform import Waveform
from tb.job import Job
from tb.modules.registry import is_streaming, operator_of
from tb.streams import PERIOD_NS

# Cycles that GTKWave shows before its cursor.
_CYCLES_BEFORE = 20


def streams_of(job: Job, waveform: Waveform) -> list[Stream]:
    """The streams of the design that was simulated, in data-path order."""
    if job.module == TOP and "network" in job.options:
        return data_path(load(Path(job.options["network"])).spec)
    return _of_operator(job) if is_streaming(job.module) else _of_ports(waveform)


def _of_operator(job: Job) -> list[Stream]:
    """What goes into a streaming module, then what comes out."""
    operator = operator_of(job)
    sides = (("in_", operator.inputs), ("out_", operator.outputs))
    return [
        Stream("", prefix, tuple(_payload(prefix, field) for field in fields))
        for prefix, fields in sides
        if fields
    ]


def _payload(prefix: str, field: Field) -> Payload:
    """A bench's scoreboard calls an output by its field; nothing is known of an input."""
    channel = field.name if prefix == "out_" else f"in_{field.name}"
    return Payload(channel, field, f"{prefix}{field.name}")


def _of_ports(waveform: Waveform) -> list[Stream]:
    """The ports of any other module, each as one number; no handshake is known."""
    top = waveform.top
    names = [name.removeprefix(f"{top}.") for name in sorted(waveform.names)]
    ports = [name for name in names if name.startswith(("in_", "out_")) or name in ("addr", "data")]
    found = []
    for name in ports:
        field = Field(name, waveform.width(f"{top}.{name}"))
        found.append(Stream("", f"{name}_", (Payload(name, field, name),)))
    return found


def signals(top: str, streams: Sequence[Stream]) -> list[tuple[str, list[str]]]:
    """``(title, full names)`` of each group that a view shows."""
    groups = [("control", [f"{top}.clk", f"{top}.rst"])]
    for stream in streams:
        own = [stream.valid, stream.ready, *(load.signal for load in stream.payloads)]
        title = " ".join(load.channel for load in stream.payloads)
        groups.append((title, [stream.path(top, signal) for signal in own]))
    return groups


def write_views(
    waveform: Path, streams: Sequence[Stream], *, time_ns: int | None = None
) -> tuple[Path, Path]:
    """Write ``.gtkw`` and ``.sucl`` beside a waveform; the cursor stands at ``time_ns``.

    Signals that the waveform does not hold, such as the clock of what is gates only, are left out.
    Raises `WaveformError` where there is no waveform.
    """
    held = Waveform(waveform)
    groups = [
        (title, [(name, held.width(name)) for name in names if name in held.names])
        for title, names in signals(held.top, streams)
    ]
    ticks = None if time_ns is None else time_ns * held.ticks_per_ns
    period = PERIOD_NS * held.ticks_per_ns
    texts = {
        ".gtkw": gtkwave(waveform, groups, ticks, period),
        ".sucl": surfer(waveform, groups, ticks),
    }
    paths = views_of(waveform)
    for path in paths:
        write_atomically(path, texts[path.suffix])
    return paths


def views_of(waveform: Path) -> tuple[Path, Path]:
    """Where the views of a waveform lie: of GTKWave, then of Surfer."""
    return waveform.with_suffix(".gtkw"), waveform.with_suffix(".sucl")


Groups = Sequence[tuple[str, Sequence[tuple[str, int]]]]


def gtkwave(waveform: Path, groups: Groups, cursor: int | None, period: int) -> str:
    """The save file of GTKWave; its cursor and a clock period in ticks of the waveform."""
    text = io.StringIO()
    save = GTKWSave(text)
    save.dumpfile(str(waveform.resolve()))
    if cursor is not None:
        save.zoom_markers(-math.log2(period), marker=cursor)
        save.timestart(max(0, cursor - _CYCLES_BEFORE * period))
    for title, named in groups:
        save.comment(title)
        for name, width in named:
            bus = f"[{width - 1}:0]" if width > 1 else ""
            save.trace(f"{name}{bus}", datafmt="hex" if width > 1 else "bin")
    return text.getvalue()


def surfer(waveform: Path, groups: Groups, cursor: int | None) -> str:
    """The command file of Surfer; its cursor in ticks of the waveform."""
    lines = [f"load_file {waveform.resolve()}"]
    for title, named in groups:
        lines.append(f"divider_add {title}")
        lines += [f"variable_add {name}" for name, _ in named]
    lines.append("zoom_fit")
    if cursor is not None:
        lines += [f"cursor_set {cursor}", "goto_cursor"]
    return "\n".join([*lines, ""])
