"""Folds of a network as a person names them."""

from common.errors import CommandError
from model.spec import NetworkSpec


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
            f"fold must be {', '.join(named)}, or SIMDxPE of each of the {len(spec.layers)} layers "
            f"with commas between them, got {fold!r}"
        ) from error
    return spec.folded(folds, in_lanes=1, lanes=1, out_lanes=1)
