"""The implementations of a network that can be asked for by name.

A backend is a function ``(network, codes) -> (classes, results)``: codes ``[samples, n_in]`` of the
input format, one sample or more, become class indices ``[samples]``, 0 where the output has none,
and what leaves a core ``[samples, n_out]``: probability bytes, logits, or a class. Its options are
its keyword-only parameters. It is named here as ``module:function`` and imported when it is asked
for, so that this package needs no simulator to be imported. A new one is a line in `BACKENDS`.

What learns is found the same way, in `LEARNERS`: a `model.learning.teach.Teacher`; and what loads
weights into a running core, in `LOADERS`.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError
from common.paths import module, remedy
from model.artifact import Network
from model.format import Int

Backend = Callable[[Network, Int], tuple[NDArray[np.integer], NDArray[np.integer]]]

BACKENDS = {
    "reference": "model.fast:predict_codes",
    "icarus": "tb.sim.backends:icarus",
    "verilator": "tb.sim.backends:verilator",
    "native": "tb.sim.backends:native",
    "onnx": "model.onnx_export:predict_codes",
    "board": "boards.host:predict_codes",
}

# The extra of the package that a backend needs, where that is not the one of simulations.
EXTRAS = {"onnx": "onnx", "board": "board"}

# What loads a network's weights into the core of another: ``(core, network) -> Backend``, the core
# with these weights.
LOADERS = {
    "icarus": "tb.sim.backends:icarus_loaded",
    "verilator": "tb.sim.backends:verilator_loaded",
    "native": "tb.sim.backends:native_loaded",
    "board": "boards.host:loaded",
}

LEARNERS = {
    "reference": "model.learning.teach:by_reference",
    "native": "tb.sim.learners:native",
    "icarus": "tb.sim.learners:icarus",
    "verilator": "tb.sim.learners:verilator",
    "board": "boards.learner:learn_epochs",
}


class BackendError(VerbatimError):
    """An unknown backend, or one that did not give a result for each sample."""


def find(name: str, options: Mapping[str, object], table: Mapping[str, str] = BACKENDS) -> Any:
    """Return the backend of this name with its options; raises `BackendError` if one is unknown."""
    if name not in table:
        raise BackendError(f"backend must be one of {', '.join(table)}, got {name!r}")
    place, _, function = table[name].partition(":")
    try:
        found = getattr(importlib.import_module(module(place)), function)
    except ImportError as error:
        how = remedy(EXTRAS.get(name, "sim"))
        raise BackendError(f"backend {name!r} cannot be loaded: {error}: {how}") from error
    known = {
        key: option.default is option.empty
        for key, option in inspect.signature(found).parameters.items()
        if option.kind is option.KEYWORD_ONLY
    }
    unknown = sorted(options.keys() - known)
    if unknown:
        legal = f"expected one of {', '.join(known)}" if known else "it takes none"
        raise BackendError(f"backend {name!r}: unknown option {unknown[0]!r}, {legal}")
    missing = [key for key, required in known.items() if required and key not in options]
    if missing:
        raise BackendError(f"backend {name!r}: option {missing[0]!r} is missing")
    return functools.partial(found, **options)
