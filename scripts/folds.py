"""Print how a network can be folded, and how its recipe folds it, before anything is trained."""

import argparse

from rich.console import Group

from common import cli
from common.tables import console
from model import folding, recipe
from model.data import datasets
from model.folding import Fold, Plan, Shape
from model.frontends import load, torch_fx
from model.qat import quantize
from model.recipe import Recipe
from scripts.report.terminal import Section, table

CHOSEN = "<-"


def of_network(name: str, layers: list[Shape], plan: Plan) -> Section:
    """Folds of the whole network: cycles per sample against multipliers."""
    choices = folding.alternatives(layers)
    own = max(plan.folds[layer.name].cycles(layer) for layer in layers)
    if plan.folds not in [folds for _, folds in choices]:
        choices = sorted([*choices, (own, dict(plan.folds))], key=lambda choice: choice[0])
    columns = [f"{layer.name}\n{layer.n_in} -> {layer.n_out}" for layer in layers]
    made = table("cycles", "multipliers", *columns, "", words=0)
    for cycles, folds in choices:
        cells = [f"{folds[layer.name].simd} x {folds[layer.name].pe}" for layer in layers]
        mark = CHOSEN if folds == plan.folds else ""
        made.add_row(str(cycles), str(folding.total(folds)), *cells, mark)
    lanes = plan.lanes
    note = (
        f"SIMD x PE. Beside the folds marked {CHOSEN}, lanes a beat: {lanes.inputs} of the input, "
        f"{lanes.softmax} of the softmax, {lanes.outputs} of the output."
    )
    return Section(f"{name}: fewest multipliers for a number of cycles per sample", made, note)


def of_layer(layer: Shape, own: Fold, weight_w: int) -> Section:
    """Folds of one layer, and the ROM of its weights."""
    columns = ("cycles", "SIMD x PE", "multipliers", "ROM words", "bits a word", "")
    made = table(*columns, words=0)
    choices = dict(folding.steps(layer)) | {own.cycles(layer): own}
    for cycles, fold in sorted(choices.items()):
        word = fold.multipliers * weight_w
        cells = (cycles, f"{fold.simd} x {fold.pe}", fold.multipliers, cycles, word)
        made.add_row(*map(str, cells), CHOSEN if fold == own else "")
    bits = layer.n_in * layer.n_out * weight_w
    title = f"{layer.name}: {layer.n_in} -> {layer.n_out}, {bits:,} bits of weights"
    return Section(title, made)


def show(plan: Recipe, layers: list[Shape]) -> Group:
    """All tables; raises where the recipe's goal cannot be met."""
    chosen = plan.plan(layers)
    sections = [of_network(plan.name, layers, chosen)]
    sections += [
        of_layer(layer, chosen.folds[layer.name], plan.formats.of_weights(layer.name))
        for layer in layers
    ]
    return Group(*sections)


def run(arguments: argparse.Namespace) -> None:
    """Print the tables."""
    plan = recipe.load(arguments.network)
    dataset = datasets.load(plan.dataset, plan.folder)
    module = load.make(plan, dataset)
    plan = load.settled(plan, module)
    layers = quantize.shapes(torch_fx.core_layers(module, plan.score))
    console().print(show(plan, layers))


if __name__ == "__main__":
    cli.main(run, cli.build_parser("scripts.folds", __doc__ or ""))
