"""Other generators on our network: their environment, what they write, and what that computes.

Everything is under ``build/peers``, each folder named by the content of its inputs, so
that an interrupted campaign goes on where it was.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import results
from common.errors import VerbatimError
from common.paths import BUILD, ROOT
from common.programs import last_words
from model.format import Int
from tb.sim.simulators import complaint_in
from tb.sim.verilator_cpp import build_harness

SOURCES = Path(__file__).parent
FOLDER = BUILD / "peers"
# What `make study-peers` leaves, a row a design, and `make study-sweep` draws.
ROWS = BUILD / "peers.json"
REQUIREMENTS = SOURCES / "requirements.txt"
# Seconds for which each design is simulated, at least, to say how fast that is.
MEASURED_SECONDS = 1.0
# Times that each of them is, in turns.
ROUNDS = 3
# Cycles after the last sample in which a free-running pipeline must have given its result.
MOST_STAGES = 256
# The compiler by the name under which Verilator's makefile calls it; -O3 is hls4ml's own choice.
COMPILER = "c++"
_COMPILED = ("-O3", "-w")


# A value of a packed port: bits, whether it has a sign, and zeros below that its code has more.
Lane = Mapping[str, int]


class PeerError(VerbatimError):
    """A peer that cannot be installed, generated or simulated, or that computes something else."""


@dataclass(frozen=True)
class Generated:
    """A design that a peer wrote: its sources, and the facts its script left beside them."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def rtl(self) -> Path:
        """Folder of the Verilog."""
        return self.folder / "rtl"

    @property
    def top(self) -> str:
        """Name of the module."""
        return str(self.facts["top"])


@dataclass(frozen=True)
class Simulated:
    """Results ``[samples, n]``; cycles to a result and between results; speed of the simulation.

    A peer's ``results`` are logits.
    """

    results: Int
    latency: int
    interval: float
    samples_per_second: float


@dataclass(frozen=True)
class Emulated:
    """Logits ``[samples, n]`` of a program that is no hardware, and its speed."""

    results: Int
    samples_per_second: float


def environment(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path:
    """The interpreter of a virtual environment with the peers in it, made where there is none.

    Raises `PeerError` with the last words of what failed.
    """

    def make(venv: Path) -> None:
        pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        # NNgen comes as sources only: what builds them is pinned too, and must be there first.
        install = [*pip, "install", "--quiet", "--no-deps", "--no-build-isolation"]
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(venv)],
            *([*install, builder] for builder in builders(requirements)),
            [*install, "--requirement", str(requirements)],
            [*pip, "check"],
        ]
        for command in commands:
            _run(command, f"{_shown(requirements)} cannot be installed")

    return results.folder(folder, "venv", _rests_on(requirements), make) / "bin" / "python"


def installed(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path | None:
    """The interpreter of that environment where it has been made, or None."""
    for record in folder.glob(f"venv-*/{results.RECORD}"):
        if json.loads(record.read_text()).get("rests_on") == _rests_on(requirements):
            return record.parent / "bin" / "python"
    return None


def _rests_on(requirements: Path) -> dict[str, Any]:
    return {"requirements": results.files([requirements]), "python": sys.version}


def builders(requirements: Path) -> list[str]:
    """The lines of a file of requirements that build packages which come as sources."""
    lines = requirements.read_text().splitlines()
    return [line for line in lines if line.startswith(("setuptools==", "wheel=="))]


def generate(
    python: Path, script: str, inputs: Mapping[str, Path], options: Sequence[str]
) -> Generated:
    """Run ``peers/SCRIPT.py`` once and return its output; ``inputs`` are its files, by option.

    Raises `PeerError` where it fails.
    """
    source = SOURCES / f"{script}.py"

    def make(folder: Path) -> None:
        words = [f"--{name}={path}" for name, path in (*inputs.items(), ("out", folder))]
        command = [str(python), str(source), *words, *options]
        _run(command, f"{_shown(source)} {' '.join(options)} generates nothing")

    rests_on = {
        "script": results.files([source, REQUIREMENTS]),
        "inputs": {name: results.sha256(path) for name, path in inputs.items()},
        "options": list(options),
    }
    folder = results.folder(FOLDER, script, rests_on, make)
    return Generated(folder, json.loads((folder / "generated.json").read_text()))


def simulate_pipeline(design: Generated, codes: Int, wanted: Int) -> Simulated:
    """Send ``codes [samples, n_in]`` through an alkaid pipeline, one in each cycle, and compare.

    Raises `PeerError` unless every result is there, in ``wanted [samples, n_out]``.
    """
    harness = _harness(design, "alkaid.cpp")
    lanes_in, lanes_out = design.facts["in"], design.facts["out"]
    packed = pack(codes, lanes_in)
    (design.folder / "inputs.bin").write_bytes(packed.tobytes())
    bytes_out = (sum(lane["width"] for lane in lanes_out) + 7) // 8
    said = _simulate(
        harness,
        design,
        *("inputs.bin", packed.shape[1], "outputs.bin", bytes_out, MOST_STAGES, MEASURED_SECONDS),
    )
    raw = np.fromfile(design.folder / "outputs.bin", dtype=np.uint8).reshape(-1, bytes_out)
    seen = unpack(raw, lanes_out)
    try:
        latency = delay(seen, wanted)
    except PeerError as error:
        raise PeerError(f"{design.top} of {design.folder.name}: {error}") from error
    logits = seen[latency : latency + len(wanted)]
    return Simulated(logits, latency, 1, said["samples per second"])


def simulate_accelerator(design: Generated, codes: Int, batch: int, n_out: int) -> Simulated:
    """Run an NNgen accelerator on ``codes [samples, n_in]``, a batch a run, and compare.

    Raises `PeerError` unless it gives what NNgen's own evaluation gives.
    """
    harness = _harness(design, "nngen.cpp")
    lanes_in, lanes_out = design.facts["in"]["lanes"], design.facts["out"]["lanes"]
    padded = np.zeros((len(codes), lanes_in), np.int8)
    padded[:, : codes.shape[1]] = codes
    (design.folder / "inputs.bin").write_bytes(padded.tobytes())
    said = _simulate(
        harness,
        design,
        *("parameters.bin", design.facts["parameters"]["address"]),
        *("inputs.bin", design.facts["in"]["address"], batch * lanes_in),
        *("outputs.bin", design.facts["out"]["address"], batch * lanes_out),
        MEASURED_SECONDS,
    )
    raw = np.fromfile(design.folder / "outputs.bin", dtype=np.int8).reshape(-1, lanes_out)
    logits = raw[:, :n_out].astype(np.int64)
    wanted = np.array(design.facts["logits"], dtype=np.int64)
    require_same(f"{design.top} of {design.folder.name}", logits, wanted)
    interval, speed = said["interval"] / batch, said["runs per second"] * batch
    return Simulated(logits, said["most"], interval, speed)


def emulate(design: Generated, codes: Int, wanted: Int) -> Emulated:
    """Compute the logits of ``codes [samples, n_in]`` by hls4ml's emulator, and compare.

    Raises `PeerError` unless they are ``wanted [samples, n_out]``, value for value.
    """
    harness = build_emulator(design, SOURCES / "hls4ml.cpp")
    lsb_in, lsb_out = (2.0 ** -design.facts[port]["frac"] for port in ("in", "out"))
    (codes * lsb_in).astype(np.float32).tofile(design.folder / "inputs.bin")
    n_in, n_out = codes.shape[1], wanted.shape[1]
    words = ("inputs.bin", n_in, "outputs.bin", n_out, MEASURED_SECONDS)
    said = _simulate(harness, design, *words)
    raw = np.fromfile(design.folder / "outputs.bin", dtype=np.float32).reshape(-1, n_out)
    # What is no code differs from every one.
    require_same(f"{design.top} of {design.folder.name}", raw / lsb_out, wanted)
    return Emulated((raw / lsb_out).astype(np.int64), said["samples per second"])


def build_emulator(design: Generated, harness: Path) -> Path:
    """The executable of what hls4ml wrote, in a C++ ``harness`` that includes its bridge.

    Raises `PeerError` where it cannot be compiled.
    """
    project, failure = design.folder / "project", f"{design.top} cannot be compiled"

    def make(folder: Path) -> None:
        headers = [project / name for name in ("", *design.facts["headers"])]
        command = [
            *(COMPILER, *_COMPILED, *(f"-I{path}" for path in headers)),
            *(str(harness), str(project / "firmware" / f"{design.top}.cpp")),
            *("-o", str(folder / "harness")),
        ]
        log = folder / "build.log"
        with log.open("w") as stream:
            done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise PeerError(f"{failure}: {complaint_in(log)}; log: {log}")

    rests_on = {
        "generated": design.folder.name,
        "harness": results.files([harness]),
        "compiler": _run([COMPILER, "--version"], failure),
        "options": list(_COMPILED),
    }
    return results.folder(FOLDER, "emulator", rests_on, make) / "harness"


def require_same(name: str, found: NDArray[Any], wanted: Int) -> None:
    """Raise `PeerError` with the first sample in which a peer's simulation is not as expected."""
    if found.shape != wanted.shape:
        raise PeerError(f"{name}: results must have shape {wanted.shape}, got {found.shape}")
    wrong = np.flatnonzero((found != wanted).any(axis=1))
    if len(wrong):
        first = wrong[0]
        raise PeerError(
            f"{name}: {len(wrong)} of {len(wanted)} results differ; "
            f"sample {first} gives {found[first].tolist()}, expected {wanted[first].tolist()}"
        )


def delay(seen: Int, wanted: Int) -> int:
    """Cycles by which ``wanted [samples, n]`` is delayed in ``seen [cycles, n]``.

    Raises `PeerError` if it is not there, with the delay at which most of it is.

    >>> delay(np.array([[0], [0], [7], [8]]), np.array([[7], [8]]))
    2
    """
    places = len(seen) - len(wanted) + 1
    if places < 1:
        raise PeerError(f"{len(seen)} cycles cannot hold {len(wanted)} results")
    equal = [
        int((seen[place : place + len(wanted)] == wanted).all(axis=1).sum())
        for place in range(places)
    ]
    best = int(np.argmax(equal))
    if equal[best] != len(wanted):
        raise PeerError(
            f"{len(wanted) - equal[best]} of {len(wanted)} results differ from the reference, "
            f"{best} cycles late, where the fewest do"
        )
    return best


def pack(codes: Int, lanes: Sequence[Lane]) -> np.ndarray[Any, Any]:
    """Each row of ``codes [rows, lanes]`` as the bytes of a port, the lowest first.

    >>> lanes = [{"width": width, "signed": 1, "shift": 0} for width in (6, 0, 6)]
    >>> pack(np.array([[1, 7, -1]]), lanes).tolist()
    [[193, 15]]
    """
    words = [
        (codes[:, k, None] >> lane["shift"] >> np.arange(lane["width"])) & 1
        for k, lane in enumerate(lanes)
    ]
    return np.packbits(np.concatenate(words, axis=1).astype(np.uint8), axis=1, bitorder="little")


def unpack(raw: np.ndarray[Any, Any], lanes: Sequence[Lane]) -> Int:
    """The values of a port's bytes ``[rows, bytes]``, ``[rows, lanes]``.

    >>> lanes = [{"width": width, "signed": 1, "shift": shift} for width, shift in ((6, 0), (6, 2))]
    >>> unpack(np.array([[193, 15]], np.uint8), lanes).tolist()
    [[1, -4]]
    """
    bits = np.unpackbits(raw, axis=1, bitorder="little").astype(np.int64)
    values = np.zeros((len(raw), len(lanes)), np.int64)
    start = 0
    for k, lane in enumerate(lanes):
        width = lane["width"]
        values[:, k] = (bits[:, start : start + width] << np.arange(width)).sum(axis=1)
        if lane["signed"]:
            values[:, k] -= (values[:, k] >> (width - 1)) << width
        values[:, k] <<= lane["shift"]
        start += width
    return values


def _harness(design: Generated, name: str) -> Path:
    return build_harness(design.top, {}, SOURCES / name, rtl=design.rtl, foreign=True)


def _simulate(harness: Path, design: Generated, *words: object) -> dict[str, Any]:
    done = _run([str(harness), *map(str, words)], f"{design.top}'s simulation fails", design.folder)
    said: dict[str, Any] = json.loads(done)
    return said


def _run(command: Sequence[str], failure: str, folder: Path | None = None) -> str:
    """Output of a program; raises `PeerError` with ``failure`` and its last words."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PeerError(f"{failure}: {error}") from error
    if done.returncode:
        raise PeerError(f"{failure}: {last_words(done)}")
    return done.stdout


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
