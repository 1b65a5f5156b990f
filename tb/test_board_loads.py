"""New weights over the serial line of a board: its Verilog, and the host that sends them."""

import dataclasses
import time

import numpy as np
import pytest

from boards import protocol
from boards.design import BOARD_RTL, for_serial_line
from boards.host import Board, loaded, predict_codes
from boards.line import BoardError
from boards.protocol import Status
from common.paths import BUILD, GOLDEN_IRIS
from model import library
from model.artifact import Network, load
from model.data import datasets
from model.format import Format
from model.loading import LoadError
from model.reference import quantize
from tb.modules.mutant import Mutant, mutated
from tb.sim.board import run_bench, simulated_board
from tb.sim.made_up import codes, made_up
from tb.sim.runner import SimulationFailed
from tb.test_boards import check, framed, played_board, pressed, reply_of

# Features of two bytes; a word of weights is one byte in the small core and two in the other.
FORMATS = [Format(12, 6), Format(8, 4)]
SMALL = [made_up([2, 2], formats=FORMATS, loadable=True, seed=seed) for seed in (1, 7, 8)]
DEEP = [
    made_up([2, 3, 2], formats=[*FORMATS, Format(8, 4)], folds=folds, loadable=True, seed=seed)
    for seed, folds in ((1, [(2, 1), (3, 2)]), (7, None), (8, None))
]

IRIS = load(GOLDEN_IRIS)
CORE = for_serial_line(IRIS.refolded(dataclasses.replace(IRIS.spec, loadable=True)))
# The same rows of weights for other neurons: sums as large as before, other results.
OTHER = dataclasses.replace(
    IRIS,
    weights={name: np.roll(rows, 1, axis=0) for name, rows in IRIS.weights.items()},
    biases={name: np.roll(row, 1) for name, row in IRIS.biases.items()},
)
OTHER_ID = protocol.network_id(OTHER)
# Of a machine that has other work too: nothing but a failure takes as long.
PATIENCE = 5.0
FEATURES = datasets.load("iris").features
FLOWERS = quantize(FEATURES, IRIS.spec.x)


def bench(
    networks: list[Network], simulator: str, name: str, bench: str = "board_load_bench", **how: str
) -> int:
    """Run a bench of a board that holds the first network and loads the others; count its tests."""
    x = codes(np.random.default_rng(4), networks[0], 4)
    given = {"name": f"board-{name}", "bench": bench, "loads": networks[1:], **how}
    return run_bench(networks[0], x, simulator, **given).passed  # type: ignore[arg-type]


# The Verilog


def test_board_loads_networks_under_icarus() -> None:
    """Tests of the bench that no mutant below has to fail."""
    tests = "answers_as_each_network|drops_what_comes|has_the_id_of_its_weights"
    assert bench(SMALL, "icarus", "loads-small", testcase=tests) == 3


def test_board_loads_networks_under_verilator() -> None:
    assert bench(DEEP, "verilator", "loads-deep") == 7


def test_an_upset_spoils_one_load_and_no_id() -> None:
    assert bench(SMALL, "icarus", "loads-upset", "load_upset_bench") == 3


def test_loadable_board_hears_requests_as_any_other() -> None:
    """Damaged ones, wrong ones, and those that come too early."""
    tests = "says_what_is_wrong|drops_what_comes"
    assert bench(SMALL, "icarus", "loadable", "board_bench", testcase=tests) == 2


# Module, what stands there once, what it becomes, and the test of `board_load_bench` that notices.
NETWORKS, DAMAGED, WRONG, ENDS, EARLY, RESET, CHANGE, STOPS, UPSET = (
    "answers_as_each_network_that_is_loaded$",
    "drops_a_load_that_is_damaged$",
    "refuses_a_load_that_is_wrong$",
    "ends_a_load_that_does_not_end$",
    "drops_what_comes_before_the_answer_has_left$",
    "forgets_a_load_at_a_reset$",
    "has_the_id_of_its_weights_whenever_a_reset_comes$",
    "a_core_that_does_not_answer_a_load_is_told$",
    "an_upset_that_changes_the_banks_is_told$",
)
MUTANTS = {
    "loads-what-is-damaged": ("mlp_link_load", "in_bad || crc != 16'd0", "in_bad", DAMAGED),
    "loads-what-has-a-bad-escape": ("mlp_link_load", "in_bad || crc", "crc", DAMAGED),
    "loads-for-any-core": ("mlp_link_load", "foreign <= number != CORE", "foreign <= 0", WRONG),
    "holds-back-two-bytes": ("mlp_link_load", "FULL = 4'd12", "FULL = 4'd11", NETWORKS),
    "never-ends-a-load": ("mlp_link_load", "in_end && state == TAKE", "in_end && good", ENDS),
    "loads-during-an-answer": ("mlp_link_load", " && !asked_busy)", ")", EARLY),
    "hears-during-a-load's-answer": (
        "mlp_link_load",
        "state != IDLE || (in_data",
        "(in_data",
        EARLY,
    ),
    "waits-for-ever-for-a-load": (
        "mlp_link_load",
        "load_refused || expired)",
        "load_refused)",
        STOPS,
    ),
    "has-the-id-before-the-weights": (
        "mlp_link_id",
        "done && (pending || !core_rst)",
        "given || done || refused",
        WRONG,
    ),
    "loses-the-id-at-a-reset": ("mlp_link_id", "(pending || !core_rst)", "!core_rst", CHANGE),
    "keeps-the-id-of-banks-that-changed": (
        "mlp_link_id",
        "pending ? given_id : ~id",
        "given_id",
        UPSET,
    ),
    "keeps-the-core-in-reset": (
        "mlp_link_load",
        "asked_busy || state != IDLE;",
        "asked_busy;",
        NETWORKS,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_bench_catches(name: str) -> None:
    module, right, wrong, testcase = MUTANTS[name]
    mutant = Mutant(name, module, right, wrong)
    folder = mutated(mutant, BUILD / "mutants" / f"board-{name}", BOARD_RTL)
    used = "load_upset_bench" if testcase in (STOPS, UPSET) else "board_load_bench"
    with pytest.raises(SimulationFailed):
        bench(SMALL, "icarus", name, used, boards=folder, testcase=testcase)  # type: ignore[arg-type]


# The host


def user(network: Network) -> library.Network:
    """The network as its user has it."""
    return library.Network(**vars(network))


def same(found: library.Prediction, wanted: library.Prediction) -> None:
    """Classes and probabilities are equal."""
    assert len(found.classes) == len(wanted.classes) > 0
    np.testing.assert_array_equal(found.classes, wanted.classes)
    np.testing.assert_array_equal(found.probabilities, wanted.probabilities)


def test_host_loads_a_network_that_answers_from_then_on() -> None:
    core, other = user(CORE), user(OTHER)
    wanted, few = other.predict(FEATURES), FEATURES[:5]
    assert (wanted.probabilities != core.predict(FEATURES).probabilities).any()
    with simulated_board(CORE, name="iris-load") as running:
        board = {"backend": "board", "port": running.port, "patience": PATIENCE}
        loaded = other.load_into(core, **board)
        same(loaded.predict(FEATURES), wanted)
        running.reset()
        # Whoever has the loaded network may ask for it; who has the one of before is told.
        same(other.predict(few, **board), other.predict(few))
        ids = protocol.network_id(CORE), protocol.network_id(OTHER)
        with pytest.raises(BoardError, match="must hold network {:08x}, got {:08x}".format(*ids)):
            core.predict(few, **board)
        same(core.load_into(core, **board).predict(few), core.predict(few))
        same(core.predict(few, **board), core.predict(few))
        with pytest.raises(BoardError, match="must hold network"):
            loaded.predict(few)


def test_host_loads_over_a_noisy_line() -> None:
    """One bit in 17,000 turns over, and a load has some 22,000: the first ones are damaged."""
    with (
        simulated_board(CORE, name="iris-load-noisy", noise=60, seed=4) as running,
        Board(OTHER, running.port, patience=PATIENCE, attempts=60) as board,
    ):
        board.load(CORE.spec)
        assert board.retries > 0
        answers = [board.ask(flower) for flower in FLOWERS[:20]]
    winners = np.array([answer.winner for answer in answers])
    results = np.array([answer.results for answer in answers])
    check(OTHER, (winners, results), FLOWERS[:20])


def test_host_loads_while_the_board_is_reset() -> None:
    x = codes(np.random.default_rng(5), SMALL[0], 10)
    how = {"patience": 0.1, "attempts": 100}
    with simulated_board(SMALL[0], name="load-resets") as running, pressed(running, 0.02):
        for network in (*SMALL[1:], SMALL[0]):
            run = loaded(SMALL[0], network, port=running.port, **how)  # type: ignore[arg-type]
            check(network, run(network, x), x)


def test_host_names_a_board_with_another_core() -> None:
    """Words of other folds would be taken for weights that nobody has trained."""
    spec = CORE.spec
    folded = CORE.refolded(spec.folded({spec.layers[0].name: (2, 3)}))
    with simulated_board(CORE, name="iris-load-core") as running:
        with pytest.raises(LoadError, match=r"board must have core [0-9a-f]{8}, .* got another"):
            loaded(folded, OTHER, port=running.port, patience=PATIENCE)
        check(CORE, predict_codes(CORE, FLOWERS[:3], port=running.port), FLOWERS[:3])


def test_core_is_told_by_its_folds_and_formats_alone() -> None:
    spec = CORE.spec
    name = spec.layers[0].name
    ours = protocol.core_id(spec)
    assert ours == protocol.core_id(for_serial_line(user(CORE)).spec)
    assert ours == protocol.core_id(dataclasses.replace(spec, name="other", in_lanes=2))
    wider = dataclasses.replace(spec.layers[0], acc_w=spec.layers[0].acc_w + 1)
    others = [
        spec.folded({name: (2, 3)}),
        spec.folded({name: (4, 5)}),
        spec.with_layers([wider, *spec.layers[1:]]),
    ]
    assert len({ours, *map(protocol.core_id, others)}) == 4
    assert [protocol.core_id(network.spec) for network in SMALL] == [
        protocol.core_id(SMALL[0].spec)
    ] * len(SMALL)


def test_host_names_a_board_that_is_not_loadable() -> None:
    with (
        simulated_board(for_serial_line(IRIS), name="iris") as running,
        pytest.raises(BoardError, match="that of a board that is not loadable, after 2 attempts"),
    ):
        loaded(CORE, OTHER, port=running.port, attempts=2, patience=PATIENCE)


def answer(
    asked: bytes, status: Status, *, network: int = OTHER_ID, tag: int = 0, digest: int = 0
) -> bytes:
    """A board's answer to the load ``asked``; ``tag`` and ``digest`` turn bits of them over."""
    found = asked[0] ^ tag, int.from_bytes(asked[-2:], "big") ^ digest
    return framed(reply_of(*found, network, (0, 0, 0, 0), status))


def test_only_the_answer_to_its_own_load_is_believed() -> None:
    """Before it come those to other loads, and one to a sample."""

    def play(asked: bytes) -> bytes:
        late = [
            answer(asked, Status.WRONG_CORE, tag=1),
            answer(asked, Status.LOADED, digest=1),
            answer(asked, Status.REFUSED, tag=0x80),
            answer(asked, Status.COMPUTED, tag=0x80),
        ]
        return b"".join([*late, answer(asked, Status.LOADED)])

    with played_board(play) as port, Board(OTHER, port, patience=PATIENCE) as board:
        board.load(CORE.spec)
        assert board.retries == 0


@pytest.mark.parametrize("status", [Status.REFUSED, Status.NO_RESULT, Status.DAMAGED])
def test_load_that_is_not_taken_is_sent_again_and_named(status: Status) -> None:
    with (
        played_board(lambda asked: answer(asked, status)) as port,
        pytest.raises(BoardError, match=f"answer was {status.name}, after 3 attempts"),
    ):
        loaded(CORE, OTHER, port=port, attempts=3, patience=PATIENCE)


def test_load_under_another_id_is_sent_again() -> None:
    """As where the ID was upset on its way: the weights are new, and nobody would ask for them."""
    said = iter([1, OTHER_ID])

    def play(asked: bytes) -> bytes:
        return answer(asked, Status.LOADED, network=next(said))

    with played_board(play) as port, Board(OTHER, port, patience=PATIENCE) as board:
        board.load(CORE.spec)
        assert board.retries == 1


def test_patience_begins_behind_the_time_of_a_load_on_the_line() -> None:
    def play(asked: bytes) -> bytes:
        time.sleep(1.0)  # less than its time at this rate
        return answer(asked, Status.LOADED)

    with (
        played_board(play) as port,
        Board(OTHER, port, baudrate=9_600, patience=0.3) as board,
    ):
        board.load(CORE.spec)
        assert board.retries == 0
