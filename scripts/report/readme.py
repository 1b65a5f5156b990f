"""Fill the README with results and limits, and the architecture with the modules of rtl/."""

import argparse
import json
import re
import textwrap
from pathlib import Path

from common import cli, errors, markdown, sources
from common.paths import RTL
from model.format import MAX_WIDTH, MIN_WIDTH
from model.spec import MAX_STAGES
from model.stages.linear import MAX_SIZE
from model.stages.softmax import MAX_CLASSES
from scripts.report.facts import Facts

PARTS = {"train": "training", "test": "test"}
RESULTS, LIMITS, MODULES = "results", "limits", "modules"
TITLE = re.compile(r"^// (mlp_\w+) - (.+)", flags=re.M)
LATENCY = re.compile(r"^// Latency +(.+(?:\n// {10,}.+)*)", flags=re.M)


def results(facts: Facts) -> str:
    """Table of the main facts of a report, in Markdown."""
    sizes = {part: facts["implementations"][0][part]["samples"] for part in PARTS}
    totals, cycles = facts["totals"], facts["cycles"]
    rtl = [f"{cycles[key]['measured']}" for key in ("interval", "latency")]
    compared = {
        "quantized PyTorch": (totals["pytorch"], ["", ""]),
        f"RTL ({facts['simulator']})": (totals["rtl"], rtl),
    }
    columns = ["implementation"]
    columns += [f"correct, of {sizes[part]} {title} samples" for part, title in PARTS.items()]
    columns += ["values compared", "differing", "cycles per sample", "latency in cycles"]
    rows = []
    for row in facts["implementations"]:
        cells = [row["name"], *(str(row[part]["correct"]) for part in PARTS)]
        if row["name"] in compared:
            count, measured = compared[row["name"]]
            cells += [f"{count['compared']:,}", str(count["differing"]), *measured]
        rows.append(cells + [""] * (len(columns) - len(cells)))
    table = markdown.table(columns, rows, right=range(1, len(columns)))
    return f"{table}\nCompared with the NumPy reference, by `==`."


def limits() -> str:
    """Limits of a network, in Markdown, from the checks that enforce them."""
    lines = [
        "Multi-layer perceptrons only: a chain of linear layers and activations of one number "
        "(ReLU, Tanh, GELU and others) that ends in a softmax, in logits (a regression's values "
        "among them), in the class alone, or in sigmoids. BatchNorm, constants "
        "added or multiplied, Dropout and Flatten are absorbed "
        "when a network is read, in whatever words; anything else, such as a convolution or a skip "
        "connection, is refused by the line of your code.",
        f"At most {MAX_STAGES} stages of at most {MAX_SIZE:,} inputs and outputs each; a softmax "
        f"has 2 to {MAX_CLASSES} classes, logits and an argmax up to {MAX_SIZE:,}.",
        f"Weights and values have {MIN_WIDTH} to {MAX_WIDTH} bits, and one power-of-two scale for "
        "each tensor; a network that comes quantized so keeps its formats and codes.",
        "`mlp_top` infers: its weights are ROM images, so others need a new bitstream, unless the "
        "recipe says `loadable = true`. "
        "`mlp_learn_top` learns too, and its weights are loaded and saved as streams; its formats "
        "are fixed, its features standardized (`make learn`, `make bitstream LEARN=1`).",
        "No board has been tried yet: bitstreams are built, and the link is tested in simulation "
        "alone.",
    ]
    return "\n".join(
        textwrap.fill(line, 100, initial_indent="* ", subsequent_indent="  ") for line in lines
    )


def modules(folder: Path) -> str:
    """Table of all modules in Markdown, from the headers in ``rtl/``."""
    lines = ["| module | what it does | latency |", "|---|---|---|"]
    for path in sorted(sources.verilog(folder)):
        text = path.read_text()
        title, latency = TITLE.search(text), LATENCY.search(text)
        if title is None or title[1] != path.stem or latency is None:
            raise errors.CommandError(
                f"{path}: its header must have '// {path.stem} - ...' and a Latency"
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
        raise errors.CommandError(f"{path}: is not a result: {complaint}")
    markdown.fill(arguments.readme, {RESULTS: inside, LIMITS: limits()})
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
