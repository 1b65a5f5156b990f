"""Outputs as training sees them: their values, their classes, and what is trained through."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model import reference, tables
from model.format import Format
from model.stage import PROBABILITY_ONE
from model.stages.softmax import SoftmaxSpec


@dataclass(frozen=True)
class Score:
    """A score, or an output without one, as training sees it, for logits ``[samples, n]``.

    ``values`` makes of logits in a format the scores of the hardware, and their frac;
    ``log_probabilities`` is what is trained through, and differentiable. ``rises_from`` is the
    logit from which on the score rises, or None where it rises everywhere. ``output`` is the stage
    whose tensors a trace has: `tensors` has them by name, with the class where it ``has_classes``.
    """

    values: Callable[[Tensor, Format], tuple[Tensor, int]]
    log_probabilities: Callable[[Tensor], Tensor]
    rises_from: float | None
    output: str = "softmax"
    has_classes: bool = True

    def tensors(self, scores: Tensor, frac: int) -> dict[str, tuple[Tensor, int]]:
        """Those of a trace that are made of scores, without the class."""
        if self.output == "argmax":
            return {}
        if self.output != "softmax":
            return {f"{self.output}.{RESULTS[self.output]}": (scores, frac)}
        return {"softmax.scores": (scores, frac), "softmax.totals": (scores.sum(dim=1), frac)}

    def classes(self, scores: Tensor) -> Tensor:
        """The class of each sample, ``[samples]``, whether the hardware gives it or not."""
        if self.output == "sigmoid":
            return (scores[:, 0] > PROBABILITY_ONE / 2).long()
        return scores.argmax(dim=1)


RESULTS = {"logits": "values", "sigmoid": "probabilities"}


def of_classes(logits: Tensor) -> Tensor:
    """Logits of at least two classes: a single one is that of the second against 0."""
    alone = logits.shape[1] == 1
    return torch.cat([torch.zeros_like(logits), logits], dim=1) if alone else logits


def taylor2(logits: Tensor) -> Tensor:
    """``1 + x + x**2/2``: positive everywhere, rising from x = -1 on, falling below."""
    return 1 + logits + logits * logits / 2


def _taylor2_values(logits: Tensor, fmt: Format) -> tuple[Tensor, int]:
    return taylor2(logits), 2 * fmt.frac + 1


def _taylor2_log_probabilities(logits: Tensor) -> Tensor:
    scores = taylor2(logits)
    return scores.log() - scores.sum(dim=1, keepdim=True).log()


def _exp_values(logits: Tensor, fmt: Format) -> tuple[Tensor, int]:
    spec = SoftmaxSpec(n=logits.shape[1], x=fmt, score="exp", divider="restoring", lanes=1)
    table = torch.tensor(tables.exponential(spec).tolist(), dtype=logits.dtype)
    distances = (logits.amax(dim=1, keepdim=True) - logits).detach() / fmt.lsb
    return table[distances.long()], 0


def _log_softmax(logits: Tensor) -> Tensor:
    return F.log_softmax(of_classes(logits), dim=1)


def _as_they_are(logits: Tensor, fmt: Format) -> tuple[Tensor, int]:
    return logits, fmt.frac


def _sigmoid_values(logits: Tensor, fmt: Format) -> tuple[Tensor, int]:
    codes = (logits.detach() / fmt.lsb).long().numpy()
    return torch.tensor(reference.sigmoid(codes, fmt), dtype=logits.dtype), 0


# One for each of `model.spec.SCORES`, and for each output that is no softmax.
SCORES = {
    "taylor2": Score(_taylor2_values, _taylor2_log_probabilities, rises_from=-1.0),
    "exp": Score(_exp_values, _log_softmax, rises_from=None),
    "logits": Score(_as_they_are, _log_softmax, rises_from=None, output="logits"),
    "values": Score(
        _as_they_are, _log_softmax, rises_from=None, output="logits", has_classes=False
    ),
    "unranked": Score(
        _as_they_are, _log_softmax, rises_from=None, output="logits", has_classes=False
    ),
    "sigmoids": Score(
        _sigmoid_values, _log_softmax, rises_from=None, output="sigmoid", has_classes=False
    ),
    "argmax": Score(_as_they_are, _log_softmax, rises_from=None, output="argmax"),
    "sigmoid": Score(_sigmoid_values, _log_softmax, rises_from=None, output="sigmoid"),
}
