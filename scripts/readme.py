"""Write the results of a build into the README, between its two markers."""

import argparse
import json
from pathlib import Path

from model.artifact import write_atomically
from scripts import cli
from scripts.summary import Facts

PARTS = ("train", "test")
BEGIN, END = "<!-- results -->", "<!-- /results -->"


def results(facts: Facts) -> str:
    """The facts of a report as a small Markdown table."""
    sizes = {part: facts["implementations"][0][part]["samples"] for part in PARTS}
    totals, cycles = facts["totals"], facts["cycles"]
    rtl = [f"{cycles[key]['measured']}" for key in ("interval", "latency")]
    compared = {
        "quantized PyTorch": (totals["pytorch"], ["", ""]),
        f"RTL ({facts['simulator']})": (totals["rtl"], rtl),
    }
    columns = ["implementation", *(f"{part}, of {sizes[part]}" for part in PARTS)]
    columns += ["values compared", "differing", "cycles per sample", "latency in cycles"]
    rows = []
    for row in facts["implementations"]:
        cells = [row["name"], *(f"{row[part]['right']} right" for part in PARTS)]
        if row["name"] in compared:
            count, measured = compared[row["name"]]
            cells += [f"{count['compared']:,}", str(count["differing"]), *measured]
        rows.append(cells + [""] * (len(columns) - len(cells)))
    rule = ["---", *["---:"] * (len(columns) - 1)]
    lines = [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)]
    return "\n".join([*lines, "", "Compared with the NumPy reference, by `==`."])


def rewritten(text: str, inside: str) -> str:
    """``text`` with ``inside`` between its markers, and nothing else changed.

    Raises `CommandError` unless each marker stands there once, in order.

    >>> rewritten(f"a {BEGIN} b {END} c", "new")
    'a <!-- results -->\\n\\nnew\\n\\n<!-- /results --> c'
    """
    for marker in (BEGIN, END):
        if text.count(marker) != 1:
            raise cli.CommandError(
                f"README: {marker} stands there {text.count(marker)} times, legal is once"
            )
    before, rest = text.split(BEGIN)
    if END not in rest:
        raise cli.CommandError(f"README: {END} stands before {BEGIN}, legal is behind it")
    return f"{before}{BEGIN}\n\n{inside}\n\n{END}{rest.split(END)[1]}"


def run(arguments: argparse.Namespace) -> None:
    """Rewrite the README's results."""
    path = arguments.build / "report.json"
    try:
        facts = json.loads(path.read_text())
        inside = results(facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise cli.CommandError(
            f"{path}: cannot be read, run python -m scripts.report first: {error!r}"
        ) from error
    write_atomically(arguments.readme, rewritten(arguments.readme.read_text(), inside))
    print(f"{arguments.readme}: holds the results of {path}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.readme", description=__doc__)
    cli.add_build(built)
    built.add_argument(
        "--readme", type=Path, default=Path("README.md"), help="the file (default: %(default)s)"
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
