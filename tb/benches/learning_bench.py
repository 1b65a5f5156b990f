"""mlp_learn_top against the reference: every master, delta and activation after every sample."""

import random

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from model.format import Int
from model.learning.backprop import CODE_W, MASTER
from model.learning.core import Core, stream, uncounted, unstream
from model.learning.counts import Counts
from model.learning.learner import Learned, Learner, State, plan_of
from model.words import Field, unpack_lanes
from tb.benches.comparison import Comparison
from tb.benches.drivers import Clocked, Port, Sink, Source, Stall, in_bursts, never, randomly
from tb.benches.elaboration import check_elaboration
from tb.job import job
from tb.streams import LAST, PERIOD_NS, Beat

JOB = job()
PLAN = plan_of(JOB.options["plan"])
CORE = Core(PLAN, JOB.options["lanes"])
SEED, COUNT = JOB.options["seed"], JOB.options["count"]
DATA = np.load(JOB.options["data"])
X, LABELS = DATA["x"], DATA["labels"]
# Resets one after the other, a cycle later each time; 0 for a few at random.
RESETS = JOB.options.get("resets", 0)
# Samples of the tests that need only some.
FEW = min(COUNT, 12)
# Cycles from a sample's last issue to its last write, and a few.
SETTLE_CYCLES = 8
# Words of a load behind the masters, and the most samples of an epoch.
TAIL, LONGEST = 5, 65535
STREAM_WORDS = sum(n_out * (n_in + 1) for n_out, n_in in PLAN.shapes) + TAIL
START_CYCLES = 17 * STREAM_WORDS + 100
LIMIT_NS = PERIOD_NS * (20 * (COUNT + 8) * (CORE.cycles + 100) + 4 * START_CYCLES + 60000)
LIMIT_NS += PERIOD_NS * (40 + RESETS) * 24 * STREAM_WORDS
LIMIT_NS += PERIOD_NS * RESETS * 20 * (CORE.cycles + 100)

FEATURE, PROBABILITY = Field("data", CODE_W, signed=True), Field("data", CODE_W)
TUSER_IN, TUSER_OUT, WORD = Field("user", 9), Field("user", 8), Field("data", 16)


class Bench:
    """The core between its streams."""

    def __init__(self, dut, source: Stall = never, sink: Stall = never) -> None:
        check_elaboration(dut, JOB)
        self.dut, self.clocked = dut, Clocked(dut)
        self.stalls = source, sink
        dut.samples.value = PLAN.samples
        dut.thresholds.value = sum(t << (16 * k) for k, t in enumerate(PLAN.thresholds))
        ports = {
            "s_axis_t": [FEATURE, LAST, TUSER_IN],
            "s_start_t": [WORD],
            "s_load_t": [WORD, LAST],
            "s_save_t": [],
        }
        self.sources = {
            name: Source(self.clocked, Port(dut, name, fields)) for name, fields in ports.items()
        }
        self.answers = Sink(self.clocked, Port(dut, "m_axis_t", [PROBABILITY, LAST, TUSER_OUT]))
        self.orders = Sink(self.clocked, Port(dut, "m_order_t", [WORD, LAST]))
        self.saves = Sink(self.clocked, Port(dut, "m_save_t", [WORD, LAST]))
        self.logits: list[int] = []

    async def open(self) -> None:
        """Leave reset."""
        await self.clocked.start()

    async def listen(self) -> None:
        """Note the logits, which lie inside."""
        dut = self.dut.u_network
        while True:
            if not dut.logit_valid.value:
                await RisingEdge(dut.logit_valid)
            await self.clocked.edge
            if dut.logit_valid.value:
                self.logits.append(dut.logit.value.to_signed())

    async def start(self, seed: int = SEED) -> None:
        """Masters at random."""
        await self.sources["s_start_t"].send([{"data": [seed]}])
        if not self.dut.has_network.value:
            await RisingEdge(self.dut.has_network)
        await self.clocked.edge

    async def load(self, state: State, *, cut: int = 0, more: int = 0) -> None:
        """Masters and counters of a state; a frame of the wrong length by ``cut`` or ``more``."""
        words = [*stream(PLAN, state).tolist(), *[0] * more]
        await self.load_words(words[: len(words) - cut])

    async def load_words(self, words: list[int]) -> None:
        """One frame of a load."""
        beats: list[Beat] = [
            {"data": [word], "last": [index + 1 == len(words)]} for index, word in enumerate(words)
        ]
        await self.sources["s_load_t"].send(beats, self.stalls[0])
        await self.clocked.edge
        await self.clocked.edge

    async def save(self) -> State:
        """The state between two samples."""
        words = await self.save_words()
        state = unstream(PLAN, np.array(words))
        # The next index is what the order's word and the position say it is.
        assert words == stream(PLAN, state).tolist(), "m_save: sample, index: not the order's"
        return state

    async def save_words(self) -> list[int]:
        """One frame of a save."""
        asking = cocotb.start_soon(self.sources["s_save_t"].send([{}]))
        words: list[int] = []
        async for beat in self.saves.receive(STREAM_WORDS, self.stalls[1]):
            words.append(beat["data"])
            assert beat["last"] == (len(words) == STREAM_WORDS), "m_save: tlast stands elsewhere"
        await asking
        return words

    def beats(self, index: int, *, learn: bool = True, label: int | None = None) -> list[Beat]:
        """One sample."""
        user = int(LABELS[index] if label is None else label) | (256 if learn else 0)
        row = X[index].tolist()
        return [
            {"data": [x], "last": [k + 1 == len(row)], "user": [user if k + 1 == len(row) else 0]}
            for k, x in enumerate(row)
        ]

    async def wanted(self) -> int:
        """The sample that the order wants next."""
        async for beat in self.orders.receive(1):
            self.last_of_epoch = bool(beat["last"])
            self.dut.m_order_tready.value = 0
            return beat["data"]
        raise AssertionError

    async def feed(self, count: int, *, ordered: bool = True) -> None:
        """``count`` samples of the core's order, as fast as it takes them."""
        for _ in range(count):
            beats = self.beats(await self.wanted())
            await self.sources["s_axis_t"].send(beats, self.stalls[0])

    async def answer(self) -> tuple[list[int], int]:
        """Probability bytes and class of one sample."""
        bytes_out: list[int] = []
        users = set()
        async for beat in self.answers.receive(PLAN.sizes[-1], self.stalls[1]):
            bytes_out.append(beat["data"])
            users.add(beat["user"])
            assert beat["last"] == (len(bytes_out) == PLAN.sizes[-1]), "m_axis: tlast elsewhere"
        assert len(users) == 1, f"m_axis: a single class must stand beside one sample, got {users}"
        return bytes_out, users.pop()

    async def expect(self, comparison: Comparison, sample: int, seen: Learned) -> None:
        """The answer to one sample must be this one."""
        bytes_out, winner = await self.answer()
        comparison.equal(sample, "forward", "probability", seen.probabilities, np.array(bytes_out))
        comparison.equal(sample, "forward", "class", np.array([seen.predicted]), np.array([winner]))

    def words(self, memory, count: int, lanes: int, width: int) -> Int:
        """Lanes of the first words of a memory, ``[count, lanes]``."""
        rows = [unpack_lanes(int(memory.words[a].value), width, lanes) for a in range(count)]
        return np.array(rows)

    def activations(self) -> list[Int]:
        """Inputs of each hidden layer, as they stand in the core."""
        memory = self.dut.u_network.u_engine.u_operands.u_inputs
        counts = [CORE.groups(layer) for layer in range(1, PLAN.layers)]
        rows = self.words(memory, sum(counts), CORE.lanes, CODE_W)
        parts = np.split(rows, np.cumsum(counts)[:-1]) if counts else []
        return [part.ravel() for part in parts]

    def deltas(self) -> list[Int]:
        """Deltas of each layer's outputs, the first layer's first."""
        sizes = PLAN.sizes[:0:-1]
        memory = self.dut.u_network.u_engine.u_operands.u_deltas
        values = self.words(memory, sum(sizes), 1, 16).ravel()
        return np.split(values, np.cumsum(sizes)[:-1])[::-1]

    def masters(self) -> list[Int]:
        """All masters, as they stand in the core; what fills up a row must be 0."""
        firsts = [PLAN.sets.index(number) for number in range(len(PLAN.ranges))]
        words = sum(map(CORE.words, firsts))
        weights = self.words(self.dut.u_network.u_engine.u_lanes.u_masters, words, CORE.lanes, 16)
        rows = sum(n_out for n_out, _ in PLAN.shapes)
        biases = self.words(self.dut.u_network.u_engine.u_bias.u_masters, rows, 1, 16)
        found, word, row = [], 0, 0
        for first, (n_out, n_in) in zip(firsts, PLAN.shapes, strict=True):
            part = weights[word : word + CORE.words(first)].reshape(n_out, -1)
            assert not part[:, n_in:].any(), "what fills up a row is not 0"
            found.append(np.hstack([part[:, :n_in], biases[row : row + n_out]]))
            word, row = word + CORE.words(first), row + n_out
        return found


def compare_counts(comparison: Comparison, sample: int, expected: Counts, bench: Bench) -> None:
    """Compare all counts since the last start or load, once the core is idle."""
    got = uncounted(int(bench.dut.counts.value))
    for key, mine in vars(expected).items():
        comparison.equal(sample, "counts", key, np.array([mine]), np.array([getattr(got, key)]))


def compare_state(comparison: Comparison, sample: int, expected: State, got: State) -> None:
    """All that a save holds."""
    for number, (mine, its) in enumerate(zip(expected.masters, got.masters, strict=True)):
        comparison.equal(sample, "save", f"set {number}", mine, its)
    for key in ("lfsr", "word", "epoch", "position"):
        mine, its = (np.array([getattr(state, key)]) for state in (expected, got))
        comparison.equal(sample, "save", key, mine, its)


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def learns_every_value(dut):
    """After each sample all activations, deltas and masters are read where they lie."""
    bench, comparison, run = Bench(dut), Comparison(), Learner.begin(PLAN, SEED)
    await bench.open()
    cocotb.start_soon(bench.listen())
    await bench.start()
    for number, (mine, its) in enumerate(zip(run.state.masters, bench.masters(), strict=True)):
        comparison.equal(-1, "start", f"set {number}", mine, its)
    for sample in range(COUNT):
        wanted = await bench.wanted()
        comparison.equal(sample, "order", "index", np.array([run.index]), np.array([wanted]))
        last = run.state.position == PLAN.samples - 1
        assert bench.last_of_epoch == last, f"sample {sample}: m_order: tlast stands elsewhere"
        seen = run.learn(X[wanted], int(LABELS[wanted]))
        bench.logits.clear()
        sending = cocotb.start_soon(bench.sources["s_axis_t"].send(bench.beats(wanted)))
        await bench.expect(comparison, sample, seen)
        await sending
        while not dut.idle.value:
            await RisingEdge(dut.idle)
            await bench.clocked.edge
        for _ in range(SETTLE_CYCLES):
            await bench.clocked.edge
        for layer, found in enumerate(bench.activations(), start=1):
            mine = np.zeros_like(found)
            mine[: PLAN.sizes[layer]] = seen.xs[layer]
            comparison.equal(sample, "forward", f"input of layer {layer}", mine, found)
        comparison.equal(sample, "forward", "logits", seen.xs[-1], np.array(bench.logits))
        for layer in range(PLAN.layers - 1, -1, -1):
            mine, its = seen.deltas[layer], bench.deltas()[layer]
            comparison.equal(sample, "backward", f"delta of layer {layer}", mine, its)
        for number, (mine, its) in enumerate(zip(run.state.masters, bench.masters(), strict=True)):
            assert np.abs(its).max() <= -MASTER.q_min
            comparison.equal(sample, "update", f"set {number}", mine, its)
        compare_counts(comparison, sample, run.counts, bench)
    compare_state(comparison, COUNT, run.state, await bench.save())
    comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def takes_as_many_cycles_as_its_formulas(dut):
    """Samples back to back, learned and then only predicted; and the first one's latency."""
    bench = Bench(dut)
    await bench.open()
    await bench.start()
    begun: list[int] = []

    async def watch() -> None:
        while True:
            if not dut.begins.value:
                await RisingEdge(dut.begins)
            await bench.clocked.edge
            if dut.begins.value:
                begun.append(bench.clocked.cycle)

    watching = cocotb.start_soon(watch())
    # No epoch ends within them: its order's drawing is counted elsewhere.
    count = max(1, min(4, PLAN.samples - 1))
    feeding = cocotb.start_soon(bench.feed(count))
    for _ in range(count):
        await bench.answer()
    await feeding
    answered = bench.answers.taken[:: PLAN.sizes[-1]]
    # The answer waits one cycle in its way out.
    assert {a - b for a, b in zip(answered, begun, strict=True)} == {CORE.answer_cycles + 1}
    intervals = set(np.diff(begun).tolist())
    slow_input = PLAN.sizes[0] + 2 > CORE.predict_cycles
    assert count < 3 or intervals == {CORE.cycles}, f"{intervals}, formula {CORE.cycles}"
    begun.clear()
    beats = [beat for index in range(3) for beat in bench.beats(index % PLAN.samples, learn=False)]
    feeding = cocotb.start_soon(bench.sources["s_axis_t"].send(beats))
    for _ in range(3):
        await bench.answer()
    await feeding
    intervals = set(np.diff(begun).tolist()[-1:])
    assert slow_input or intervals == {CORE.predict_cycles}, (
        f"{intervals}, formula {CORE.predict_cycles}"
    )
    watching.cancel()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
@cocotb.parametrize(stalls=[(never, randomly), (randomly, never), (in_bursts, in_bursts)])
async def learns_the_same_under_stalls(dut, stalls):
    """The same masters in the end, whoever stalls, samples back to back, over an epoch's end."""
    bench, comparison, run = Bench(dut, *stalls), Comparison(), Learner.begin(PLAN, SEED)
    await bench.open()
    await bench.start()
    feeding = cocotb.start_soon(bench.feed(FEW))
    for sample in range(FEW):
        seen = run.learn(X[run.index], int(LABELS[run.index]))
        await bench.expect(comparison, sample, seen)
    await feeding
    compare_state(comparison, FEW, run.state, await bench.save())
    compare_counts(comparison, FEW, run.counts, bench)
    comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def goes_on_from_a_saved_state(dut):
    """Saved between any two samples, spoiled, loaded: it goes on to the same bits."""
    bench, comparison, run = Bench(dut), Comparison(), Learner.begin(PLAN, SEED)
    await bench.open()
    await bench.start()
    for part in range(3):
        for sample in range(random.randrange(1, 1 + FEW // 2)):
            seen = run.learn(X[run.index], int(LABELS[run.index]))
            feeding = cocotb.start_soon(bench.feed(1))
            await bench.expect(comparison, sample, seen)
            await feeding
        saved = await bench.save()
        compare_state(comparison, part, run.state, saved)
        compare_counts(comparison, part, run.counts, bench)
        await bench.start(1 + random.randrange(65535))
        feeding = cocotb.start_soon(bench.feed(1))
        await bench.answer()
        await feeding
        await bench.load(saved)
        assert dut.has_network.value, "a load of the right length was refused"
        run.counts = Counts()
    compare_state(comparison, 3, run.state, await bench.save())
    comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def survives_reset_in_the_middle(dut):
    """A reset leaves a core without a network, whatever it was at; a load makes it whole.

    In a few cycles at random, or in each of the first ones.
    """
    bench, comparison, run = Bench(dut), Comparison(), Learner.begin(PLAN, SEED)
    await bench.open()
    await bench.start()
    cycles = [random.randrange(3 * CORE.cycles) for _ in range(4)]
    for cycle in range(RESETS) if RESETS else cycles:
        feeding = cocotb.start_soon(bench.feed(3))
        dut.m_axis_tready.value = 1
        for _ in range(cycle):
            await bench.clocked.edge
        feeding.cancel()
        dut.m_order_tready.value = 0
        await bench.clocked.reset(*(source.port for source in bench.sources.values()))
        assert not dut.has_network.value, "a network outlived the reset"
        await bench.answers.expect_silence(SETTLE_CYCLES)
        await bench.load(run.state)
        run.counts = Counts()
        seen = run.learn(X[run.index], int(LABELS[run.index]))
        feeding = cocotb.start_soon(bench.feed(1))
        await bench.expect(comparison, 0, seen)
        await feeding
        compare_state(comparison, 0, run.state, await bench.save())
        compare_counts(comparison, 0, run.counts, bench)
    comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def predicts_with_weights_written_at_run_time(dut):
    """Nothing is learned from samples that do not say so, nor from a label of no class; samples of
    the wrong length vanish."""
    bench, comparison, run = Bench(dut), Comparison(), Learner.begin(PLAN, SEED)
    await bench.open()
    await bench.load(run.state)
    axis = bench.sources["s_axis_t"]
    for turn in range(FEW // 2):
        none, index = turn % 3 == 2, turn % PLAN.samples
        wrong = bench.beats(0)[1:]
        if turn % 2:
            wrong = [*({**beat, "last": [0]} for beat in bench.beats(0)), *bench.beats(0)]
        beats = bench.beats(index, learn=none, label=PLAN.sizes[-1] if none else None)
        if len(wrong):
            beats = [*wrong, *beats]
        sending = cocotb.start_soon(axis.send(beats))
        await bench.expect(comparison, index, run.predict(X[index]))
        await sending
    compare_state(comparison, 0, run.state, await bench.save())
    compare_counts(comparison, 0, run.counts, bench)
    comparison.conclude()


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def keeps_every_bit_of_a_state(dut):
    """With the longest epoch there is, each word of a load may be any, and a save gives it back."""
    bench, state = Bench(dut), Learner.begin(PLAN, SEED).state
    await bench.open()
    samples = int(dut.samples.value)
    dut.samples.value = LONGEST
    for bits in (0, 0xFFFF, random.getrandbits(16)):
        masters = stream(PLAN, state).tolist()[:-TAIL]
        lfsr, word, index, epoch, position = 1 | bits, bits, bits ^ 0x5555, bits ^ 0x3333, bits
        tail = [lfsr, word, min(index, LONGEST - 1), epoch, position]
        await bench.load_words([*masters, *tail])
        assert dut.has_network.value, "a load of the right length was refused"
        got = await bench.save_words()
        assert got == [*masters, *tail], f"a save gives back {got[-TAIL:]}, loaded was {tail}"
    dut.samples.value = samples


@cocotb.test(timeout_time=LIMIT_NS, timeout_unit="ns")
async def refuses_a_load_of_the_wrong_length(dut):
    """It then has no network and takes no sample, until a whole load comes."""
    bench, comparison, run = Bench(dut), Comparison(), Learner.begin(PLAN, SEED)
    await bench.open()
    for cut, more in ((1, 0), (5, 0), (STREAM_WORDS - 1, 0), (0, 1), (0, 7)):
        await bench.load(run.state, cut=cut, more=more)
        assert not dut.has_network.value, f"a load {cut} words short, {more} long was taken"
        sending = cocotb.start_soon(bench.sources["s_axis_t"].send(bench.beats(0, learn=False)))
        await bench.answers.expect_silence(2 * CORE.answer_cycles)
        await sending
        await bench.load(run.state)
        assert dut.has_network.value, "a load of the right length was refused"
        await bench.expect(comparison, 0, run.predict(X[0]))
    comparison.conclude()
