"""docs/results/robustness.md: how far samples may move before a class can change."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.figure import Figure

from common import markdown

PAGE, PICTURE = "robustness.md", "robustness.png"
COLOURS = ("#1f6feb", "#d9730d", "#2f9e5b", "#8250df", "#57606a")
# Radius at which curves end, and those of the tables.
WIDEST, RADII = 16, (1, 2, 4)

# Figures of a network, as `studies.robustness.measure.figures` gives them.
Row = Mapping[str, Any]

TEXT = """# Robustness

Written by `make study-robustness` on {date}; nothing here is typed by hand.
`make robustness NETWORK=...` does the same for one network.

A box of radius r around a sample holds all vectors of input codes of which none is more than r
from the sample's own, as far as the input's format goes. The class is *constant* in a box where
every vector in it has the class of the sample, with the rounding, saturation and ties of the
hardware. So features that change by less than r LSB, all at once, leave the class as it is. An LSB
is a step of the input's format times the scale of the feature: 1/16 cm for iris, a pixel's 1 of 16
for digits.

![share of samples that are correct and proved, against radius]({picture})

Solid: correct and proved constant. Dashed, where it differs: correct, no counterexample known.

{table}

`exact` counts the samples of which the next larger box holds a known counterexample, so that no
larger radius exists. For the others the least box that is known to hold one is `open` larger at
most. Corners of each box (all 16 of iris, of the others 16 each) and each counterexample went
through the RTL, `RTL` of them in all, and had the class that is proved.

## At fewer bits

IrisNet trained at fewer bits of weights and of values between layers, logits at no fewer than
{least}; the input keeps its 8 bits, so that radii compare. All 150 samples, as above.

{widths}

## What the proof rests on

A neuron's output, rounded and clipped, lies between two lines over the interval of its sum. They
carry the lead of the class over each rival back to the inputs, where the least value in a box is
known. A box that is too wide for that is cut in two. `studies/robustness/search.py` looks for the
cuts in floats, and `robustness.json` in the build folder holds them.

`studies/robustness/check.py` decides: {lines} lines of Python, its integers alone and nothing of
this project. It refuses a certificate of which one leaf does not follow:

    python studies/robustness/check.py build/iris/network.json build/iris/robustness.json

It trusts Python, its own reading of the network's file, and the rules of
[numerics.md](../numerics.md). It says nothing of other samples, and that the RTL computes these
rules is shown [elsewhere](../verification.md). With more than {narrow} inputs the search stops
early, and a radius that is not exact is a lower bound.
"""


def picture(rows: Sequence[Row]) -> Figure:
    """Share of samples that are correct and proved, against radius; dashed what stays open."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    ends = range(WIDEST + 1)
    for row, colour in zip(rows, COLOURS, strict=False):
        proved, unknown = ([100 * n / row["samples"] for n in row[k]] for k in ("proved", "open"))
        axes.plot(ends, unknown, "--", color=colour, linewidth=1.2)
        axes.plot(ends, proved, color=colour, linewidth=1.5, label=row["network"])
        axes.plot(RADII, [proved[r] for r in RADII], "o", color=colour, markersize=4)
    axes.set(xlabel="radius in LSB of the input codes", ylim=(0, 102), xlim=(0, WIDEST))
    axes.set_ylabel("% of samples, correct and proved constant")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def networks(rows: Sequence[Row]) -> str:
    """A row a network."""
    columns = (
        *("network", "inputs", "samples", "correct"),
        *(f"correct, constant at {radius}" for radius in RADII),
        *("median radius", "largest", "exact", "open", "leaves", "checker in CPU s", "RTL"),
    )
    cells = [
        [
            *(row["network"], f"{row['inputs']}", f"{row['samples']:,}", f"{row['correct']:,}"),
            *(f"{row['proved'][radius]:,}" for radius in RADII),
            *(f"{row['median']:g}", f"{row['largest']}", f"{row['exact']:,}"),
            f"{row['gap'] + 1}" if row["gap"] else "",
            *(f"{row['leaves']:,}", f"{row['check seconds']}", f"{row['replayed']:,}"),
        ]
        for row in rows
    ]
    return markdown.table_of_numbers(columns, cells)


def widths(rows: Sequence[Row]) -> str:
    """A row a width of IrisNet."""
    columns = (
        *("bits", "correct"),
        *(f"correct, constant at {radius}" for radius in RADII),
        *("median radius", "largest", "exact"),
    )
    cells = [
        [
            *(f"{row['bits']}", f"{row['correct']}"),
            *(f"{row['proved'][radius]}" for radius in RADII),
            *(f"{row['median']:g}", f"{row['largest']}", f"{row['exact']}"),
        ]
        for row in rows
    ]
    return markdown.table_of_numbers(columns, cells)


def page(rows: Sequence[Row], bits: Sequence[Row], *, least: int, narrow: int, lines: int) -> str:
    """The page: the networks in git, IrisNet at each width, and what the proof rests on."""
    date = datetime.now(UTC).date().isoformat()
    return TEXT.format(
        date=date,
        picture=PICTURE,
        table=networks(rows),
        widths=widths(bits),
        least=least,
        narrow=narrow,
        lines=lines,
    )
