"""Training in integers: the gradient within its bound, and each rule by hand."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from model import artifact, reference
from model.data import datasets, scaling
from model.format import Format, Int, SpecError
from model.learning import backprop, learner
from model.learning.backprop import DELTA, GUARD, IRIS, WEIGHT, Lfsr, Plan, mask
from model.learning.core import Core, stream, unstream
from model.learning.learner import Learner, LearningError, State

SCORES = ("exp", "taylor2")
# A softmax byte of a loser is at most 2 below, so the winner's 4 above; 1/256 more for the slope.
EPSILON = {"exp": 4 / 256, "taylor2": 5 / 256}


def plan_of(score: str = "exp", **changes: object) -> Plan:
    return dataclasses.replace(IRIS, score=score, logit_frac=None, **changes)


@pytest.fixture(scope="module")
def iris() -> tuple[Int, Int]:
    data = datasets.load("iris")
    train, _ = datasets.split(data, 0.2, 0)
    features = scaling.standardize(data.features[train]).apply(data.features[train])
    return reference.quantize(features, IRIS.x(0)), data.labels[train]


def autograd(plan: Plan, state: State, xs: list[Int], label: int) -> list[np.ndarray]:
    """Deltas of each layer's output by float64, straight through the roundings; 255/256 of each,
    since a byte of the softmax is 1/255 and counts as 1/256."""
    h = torch.tensor(xs[0] * plan.x(0).lsb)
    outs = []
    for layer, number in enumerate(plan.sets):
        weights = torch.tensor((state.masters[number][:, :-1] >> GUARD) * WEIGHT.lsb)
        value = xs[layer + 1] * plan.x(layer + 1).lsb
        # A ReLU's output of 0 says no more of its input than that it is not above 0.
        value = np.where((xs[layer + 1] == 0) & plan.relu[layer], -1.0, value)
        z = weights @ h
        outs.append(torch.zeros(len(z), dtype=torch.float64, requires_grad=True))
        h = z + (torch.tensor(value) - z).detach() + outs[-1]
        if plan.relu[layer]:
            h = torch.relu(h)
    score = h.exp() if plan.score == "exp" else 1 + h + h * h / 2
    (score.sum().log() - score[label].log()).backward()
    return [out.grad.numpy() * 255 / 256 for out in outs]


def worst_of_bound(plan: Plan, state: State, x: Int, labels: Int) -> float:
    """Largest ``|integer - autograd| / bound`` of all deltas; the bound is interval arithmetic."""
    worst = 0.0
    for sample, label in zip(x, labels.tolist(), strict=True):
        xs = backprop.forward(plan, state.masters, sample)
        made = reference.softmax(xs[-1], plan.softmax)
        delta = backprop.error(plan, made["probabilities"], xs[-1], label)
        deltas = backprop.backward(plan, state.masters, xs, delta)
        exact = autograd(plan, state, xs, label)
        bound = np.full(plan.sizes[-1], EPSILON[plan.score])
        for layer in range(plan.layers - 1, -1, -1):
            off = np.abs(exact[layer] - deltas[layer] * DELTA.lsb)
            worst = max(worst, float((off / bound).max()))
            weights = state.masters[plan.sets[layer]][:, :-1] >> GUARD
            bound = bound @ np.abs(weights * WEIGHT.lsb) + DELTA.lsb / 2 + 1e-12
    return worst


@pytest.fixture(scope="module", params=SCORES)
def aged(request: pytest.FixtureRequest, iris: tuple[Int, Int]) -> tuple[Plan, list[State]]:
    """A run after 1, 3 and 10 epochs."""
    plan = plan_of(request.param)
    run = Learner.begin(plan, 3)
    states = []
    for epoch in range(10):
        run.epoch(*iris)
        if epoch + 1 in (1, 3, 10):
            states.append(run.state.copy())
    return plan, states


def test_deltas_are_the_gradient_within_its_bound(aged, iris: tuple[Int, Int]) -> None:
    plan, states = aged
    x, labels = iris
    assert 0 < max(worst_of_bound(plan, s, x[::4], labels[::4]) for s in states) <= 1


def unmasked(delta: Int, _: Int) -> Int:
    return delta


def masked_below(delta: Int, y: Int) -> Int:
    return np.where(y <= 1, 0, delta)


def wrong_sign(real: Callable[..., Int]) -> Callable[..., Int]:
    return lambda *values: -real(*values)


def without_fc2(real: Callable[..., list[Int]]) -> Callable[..., list[Int]]:
    """One use of the shared matrix is passed by: its deltas go on as they are."""

    def broken(plan: Plan, masters: list[Int], xs: list[Int], delta: Int) -> list[Int]:
        deltas = real(plan, masters, xs, delta)
        shorter = dataclasses.replace(
            plan, sizes=(4, 30, 30, 3), sets=(0, 1, 2), relu=(True, True, False)
        )
        first, *rest = real(shorter, masters, [xs[0], xs[1], xs[3], xs[4]], delta)
        return [first, deltas[1], *rest]

    return broken


def transposed(real: Callable[..., tuple[Int, Int]]) -> Callable[..., tuple[Int, Int]]:
    def broken(plan: Plan, masters: list[Int], layer: int) -> tuple[Int, Int]:
        weights, biases = real(plan, masters, layer)
        square = weights.shape[0] == weights.shape[1]
        return (weights.T if square else weights), biases

    return broken


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("error", wrong_sign(backprop.error)),
        ("mask", unmasked),
        ("mask", masked_below),
        ("backward", without_fc2(backprop.backward)),
    ],
    ids=["wrong-sign", "no-mask", "mask-by-1", "one-use-of-fc2"],
)
def test_a_wrong_gradient_leaves_its_bound(
    aged, iris: tuple[Int, Int], monkeypatch: pytest.MonkeyPatch, name: str, change: object
) -> None:
    plan, states = aged
    monkeypatch.setattr(backprop, name, change)
    assert worst_of_bound(plan, states[-1], iris[0][::8], iris[1][::8]) > 1


def test_a_transposed_index_leaves_its_bound(
    aged, iris: tuple[Int, Int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, states = aged
    real = backprop.backward

    def backward(*values) -> list[Int]:
        with monkeypatch.context() as patch:
            patch.setattr(backprop, "codes", transposed(backprop.codes))
            return real(*values)

    monkeypatch.setattr(backprop, "backward", backward)
    assert worst_of_bound(plan, states[-1], iris[0][::8], iris[1][::8]) > 1


def test_without_a_relu_nothing_is_masked() -> None:
    plan = Plan((1, 1, 2), (0, 1), (False, False), (0, 0), epochs=1, samples=1)
    masters = [np.array([[1 << 14, 0]]), np.array([[1 << 14, 0], [0, 0]])]
    xs = [np.array([0]), np.array([0]), np.array([0, 0])]
    delta = np.array([640, -640])
    assert [d.tolist() for d in backprop.backward(plan, masters, xs, delta)] == [[640], [640, -640]]
    masking = dataclasses.replace(plan, relu=(True, False))
    assert backprop.backward(masking, masters, xs, delta)[0].tolist() == [0]


def test_forward_is_the_reference(iris: tuple[Int, Int]) -> None:
    for score in SCORES:
        run = Learner.begin(plan_of(score), 9)
        run.epoch(*iris)
        network = learner.network(run.plan, run.state.masters)
        values = reference.trace(network, iris[0])
        for sample, x in enumerate(iris[0]):
            seen = run.predict(x)
            keys = ["input", "fc1.relu", "fc2.y", "fc3.relu", "fc4.y"]
            for key, mine in zip(keys, seen.xs, strict=True):
                assert np.array_equal(values[key][sample], mine)
            assert np.array_equal(values["softmax.probabilities"][sample], seen.probabilities)
            assert values["softmax.class"][sample] == seen.predicted


def test_each_use_of_a_shared_set_moves_it() -> None:
    plan = Plan((1, 1, 1, 2), (0, 0, 1), (False,) * 3, (0, 0), epochs=1, samples=1)
    masters = [np.array([[100, 0]]), np.array([[0, 0], [0, 0]])]
    xs = [np.array([16]), np.array([8]), np.array([8]), np.array([0, 0])]
    deltas = [np.array([4096]), np.array([4096]), np.array([0, 0])]
    backprop.update(plan, masters, xs, deltas, eta=5, dither=0)
    # 4096*16 >> 7 for the first use, 4096*8 >> 6 for the second; the bias has 1.0 in both.
    assert masters[0].tolist() == [[100 - 512 - 512, -512 - 512]]


def test_lfsr_returns_after_its_period() -> None:
    lfsr = Lfsr(1)
    seen = set()
    while lfsr.state not in seen:
        seen.add(lfsr.state)
        lfsr.step()
    assert len(seen) == 65535 and lfsr.state == 1 and 0 not in seen


@pytest.mark.parametrize("samples", [1, 2, 5, 120, 300])
def test_order_brings_each_sample_once(samples: int) -> None:
    for word in (1, 0x00FF, 0xFF00, 0xB400, 0xFFFF):
        assert sorted(backprop.order(samples, word).tolist()) == list(range(samples))


def test_slopes_are_the_derivative_to_nearest() -> None:
    for frac in (0, 1, 3):
        q = np.arange(-128, 128)
        u = 1 + q * 2.0**-frac
        exact = 256 * 2 * u / (1 + u * u)
        table = backprop.slopes(frac)[q & 0xFF]
        assert np.abs(table - exact).max() <= 0.5 and np.abs(table).max() == 256


@pytest.mark.parametrize("score, least", [("exp", 118), ("taylor2", 117)])
def test_iris_is_learned_from_a_random_start(iris: tuple[Int, Int], score: str, least: int) -> None:
    run = Learner.begin(plan_of(score, epochs=25), 1)
    wrong = [run.epoch(*iris) for _ in range(25)]
    x, labels = iris
    right = sum(
        run.predict(sample).predicted == label for sample, label in zip(x, labels, strict=True)
    )
    assert right >= least and wrong[0] > 20 > wrong[-1]


def test_a_run_goes_on_from_its_file_as_if_it_had_not_stopped(
    iris: tuple[Int, Int], tmp_path: Path
) -> None:
    through = Learner.begin(IRIS, 5)
    stopped = Learner.begin(IRIS, 5)
    x, labels = iris
    for run, stops in ((through, False), (stopped, True)):
        for count in range(170):
            if stops and count in (0, 77, 119, 120):
                learner.save(run.plan, run.state, tmp_path / "run.json")
                plan, state = learner.load(tmp_path / "run.json")
                assert plan == run.plan
                run = Learner(plan, state)
            run.learn(x[run.index], int(labels[run.index]))
        if stops:
            stopped = run
    assert vars(through.state) | {"masters": 0} == vars(stopped.state) | {"masters": 0}
    assert through.state.digest == stopped.state.digest
    assert (through.state.epoch, through.state.position) == (1, 50)


def test_a_stream_holds_the_whole_state(iris: tuple[Int, Int]) -> None:
    run = Learner.begin(IRIS, 5)
    run.learn(iris[0][0], int(iris[1][0]))
    back = unstream(IRIS, stream(IRIS, run.state))
    assert back.digest == run.state.digest
    assert vars(back) | {"masters": 0} == vars(run.state) | {"masters": 0}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('"epoch": 0', '"epoch": 1'), "was edited"),
        (('"lfsr"', '"lsfr"'), "was edited"),
        (("verbatim-learning", "verbatim-network"), "must be a checkpoint of learning"),
        (('"version": 1', '"version": 2'), "version must be 1, got 2"),
        (("}\n", ""), "truncated"),
    ],
)
def test_a_damaged_run_is_refused(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    path = tmp_path / "run.json"
    learner.save(IRIS, Learner.begin(IRIS, 5).state, path)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(LearningError, match=rf"run.json: .*{complaint}"):
        learner.load(path)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("lfsr", 0, "lfsr must be an integer from 1 to 65535, got 0"),
        ("position", 120, "position must be an integer from 0 to 119, got 120"),
        ("epoch", True, "epoch must be an integer from 0 to 65535, got True"),
        ("masters", [], r"masters have shapes \[\], expected"),
    ],
)
def test_an_illegal_state_is_refused(key: str, value: object, complaint: str) -> None:
    state = Learner.begin(IRIS, 5).state
    setattr(state, key, value)
    with pytest.raises(LearningError, match=complaint):
        Learner(IRIS, state)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"relu": (True, False, True, True)}, r"relu\[3\] must be False"),
        ({"sets": (0, 1, 1, 3)}, r"sets\[3\] must be an integer from 0 to 2, got 3"),
        ({"sets": (0, 0, 1, 2)}, "layers 0 and 1 share set 0"),
        ({"ranges": (1, 2)}, "ranges must have 3 entries, one a weight set, got 2"),
        ({"eta": -1}, "eta must be an integer from .*, got -1"),
        ({"eta": 12}, "eta must be an integer from .*, got 12"),
        ({"epochs": 0}, "epochs must be an integer from 1 to 65535, got 0"),
        ({"drops": (50, 101)}, r"drops\[1\] must be an integer from 0 to 100, got 101"),
        (
            {"score": "sigmoid", "logit_frac": None},
            "score must be one of exp, taylor2, got 'sigmoid'",
        ),
        ({"sizes": (4, 30, 30, 3)}, "sets must have 3 entries, one a layer, got 4"),
        ({"logit_frac": 9}, "logit_frac must be an integer from 0 to 8, got 9"),
        ({"sizes": 4}, "plan: sizes must be a tuple, got 4"),
        ({"drops": None}, "plan: drops must be a tuple, got None"),
        ({"score": {}, "logit_frac": None}, r"score must be one of exp, taylor2, got \{\}"),
    ],
)
def test_an_illegal_plan_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        dataclasses.replace(IRIS, **changes)


def test_wrong_samples_are_refused(iris: tuple[Int, Int]) -> None:
    run = Learner.begin(IRIS, 1)
    x, labels = iris
    for bad, complaint in (
        ((x[1:], labels), "samples must have shape"),
        ((x + 200, labels), "codes must be integers from -128 to 127"),
        ((x, labels[1:]), "labels must have shape"),
        ((x, labels + 1), "labels must be integers from 0 to 2, got 1 .. 3"),
    ):
        with pytest.raises(LearningError, match=complaint):
            run.epoch(*bad)


def test_the_network_is_saved_and_becomes_masters_again(
    iris: tuple[Int, Int], tmp_path: Path
) -> None:
    run = Learner.begin(IRIS, 1)
    run.epoch(*iris)
    network = learner.network(IRIS, run.state.masters, name="learned_iris")
    artifact.save(network, tmp_path / "network.json")
    back = artifact.load(tmp_path / "network.json")
    again = learner.network(IRIS, learner.masters_of(IRIS, back))
    assert all(np.array_equal(network.weights[k], again.weights[k]) for k in network.weights)
    layers = [0, 1, 3]  # the second use of a set has its bias from the same masters
    for key in (f"fc{layer + 1}" for layer in layers):
        assert np.array_equal(network.biases[key], again.biases[key])
    wider = dataclasses.replace(IRIS, hidden_frac=2)
    with pytest.raises(LearningError, match="layer 0"):
        learner.masters_of(wider, back)


def test_cores_refuse_lanes_that_none_has() -> None:
    for lanes in (0, 257):
        with pytest.raises(SpecError, match=f"lanes must be an integer from 1 to 256, got {lanes}"):
            Core(IRIS, lanes)


def test_the_mask_looks_at_the_output() -> None:
    assert mask(np.array([3, 3]), np.array([0, -1])).tolist() == [0, 3]


def test_hidden_widths_are_bytes() -> None:
    assert [IRIS.x(layer) for layer in range(5)] == [Format(8, 4)] + [Format(8, 3)] * 4
