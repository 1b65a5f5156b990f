"""Train a recipe's network in float, then fine-tune it through its quantization."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from common import cli
from common.files import whole_file, write_atomically
from model import recipe
from model.data import datasets
from model.qat import checkpoint, training


def make_rule(target: Path, files: Iterable[Path]) -> str:
    """What make must know: ``target`` is made from these files; one that is gone is no error."""
    names = [str(path).replace("$", "$$").replace(" ", "\\ ") for path in files]
    return "".join(f"{target}: {name}\n{name}:\n" for name in names)


def run(arguments: argparse.Namespace) -> None:
    """Write ``<build>/checkpoint.pt``, and in ``checkpoint.d`` for make what it was made from."""
    torch.set_num_threads(1)
    plan = recipe.load(arguments.network)
    dataset = datasets.load(plan.dataset, plan.folder)
    train, _ = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    epochs = (plan.training.epochs if plan.training else 0) + plan.fine_tuning.epochs
    console = Console(stderr=True)
    with (
        cli.step(arguments.build, "train"),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(f"training {plan.name}", total=epochs)
        trained = training.learn(plan, dataset, train, lambda: progress.advance(task))
    path = arguments.build / checkpoint.FILE
    with whole_file(path) as temporary:
        checkpoint.save(trained, plan, dataset, temporary)
    write_atomically(arguments.build / "checkpoint.d", make_rule(path, plan.files()))
    print(f"{path}: {epochs} epochs on {len(train)} samples of {dataset.name}")


if __name__ == "__main__":
    cli.main(run, cli.build_parser("scripts.train", __doc__))
