"""Winners that a score changes, as it need not rise with the logit everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.errors import VerbatimError
from model import reference
from model.format import Int
from model.reference import taylor2
from model.spec import NetworkSpec
from model.stages.softmax import SoftmaxSpec


class WinnersError(VerbatimError):
    """A score that changes too many winners: the message names the layer, the number, remedies."""


@dataclass(frozen=True)
class Survey:
    """Range of the logits (real values), and how many of ``count`` are special.

    ``falling`` lie where the score falls as the logit rises, ``saturated`` at an end of their
    format; ``overruled`` samples have another class than that of their largest logit.
    """

    lowest: float
    highest: float
    count: int
    falling: int
    saturated: int
    samples: int
    overruled: int

    def __str__(self) -> str:
        return (
            f"logits from {self.lowest:g} to {self.highest:g}, {self.saturated} of {self.count} "
            f"saturated, {self.falling} where the score falls; "
            f"it overrules the largest logit of {self.overruled} of {self.samples} samples"
        )


def survey(spec: NetworkSpec, traced: Mapping[str, Int]) -> Survey:
    """Survey of a trace of at least one sample, by `model.reference.trace` or PyTorch's."""
    logits, fmt = traced[spec.logits_key], spec.output.x
    falling = np.zeros_like(logits, dtype=bool)
    output = spec.output
    if isinstance(output, SoftmaxSpec) and output.score == "taylor2":  # the only one that falls
        falling = taylor2(logits, frac=fmt.frac) > taylor2(logits + 1, frac=fmt.frac)
    key = f"{output.name}.class"
    ranking = reference.winner(logits) if logits.shape[1] > 1 else (logits[:, 0] >= 0).astype(int)
    return Survey(
        lowest=int(logits.min()) * fmt.lsb,
        highest=int(logits.max()) * fmt.lsb,
        count=logits.size,
        falling=int(falling.sum()),
        saturated=int(((logits == fmt.q_min) | (logits == fmt.q_max)).sum()),
        samples=len(logits),
        overruled=int((ranking != traced[key]).sum()) if key in traced else 0,
    )


def require_winners(spec: NetworkSpec, found: Survey, allowed: int) -> None:
    """Raise `WinnersError` where a score that falls somewhere overrules over ``allowed`` samples.

    ``found`` is the survey of the calibration data. A network whose logits all lie where its score
    rises has the winners of the ordinary softmax, and passes.
    """
    if found.falling and found.overruled > allowed:
        raise WinnersError(
            f"layer {spec.layers[-1].name}: its logits reach down to {found.lowest:g}, and score "
            f"{spec.softmax.score} rises again below -1: it changes the winners of "
            f"{found.overruled} of {found.samples} calibration samples, and must of at most "
            f"{allowed}; raise fine_tuning.epochs to train the network through it, or take score "
            "'exp'"
        )
