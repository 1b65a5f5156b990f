"""The core that learns as a library: `mlp_learn_top`, compiled by Verilator, driven from C++."""

import ctypes
import functools
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from common.paths import RTL
from model.format import Int
from model.images import MEM_DIR
from model.learning.backprop import Plan
from model.learning.core import TOP, Core, stream, unstream
from model.learning.counts import Counts
from model.learning.learner import LearningError, State, check, check_samples
from tb.sim.native import NativeError
from tb.sim.verilator_cpp import build_library

HARNESS = Path(__file__).with_name("learning.cpp")


@dataclass(frozen=True)
class Taught:
    """Samples that were taught, by index: classes predicted before they were learned, probability
    bytes ``[samples, n_out]``, and clock cycles."""

    indices: NDArray[np.uint32]
    classes: NDArray[np.uint8]
    probabilities: NDArray[np.uint8]
    cycles: int


class _Shape(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("n_in", "n_out", "samples", "threshold_bytes")),
        ("patience", ctypes.c_uint64),
    )


def build(core: Core, *, rtl: Path = RTL, optimize: bool = True) -> Path:
    """The shared library of a core; compiled once, found by its content.

    Raises `SimulatorError` where it cannot be built.
    """
    parameters = core.parameters(MEM_DIR)
    return build_library(TOP, parameters, HARNESS, rtl=rtl, optimize=optimize)


class NativeLearner:
    """A running core. Use it in a ``with`` block; it has no network before `start` or `load`.

    Raises `NativeError` where the core hangs, refuses, or gives not one result a sample.
    """

    def __init__(self, core: Core, *, rtl: Path = RTL, optimize: bool = True) -> None:
        self.core = core
        self.plan: Plan = core.plan
        self.calls = _calls(build(core, rtl=rtl, optimize=optimize))
        thresholds = np.array(self.plan.thresholds, np.uint16)
        shape = _Shape(
            self.plan.sizes[0],
            self.plan.sizes[-1],
            self.plan.samples,
            thresholds.nbytes,
            8 * core.cycles + (1 << 17),
        )
        self.handle = ctypes.c_void_p()
        with tempfile.TemporaryDirectory() as folder:
            core.write_images(Path(folder, MEM_DIR))
            self._call(
                "open",
                folder.encode(),
                ctypes.byref(shape),
                thresholds.ctypes.data,
                ctypes.byref(self.handle),
                bare=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.verbatim_learn_close(self.handle)

    def _call(self, name: str, *arguments: Any, bare: bool = False) -> None:
        first = () if bare else (self.handle,)
        complaint = getattr(self.calls, f"verbatim_learn_{name}")(*first, *arguments)
        if complaint:
            raise NativeError(f"{TOP}: {name}: {complaint.decode()}")

    def start(self, seed: int) -> None:
        """Begin at random weights. ``seed`` is 1 .. 65535."""
        if not 1 <= seed <= 0xFFFF:
            raise LearningError(f"seed must be an integer from 1 to 65535, got {seed}")
        self._call("start", ctypes.c_uint16(seed))

    def load(self, state: State) -> None:
        """Go on from a state."""
        check(self.plan, state)
        words = stream(self.plan, state).astype(np.uint16)
        self._call("load", words.ctypes.data, ctypes.c_uint64(len(words)))

    def save(self) -> State:
        """The state between two samples."""
        count = sum(n_out * (n_in + 1) for n_out, n_in in self.plan.shapes) + 5
        words = np.zeros(count, np.uint16)
        self._call("save", words.ctypes.data, ctypes.c_uint64(count))
        return unstream(self.plan, words)

    def counts(self) -> Counts:
        """Numbers of values that saturated and of wrong samples since the last start or load."""
        words = np.zeros(len(fields(Counts)), np.uint32)
        self._call("counts", words.ctypes.data)
        return Counts(*words.tolist())

    def learn(self, x: Int, labels: Int, count: int) -> Taught:
        """Learn ``count`` samples of ``x [samples, n_in]`` in the core's own order."""
        check_samples(self.plan, x, labels)
        return self._samples(x, labels, None, count, True)

    def predict(self, x: Int) -> Taught:
        """Answer each sample of codes ``[samples, n_in]``; nothing is learned."""
        indices = np.arange(len(x), dtype=np.uint32)
        return self._samples(x, np.zeros(len(x), np.int64), indices, len(x), False)

    def _samples(
        self, x: Int, labels: Int, indices: NDArray[np.uint32] | None, count: int, learns: bool
    ) -> Taught:
        bytes_in = np.ascontiguousarray(x, np.int8)
        bytes_label = np.ascontiguousarray(labels, np.uint8)
        order = np.empty(count, np.uint32)
        classes = np.empty(count, np.uint8)
        out = np.empty((count, self.plan.sizes[-1]), np.uint8)
        cycles = ctypes.c_uint64()
        self._call(
            "samples",
            bytes_in.ctypes.data,
            bytes_label.ctypes.data,
            None if indices is None else indices.ctypes.data,
            ctypes.c_uint64(count),
            learns,
            order.ctypes.data,
            classes.ctypes.data,
            out.ctypes.data,
            ctypes.byref(cycles),
        )
        return Taught(order, classes, out, cycles.value)


@functools.cache
def _calls(library: Path) -> ctypes.CDLL:
    calls = ctypes.CDLL(str(library))
    pointer, count = ctypes.c_void_p, ctypes.c_uint64
    arguments = {
        "open": (ctypes.c_char_p, pointer, pointer, pointer),
        "start": (pointer, ctypes.c_uint16),
        "load": (pointer, pointer, count),
        "save": (pointer, pointer, count),
        "counts": (pointer, pointer),
        "samples": (*(pointer,) * 4, count, ctypes.c_bool, *(pointer,) * 4),
    }
    for name, types in arguments.items():
        function = getattr(calls, f"verbatim_learn_{name}")
        function.restype, function.argtypes = ctypes.c_char_p, types
    calls.verbatim_learn_close.restype = None
    calls.verbatim_learn_close.argtypes = (pointer,)
    return calls
