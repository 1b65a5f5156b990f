"""Golden vectors of a core: beats that its bench sends, and those that must come back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import reference
from model.artifact import Network
from model.format import Int
from model.words import pack_lanes
from syn.package.answers import tdata_width

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


def answer(network: Network, winner: int, values: Int) -> list[int]:
    """Words ``tlast, tuser, tdata`` of one result."""
    spec, width = network.spec, tdata_width(network.spec)
    beats = values.reshape(-1, spec.out_lanes)
    words = [spec.tdata.pack(beat.tolist()) | int(winner) << width for beat in beats]
    return [*words[:-1], words[-1] | 1 << (width + spec.tuser.width)]


def vectors(network: Network, found: Samples) -> Vectors:
    """The samples, random ones, the least and the largest codes, and samples round broken frames.

    A frame that ends too early and one that ends too late must leave no answer.
    """
    spec = network.spec
    ends = np.array([[spec.x.q_min] * spec.n_in, [spec.x.q_max] * spec.n_in], dtype=np.int64)
    shape = (RANDOM_SAMPLES, spec.n_in)
    drawn = np.random.default_rng(1).integers(spec.x.q_min, spec.x.q_max + 1, shape)
    codes = np.concatenate([found.codes, drawn, ends])
    first, last = codes[0], codes[-1]
    late = np.concatenate([last, first[: spec.in_lanes]])
    early = first[: -spec.in_lanes]
    frames, good = [*codes, first], [*codes, first]
    for broken, whole in ((late, last), (early, first)):
        if broken.size:
            frames += [broken, whole]
            good.append(whole)
    results = zip(*_answers(network, np.array(good)), strict=True)
    return Vectors(
        sent=[word for part in frames for word in frame(network, part)],
        expected=[word for result in results for word in answer(network, *result)],
        results=len(good),
        steady=len(codes) + 1,
    )
