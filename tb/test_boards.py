"""A network behind a serial line: its Verilog, and the host that will talk to real boards."""

import threading
import time
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
from tb.sim.board import run_bench, simulated_board
from tb.sim.made_up import codes, made_up
from tb.sim.runner import SimulationFailed

IRIS = for_serial_line(load(GOLDEN_IRIS))
FLOWERS = quantize(datasets.load("iris").features, IRIS.spec.x)
EXPECTED = trace(IRIS, FLOWERS)

# Two bytes a feature, and as few beats as can be.
SMALL = made_up([2, 3, 3], formats=[Format(12, 6), Format(8, 4), Format(8, 4)])

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


# Module, what stands there once, what it becomes, and the test of `board_bench` that notices.
FRAMES, NOISY, EARLY, ALL = (
    "says_what_is_wrong_with_a_frame$",
    "survives_noise$",
    "drops_what_comes_before_the_answer_has_left$",
    "answers_every_sample$",
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
        )


# The host


def test_host_computes_every_flower() -> None:
    with simulated_board(IRIS, name="iris") as board:
        check(IRIS, predict_codes(IRIS, FLOWERS, port=board.port), FLOWERS)


def test_a_board_is_a_backend() -> None:
    """Whoever asks may have the network at another fold."""
    network, features = library.Network.load(GOLDEN_IRIS), datasets.load("iris").features
    with simulated_board(IRIS, name="iris") as board:
        found = network.predict(features, backend="board", port=board.port)
    check(IRIS, (found.classes, found.probabilities), FLOWERS)


def test_host_survives_a_noisy_line() -> None:
    with (
        simulated_board(IRIS, name="iris-noisy", noise=NOISE) as running,
        Board(IRIS, running.port, patience=0.05, attempts=30) as board,
    ):
        answers = [board.ask(flower) for flower in FLOWERS]
        assert board.retries > 0
    winners = np.array([answer.winner for answer in answers])
    check(IRIS, (winners, np.array([answer.probabilities for answer in answers])), FLOWERS)


def test_host_survives_resets() -> None:
    with simulated_board(IRIS, name="iris-resets") as running:
        done = threading.Event()

        def press() -> None:
            while not done.wait(0.02):
                running.reset()

        pressing = threading.Thread(target=press)
        pressing.start()
        try:
            answers = predict_codes(IRIS, FLOWERS, port=running.port, patience=0.1, attempts=30)
        finally:
            done.set()
            pressing.join()
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


def test_replies_are_read_whole_or_not_at_all() -> None:
    payload = bytes([1, 0, 0, 0, 0, 0, 2, 5, 50, 200])
    line = protocol.slip(protocol.checked(payload))[1:-1]
    assert protocol.reply(IRIS.spec, line).probabilities == (5, 50, 200)
    broken = [line[:-1], line + b"\0", b"\xdb" + line[1:], line[:4] + b"\xdb\1" + line[5:]]
    unknown = protocol.slip(protocol.checked(b"\1\7" + payload[2:]))[1:-1]
    for bad in [*broken, bytes([line[0] ^ 1]) + line[1:], unknown]:
        with pytest.raises(protocol.ProtocolError):
            protocol.reply(IRIS.spec, bad)
