"""Trimming: which neurons are constant, and that nothing else is changed on the box."""

import dataclasses
import itertools

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS
from model import artifact, reference, trimming
from model.artifact import ArtifactError, Network
from model.data import datasets
from model.format import Format, Int
from model.library import Network as Library
from model.shared import shared
from model.trimming import Box, TrimmingError
from tb.sim.made_up import made_up

IRIS = artifact.load(GOLDEN_IRIS)
CODES = reference.encode(IRIS, datasets.load("iris").features)
BOX = Box.around(CODES, IRIS.spec.x)
TABLES = [("gelu", Format(8, 4)), ("hardswish", Format(8, 4)), None]
Q5 = Format(5, 2)
SMALL = {
    "relu": made_up([2, 9, 7, 3], formats=[Q5] * 4, seed=2),
    "tables": made_up([2, 9, 7, 3], formats=[Q5] * 4, activations=TABLES, output="logits", seed=3),
    "sigmoid": made_up([3, 12, 1], formats=[Format(4, 1), Q5, Q5], output="sigmoid", seed=4),
    "ranked": made_up([2, 8, 8, 5], formats=[Q5] * 4, output="ranked", seed=5),
}


def every(box: Box) -> Int:
    sides = [range(low, high + 1) for low, high in zip(box.low, box.high, strict=True)]
    return np.array(list(itertools.product(*sides)))


def corner_of(network: Network) -> Box:
    """A box of some hundred inputs."""
    middle = np.zeros(network.spec.n_in, np.int64)
    return Box(middle + 1, middle + network.spec.x.q_max // 2 + 1)


def test_iris_has_fourteen_constant_neurons_on_its_data() -> None:
    found = trimming.constants(IRIS, BOX)
    assert {name: len(known) for name, known in found.items()} == {"fc1": 7, "fc2": 0, "fc2_2": 7}
    smaller = trimming.trimmed(IRIS, BOX, found)
    assert trimming.multiplications(IRIS) == 2010
    assert trimming.multiplications(IRIS, found) == 1541
    # 24 neurons fold into 6 x 4 multipliers, 23 need as many requantizers as there are.
    sizes = [(layer.n_in, layer.n_out) for layer in smaller.spec.layers]
    assert sizes == [(4, 23), (23, 30), (30, 24), (24, 3)]
    assert trimming.multiplications(smaller) == 1574
    assert smaller.spec.interval <= IRIS.spec.interval
    assert smaller.spec.area.luts < 0.9 * IRIS.spec.area.luts
    assert len(smaller.weights) == 4 and set(smaller.weights) == set(smaller.biases)
    inputs = np.concatenate([CODES, BOX.corners(), BOX.draw(20_000, seed=2)])
    assert trimming.compare(IRIS, smaller, inputs) == 4 * len(inputs)


def test_no_neuron_is_constant_everywhere() -> None:
    whole = IRIS.spec.x
    box = Box(np.full(4, whole.q_min), np.full(4, whole.q_max))
    assert not any(trimming.constants(IRIS, box).values())


@pytest.mark.parametrize("kind", SMALL)
def test_constants_are_those_of_every_input(kind: str) -> None:
    network, box = SMALL[kind], corner_of(SMALL[kind])
    traced = reference.trace(network, every(box))
    expected = {
        layer.name: {
            int(k): int(traced[layer.key][0, k])
            for k in np.flatnonzero((traced[layer.key] == traced[layer.key][0]).all(axis=0))
        }
        for layer in network.spec.layers[:-1]
    }
    assert trimming.constants(network, box) == expected
    assert any(expected.values())


@pytest.mark.parametrize("kind", SMALL)
def test_trimmed_network_is_the_whole_one_on_every_input(kind: str) -> None:
    network, box = SMALL[kind], corner_of(SMALL[kind])
    smaller = trimming.trimmed(network, box, trimming.constants(network, box))
    assert len(every(box)) == box.inputs
    assert trimming.compare(network, smaller, every(box)) > box.inputs
    sizes = [sum(layer.n_out for layer in n.spec.layers) for n in (network, smaller)]
    assert sizes[1] < sizes[0] and smaller.spec.interval <= network.spec.interval
    ends = [(n.spec.in_lanes, n.spec.out_lanes, n.spec.output) for n in (network, smaller)]
    assert ends[0] == ends[1]


def test_too_few_pieces_leave_neurons_where_they_are() -> None:
    few = trimming.constants(IRIS, BOX, most=1)
    all_of_them = trimming.constants(IRIS, BOX)
    assert sum(map(len, few.values())) < 14
    assert all(known.items() <= all_of_them[name].items() for name, known in few.items())


def test_wrong_constant_is_found() -> None:
    found = {name: dict(known) for name, known in trimming.constants(IRIS, BOX).items()}
    found["fc2"][4] = 0
    smaller = trimming.trimmed(IRIS, BOX, found)
    with pytest.raises(TrimmingError, match=r"codes \[.*\] must give class and values \["):
        trimming.compare(IRIS, smaller, CODES)


def test_a_point_leaves_one_neuron_in_each_layer() -> None:
    box = Box(CODES[0], CODES[0])
    smaller = trimming.trimmed(IRIS, box, trimming.constants(IRIS, box))
    assert [layer.n_out for layer in smaller.spec.layers] == [1, 1, 1, 3]
    assert trimming.compare(IRIS, smaller, CODES[:1]) == 4


def test_padding_neither_reads_nor_is_read() -> None:
    smaller = trimming.trimmed(IRIS, BOX, trimming.constants(IRIS, BOX))
    kept = [
        index
        for index in range(30)
        if index not in smaller.provenance["trimmed"]["neurons"]["fc2_2"]
    ]
    assert len(kept) == 23
    assert not smaller.weights["fc2_2"][23:].any() and not smaller.biases["fc2_2"][23:].any()
    assert not smaller.weights["fc3"][:, 23:].any()
    rows = IRIS.weights[IRIS.spec.layers[2].weights][kept]
    assert (smaller.weights["fc2_2"][:23] == rows).all()


@pytest.mark.parametrize("kind", SMALL)
def test_padding_changes_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, box = SMALL[kind], corner_of(SMALL[kind])
    layers = len(network.spec.layers)
    monkeypatch.setattr(trimming, "_padding", lambda *_: [*range(2, layers + 1), 0])
    smaller = trimming.trimmed(network, box, trimming.constants(network, box))
    assert smaller.spec.layers[0].n_out > 2
    trimming.compare(network, smaller, every(box))


def test_neuron_that_nothing_reads_goes() -> None:
    network = SMALL["relu"]
    matrix = network.weights["fc2"].copy()
    matrix[:, 5] = 0
    network = dataclasses.replace(network, weights={**network.weights, "fc2": matrix})
    box = Box(np.full(2, Q5.q_min), np.full(2, Q5.q_max))
    smaller = trimming.trimmed(network, box, {})
    assert smaller.spec.layers[0].n_out in (8, 9)
    assert smaller.provenance[trimming.KEY]["neurons"] == {"fc1": [5], "fc2": []}
    trimming.compare(network, smaller, every(box))


def test_layers_that_stay_alike_share_their_matrix() -> None:
    smaller = trimming.trimmed(IRIS, BOX, {})
    assert len(IRIS.weights) == len(smaller.weights) == 3
    assert trimming.compare(IRIS, smaller, CODES) == 600


def test_sums_that_were_shared_are_none_any_more() -> None:
    network = SMALL["ranked"]
    sharing = shared(network.refolded(network.spec.unrolled()))
    box = corner_of(network)
    smaller = trimming.trimmed(sharing, box, trimming.constants(sharing, box))
    assert not any(layer.plan for layer in smaller.spec.layers)
    trimming.compare(network, smaller, every(box))


def test_loadable_network_is_refused() -> None:
    network = made_up([3, 4, 2], loadable=True)
    box = Box.around(np.zeros((1, 3), np.int64), network.spec.x)
    with pytest.raises(TrimmingError, match="must not be loadable to be trimmed"):
        trimming.trimmed(network, box, {})


def test_box_ends_where_the_format_does() -> None:
    box = Box.around(CODES, IRIS.spec.x, margin=300)
    assert box.low.tolist() == [-128] * 4 and box.high.tolist() == [127] * 4
    assert box.inputs == 1 << 32
    assert BOX.holds(np.array([BOX.low, BOX.high, BOX.low - 1, BOX.high + 1])).tolist() == [
        *(True, True),
        *(False, False),
    ]


def test_prediction_says_what_is_outside() -> None:
    smaller = trimming.trimmed(IRIS, BOX, trimming.constants(IRIS, BOX))
    network = Library(**vars(smaller))
    features = [[5.1, 3.5, 1.4, 0.2], [5.1, 3.5, 1.4, 7.0], [-9.0, 3.5, 1.4, 0.2]]
    found = network.predict(features)
    assert found.outside is not None and found.outside.tolist() == [False, True, True]
    assert Library(**vars(IRIS)).predict(features).outside is None
    learned = network.learn(features, [0, 1, 2], epochs=1, start="random").network
    assert trimming.box_of(learned) is None


@pytest.mark.parametrize(
    "record",
    [[], {"low": [0] * 4}, {"low": [0] * 3, "high": [1] * 4}, {"low": [0.5] * 4, "high": [1] * 4}],
)
def test_damaged_box_is_refused(record: object) -> None:
    network = dataclasses.replace(IRIS, provenance={trimming.KEY: record})
    with pytest.raises(ArtifactError, match="must have low and high, each 4 codes of"):
        trimming.box_of(network)


def test_box_inside_out_is_refused() -> None:
    record = {"low": [2] * 4, "high": [1, 3, 3, 3]}
    network = dataclasses.replace(IRIS, provenance={trimming.KEY: record})
    with pytest.raises(ArtifactError, match="must have no low above its high"):
        trimming.box_of(network)
