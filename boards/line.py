"""A serial port to a board: frames out, frames back, asked again until one can be believed."""

import secrets
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import serial

from boards.protocol import END
from common.errors import VerbatimError

BAUDRATE = 115_200
# Longer than a request and its answer take, on the line and in the operating system.
PATIENCE_S = 0.5
ATTEMPTS = 5
# Of 7 bits: the eighth is that of a load.
TAGS = 128
# Start, data, stop.
BYTE_BITS = 10
# Bytes handed over at a time, however long a frame is, and what an operating system that has other
# work never takes for them.
PIECE, WRITE_S = 16, 2.0

R = TypeVar("R")


class BoardError(VerbatimError):
    """A board that cannot be reached, does not answer, or holds something else."""


class AskAgainError(VerbatimError):
    """An answer without a result: the message says which."""


class SerialLine:
    """A serial port with a board behind it; a context manager.

    Nobody else can open the port meanwhile. Raises `BoardError` where it cannot be opened.
    """

    def __init__(self, port: str, *, baudrate: int, patience: float, attempts: int) -> None:
        self.port, self.attempts, self.patience = port, attempts, patience
        # Hosts that follow each other ask under different tags, but for one in 128.
        self.tag = secrets.randbelow(TAGS)
        self.retries = 0
        try:
            self.line = serial.Serial(
                port, baudrate, timeout=patience / 10, write_timeout=WRITE_S, exclusive=True
            )
            self.line.reset_input_buffer()
        except (OSError, ValueError) as error:
            used = isinstance(error.__context__, BlockingIOError)
            reason = "another program uses it" if used else error
            raise BoardError(f"{port}: cannot be opened: {reason}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.line.close()

    def exchange(
        self, request: Callable[[int], bytes], read: Callable[[int, bytes], R | None], longest: int
    ) -> R:
        """Send the frame ``request(tag)`` and return what ``read(tag, frame)`` makes of an answer.

        A frame of which it makes None is passed over. A request that is not answered, or of whose
        answer ``read`` raises `AskAgainError`, is sent again: ``attempts`` times in all, each under
        a tag of its own. Patience begins when the request has had its time on the line. No answer
        has more than ``longest`` bytes. Raises `BoardError`.
        """
        complaint = "no answer"
        for attempt in range(self.attempts):
            self.retries += attempt > 0
            self.tag = (self.tag + 1) % TAGS
            try:
                asked = request(self.tag)
                on_line = time.monotonic() + BYTE_BITS * len(asked) / self.line.baudrate
                for start in range(0, len(asked), PIECE):
                    self.line.write(asked[start : start + PIECE])
                for frame in self._frames(2 * longest, on_line + self.patience):
                    answer = read(self.tag, frame)
                    if answer is not None:
                        return answer
            except AskAgainError as again:
                complaint = str(again)
            except serial.SerialTimeoutException as error:
                raise BoardError(
                    f"{self.port}: takes no data for {WRITE_S:g} s: nothing reads there"
                ) from error
            except OSError as error:
                raise BoardError(f"{self.port}: cannot be read or written: {error}") from error
        raise BoardError(f"{self.port}: {complaint}, after {self.attempts} attempts")

    def _frames(self, longest: int, deadline: float) -> Iterator[bytes]:
        """Yield what stands between ENDs as it comes, until the deadline."""
        # What is longer than any reply is none; its end is waited for.
        frame = bytearray()
        while time.monotonic() < deadline:
            for byte in self.line.read(max(1, self.line.in_waiting)):
                if byte != END:
                    if len(frame) <= longest:
                        frame.append(byte)
                    continue
                whole, frame = bytes(frame), bytearray()
                if whole:
                    yield whole
