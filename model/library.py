"""The network as its user has it: features in; classes, probabilities or values out; learning."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import VerbatimError
from model import artifact, backends, loading, reference, trimming
from model.backends import LEARNERS, LOADERS, Backend, BackendError
from model.data import scaling
from model.format import Int, require_integer
from model.learning import from_network, learner, teach
from model.learning.backprop import COUNT_W, Plan
from model.learning.from_recipe import ETA, OTHER_EPOCHS
from model.learning.learner import LearningError, State
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
    all of it by name. Of a trimmed network ``outside``, bool ``[samples]``, tells which samples are
    outside of the box in which it is the whole one; of others it is None.
    """

    output: str
    results: Mapping[str, NDArray[Any]]
    outside: NDArray[np.bool_] | None = None

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


@dataclass(frozen=True)
class Learning:
    """Result of `Network.learn`, equal for every backend but for ``cycles``.

    ``wrong`` are the wrong answers of each epoch, each given before its sample was learned;
    ``digest`` is the sha256 of all masters; ``cycles`` are the clock cycles of all samples, None
    where no clock ran. ``plan`` and ``state`` are what a run goes on from.
    """

    network: "Network"
    wrong: tuple[int, ...]
    cycles: int | None
    plan: Plan
    state: State

    @property
    def digest(self) -> str:
        """sha256 of all masters."""
        return self.state.digest

    def save_checkpoint(self, path: Path | str) -> None:
        """Write masters and counters, whole or not at all; `learner.load` reads them."""
        learner.save(self.plan, self.state, Path(path))


@dataclass(frozen=True)
class Loaded:
    """A core that holds the weights of ``network``, after `Network.load_into`."""

    network: "Network"
    backend: str
    run: Backend

    def predict(self, X: ArrayLike) -> Prediction:
        """As `Network.predict`, by the core; one that is simulated begins anew in each call."""
        return self.network._predict(X, self.run, self.backend)


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
        return self._predict(X, backends.find(backend, options), backend)

    def load_into(self, core: "Network", backend: str = "native", **options: object) -> "Loaded":
        """Load the weights into a core that holds those of ``core`` and runs; return what answers.

        The core must be loadable, and of the same shape and formats; its accumulators must hold the
        sums. Nothing is synthesized or built again: simulators begin with the images of ``core``
        and take the frame of `model.loading` before the first sample. A board takes it now, and
        keeps it until it is switched off; ``core`` is then the network at the folds of its
        bitstream, which `make bitstream` writes beside it.
        Backends are those of `model.backends.LOADERS`, ``options`` their own. Raises `LoadError`
        where the weights do not fit or are not taken, and `BackendError` as `predict` does.
        """
        load = backends.find(backend, options, LOADERS)
        loading.fitted(core.spec, self)
        return Loaded(self, backend, load(core, self))

    def _predict(self, X: ArrayLike, run: Backend, backend: str) -> Prediction:
        """Results for features, by a backend that was found."""
        features = reference.as_features(self._in_order(X), self.spec.n_in)
        count, n_out, box = len(features), self.spec.n_out, trimming.box_of(self)
        outside = None if box is None else np.empty(count, np.bool_)
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
            if box is not None and outside is not None:
                outside[piece] = ~box.holds(codes)
        return dataclasses.replace(self._prediction(classes, results), outside=outside)

    def _prediction(self, classes: Int, results: Int) -> Prediction:
        output = self.spec.output
        found: dict[str, NDArray[Any]] = {"classes": classes} if output.classes else {}
        if output.y is not None:
            found["values"] = self.values(results)
        elif output.key.endswith(".probabilities"):
            found["probabilities"] = results.astype(np.uint8)
        return Prediction(output.kind, found)

    def learn(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = OTHER_EPOCHS,
        start: str = "own",
        seed: int = 1,
        eta: int = ETA,
        backend: str = "reference",
        **options: object,
    ) -> Learning:
        """Learn samples one at a time; this network stays as it is, the result holds the new one.

        X is as in `predict`, ``y [samples]`` are classes by index or by name. Learning goes on from
        the network's ``own`` weights, or with ``start="random"`` from weights at random; then
        features are standardized, unless the network has a scaling. ``seed``, 1 .. 65535, gives
        order and start. The rate is ``2**-eta``, halved after 50, 70, 80 and 90 % of the epochs.
        Every backend of `model.backends.LEARNERS` gives the same weights; ``options`` are the
        backend's own, such as ``lanes``, the multipliers of a simulated core.
        Raises as `predict` does, `LearningError` on labels or weights that cannot be learned from,
        and `SpecError` on settings that no core can have.
        """
        teacher: teach.Teacher = backends.find(backend, options, LEARNERS)
        if start not in ("own", "random"):
            raise LearningError(f"start must be one of own, random, got {start!r}")
        features = reference.as_features(self._in_order(X), self.spec.n_in)
        if not len(features):
            raise LearningError("X must have at least one sample, got none")
        labels = teach.as_labels(y, len(features), self.spec.n_out, self.names)
        own, scale = start == "own", self.scaling
        if not own and scale is None:
            scale = scaling.standardize(features)
        parts = teach.pieces(len(features))
        require_integer("learning", 1, ((1 << COUNT_W) - 1) // len(parts), epochs=epochs)
        plan = from_network.of_network(
            self, own=own, epochs=epochs * len(parts), samples=parts[0].stop, eta=eta
        )
        masters = from_network.masters_of(plan, self) if own else None

        def code(part: slice) -> Int:
            scaled = features[part] if scale is None else scale.apply(features[part])
            return reference.quantize(scaled, plan.x(0))

        found = teach.teach(teacher, plan, teach.begin(plan, seed, masters), code, labels, epochs)
        plain = from_network.back(plan, found.state.masters, self, scale)
        masters_sha256 = found.state.digest
        network = dataclasses.replace(
            type(self)(**vars(plain)),
            provenance={
                **{key: entry for key, entry in self.provenance.items() if key != trimming.KEY},
                "learned": {"seed": seed, "start": start, "masters_sha256": masters_sha256},
            },
        )
        return Learning(network, tuple(found.wrong), found.cycles, plan, found.state)

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
