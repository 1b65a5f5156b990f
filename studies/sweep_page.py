"""docs/results/sweep.md: builds of a sweep in a table, and as area against speed and accuracy."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common import markdown
from studies.peers.page import cell

PAGE, PICTURE = "sweep.md", "sweep.png"
COLOURS = ("#1f6feb", "#d9730d", "#2f9e5b")
MARKS = {"taylor2": "o", "exp": "s"}
PEER_COLOUR = "#57606a"

# A build: what was asked for, and what came of it.
Row = dict[str, Any]


def is_best(row: Row, rows: Sequence[Row]) -> bool:
    """Return True if every other build has more LUTs or DSPs, is slower, or has more errors."""

    def costs(build: Row) -> tuple[int, ...]:
        return build["LUT"], build["DSP"], -build["results per second"], -build["correct"]

    own = costs(row)
    return not any(
        costs(other) != own and all(a <= b for a, b in zip(costs(other), own, strict=True))
        for other in rows
    )


def picture(rows: Sequence[Row], samples: int, peers: Sequence[Row]) -> Figure:
    """LUTs against results per second and against correct samples; ``peers`` are added to both."""
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    speed, accuracy = figure.subplots(1, 2)
    widths = sorted({row["bits"] for row in rows}, reverse=True)
    for index, bits in enumerate(widths):
        colour = COLOURS[index % len(COLOURS)]
        for score, mark in MARKS.items():
            own = [row for row in rows if (row["bits"], row["score"]) == (bits, score)]
            own.sort(key=lambda row: row["interval"])
            for axes, key in ((speed, "results per second"), (accuracy, "correct")):
                _points(axes, own, key, color=colour, marker=mark)
            if score == "taylor2":
                _points(speed, own, "results per second", color=colour, line=0.8)
    for axes, key in ((speed, "results per second"), (accuracy, "correct")):
        _points(axes, peers, key, color=PEER_COLOUR, marker="x")
    named = [row for row in rows if (row["bits"], row["score"]) == (widths[0], "taylor2")]
    fastest = max(named, key=lambda row: row["results per second"])
    for row in named:
        cycles = "1 cycle" if row["interval"] == 1 else f"{row['interval']} cycles"
        # Above the fastest are peers.
        offset = (-7, -3) if row is fastest else (-6, 6)
        _name(speed, row, f"{cycles}, {row['DSP']} DSP", offset, "right")
    slowest = min(row["results per second"] for row in rows)
    fastest_peer = max(peers, key=lambda peer: peer["results per second"], default=None)
    for peer in peers:
        # On the side where nothing else is; the fastest from above.
        if peer["results per second"] < slowest:
            _name(speed, peer, peer["name"], (7, -3), "left")
        else:
            _name(speed, peer, peer["name"], (6, 6) if peer is fastest_peer else (-7, -3), "right")
    speed.set(xscale="log", yscale="log", xlabel="results per second", ylabel="LUT4 of an ECP5")
    whole = sorted({row["correct"] for row in (*rows, *peers)})
    accuracy.set(yscale="log", xlabel=f"samples correct of {samples}", xticks=whole)
    speed.set_title("area against speed", fontsize=11)
    accuracy.set_title("area against accuracy", fontsize=11)
    marks = [
        Line2D(
            [], [], color=COLOURS[index % len(COLOURS)], linewidth=2, label=f"{bits}-bit weights"
        )
        for index, bits in enumerate(widths)
    ]
    marks += [
        Line2D(
            [], [], color="black", marker=mark, linewidth=0, markersize=5, label=f"score {score}"
        )
        for score, mark in MARKS.items()
    ]
    if peers:
        label = "peers, without softmax"
        marks.append(Line2D([], [], color=PEER_COLOUR, marker="x", linewidth=0, label=label))
    figure.legend(handles=marks, loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    for axes in (speed, accuracy):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure


def _points(
    axes: Axes,
    rows: Sequence[Row],
    key: str,
    *,
    color: str,
    marker: str = "",
    line: float = 0,
) -> None:
    places = [row[key] for row in rows], [row["LUT"] for row in rows]
    axes.plot(*places, color=color, marker=marker, markersize=5, linewidth=line)


def _name(axes: Axes, row: Row, text: str, offset: tuple[int, int], ha: str) -> None:
    place = (row["results per second"], row["LUT"])
    axes.annotate(text, place, offset, textcoords="offset points", fontsize=7, ha=ha)


def page(rows: Sequence[Row], samples: int, peers: Sequence[Row]) -> str:
    """docs/results/sweep.md."""
    tools = ", ".join(f"{name} {version}" for name, version in rows[0]["tools"].items())
    columns = [
        "bits",
        "softmax",
        "cycles per result",
        "multipliers",
        "LUT4",
        "FF",
        "DSP",
    ]
    columns += ["MHz", "latency in ns", "results/s", f"correct of {samples}", ""]
    cells = [
        (
            row["bits"],
            f"{row['score']}, {row['divider']}",
            row["interval"],
            f"{row['multipliers']:,}",
            *(f"{row[kind]:,}" for kind in ("LUT", "FF", "DSP")),
            cell(row, "MHz"),
            f"{row['latency in ns']:,}",
            f"{row['results per second']:,}",
            row["correct"],
            "best" if is_best(row, rows) else "",
        )
        for row in rows
    ]
    table = markdown.table(columns, cells, right=range(2, len(columns) - 1))
    beside = (
        "Crosses are [what `make study-peers` found](peers.md), on the same weights."
        if peers
        else ""
    )
    return f"""# Area against speed and accuracy

Written by `make study-sweep` on {datetime.now(UTC).date().isoformat()}, with {tools}.
IrisNet, softmax included, on an ECP5 (85k, speed 8), placed and routed with seed 1. Weights and
values of fewer bits are trained for their width; features always have 8 bits, logits at least 6.
A fold has the fewest multipliers that reach its cycles per result. Multipliers are DSPs where the
device has enough for all of them, else LUTs; at one cycle a result there are none in the layers,
whose outputs share sums of shifted inputs. Such a build is placed and not routed: its clock is the
one that nextpnr expects.
A build is best where every other one has more LUTs or DSPs, is slower, or has more errors.
{beside}

![]({PICTURE})

{table}"""
