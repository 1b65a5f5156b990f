"""Folds of a network as a person names them."""

from typing import TypeVar

from common.errors import CommandError
from model.artifact import Network
from model.shared import shared
from model.spec import NetworkSpec

AnyNetwork = TypeVar("AnyNetwork", bound=Network)

# Unrolled, by sums that outputs share: a fold of a network, whose weights say which.
SHARED = "shared"


def refolded(network: AnyNetwork, fold: str) -> AnyNetwork:
    """The network at a fold as `folded` knows it, or `SHARED`."""
    if fold == SHARED:
        return shared(network.refolded(network.spec.unrolled()))
    return network.refolded(folded(network.spec, fold))


def folded(spec: NetworkSpec, fold: str) -> NetworkSpec:
    """The spec at a named fold; or at SIMDxPE of each layer, with one value a beat at the ends.

    Raises `SpecError` where a layer cannot be folded so, `CommandError` where ``fold`` is neither.
    """
    named = spec.at_each_fold()
    if fold in named:
        return named[fold]
    try:
        pairs = [(int(simd), int(pe)) for simd, pe in (p.split("x") for p in fold.split(","))]
        folds = {layer.name: pair for layer, pair in zip(spec.layers, pairs, strict=True)}
    except ValueError as error:
        raise CommandError(
            f"fold must be {', '.join(named)}, {SHARED}, or SIMDxPE of each of the "
            f"{len(spec.layers)} layers with commas between them, got {fold!r}"
        ) from error
    return spec.folded(folds, in_lanes=1, lanes=1, out_lanes=1)
