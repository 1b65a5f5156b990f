"""Modules that take new weights, each part as a function of its inputs, cycle by cycle."""

import random
import zlib
from pathlib import Path
from typing import Any

from model.images import read_image
from model.words import Field
from tb.modules.learning_parts import Part, Values

BYTE = 8


class LoadableRomPart(Part):
    """Two banks of words; bits that were never written may be anything, and so all of a word."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        width, self.depth = parameters["WIDTH"], parameters["DEPTH"]
        self.inputs = (
            *(Field("en"), Field("addr", max(1, (self.depth - 1).bit_length()))),
            Field("load", BYTE + 4),
        )
        self.outputs_of = (Field("data", width), Field("load_full"))
        self.loadable = bool(parameters["LOADABLE"])
        self.mask = (1 << width) - 1
        self.parts = -(-width // BYTE)
        image = read_image(Path(parameters["FILE"]), self.depth, width)
        self.words: list[list[int | None]] = [list(image), [None] * self.depth]
        self.known = [[(1 << self.parts) - 1] * self.depth, [0] * self.depth]
        self.taken: int | None = None if self.loadable else self.parts * self.depth
        self.data: int | None = None
        self.bank = 0

    def draw(self) -> Values:
        restart = self.taken is None or random.random() < 0.5 / (self.parts * self.depth)
        if random.random() < 0.1 / self.depth:
            self.bank ^= 1
        turn, write = random.random() < 0.95, self.taken is not None and random.random() < 0.8
        head = turn << 3 | self.bank << 2 | restart << 1 | write
        return {
            "en": random.random() < 0.8,
            "addr": random.randrange(self.depth),
            "load": head << BYTE | random.getrandbits(BYTE),
        }

    def outputs(self, values: Values) -> Values:
        found = {} if self.data is None else {"data": self.data}
        if self.taken is not None:
            found["load_full"] = self.taken == self.parts * self.depth
        return found

    def clock(self, values: Values) -> None:
        turn, bank, restart, write = (values["load"] >> BYTE + bit & 1 for bit in (3, 2, 1, 0))
        bank = bank if self.loadable else 0
        if values["en"]:
            at = values["addr"]
            whole = self.known[bank][at] == (1 << self.parts) - 1
            self.data = self.words[bank][at] if whole else None
        if not self.loadable:
            return
        if write and turn and self.taken != self.parts * self.depth:
            assert self.taken is not None
            self._put(1 - bank, self.taken, values["load"] & 0xFF)
            self.taken += 1
        if restart:
            self.taken = 0

    def _put(self, bank: int, number: int, byte: int) -> None:
        at, part = divmod(number, self.parts)
        before = self.words[bank][at] or 0
        cleared = before & ~(0xFF << BYTE * part)
        self.words[bank][at] = (cleared | byte << BYTE * part) & self.mask
        self.known[bank][at] |= 1 << part


class LoadPart(Part):
    """Frames with and without a fault on one side, beats and vectors on the other."""

    cycles = 10_000
    # More vectors than layers ever hold, once: then as many leave.
    crowd = 2100
    crowded_from = 4000
    # Bytes of the memories that it fills, as if there were some.
    size = 5

    inputs = (
        *(Field("rst"), Field("s_load_tvalid"), Field("s_load_tlast"), Field("s_load_tdata", BYTE)),
        *(Field("full"), Field("in_valid"), Field("out_ready")),
        *(Field("waits"), Field("enters"), Field("leaves")),
    )
    outputs_of = (
        *(Field("s_load_tready"), Field("done"), Field("refused"), Field("load", 11)),
        *(Field("in_ready"), Field("out_valid")),
    )

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        self.loadable = bool(parameters["LOADABLE"])
        self.started = False
        self.bank = self.inside = 0
        self.coming: list[int] = []
        self.offered = self.filling = self.emptying = False
        self.cycle = 0
        self._forget()

    def _forget(self) -> None:
        """Effect of a reset."""
        self.frame = b""
        self.byte: tuple[int, int] | None = None
        self.shown = 0
        self.complete = self.hold = self.done = self.refused = False
        self.inside = 0

    @property
    def full(self) -> bool:
        """The memories have what they need."""
        return len(self.frame) >= self.size

    @property
    def ends(self) -> bool:
        """The byte that was taken is the last of its frame."""
        return self.byte is not None and bool(self.byte[1])

    @property
    def ready(self) -> bool:
        """A byte is taken."""
        return not self.ends and not self.complete

    def next_frame(self) -> list[int]:
        """Bytes of a frame: often a good one, else of wrong length, CRC, or both."""
        short = random.choice([0, 1, self.size - 1])
        length = random.choice([*[self.size] * 5, short, *range(self.size + 1, self.size + 13)])
        data = random.randbytes(length)
        crc = zlib.crc32(data)
        if random.random() < 0.3:
            crc ^= 1 << random.randrange(32)
        frame = [*data, *crc.to_bytes(4, "little")]
        if random.random() < 0.1:
            del frame[random.randrange(1, len(frame)) :]
        return frame

    def draw(self) -> Values:
        self.offered = self.offered or random.random() < 0.8
        if not self.coming:
            self.coming = self.next_frame()
        busy = random.random() < 0.7
        waits = busy and random.random() < 0.5
        self.cycle += 1
        if self.cycle == self.crowded_from:
            self.filling = True
        changes = self.complete and self.hold and not waits and not self.inside
        rst = not self.started or random.random() < (0.2 if changes else 0.003)
        return {
            "rst": rst,
            "s_load_tvalid": self.offered,
            "s_load_tlast": len(self.coming) == 1,
            "s_load_tdata": self.coming[0],
            "full": self.full,
            "in_valid": random.random() < 0.6,
            "out_ready": random.random() < 0.6,
            "waits": waits,
            "enters": waits and self.inside < 20 and random.random() < 0.5,
            "leaves": self.inside > 0 and random.random() < 0.5,
        } | self._crowd()

    def _crowd(self) -> Values:
        """Inputs while vectors only enter, and then only leave."""
        if self.filling:
            self.filling = self.inside < self.crowd
            self.emptying = not self.filling
            return {"rst": 0, "waits": 1, "enters": 1, "leaves": 0}
        self.emptying = self.emptying and self.inside > 0
        return {"rst": 0, "enters": 0, "leaves": 1} if self.emptying else {}

    def outputs(self, values: Values) -> Values:
        if not self.loadable:
            passed = {"in_ready": values["out_ready"], "out_valid": values["in_valid"]}
            return {"s_load_tready": 0, "done": 0, "refused": 0, "load": 0} | passed
        if not self.started:
            return {}
        restart = self.ends or values["rst"]
        head = self.bank << 2 | restart << 1 | (self.byte is not None)
        return {
            "s_load_tready": self.ready,
            "done": self.done,
            "refused": self.refused,
            "load": head << BYTE | self.shown,
            "in_ready": values["out_ready"] and not self.hold,
            "out_valid": values["in_valid"] and not self.hold,
        }

    def clock(self, values: Values) -> None:
        taken = bool(values["s_load_tvalid"]) and self.ready and self.loadable
        if values["rst"]:
            self._forget()
            self.started, self.shown = True, values["s_load_tdata"]
            self.offered = False
            if random.random() < 0.5:
                self.coming = []
            return
        changes = self.complete and self.hold and not values["waits"] and not self.inside
        passes = not (values["in_valid"] and not self.hold) or bool(values["out_ready"])
        good = False
        if self.byte is not None:
            self.frame += bytes([self.byte[0]])
            data, crc = self.frame[: self.size], self.frame[self.size :]
            good = self.ends and crc == zlib.crc32(data).to_bytes(4, "little")
        self.refused, self.done = self.ends and not good, changes
        if self.ends:
            self.frame = b""
        self.hold = self.complete and not changes and passes
        self.complete = (self.complete or good) and not changes
        self.bank ^= changes
        self.inside += int(values["enters"]) - int(values["leaves"])
        self.byte = (values["s_load_tdata"], values["s_load_tlast"]) if taken else None
        self.shown = values["s_load_tdata"]
        if taken:
            self.offered = False
            self.coming.pop(0)


PARTS: dict[str, type[Part]] = {"mlp_load": LoadPart, "mlp_loadable_rom": LoadableRomPart}
