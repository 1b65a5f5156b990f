"""A network's recipe: one TOML file says what is trained, how it is quantized and how folded."""

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model.artifact import digest
from model.errors import VerbatimError
from model.spec import (
    DIVIDERS,
    MAX_WIDTH,
    MIN_WIDTH,
    SCORES,
    Format,
    SpecError,
    build,
    require,
    require_whole,
)

MAX_SEED = 2**32 - 1


class RecipeError(VerbatimError):
    """A recipe that cannot be followed: the message names file, key, value and what is legal."""


def _require_number(owner: str, low: float, high: float, **values: object) -> None:
    """Each value must be a float strictly between ``low`` and ``high``."""
    for key, value in values.items():
        legal = isinstance(value, float) and math.isfinite(value) and low < value < high
        require(legal, f"{owner}: {key} is {value!r}, legal is a decimal between {low} and {high}")


def _require_choice(owner: str, key: str, value: object, legal: tuple[str, ...]) -> None:
    require(value in legal, f"{owner}: {key} is {value!r}, legal is one of {', '.join(legal)}")


@dataclass(frozen=True)
class Split:
    """Which samples train and which test: stratified, by seed."""

    test_fraction: float
    seed: int

    def __post_init__(self) -> None:
        _require_number("split", 0.0, 1.0, test_fraction=self.test_fraction)
        require_whole("split", 0, MAX_SEED, seed=self.seed)


@dataclass(frozen=True)
class Training:
    """One run of Adam over the whole training split in each epoch."""

    epochs: int
    learning_rate: float

    def __post_init__(self) -> None:
        require_whole("training", 1, 1_000_000, epochs=self.epochs)
        _require_number("training", 0.0, 1.0, learning_rate=self.learning_rate)


@dataclass(frozen=True)
class FineTuning:
    """The same through fake quantization; 0 epochs leave the calibrated network as it is."""

    epochs: int
    learning_rate: float

    def __post_init__(self) -> None:
        require_whole("fine_tuning", 0, 1_000_000, epochs=self.epochs)
        _require_number("fine_tuning", 0.0, 1.0, learning_rate=self.learning_rate)


@dataclass(frozen=True)
class Formats:
    """The input's format, and the widths of all others: calibration finds their fractions."""

    input: Format
    weights_width: int
    activations_width: int

    def __post_init__(self) -> None:
        require_whole(
            "formats",
            MIN_WIDTH,
            MAX_WIDTH,
            weights_width=self.weights_width,
            activations_width=self.activations_width,
        )


@dataclass(frozen=True)
class Softmax:
    """How logits become probabilities, ``lanes`` classes per cycle."""

    score: str
    divider: str
    lanes: int

    def __post_init__(self) -> None:
        _require_choice("softmax", "score", self.score, SCORES)
        _require_choice("softmax", "divider", self.divider, DIVIDERS)
        require_whole("softmax", 1, 64, lanes=self.lanes)


@dataclass(frozen=True)
class Fold:
    """``simd`` inputs times ``pe`` outputs of a layer in each cycle."""

    simd: int
    pe: int


@dataclass(frozen=True)
class Stream:
    """Features that enter and probabilities that leave in one beat."""

    in_lanes: int
    out_lanes: int

    def __post_init__(self) -> None:
        require_whole("stream", 1, 4096, in_lanes=self.in_lanes, out_lanes=self.out_lanes)


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a network from its data. ``module`` is ``package.module:Class``."""

    name: str
    dataset: str
    module: str
    seed: int
    split: Split
    training: Training
    fine_tuning: FineTuning
    formats: Formats
    softmax: Softmax
    folds: Mapping[str, Fold]
    stream: Stream

    def __post_init__(self) -> None:
        owner = "recipe"
        for key, value, legal, words in (
            ("name", self.name, r"[A-Za-z_]\w*", "an identifier"),
            ("dataset", self.dataset, r"\S+", "the name of a dataset"),
            ("module", self.module, r"[\w.]+:\w+", "like 'package.module:Class'"),
        ):
            fits = isinstance(value, str) and re.fullmatch(legal, value, re.ASCII) is not None
            require(fits, f"{owner}: {key} is {value!r}, legal is {words}")
        require_whole(owner, 0, MAX_SEED, seed=self.seed)
        for layer, fold in self.folds.items():
            require_whole(f"folds.{layer}", 1, 4096, simd=fold.simd, pe=fold.pe)

    @property
    def sha256(self) -> str:
        """Digest of the content; comments and layout of the file do not count."""
        return digest(dataclasses.asdict(self))


def _require_short_numbers(plain: object) -> None:
    """TOML's whole numbers have 64 bits; Python reads longer ones, and cannot print them all."""
    if isinstance(plain, Mapping | list):
        for value in plain.values() if isinstance(plain, Mapping) else plain:
            _require_short_numbers(value)
    fits = not isinstance(plain, int) or -(1 << 63) <= plain < 1 << 63
    require(fits, "recipe: a whole number leaves the 64 bits of TOML")


def load(path: Path) -> Recipe:
    """Read a recipe's file; raises `RecipeError` unless every key is there, known and legal."""
    try:
        plain = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: is no TOML: {error}") from error
    try:
        _require_short_numbers(plain)
        folds = plain.get("folds", {})
        require(isinstance(folds, dict), f"recipe: folds is {folds!r}, legal is a table of layers")
        if "folds" in plain:
            plain["folds"] = {
                layer: build(Fold, f"folds.{layer}", fold) for layer, fold in folds.items()
            }
        recipe: Recipe = build(Recipe, "recipe", plain)
    except SpecError as error:
        raise RecipeError(f"{path}: {error}") from error
    return recipe
