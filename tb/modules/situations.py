"""Situations of samples on their way through a core, and samples that bring much of it."""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from model import reference
from model.artifact import Network
from model.format import Int
from model.spec import NetworkSpec
from model.stage import PROBABILITY_ONE
from model.stages.softmax import DIVIDERS, SCORES, SoftmaxSpec

STALLS = ("never", "randomly", "in_bursts")
CANDIDATES = 4000
# Samples that the tests send which repeat the same run under many conditions.
FEW = 10


@dataclass(frozen=True)
class Situation:
    """Situations of one sample: the ends of the input range, and what happens on its way."""

    extreme: str
    saturation: str
    rounding: str
    relu: str
    winner: str
    tie: str
    certainty: str


SOFTMAXES = tuple(f"{score}-{divider}" for score in SCORES for divider in DIVIDERS)
RANKINGS = ("ranked", "argmax")

BINS = {
    "fold": ("serial", "folded", "unrolled"),
    "source": STALLS,
    "sink": STALLS,
    "output": (*SOFTMAXES, *RANKINGS, "logits", "sigmoid"),
    "extreme": ("all least", "all largest", "an end", "inside"),
    "saturation": ("none", "below", "above", "both"),
    "rounding": ("no tie", "tie up", "tie down", "both"),
    "relu": ("absent", "cuts none", "cuts some", "cuts all"),
    "winner": ("none", "first", "between", "last"),
    "tie": ("none", "alone", "tied"),
    "certainty": ("none", "all to one", "shared"),
}
# Outputs have a winner, a tie and a certainty, or none; a single sigmoid has the first of two
# classes or the last. The lowest of the tied wins: never the last one.
NO_WINNER = (
    (None, "last", "tied"),
    *((output, "none", None) for output in (*SOFTMAXES, *RANKINGS)),
    *((output, None, "none") for output in (*SOFTMAXES, *RANKINGS)),
    *(("logits", winner, None) for winner in ("first", "between", "last")),
    *((output, None, tie) for output in ("logits", "sigmoid") for tie in ("alone", "tied")),
    ("sigmoid", "between", None),
)
NO_CERTAINTY = (
    *((output, "none") for output in SOFTMAXES),
    *(
        (output, certainty)
        for output in (*RANKINGS, "logits", "sigmoid")
        for certainty in ("all to one", "shared")
    ),
)
CROSSES: dict[tuple[str, ...], tuple[tuple[str | None, ...], ...]] = {
    ("fold", "source", "sink"): (),
    ("fold", "saturation"): (),
    ("fold", "rounding"): (),
    ("sink", "extreme"): (),
    ("source", "saturation"): (),
    ("extreme", "saturation"): (),
    ("output", "winner", "tie"): NO_WINNER,
    ("output", "certainty"): NO_CERTAINTY,
}


def _labels(flags: list[NDArray[np.bool_]], names: tuple[str, ...]) -> list[str]:
    """For each sample the name at the number that its flags are, the first flag lowest."""
    index = sum(flag.astype(int) << place for place, flag in enumerate(flags))
    return [names[i] for i in np.asarray(index)]


def situations(network: Network, x: Int) -> list[Situation]:
    """The situation of each sample of codes ``x [samples, n_in]``."""
    spec, values = network.spec, reference.trace(network, x)
    nowhere = np.zeros(len(x), dtype=bool)
    low, high, up, down, cut, kept = (nowhere.copy() for _ in range(6))
    for layer in spec.layers:
        acc, y = values[f"{layer.name}.acc"], values[f"{layer.name}.y"]
        floor, dropped = acc >> layer.shift, acc & ((1 << layer.shift) - 1)
        tied = (2 * dropped == 1 << layer.shift) & (layer.shift > 0)
        low |= (floor < layer.z.q_min).any(axis=1)
        high |= (floor > layer.z.q_max).any(axis=1)
        up |= (tied & (floor & 1 == 1)).any(axis=1)
        down |= (tied & (floor & 1 == 0)).any(axis=1)
        if layer.relu:
            cut |= (y < 0).any(axis=1)
            kept |= (y >= 0).any(axis=1)
    least, most = x == spec.x.q_min, x == spec.x.q_max
    ends = (least | most).any(axis=1)
    extreme = np.where(least.all(axis=1), 0, np.where(most.all(axis=1), 1, np.where(ends, 2, 3)))
    output = spec.output
    classes = values.get(f"{output.name}.class", nowhere.astype(int))
    winner = np.where(classes == 0, 1, np.where(classes == output.classes - 1, 3, 2))
    winner *= bool(output.classes)
    tied_scores = certain = nowhere.astype(int)
    if output.kind != "sigmoid" and output.classes:
        scores = values.get("softmax.scores", values[spec.logits_key])
        tied_scores = 1 + ((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1)
    if output.kind == "softmax":
        certain = 2 - (values["softmax.probabilities"].max(axis=1) == PROBABILITY_ONE)
    has_relu = np.full(len(x), any(layer.relu for layer in spec.layers))
    relu = np.where(has_relu, cut.astype(int) + (cut & ~kept) + 1, 0)
    columns = (
        [BINS["extreme"][i] for i in extreme],
        _labels([low, high], BINS["saturation"]),
        _labels([up, down], BINS["rounding"]),
        [BINS["relu"][i] for i in relu],
        [BINS["winner"][i] for i in winner],
        [BINS["tie"][i] for i in tied_scores],
        [BINS["certainty"][i] for i in certain],
    )
    return [Situation(*row) for row in zip(*columns, strict=True)]


def candidates(network: Network, rng: np.random.Generator) -> Int:
    """Random codes, the ends of the range among them, and samples that are one end all over."""
    x, n_in = network.spec.x, network.spec.n_in
    uniform = rng.integers(x.q_min, x.q_max + 1, (CANDIDATES, n_in))
    inner = rng.integers(x.q_min + 1, x.q_max, (CANDIDATES, n_in))
    near = np.clip(rng.integers(-2, 3, (CANDIDATES, n_in)), x.q_min, x.q_max)
    ends = rng.choice(np.array([x.q_min, x.q_max]), (CANDIDATES, n_in))
    corners = np.array([[x.q_min] * n_in, [x.q_max] * n_in])
    return np.concatenate([corners, uniform, inner, near, ends])


def directed(network: Network, count: int, seed: int = 1) -> Int:
    """``[count, n_in]`` codes, those first that together bring the most bins of situations."""
    rng = np.random.default_rng(seed)
    x = candidates(network, rng)
    first: dict[Situation, int] = {}
    for index, situation in enumerate(situations(network, x)):
        first.setdefault(situation, index)
    chosen: list[int] = []
    missing = {(place, value) for found in first for place, value in enumerate(astuple(found))}
    while missing and len(chosen) < count:
        best = max(first, key=lambda found: len(missing & {*enumerate(astuple(found))}))
        missing -= {*enumerate(astuple(best))}
        chosen.append(first.pop(best))
    chosen += list(first.values())[: max(0, (count - len(chosen)) // 2)]
    rest = rng.integers(0, len(x), count - len(chosen))
    drawn: Int = x[np.concatenate([np.array(chosen, dtype=np.int64), rest])]
    return drawn


def output_of(spec: NetworkSpec) -> str:
    """The output of a network as `BINS` has it."""
    output = spec.output
    if isinstance(output, SoftmaxSpec):
        return f"{output.score}-{output.divider}"
    return "ranked" if output.kind == "logits" and output.classes else output.kind


def fold_of(spec: NetworkSpec) -> str:
    """The end of the range of folds at which a network stands, or between them."""
    if all(layer.products == 1 for layer in spec.layers):
        return "serial"
    unrolled = all(layer.products == layer.n_in * layer.n_out for layer in spec.layers)
    return "unrolled" if unrolled else "folded"
