"""Golden vectors of a core: beats that its bench sends, and those that must come back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import reference
from model.artifact import Network
from model.format import Int
from model.trimming import Box, box_of
from model.words import pack_lanes
from syn.package.answers import tdata_width, user_width

# Samples of the dataset that a bench sends: of more, as many at equal distances.
MOST_SAMPLES = 150
# Random codes that it sends besides: real samples alone do not notice some wrong weights.
RANDOM_SAMPLES = 64

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """Real features ``[samples, n_in]``, their codes, and the reference's answers.

    Classes are 0 where the output has none; results are ``[samples, n_out]``.
    """

    features: Real
    codes: Int
    classes: Int
    results: Int


@dataclass(frozen=True)
class Vectors:
    """Words of ``tlast, tdata`` to send, and of ``tlast, tuser, tdata`` to expect.

    The first ``steady`` samples are sent back to back; incomplete frames come behind them.
    """

    sent: list[int]
    expected: list[int]
    results: int
    steady: int


def samples(network: Network, features: Real) -> Samples:
    """At most `MOST_SAMPLES` of ``features [samples, n_in]``, with what the reference says.

    Raises `FeatureError` where a feature is not finite or a sample has not ``n_in`` of them.
    """
    known = reference.as_features(features, network.spec.n_in)
    count = min(len(known), MOST_SAMPLES)
    chosen = known[np.arange(count) * len(known) // max(count, 1)]
    codes = reference.encode(network, chosen)
    return Samples(chosen, codes, *_answers(network, codes))


def _answers(network: Network, codes: Int) -> tuple[Int, Int]:
    return reference.result(network, reference.trace(network, codes))


def frame(network: Network, codes: Int) -> list[int]:
    """Words ``tlast, tdata`` of one sample's codes, or of any number of whole beats."""
    spec = network.spec
    width = spec.x.byte_width
    beats = codes.reshape(-1, spec.in_lanes)
    words = [pack_lanes(beat, width) for beat in beats]
    return [*words[:-1], words[-1] | 1 << (spec.in_lanes * width)]


def answer(network: Network, winner: int, values: Int, *, outside: bool = False) -> list[int]:
    """Words ``tlast, tuser, tdata`` of one result; ``outside`` is the flag of a trimmed network."""
    spec, width = network.spec, tdata_width(network.spec)
    user = int(winner) | int(outside) << spec.tuser.width
    beats = values.reshape(-1, spec.out_lanes)
    words = [spec.tdata.pack(beat.tolist()) | user << width for beat in beats]
    return [*words[:-1], words[-1] | 1 << (width + user_width(network))]


def beyond(box: Box, network: Network) -> Int:
    """Codes one beyond each end of each range that ends before the format does."""
    fmt, middle = network.spec.x, (box.low + box.high) // 2
    found = []
    for index, (low, high) in enumerate(zip(box.low, box.high, strict=True)):
        for code in (low - 1, high + 1):
            if fmt.q_min <= code <= fmt.q_max:
                found.append(middle.copy())
                found[-1][index] = code
    return np.array(found, np.int64).reshape(-1, network.spec.n_in)


def vectors(network: Network, found: Samples) -> Vectors:
    """The samples, random ones, the least and the largest codes, and samples round broken frames.

    A frame that ends too early and one that ends too late must leave no answer. Of a trimmed
    network the corners of its box are among them, and what is one code beyond.
    """
    spec = network.spec
    ends = np.array([[spec.x.q_min] * spec.n_in, [spec.x.q_max] * spec.n_in], dtype=np.int64)
    shape = (RANDOM_SAMPLES, spec.n_in)
    drawn = np.random.default_rng(1).integers(spec.x.q_min, spec.x.q_max + 1, shape)
    box = box_of(network)
    codes = np.concatenate([found.codes, drawn, ends])
    if box is not None:
        codes = np.concatenate([codes, box.low[None], box.high[None], beyond(box, network)])
    first, last = codes[0], codes[-1]
    late = np.concatenate([last, first[: spec.in_lanes]])
    early = first[: -spec.in_lanes]
    frames, good = [*codes, first], [*codes, first]
    for broken, whole in ((late, last), (early, first)):
        if broken.size:
            frames += [broken, whole]
            good.append(whole)
    sent = np.array(good)
    outside = np.zeros(len(sent), bool) if box is None else ~box.holds(sent)
    results = zip(*_answers(network, sent), outside.tolist(), strict=True)
    return Vectors(
        sent=[word for part in frames for word in frame(network, part)],
        expected=[
            word
            for winner, values, flag in results
            for word in answer(network, winner, values, outside=flag)
        ],
        results=len(good),
        steady=len(codes) + 1,
    )
