"""Write the results of a build into the README, and the modules of rtl/ into the architecture."""

import argparse
import json
import re
from pathlib import Path

from common import cli, errors, markdown, sources
from common.paths import RTL
from scripts.report.facts import Facts

PARTS = ("train", "test")
RESULTS, MODULES = "results", "modules"
TITLE = re.compile(r"^// (mlp_\w+) - (.+)", flags=re.M)
LATENCY = re.compile(r"^// Latency +(.+(?:\n// {10,}.+)*)", flags=re.M)


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
    table = markdown.table(columns, rows, right=range(1, len(columns)))
    return f"{table}\nCompared with the NumPy reference, by `==`."


def modules(folder: Path) -> str:
    """What the headers in ``rtl/`` say of each module, as a Markdown table."""
    lines = ["| module | what it does | latency |", "|---|---|---|"]
    for path in sorted(sources.verilog(folder)):
        text = path.read_text()
        title, latency = TITLE.search(text), LATENCY.search(text)
        if title is None or title[1] != path.stem or latency is None:
            raise errors.CommandError(
                f"{path}: its header has no '// {path.stem} - ...' or no Latency, legal is both"
            )
        cells = title[2], re.sub(r"\n// +", " ", latency[1])
        shown = (cell.replace("|", "\\|").replace("*", "\\*") for cell in cells)
        lines.append(f"| [`{path.stem}`](../rtl/{path.name}) | {' | '.join(shown)} |")
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> None:
    """Rewrite both files."""
    path = arguments.build / "report.json"
    try:
        facts = json.loads(path.read_text())
        complaint, inside = facts["complaint"], results(facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise errors.CommandError(
            f"{path}: cannot be read, run python -m scripts.report.terminal first: {error!r}"
        ) from error
    if complaint:
        raise errors.CommandError(f"{path}: is no result: {complaint}")
    markdown.fill(arguments.readme, {RESULTS: inside})
    markdown.fill(arguments.architecture, {MODULES: modules(RTL)})
    print(f"{arguments.readme} and {arguments.architecture}: their tables are written")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.report.readme", description=__doc__)
    cli.add_build(built)
    for name, default in (("readme", "README.md"), ("architecture", "docs/architecture.md")):
        built.add_argument(
            f"--{name}", type=Path, default=Path(default), help="a file (default: %(default)s)"
        )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
