"""Contents of a stream: fields, beats, words."""

from collections.abc import Sequence

from model.words import Field as Field

PERIOD_NS = 10
Beat = dict[str, Sequence[int]]  # values of each lane, by field
Words = dict[str, int]  # the bus, by field


LAST = Field("last")
