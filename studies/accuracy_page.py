"""Write docs/results/accuracy.md from the figures that `make accuracy` left for each network."""

import argparse
import json
from pathlib import Path
from typing import Any

from common import cli, errors, markdown
from studies.accuracy import NETWORKS, SWEEP_LEARNING_RATE, TREE_DEPTH, WAYS, WIDTHS

SHIPPED = ("iris", "wine", "breast_cancer", "digits")
TITLES = {
    "float": "float",
    "calibrated": "calibrated",
    "fine_tuned": "fine-tuned",
    "logistic": "logistic regression",
    "tree": "decision tree",
}
WORDS = {
    "max": "`max`",
    "mse": "`mse`",
    "mse_exp": "`mse`, score `exp`",
    "channels": "a frac for each output",
}


def read(path: Path) -> dict[str, Any]:
    """The figures of one network."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise errors.CommandError(
            f"{path}: cannot be read, run make accuracy first: {error}"
        ) from error
    if not all(found.get("percent_at_width", {}).values()):
        raise errors.CommandError(f"{path}: has no figures at each width, run make accuracy again")
    return found


def baselines(figures: dict[str, dict[str, Any]]) -> str:
    """Every classifier on every dataset, in % correct with its deviation over the seeds."""
    titles = (TITLES[network] for network in NETWORKS)
    columns = ("network", "samples", *titles, "float - fine-tuned", "measured")
    rows = []
    for name, found in figures.items():
        mean, std = found["mean_percent"], found["std_percent"]
        cells = [f"{mean[n]:.2f} ± {std[n]:.2f}" for n in NETWORKS]
        lost = f"{found['points_lost']:+.2f}"
        rows.append((name, f"{found['samples']:,}", *cells, lost, found["date"]))
    seeds = {len(found["correct_by_seed"]) for found in figures.values()}
    splits = {found["splits"] for found in figures.values()}
    say = ", ".join(f"{min(s)} to {max(s)}" if len(s) > 1 else str(*s) for s in (splits, seeds))
    notes = (
        f"% correct over the test splits; splits and seeds: {say}. "
        f"The tree has {TREE_DEPTH} levels."
    )
    return f"{markdown.table(columns, rows, right=range(1, len(columns)))}\n{notes}"


def widths(figures: dict[str, dict[str, Any]]) -> str:
    """Accuracy against bits, fine-tuned in each way."""
    columns = ("network", "fracs", *(f"{width} bits" for width in WIDTHS))
    rows = []
    for name, found in figures.items():
        for way in WAYS:
            cells = [f"{found['percent_at_width'][way][str(width)]:.1f}" for width in WIDTHS]
            rows.append((name, WORDS[way], *cells))
    notes = (
        "% correct over the splits of seed 0, weights and activations at the same number of bits, "
        f"fine-tuned at a learning rate of {SWEEP_LEARNING_RATE} for the recipe's epochs."
    )
    return f"{markdown.table(columns, rows, right=range(2, len(columns)))}\n{notes}"


def run(arguments: argparse.Namespace) -> None:
    """Fill both tables of the page."""
    figures = {name: read(arguments.builds / name / "accuracy.json") for name in SHIPPED}
    markdown.fill(arguments.page, {"baselines": baselines(figures), "widths": widths(figures)})
    print(f"{arguments.page}: its tables are written")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.accuracy_page", description=__doc__)
    for name, default, words in (
        ("builds", "build", "folder of the networks' build folders"),
        ("page", "docs/results/accuracy.md", "the page"),
    ):
        built.add_argument(
            f"--{name}", type=Path, default=Path(default), help=f"{words} (default: %(default)s)"
        )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
