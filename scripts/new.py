"""Write a commented starter recipe for a network of your own."""

import argparse
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from common import cli, errors
from common.files import write_atomically
from common.paths import odd_characters, typed
from model import recipe
from model.data import datasets, userdata
from model.data.remarks import remarks
from model.data.userdata import DataFile

MOST_SHOWN = 12

STARTER = """\
# A network of your own: {sim}

name = "{name}"
{dataset}
features = "standardize"            # each near mean 0 and deviation 1; "raw" takes them as they are
hidden = [16]                       # hidden layers, a ReLU behind each; in their place, one of:
# module = "mine.py:Net"            # a PyTorch class, in a file beside this one, or a package
# onnx = "mine.onnx"                # a trained network; leave out [training] with it, and see below
# checkpoint = "mine.pt"            # a state_dict for the module; the same
# result = 0                        # the name or number of one of several results that it returns
# requantize = true                 # quantize again what an onnx brings quantized by other scales
# A trained network takes features as it was trained on them, (x - offset) / scale or "raw":
# features = {{ offset = [5.8, 3.1], scale = [0.8, 0.4] }}    # a number for each feature
seed = 0                            # initial weights

[split]
test_fraction = 0.2                 # each class in proportion
seed = 0                            # which samples

[training]                          # in float32, with the ordinary softmax, by Adam
epochs = 300
learning_rate = 0.01

[fine_tuning]                       # through the integers and the softmax of the hardware
epochs = 100                        # 0 turns it off
learning_rate = 0.001

[formats]                           # value = code * 2**-frac; 2 to 16 bits each
input = {{ width = 8 }}               # its frac is found from the samples, or give one: frac = 4
weights_width = 8
activations_width = 8
calibration = "max"                 # fracs that hold all values, or "mse": of least squared error
# [formats.layers.fc1]              # widths of one layer, where they differ
# weights_width = 4

# [area]                            # fewest LUTs where every weight is a constant, with weights of
# penalty = 0.001                   # 4 bits, say: weights are pruned in fine-tuning, while they are
# lost = 0.01                       # cross-validated to lose at most this share of samples

[softmax]                           # without it, a module or onnx that ends in a sigmoid is one
score = "exp"                       # or "taylor2", 1 + x + x**2/2: smaller, and trained through
divider = "reciprocal"              # by a table; or "restoring", exact and a few cycles slower

[folds]                             # {folds} shows what there is
target_cycles = 32                  # cycles a sample at most, by the fewest multipliers
# max_multipliers = 16              # multipliers at most, for the fewest cycles
# fc1 = {{ simd = 1, pe = 1 }}        # or each layer by itself, without the two lines above
"""


# What a starter says of classes, and what it says of a regression.
IN_A_REGRESSION = (
    ("# each class in proportion", "# the part that training never sees"),
    ("with the ordinary softmax, by Adam", "on the mean squared error, by Adam"),
    (
        "through the integers and the softmax of the hardware",
        "through the integers of the hardware",
    ),
)


def starter(path: Path, data: DataFile | None) -> str:
    """The text of a recipe for ``path``; ``data`` is relative to its folder."""
    name = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
    name = name if name.isidentifier() else f"network_{name}"
    if data is None:
        line = 'dataset = "iris"  # or { file = "mine.csv", label = "the column of classes" }'
    else:
        keys = {key: value for key, value in vars(data).items() if value not in (None, ())}
        line = f"dataset = {{ {', '.join(f'{key} = {_toml(keys[key])}' for key in keys)} }}"
        if not data.leave_out:
            line += '\n# leave_out = ["Id"], in the line above: columns that are no features'
    text = STARTER
    if data is not None and data.targets:
        start, end = text.index("[softmax]"), text.index("[folds]")
        text = text[:start] + text[end:]
        line += '\noutput = "logits"                   # values in the units of their targets'
        for words, instead in IN_A_REGRESSION:
            text = text.replace(words, instead)
    commands = {step: typed(step, path) for step in ("sim", "folds")}
    return text.format(name=name, dataset=line, **commands)


def _shown(names: Sequence[str]) -> str:
    """Names, or those at both ends where they are many."""
    few = names if len(names) <= MOST_SHOWN else (*names[:MOST_SHOWN], "...", names[-1])
    return ", ".join(few)


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def run(arguments: argparse.Namespace) -> None:
    """Write the file, unless there is one."""
    path: Path = arguments.recipe
    if path.suffix != ".toml":
        raise errors.CommandError(f"{path}: expected a path that ends in .toml")
    if odd := odd_characters(path):
        raise errors.CommandError(
            f"{path}: its whole path must have no {odd[0]!r}, for make's sake"
        )
    if path.exists():
        raise errors.CommandError(f"{path}: is there already, expected the path of a new file")
    data = None
    if arguments.data is not None:
        beside = os.path.relpath(arguments.data, path.parent)
        header = None if arguments.header is None else arguments.header == "yes"
        data = DataFile(beside, arguments.label, (), tuple(arguments.leave_out), header)
        data = userdata.as_found(data, path.parent)
        found = datasets.load(data, path.parent)
        kind = "a regression on" if data.targets else "classes"
        print(
            f"{arguments.data}: {len(found.labels)} samples, {len(found.feature_names)} features "
            f"({_shown(found.feature_names)}), {kind} {', '.join(found.class_names)}"
        )
        cli.warn(f"{arguments.data}: {remark}" for remark in remarks(found))
    write_atomically(path, starter(path, data))
    recipe.load(path)
    print(f"{path}: is written, next: {typed('sim', path)}")


def parser() -> argparse.ArgumentParser:
    """The file to write, and where its samples lie."""
    built = argparse.ArgumentParser(prog="python -m scripts.new", description=__doc__)
    options(built)
    return built


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("recipe", type=Path, help="the file to write, a new .toml")
    parser.add_argument("--data", type=Path, help="your samples, a .csv or an .npz")
    parser.add_argument("--label", help="the CSV's column of classes (default: its last)")
    parser.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column that is no feature; may be given several times",
    )
    parser.add_argument(
        "--header",
        choices=("yes", "no"),
        help="whether the first line of the CSV is a header (default: as its cells say)",
    )


if __name__ == "__main__":
    cli.main(run, parser())
