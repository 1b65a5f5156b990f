"""The host's side of a board that learns: samples with labels, seeds and states over a serial port.

A board counts what it has learned, and each sample has a number: one that is sent again because its
answer was lost is learned once. A board that was reset has no network; its host goes back to the
last state that it has seen and teaches it the samples since then, to the same bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from boards import lessons
from boards.lessons import CHUNK, STEPS, Answer, Kind, Reply, Request, Status
from boards.line import ATTEMPTS, BAUDRATE, PATIENCE_S, AskAgainError, BoardError, SerialLine
from boards.protocol import ProtocolError
from common.errors import VerbatimError
from model.format import Int, require_integer
from model.learning import teach
from model.learning.backprop import LFSR_W, Plan
from model.learning.core import stream, unstream
from model.learning.learner import LearningError, State, check, check_samples

# Samples after which the board's state is read, so that no more are ever learned again.
JOURNAL = 1000

R = TypeVar("R")


class LostError(VerbatimError):
    """A board that is not where its host left it: it was reset, or gave up."""


@dataclass(frozen=True)
class Taught:
    """Samples that were taught, by index, in order: classes predicted before each was learned, and
    probability bytes ``[samples, n_out]``."""

    indices: Int
    classes: Int
    probabilities: NDArray[np.uint8]


class LearningBoard(SerialLine):
    """A serial port with a board behind it that learns ``plan``; a context manager.

    It goes on from the network that the board has, if any, until `start` or `load` give it another.
    Nobody else can open the port meanwhile. ``chunk`` is how many words of a state the board takes
    in a frame. Raises `BoardError` where it cannot be opened.
    """

    def __init__(
        self,
        plan: Plan,
        port: str,
        *,
        chunk: int = CHUNK,
        baudrate: int = BAUDRATE,
        patience: float = PATIENCE_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        super().__init__(port, baudrate=baudrate, patience=patience, attempts=attempts)
        self.plan, self.chunk, self.id = plan, chunk, lessons.plan_id(plan)
        self.restored = 0
        self.step: int | None = None
        self.index: int | None = None
        self.origin: State | int | None = None
        self.journal: list[tuple[Int, int]] = []

    def start(self, seed: int) -> None:
        """Begin at random weights. ``seed`` is 1 .. 65535."""
        require_integer("board", 1, (1 << LFSR_W) - 1, seed=seed)
        self.origin, self.journal = seed, []
        self._steadily(self._begin)

    def load(self, state: State) -> None:
        """Go on from a state. Raises `LearningError` where it is none of this plan."""
        check(self.plan, state)
        self.origin, self.journal = state.copy(), []
        self._steadily(self._begin)

    def save(self) -> State:
        """The state between two samples."""
        state: State = self._steadily(self._save)
        self.origin, self.journal = state.copy(), []
        return state

    def predict(self, codes: Int) -> Answer:
        """Predict one sample ``codes [n_in]``; nothing is learned."""
        request = lessons.predict(codes.tolist())
        return self._steadily(lambda: self._answer(request))

    def learn(self, codes: Int, label: int) -> Answer:
        """Predict one sample ``codes [n_in]``, then learn its label."""
        require_integer("board", 0, self.plan.sizes[-1] - 1, label=label)
        if self.step is None or len(self.journal) >= JOURNAL:
            self.save()
        found = self._steadily(lambda: self._learn(codes, label))
        self.journal.append((codes.copy(), label))
        return found

    def teach(self, x: Int, labels: Int, count: int) -> Taught:
        """Learn ``count`` samples of ``x [samples, n_in]`` in the board's own order.

        Raises `LearningError` where they are not the plan's.
        """
        check_samples(self.plan, x, labels)
        if self.index is None:
            self.save()
        indices, answers = [], []
        for _ in range(count):
            assert self.index is not None
            indices.append(self.index)
            answers.append(self.learn(x[self.index], int(labels[self.index])))
        probabilities = np.array([found.probabilities for found in answers], np.uint8)
        return Taught(
            np.array(indices, np.int64),
            np.array([found.winner for found in answers], np.int64),
            probabilities.reshape(count, self.plan.sizes[-1]),
        )

    def _steadily(self, action: Callable[[], R]) -> R:
        """Do it; where the board was lost, bring it back and do it again."""
        lost = ""
        for attempt in range(self.attempts):
            try:
                if attempt:
                    self.restored += 1
                    self._begin()
                    for codes, label in self.journal:
                        self._learn(codes, label)
                return action()
            except LostError as error:
                lost = str(error)
                if self.origin is None:
                    break
        if self.origin is None:
            raise BoardError(f"{self.port}: {lost}: start or load one first")
        raise BoardError(f"{self.port}: {lost}, after {self.attempts} attempts to bring it back")

    def _begin(self) -> None:
        """Bring the board to where this run began."""
        assert self.origin is not None
        if isinstance(self.origin, int):
            self._send(Request(Kind.START, self.origin))
        else:
            for request in lessons.chunks(stream(self.plan, self.origin), self.chunk):
                self._send(request)

    def _save(self) -> State:
        total = lessons.state_words(self.plan)
        parts = [
            self._part(number, min(self.chunk, total - at))
            for number, at in enumerate(range(0, total, self.chunk))
        ]
        found = np.concatenate(parts)
        try:
            state = unstream(self.plan, found)
            check(self.plan, state)
        except LearningError as error:
            raise BoardError(f"{self.port}: the board's state cannot be one: {error}") from error
        if not np.array_equal(stream(self.plan, state), found):
            raise BoardError(f"{self.port}: the board's next sample is not the one of its order")
        return state

    def _part(self, number: int, size: int) -> Int:
        request = Request(Kind.SAVE, number)
        return self._ask(request, lambda found: lessons.words(found.payload, size))

    def _learn(self, codes: Int, label: int) -> Answer:
        assert self.step is not None
        step = self.step
        found = self._answer(lessons.learn(step, codes.tolist(), label))
        if self.step != (step + 1) % STEPS:
            raise LostError(f"step must be {(step + 1) % STEPS}, got {self.step}")
        return found

    def _answer(self, request: Request) -> Answer:
        return self._ask(request, lambda found: lessons.answer(self.plan, found.payload))

    def _send(self, request: Request) -> None:
        self._ask(request, lambda found: lessons.nothing(found.payload))

    def _ask(self, request: Request, result: Callable[[Reply], R]) -> R:
        """Send a request until it is answered, and return the ``result`` of the answer.

        Raises `LostError` where the board has lost its network, or counts otherwise.
        """

        def read(tag: int, frame: bytes) -> R | None:
            try:
                found = lessons.reply(frame)
                own = (found.tag, found.digest) == (tag, request.digest(tag))
                if not own and found.status != Status.DAMAGED:
                    return None
                if found.plan != self.id:
                    raise BoardError(
                        f"{self.port}: the board must learn plan {self.id:08x}, "
                        f"got {found.plan:08x}"
                    )
                made = result(found) if found.status == Status.COMPUTED else None
            except ProtocolError:
                return None
            if found.status in (Status.DAMAGED, Status.WRONG_LENGTH, Status.ILLEGAL):
                raise AskAgainError(f"the last answer was {found.status.name}")
            self.step, self.index = found.step, found.index
            if found.status != Status.COMPUTED:
                raise LostError(
                    "the board has no network"
                    if found.status == Status.NO_NETWORK
                    else f"the board's answer was {found.status.name}"
                )
            return made

        longest = lessons.longest_reply(self.plan, self.chunk)
        return self.exchange(request.frame, read, longest)


def learn_epochs(
    plan: Plan,
    state: State,
    x: Int,
    labels: Int,
    epochs: int,
    *,
    port: str,
    baudrate: int = BAUDRATE,
    patience: float = PATIENCE_S,
    attempts: int = ATTEMPTS,
) -> teach.Taught:
    """Learn whole epochs of codes ``[plan.samples, n_in]`` on a board, from a state.

    A backend of `model.Network.learn`, named in `model.backends`. Raises `BoardError`, and
    `LearningError` where samples or state are not the plan's.
    """
    wrong = []
    with LearningBoard(
        plan, port, baudrate=baudrate, patience=patience, attempts=attempts
    ) as board:
        board.load(state)
        for _ in range(epochs):
            found = board.teach(x, labels, plan.samples)
            wrong.append(int((found.classes != labels[found.indices]).sum()))
        return teach.Taught(board.save(), wrong)
