"""Both ends of a board's serial line, at the pace of its own parameters."""

import cocotb
from cocotb.triggers import FallingEdge, Timer

from boards.protocol import END
from tb.benches.drivers import Clocked
from tb.benches.elaboration import check_elaboration
from tb.job import Job
from tb.streams import PERIOD_NS

BYTE_BITS = 10


class SerialLine:
    """Both ends of the serial line.

    A byte from the board that lacks its start or stop bit is an error where ``strict``, else it is
    not heard. After ``patience`` bits, a board that is silent stays silent.
    """

    def __init__(self, dut, job: Job, patience: int, *, strict: bool = True) -> None:
        check_elaboration(dut, job)
        self.bit_ps = 1000 * PERIOD_NS * int(job.parameters["CYCLES"])
        self.patience, self.strict = patience, strict
        self.dut = dut
        dut.rx.value = 1
        self.clocked = Clocked(dut)
        self.forget()

    def forget(self) -> None:
        """Drop what was heard, half frames too."""
        self.frames: list[bytes] = []
        self.frame = bytearray()

    async def start(self) -> None:
        """Reset the board and listen to what it says."""
        await self.clocked.start()
        cocotb.start_soon(self._listen())

    async def send(self, line: bytes, rate: float = 1.0, broken: int = -1) -> None:
        """Bytes as levels, at ``rate`` times the board's own speed; one may lack its stop bit."""
        for index, byte in enumerate(line):
            stop = (0, 1) if index == broken else (1,)
            for level in (0, *((byte >> k) & 1 for k in range(8)), *stop):
                self.dut.rx.value = level
                await Timer(round(self.bit_ps / rate), unit="ps")

    async def answer(self) -> bytes:
        """The next frame; raises AssertionError where none comes."""
        for _ in range(self.patience):
            if self.frames:
                return self.frames.pop(0)
            await Timer(self.bit_ps, unit="ps")
        raise AssertionError("the board does not answer")

    async def silence(self) -> None:
        """Nothing comes, as long as anything could."""
        await Timer(self.patience * self.bit_ps, unit="ps")
        assert not self.frames, f"a frame out of nowhere: {self.frames[0].hex()}"

    async def _listen(self) -> None:
        while True:
            await FallingEdge(self.dut.tx)
            await Timer(self.bit_ps // 2, unit="ps")
            bits = []
            for _ in range(BYTE_BITS):
                bits.append(int(self.dut.tx.value))
                await Timer(self.bit_ps if len(bits) < BYTE_BITS else 1, unit="ps")
            whole = (bits[0], bits[-1]) == (0, 1)
            assert whole or not self.strict, "a byte without its start or stop bit"
            if not whole:
                continue
            byte = sum(bit << k for k, bit in enumerate(bits[1:-1]))
            if byte != END:
                self.frame.append(byte)
            elif self.frame:
                self.frames.append(bytes(self.frame))
                self.frame.clear()
