"""A board that learns: its Verilog, and the host that will talk to real boards."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import serial

from boards import lessons
from boards.design import BOARD_RTL
from boards.learner import LearningBoard
from boards.lessons import Kind, Request, Status
from boards.line import BoardError
from boards.protocol import ProtocolError, checked, slip
from common.paths import BUILD, GOLDEN_IRIS
from model import library
from model.data import datasets
from model.format import SpecError
from model.learning import learner
from model.learning.backprop import IRIS, Plan
from model.learning.core import Core, stream
from model.learning.learner import Learner, LearningError, State
from model.learning.plans import samples_of
from tb.modules.mutant import Mutant, mutated
from tb.sim.learning_board import run_bench, simulated_board
from tb.sim.runner import SimulationFailed
from tb.test_boards import PATIENCE, framed, played_board, pressed

CORE = Core(IRIS, 6)
X, LABELS = samples_of("iris")
TESTS_OF_BENCH = 8

# Words of a state that fill three frames, the last one in part.
SMALL = Core(
    Plan((2, 3, 2), (0, 1), (True, False), (1, 1), epochs=4, samples=5, divider="restoring"), 2
)
CHUNK = 8


def bench(name: str, simulator: str, **how: object) -> int:
    """The tests that pass under one simulator."""
    random = np.random.default_rng(3)
    x, labels = random.integers(-40, 40, (5, 2)), random.integers(0, 2, 5)
    return run_bench(SMALL, x, labels, simulator, name=name, chunk=CHUNK, **how).passed  # type: ignore[arg-type]


# The Verilog


def test_board_keeps_its_promises() -> None:
    assert bench("learning-board", "verilator") == TESTS_OF_BENCH


# Module, what stands there once, what it becomes, and the test of the bench that notices.
TAUGHT, LOADED, ONCE, WRONG, FRAMES, EARLY, STOPS = (
    "learns_what_it_is_taught$",
    "goes_on_from_a_load$",
    "does_each_request_once$",
    "says_what_is_wrong_with_a_request$",
    "says_that_a_frame_is_damaged$",
    "drops_what_comes_before_the_answer_has_left$",
    "a_core_that_stops_is_told$",
)
MUTANTS = {
    "takes-any-checksum": ("mlp_learn_request", "in_bad || crc != 16'd0", "in_bad", FRAMES),
    "takes-any-escape": ("mlp_learn_request", "in_bad || crc", "crc", FRAMES),
    "does-not-drop": ("mlp_learn_request", "dropping <= 1'b1", "dropping <= 1'b0", EARLY),
    "takes-any-length": (
        "mlp_learn_verdict",
        "kind <= SAVE && length != expected",
        "kind > SAVE && length != expected",
        WRONG,
    ),
    "takes-any-label": ("mlp_learn_verdict", "label < LABELS[7:0]", "1'b1", WRONG),
    "takes-a-seed-of-zero": ("mlp_learn_verdict", "legal = !first", "legal = 1'b1", WRONG),
    "learns-without-a-network": (
        "mlp_learn_verdict",
        "needs_network && !has_network",
        "1'b0",
        WRONG,
    ),
    "learns-out-of-turn": (
        "mlp_learn_verdict",
        "in_turn  = next || again",
        "in_turn  = 1'b1",
        ONCE,
    ),
    "learns-a-sample-twice": (
        "mlp_learn_verdict",
        "(kind == LEARN && learned)",
        "1'b0",
        ONCE,
    ),
    "answers-again-what-is-gone": (
        "mlp_learn_execute",
        "learned     <= in_learns;",
        "learned     <= learned || in_learns;",
        ONCE,
    ),
    "loads-a-chunk-twice": (
        "mlp_learn_verdict",
        "(kind == LOAD && loaded && !first)",
        "1'b0",
        ONCE,
    ),
    "goes-on-with-a-load-that-was-cut": (
        "mlp_learn_execute",
        "in_number == 16'd0 ? WIPE : FILL",
        "FILL",
        LOADED,
    ),
    "waits-for-ever": ("mlp_learn_execute", "left == {WAIT_W{1'b0}}", "1'b0", STOPS),
    "goes-on-after-a-failure": (
        "mlp_learn_execute",
        "state == WIPE || state == FAIL",
        "state == WIPE",
        STOPS,
    ),
    "label-of-the-sample-before": (
        "mlp_learn_carry",
        "if (label || higher)",
        "if (higher)",
        TAUGHT,
    ),
    "lower-byte-first": ("mlp_learn_carry", "{early, body_data}", "{body_data, early}", LOADED),
    "ends-a-load-early": (
        "mlp_learn_carry",
        "load_last  = is_full && in_last_chunk",
        "load_last  = in_last_chunk",
        LOADED,
    ),
    "forgets-the-digest": (
        "mlp_learn_request",
        "out_digest <= {out_digest[7:0], in_data}",
        "out_digest <= {in_data, out_digest[7:0]}",
        TAUGHT,
    ),
    "believes-the-tag-of-a-damaged-frame": (
        "mlp_learn_reply",
        "answer_damaged ? 8'd0 : answer_tag",
        "answer_tag",
        FRAMES,
    ),
    "answers-with-the-step-before": (
        "mlp_learn_reply",
        "out_data = answer_step[7:0]",
        "out_data = answer_step[7:0] - 8'd1",
        TAUGHT,
    ),
    "saves-the-chunk-before": (
        "mlp_learn_carry",
        "count[15:CHUNK_W]} == in_number;",
        "count[15:CHUNK_W]} + 16'd1 == in_number;",
        TAUGHT,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_bench_catches(name: str) -> None:
    module, right, wrong, testcase = MUTANTS[name]
    mutant = Mutant(name, module, right, wrong)
    folder = mutated(mutant, BUILD / "mutants" / f"learning-board-{name}", BOARD_RTL)
    with pytest.raises(SimulationFailed):
        bench(f"learning-board-{name}", "icarus", boards=folder, testcase=testcase)


# The host


def same(found: State, expected: State) -> None:
    """Every master and counter is equal."""
    np.testing.assert_array_equal(stream(IRIS, found), stream(IRIS, expected))


def teach(board: LearningBoard, run: Learner, count: int) -> None:
    """Both learn ``count`` samples; every prediction and the next sample are equal."""
    for _ in range(count):
        assert board.index is None or board.index == run.index
        x, label = X[run.index], int(LABELS[run.index])
        seen, found = run.learn(x, label), board.learn(x, label)
        assert found.winner == seen.predicted
        assert found.probabilities == tuple(seen.probabilities.tolist())


def test_host_learns_to_the_bit_and_moves_a_state_to_another_board(tmp_path: Path) -> None:
    """Over the end of an epoch; the state goes through its file to a second board."""
    run, path = Learner.begin(IRIS, 1), tmp_path / "checkpoint.json"
    with (
        simulated_board(CORE, name="learning") as one,
        LearningBoard(IRIS, one.port, patience=PATIENCE) as board,
    ):
        board.start(1)
        teach(board, run, IRIS.samples + 8)
        same(board.save(), run.state)
        for x in X[:5]:
            seen, found = run.predict(x), board.predict(x)
            assert (found.winner, found.probabilities) == (
                seen.predicted,
                tuple(seen.probabilities.tolist()),
            )
        learner.save(IRIS, board.save(), path)
    _, state = learner.load(path)
    with (
        simulated_board(CORE, name="learning-two") as two,
        LearningBoard(IRIS, two.port, patience=PATIENCE) as board,
    ):
        board.load(state)
        teach(board, run, 12)
        same(board.save(), run.state)
        assert (board.retries, board.restored) == (0, 0)


def test_another_host_goes_on_with_what_the_board_has() -> None:
    run = Learner.begin(IRIS, 5)
    with simulated_board(CORE, name="learning-on") as running:
        with LearningBoard(IRIS, running.port, patience=PATIENCE) as board:
            with pytest.raises(BoardError, match="has no network: start or load one first"):
                board.predict(X[0])
            board.start(5)
            teach(board, run, 3)
        with LearningBoard(IRIS, running.port, patience=PATIENCE) as board:
            teach(board, run, 3)
            same(board.save(), run.state)


def test_a_board_is_a_backend_that_learns() -> None:
    """The same network, wrong answers and state as by the reference."""
    network = library.Network.load(GOLDEN_IRIS)
    data = datasets.load("iris")
    features, y = data.features[::5], data.labels[::5]
    expected = network.learn(features, y, epochs=2, start="random", seed=9)
    with simulated_board(Core(expected.plan, 6), name="learning-backend") as running:
        found = network.learn(
            features,
            y,
            epochs=2,
            start="random",
            seed=9,
            backend="board",
            port=running.port,
            patience=PATIENCE,
        )
    assert found.wrong == expected.wrong
    np.testing.assert_array_equal(
        stream(expected.plan, found.state), stream(expected.plan, expected.state)
    )
    assert found.network.provenance == expected.network.provenance


def test_host_survives_a_noisy_line() -> None:
    run = Learner.begin(IRIS, 2)
    with (
        simulated_board(CORE, name="learning-noisy", noise=400) as running,
        LearningBoard(IRIS, running.port, patience=0.1, attempts=30) as board,
    ):
        board.start(2)
        teach(board, run, 60)
        same(board.save(), run.state)
        assert board.retries > 0


def test_host_brings_a_board_back_that_was_reset() -> None:
    run = Learner.begin(IRIS, 3)
    with (
        simulated_board(CORE, name="learning-resets") as running,
        LearningBoard(IRIS, running.port, patience=0.2, attempts=50) as board,
    ):
        board.start(3)
        teach(board, run, 20)
        board.save()
        for _ in range(3):
            running.reset()
            teach(board, run, 7)
        with pressed(running, 0.3, times=5):
            teach(board, run, 30)
        same(board.save(), run.state)
        assert board.restored >= 3


def test_host_names_a_board_that_learns_another_plan() -> None:
    other = dataclasses.replace(IRIS, epochs=99)
    with (
        simulated_board(CORE, name="learning-other") as running,
        LearningBoard(other, running.port, patience=PATIENCE) as board,
        pytest.raises(BoardError, match=r"must learn plan [0-9a-f]{8}, got [0-9a-f]{8}"),
    ):
        board.start(1)


def test_host_refuses_what_is_none_of_its_plan() -> None:
    state = Learner.begin(IRIS, 1).state
    state.epoch = -1
    with played_board(lambda asked: b"") as port, LearningBoard(IRIS, port) as board:
        with pytest.raises(SpecError, match="seed must be an integer from 1 to 65535, got 0"):
            board.start(0)
        with pytest.raises(SpecError, match="label must be an integer from 0 to 2, got 3"):
            board.learn(X[0], 3)
        with pytest.raises(LearningError, match="epoch must be an integer"):
            board.load(state)
        with pytest.raises(LearningError, match="samples must have shape"):
            board.teach(X[:5], LABELS, 5)


def answered(asked: bytes, status: int = 0, step: int = 0, payload: bytes = b"") -> bytes:
    """A frame that answers a request, whatever it says."""
    head = bytes([asked[0]]) + asked[-2:] + lessons.plan_id(IRIS).to_bytes(4, "big")
    counters = step.to_bytes(2, "big") + bytes(2)
    return slip(checked(head + bytes([status]) + counters + payload))


def test_host_believes_no_state_that_cannot_be() -> None:
    """Zeros in every word: the LFSR would stand still."""

    def answer(asked: bytes) -> bytes:
        words = min(
            lessons.CHUNK, lessons.state_words(IRIS) - 32 * int.from_bytes(asked[2:4], "big")
        )
        return answered(asked, payload=bytes(2 * words))

    with (
        played_board(answer) as port,
        LearningBoard(IRIS, port, patience=PATIENCE) as board,
        pytest.raises(BoardError, match="state cannot be one: lfsr must be an integer from 1"),
    ):
        board.save()


def test_late_and_foreign_answers_are_passed_over() -> None:
    prediction = bytes([0, 200, 55, 0])

    def answer(asked: bytes) -> bytes:
        other = bytes([asked[0] ^ 1]) + asked[1:]
        return b"".join(
            [
                answered(other, payload=bytes([1, 0, 255, 0])),
                answered(asked, payload=bytes([1, 255, 0, 0])),
                answered(asked, payload=prediction[:-1]),
                framed(b"x" * 10_000),
                answered(asked, payload=prediction),
            ]
        )

    with (
        played_board(answer) as port,
        LearningBoard(IRIS, port, patience=PATIENCE) as board,
    ):
        assert board.predict(X[0]) == lessons.Answer(0, (200, 55, 0))
        assert board.retries == 0


def test_replies_are_read_whole_or_not_at_all() -> None:
    line = answered(bytes([1, 0, 0, 0, 7, 8]), step=3)[1:-1]
    found = lessons.reply(line)
    assert (found.tag, found.digest, found.status, found.step) == (1, 0x708, Status.COMPUTED, 3)
    unknown = answered(bytes(6), status=9)[1:-1]
    unasked = answered(bytes(6), status=4, payload=b"\0")[1:-1]
    for bad in (line[:-1], bytes([line[0] ^ 1]) + line[1:], b"", unknown, unasked):
        with pytest.raises(ProtocolError):
            lessons.reply(bad)


def test_a_reply_of_another_length_is_passed_over() -> None:
    """Zeros behind a frame leave its checksum as it was."""

    def answer(asked: bytes) -> bytes:
        longer = answered(asked)[:-1] + b"\0\xc0"
        return longer + answered(asked)

    with (
        played_board(answer) as port,
        LearningBoard(IRIS, port, patience=PATIENCE) as board,
    ):
        board.start(1)
        assert board.retries == 0
    with (
        played_board(lambda asked: answered(asked)[:-1] + b"\0\xc0") as port,
        LearningBoard(IRIS, port, patience=0.1, attempts=2) as board,
        pytest.raises(BoardError, match="no answer, after 2 attempts"),
    ):
        board.start(1)


def test_raw_requests_are_named() -> None:
    with simulated_board(CORE, name="learning-raw") as running, serial.Serial(running.port) as line:
        line.timeout = 2
        for frame, status in (
            (slip(b"\1\2\3"), Status.DAMAGED),
            (Request(Kind.PREDICT, 0, b"\0").frame(1), Status.WRONG_LENGTH),
            (Request(Kind.PREDICT, 0, bytes(4)).frame(1), Status.NO_NETWORK),
        ):
            line.write(frame)
            assert line.read_until(b"\xc0") == b"\xc0"
            assert lessons.reply(line.read_until(b"\xc0")[:-1]).status == status
