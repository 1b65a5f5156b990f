"""Histograms of a network's tensors over the codes of their formats, and saturated values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from model.artifact import Network
from model.format import Format, Int

BINS = 64


@dataclass(frozen=True, eq=False)
class Range:
    """Codes of one tensor: their extremes, ``counts`` in up to 64 equal bins of the format.

    ``lowest`` and ``highest`` count the codes at the ends of the format: those that saturated, and
    those that happen to be there. ``used`` is the share of the format's codes that occur.
    """

    name: str
    fmt: Format
    least: int
    most: int
    count: int
    lowest: int
    highest: int
    used: float
    counts: Int

    @property
    def edges(self) -> Int:
        """Codes at which the bins begin, and the end of the last."""
        step = (1 << self.fmt.width) // len(self.counts)
        edges: Int = self.fmt.q_min + step * np.arange(len(self.counts) + 1)
        return edges


def measured(name: str, codes: Int, fmt: Format) -> Range:
    """The range of a tensor of any shape, at least one code."""
    bins = min(BINS, 1 << fmt.width)
    index = (codes.reshape(-1) - fmt.q_min) // ((1 << fmt.width) // bins)
    return Range(
        name=name,
        fmt=fmt,
        least=int(codes.min()),
        most=int(codes.max()),
        count=codes.size,
        lowest=int((codes == fmt.q_min).sum()),
        highest=int((codes == fmt.q_max).sum()),
        used=len(np.unique(codes)) / (1 << fmt.width),
        counts=np.bincount(index, minlength=bins).astype(np.int64),
    )


def ranges(network: Network, traced: Mapping[str, Int]) -> Iterator[Range]:
    """The input, then each layer's weights and outputs before their ReLU, along the data path.

    ``traced`` is a trace by `model.reference.trace`. Shared weights come once.
    """
    yield measured("input", traced["input"], network.spec.x)
    seen = set()
    for layer in network.spec.layers:
        if layer.weights not in seen:
            seen.add(layer.weights)
            yield measured(f"{layer.weights} weights", network.weights[layer.weights], layer.w)
        yield measured(f"{layer.name}.y", traced[f"{layer.name}.y"], layer.z)
