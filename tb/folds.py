"""Every legal fold of a network's layers, each layer at each fold by itself.

Layers are joined by streams, so that a layer does not know the folds of the others: a row for each
fold of each layer covers what the product of all of them would.
"""

import random
from collections.abc import Iterator

from model import folding
from model.artifact import Network
from tb.rows import Row, of_layer

SEED = 5
FEW_CYCLES = range(2, 61)


def fold_rows(network: Network) -> Iterator[Row]:
    """`mlp_layer` as each layer at each of its folds, with the network's own integers."""
    for index, layer in enumerate(network.spec.layers):
        for fold in folding.legal_folds(layer):
            lanes = network.spec.softmax.lanes, network.spec.in_lanes, network.spec.out_lanes
            spec = network.spec.folded(
                {layer.name: (fold.simd, fold.pe)},
                softmax_lanes=lanes[0],
                in_lanes=lanes[1],
                out_lanes=lanes[2],
            )
            name = f"{network.spec.name}-{layer.name}-{fold.simd}x{fold.pe}"
            (_, row) = of_layer(name, network.refolded(spec), index)
            yield row


def sampled(network: Network) -> list[Row]:
    """One fold of each layer, drawn from those of few cycles; the same every time."""
    rows, draw = list(fold_rows(network)), random.Random(SEED)
    found = []
    for layer in network.spec.layers:
        quick = [fold for fold in folding.legal_folds(layer) if fold.cycles(layer) in FEW_CYCLES]
        fold = draw.choice(quick)
        ending = f"-{layer.name}-{fold.simd}x{fold.pe}"
        found += [row for row in rows if row.name.endswith(ending)]
    return found
