"""The host's side of a board: samples out over a serial port, classes and results back."""

import numpy as np

from boards import protocol
from boards.line import ATTEMPTS, BAUDRATE, PATIENCE_S, AskAgainError, BoardError, SerialLine
from boards.protocol import ProtocolError, Reply, Status
from model.artifact import Network
from model.format import Int


class Board(SerialLine):
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
        super().__init__(port, baudrate=baudrate, patience=patience, attempts=attempts)
        self.spec, self.id = network.spec, protocol.network_id(network)

    def ask(self, codes: Int) -> Reply:
        """Send one sample ``codes [n_in]`` and return the board's reply.

        A request that is not answered, or answered as damaged, is sent again. An answer counts
        where it repeats the tag and the digest of the request and can be the output's, so that no
        late one is taken for that of another. Raises `BoardError`.
        """
        sample = codes.tolist()

        def read(tag: int, frame: bytes) -> Reply | None:
            try:
                answer = protocol.reply(self.spec, frame)
            except ProtocolError:
                return None
            own = (tag, protocol.request_digest(self.spec, tag, sample))
            computed = answer.status == Status.COMPUTED
            if computed and (answer.tag, answer.digest) != own:
                return None
            if answer.network != self.id:
                raise BoardError(
                    f"{self.port}: the board must hold network {self.id:08x}, "
                    f"got {answer.network:08x}"
                )
            if not computed:
                raise AskAgainError(f"the last answer was {answer.status.name}")
            return answer

        return self.exchange(
            lambda tag: protocol.request(self.spec, tag, sample),
            read,
            protocol.reply_bytes(self.spec),
        )


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
