"""What a stream carries: fields, beats, words."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.format import Int
from model.images import pack_rows, unpack_lanes

PERIOD_NS = 10
Beat = dict[str, Sequence[int]]  # values of each lane, by field
Words = dict[str, int]  # the bus, by field


@dataclass(frozen=True)
class Field:
    """One payload of a stream: ``lanes`` values of ``width`` bits, lane k at bit ``k * width``."""

    name: str
    width: int = 1
    lanes: int = 1
    signed: bool = False

    @property
    def ends(self) -> tuple[int, int]:
        """Least and largest value of a lane."""
        least = -(1 << (self.width - 1)) if self.signed else 0
        return least, least + (1 << self.width) - 1

    def draw(self) -> int:
        """A random value of a lane."""
        return random.randint(*self.ends)

    def pack(self, values: Sequence[int]) -> int:
        """The bus that carries these values; raises ValueError where one does not fit."""
        return self.pack_all(np.array([values]))[0]

    def pack_all(self, values: Int) -> list[int]:
        """The buses that carry the rows of ``values [beats, lanes]``, all at once."""
        low, high = self.ends
        if values.shape[1:] != (self.lanes,) or values.min() < low or values.max() > high:
            raise ValueError(
                f"{self.name}: {values.tolist()} are no {self.lanes} x {self.width} bits"
            )
        packed = pack_rows(values, self.width)
        return [int.from_bytes(row.tobytes(), "little") for row in packed]

    def unpack(self, word: int) -> list[int]:
        """The values on a bus."""
        return unpack_lanes(word, self.width, self.lanes, signed=self.signed)


LAST = Field("last")
