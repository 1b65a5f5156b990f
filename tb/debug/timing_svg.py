"""Draws WaveJSON, as far as `tb.debug.timing_diagram` writes it, as an SVG."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

# Pixels. A cycle is as wide as its WaveJSON asks for.
CYCLE, ROW, GAP, LEVEL, LETTER, EDGE = 40, 26, 10, 18, 7.3, 3
HEAD = 48
# Cells that hold a text: WaveDrom's white, red and green.
FILLS = {"2": "#ffffff", "9": "#ffb3a7", "7": "#b9e6b9"}
NOTHING = "x"

# A page may hold other drawings, whose styles reach this one and its styles them: every name is its
# own.
STYLE = (
    '.timing text{font:12px "DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#1f2328}'
    ".timing .timing-title{font-size:14px;font-weight:600}"
    ".timing .timing-group{font-weight:600;fill:#0969da}"
    ".timing .timing-tick{fill:#57606a;text-anchor:middle}"
    ".timing .timing-name{text-anchor:end}.timing .timing-value{text-anchor:middle}"
    ".timing-line{fill:none;stroke:#1f2328}.timing-box{stroke:#1f2328}"
    ".timing-grid{stroke:#d0d7de;stroke-dasharray:2 3}"
)


def svg(source: dict[str, Any]) -> str:
    """The picture: a line for each row, a column for each cycle."""
    lines = list(_lines(source["signal"]))
    step = CYCLE * source["config"]["hscale"]
    names = [row["name"] for row in lines if isinstance(row, dict) and row]
    left = round(LETTER * max(map(len, names), default=0)) + 20
    cycles = max((len(row["wave"]) for row in lines if isinstance(row, dict) and row), default=0)
    title, first = source["head"]["text"][1][2], source["head"]["tick"]
    width = max(left + cycles * step + 20, round(LETTER * 1.2 * len(title)) + 20)
    shapes = [f'<text class="timing-title" x="10" y="18">{escape(title)}</text>']
    y = HEAD
    for row in lines:
        if isinstance(row, str):
            shapes.append(
                f'<text class="timing-group" x="10" y="{y + LEVEL - 4}">{escape(row)}</text>'
            )
        elif row:
            shapes += _row(row, left, y, step)
        y += ROW if row else GAP
    grid = []
    for cycle in range(cycles):
        x = left + cycle * step
        grid.append(f'<line class="timing-grid" x1="{x}" y1="{HEAD - 6}" x2="{x}" y2="{y}"/>')
        grid.append(
            f'<text class="timing-tick" x="{x + step / 2:g}" y="{HEAD - 12}">{first + cycle}</text>'
        )
    return "\n".join(
        [
            '<svg class="timing" role="img" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {width} {y + GAP}" width="{width}" height="{y + GAP}">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{width}" height="{y + GAP}" fill="#ffffff"/>',
            *grid,
            *shapes,
            "</svg>\n",
        ]
    )


def _lines(signals: list[Any]) -> Iterator[dict[str, Any] | str]:
    """Rows, ``{}`` where space is left, and the title of a group before its rows."""
    for signal in signals:
        if isinstance(signal, dict):
            yield signal
        else:
            title, *rows = signal
            yield title
            yield from rows


def _row(row: dict[str, Any], left: int, y: int, step: int) -> Iterator[str]:
    name = escape(row["name"])
    yield f'<text class="timing-name" x="{left - 8}" y="{y + LEVEL - 4}">{name}</text>'
    wave, texts = row["wave"], iter(row.get("data", ()))
    starts = [index for index, mark in enumerate(wave) if mark != "."]
    level = y + LEVEL
    path = []
    for start, end in zip(starts, [*starts[1:], len(wave)], strict=True):
        mark, x, stop = wave[start], left + start * step, left + end * step
        if mark == "n":
            for cycle in range(start, end):
                low, middle = left + cycle * step, left + (cycle + 0.5) * step
                path.append(f"{low} {level} {middle:g} {level} {middle:g} {y} {low + step} {y}")
        elif mark in "01":
            path.append(f"{x} {level if mark == '0' else y} {stop} {level if mark == '0' else y}")
        else:
            yield from _box(mark, x, stop, y, next(texts) if mark in FILLS else "")
    if path:
        yield f'<polyline class="timing-line" points="{" ".join(path)}"/>'


def _box(mark: str, x: int, stop: int, y: int, text: str) -> Iterator[str]:
    """A value from edge to edge, or what is known to be none."""
    fill = FILLS.get(mark, "#e6e8eb")
    corners = (
        f"{x} {y + LEVEL // 2} {x + EDGE} {y} {stop - EDGE} {y} {stop} {y + LEVEL // 2} "
        f"{stop - EDGE} {y + LEVEL} {x + EDGE} {y + LEVEL}"
    )
    yield f'<polygon class="timing-box" fill="{fill}" points="{corners}"/>'
    if text:
        middle = (x + stop) / 2
        yield f'<text class="timing-value" x="{middle:g}" y="{y + LEVEL - 5}">{escape(text)}</text>'
