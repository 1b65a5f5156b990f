"""Neurons that are constant for every input of a box, and the network without them.

Such a neuron adds the same to each sum behind it, so it becomes part of their biases. For every
input of the box the trimmed network is the whole one, value for value; outside of it, it may not
be.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from common.errors import VerbatimError
from model import folding, reference
from model.artifact import ArtifactError, Network
from model.backends import Backend
from model.bounds import accumulator_width, output_interval
from model.folding import Goal
from model.format import Format, Int
from model.spec import NetworkSpec

# Key of a network's provenance.
KEY = "trimmed"
# Boxes into which one is cut, at most, before a neuron is left as it is.
MOST_BOXES = 1 << 20
# Products that all of these take, at most.
MOST_PRODUCTS = 1 << 33
# Boxes that are looked at together.
BOXES = 1 << 13
# Random inputs that rule out most neurons first, and all corners of a box that has no more.
DRAWN, MOST_CORNERS = 4096, 4096
# Neurons more than stay that a layer is tried with: a number with more divisors folds better.
MORE = 64

# Output of each constant neuron, by index, by name of its layer.
Constants = Mapping[str, Mapping[int, int]]


class TrimmingError(VerbatimError):
    """A network that cannot be trimmed: the message says why."""


@dataclass(frozen=True)
class Box:
    """Inputs of which each feature's code is from ``low`` to ``high``, inclusive, ``[n_in]``."""

    low: Int
    high: Int

    @classmethod
    def around(cls, codes: Int, fmt: Format, margin: int = 0) -> Self:
        """The least box of codes ``[samples, n_in]``, wider by ``margin`` codes on each side.

        It ends where the format does.

        >>> box = Box.around(np.array([[3, -8], [5, 0]]), Format(4, 0), margin=1)
        >>> box.low.tolist(), box.high.tolist()
        ([2, -8], [6, 1])
        """
        low, high = codes.min(axis=0) - margin, codes.max(axis=0) + margin
        return cls(np.maximum(low, fmt.q_min), np.minimum(high, fmt.q_max))

    @property
    def plain(self) -> dict[str, list[int]]:
        """Both ends as a JSON value."""
        return {"low": self.low.tolist(), "high": self.high.tolist()}

    @property
    def inputs(self) -> int:
        """Number of them."""
        sides = self.high - self.low + 1
        return int(np.prod([int(side) for side in sides], dtype=object))

    def draw(self, count: int, seed: int = 1) -> Int:
        """Random inputs ``[count, n_in]``."""
        size = (count, len(self.low))
        return np.random.default_rng(seed).integers(self.low, self.high + 1, size)

    def corners(self) -> Int:
        """All corners ``[corners, n_in]``, or none where there are more than `MOST_CORNERS`."""
        if 2 ** len(self.low) > MOST_CORNERS:
            return np.empty((0, len(self.low)), np.int64)
        return np.array(list(itertools.product(*zip(self.low, self.high, strict=True))))

    def holds(self, codes: Int) -> Any:
        """Tell of each of ``codes [samples, n_in]`` if it is in the box."""
        return ((self.low <= codes) & (codes <= self.high)).all(axis=1)


def bounds(network: Network, low: Int, high: Int) -> list[tuple[Int, Int]]:
    """Least and largest outputs of each layer, by interval arithmetic: pairs ``[boxes, n_out]``.

    ``low`` and ``high`` are ``[boxes, n_in]``.
    """
    found = []
    for layer in network.spec.layers:
        weights, biases = network.weights[layer.weights], network.biases[layer.name]
        up, down = np.maximum(weights, 0), np.minimum(weights, 0)
        sums = (
            reference.linear(low, up, biases) + high @ down.T,
            reference.linear(high, up, biases) + low @ down.T,
        )
        low, high = (reference.requantize(s, shift=layer.shift, width=layer.z.width) for s in sums)
        if layer.activation:
            low, high = _through(layer.activation.table(layer.y), low, high)
        elif layer.relu:
            low, high = reference.relu(low), reference.relu(high)
        found.append((low, high))
    return found


def _through(table: Int, low: Int, high: Int) -> tuple[Int, Int]:
    """Least and largest entry of a table, in two's complement, from address ``low`` to ``high``."""
    ordered = np.roll(table, len(table) // 2)
    pairs = np.stack([low, high], axis=-1).reshape(-1, 2) + len(table) // 2
    kinds, index = np.unique(pairs, axis=0, return_inverse=True)
    slices = [ordered[a : b + 1] for a, b in kinds]
    least = np.array([entries.min() for entries in slices])[index].reshape(low.shape)
    return least, np.array([entries.max() for entries in slices])[index].reshape(low.shape)


def constants(network: Network, box: Box, most: int = MOST_BOXES) -> Constants:
    """Neurons of hidden layers that have one output for every input of the box.

    Inputs at random rule out most of them. The box is then cut until interval arithmetic gives each
    that is left its one output in every piece; one that has none after ``most`` pieces, or
    `MOST_PRODUCTS`, is left out.
    """
    most = min(most, MOST_PRODUCTS // multiplications(network))
    hidden = network.spec.layers[:-1]
    tried = np.concatenate([box.draw(DRAWN), box.corners()])
    traced = reference.trace(network, tried)
    value = [traced[layer.key][0] for layer in hidden]
    open_ = [
        (traced[layer.key] == one).all(axis=0) for layer, one in zip(hidden, value, strict=True)
    ]
    reach = np.abs(network.weights[network.spec.layers[0].weights]).sum(axis=0)
    pending, made = [(box.low[None], box.high[None])], 1
    while pending:
        low, high = pending.pop()
        varies = [
            (least != one) | (largest != one)
            for one, (least, largest) in zip(value, bounds(network, low, high)[:-1], strict=True)
        ]
        if made > most:
            for left, moved in zip(open_, varies, strict=True):
                left &= ~moved.any(axis=0)
            continue
        cut = np.zeros(len(low), bool)
        for left, moved in zip(open_, varies, strict=True):
            cut |= (left & moved).any(axis=1)
        made += 2 * int(cut.sum())
        low, high = _halved(low[cut], high[cut], reach)
        starts = range(0, len(low), BOXES)
        pending += [(low[at : at + BOXES], high[at : at + BOXES]) for at in starts]
    return {
        layer.name: {int(k): int(one[k]) for k in np.flatnonzero(left)}
        for layer, one, left in zip(hidden, value, open_, strict=True)
    }


def _halved(low: Int, high: Int, reach: Int) -> tuple[Int, Int]:
    """Both halves of each box, cut across the feature whose span moves the first sums most."""
    widest = ((high - low) * np.maximum(reach, 1)).argmax(axis=1)
    rows = np.arange(len(low))
    middle = (low[rows, widest] + high[rows, widest]) // 2
    below, above = high.copy(), low.copy()
    below[rows, widest], above[rows, widest] = middle, middle + 1
    return np.concatenate([low, above]), np.concatenate([below, high])


def trimmed(network: Network, box: Box, constant: Constants) -> Network:
    """The network without its constant neurons, and without those that nothing reads.

    Where a layer of a few more neurons folds into fewer registers and LUTs, it has neurons without
    weights. Streams are those of before, and it takes no more cycles a sample. Raises
    `TrimmingError` where weights can be replaced: the neurons are constant with these alone.
    """
    if network.spec.loadable:
        raise TrimmingError(
            f"network {network.spec.name}: must not be loadable to be trimmed: other weights have "
            "other constant neurons"
        )
    kept = _kept(network, constant)
    layers, weights, biases = [], {}, {}
    names: dict[tuple[object, ...], str] = {}
    taken, added = np.arange(network.spec.n_in), 0
    gone: Mapping[int, int] = {}
    interval = network.spec.x.q_min, network.spec.x.q_max
    for layer, out, more in zip(
        network.spec.layers, kept, _padding(network.spec, kept), strict=True
    ):
        matrix = network.weights[layer.weights][out]
        bias = network.biases[layer.name][out] + sum(
            matrix[:, index] * value for index, value in gone.items()
        )
        # Layers that share a matrix share what is left of it, where that is the same.
        key = (layer.weights, tuple(taken), added, tuple(out), more)
        name = names.setdefault(key, layer.name)
        matrix = np.pad(matrix[:, taken], ((0, more), (0, added)))
        bias = np.pad(bias, (0, more))
        needed = accumulator_width(matrix, bias, interval)
        layers.append(
            dataclasses.replace(
                layer,
                weights=name,
                n_in=len(taken) + added,
                n_out=len(out) + more,
                acc_w=max(needed, layer.min_acc_w),
                simd=1,
                pe=1,
                plan=None,
            )
        )
        weights[name], biases[layer.name] = matrix, bias
        taken, added, interval = out, more, output_interval(layer)
        gone = {k: v for k, v in constant.get(layer.name, {}).items() if k not in set(out)}
    spec = _folded(network.spec.with_layers(layers), network.spec.interval)
    record = {**box.plain, "neurons": _removed(network, kept)}
    return dataclasses.replace(
        network,
        spec=spec,
        weights=weights,
        biases=biases,
        provenance={**network.provenance, KEY: record},
    )


def multiplications(network: Network, constant: Constants | None = None) -> int:
    """Products of a sample: of all neurons, or of those that are not constant and are read."""
    layers = network.spec.layers
    left = [layer.n_out for layer in layers]
    if constant is not None:
        left = [len(out) for out in _kept(network, constant)]
    return sum(a * b for a, b in itertools.pairwise([network.spec.n_in, *left]))


def _folded(spec: NetworkSpec, cycles: int) -> NetworkSpec:
    """The spec at the folds with the fewest multipliers in so many cycles a sample."""
    folds = folding.solve(spec.layers, Goal(target_cycles=cycles))
    return spec.folded({name: (fold.simd, fold.pe) for name, fold in folds.items()})


def _padding(spec: NetworkSpec, kept: Sequence[Int]) -> list[int]:
    """Neurons to add to each layer, one layer after the other, for the least estimated area.

    They have no weights, and nothing reads them.
    """
    sizes = [len(out) for out in kept]
    for index, layer in enumerate(spec.layers[:-1]):
        least = sizes[index]
        tried = range(least, min(layer.n_out, least + MORE) + 1)
        sizes[index] = min(
            tried, key=lambda n: _area(spec, [*sizes[:index], n, *sizes[index + 1 :]])
        )
    return [size - len(out) for size, out in zip(sizes, kept, strict=True)]


def _area(spec: NetworkSpec, sizes: Sequence[int]) -> int:
    """Estimated LUTs and flip-flops of a network of these sizes."""
    layers = [
        dataclasses.replace(
            layer, weights=layer.name, n_in=n_in, n_out=n_out, simd=1, pe=1, plan=None
        )
        for layer, (n_in, n_out) in zip(
            spec.layers, itertools.pairwise([spec.n_in, *sizes]), strict=True
        )
    ]
    area = _folded(spec.with_layers(layers), spec.interval).area
    return area.luts + area.flip_flops


def _kept(network: Network, constant: Constants) -> list[Int]:
    """Indices of the neurons that stay, by layer: those that vary, and are read; one at least."""
    layers = network.spec.layers
    found = [np.arange(layers[-1].n_out)]
    for layer, after in zip(layers[-2::-1], layers[:0:-1], strict=True):
        read = (network.weights[after.weights][found[0]] != 0).any(axis=0)
        known = constant.get(layer.name, {})
        out = np.array([k for k in np.flatnonzero(read) if k not in known], np.int64)
        found.insert(0, out if len(out) else np.zeros(1, np.int64))
    return found


def _removed(network: Network, kept: Sequence[Int]) -> dict[str, list[int]]:
    """Indices of the neurons that went, by name of their layer."""
    return {
        layer.name: sorted(set(range(layer.n_out)) - set(out.tolist()))
        for layer, out in zip(network.spec.layers[:-1], kept[:-1], strict=True)
    }


def box_of(network: Network) -> Box | None:
    """The box in which a trimmed network is the whole one, None for one that is not trimmed.

    Raises `ArtifactError` where the file says so, and has no box for its features.
    """
    record = network.provenance.get(KEY)
    if record is None:
        return None
    ends = [record.get(key) if isinstance(record, Mapping) else None for key in ("low", "high")]
    fmt = network.spec.x
    for end in ends:
        if not (
            isinstance(end, list)
            and len(end) == network.spec.n_in
            and all(type(code) is int and fmt.q_min <= code <= fmt.q_max for code in end)
        ):
            raise ArtifactError(
                f"provenance: {KEY} must have low and high, each {network.spec.n_in} codes of "
                f"{fmt}, got {record!r}"
            )
    low, high = (np.array(end, np.int64) for end in ends)
    if (low > high).any():
        raise ArtifactError(f"provenance: {KEY} must have no low above its high, got {record!r}")
    return Box(low, high)


def in_units(network: Network, box: Box) -> list[tuple[float, float]]:
    """Least and largest value of each feature in the box, in the feature's own unit."""
    ends = [end * network.spec.x.lsb for end in (box.low, box.high)]
    if network.scaling is not None:
        scale, offset = np.array(network.scaling.scale), np.array(network.scaling.offset)
        ends = [end * scale + offset for end in ends]
    return list(zip(*(end.tolist() for end in ends), strict=True))


def by_reference(network: Network, codes: Int) -> tuple[Int, Int]:
    """Classes and results of the integer reference, as a backend gives them."""
    return reference.result(network, reference.trace(network, codes))


def compare(
    whole: Network,
    smaller: Network,
    codes: Int,
    run: Backend = by_reference,
    piece: int = reference.PIECE,
) -> int:
    """Compare results, classes included, on ``codes [samples, n_in]``; return how many values.

    ``run`` gives them, for ``piece`` samples at a time. Raises `TrimmingError` at the first sample
    of which they differ.
    """
    compared = 0
    for start in range(0, len(codes), piece):
        part = codes[start : start + piece]
        ends = [np.column_stack(run(network, part)) for network in (whole, smaller)]
        wrong = np.flatnonzero((ends[0] != ends[1]).any(axis=1))
        for row in wrong[:1]:
            raise TrimmingError(
                f"network {whole.spec.name}: codes {part[row].tolist()} must give class and values "
                f"{ends[0][row].tolist()} when trimmed, got {ends[1][row].tolist()}"
            )
        compared += ends[0].size
    return compared
