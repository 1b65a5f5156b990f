"""The plan of a network that exists, the masters that it begins with, and the network of them."""

import dataclasses

import numpy as np

from model import artifact
from model.data.scaling import Scaling
from model.format import Format, Int
from model.learning import learner
from model.learning.backprop import CODE_W, GUARD, HIDDEN_FRAC, INPUT_FRAC, MASTER, Plan
from model.learning.from_recipe import ETA, start_range
from model.learning.learner import LearningError
from model.stages.softmax import SoftmaxSpec


def of_network(
    source: artifact.Network, *, own: bool, epochs: int, samples: int, eta: int = ETA
) -> Plan:
    """The plan of a network's shape, ReLUs and softmax, for that many samples an epoch.

    Where it goes on from its ``own`` weights, formats keep the ranges of the network's in 8 bits,
    hidden layers the widest of them all; else they are those of every plan. Inputs keep theirs
    where features are scaled already. Raises `SpecError` where no core can be this.
    """
    layers, softmax = source.spec.layers, source.spec.output
    assert isinstance(softmax, SoftmaxSpec)
    names = list(dict.fromkeys(layer.weights for layer in layers))
    sets = tuple(names.index(layer.weights) for layer in layers)
    sizes = (layers[0].n_in, *(layer.n_out for layer in layers))
    kept = own or source.scaling is not None
    hidden = [in_a_code(layer.y).frac for layer in layers[:-1]]
    return Plan(
        sizes,
        sets,
        tuple(layer.relu for layer in layers),
        tuple(start_range(sizes[sets.index(number)]) for number in range(len(names))),
        epochs,
        samples,
        softmax.score,
        softmax.divider,
        eta,
        input_frac=in_a_code(source.spec.x).frac if kept else INPUT_FRAC,
        hidden_frac=min(hidden) if own and hidden else HIDDEN_FRAC,
        logit_frac=in_a_code(layers[-1].y).frac if own else None,
    )


def in_a_code(fmt: Format) -> Format:
    """The 8-bit format with a format's range, as far as 0 to 8 fraction bits have it.

    >>> str(in_a_code(Format(6, 0))), str(in_a_code(Format(8, 4))), str(in_a_code(Format(16, 15)))
    ('8/2', '8/4', '8/7')
    """
    return Format(CODE_W, min(max(fmt.frac + CODE_W - fmt.width, 0), CODE_W))


def masters_of(plan: Plan, source: artifact.Network) -> list[Int]:
    """Masters nearest to a network's weights, and to the bias of each set's first use.

    Half an LSB of what forward reads is added, as it rounds down: so a network in the plan's own
    formats begins as exactly the network that it is. Raises `LearningError` where a value is beyond
    a master's range.
    """
    masters = []
    for number in range(len(plan.ranges)):
        index = plan.sets.index(number)
        layer = source.spec.layers[index]
        lost = GUARD - plan.x(index).frac
        parts = (
            ("weights", source.weights[layer.weights], layer.w.frac, 1 << GUARD >> 1),
            (
                "biases",
                source.biases[layer.name][:, None],
                layer.w.frac + layer.x.frac,
                _half(lost),
            ),
        )
        columns = []
        for kind, codes, frac, half in parts:
            exact = codes * 2.0 ** (MASTER.frac - frac)
            column = np.floor(exact).astype(np.int64) + half
            if column.min() < MASTER.q_min or column.max() > MASTER.q_max:
                low, high = codes.min() * 2.0**-frac, codes.max() * 2.0**-frac
                most = -MASTER.q_min * MASTER.lsb
                raise LearningError(
                    f"layer {layer.name}: {kind} must be {-most:g} .. {most:g} to learn on from "
                    f"them, got {low:.4g} .. {high:.4g}; start='random' needs none"
                )
            columns.append(column)
        masters.append(np.hstack(columns))
    return masters


def _half(bits: int) -> int:
    return 1 << bits >> 1


def back(
    plan: Plan, masters: list[Int], source: artifact.Network, scaling: Scaling | None
) -> artifact.Network:
    """The network of these masters, with the names and folds of the one that it was."""
    made = learner.network(plan, masters, name=source.spec.name, scaling=scaling)
    layers, weights, biases = [], {}, {}
    for new, old in zip(made.spec.layers, source.spec.layers, strict=True):
        layers.append(
            dataclasses.replace(new, name=old.name, weights=old.weights, simd=old.simd, pe=old.pe)
        )
        weights[old.weights], biases[old.name] = made.weights[new.weights], made.biases[new.name]
    output = source.spec.output
    assert isinstance(output, SoftmaxSpec)
    spec = source.spec.with_layers(layers)
    spec = spec.with_output(dataclasses.replace(plan.softmax, lanes=output.lanes))
    return artifact.Network(spec, weights, biases, source.provenance, scaling, source.names)
