"""The host's side of a board: samples and new weights out over a serial port, results back."""

import functools

import numpy as np

from boards import protocol
from boards.line import ATTEMPTS, BAUDRATE, PATIENCE_S, AskAgainError, BoardError, SerialLine
from boards.protocol import ProtocolError, Reply, Status
from model.artifact import Network
from model.backends import Backend
from model.format import Int
from model.loading import LoadError
from model.spec import NetworkSpec


class Board(SerialLine):
    """A serial port with a board behind it that holds ``network``, or takes it; a context manager.

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
        self.network, self.spec = network, network.spec
        self.id = protocol.network_id(network)

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

    def load(self, core: NetworkSpec) -> None:
        """Load the network's weights into the core of spec ``core``, and wait until they answer.

        A load that is not answered, or answered as damaged, is sent again: the same weights twice
        are the same. Raises `LoadError` where the board has another core, and `BoardError`.
        """
        body = protocol.load_body(core, self.network)

        def read(tag: int, frame: bytes) -> bool | None:
            try:
                answer = protocol.reply(self.spec, frame)
            except ProtocolError:
                return None
            own = (tag | protocol.TOP_BIT, protocol.load_digest(tag, body))
            if answer.status in protocol.NAMED and (answer.tag, answer.digest) != own:
                return None
            if answer.status == Status.WRONG_CORE:
                raise LoadError(
                    f"{self.port}: the board must have core {protocol.core_id(core):08x}, that of "
                    f"network {core.name} at its folds, got another"
                )
            if answer.status == Status.WRONG_LENGTH:
                raise AskAgainError("the last answer was that of a board that is not loadable")
            if answer.status != Status.LOADED or answer.network != self.id:
                raise AskAgainError(f"the last answer was {answer.status.name}")
            return True

        self.exchange(lambda tag: protocol.load(tag, body), read, protocol.reply_bytes(self.spec))


def loaded(
    core: Network,
    network: Network,
    *,
    port: str,
    baudrate: int = BAUDRATE,
    patience: float = PATIENCE_S,
    attempts: int = ATTEMPTS,
) -> Backend:
    """A board with the core of ``core`` that has taken the weights of ``network``.

    A loader of `model.Network.load_into`, named in `model.backends`. ``core`` has the folds of the
    bitstream. Raises `LoadError` and `BoardError` as `Board.load` does.
    """
    with Board(network, port, baudrate=baudrate, patience=patience, attempts=attempts) as board:
        board.load(core.spec)
    return functools.partial(
        predict_codes, port=port, baudrate=baudrate, patience=patience, attempts=attempts
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
