"""Epochs of Adam over all samples at once, of which the best is kept."""

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from common.errors import VerbatimError
from model.qat import pruning
from model.recipe import FineTuning, Training

Advance = Callable[[], None]


class TrainingError(VerbatimError):
    """Training that does not get anywhere: the message says when it stopped."""


def minimize(
    module: nn.Module,
    evaluate: Callable[[], tuple[Tensor, int]],
    settings: Training | FineTuning,
    advance: Advance,
    penalty: float = 0.0,
) -> dict[str, Tensor]:
    """Run Adam on the module in place; return the parameters of its best epoch.

    ``evaluate`` gives the loss and the number of samples wrong; fewest wrong, then least loss wins.
    """
    optimizer = torch.optim.Adam(module.parameters(), lr=settings.learning_rate, foreach=True)
    least, best = (math.inf, math.inf), copy.deepcopy(module.state_dict())
    for epoch in range(settings.epochs):
        optimizer.zero_grad()
        loss, wrong = evaluate()
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"the loss must be finite, got {loss.item()} in epoch {epoch} at learning_rate "
                f"{settings.learning_rate}: try a smaller learning_rate"
            )
        if (wrong, loss.item()) < least:
            least, best = (wrong, loss.item()), copy.deepcopy(module.state_dict())
        losses = [loss, pruning.penalty(module, penalty)] if penalty else [loss]
        torch.autograd.backward(losses)
        optimizer.step()
        advance()
    return best
