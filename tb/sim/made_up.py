"""Networks that tests make up: any shape, random or extreme integers."""

import itertools
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from model import reference
from model.artifact import Network
from model.bounds import accumulator_width, any_accumulator_width, output_interval
from model.format import Format, Int
from model.spec import NetworkSpec
from model.stage import Output
from model.stages.activation import Activation
from model.stages.linear import LayerSpec
from model.stages.output import ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import SoftmaxSpec

BYTE_WEIGHTS = Format(8, 6)
# Random inputs among which a sleepy neuron finds one that wakes it.
MANY = 20_000


def made_up(
    sizes: Sequence[int],
    *,
    folds: Sequence[tuple[int, int]] | None = None,
    formats: Sequence[Format] | None = None,
    weight_format: Format | Sequence[Format] = BYTE_WEIGHTS,
    activations: Sequence[tuple[str, Format] | None] | None = None,
    output: str = "softmax",
    softmax: tuple[str, str] = ("taylor2", "reciprocal"),
    softmax_lanes: int = 1,
    in_lanes: int = 1,
    out_lanes: int = 1,
    integers: Literal["random", "extreme"] = "random",
    loadable: bool = False,
    seed: int = 1,
) -> Network:
    """A network of layers ``sizes[0] -> sizes[1] -> ...`` with a ReLU behind all but the last.

    ``activations`` has one per layer by table, by name with the format in front of it, in the place
    of its ReLU; None leaves a layer as it is.

    ``folds`` has a ``(simd, pe)`` per layer, ``formats`` one format per stream, ``weight_format``
    is every layer's or has one per layer, ``output`` is its kind, "ranked" those logits that have a
    class, ``softmax`` a softmax' score and divider, ``softmax_lanes`` any output's lanes.
    Where ``loadable``, accumulators have room for every weight, as an export gives them.
    ``extreme`` weights and biases sit at the ends of their ranges, so that sums reach theirs.
    """
    rng = np.random.default_rng(seed)
    formats = formats or [Format(8, 4)] * len(sizes)
    folds = folds or [(1, 1)] * (len(sizes) - 1)
    if isinstance(weight_format, Format):
        weight_format = [weight_format] * (len(sizes) - 1)
    layers, weights, biases = [], {}, {}
    interval = (formats[0].q_min, formats[0].q_max)
    for index, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        name, w = f"fc{index + 1}", weight_format[index]
        x, y = formats[index], formats[index + 1]
        activation = _activation(activations[index] if activations else None)
        z = activation.x if activation else y
        weights[name] = _integers(rng, (n_out, n_in), w.q_min, integers)
        biases[name] = _integers(rng, (n_out,), w.q_min * x.q_max, integers)
        shift = w.frac + x.frac - z.frac
        least = max(x.width + w.width, z.width + shift)
        acc_w = max(accumulator_width(weights[name], biases[name], interval), least)
        if loadable:
            acc_w = max(acc_w, any_accumulator_width(n_in, w, interval))
        relu = index + 2 < len(sizes) and activation is None
        shape = name, name, n_in, n_out, x, w, y, acc_w, relu
        layer = LayerSpec(*shape, *folds[index], activation)
        layers.append(layer)
        interval = output_interval(layer)
    ending_shape = sizes[-1], formats[-1]
    makers: dict[str, Callable[[], Output]] = {
        "softmax": lambda: SoftmaxSpec(*ending_shape, *softmax, lanes=softmax_lanes),
        "logits": lambda: LogitsSpec(*ending_shape, lanes=softmax_lanes),
        "ranked": lambda: LogitsSpec(*ending_shape, lanes=softmax_lanes, ranked=True),
        "argmax": lambda: ArgmaxSpec(*ending_shape, lanes=softmax_lanes),
        "sigmoid": lambda: SigmoidSpec(*ending_shape, lanes=softmax_lanes),
    }
    ending = makers[output]()
    spec = NetworkSpec("made_up", (*layers, ending), in_lanes, out_lanes, loadable)
    return Network(spec, weights, biases)


# Arguments of the functions that have any.
ARGUMENTS = {"leaky_relu": (0.125,), "clamp": (0.0, 6.0), "elu": (1.0,)}


def _activation(given: tuple[str, Format] | None) -> Activation | None:
    """A function by name, behind a format."""
    return given and Activation(given[0], given[1], ARGUMENTS.get(given[0], ()))


def codes(rng: np.random.Generator, network: Network, count: int) -> Int:
    """Random input codes ``[count, n_in]`` over the whole range."""
    x = network.spec.x
    return rng.integers(x.q_min, x.q_max + 1, (count, network.spec.n_in))


def waking_codes(rng: np.random.Generator, network: Network, count: int) -> Int:
    """Random input codes ``[count, n_in]`` behind which no neuron sleeps that others could wake.

    In front of them stands, for each output of each layer, the input of many that makes it largest.
    """
    many = codes(rng, network, MANY)
    values = reference.trace(network, many)
    wakes = np.concatenate([values[f"{layer.name}.y"].argmax(0) for layer in network.spec.layers])
    return np.concatenate([many[wakes], many])[:count]


def _integers(rng: np.random.Generator, shape: tuple[int, ...], least: int, kind: str) -> Int:
    if kind == "extreme":
        return rng.choice(np.array([least, -least - 1]), shape)
    return rng.integers(least, -least, shape)
