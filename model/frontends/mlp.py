"""The network of a recipe that names sizes alone."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """``[samples, sizes[0]]`` to logits ``[samples, sizes[-1]]``: ``fc1``, ReLU, ``fc2``, ..."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        parts[f"fc{number}"] = nn.Linear(n_in, n_out)
        parts[f"relu{number}"] = nn.ReLU()
    parts.popitem()
    return nn.Sequential(parts)
