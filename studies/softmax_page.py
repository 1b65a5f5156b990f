"""Tables and pictures of the softmax study, for its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common import files, markdown

PAGE, STUDY_PICTURE, CURVE_PICTURE = "softmax.md", "softmax-study.png", "softmax-curve.png"

TITLES = {
    "ordinary": "ordinary softmax",
    "raw": "polynomial of the logits",
    "minus_maximum": "polynomial, maximum subtracted",
    "minus_minimum": "polynomial, minimum subtracted",
    "clamped": "polynomial, clamped at -1",
    "article": "the article's arithmetic",
    "exp_swapped": "`exp`, 8-bit logits",
    "through_taylor2": "trained through `taylor2`",
    "through_exp": "trained through `exp`",
}
SWAPPED_COLOR, TRAINED_COLOR, EXACT_COLOR = "#c44e52", "#2a7f4f", "#4c72b0"


@dataclass(frozen=True)
class Row:
    """Of ``samples``: winners kept and labels correct; errors of single probabilities, 0 to 1."""

    samples: int
    kept: int
    correct: int
    mean_error: float
    max_error: float


Figures = Mapping[int, Mapping[str, Row]]


def summary(figures: Figures) -> str:
    """One line for each softmax: ``mean (least to most)`` of counts over the seeds, and errors."""
    (samples,) = {row.samples for rows in figures.values() for row in rows.values()}
    lines = [
        f"Over {len(figures)} seeds, counted on {samples} samples: mean (least to most).",
        "",
        "| in place of the softmax | winners kept | labels correct | mean error | largest error |",
        "|---|---:|---:|---:|---:|",
    ]
    for key, title in TITLES.items():
        rows = [by_key[key] for by_key in figures.values()]
        mean_error = np.mean([row.mean_error for row in rows])
        max_error = max(row.max_error for row in rows)
        lines.append(
            f"| {title} | {_spread([row.kept for row in rows])} "
            f"| {_spread([row.correct for row in rows])} | {mean_error:.4f} | {max_error:.4f} |"
        )
    return "\n".join(lines)


def _spread(counts: list[int]) -> str:
    return f"{np.mean(counts):.1f} ({min(counts)} to {max(counts)})"


def by_seed(figures: Figures) -> str:
    """Winners kept, one column for each seed."""
    lines = [
        "| winners kept with seed | " + " | ".join(map(str, figures)) + " |",
        "|---|" + "---:|" * len(figures),
    ]
    lines += [
        f"| {title} | " + " | ".join(str(rows[key].kept) for rows in figures.values()) + " |"
        for key, title in TITLES.items()
    ]
    return "\n".join(lines)


def write(docs: Path, figures: Figures) -> None:
    """Write both tables into the page, and both pictures beside it."""
    markdown.fill(docs / PAGE, {"summary": summary(figures), "by-seed": by_seed(figures)})
    save(study_picture(figures), docs / STUDY_PICTURE)
    save(curve_picture(), docs / CURVE_PICTURE)


def save(figure: Figure, path: Path) -> None:
    """Write a picture, whole or not at all."""
    with files.whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=144, facecolor="white")


def study_picture(figures: Figures) -> Figure:
    """Winners kept and largest errors: a dot for each seed, a bar for their mean."""
    (samples,) = {row.samples for rows in figures.values() for row in rows.values()}
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for line, key in enumerate(TITLES):
        rows = [by_key[key] for by_key in figures.values()]
        color = TRAINED_COLOR if key.startswith("through_") else SWAPPED_COLOR
        color = EXACT_COLOR if key in ("ordinary", "exp_swapped") else color
        _dots(left, line, [row.kept for row in rows], color)
        _dots(right, line, [row.max_error for row in rows], color)
    left.set(xlim=(-4, samples + 4), xlabel=f"samples, of {samples}", title="winners kept")
    right.set(xlim=(-0.03, 1.03), xlabel="probability", title="largest error of a probability")
    left.set_xticks(np.linspace(0, samples, 6).round())
    left.set_yticks(range(len(TITLES)), [title.replace("`", "") for title in TITLES.values()])
    left.invert_yaxis()
    for axes in (left, right):
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"In place of the softmax: a dot for each of {len(figures)} seeds, a bar for their mean"
    )
    return figure


def _dots(axes: Axes, line: int, values: list[int] | list[float], color: str) -> None:
    heights = line + np.linspace(-0.22, 0.22, len(values))
    axes.plot(values, heights, "o", color=color, markersize=4, alpha=0.65, markeredgewidth=0)
    axes.plot([np.mean(values)] * 2, [line - 0.36, line + 0.36], color=color, linewidth=2)


def curve_picture() -> Figure:
    """The polynomial beside the exponential, and where it falls."""
    x = np.linspace(-6, 2, 401)
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-6, -1, color="0.93", linewidth=0)
    axes.plot(x, 1 + x + x**2 / 2, color=SWAPPED_COLOR, label="1 + x + x²/2")
    axes.plot(x, np.exp(x), color=EXACT_COLOR, label="exp(x)")
    axes.plot([-1], [0.5], "o", color=SWAPPED_COLOR)
    axes.annotate("turns at x = -1", (-1, 0.5), (-0.9, 3.2), arrowprops={"arrowstyle": "-"})
    axes.text(-5.8, 0.6, "here the larger logit\nhas the smaller score", va="bottom")
    axes.set(xlim=(-6, 2), ylim=(0, 13.5), xlabel="logit x", ylabel="score")
    axes.set_title("The article's polynomial is a parabola")
    axes.legend(loc="upper right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
