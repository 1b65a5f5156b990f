"""Frames on the serial line of a board that learns: what is asked of it, and what it answers.

They are framed and checked as those of `boards/protocol.py`. A request is a tag, a kind, a number
and a body; a reply is the same tag, a digest of the request, the ID of the plan, a status, the
number of the step that comes next, the index of the sample that is wanted next, and a payload.
"""

import binascii
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from boards.protocol import CRC_START, ProtocolError, checked, require_plausible, slip, unslip
from common.files import digest
from model.format import Int
from model.learning.backprop import Plan

# Words of a state in a frame.
CHUNK = 32
STEPS = 1 << 16
HEAD, TAIL = 12, 2


class Kind(IntEnum):
    """Requests: features; a label and features; a seed; a chunk of a state's words; none."""

    PREDICT = 0
    LEARN = 1
    START = 2
    LOAD = 3
    SAVE = 4


class Status(IntEnum):
    """Outcome of a request, as the board reports it."""

    COMPUTED = 0
    DAMAGED = 1
    WRONG_LENGTH = 2
    NO_RESULT = 3
    NO_NETWORK = 4
    WRONG_NUMBER = 5
    ILLEGAL = 6


@dataclass(frozen=True)
class Request:
    """A request without its tag. ``number`` is that of the step, of the chunk, or the seed."""

    kind: Kind
    number: int = 0
    body: bytes = b""

    def payload(self, tag: int) -> bytes:
        """The request under ``tag``, before its CRC."""
        return bytes([tag, self.kind]) + self.number.to_bytes(2, "big") + self.body

    def frame(self, tag: int) -> bytes:
        """The frame of the request under ``tag``."""
        return slip(checked(self.payload(tag)))

    def digest(self, tag: int) -> int:
        """By what an answer names its request: the CRC of that frame."""
        return binascii.crc_hqx(self.payload(tag), CRC_START)


@dataclass(frozen=True)
class Reply:
    """Answer of a board. Tag and digest are 0 where the request was damaged; only a computed answer
    has a payload. ``index`` counts while the board has a network."""

    tag: int
    digest: int
    plan: int
    status: Status
    step: int
    index: int
    payload: bytes


@dataclass(frozen=True)
class Answer:
    """Prediction of one sample: its class and probability bytes."""

    winner: int
    probabilities: tuple[int, ...]


def plan_id(plan: Plan) -> int:
    """The 32 bits by which a board says what it learns, in however many multipliers."""
    return int(digest(dataclasses.asdict(plan))[:8], 16)


def state_words(plan: Plan) -> int:
    """Words of a load or save: masters, LFSR, word, index, epoch, position."""
    return sum(n_out * (n_in + 1) for n_out, n_in in plan.shapes) + 5


def predict(codes: Sequence[int]) -> Request:
    """The request to predict one sample ``codes [n_in]``."""
    return Request(Kind.PREDICT, 0, sample_bytes(codes))


def learn(step: int, codes: Sequence[int], label: int) -> Request:
    """The request to learn one sample as the step of this number."""
    return Request(Kind.LEARN, step, bytes([label]) + sample_bytes(codes))


def chunks(words: Int, size: int = CHUNK) -> list[Request]:
    """The requests that load a state's words, ``size`` of them in each."""
    parts = [words[at : at + size] for at in range(0, len(words), size)]
    return [
        Request(Kind.LOAD, number, part.astype(">u2").tobytes())
        for number, part in enumerate(parts)
    ]


def sample_bytes(codes: Sequence[int]) -> bytes:
    """A byte for each code, in two's complement."""
    return np.asarray(codes, np.int8).tobytes()


def reply(frame: bytes) -> Reply:
    """Read the bytes between two ENDs; raises `ProtocolError` unless they are a whole reply."""
    payload = unslip(frame)
    if len(payload) < HEAD + TAIL:
        raise ProtocolError(f"a reply must have {HEAD + TAIL} bytes or more, got {len(payload)}")
    if binascii.crc_hqx(payload, CRC_START):
        raise ProtocolError("a reply has a wrong checksum")
    try:
        status = Status(payload[7])
    except ValueError as error:
        raise ProtocolError(f"a reply has the unknown status {payload[7]}") from error
    edges = ((1, 3), (3, 7), (8, 10), (10, 12))
    number, plan, step, index = (int.from_bytes(payload[a:b], "big") for a, b in edges)
    found = Reply(payload[0], number, plan, status, step, index, payload[HEAD:-TAIL])
    if status != Status.COMPUTED and found.payload:
        raise ProtocolError(f"a reply of status {status.name} must have no payload")
    return found


def answer(plan: Plan, payload: bytes) -> Answer:
    """Read a class and its probabilities.

    Raises `ProtocolError` unless they are what a softmax can give.
    """
    expected = plan.sizes[-1] + 1
    if len(payload) != expected:
        raise ProtocolError(f"a prediction must have {expected} bytes, got {len(payload)}")
    require_plausible(payload[0], payload[1:])
    return Answer(payload[0], tuple(payload[1:]))


def words(payload: bytes, expected: int) -> Int:
    """Read a chunk of ``expected`` words; raises `ProtocolError` where it has another length."""
    if len(payload) != 2 * expected:
        raise ProtocolError(f"a chunk must have {2 * expected} bytes, got {len(payload)}")
    return np.frombuffer(payload, ">u2").astype(np.int64)


def nothing(payload: bytes) -> bool:
    """True of an empty payload; raises `ProtocolError` of any other."""
    if payload:
        raise ProtocolError(f"a reply must have no payload, got {len(payload)} bytes")
    return True


def longest_reply(plan: Plan, size: int = CHUNK) -> int:
    """Bytes of the longest reply before they are escaped."""
    return HEAD + TAIL + max(plan.sizes[-1] + 1, 2 * size)
