"""The RTL itself as a library: `mlp_top`, compiled by Verilator, driven from C++ over a batch."""

import ctypes
import functools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from common.errors import SimulationError
from common.paths import RTL
from model import folding
from model.artifact import Network
from model.folding import Goal
from model.format import Int
from model.images import MEM_DIR, check_images, write_images
from model.shared import shared
from model.spec import TOP, NetworkSpec
from model.sum_plan import MAX_EVERY
from tb.sim.verilator_cpp import build_library

HARNESS = Path(__file__).with_name("native.cpp")

# More multipliers take fewer cycles for a result, and longer to compile.
MOST_MULTIPLIERS = 1050
# Beyond, it takes longer to look for sums to share than to compile them.
MOST_PRODUCTS = 2500
# From so many samples on, shared sums pay for a library that serves one network alone.
SHARED_FROM = 1 << 22
# A sum of this width needs no mask on a machine whose words have it.
WORD_W = 32

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


class NativeError(SimulationError):
    """A core that hangs, loses or invents results, or codes that it has no bits for."""


@dataclass(frozen=True)
class Streamed:
    """Classes ``[samples]``, results ``[samples, n_out]`` in their bytes, and clock cycles."""

    classes: NDArray[np.uint16]
    results: NDArray[np.integer]
    cycles: int


class _Shape(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("beats_in", "bytes_in", "beats_out", "bytes_out")),
        ("patience", ctypes.c_uint64),
    )


def build(spec: NetworkSpec, *, rtl: Path = RTL, optimize: bool = True) -> Path:
    """The shared library of every network of this spec; compiled once, found by its content.

    ``optimize`` trades seconds of compiling for speed, values are the same. Raises
    `SimulatorError` where it cannot be built.
    """
    parameters = spec.parameters(MEM_DIR)
    return build_library(TOP, parameters, HARNESS, rtl=rtl, optimize=optimize)


def fast_fold(spec: NetworkSpec) -> NetworkSpec:
    """The same network folded for a simulator: as few cycles a result as compile in some seconds.

    No value depends on a fold; latency and interval do. Every layer takes at most the same number
    of cycles, the least at which all multipliers together are `MOST_MULTIPLIERS` or fewer. Nor
    does a value depend on an accumulator that is wider than it must be: here it fills a word.
    """
    return _in_words(folding.meeting(spec, Goal(max_multipliers=MOST_MULTIPLIERS)))


def sharing_sums(network: AnyNetwork) -> AnyNetwork:
    """The network at a result a cycle by sums that outputs share, each of them a word.

    No other core simulates faster. Its library is of these weights alone, where that of `fast_fold`
    serves every network of the spec. Raises `SpecError` where weights can be replaced.
    """
    found = shared(network.refolded(_in_words(network.spec.unrolled())), MAX_EVERY)
    layers = (
        replace(layer, plan=layer.plan and layer.plan.widened(layer.n_in, layer.acc_w))
        for layer in found.spec.layers
    )
    return found.refolded(found.spec.with_layers(tuple(layers)))


def fast(network: AnyNetwork, samples: int) -> AnyNetwork:
    """The network as so many ``samples`` go through it soonest, a compilation included."""
    spec = network.spec
    products = sum(layer.n_in * layer.n_out for layer in spec.layers)
    if samples < SHARED_FROM or products > MOST_PRODUCTS or spec.loadable:
        return network.refolded(fast_fold(spec))
    return sharing_sums(network)


def _in_words(spec: NetworkSpec) -> NetworkSpec:
    layers = (replace(layer, acc_w=max(WORD_W, layer.acc_w)) for layer in spec.layers)
    return spec.with_layers(tuple(layers))


def stream(
    network: Network,
    codes: Int,
    *,
    rtl: Path = RTL,
    optimize: bool = True,
    mem: Path | None = None,
    frame: bytes = b"",
) -> Streamed:
    """Send input codes ``[samples, n_in]``, one sample or more, through the RTL at its own fold.

    ``mem`` is a folder of ROM images that stand already, else the network's are written for the
    call. ``frame`` are weights that are loaded first, where there are any. Raises `NativeError`
    where a code is out of range, or where the core does not take the weights or does not give
    exactly one result for each sample; `SimulatorError` as `build` does.
    """
    spec = network.spec
    if codes.ndim != 2 or codes.shape[1] != spec.n_in or not len(codes):
        raise NativeError(f"codes must have shape (1 or more, {spec.n_in}), got {codes.shape}")
    if codes.min() < spec.x.q_min or codes.max() > spec.x.q_max:
        raise NativeError(
            f"codes must be from {spec.x.q_min} to {spec.x.q_max}, "
            f"got {codes.min()} to {codes.max()}"
        )
    lane_bytes = spec.x.byte_width // 8
    lanes = np.ascontiguousarray(codes, dtype=f"<i{lane_bytes}")
    shape = _Shape(
        spec.n_in // spec.in_lanes,
        spec.in_lanes * lane_bytes,
        spec.n_out // spec.out_lanes,
        spec.out_lanes * spec.output.out_width // 8,
        4 * (spec.latency + spec.interval),
    )
    classes = np.empty(len(codes), np.uint16)
    sign = "i" if spec.tdata.signed else "u"
    results = np.empty((len(codes), spec.n_out), f"<{sign}{spec.output.out_width // 8}")
    cycles = ctypes.c_uint64()
    call = _entry(build(spec, rtl=rtl, optimize=optimize))
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, MEM_DIR)
        if mem is None:
            write_images(network, images)
        else:
            images.symlink_to(mem.resolve())
        check_images(spec, images)
        complaint = call(
            folder.encode(),
            ctypes.byref(shape),
            frame,
            len(frame),
            lanes.ctypes.data,
            len(codes),
            classes.ctypes.data,
            results.ctypes.data,
            ctypes.byref(cycles),
        )
    if complaint:
        raise NativeError(f"{spec.name}: {complaint.decode()}")
    return Streamed(classes, results, cycles.value)


def differing(
    found: Streamed, classes: Int, results: Int | NDArray[np.uint8]
) -> Iterator[tuple[int, list[int], list[int]]]:
    """Samples of which class or results are others than expected: number, found, expected.

    Raises `NativeError` where there are not as many.
    """
    have = np.column_stack([found.classes, found.results])
    want = np.column_stack([classes, results])
    if have.shape != want.shape:
        raise NativeError(f"results must have shape {want.shape}, got {have.shape}")
    for row in np.flatnonzero((have != want).any(axis=1)):
        yield int(row), have[row].tolist(), want[row].tolist()


@functools.cache
def _entry(library: Path) -> "ctypes._NamedFuncPointer":
    function = ctypes.CDLL(str(library)).verbatim_stream
    function.restype = ctypes.c_char_p
    function.argtypes = (
        *(ctypes.c_char_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64),
        *(ctypes.c_void_p, ctypes.c_uint64),
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    )
    return function
