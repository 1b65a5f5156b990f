"""The scores of the softmax as training sees them: their values, and what is trained through."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model import tables
from model.format import Format
from model.stages.softmax import SoftmaxSpec


@dataclass(frozen=True)
class Score:
    """A score as training sees it, for logits ``[samples, n]``.

    ``values`` makes of logits in a format the scores of the hardware, and their frac;
    ``log_probabilities`` is what is trained through, and differentiable. ``rises_from`` is the
    logit from which on the score rises, or None where it rises everywhere.
    """

    values: Callable[[Tensor, Format], tuple[Tensor, int]]
    log_probabilities: Callable[[Tensor], Tensor]
    rises_from: float | None


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
    return F.log_softmax(logits, dim=1)


# One for each of `model.spec.SCORES`.
SCORES = {
    "taylor2": Score(_taylor2_values, _taylor2_log_probabilities, rises_from=-1.0),
    "exp": Score(_exp_values, _log_softmax, rises_from=None),
}
