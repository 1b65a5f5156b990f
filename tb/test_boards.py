"""A network behind a serial line: its Verilog, and the host that will talk to real boards."""

import contextlib
import itertools
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial

from boards import protocol
from boards.design import BOARD_RTL, for_serial_line
from boards.host import Board, BoardError, predict_codes
from boards.protocol import Status
from common.paths import BUILD, GOLDEN_IRIS
from model import library
from model.artifact import Network, load
from model.data import datasets
from model.format import Format
from model.reference import quantize, trace
from tb.modules.mutant import Mutant, mutated
from tb.sim.board import SimulatedBoard, run_bench, simulated_board
from tb.sim.made_up import codes, made_up
from tb.sim.runner import SimulationFailed

IRIS = for_serial_line(load(GOLDEN_IRIS))
FLOWERS = quantize(datasets.load("iris").features, IRIS.spec.x)
EXPECTED = trace(IRIS, FLOWERS)

# Two bytes a feature, and as few beats as can be.
SMALL = made_up([2, 3, 3], formats=[Format(12, 6), Format(8, 4), Format(8, 4)])

# Seconds for an answer that nothing disturbs: a busy machine is no line that lost it.
PATIENCE = 30.0

# One bit in a thousand turns over: in some runs of 20 bytes, none does.
NOISE = 1000


def check(network: Network, answers: tuple[np.ndarray, np.ndarray], x: np.ndarray) -> None:
    """The answers are what the reference makes of ``x``."""
    values = trace(network, x)
    assert len(answers[0]) == len(x) > 0
    np.testing.assert_array_equal(answers[0], values["softmax.class"])
    np.testing.assert_array_equal(answers[1], values["softmax.probabilities"])


def samples(network: Network, count: int) -> np.ndarray:
    return codes(np.random.default_rng(4), network, count)


# The Verilog


def test_board_keeps_its_promises_under_icarus() -> None:
    assert run_bench(SMALL, samples(SMALL, 8), "icarus", name="board-small").passed == 7


def test_board_keeps_its_promises_under_verilator() -> None:
    assert run_bench(IRIS, samples(IRIS, 8), "verilator", name="board-iris").passed == 7


def test_an_upset_spoils_one_answer_and_no_more() -> None:
    done = run_bench(SMALL, samples(SMALL, 8), "icarus", name="board-upset", bench="upset_bench")
    assert done.passed == 10


# Module, what stands there once, what it becomes, and the test of `board_bench` that notices.
FRAMES, NOISY, EARLY, ALL, UPSET, SET, STOPS = (
    "says_what_is_wrong_with_a_frame$",
    "survives_noise$",
    "drops_what_comes_before_the_answer_has_left$",
    "answers_every_sample$",
    "no_upset_of_the_handing_over.*/name=out_valid/moment=idle$",
    "no_upset_of_the_handing_over.*/name=out_valid/moment=computing$",
    "a_core_that_stops_is_told$",
)
MUTANTS = {
    "takes-any-checksum": ("mlp_link_request", "in_bad || crc != 16'd0", "in_bad", FRAMES),
    "takes-any-length": (
        "mlp_link_request",
        "count == FRAME[COUNT_W-1:0] &&",
        "count != 0 &&",
        FRAMES,
    ),
    "takes-any-escape": (
        "mlp_slip_decode",
        "out_bad  <= bad || illegal",
        "out_bad  <= 1'b0",
        FRAMES,
    ),
    "hears-spikes": ("mlp_uart_rx", "noise || left", "left", NOISY),
    "takes-a-broken-stop-bit": ("mlp_uart_rx", "left == 4'd1 && line[1];", "left == 4'd1;", FRAMES),
    "does-not-drop": ("mlp_link_request", "dropping <= 1'b1", "dropping <= 1'b0", EARLY),
    "forgets-the-tag": ("mlp_link_reply", "out_data = answer_tag", "out_data = 8'd0", ALL),
    "sends-the-crc-unfinished": (
        "mlp_link_reply",
        "index < CRC_HIGH[INDEX_W-1:0])",
        "index < CLASS)",
        ALL,
    ),
    "forgets-the-digest": (
        "mlp_link_request",
        "{bytes[15:8], bytes[23:16]}",
        "{bytes[23:16], bytes[15:8]}",
        ALL,
    ),
    "keeps-the-core-out-of-reset": (
        "mlp_link_guard",
        "core_rst <= rst || !busy",
        "core_rst <= rst",
        UPSET,
    ),
    "waits-for-ever": ("mlp_link_guard", "count >= LIMIT[COUNT_W-1:0]", "1'b0", STOPS),
    "believes-an-empty-result": ("mlp_link_reply", "early || !p_valid", "early", STOPS),
    "takes-a-result-before-its-time": ("mlp_link_reply", "early || !p_valid", "!p_valid", SET),
    "does-not-escape": ("mlp_slip_encode", "in_data == END || in_data == ESC", "1'b0", ALL),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_bench_catches(name: str) -> None:
    module, right, wrong, testcase = MUTANTS[name]
    mutant = Mutant(name, module, right, wrong)
    folder = mutated(mutant, BUILD / "mutants" / f"board-{name}", BOARD_RTL)
    with pytest.raises(SimulationFailed):
        run_bench(
            SMALL,
            samples(SMALL, 40),
            "icarus",
            name=f"board-{name}",
            boards=folder,
            testcase=testcase,
            bench="upset_bench" if testcase in (UPSET, SET, STOPS) else "board_bench",
        )


# The host


def test_host_computes_every_flower() -> None:
    with simulated_board(IRIS, name="iris") as board:
        check(IRIS, predict_codes(IRIS, FLOWERS, port=board.port, patience=PATIENCE), FLOWERS)


def test_a_board_is_a_backend() -> None:
    """Whoever asks may have the network at another fold."""
    network, features = library.Network.load(GOLDEN_IRIS), datasets.load("iris").features
    with simulated_board(IRIS, name="iris") as board:
        found = network.predict(features, backend="board", port=board.port, patience=PATIENCE)
    check(IRIS, (found.classes, found.probabilities), FLOWERS)


def test_host_survives_a_noisy_line() -> None:
    with (
        simulated_board(IRIS, name="iris-noisy", noise=NOISE) as running,
        Board(IRIS, running.port, patience=0.05, attempts=30) as board,
    ):
        answers = [board.ask(flower) for flower in FLOWERS]
        assert board.retries > 0
    winners = np.array([answer.winner for answer in answers])
    check(IRIS, (winners, np.array([answer.results for answer in answers])), FLOWERS)


@contextmanager
def pressed(board: SimulatedBoard, every: float, times: int | None = None) -> Iterator[None]:
    """Meanwhile the button is pressed, ``every`` seconds, always or so many ``times``."""
    done = threading.Event()

    def press() -> None:
        for _ in itertools.count() if times is None else range(times):
            if done.wait(every):
                return
            board.reset()

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        yield
    finally:
        done.set()
        pressing.join()


def test_host_survives_resets() -> None:
    with simulated_board(IRIS, name="iris-resets") as running, pressed(running, 0.02):
        answers = predict_codes(IRIS, FLOWERS, port=running.port, patience=0.1, attempts=30)
    check(IRIS, answers, FLOWERS)


def test_host_survives_what_another_left_on_the_line() -> None:
    request = protocol.request(IRIS.spec, 9, FLOWERS[0].tolist())
    damaged = bytearray(request)
    damaged[3] ^= 4
    for rest in (request[:5], bytes(damaged), b"\xc0\xc0\xdb", bytes(range(256))):
        with simulated_board(IRIS, name="iris-rest") as running:
            with serial.Serial(running.port, timeout=0.5) as line:
                line.write(rest)
            check(IRIS, predict_codes(IRIS, FLOWERS[:3], port=running.port), FLOWERS[:3])


def test_board_names_a_damaged_and_a_short_frame() -> None:
    with simulated_board(IRIS, name="iris-raw") as running, serial.Serial(running.port) as line:
        line.timeout = 1
        for payload, status in (
            (b"\1\2\3", Status.DAMAGED),
            (protocol.checked(b"\1\2\3"), Status.WRONG_LENGTH),
        ):
            line.write(protocol.slip(payload))
            assert line.read_until(b"\xc0") == b"\xc0"
            answer = protocol.reply(IRIS.spec, line.read_until(b"\xc0")[:-1])
            assert answer.status == status


def test_host_names_a_board_with_another_network() -> None:
    other = made_up([4, 3])
    with (
        simulated_board(IRIS, name="iris-other") as running,
        pytest.raises(BoardError, match="must hold network"),
    ):
        predict_codes(made_up([4, 5, 3]), FLOWERS[:1], port=running.port)
    assert protocol.network_id(other) != protocol.network_id(IRIS)


def test_host_names_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="nothing: cannot be opened"):
        predict_codes(IRIS, FLOWERS[:1], port=str(tmp_path / "nothing"))


def test_host_gives_up_on_a_silent_line() -> None:
    with simulated_board(IRIS, name="iris-deaf", noise=500_000) as running:
        start = time.monotonic()
        with pytest.raises(BoardError, match="after 2 attempts"):
            predict_codes(IRIS, FLOWERS[:1], port=running.port, patience=0.1, attempts=2)
        assert time.monotonic() - start < 60  # it ends at all


def reply_of(
    tag: int,
    digest: int = 0,
    network: int = 0,
    result: tuple[int, ...] = (2, 5, 50, 200),
    status: int = 0,
) -> bytes:
    """A reply as it stands between two ENDs, whatever it says."""
    ids = digest.to_bytes(2, "big") + network.to_bytes(4, "big")
    payload = bytes([tag]) + ids + bytes(result) + bytes([status])
    return protocol.slip(protocol.checked(payload))[1:-1]


def test_replies_are_read_whole_or_not_at_all() -> None:
    line = reply_of(1, 0x203, 4)
    wanted = protocol.Reply(1, 0x203, 4, 2, (5, 50, 200), Status.COMPUTED)
    assert protocol.reply(IRIS.spec, line) == wanted
    broken = [line[:-1], line + b"\0", b"\xdb" + line[1:], line[:4] + b"\xdb\1" + line[5:]]
    for bad in [*broken, bytes([line[0] ^ 1]) + line[1:], reply_of(1, status=7)]:
        with pytest.raises(protocol.ProtocolError):
            protocol.reply(IRIS.spec, bad)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ((3, 5, 50, 200), "class must be below 3, got 3"),
        ((2, 5, 50, 199), "must sum to 255, got 254"),
        ((1, 5, 50, 200), "class 1 must have the largest probability"),
    ],
)
def test_replies_that_no_softmax_gives_are_refused(result: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(protocol.ProtocolError, match=sentence):
        protocol.reply(IRIS.spec, reply_of(1, result=result))
    # Without a result, what stands in its place counts for nothing.
    found = protocol.reply(IRIS.spec, reply_of(1, result=result, status=Status.NO_RESULT))
    assert (found.winner, found.results) == (0, (0, 0, 0))


@contextmanager
def played_board(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A port on which each request, a whole frame, is answered with the bytes of ``answer``."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    done = threading.Event()

    def play() -> None:
        heard = b""
        while not done.is_set():
            if not select.select([ours], [], [], 0.02)[0]:
                continue
            heard += os.read(ours, 4096)
            while heard.count(b"\xc0") >= 2:
                _, frame, heard = heard.split(b"\xc0", 2)
                os.write(ours, answer(protocol.unslip(frame)))

    playing = threading.Thread(target=play)
    playing.start()
    try:
        yield os.ttyname(theirs)
    finally:
        done.set()
        playing.join()
        os.close(ours)
        os.close(theirs)


def framed(line: bytes) -> bytes:
    return b"\xc0" + line + b"\xc0"


ID = protocol.network_id(IRIS)


def test_only_the_answer_to_its_own_request_is_believed() -> None:
    """Before the right answer come late ones: another tag, another sample, what cannot be."""

    def answer(asked: bytes) -> bytes:
        tag, digest = asked[0], int.from_bytes(asked[-2:], "big")
        wrong = (1, 0, 255, 0)
        late = [
            reply_of(tag ^ 1, digest, ID, wrong),
            reply_of(tag, digest ^ 1, ID, wrong),
            reply_of(tag, digest, ID, (3, 0, 255, 0)),
            reply_of(tag, digest, ID, (1, 0, 254, 0)),
            reply_of(tag, digest, ID, (0, 0, 255, 0)),
        ]
        noise = b"x" * 10_000
        return b"".join(map(framed, [*late, noise, reply_of(tag, digest, ID, (0, 200, 55, 0))]))

    with played_board(answer) as port, Board(IRIS, port, patience=PATIENCE) as board:
        for flower in FLOWERS[:5]:
            found = board.ask(flower)
            assert (found.winner, found.results) == (0, (200, 55, 0))
        assert board.retries == 0


def test_status_without_a_result_is_asked_again_and_named() -> None:
    def answer(asked: bytes) -> bytes:
        return framed(reply_of(0, network=ID, status=Status.NO_RESULT))

    with (
        played_board(answer) as port,
        pytest.raises(BoardError, match="the last answer was NO_RESULT, after 3 attempts"),
    ):
        predict_codes(IRIS, FLOWERS[:1], port=port, attempts=3)


def test_answers_of_a_host_before_are_not_believed() -> None:
    """The one before asked and went; its answers lie on the line, or are still to come."""
    with simulated_board(IRIS, name="iris-late") as running:
        for flower in range(0, 60, 2):
            with serial.Serial(running.port) as before:
                for tag in range(0, 256, 64):
                    before.write(protocol.request(IRIS.spec, tag, FLOWERS[flower].tolist()))
            x = FLOWERS[149 - flower : 151 - flower]
            check(IRIS, predict_codes(IRIS, x, port=running.port), x)


def test_hosts_begin_with_different_tags() -> None:
    with simulated_board(IRIS, name="iris-tags") as running:
        tags = set()
        for _ in range(12):
            with Board(IRIS, running.port) as board:
                tags.add(board.tag)
        assert len(tags) > 6


def test_a_port_serves_one_host_at_a_time() -> None:
    with simulated_board(IRIS, name="iris-two") as running:
        with (
            Board(IRIS, running.port) as board,
            pytest.raises(BoardError, match="cannot be opened: another program uses it"),
        ):
            board.ask(FLOWERS[0])
            predict_codes(IRIS, FLOWERS[:1], port=running.port)
        check(IRIS, predict_codes(IRIS, FLOWERS[:2], port=running.port), FLOWERS[:2])


def test_a_peer_that_never_reads_is_one_sentence() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    # Else it takes minutes of requests until the buffers between them are full.
    os.set_blocking(theirs, False)
    for _ in range(10):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(theirs, bytes(8))
        time.sleep(0.01)
    try:
        start = time.monotonic()
        with (
            Board(IRIS, os.ttyname(theirs), patience=0.05, attempts=10_000) as board,
            pytest.raises(BoardError, match="nothing reads there"),
        ):
            board.ask(FLOWERS[0])
        assert time.monotonic() - start < 60
    finally:
        os.close(ours)
        os.close(theirs)
