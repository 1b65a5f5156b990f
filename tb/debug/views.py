"""Views for waveform viewers: the streams, in the order in which data passes them.

The same list of signals becomes a save file of GTKWave and a command file of Surfer, so both fit
any network.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
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
_CYCLES_BEFORE = 12
# Pixels of its window, of the names in it, and of a cycle, in which a value has room.
_WINDOW, _NAMES_WIDTH, _CYCLE_WIDTH = (1400, 900), 400, 40
# Lanes of a bus that are traces of their own.
_LANES = 4
# How a save file says signed and unsigned decimal, right-justified.
_LANE_FORMATS = {"signed": "@420", "dec": "@24"}


def streams_of(job: Job, waveform: Waveform) -> list[Stream]:
    """The streams of the design that was simulated, in data-path order."""
    if job.module == TOP and "network" in job.options:
        return data_path(load(Path(job.options["network"])).spec)
    return _of_operator(job) if is_streaming(job.module) else _of_ports(waveform)


def _of_operator(job: Job) -> list[Stream]:
    """Streams into a streaming module, then those out of it."""
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
    """Write ``.gtkw`` and ``.sucl`` beside a waveform.

    The cursor stands at ``time_ns``, without it where the last stream first offers something.
    Signals that the waveform does not hold, such as the clock of what is gates only, are left out.
    Raises `WaveformError` where there is no waveform.
    """
    held = Waveform(waveform)
    top = held.top
    fields = {
        stream.path(top, load.signal): load.field for stream in streams for load in stream.payloads
    }
    groups = [
        Group(
            title,
            tuple(
                Signal(name, held.width(name), fields.get(name))
                for name in names
                if name in held.names
            ),
        )
        for title, names in signals(top, streams)
    ]
    ticks = (_first_offer(held, streams) if time_ns is None else time_ns) * held.ticks_per_ns
    period = PERIOD_NS * held.ticks_per_ns
    texts = {
        ".gtkw": gtkwave(waveform, groups, ticks, period),
        ".sucl": surfer(waveform, groups, ticks),
    }
    paths = views_of(waveform)
    for path in paths:
        write_atomically(path, texts[path.suffix])
    return paths


def _first_offer(held: Waveform, streams: Sequence[Stream]) -> int:
    """Nanoseconds at which the last stream first has something; 0 where none does."""
    name = streams[-1].path(held.top, streams[-1].valid) if streams else ""
    changes = held.changes(name) if name in held.names else []
    return next((time for time, value in changes if value == 1), 0)


def views_of(waveform: Path) -> tuple[Path, Path]:
    """Paths of the views of a waveform: of GTKWave, then of Surfer."""
    return waveform.with_suffix(".gtkw"), waveform.with_suffix(".sucl")


@dataclass(frozen=True)
class Signal:
    """A signal of a view, and how its bits are to be read where that is known."""

    name: str
    width: int
    field: Field | None = None

    @property
    def bus(self) -> str:
        """Its name, with the range that GTKWave adds to a bus."""
        return f"{self.name}[{self.width - 1}:0]" if self.width > 1 else self.name

    @property
    def lanes(self) -> list[str]:
        """A line of a save file for each of the first lanes: its name, and its bits on the bus."""
        field = self.field
        if field is None or field.lanes == 1 or field.lanes * field.width != self.width:
            return []
        base = self.name.rpartition(".")[2]
        lines = []
        for lane in range(min(field.lanes, _LANES)):
            # GTKWave counts bits from the highest.
            first = self.width - (lane + 1) * field.width
            bits = " ".join(f"({first + bit}){self.bus}" for bit in range(field.width))
            lines.append(f"#{{{base}[{lane}]}} {bits}")
        return lines


@dataclass(frozen=True)
class Group:
    """Signals under a title."""

    title: str
    signals: tuple[Signal, ...]


def gtkwave(waveform: Path, groups: Sequence[Group], cursor: int, period: int) -> str:
    """The save file of GTKWave; its cursor and a clock period in ticks of the waveform.

    Lanes of a bus are traces of their own, below it, signed where their values are.
    """
    text = io.StringIO()
    save = GTKWSave(text)
    # With both names, it finds a waveform that was moved with it.
    save.dumpfile(str(waveform.resolve()))
    save.savefile(str(views_of(waveform)[0].resolve()))
    save.size(*_WINDOW)
    save.signals_width(_NAMES_WIDTH)
    save.sst_expanded(False)
    # GTKWave's zoom is minus the logarithm of the ticks that 200 pixels show.
    save.zoom_markers(-math.log2(200 * period / _CYCLE_WIDTH), marker=cursor)
    save.timestart(max(0, cursor - _CYCLES_BEFORE * period))
    for group in groups:
        save.blank(group.title)
        for signal in group.signals:
            lanes = signal.lanes
            number = "signed" if signal.field and signal.field.signed else "dec"
            save.trace(signal.bus, datafmt=_format(signal, number, split=bool(lanes)))
            if lanes:
                text.write(f"{_LANE_FORMATS[number]}\n" + "\n".join(lanes) + "\n")
                # The writer repeats a format only where it believes that it has changed.
                save.blank()
    return text.getvalue()


def _format(signal: Signal, number: str, *, split: bool) -> str:
    """Radix of a bus by itself: as a number where it is one, in hexadecimal where it is not."""
    if signal.width == 1:
        return "bin"
    return "hex" if split or signal.field is None or signal.field.lanes > 1 else number


def surfer(waveform: Path, groups: Sequence[Group], cursor: int) -> str:
    """The command file of Surfer; its cursor in ticks of the waveform."""
    lines = [f"load_file {waveform.resolve()}"]
    for group in groups:
        lines.append(f"divider_add {group.title}")
        lines += [f"variable_add {signal.name}" for signal in group.signals]
    lines += ["zoom_fit", f"cursor_set {cursor}", "goto_cursor"]
    return "\n".join([*lines, ""])
