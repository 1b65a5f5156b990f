"""The network as its user has it: features in; classes, probabilities or values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import VerbatimError
from model import artifact, backends, reference
from model.backends import BackendError
from model.format import Int
from model.stage import PROBABILITY_ONE
from model.summary import summary

# Samples that a backend is given at once: what it needs for them stays small.
CHUNK = 1 << 16


class OutputError(VerbatimError, AttributeError):
    """A result that the output of a network has not: the message says what it has."""


@dataclass(frozen=True)
class Prediction:
    """Result of a network for samples, equal for every backend; it has what its output has.

    ``classes`` are indices, int64 ``[samples]``, of a softmax, a ranking, or a single sigmoid.
    ``probabilities`` are uint8 ``[samples, n_out]`` in units of 1/255: each row of a softmax sums
    to 255, sigmoids are independent. ``values`` are float64 ``[samples, n_out]``, of logits, in the
    units of the targets. Asking for what the output has not raises `OutputError`; ``results`` has
    all of it by name.
    """

    output: str
    results: Mapping[str, NDArray[Any]]

    @property
    def classes(self) -> Int:
        """Indices, int64 ``[samples]``."""
        return self._found("classes")

    @property
    def probabilities(self) -> NDArray[np.uint8]:
        """In units of 1/255, uint8 ``[samples, n_out]``."""
        return self._found("probabilities")

    @property
    def values(self) -> NDArray[np.float64]:
        """Real numbers, ``[samples, n_out]``."""
        return self._found("values")

    @property
    def fractions(self) -> NDArray[np.float64]:
        """The probabilities as real numbers ``0 .. 1``, ``[samples, n_out]``."""
        return self.probabilities / PROBABILITY_ONE

    def _found(self, name: str) -> NDArray[Any]:
        if name not in self.results:
            have = " and ".join(self.results)
            raise OutputError(f"output {self.output} has no {name}, it has {have}")
        return self.results[name]


class Network(artifact.Network):
    """A network of integers with everything that a user asks of it."""

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a network's file; raises `ArtifactError`, naming the file, if it is damaged."""
        return cls(**vars(artifact.load(Path(path))))

    def save(self, path: Path | str) -> None:
        """Write the network's file, whole or not at all."""
        artifact.save(self, Path(path))

    def predict(self, X: ArrayLike, backend: str = "reference", **options: object) -> Prediction:
        """Results for features ``[samples, n_in]`` in their own units.

        A table with names of ``columns``, such as a pandas DataFrame, is read by them where the
        network has names. Every backend of `model.backends.BACKENDS` gives the same values;
        ``options`` are the backend's own, such as the ``port`` of a board. Raises
        `FeatureError` where X is not such an array of finite numbers, `SpecError` where the columns
        of a table are other features, and `BackendError` on an unknown backend or option.
        """
        run = backends.find(backend, options)
        features = reference.as_features(self._in_order(X), self.spec.n_in)
        count, n_out = len(features), self.spec.n_out
        classes, results = np.empty(count, np.int64), np.empty((count, n_out), np.int64)
        for start in range(0, count, CHUNK):
            piece = slice(start, start + CHUNK)
            codes = reference.encode(self, features[piece])
            found, left = run(self, codes)
            if found.shape != (len(codes),) or left.shape != (len(codes), n_out):
                raise BackendError(
                    f"backend {backend!r} gave classes {found.shape} and results {left.shape} for "
                    f"{len(codes)} samples of {n_out} values"
                )
            classes[piece], results[piece] = found, left
        return self._prediction(classes, results)

    def _prediction(self, classes: Int, results: Int) -> Prediction:
        output = self.spec.output
        found: dict[str, NDArray[Any]] = {"classes": classes} if output.classes else {}
        if output.y is not None:
            values = results.astype(np.float64) * output.y.lsb
            found["values"] = values if self.targets is None else self.targets.undo(values)
        elif output.key.endswith(".probabilities"):
            found["probabilities"] = results.astype(np.uint8)
        return Prediction(output.kind, found)

    def trace(self, X: ArrayLike) -> dict[str, Int]:
        """Every tensor between features ``[samples, n_in]`` and results, by name.

        Codes on the streams of the hardware, keyed as in `reference.trace`, whose they are.
        """
        return reference.trace(self, reference.encode(self, self._in_order(X)))

    def _in_order(self, X: ArrayLike) -> ArrayLike:
        """Features by position; those of a table with columns are taken by name."""
        columns, names = getattr(X, "columns", None), self.names
        if columns is None or names is None or not names.features:
            return X
        order = names.columns([str(name) for name in columns], "table")
        table: Any = X
        return np.stack([np.asarray(table[columns[n]]) for n in order], axis=1)

    def summary(self) -> str:
        """A table of layers: shapes, formats, folds, cycles, multipliers, ROM bits."""
        return summary(self.spec)
