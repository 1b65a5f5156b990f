"""Bytes on the serial line of a board: frames, checksums, requests and replies.

A frame is framed as RFC 1055 (SLIP) says, END on both sides; its last two bytes are the
CRC-16/CCITT-FALSE of those before, the higher byte first. A request is a tag and a sample; a reply
is the same tag, a digest of the request, the network's ID, the class, the results, a status. Where
the core is loadable, a tag with its top bit set begins a load: the core's ID, that of the network,
and the frame of `model.loading`.
"""

import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from common.errors import VerbatimError
from common.files import digest as sha256
from model import loading
from model.artifact import Network
from model.images import identity
from model.spec import NetworkSpec, to_plain
from model.stage import PROBABILITY_ONE

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD
CRC_START = 0xFFFF
# Of the tag of a load.
TOP_BIT = 0x80


class ProtocolError(VerbatimError):
    """A frame that is not what it should be."""


class Status(IntEnum):
    """Outcome of a request, as the board reports it."""

    COMPUTED = 0
    DAMAGED = 1
    WRONG_LENGTH = 2
    NO_RESULT = 3
    LOADED = 4
    REFUSED = 5
    WRONG_CORE = 6


# An answer of these repeats tag and digest, so that it is known whose it is.
NAMED = frozenset({Status.COMPUTED, Status.LOADED, Status.REFUSED, Status.WRONG_CORE})


@dataclass(frozen=True)
class Reply:
    """Answer of a board; tag and digest are 0 unless the status is in `NAMED`, class and results
    unless it is COMPUTED."""

    tag: int
    digest: int
    network: int
    winner: int
    results: tuple[int, ...]
    status: Status


def slip(payload: bytes) -> bytes:
    """A frame as it goes over the line.

    >>> slip(bytes([1, 0xC0])).hex()
    'c001dbdcc0'
    """
    escaped = payload.replace(bytes([ESC]), bytes([ESC, ESC_ESC]))
    escaped = escaped.replace(bytes([END]), bytes([ESC, ESC_END]))
    return bytes([END]) + escaped + bytes([END])


def unslip(line: bytes) -> bytes:
    """The bytes of a frame, from what stood between two ENDs; raises `ProtocolError`.

    >>> unslip(bytes([1, 0xDB, 0xDC])).hex()
    '01c0'
    """
    payload = bytearray()
    rest = iter(line)
    for byte in rest:
        if byte == ESC:
            second = next(rest, None)
            if second not in (ESC_END, ESC_ESC):
                raise ProtocolError("an escape is followed by a byte that needs none")
            byte = END if second == ESC_END else ESC
        payload.append(byte)
    return bytes(payload)


def checked(payload: bytes) -> bytes:
    """``payload`` with its CRC behind it."""
    return payload + binascii.crc_hqx(payload, CRC_START).to_bytes(2, "big")


def asked(spec: NetworkSpec, tag: int, codes: Sequence[int]) -> bytes:
    """The request for one sample ``codes [n_in]``, each in whole bytes, little-endian."""
    size = spec.x.byte_width // 8
    return bytes([tag]) + b"".join(int(c).to_bytes(size, "little", signed=True) for c in codes)


def request(spec: NetworkSpec, tag: int, codes: Sequence[int]) -> bytes:
    """The frame that asks for one sample ``codes [n_in]``."""
    return slip(checked(asked(spec, tag, codes)))


def request_digest(spec: NetworkSpec, tag: int, codes: Sequence[int]) -> int:
    """By what an answer names its request: the CRC of that frame."""
    return binascii.crc_hqx(asked(spec, tag, codes), CRC_START)


def load_body(core: NetworkSpec, network: Network) -> bytes:
    """Bytes behind the tag of the load that makes a core of spec ``core`` compute ``network``.

    Raises `LoadError` where it does not fit.
    """
    numbers = core_id(core), network_id(network)
    return b"".join(n.to_bytes(4, "big") for n in numbers) + loading.frame(core, network)


def load(tag: int, body: bytes) -> bytes:
    """The frame of a load under a tag of 7 bits."""
    return slip(checked(bytes([tag | TOP_BIT]) + body))


def load_digest(tag: int, body: bytes) -> int:
    """By what an answer names its load: the CRC of that frame."""
    return binascii.crc_hqx(bytes([tag | TOP_BIT]) + body, CRC_START)


def reply(spec: NetworkSpec, line: bytes) -> Reply:
    """Read the bytes between two ENDs.

    Raises `ProtocolError` unless they are a whole reply that the network's output can give.
    """
    payload = unslip(line)
    if len(payload) != reply_bytes(spec):
        raise ProtocolError(f"a reply must have {reply_bytes(spec)} bytes, got {len(payload)}")
    if binascii.crc_hqx(payload, CRC_START):
        raise ProtocolError("a reply has a wrong checksum")
    try:
        status = Status(payload[-3])
    except ValueError as error:
        raise ProtocolError(f"a reply has the unknown status {payload[-3]}") from error
    digest, network = (int.from_bytes(payload[a:b], "big") for a, b in ((1, 3), (3, 7)))
    if status != Status.COMPUTED:
        named = (payload[0], digest) if status in NAMED else (0, 0)
        return Reply(*named, network, 0, (0,) * spec.n_out, status)
    start = 7 + spec.tuser.width // 8
    winner, data = int.from_bytes(payload[7:start], "big"), payload[start:-3]
    size = spec.tdata.width // 8
    results = tuple(
        int.from_bytes(data[n : n + size], "little", signed=spec.tdata.signed)
        for n in range(0, len(data), size)
    )
    PLAUSIBLE[spec.output.kind](spec, winner, results)
    return Reply(payload[0], digest, network, winner, results, status)


def reply_bytes(spec: NetworkSpec) -> int:
    """Bytes of a reply before they are escaped."""
    return 10 + spec.tuser.width // 8 + spec.n_out * spec.tdata.width // 8


def require_plausible(winner: int, probabilities: Sequence[int]) -> None:
    """Raise `ProtocolError` where no softmax gives such a result."""
    if winner >= len(probabilities):
        raise ProtocolError(f"a reply's class must be below {len(probabilities)}, got {winner}")
    if sum(probabilities) != PROBABILITY_ONE:
        raise ProtocolError(
            f"a reply's probabilities must sum to {PROBABILITY_ONE}, got {sum(probabilities)}"
        )
    if probabilities[winner] != max(probabilities):
        raise ProtocolError(f"a reply's class {winner} must have the largest probability")


def _of_softmax(spec: NetworkSpec, winner: int, probabilities: Sequence[int]) -> None:
    """Raise `ProtocolError` where no softmax gives such a result."""
    require_plausible(winner, probabilities)


def _of_logits(spec: NetworkSpec, winner: int, values: Sequence[int]) -> None:
    """Raise `ProtocolError` where the class is not that of the largest value, or not 0."""
    wanted = values.index(max(values)) if spec.output.classes else 0
    _require_class(winner, wanted)


def _of_argmax(spec: NetworkSpec, winner: int, values: Sequence[int]) -> None:
    """Raise `ProtocolError` where there is no such class, or there are two."""
    _require_class(winner, values[0])
    if winner >= spec.output.classes:
        raise ProtocolError(f"a reply's class must be below {spec.output.classes}, got {winner}")


def _of_sigmoid(spec: NetworkSpec, winner: int, probabilities: Sequence[int]) -> None:
    """Raise `ProtocolError` where the class is not that of the byte, or not 0."""
    _require_class(winner, probabilities[0] >> 7 if spec.output.classes else 0)


def _require_class(winner: int, wanted: int) -> None:
    if winner != wanted:
        raise ProtocolError(f"a reply's class must be {wanted} beside its results, got {winner}")


# What an answer must be of each kind of output.
PLAUSIBLE: Mapping[str, Callable[[NetworkSpec, int, Sequence[int]], None]] = {
    "softmax": _of_softmax,
    "logits": _of_logits,
    "argmax": _of_argmax,
    "sigmoid": _of_sigmoid,
}


def network_id(network: Network) -> int:
    """The 32 bits by which a board says which network it holds, however that is folded."""
    return int(identity(network)[:8], 16)


def core_id(spec: NetworkSpec) -> int:
    """The 32 bits by which a load says which core its words are for.

    They are of all that the words depend on: shapes, formats, accumulators and folds, but no
    weights, names, or lanes at both ends.
    """
    stages = [
        {key: value for key, value in stage.items() if key not in ("name", "weights")}
        for stage in to_plain(spec)["stages"]
    ]
    return int(sha256(stages)[:8], 16)
