"""Draws the streams of a layer round one cycle: what they carried, and below it what they had to.

The columns are clock cycles; what stands in a column is what its rising edge samples.
"""

import json
import math
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.stage import Payload, Stream
from model.words import Field
from tb.debug.beat_log import Diary, Entry
from tb.debug.timing_svg import svg
from tb.debug.waveform import Value, Waveform
from tb.streams import PERIOD_NS

CYCLES_BEFORE, CYCLES_AFTER = 10, 5
# Lanes that are drawn of a payload: those that differ, then the lowest.
LANES = 3

# WaveDrom's colours of a value: white, red, green.
PLAIN, WRONG, RIGHT, UNKNOWN = "2", "9", "7", "x"
_LETTER_PX, _MARGIN_PX, _CYCLE_PX = 8, 16, 40

# A cell is its colour and its text; the text is empty where nothing is offered.
Cell = tuple[str, str]
NOTHING: Cell = (UNKNOWN, "")


@dataclass(frozen=True)
class View:
    """A waveform and the diary of the same simulation, round the cycle at ``time_ns``."""

    waveform: Waveform
    diary: Diary
    time_ns: int

    @property
    def window(self) -> range:
        """Indices of the clock edges that are drawn."""
        edges = self.waveform.edges
        middle = min(bisect_left(edges, self.time_ns), len(edges) - 1)
        return range(max(0, middle - CYCLES_BEFORE), min(len(edges), middle + CYCLES_AFTER + 1))

    def samples(self, name: str) -> list[Value]:
        """Samples of a signal at the window's edges."""
        return [self.waveform.at_edges(name)[index] for index in self.window]

    def flag(self, name: str) -> list[Value]:
        """The same of a handshake signal; a stream without one offers and takes in each cycle."""
        return self.samples(name) if name in self.waveform.names else [1] * len(self.window)


def draw(view: View, streams: list[Stream], title: str, target: Path) -> None:
    """Write the SVG ``target`` and, beside it, the WaveJSON that it is drawn from."""
    source = wavejson(view, streams, title)
    target.with_suffix(".json").write_text(json.dumps(source, indent=1) + "\n")
    target.write_text(svg(source))


def wavejson(view: View, streams: list[Stream], title: str) -> dict[str, Any]:
    """WaveJSON of the picture, as WaveDrom reads it too."""
    edges = view.waveform.edges
    rows: list[Any] = [{"name": "clk", "wave": "n" + "." * (len(view.window) - 1)}]
    for stream in streams:
        rows += [{}, [stream.payloads[0].channel, *_rows(view, stream)]]
    texts = [text for row in rows if isinstance(row, list) for r in row[1:] for text in r["data"]]
    width = max(map(len, texts), default=0) * _LETTER_PX + _MARGIN_PX
    first = edges[view.window[0]] // PERIOD_NS
    return {
        "signal": rows,
        "head": {"text": ["tspan", ["tspan", {"class": "h6"}, title]], "tick": first, "every": 1},
        "config": {"hscale": max(1, math.ceil(width / _CYCLE_PX))},
    }


def _rows(view: View, stream: Stream) -> list[dict[str, Any]]:
    top = view.waveform.top
    valid, ready = (view.flag(stream.path(top, name)) for name in (stream.valid, stream.ready))
    rows = []
    for name, values in ((stream.valid, valid), (stream.ready, ready)):
        if stream.path(top, name) in view.waveform.names:
            cells = [(str(value), "") for value in values]
            rows.append(_row(name, cells, [True] * len(cells)))
    for payload in stream.payloads:
        if stream.path(top, payload.signal) in view.waveform.names:
            rows += _payload_rows(view, stream, payload, valid, ready)
    return rows


def _payload_rows(
    view: View, stream: Stream, payload: Payload, valid: list[Value], ready: list[Value]
) -> list[dict[str, Any]]:
    """Each lane as it was, and below it, where the bench knows it, as it had to be."""
    field, words = payload.field, view.samples(stream.path(view.waveform.top, payload.signal))
    due = _due(view, payload.channel, valid, ready)
    differing = sorted({lane for entry in due if entry for lane in entry.differing})
    others = (lane for lane in range(field.lanes) if lane not in differing)
    lanes = sorted([*differing, *others][:LANES])
    # A beat that was not taken stays: it is the one of the cycle before.
    stays = [
        True,
        *(offered != 1 or taken != 1 for offered, taken in zip(valid, ready, strict=True)),
    ][:-1]
    rows = []
    for lane in lanes:
        actual, expected = [], []
        for offered, word, entry in zip(valid, words, due, strict=True):
            text = _text(field, word, lane)
            wrong = entry is not None and lane in entry.differing
            actual.append((WRONG if wrong else PLAIN, text) if offered == 1 else NOTHING)
            shown = entry is not None and offered == 1
            value = str(entry.expected[lane]) if entry is not None else ""
            expected.append((RIGHT if wrong else PLAIN, value) if shown else NOTHING)
        label = payload.signal if field.lanes == 1 else f"{payload.signal}[{lane}]"
        rows.append(_row(label, actual, stays))
        if any(due):
            rows.append(_row("expected", expected, stays))
    return rows


def _due(view: View, channel: str, valid: list[Value], ready: list[Value]) -> list[Entry | None]:
    """The entry that belongs to each cycle of the window in which a beat is offered."""
    edges = view.waveform.edges
    entries = view.diary.from_time(channel, edges[view.window[0]])
    found: list[Entry | None] = []
    position = 0
    for edge, offered, taken in zip((edges[i] for i in view.window), valid, ready, strict=True):
        # Beats of one frame are written down at the time of its first.
        here = next((k for k, entry in enumerate(entries) if entry.time_ns == edge), position)
        position = max(position, here)
        beat = entries[position] if offered == 1 and position < len(entries) else None
        moves = offered == 1 and taken == 1
        if moves and beat and beat.time_ns > edge:
            # A bench writes nothing down before its first beat.
            beat, moves = None, False
        found.append(beat)
        position += moves
    return found


def _text(field: Field, word: Value, lane: int) -> str:
    """The value of a lane, or X where a bit of it is none."""
    if isinstance(word, int):
        return str(field.unpack(word)[lane])
    bits = word[::-1][lane * field.width : (lane + 1) * field.width][::-1]
    # Other lanes may hold what is no bit.
    known = int("".join(bit if bit in "01" else "0" for bit in word), 2)
    return "X" if set(bits) - {"0", "1"} else str(field.unpack(known)[lane])


def _row(name: str, cells: list[Cell], stays: list[bool]) -> dict[str, Any]:
    """A WaveDrom lane; a cell like the one before it continues that one where it ``stays``."""
    wave, data, before = "", [], None
    for cell, stay in zip(cells, stays, strict=True):
        continues = cell == before and (stay or cell == NOTHING)
        wave += "." if continues else cell[0]
        if not continues and cell[0] in (PLAIN, WRONG, RIGHT):
            data.append(cell[1])
        before = cell
    return {"name": name, "wave": wave, "data": data}
