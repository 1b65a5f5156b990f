"""Show how a network's tensors fill their formats on its dataset: a table and a picture."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from common import cli, files
from common.files import write_atomically
from common.tables import console
from model import artifact, reference
from model.histograms import Range, ranges
from scripts.expected import FILE, read_expected
from scripts.report.pictures import BLUE, GRAY, NARROW, ORANGE, WIDE
from scripts.report.terminal import Section, table


def show(name: str, found: Sequence[Range]) -> Section:
    """Ranges and codes at the ends, a row for each tensor."""
    made = table(
        "tensor", "bits", "frac", "holds", "least", "largest", "codes used", "values", "at the ends"
    )
    for item in found:
        lsb, ends = item.fmt.lsb, item.lowest + item.highest
        made.add_row(
            item.name,
            str(item.fmt.width),
            str(item.fmt.frac),
            f"{item.fmt.q_min * lsb:g} .. {item.fmt.max_value:g}",
            f"{item.least * lsb:g}",
            f"{item.most * lsb:g}",
            f"{100 * item.used:.0f} %",
            f"{item.count:,}",
            f"{ends:,}",
            style="bold" if ends else "",
        )
    note = "At the ends: values at the least or largest code, where they saturated or happen to be."
    return Section(f"{name}: values and the ranges of their formats", made, note)


def picture(name: str, found: Sequence[Range], columns: int = WIDE) -> Figure:
    """A histogram for each tensor over the whole range of its format, on a logarithmic scale."""
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.4 * rows + 0.8), layout="constrained")
    separator = "\n" if columns == NARROW else " "
    figure.suptitle(f"{name}: values over{separator}the representable range", fontsize=12)
    axes = figure.subplots(rows, columns, squeeze=False).reshape(-1)
    for place, item in zip(axes, found, strict=False):
        values = item.edges * item.fmt.lsb
        ends = item.lowest + item.highest
        place.stairs(item.counts, values, fill=True, color=BLUE, alpha=0.75)
        place.set_yscale("symlog", linthresh=1)
        place.set_ylim(bottom=0)
        place.set_xlim(values[0], values[-1])
        title = f"{item.name}: {item.fmt.width} bits, frac {item.fmt.frac}"
        place.set_title(title, fontsize=10)
        for count, edge, align in (
            (item.lowest, values[0], "left"),
            (item.highest, values[-1], "right"),
        ):
            if count:
                place.axvline(edge, color=ORANGE, linewidth=4)
                label = place.text(edge, 1, f" {count:,} ", color=ORANGE, ha=align, va="bottom")
                label.set_backgroundcolor("white")  # bars of any height stand behind it
        place.set_ylabel(f"of {item.count:,}", fontsize=8, color=ORANGE if ends else GRAY)
        place.tick_params(labelsize=8)
        place.spines[["top", "right"]].set_visible(False)
    for place in axes[len(found) :]:
        place.set_axis_off()
    marks = [
        Patch(color=BLUE, alpha=0.75, label="values, logarithmic"),
        Line2D([], [], color=ORANGE, linewidth=4, label="at the least or largest code"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def run(arguments: argparse.Namespace) -> None:
    """Write ``profile.json`` and ``profile.png`` into the build folder, and print the table."""
    folder: Path = arguments.build
    network = artifact.load(folder / "network.json")
    features = read_expected(folder / FILE)["features"]
    traced = reference.trace(network, reference.encode(network, features))
    found = list(ranges(network, traced))
    with files.whole_file(folder / "profile.png") as temporary:
        picture(network.spec.name, found).savefig(temporary, dpi=120, format="png")
    facts = {
        item.name: {
            "width": item.fmt.width,
            "frac": item.fmt.frac,
            "least": item.least,
            "most": item.most,
            "count": item.count,
            "at_least_code": item.lowest,
            "at_largest_code": item.highest,
            "counts": item.counts.tolist(),
        }
        for item in found
    }
    write_atomically(folder / "profile.json", json.dumps(facts, indent=1) + "\n")
    console().print(show(network.spec.name, found))
    print(f" {folder / 'profile.png'}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.profile", description=__doc__)
    cli.add_build(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
