"""The two pictures of a report: what was confused with what, and how far the softmax is off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model import reference
from model.artifact import Network
from model.data import datasets
from model.stage import PROBABILITY_ONE
from model.stages.softmax import SoftmaxSpec

# Random logit vectors of a picture, and the most values that they may have in all.
SAMPLES, MOST_VALUES, SEED = 200_000, 2_000_000, 1
# Beyond it the curves are flat.
WIDEST_LOGIT = 16
# Plots side by side on a wide screen, and on a narrow one.
WIDE, NARROW = 3, 1
BLUE, ORANGE, GRAY = "#1f6feb", "#d9730d", "#6e7781"

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SoftmaxErrors:
    """Hardware minus exact, in LSB of 1/255, for the losers and for the winners of ``spec``."""

    spec: SoftmaxSpec
    losers: Real
    winners: Real

    @property
    def facts(self) -> dict[str, Any]:
        """Extremes, how they were found, and the softmax that they belong to."""
        return {
            "score": self.spec.score,
            "divider": self.spec.divider,
            "exact": EXACT[self.spec.score],
            "samples": len(self.winners),
            "seed": SEED,
            "error_lsb": {
                name: {"least": float(e.min()), "largest": float(e.max()), "mean": float(e.mean())}
                for name, e in (("losers", self.losers), ("winners", self.winners))
            },
        }


# The exact value of a score, which each probability is proportional to, as text.
EXACT = {"taylor2": "1 + x + x²/2", "exp": "exp(x)"}


def exact_score(x: Real, score: str) -> Real:
    """Real-valued score of logits ``x``, any shape, up to a factor that all classes share."""
    if score == "exp":
        return np.exp(x)
    return 1 + x + x**2 / 2


def softmax_errors(spec: SoftmaxSpec) -> SoftmaxErrors:
    """Errors over logits drawn at random from the whole of the network's own format."""
    rng = np.random.default_rng(SEED)
    shape = (min(SAMPLES, MOST_VALUES // spec.n), spec.n)
    logits = rng.integers(spec.x.q_min, spec.x.q_max + 1, shape)
    made = reference.softmax(logits, spec)
    # An exponential of the distance to the largest logit cannot overflow.
    base = logits.max(axis=-1, keepdims=True) if spec.score == "exp" else 0
    scores = exact_score((logits - base) * spec.x.lsb, spec.score)
    exact = PROBABILITY_ONE * scores / scores.sum(axis=-1, keepdims=True)
    errors = made["probabilities"] - exact
    won = np.arange(spec.n) == made["class"][:, None]
    return SoftmaxErrors(spec, losers=errors[~won], winners=errors[won])


def class_names(network: Network) -> tuple[str, ...]:
    """Names of the classes, as the network's dataset has them."""
    if "classes" in network.provenance:
        return tuple(network.provenance["classes"])
    name = str(network.provenance.get("dataset"))
    if name in datasets.NAMED:
        return datasets.load(name).class_names
    return tuple(map(str, range(network.spec.n_out)))


def confusion(facts: dict[str, Any], names: Sequence[str]) -> Figure:
    """The RTL's own classes against the labels, a matrix for each split."""
    figure = Figure(figsize=(10, 4.9), layout="constrained")
    (rtl,) = (row for row in facts["implementations"] if row["name"].startswith("RTL"))
    figure.suptitle(f"{facts['network']}: classes given by the {rtl['name']}", fontsize=14)
    for axes, (part, title) in zip(
        figure.subplots(1, 2), (("train", "training"), ("test", "test")), strict=True
    ):
        matrix = np.array(facts["confusion"][part])
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_title(f"{rtl[part]['correct']} of {rtl[part]['samples']} {title} samples correct")
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names, rotation=90, va="center")
        axes.set_xlabel("class given")
        axes.set_ylabel("class of the sample")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.5 else "black" if count else GRAY
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=13)
    return figure


def softmax(errors: SoftmaxErrors, columns: int = WIDE) -> Figure:
    """Histograms of the errors, and the curves of a probability over its logit.

    One above the other where there is one of ``columns``.
    """
    spec = errors.spec
    narrow = columns == NARROW
    separator = "\n" if narrow else " "
    figure = Figure(figsize=(4.4, 8.4) if narrow else (12, 5.2), layout="constrained")
    figure.suptitle(
        f"Softmax in hardware ({spec.score}, {spec.divider}):{separator}"
        f"{spec.n} classes, {spec.x.width}-bit logits with frac {spec.x.frac}",
        fontsize=11 if narrow else 14,
    )
    left, right = figure.subplots(2, 1) if narrow else figure.subplots(1, 2)
    _histogram(left, errors)
    _curves(right, spec)
    return figure


def _histogram(axes: Axes, errors: SoftmaxErrors) -> None:
    low = np.floor(errors.losers.min())
    high = np.ceil(errors.winners.max())
    bins = np.arange(low, high + 0.05, 0.05).tolist()
    for values, color, name in (
        (errors.losers, BLUE, "losers"),
        (errors.winners, ORANGE, "winner"),
    ):
        label = f"{name}: {values.min():+.3f} to {values.max():+.3f}"
        weights = np.full(values.size, 100 / values.size)
        axes.hist(values, bins, weights=weights, histtype="stepfilled", alpha=0.3, color=color)
        axes.hist(values, bins, weights=weights, histtype="step", color=color, label=label)
    axes.axvline(0, color=GRAY, linewidth=0.8, label="exact")
    vectors, score = len(errors.winners), EXACT[errors.spec.score]
    title = f"Hardware minus exact, score {score},\nover {vectors:,} random logit vectors"
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("error in LSB (1/255)")
    axes.set_ylabel("share of the outputs in % per 0.05 LSB")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    axes.legend(title="least to largest error", loc="upper right", frameon=False, fontsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _curves(axes: Axes, spec: SoftmaxSpec) -> None:
    codes = np.arange(spec.x.q_min, spec.x.q_max + 1)
    codes = codes[np.abs(codes) * spec.x.lsb <= WIDEST_LOGIT]
    logits = np.zeros((codes.size, spec.n), dtype=np.int64)
    logits[:, 0] = codes
    bytes_ = reference.softmax(logits, spec)["probabilities"]
    x = codes * spec.x.lsb
    smooth = np.linspace(x[0], x[-1], 1001)
    axes.step(
        x, bytes_[:, 0] / PROBABILITY_ONE, where="mid", color=BLUE, linewidth=2.4, alpha=0.55,
        label=f"hardware ({spec.score}, {spec.divider}, bytes)",
    )  # fmt: skip
    if spec.score != "exp":
        score, others = (exact_score(at, spec.score) for at in (smooth, np.zeros(1)))
        exact = score / (score + (spec.n - 1) * others)
        axes.plot(smooth, exact, color="black", linewidth=0.9, label=f"{spec.score}, exact")
    usual = 1 / (1 + (spec.n - 1) * np.exp(-smooth))
    axes.plot(smooth, usual, color=ORANGE, linewidth=1.6, linestyle="--", label="ordinary softmax")
    if spec.score == "taylor2" and x[0] < -1:
        axes.axvspan(x[0], -1, color=GRAY, alpha=0.12, linewidth=0, label="score falls: x < -1")
    axes.set_title("Probability of a class over its logit x,\nall other logits 0", fontsize=10)
    axes.set_xlabel("logit x")
    axes.set_ylabel("probability")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(0, 1.02)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False, fontsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
