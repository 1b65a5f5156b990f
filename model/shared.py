"""A network whose unrolled layers share the sums of their outputs."""

import dataclasses
from typing import TypeVar

from model import sharing, sum_plan
from model.artifact import Network
from model.bounds import output_interval
from model.format import require, require_integer

AnyNetwork = TypeVar("AnyNetwork", bound=Network)

# Additions between two registers: what `make study-silicon` measures.
EVERY = 2


def shared(network: AnyNetwork, every: int = EVERY) -> AnyNetwork:
    """The network with a plan of additions in each layer that takes a vector a cycle.

    A register follows ``every`` additions. The levels of a plan are as many as any weights of the
    layer's shape and width may need, so that latency does not depend on weights. Raises
    `SpecError` where no layer takes a vector a cycle, or weights can be replaced.
    """
    spec = network.spec
    owner = f"network {spec.name}"
    require_integer(owner, 1, sum_plan.MAX_EVERY, sharing=every)
    require(
        any(layer.cycles == 1 for layer in spec.layers),
        f"{owner}: a layer must be unrolled to share sums (simd = inputs, pe = outputs), got "
        f"{', '.join(f'{layer.name} at {layer.fold}' for layer in spec.layers)}",
    )
    layers, interval = [], (spec.x.q_min, spec.x.q_max)
    for layer in spec.layers:
        if layer.cycles == 1:
            levels = sharing.least_levels(layer.n_in * sharing.digits_at_most(layer.w.width))
            graph = sharing.shared(network.weights[layer.weights], *interval, levels)
            plan = sum_plan.planned(graph, *interval, layer.acc_w, levels=levels, every=every)
            layers.append(dataclasses.replace(layer, plan=plan))
        else:
            layers.append(layer)
        interval = output_interval(layer)
    return network.refolded(spec.with_layers(layers))
