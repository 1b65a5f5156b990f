"""A network's recipe: one TOML file says what is trained, how it is quantized and how folded."""

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.errors import VerbatimError, reason
from common.files import digest
from model.data.scaling import Scaling
from model.data.userdata import DataFile
from model.elsewhere import PARAMETERS, require_own_kind
from model.folding import Fold, Goal, Lanes, Plan, Shape, keeping_up, solve
from model.format import SpecError, require, require_boolean, require_integer, require_number
from model.plain import build
from model.sparsity import Sparsity
from model.stages.softmax import DIVIDERS, SCORES, current_divider
from model.sum_plan import MAX_EVERY
from model.widths import Formats, Widths

MAX_SEED = 2**32 - 1
FEATURES = ("raw", "standardize")
MAX_LAYERS = 99
OUTPUTS = ("softmax", "logits", "argmax", "sigmoid")
# A sigmoid where the network ends in one, else a softmax.
AS_IT_ENDS = "as it ends"
GOALS = ("target_cycles", "max_multipliers")


class RecipeError(VerbatimError):
    """A recipe that cannot be followed: the message names file, key, value and what is expected."""


def _require_choice(owner: str, key: str, value: object, legal: tuple[str, ...]) -> None:
    require(value in legal, f"{owner}: {key} must be one of {', '.join(legal)}, got {value!r}")


@dataclass(frozen=True)
class Split:
    """Division of the samples into training and test: stratified, by seed."""

    test_fraction: float
    seed: int

    def __post_init__(self) -> None:
        require_number("split", 0.0, 1.0, test_fraction=self.test_fraction)
        require_integer("split", 0, MAX_SEED, seed=self.seed)


@dataclass(frozen=True)
class Training:
    """One run of Adam over the whole training split in each epoch."""

    epochs: int
    learning_rate: float

    def __post_init__(self) -> None:
        require_integer("training", 1, 1_000_000, epochs=self.epochs)
        require_number("training", 0.0, 1.0, learning_rate=self.learning_rate)


@dataclass(frozen=True)
class FineTuning:
    """The same through fake quantization; 0 epochs leave the calibrated network as it is."""

    epochs: int
    learning_rate: float

    def __post_init__(self) -> None:
        require_integer("fine_tuning", 0, 1_000_000, epochs=self.epochs)
        require_number("fine_tuning", 0.0, 1.0, learning_rate=self.learning_rate)


@dataclass(frozen=True)
class Softmax:
    """Way from logits to probabilities, ``lanes`` classes per cycle (None: as few as keep up)."""

    score: str
    divider: str
    lanes: int | None = None

    def __post_init__(self) -> None:
        _require_choice("softmax", "score", self.score, SCORES)
        object.__setattr__(self, "divider", current_divider(self.divider))
        _require_choice("softmax", "divider", self.divider, DIVIDERS)
        if self.lanes is not None:
            require_integer("softmax", 1, 64, lanes=self.lanes)


@dataclass(frozen=True)
class Stream:
    """Features that enter and probabilities that leave in one beat."""

    in_lanes: int
    out_lanes: int

    def __post_init__(self) -> None:
        require_integer("stream", 1, 4096, in_lanes=self.in_lanes, out_lanes=self.out_lanes)


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a network from its data.

    The network is one of: ``module``, a class as ``package.module:Class`` or ``file.py:Class``;
    ``hidden``, the sizes of hidden layers with a ReLU behind each; ``onnx``, a file. It is trained
    by ``training``, or comes with its parameters: in the ``onnx`` file or in a ``checkpoint``.
    With ``requantize`` an ``onnx`` that was quantized elsewhere is quantized again from its floats.
    Of several results that it returns, ``result`` is the name or number of the one to take.
    ``output`` is what becomes of its logits: "softmax", by the table of that name, which the
    others have not; "logits" with the class of the largest, or without it where they are not
    ``ranked`` or the dataset has targets; "argmax", the class alone; or "sigmoid", of a single one
    for two classes, of each by itself for targets that are 0 or 1. The output of a network that
    comes as a ``module`` or ``onnx`` and names neither ``output`` nor softmax is `AS_IT_ENDS`.
    Where ``loadable``, weights and biases of the core can be replaced while it runs. ``sharing`` is
    the number of additions between two registers where unrolled layers share sums of outputs.
    ``features`` is "raw", "standardize" or a scaling: parameters that come with the network bring
    the one of their training. ``area`` prunes while fine-tuning. Paths are relative to ``folder``.
    """

    name: str
    dataset: str | DataFile
    seed: int
    split: Split
    fine_tuning: FineTuning
    formats: Formats
    softmax: Softmax
    folds: Mapping[str, Fold] | Goal
    module: str | None = None
    hidden: tuple[int, ...] | None = None
    onnx: str | None = None
    checkpoint: str | None = None
    result: str | int | None = None
    requantize: bool = False
    training: Training | None = None
    output: str = "softmax"
    ranked: bool = True
    features: str | Scaling = "raw"
    stream: Stream | None = None
    area: Sparsity | None = None
    loadable: bool = False
    sharing: int | None = None
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        owner = "recipe"
        _require_match(owner, "name", self.name, r"[A-Za-z_]\w*", "an identifier")
        if not isinstance(self.dataset, DataFile):
            _require_match(owner, "dataset", self.dataset, r"\S+", "the name of a dataset")
        require_integer(owner, 0, MAX_SEED, seed=self.seed)
        if self.output != AS_IT_ENDS:
            _require_choice(owner, "output", self.output, OUTPUTS)
        legal = isinstance(self.ranked, bool) and (self.ranked or self.output == "logits")
        require(
            legal,
            f"{owner}: ranked must be true or false, beside output 'logits', got {self.ranked!r}",
        )
        require(
            not self.has_targets or self.output in ("logits", "sigmoid"),
            f"{owner}: output must be 'logits' beside targets, or 'sigmoid' where each is 0 or 1, "
            f"got {self.output!r}",
        )
        self._check_network()
        require_boolean(owner, loadable=self.loadable)
        if self.sharing is not None:
            require_integer(owner, 1, MAX_EVERY, sharing=self.sharing)
        legal = isinstance(self.features, Scaling) or self.features in FEATURES
        require(
            legal,
            f"{owner}: features must be one of {', '.join(FEATURES)}, or a table of offset and "
            f"scale, got {self.features!r}",
        )
        if self.area is not None:
            self.area.check(
                trained=self.training is not None,
                tuned=self.fine_tuning.epochs > 0,
                labelled=not self.has_targets or self.is_regression,
            )
        if isinstance(self.folds, Mapping):
            for layer, fold in self.folds.items():
                require_integer(f"folds.{layer}", 1, 4096, simd=fold.simd, pe=fold.pe)

    def _check_network(self) -> None:
        owner = "recipe"
        for key, legal, words in (
            ("module", r"([\w.]+|.+\.py):\w+", "like 'package.module:Class' or 'file.py:Class'"),
            ("onnx", r".+\.onnx", "a path to a .onnx"),
            ("checkpoint", PARAMETERS, "a path to a .pt, .pth, .ckpt, .bin, .tar or .safetensors"),
        ):
            if getattr(self, key) is not None:
                require_own_kind(key, getattr(self, key))
                _require_match(owner, key, getattr(self, key), legal, words)
        if self.hidden is not None:
            sizes = self.hidden
            require(
                isinstance(sizes, list | tuple),
                f"{owner}: hidden must be a list of integers, got {sizes!r}",
            )
            require(
                len(sizes) < MAX_LAYERS,
                f"{owner}: hidden must have at most {MAX_LAYERS - 1} sizes, got {len(sizes)}",
            )
            for size in sizes:
                require_integer(owner, 1, 4096, **{"a size of hidden": size})
            object.__setattr__(self, "hidden", tuple(sizes))
        _require_one_of(self, "network", ("module", "hidden", "onnx"))
        if self.result is not None:
            number = isinstance(self.result, int) and not isinstance(self.result, bool)
            require(
                self.hidden is None and (number or isinstance(self.result, str)),
                f"{owner}: result must be the name or number of one that the module or onnx gives, "
                f"got {self.result!r}",
            )
        _require_one_of(self, "source of parameters", ("training", "checkpoint", "onnx"))
        require(
            isinstance(self.requantize, bool) and (self.onnx is not None or not self.requantize),
            f"{owner}: requantize must be true or false, beside an onnx, got {self.requantize!r}",
        )
        require(
            self.training is not None or self.features != "standardize",
            f"{owner}: features must not be 'standardize' beside parameters that were trained "
            "elsewhere: give the scaling of their training, features = { offset = [...], "
            'scale = [...] } for (x - offset) / scale, or "raw"',
        )

    @property
    def epochs(self) -> int:
        """Epochs of all training at most, those of a cross-validation among them."""
        trained, tuned = self.training.epochs if self.training else 0, self.fine_tuning.epochs
        return self.area.epochs(trained, tuned) if self.area else trained + tuned

    @property
    def has_targets(self) -> bool:
        """Return whether targets are learned: real ones, or labels independent of each other."""
        return isinstance(self.dataset, DataFile) and bool(self.dataset.targets)

    @property
    def is_regression(self) -> bool:
        """Return whether real targets are learned, and no classes."""
        return self.has_targets and self.output == "logits"

    @property
    def score(self) -> str:
        """The score of the softmax, or the output that is none; a key of `model.qat.losses`."""
        if self.has_targets:
            return "values" if self.is_regression else "sigmoids"
        if not self.ranked:
            return "unranked"
        return self.softmax.score if self.output == "softmax" else self.output

    def ending(self, *, in_sigmoid: bool) -> "Recipe":
        """The recipe with the output that its network ends in, where it names none itself.

        Raises `SpecError` where it would be a softmax, which is not given.
        """
        if self.output != AS_IT_ENDS:
            return self
        require(
            in_sigmoid,
            f"recipe {self.name}: softmax or output must be given, since the network does not end "
            "in a sigmoid",
        )
        return dataclasses.replace(self, output="sigmoid")

    def n_outputs(self, classes: int) -> int:
        """Outputs of a network for so many classes: one each, one for two where it is a sigmoid.

        Raises `SpecError` where a sigmoid is to tell more of them apart.
        """
        if self.output != "sigmoid" or self.has_targets:
            return classes
        require(
            classes == 2,
            f"recipe {self.name}: output sigmoid must have a dataset of 2 classes, got {classes}",
        )
        return 1

    @property
    def sha256(self) -> str:
        """Digest of the content; comments and layout do not count, nor keys at their defaults."""
        return digest(_content(self))

    def files(self) -> Iterator[Path]:
        """Iterate over the files that the recipe names."""
        data = self.dataset.file if isinstance(self.dataset, DataFile) else None
        module = (self.module or "").rpartition(":")[0]
        for name in (data, module if module.endswith(".py") else None, self.onnx, self.checkpoint):
            if name is not None:
                yield self.folder / name

    def plan(self, layers: list[Shape]) -> Plan:
        """The fold of each layer, and the lanes beside them.

        Raises `SpecError` unless exactly these layers are folded, `FoldingError` where no fold
        meets the goal.
        """
        if isinstance(self.folds, Goal):
            folds: Mapping[str, Fold] = solve(layers, self.folds)
        else:
            folds, names = self.folds, [layer.name for layer in layers]
            require(
                set(folds) == set(names),
                f"recipe {self.name}: folds must name the layers {', '.join(names)}, got "
                f"{', '.join(folds) or 'none'}",
            )
        lanes = keeping_up(layers, folds, 1 if self.output == "argmax" else None)
        stream = self.stream or Stream(lanes.inputs, lanes.outputs)
        softmax = self.softmax.lanes or lanes.softmax
        return Plan(folds, Lanes(stream.in_lanes, softmax, stream.out_lanes))


def _require_match(owner: str, key: str, value: object, legal: str, words: str) -> None:
    fits = isinstance(value, str) and re.fullmatch(legal, value, re.ASCII) is not None
    fits = fits and isinstance(value, str) and value.isprintable()
    require(fits, f"{owner}: {key} must be {words}, got {value!r}")


def _require_one_of(recipe: Recipe, what: str, keys: tuple[str, ...]) -> None:
    found = [key for key in keys if getattr(recipe, key) is not None]
    require(
        len(found) == 1,
        f"recipe: {what} must be exactly one of {', '.join(keys)}, got "
        f"{' and '.join(found) or 'none'}",
    )


def _content(value: Any) -> Any:
    """Content of a dataclass: its fields that count and are not at their defaults, as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {f.name: f for f in dataclasses.fields(value) if f.compare}
        return {
            name: _content(getattr(value, name))
            for name, field in given.items()
            if getattr(value, name) != _default(field)
        }
    if isinstance(value, Mapping):
        return {key: _content(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _default(field: "dataclasses.Field[Any]") -> Any:
    factory = field.default_factory
    return field.default if factory is dataclasses.MISSING else factory()


def _require_short_numbers(plain: object) -> None:
    """Refuse integers beyond TOML's 64 bits: Python reads longer ones, and may not print them."""
    if isinstance(plain, Mapping | list):
        for value in plain.values() if isinstance(plain, Mapping) else plain:
            _require_short_numbers(value)
    fits = not isinstance(plain, int) or -(1 << 63) <= plain < 1 << 63
    require(fits, "recipe: an integer leaves the 64 bits of TOML")


def load(path: Path) -> Recipe:
    """Read a recipe's file; raises `RecipeError` unless every key is there, known and allowed."""
    try:
        plain = tomllib.loads(path.read_bytes().decode())  # to Python's text, '\r' is a line's end
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: is no TOML: {error}") from error
    try:
        _require_short_numbers(plain)
        recipe: Recipe = build(Recipe, "recipe", _parts(plain))
    except SpecError as error:
        raise RecipeError(f"{path}: {error}") from error
    return dataclasses.replace(recipe, folder=path.parent)


def _parts(plain: dict[str, Any]) -> dict[str, Any]:
    """A recipe's keys, with instances for the tables that hold a table for each layer."""
    parts = dict(plain)
    folds = plain.get("folds", {})
    require(isinstance(folds, Mapping), f"recipe: folds must be a table of layers, got {folds!r}")
    if "folds" in plain:
        goal = any(key in GOALS and not isinstance(value, Mapping) for key, value in folds.items())
        parts["folds"] = build(Goal, "folds", folds) if goal else _tables(Fold, "folds", folds)
    if "softmax" not in plain and {"module", "onnx"} & set(plain):
        parts.setdefault("output", AS_IT_ENDS)
    output = parts.get("output", "softmax")
    if output != "softmax" and output in (*OUTPUTS, AS_IT_ENDS):
        require("softmax" not in plain, f"recipe: softmax must not be given beside output {output}")
        parts["softmax"] = {"score": "exp", "divider": "reciprocal"}  # of no effect
    formats = plain.get("formats")
    if isinstance(formats, Mapping) and "layers" in formats:
        layers = _tables(Widths, "formats.layers", formats["layers"])
        parts["formats"] = {**formats, "layers": layers}
    return parts


def _tables(kind: type, owner: str, plain: object) -> dict[str, Any]:
    """A dataclass for each entry of a table of tables."""
    require(isinstance(plain, Mapping), f"{owner} must be a table of layers, got {plain!r}")
    assert isinstance(plain, Mapping)
    return {name: build(kind, f"{owner}.{name}", entry) for name, entry in plain.items()}
