"""Loads of new weights over ``s_load``, and what becomes of them."""

from collections.abc import Iterable
from typing import Any

from cocotb.triggers import RisingEdge

from model.words import Field
from tb.benches.drivers import Clocked, Port, Source, Stall, never
from tb.streams import LAST, Beat

BYTE = Field("data", 8)


def beats(frame: Iterable[int]) -> list[Beat]:
    """A byte a beat, the last one marked."""
    content = list(frame)
    return [{"data": [byte], "last": [n == len(content) - 1]} for n, byte in enumerate(content)]


class Loader:
    """Sends frames, and notes the cycle of each pulse of both outcomes."""

    def __init__(self, dut: Any, clocked: Clocked) -> None:
        self.dut, self.clocked = dut, clocked
        self.source = Source(clocked, Port(dut, "s_load_t", [BYTE, LAST]))

    async def send(self, frame: Iterable[int], stall: Stall = never) -> None:
        """Hand a frame over, whole or not, right or wrong."""
        await self.source.send(beats(frame), stall)

    async def outcome(self) -> bool:
        """Wait for a pulse; tell if the load was done, and check that it is a single cycle."""
        done, refused = self.dut.load_done, self.dut.load_refused
        while not done.value and not refused.value:
            await self.clocked.edge
        found = bool(done.value)
        assert found != bool(refused.value), "load_done and load_refused at once"
        await self.clocked.edge
        assert not done.value and not refused.value, "the outcome of a load lasts two cycles"
        return found


async def load(dut: Any, clocked: Clocked, frame: bytes) -> None:
    """Load a frame, and wait until it answers."""
    loader = Loader(dut, clocked)
    await loader.send(frame)
    await RisingEdge(dut.load_done)
    await clocked.edge
