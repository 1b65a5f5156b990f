"""The host's side of a board: samples out over a serial port, classes and results back."""

import secrets
import time
from collections.abc import Iterator
from types import TracebackType

import numpy as np
import serial

from boards import protocol
from boards.protocol import END, ProtocolError, Reply, Status
from common.errors import VerbatimError
from model.artifact import Network
from model.format import Int

BAUDRATE = 115_200
# Longer than a request and its answer take, on the line and in the operating system.
PATIENCE_S = 0.5
ATTEMPTS = 5
TAGS = 256


class BoardError(VerbatimError):
    """A board that cannot be reached, does not answer, or holds another network."""


class Board:
    """A serial port with a board behind it that holds ``network``; a context manager.

    Nobody else can open the port meanwhile. Raises `BoardError` where it cannot be opened.
    """

    def __init__(
        self,
        network: Network,
        port: str,
        *,
        baudrate: int = BAUDRATE,
        patience: float = PATIENCE_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.spec, self.port, self.attempts, self.patience = network.spec, port, attempts, patience
        self.id = protocol.network_id(network)
        # Hosts that follow each other ask under different tags, but for one in 256.
        self.tag = secrets.randbelow(TAGS)
        self.retries = 0
        try:
            self.line = serial.Serial(
                port, baudrate, timeout=patience / 10, write_timeout=patience, exclusive=True
            )
            self.line.reset_input_buffer()
        except (OSError, ValueError) as error:
            used = isinstance(error.__context__, BlockingIOError)
            reason = "another program uses it" if used else error
            raise BoardError(f"{port}: cannot be opened: {reason}") from error

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.line.close()

    def ask(self, codes: Int) -> Reply:
        """Send one sample ``codes [n_in]`` and return the board's reply.

        A request that is not answered, or answered as damaged, is sent again: ``attempts`` times in
        all, each under a tag of its own. An answer counts where it repeats the tag and the digest
        of the request and can be the output's, so that no late one is taken for that of another.
        Raises `BoardError`.
        """
        complaint, sample = "no answer", codes.tolist()
        for attempt in range(self.attempts):
            self.retries += attempt > 0
            self.tag = (self.tag + 1) % TAGS
            own = (self.tag, protocol.request_digest(self.spec, self.tag, sample))
            try:
                self.line.write(protocol.request(self.spec, self.tag, sample))
                for answer in self._answers():
                    computed = answer.status == Status.COMPUTED
                    if computed and (answer.tag, answer.digest) != own:
                        continue
                    if answer.network != self.id:
                        raise BoardError(
                            f"{self.port}: the board must hold network {self.id:08x}, "
                            f"got {answer.network:08x}"
                        )
                    if computed:
                        return answer
                    complaint = f"the last answer was {answer.status.name}"
                    break
            except serial.SerialTimeoutException as error:
                raise BoardError(
                    f"{self.port}: takes no data for {self.patience:g} s: nothing reads there"
                ) from error
            except OSError as error:
                raise BoardError(f"{self.port}: cannot be read or written: {error}") from error
        raise BoardError(f"{self.port}: {complaint}, after {self.attempts} attempts")

    def _answers(self) -> Iterator[Reply]:
        """Yield replies as they come, until patience ends; bytes that form none are passed over."""
        # What is longer than any reply is none; its end is waited for.
        frame, longest = bytearray(), 2 * protocol.reply_bytes(self.spec)
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            for byte in self.line.read(max(1, self.line.in_waiting)):
                if byte != END:
                    if len(frame) <= longest:
                        frame.append(byte)
                    continue
                line, frame = bytes(frame), bytearray()
                try:
                    if line:
                        yield protocol.reply(self.spec, line)
                except ProtocolError:
                    continue


def predict_codes(
    network: Network,
    codes: Int,
    *,
    port: str,
    baudrate: int = BAUDRATE,
    patience: float = PATIENCE_S,
    attempts: int = ATTEMPTS,
) -> tuple[Int, Int]:
    """Classes ``[samples]`` and results ``[samples, n_out]``, as a board computes them.

    A backend of `model.Network.predict`, named in `model.backends`. Raises `BoardError`.
    """
    with Board(network, port, baudrate=baudrate, patience=patience, attempts=attempts) as board:
        answers = [board.ask(sample) for sample in codes]
    classes = np.array([answer.winner for answer in answers], dtype=np.int64)
    results = np.array([answer.results for answer in answers], dtype=np.int64)
    return classes, results.reshape(len(codes), network.spec.n_out)
