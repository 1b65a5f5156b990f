"""Learn a network in Verilog from a random start, and compare each epoch with the reference.

Leaves an ordinary network, which predict takes, a checkpoint and a picture of the curve; and a
folder as export leaves it, from which `make sim LEARNED=1` and `make core LEARNED=1` go on.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from common import cli, tables
from common.errors import VerbatimError
from common.files import whole_file
from model import artifact, recipe, reference
from model.artifact import Network
from model.data import datasets, scaling
from model.format import Int
from model.learning import floats, from_recipe, learner, plans
from model.learning.backprop import LFSR_W, Plan
from model.learning.core import Core
from model.learning.counts import Counts
from model.learning.learner import Learner
from model.recipe import Recipe, Training
from scripts.claim import claim
from scripts.expected import write_export
from tb.sim.learning import NativeLearner
from tb.sim.simulators import SIMULATORS
from tb.sim.stepped import SteppedLearner

NETWORK, CHECKPOINT, PICTURE = "learned.network.json", "learned.checkpoint.json", "learn.png"
# The folder of the build folder that is like one itself.
FOLDER = "learned"
VERILOG, PYTHON, SGD, ADAM = "integers, Verilog", "integers, Python", "float, SGD", "float, Adam"
# Adam's settings, where the recipe trains by none.
TRAINING = Training(1000, 0.001)
# Of an epoch's first sample: its index is asked for and taken, and its beats are registered.
HANDSHAKE_CYCLES = 16


class DivergenceError(VerbatimError):
    """Verilog differs from the reference or from a formula: the message names both values."""


@dataclass(frozen=True)
class Samples:
    """Codes ``[samples, n_in]`` and labels of both parts of a split, and what scaled them.

    ``train`` and ``test`` are the parts' samples in the dataset.
    """

    train: Int
    test: Int
    x: Int
    labels: Int
    test_x: Int
    test_labels: Int
    scaling: scaling.Scaling

    def count(self, correct: Callable[[Int, Int], int]) -> tuple[int, int]:
        """Count with ``correct`` in each part."""
        return correct(self.x, self.labels), correct(self.test_x, self.test_labels)


@dataclass
class Result:
    """Wrong answers by epoch, correct samples of both parts, seconds, cycles, counts.

    Each is found under the name of an implementation; ``cycles`` and ``counts`` are those of all
    samples in Verilog.
    """

    wrong: dict[str, list[int]] = field(default_factory=dict)
    correct: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cycles: int = 0
    counts: Counts = field(default_factory=Counts)


def samples_of(wanted: Recipe, data: datasets.Dataset) -> Samples:
    """The recipe's split as codes; features that it leaves raw are standardized."""
    train, test = datasets.split(data, wanted.split.test_fraction, wanted.split.seed)
    rows = data.features[train]
    scale = wanted.features
    if not isinstance(scale, scaling.Scaling):
        named = wanted.dataset if isinstance(wanted.dataset, str) else ""
        scale = plans.scaling_of(named, rows)
    x, test_x = (
        reference.quantize(scale.apply(data.features[part]), plans.INPUT) for part in (train, test)
    )
    return Samples(train, test, x, data.labels[train], test_x, data.labels[test], scale)


def running(core: Core, simulator: str) -> NativeLearner | SteppedLearner:
    """The core in Verilog: compiled by Verilator into a library, or simulated by Icarus."""
    return NativeLearner(core) if simulator == "verilator" else SteppedLearner(core, simulator)


def learn(
    core: Core, seed: int, samples: Samples, console: Console, simulator: str = "verilator"
) -> tuple[Learner, Result]:
    """Learn in Verilog and in Python side by side, then count what each predicts.

    Raises `DivergenceError` at the first epoch after which they differ.
    """
    plan, found = core.plan, Result({VERILOG: []}, {}, {VERILOG: 0.0, PYTHON: 0.0})
    run = Learner.begin(plan, seed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    note = TextColumn("{task.fields[note]}")
    shown = console.is_terminal
    with (
        running(core, simulator) as verilog,
        Progress(*columns, note, console=console, transient=True, disable=not shown) as progress,
    ):
        task = progress.add_task("epoch", total=plan.epochs, note="")
        verilog.start(seed)
        for epoch in range(plan.epochs):
            begun = time.perf_counter()
            taught = verilog.learn(samples.x, samples.labels, plan.samples)
            between = time.perf_counter()
            missed = run.epoch(samples.x, samples.labels)
            found.seconds[VERILOG] += between - begun
            found.seconds[PYTHON] += time.perf_counter() - between
            found.cycles += taught.cycles
            wrong = int((taught.classes != samples.labels[taught.indices]).sum())
            compare(epoch, (run.state.digest, missed), (verilog.save().digest, wrong))
            found.counts = verilog.counts()
            compare_counts(epoch, run.counts, found.counts)
            found.wrong[VERILOG].append(wrong)
            rate = (epoch + 1) * plan.samples / found.seconds[VERILOG]
            text = f"{wrong} of {plan.samples} wrong, {rate:,.0f} samples/s"
            progress.update(task, advance=1, note=text)
        found.correct[VERILOG] = samples.count(
            lambda x, labels: int((verilog.predict(x).classes == labels).sum())
        )
    found.correct[PYTHON] = samples.count(
        lambda x, labels: sum(
            run.predict(row).predicted == label for row, label in zip(x, labels, strict=True)
        )
    )
    return run, found


def compare(epoch: int, expected: tuple[str, int], got: tuple[str, int]) -> None:
    """Raise `DivergenceError` unless masters' digests and wrong answers are equal."""
    if expected != got:
        raise DivergenceError(
            f"epoch {epoch}: masters must have sha256 {expected[0]} after {expected[1]} wrong "
            f"answers, got {got[0]} after {got[1]}"
        )


def compare_counts(epoch: int, expected: Counts, got: Counts) -> None:
    """Raise `DivergenceError` unless as much has saturated, and as many answers were wrong."""
    if expected != got:
        raise DivergenceError(f"epoch {epoch}: counts must be {expected}, got {got}")


def check_cycles(core: Core, epochs: int, cycles: int) -> None:
    """Raise `DivergenceError` unless all samples took the cycles of the formula.

    An epoch is counted to its last answer, which comes before that sample is learned. Beside that
    it takes the drawing of its order, and the way in and out of a sample.
    """
    plan = core.plan
    least = epochs * ((plan.samples - 1) * core.cycles + core.answer_cycles)
    ends = LFSR_W + plan.sizes[0] + plan.sizes[-1] + HANDSHAKE_CYCLES
    most = least + epochs * ends
    if not least <= cycles <= most:
        raise DivergenceError(f"{epochs} epochs must take {least} to {most} cycles, got {cycles}")


def learn_in_float(
    plan: Plan, seed: int, samples: Samples, training: Training, found: Result
) -> list[floats.Real]:
    """Add SGD with the integers' start, order and rate, and Adam from their start.

    Returns what SGD has learned.
    """

    def values(x: Int) -> floats.Real:
        return np.asarray(x * plan.x(0).lsb, np.float64)

    def count(parameters: list[floats.Real]) -> tuple[int, int]:
        return samples.count(lambda x, labels: floats.correct(plan, parameters, values(x), labels))

    x, labels = values(samples.x), samples.labels
    begun = time.perf_counter()
    epochs = list(floats.sgd(plan, seed, x, labels))
    found.seconds[SGD] = time.perf_counter() - begun
    found.wrong[SGD] = [wrong for wrong, _ in epochs]
    found.correct[SGD] = count(epochs[-1][1])
    learned = floats.adam(
        plan, seed, x, labels, epochs=training.epochs, learning_rate=training.learning_rate
    )
    found.correct[ADAM] = count(learned)
    return epochs[-1][1]


def table(plan: Plan, samples: Samples, found: Result, training: Training) -> Table:
    """Correct samples of each implementation, and how fast it learned."""
    built = Table(title=f"{plan.epochs} epochs of {plan.samples} samples")
    built.add_column("")
    for name in ("train", "test", "samples/s"):
        built.add_column(name, justify="right")
    for name, (train, test) in found.correct.items():
        seconds = found.seconds.get(name)
        rate = f"{plan.epochs * plan.samples / seconds:,.0f}" if seconds else ""
        shown = f"{name}, {training.epochs} epochs" if name == ADAM else name
        totals = f"{train}/{len(samples.labels)}", f"{test}/{len(samples.test_labels)}"
        built.add_row(shown, *totals, rate)
    return built


def draw(found: Result, path: Path) -> None:
    """Draw wrong answers by epoch."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, wrong in found.wrong.items():
        axes.plot(range(1, len(wrong) + 1), wrong, label=name, linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel("wrong answers, each before its sample is learned")
    axes.set_ylim(bottom=0)
    axes.legend()
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def leave(
    network: Network,
    data: datasets.Dataset,
    samples: Samples,
    by_sgd: list[floats.Real],
    plan: Plan,
    folder: Path,
) -> None:
    """Write a folder as export does: the network, its images, the dataset.

    Its float classes are those of SGD.
    """
    codes = reference.encode(network, data.features)
    logits = floats.outputs(plan, by_sgd, np.asarray(codes * plan.x(0).lsb, np.float64))[-1]
    scores = logits if plan.score == "exp" else (1.0 + logits) ** 2
    expected = {
        "features": data.features,
        "labels": data.labels,
        "train": samples.train,
        "test": samples.test,
        "input": codes,
        "float.class": scores.argmax(axis=1),
    }
    write_export(network, expected, folder)


def run(arguments: argparse.Namespace) -> None:
    """Learn, write the files into the build folder, print the table."""
    build = arguments.build
    wanted = recipe.load(arguments.network)
    data = datasets.load(wanted.dataset, wanted.folder)
    samples = samples_of(wanted, data)
    sizes = data.features.shape[1], len(data.class_names)
    plan = from_recipe.of_recipe(wanted, *sizes, len(samples.x), arguments.epochs)
    core, training = Core(plan, arguments.lanes), wanted.training or TRAINING
    console = Console(stderr=True)
    learned, found = learn(core, arguments.seed, samples, console, arguments.sim)
    check_cycles(core, plan.epochs, found.cycles)
    by_sgd = learn_in_float(plan, arguments.seed, samples, training, found)
    provenance = {"learned": {"seed": arguments.seed, "masters_sha256": learned.state.digest}}
    network = learner.network(
        plan,
        learned.state.masters,
        name=wanted.name,
        provenance=provenance,
        scaling=samples.scaling,
    )
    network = dataclasses.replace(network, names=data.names)
    claim(build / FOLDER, arguments.network)
    leave(network, data, samples, by_sgd, plan, build / FOLDER)
    artifact.save(network, build / NETWORK)
    learner.save(plan, learned.state, build / CHECKPOINT)
    draw(found, build / PICTURE)
    tables.show(table(plan, samples, found, training))
    count = plan.epochs * plan.samples
    print(f"masters after each of {plan.epochs} epochs: equal, sha256 {learned.state.digest}")
    print(
        f"cycles a sample, L = {core.lanes}: {found.cycles / count:.1f}, formula {core.cycles} "
        "(an epoch is counted to its last answer)"
    )
    lost = found.counts
    print(
        f"saturated: {lost.activations} activations, {lost.deltas} deltas, {lost.masters} masters"
    )
    print(f"{build}: {NETWORK}, {CHECKPOINT}, {PICTURE}, {FOLDER}/")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = cli.build_parser("scripts.learn", __doc__)
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command beside its recipe and folder."""
    for name, default, words in (
        ("lanes", 30, "multipliers, 1 to 256"),
        ("seed", 1, "start and order, 1 to 65535"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{words} (default: %(default)s)"
        )
    parser.add_argument("--epochs", type=int, help="epochs (default: the plan's)")
    cli.add_sim(parser, SIMULATORS)


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
