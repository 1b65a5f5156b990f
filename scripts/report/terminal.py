"""Print what a build shows: every implementation side by side, and where they differ."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from common import cli, files
from common.errors import CommandError
from common.files import write_atomically
from common.tables import Fitted, console
from model.metrics import shortfall
from model.stages.softmax import SoftmaxSpec
from scripts.report import facts as summary
from scripts.report import pictures
from scripts.report.facts import Facts, read, summarize
from tb.sim.simulators import SIMULATORS

PARTS = ("train", "test")
SCORES = ("accuracy", "precision", "recall")
PART_KEYS = ("name", "shape", "fold", "formula", "cycles", "multipliers", "latency")


@dataclass(frozen=True)
class Section:
    """A table under its title, and what must be said below it."""

    title: str
    table: Table
    note: str | None = None

    def __rich__(self) -> Group:
        """Renderable for rich."""
        note = [Padding(Text(self.note, style="dim"), (0, 0, 1, 1))] if self.note else []
        return Group(Text(self.title, style="bold"), Fitted(self.table), *note)


def table(*columns: str, words: int = 1) -> Table:
    """An empty table whose first ``words`` columns are words and whose others are numbers."""
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for index, column in enumerate(columns):
        justify: JustifyMethod = "left" if index < words else "right"
        made.add_column(column, justify=justify, vertical="bottom", no_wrap=True)
    return made


def quality(facts: Facts) -> Section:
    """Metrics of each implementation beside the published figures."""
    sizes = {part: facts["implementations"][0][part]["samples"] for part in PARTS}
    if "r2" in facts["implementations"][0]["train"]:
        return _fits(facts, sizes)
    columns = [text for part in PARTS for text in (f"{part}\nof {sizes[part]}", *SCORES)]
    made = table("implementation", *columns)
    for row in facts["implementations"]:
        made.add_row(row["name"], *(cell for part in PARTS for cell in _scores(row[part])))
    figures = facts["published"]
    if figures:
        made.add_section()
        correct = {str(found["correct"]) for found in figures["decoded"]}
        made.add_row("published", *_scores(figures | {"correct": " or ".join(correct)}))
    title = f"{facts['network']}: correct samples; precision and recall are means over the classes"
    return Section(title, made, decoded(facts))


def ranking(facts: Facts) -> Section | None:
    """Area under each implementation's ROC curve, where a network tells two classes apart."""
    if "auc" not in facts["implementations"][0]["train"]:
        return None
    made = table("implementation", *PARTS)
    for row in facts["implementations"]:
        areas = (row[part]["auc"] for part in PARTS)
        made.add_row(row["name"], *("" if area is None else f"{area:.6f}" for area in areas))
    return Section(f"{facts['network']}: area under the ROC curve", made)


def _fits(facts: Facts, sizes: dict[str, int]) -> Section:
    """Errors of each implementation of a regression."""
    columns = [text for part in PARTS for text in (f"RMSE of\n{sizes[part]} {part}", "R2")]
    made = table("implementation", *columns)
    for row in facts["implementations"]:
        cells = (f"{row[part][key]:.6g}" for part in PARTS for key in ("rmse", "r2"))
        made.add_row(row["name"], *cells)
    title = f"{facts['network']}: root of the mean squared error, in the units of the targets"
    return Section(title, made)


def _scores(found: Facts) -> list[str]:
    return [str(found["correct"]), *(f"{found[key]:.6f}" for key in SCORES)]


def decoded(facts: Facts) -> str | None:
    """Samples behind the published figures, as it follows from them alone."""
    figures = facts["published"]
    if figures is None:
        return None
    where = f"Published by {figures['source']}."
    if len(figures["decoded"]) != 1:
        return f"{where} {len(figures['decoded'])} confusion matrices would give these figures."
    (found,) = figures["decoded"]
    sizes = {part: facts["implementations"][0][part]["samples"] for part in PARTS}
    imperfect = [f"{n} of {size}" for n, size in found["recalls"] if n != size]
    text = (
        f"{where} Its figures are exactly those of {found['correct']} correct of "
        f"{found['samples']}, one class {' and one '.join(imperfect)}: no other number of samples "
        "gives them all."
    )
    if found["samples"] == sizes["train"] != sizes["test"]:
        nearest = round(figures["accuracy"] * sizes["test"])
        text += (
            f" So they were measured on the training split: of {sizes['test']} test samples "
            f"{nearest} correct is {nearest / sizes['test']:.6f}, "
            f"{nearest - 1} is {(nearest - 1) / sizes['test']:.6f}."
        )
    return text


def agreement(facts: Facts) -> Section:
    """Values compared with the reference, and differing, along the data path."""
    rtl = f"RTL ({facts['simulator']})"
    made = table("stream", rtl, "differing", "quantized\nPyTorch", "differing")
    for row in facts["streams"]:
        made.add_row(row["stream"], *_pair(row["rtl"]), *_pair(row["pytorch"]))
    made.add_section()
    totals = facts["totals"]
    made.add_row("all", *_pair(totals["rtl"]), *_pair(totals["pytorch"]), style="bold")
    return Section(
        f"Every value of {facts['samples']} samples against the NumPy reference, by ==",
        made,
        "Blank where PyTorch has no such tensor, or an earlier row has compared it.",
    )


def _pair(count: dict[str, int] | None) -> tuple[Text, Text]:
    if count is None:
        return Text(""), Text("")
    style = "bold red" if count["differing"] or not count["compared"] else ""
    return Text(f"{count['compared']:,}", style), Text(f"{count['differing']:,}", style)


def timing(facts: Facts) -> Section:
    """Cycles by formula along the data path, and as measured at the core's two ends."""
    columns = ("part", "size", "SIMD x PE", "formula", "cycles", "multipliers", "latency")
    made = table(*columns, words=4)
    parts = facts["cycles"]["parts"]
    for part in parts:
        made.add_row(*("" if part[key] is None else str(part[key]) for key in PART_KEYS))
    multipliers = sum(part["multipliers"] or 0 for part in parts)
    interval, latency = (facts["cycles"][key] for key in ("interval", "latency"))
    made.add_section()
    for key, cell in (("formula", str(multipliers)), ("measured", "")):
        cells = (str(interval[key]), cell, str(latency[key]))
        made.add_row(key, "", "", "", *cells, style="bold")
    return Section(
        f"Cycles of a sample, {facts['simulator']}: each layer takes (inputs/SIMD)*(outputs/PE)",
        made,
        "Cycles per result are those of the slowest part; the latency is the sum, from the last "
        "beat of a sample to the first of its result.",
    )


def steps(facts: Facts) -> Section:
    """Wall time of each step."""
    made = table("step", "seconds")
    for step, seconds in facts["seconds"].items():
        made.add_row(step, f"{seconds:.2f}")
    return Section("Wall time", made)


def left(facts: Facts) -> Iterator[str]:
    """Paths of what was left, a line each."""
    width = max(map(len, facts["files"]))
    for name, path in facts["files"].items():
        yield f" {name:{width}}  {path or 'none recorded: WAVES=1 keeps one'}"


def show(facts: Facts) -> Group:
    """All tables."""
    found = (quality(facts), ranking(facts), agreement(facts), timing(facts), steps(facts))
    sections = [section for section in found if section is not None]
    # A path that wraps can be copied, one that is broken cannot.
    return Group(*sections, Text("\n".join(left(facts)), no_wrap=True, overflow="ignore"))


def run(arguments: argparse.Namespace) -> None:
    """Write ``report.json`` and two pictures into the build folder, print the tables, judge."""
    folder: Path = arguments.build
    build = read(folder, arguments.sim)
    facts = summarize(build)
    output = build.network.spec.output
    errors = pictures.softmax_errors(output) if isinstance(output, SoftmaxSpec) else None
    facts["softmax"] = errors and errors.facts
    facts["complaint"] = complaint = summary.complaint(facts)
    waves = folder / f"waves-{arguments.sim}.fst"
    facts["files"] = {
        "report": str(folder / "report.json"),
        **({"confusion": str(folder / "confusion.png")} if facts["confusion"] else {}),
        **({"softmax error": str(folder / "softmax_error.png")} if errors else {}),
        "waves": str(waves) if waves.exists() else None,
    }
    names = pictures.class_names(build.network)
    drawn = {"confusion": pictures.confusion(facts, names)} if facts["confusion"] else {}
    if errors:
        drawn["softmax_error"] = pictures.softmax(errors)
    for name, figure in drawn.items():
        path = folder / f"{name}.png"
        with files.whole_file(path) as temporary:
            figure.savefig(temporary, dpi=144, format="png")
    write_atomically(folder / "report.json", json.dumps(facts, indent=1) + "\n")
    console().print(show(facts))
    expected = build.expected
    if facts["confusion"]:
        classes = (expected[key] for key in ("labels", "float.class", f"{output.name}.class"))
        cli.warn(filter(None, [shortfall(*classes)]))
    if complaint:
        raise CommandError(complaint)


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.report.terminal", description=__doc__)
    cli.add_build(built)
    cli.add_sim(built, SIMULATORS)
    return built


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
