"""Train a recipe's network in float, then fine-tune it through its quantization."""

import argparse
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from common import cli, errors
from common.files import whole_file, write_atomically
from common.paths import INSTALLED
from model import recipe
from model.data import datasets
from model.data.remarks import remarks
from model.frontends import load
from model.metrics import fit, misfit
from model.qat import checkpoint, pruning, quantize, training

# Characters of a path that make takes as they are, and those that it takes behind a backslash.
PLAIN = re.compile(r"[\w./,+@^!\"'()<>\]{}`~$-]")
ESCAPED = " #*?[:"


def make_rule(target: Path, files: Iterable[Path]) -> str:
    """Rules for make: ``target`` is made from these files; one that is gone is no error.

    Raises `CommandError` where make could take a path for something else, such as a command.
    """
    made, names = for_make(target), [for_make(path) for path in files]
    return "".join(f"{made}: {name}\n{name}:\n" for name in names)


def for_make(path: Path) -> str:
    """A path as a rule of make writes it; raises `CommandError` where it cannot."""
    name = str(path)
    bad = [c for c in name if not PLAIN.fullmatch(c) and c not in ESCAPED]
    bad += ["~"] * name.startswith("~") + [" "] * name.endswith(" ")
    if bad:
        raise errors.CommandError(
            f"{name!r}: a path that make watches must not have {bad[0]!r} there: rename it"
        )
    return "".join(f"\\{c}" if c in ESCAPED else "$$" if c == "$" else c for c in name)


def run(arguments: argparse.Namespace) -> None:
    """Write ``<build>/checkpoint.pt``, and in ``checkpoint.d`` for make what it was made from."""
    torch.set_num_threads(1)
    plan = recipe.load(arguments.network)
    dataset = datasets.load(plan.dataset, plan.folder)
    cli.warn(f"dataset {dataset.name}: {remark}" for remark in remarks(dataset))
    train, _ = datasets.split(dataset, plan.split.test_fraction, plan.split.seed)
    path = arguments.build / checkpoint.FILE
    # The package has no makefile.
    rule = None if INSTALLED else make_rule(path, load.sources(plan))
    sources = checkpoint.sources_sha256(plan, dataset)
    console = Console(stderr=True)
    with (
        cli.step(arguments.build, "train"),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(f"training {plan.name}", total=plan.epochs)
        epochs = itertools.count()

        def advance() -> None:
            next(epochs)
            progress.advance(task)

        trained = training.learn(plan, dataset, train, advance)
    with whole_file(path) as temporary:
        checkpoint.save(trained, plan, dataset, temporary, sources)
    if rule is not None:
        write_atomically(arguments.build / "checkpoint.d", rule)
    if trained.given:
        print(f"{path}: formats and codes of {plan.onnx} as they are, no epochs")
    else:
        print(f"{path}: {next(epochs)} epochs on {len(train)} samples of {dataset.name}")
    if trained.choice is not None:
        network = quantize.export(trained.quantized, plan, {}, trained.scaling, trained.targets)
        network = pruning.recorded(network, plan, trained.choice)
        print(f"{path}: {pruning.summary(network)}")
    if plan.training is None and plan.has_targets:
        assert dataset.targets is not None
        found = training.values(trained, trained.scaled(dataset.features[train]))
        r2 = fit(dataset.targets[train], found).r2
        print(f"{path}: parameters as they come have R2 {r2:.4f} on the training samples")
    elif plan.training is None:
        features = trained.scaled(dataset.features[train])
        given = training.probabilities(trained.module, features).argmax(axis=1)
        labels = dataset.labels[train]
        correct = int((given == labels).sum())
        print(f"{path}: parameters as they come are correct on {correct}/{len(labels)} samples")
        cli.warn(filter(None, [misfit(labels, given, dataset.class_names)]))


if __name__ == "__main__":
    cli.main(run, cli.build_parser("scripts.train", __doc__), alone=True)
