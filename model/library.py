"""The network as its user has it: features in, classes and probabilities out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model import artifact, backends, reference
from model.backends import BackendError
from model.format import Int
from model.stage import PROBABILITY_ONE
from model.summary import summary

# Samples that a backend is given at once: what it needs for them stays small.
CHUNK = 1 << 16


@dataclass(frozen=True)
class Prediction:
    """Result of a network for samples, equal for every backend.

    ``classes`` are indices, int64 ``[samples]``; ``probabilities`` are uint8 ``[samples, n_out]``
    in units of 1/255, each row sums to 255.
    """

    classes: Int
    probabilities: NDArray[np.uint8]

    @property
    def fractions(self) -> NDArray[np.float64]:
        """The probabilities as real numbers ``0 .. 1``, ``[samples, n_out]``."""
        return self.probabilities / PROBABILITY_ONE


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
        """Classes and probabilities of features ``[samples, n_in]`` in their own units.

        A table with names of ``columns``, such as a pandas DataFrame, is read by them where the
        network has names. Every backend of `model.backends.BACKENDS` gives the same values;
        ``options`` are the backend's own, such as the ``port`` of a board. Raises
        `FeatureError` where X is not such an array of finite numbers, `SpecError` where the columns
        of a table are other features, and `BackendError` on an unknown backend or option.
        """
        run = backends.find(backend, options)
        features = reference.as_features(self._in_order(X), self.spec.n_in)
        count, n_out = len(features), self.spec.n_out
        classes, probabilities = np.empty(count, np.int64), np.empty((count, n_out), np.uint8)
        for start in range(0, count, CHUNK):
            piece = slice(start, start + CHUNK)
            codes = reference.encode(self, features[piece])
            found, bytes_ = run(self, codes)
            if found.shape != (len(codes),) or bytes_.shape != (len(codes), n_out):
                raise BackendError(
                    f"backend {backend!r} gave classes {found.shape} and probabilities "
                    f"{bytes_.shape} for {len(codes)} samples of {n_out} classes"
                )
            classes[piece], probabilities[piece] = found, bytes_
        return Prediction(classes, probabilities)

    def trace(self, X: ArrayLike) -> dict[str, Int]:
        """Every tensor between features ``[samples, n_in]`` and probabilities, by name.

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
