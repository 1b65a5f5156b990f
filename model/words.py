"""Words of buses and ROMs: lanes of a few bits side by side."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.format import Int


def pack_lanes(lanes: Iterable[int], width: int) -> int:
    """One word of two's complement lanes, lane k at bit ``k * width``.

    >>> hex(pack_lanes([1, -1], 8))
    '0xff01'
    """
    mask = (1 << width) - 1
    return sum((int(lane) & mask) << (index * width) for index, lane in enumerate(lanes))


def unpack_lanes(word: int, width: int, count: int, *, signed: bool = True) -> list[int]:
    """The lanes of a word; the inverse of `pack_lanes`.

    >>> unpack_lanes(0xff01, 8, 2), unpack_lanes(0xff01, 8, 2, signed=False)
    ([1, -1], [1, 255])
    """
    half, mask = (1 << (width - 1)) if signed else 0, (1 << width) - 1
    return [(((word >> (k * width)) & mask) ^ half) - half for k in range(count)]


def pack_rows(values: Int, width: int) -> NDArray[np.uint8]:
    """Each row of ``values [rows, lanes]`` as the bytes of a word, the lowest first.

    >>> pack_rows(np.array([[1, -1]]), 6).tolist()
    [[193, 15]]
    """
    bits = (values[:, :, None] >> np.arange(width)) & 1
    flat = bits.reshape(len(values), -1).astype(np.uint8)
    return np.packbits(flat, axis=1, bitorder="little")


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
