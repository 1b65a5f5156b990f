"""Bytes on the serial line of a board: frames, checksums, requests and replies.

A frame is framed as RFC 1055 (SLIP) says, END on both sides; its last two bytes are the
CRC-16/CCITT-FALSE of those before, the higher byte first. A request is a tag and a sample; a reply
is the same tag, a status, the network's ID, the class and the probabilities.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from common.errors import VerbatimError
from model.artifact import Network
from model.images import identity
from model.spec import NetworkSpec

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD
CRC_START = 0xFFFF


class ProtocolError(VerbatimError):
    """A frame that is not what it should be."""


class Status(IntEnum):
    """Outcome of a request, as the board reports it."""

    COMPUTED = 0
    DAMAGED = 1
    WRONG_LENGTH = 2


@dataclass(frozen=True)
class Reply:
    """Answer of a board; class and probabilities are 0 unless the status is COMPUTED."""

    tag: int
    status: Status
    network: int
    winner: int
    probabilities: tuple[int, ...]


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


def request(spec: NetworkSpec, tag: int, codes: Sequence[int]) -> bytes:
    """The frame that asks for one sample ``codes [n_in]``, each in whole bytes, little-endian."""
    size = spec.x.byte_width // 8
    sample = b"".join(int(code).to_bytes(size, "little", signed=True) for code in codes)
    return slip(checked(bytes([tag]) + sample))


def reply(spec: NetworkSpec, line: bytes) -> Reply:
    """Read the bytes between two ENDs; raises `ProtocolError` unless they are a whole reply."""
    payload = unslip(line)
    if len(payload) != 9 + spec.n_out:
        raise ProtocolError(f"a reply must have {9 + spec.n_out} bytes, got {len(payload)}")
    if binascii.crc_hqx(payload, CRC_START):
        raise ProtocolError("a reply whose checksum is wrong")
    try:
        status = Status(payload[1])
    except ValueError as error:
        raise ProtocolError(f"a reply has the unknown status {payload[1]}") from error
    network = int.from_bytes(payload[2:6], "big")
    return Reply(payload[0], status, network, payload[6], tuple(payload[7:-2]))


def network_id(network: Network) -> int:
    """The 32 bits by which a board says which network it holds, however that is folded."""
    return int(identity(network)[:8], 16)
