"""valid/ready streams: what drives them, what takes from them, what they promise.

Everything is driven and sampled right after the rising edge of the clock: reads see the values
that the flip-flops saw, writes land after them. Reading an X raises; nothing resolves it.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer, Trigger
from cocotb.utils import get_sim_time

from model.words import Field
from tb.streams import PERIOD_NS, Beat, Words

Stall = Callable[[], Iterator[bool]]


def never() -> Iterator[bool]:
    """No stall: the pattern under which latency and throughput are what their formulas say."""
    while True:
        yield False


def randomly() -> Iterator[bool]:
    """Each cycle by itself, two of five."""
    while True:
        yield random.random() < 0.4


def in_bursts() -> Iterator[bool]:
    """Runs of up to 12 cycles each way: buffers fill up, and run dry."""
    while True:
        for stalled in (True, False):
            yield from [stalled] * random.randint(1, 12)


def high(handle: Any) -> bool:
    """A wire of one bit is 1; raises where it is X.

    Reads what the simulator says: cocotb's own value of a handle takes eight times as long.
    """
    bit = handle._handle.get_signal_val_binstr()
    return bit == "1" or (bit != "0" and bool(handle.value))


def word(handle: Any) -> int:
    """The bits of a bus as an unsigned integer, read as `high` reads; raises where one is X."""
    bits = handle._handle.get_signal_val_binstr()
    return int(bits, 2) if bits.strip("01") == "" else int(handle.value)


class Clocked:
    """The clock of a bench, or plain time for a DUT that is gates only."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.edge: Trigger = Timer(PERIOD_NS, unit="ns")
        if hasattr(dut, "clk"):
            self.edge = RisingEdge(dut.clk)

    async def start(self) -> None:
        """Start the clock with parked inputs and leave reset."""
        if hasattr(self.dut, "clk"):
            self.dut.clk.value = 0
            if hasattr(self.dut, "rst"):
                self.dut.rst.value = 1
            await Timer(PERIOD_NS, unit="ns")
            Clock(self.dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
        await self.reset()

    async def reset(self, *offering: "Port") -> None:
        """Hold reset for one cycle; a read after this sees what reset left.

        Inputs that are ``offering`` hold valid with random bits as long: nothing may take them.
        """
        if hasattr(self.dut, "rst"):
            self.dut.rst.value = 1
            for port in offering:
                port.drive_noise()
                port.valid.value = 1
        await self.edge
        if hasattr(self.dut, "rst"):
            self.dut.rst.value = 0
        for port in offering:
            port.valid.value = 0
        await self.edge

    @property
    def cycle(self) -> int:
        """Cycles since the simulation began."""
        return int(get_sim_time("ns")) // PERIOD_NS


class Port:
    """Handles of one stream: ``<prefix>valid``, ``<prefix>ready``, ``<prefix><field>``."""

    def __init__(self, dut: Any, prefix: str, fields: Iterable[Field]) -> None:
        self.name = prefix
        self.fields = {field.name: (field, dut[f"{prefix}{field.name}"]) for field in fields}
        self.valid = dut[f"{prefix}valid"]
        self.ready = dut[f"{prefix}ready"]

    @property
    def fires(self) -> bool:
        """A beat is handed over at this edge."""
        return high(self.valid) and high(self.ready)

    def drive(self, beat: Beat) -> None:
        """Put a beat on the payload."""
        for name, (field, handle) in self.fields.items():
            handle.value = field.pack(beat[name])

    def drive_noise(self) -> None:
        """Put random bits on the payload, which means nothing while nothing is offered."""
        for field, handle in self.fields.values():
            handle.value = random.getrandbits(field.width * field.lanes)

    def sample(self) -> Words:
        """The beat on the payload; raises where it holds an X."""
        return {name: word(handle) for name, (_, handle) in self.fields.items()}


class Source:
    """Offers beats; once offered, a beat stays until it is taken. Between them there is noise."""

    def __init__(self, clocked: Clocked, port: Port) -> None:
        self.clocked, self.port = clocked, port
        self.taken: list[int] = []
        port.valid.value = 0

    async def send(self, beats: Iterable[Beat], stall: Stall = never) -> None:
        """Hand over all beats; ``taken`` holds the cycle of each."""
        pattern = stall()
        for beat in beats:
            if next(pattern):
                self.port.drive_noise()
                await self.clocked.edge
                while next(pattern):
                    await self.clocked.edge
            self.port.drive(beat)
            self.port.valid.value = 1
            await self.clocked.edge
            while not self.port.fires:
                # Asleep until the DUT is ready: a slow DUT costs no more than a fast one.
                await RisingEdge(self.port.ready)
                await self.clocked.edge
            self.taken.append(self.clocked.cycle)
            self.port.valid.value = 0
        self.port.drive_noise()


class Sink:
    """Takes beats, and holds the stream to its promise: what is offered stays until it is taken."""

    def __init__(self, clocked: Clocked, port: Port) -> None:
        self.clocked, self.port = clocked, port
        self.taken: list[int] = []
        port.ready.value = 0

    async def receive(self, count: int, stall: Stall = never) -> AsyncIterator[Words]:
        """Take ``count`` beats and yield each; ``taken`` holds the cycle of each."""
        pattern = stall()
        received, held = 0, None
        while received < count:
            self.port.ready.value = not next(pattern)
            if stall is never and not high(self.port.valid):
                await RisingEdge(self.port.valid)
            await self.clocked.edge
            valid = high(self.port.valid)
            beat = self.port.sample() if valid else None
            if held is not None:
                assert valid, f"{self.port.name}: valid fell while stalled"
                assert beat == held, f"{self.port.name}: payload moved while stalled"
            held = beat
            if beat is not None and high(self.port.ready):
                received, held = received + 1, None
                self.taken.append(self.clocked.cycle)
                yield beat

    async def expect_silence(self, cycles: int) -> None:
        """The DUT must not invent beats once its input is exhausted."""
        self.port.ready.value = 1
        for _ in range(cycles):
            await self.clocked.edge
            assert not high(self.port.valid), f"{self.port.name}: a beat out of nowhere"


def reset_cycles(cycles: int, most: int, bounds: Sequence[int] | None) -> list[int]:
    """The cycles of a vector in which a reset comes: ``most`` of its ``cycles``, or all of them.

    Those are spread over it, and begin at random; ``bounds`` ask for each from the first to before
    the second one, as a campaign does that tries all.
    """
    if bounds is not None:
        return list(range(bounds[0], min(bounds[1], cycles)))
    step = -(-cycles // most)
    return list(range(random.randrange(step), cycles, step))
