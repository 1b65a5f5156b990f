"""`Network.learn`: what it begins with, what it returns, and one sentence for what is wrong."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.errors import VerbatimError
from common.paths import GOLDEN_IRIS, ROOT
from model import Network, backends, reference
from model.data import scaling
from model.format import Format
from model.learning import from_network, learner, teach
from model.learning.backprop import Plan
from model.learning.learner import Learner
from model.names import Names

PLAN = Plan(
    (3, 4, 4, 3), (0, 1, 2), (True, True, False), (1, 1, 1), epochs=2, samples=12, score="taylor2"
)
NAMES = Names(("a", "b", "c"), ("red", "green", "blue"), ignored=("colour",))
SCALING = scaling.Scaling((1.0, 2.0, 3.0), (2.0, 1.0, 0.5))
RNG = np.random.default_rng(7)
X = RNG.uniform(-3, 6, (12, 3))
Y = RNG.integers(0, 3, 12)

# A million samples and all that Python and NumPy take beside them.
MOST_MEGABYTES = 500


def network(**changes: Any) -> Network:
    """A network that a core has learned: in the formats of every plan."""
    begun = Learner.begin(PLAN, 5).state.masters
    plain = learner.network(PLAN, begun, name="small", scaling=SCALING)
    return dataclasses.replace(Network(**vars(plain)), **{"names": NAMES, **changes})


def by_hand(plan: Plan, state: learner.State, x: np.ndarray, epochs: int) -> Any:
    """Wrong answers of each epoch, and the state."""
    run = Learner(plan, state.copy())
    return tuple(run.epoch(x, Y) for _ in range(epochs)), run.state


def test_learning_goes_on_from_the_networks_own_weights() -> None:
    source = network()
    found = source.learn(X, Y, epochs=2, seed=9)
    codes = reference.encode(source, X)
    masters = learner.masters_of(PLAN, source)
    wrong, state = by_hand(PLAN, teach.begin(PLAN, 9, masters), codes, 2)
    assert found.plan == PLAN and found.cycles is None
    assert (found.wrong, found.digest) == (wrong, state.digest)
    assert all(map(np.array_equal, found.state.masters, state.masters))
    assert found.state.digest != learner.State(masters, 1, 1, 0, 0).digest


def test_the_first_answers_are_those_of_the_network_itself() -> None:
    source = network()
    plan = from_network.of_network(source, own=True, epochs=1, samples=12)
    masters = from_network.masters_of(plan, source)
    again = from_network.back(plan, masters, source, SCALING)
    for key, weights in source.weights.items():
        assert np.array_equal(again.weights[key], weights)
    for key, biases in source.biases.items():
        assert np.array_equal(again.biases[key], biases)


def test_learning_at_random_begins_where_the_core_begins() -> None:
    source = network(scaling=None)
    found = source.learn(X, Y, epochs=2, seed=9, start="random")
    scale = scaling.standardize(X)
    codes = reference.quantize(scale.apply(X), PLAN.x(0))
    wrong, state = by_hand(found.plan, Learner.begin(found.plan, 9).state, codes, 2)
    assert (found.wrong, found.digest) == (wrong, state.digest)
    assert found.network.scaling == scale
    assert network().learn(X, Y, epochs=1, start="random").network.scaling == SCALING


def test_the_learned_network_is_an_ordinary_one_of_the_same_names_and_folds(tmp_path: Path) -> None:
    source = network()
    source = source.refolded(source.spec.folded({"fc2": (2, 4)}, in_lanes=3, out_lanes=3, lanes=3))
    before = {key: rows.copy() for key, rows in source.weights.items()}
    found = source.learn(X, Y, epochs=3)
    assert isinstance(found.network, Network) and found.network.names == NAMES
    assert [(part.name, part.simd, part.pe) for part in found.network.spec.layers] == [
        (part.name, part.simd, part.pe) for part in source.spec.layers
    ]
    assert (found.network.spec.in_lanes, found.network.spec.output) == (3, source.spec.output)
    assert found.network.provenance["learned"]["masters_sha256"] == found.digest
    assert all(np.array_equal(before[key], source.weights[key]) for key in before)
    found.network.save(tmp_path / "learned.json")
    loaded = Network.load(tmp_path / "learned.json")
    assert np.array_equal(loaded.predict(X).probabilities, found.network.predict(X).probabilities)
    run = Learner(found.plan, found.state)
    answers = [run.predict(row).predicted for row in reference.encode(source, X)]
    assert loaded.predict(X).classes.tolist() == answers


def test_a_checkpoint_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    source = network()
    found = source.learn(X, Y, epochs=2)
    found.save_checkpoint(tmp_path / "half.json")
    plan, state = learner.load(tmp_path / "half.json")
    run = Learner(plan, state)
    codes = reference.encode(source, X)
    run.epoch(codes, Y)
    whole = Learner(found.plan, teach.begin(found.plan, 1, learner.masters_of(PLAN, source)))
    for _ in range(3):
        whole.epoch(codes, Y)
    assert run.state.digest == whole.state.digest


class Frame:
    """Columns by name, as pandas has them."""

    def __init__(self, **columns: np.ndarray) -> None:
        self.content, self.columns = columns, list(columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.content[name]


def test_classes_by_name_and_features_by_column_are_taken() -> None:
    source = network()
    wanted = source.learn(X, Y, epochs=2).digest
    named = [NAMES.classes[label] for label in Y]
    table = Frame(c=X[:, 2], colour=X[:, 0], a=X[:, 0], b=X[:, 1])
    for x, y in (
        (X.tolist(), Y.tolist()),
        (X, named),
        (X, np.array(named, object)),
        (table, Y.astype(np.uint8)),
    ):
        assert source.learn(x, y, epochs=2).digest == wanted


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"y": Y[1:]}, r"y must have shape \(12,\), a label a sample, got \(11,\)"),
        ({"y": [[1], [1, 2]]}, r"y must have one label for each of 12 samples"),
        ({"y": np.full(12, 3)}, r"labels must be integers from 0 to 2, got 3"),
        ({"y": np.full(12, -1)}, r"labels must be integers from 0 to 2, got -1"),
        ({"y": Y * 1.0}, r"y must be integers from 0 to 2 or names of classes, got float64"),
        ({"y": Y == 1}, r"y must be integers from 0 to 2 or names of classes, got bool"),
        ({"y": ["pink"] * 12}, r"a class must be one of red, green, blue, got 'pink'"),
        ({"X": X[:, :2]}, r"features must have shape \(samples, 3\), got \(12, 2\)"),
        ({"X": np.where(X > 5, np.nan, X)}, r"must be a finite number, got nan"),
        ({"X": X[:0], "y": Y[:0]}, r"X must have at least one sample, got none"),
        ({"epochs": 0}, r"epochs must be an integer from 1 to 65535, got 0"),
        ({"epochs": 2.5}, r"epochs must be an integer from 1 to 65535, got 2.5"),
        ({"seed": 0}, r"seed must be an integer from 1 to 65535, got 0"),
        ({"seed": 65536, "start": "random"}, r"seed must be an integer from 1 to 65535, got 65536"),
        ({"start": "zero"}, r"start must be one of own, random, got 'zero'"),
        ({"eta": 40}, r"eta must be an integer from -?\d+ to \d+, got 40"),
        ({"backend": "gpu"}, r"backend must be one of reference, native.*, got 'gpu'"),
        ({"lanes": 3}, r"backend 'reference': unknown option 'lanes', it takes none"),
    ],
)
def test_bad_input_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(VerbatimError, match=sentence) as caught:
        network().learn(**{"X": X, "y": Y, "epochs": 1, **changes})
    assert "\n" not in str(caught.value)


def test_names_need_a_network_that_has_them() -> None:
    with pytest.raises(VerbatimError, match="the network has no names of classes, got 'red'"):
        network(names=None).learn(X, ["red"] * 12, epochs=1)


def test_weights_beyond_a_master_are_refused_and_learned_at_random() -> None:
    golden = Network.load(GOLDEN_IRIS)
    x, y = RNG.uniform(0, 8, (9, 4)), RNG.integers(0, 3, 9)
    with pytest.raises(VerbatimError, match=r"layer fc3: biases must be -2 .. 2 .*start='random'"):
        golden.learn(x, y, epochs=1)
    found = golden.learn(x, y, epochs=1, start="random")
    assert found.plan.sets == (0, 1, 1, 2) and found.plan.relu == (True, False, True, False)
    assert found.network.spec.layers[2].weights == "fc2"


def test_other_formats_become_masters_to_nearest() -> None:
    source = network()
    fine = dataclasses.replace(
        source.spec.layers[0], w=Format(8, 7), y=Format(6, 1), relu=True, acc_w=24
    )
    then = dataclasses.replace(source.spec.layers[1], x=Format(6, 1), acc_w=24)
    spec = source.spec.with_layers([fine, then, *source.spec.layers[2:]])
    weights = {**source.weights, "fc1": np.arange(-128, -116).reshape(4, 3)}
    other = dataclasses.replace(source, spec=spec, weights=weights)
    plan = from_network.of_network(other, own=True, epochs=1, samples=12)
    # 6 bits at frac 1 have the range of 8 bits at frac 3, as has the other layer.
    assert (plan.hidden_frac, plan.input_frac, plan.logit_frac) == (3, 4, 1)
    first = from_network.masters_of(plan, other)[0][:, :-1]
    assert np.array_equal(first >> 8, np.floor(weights["fc1"] / 2 + 0.5))


def test_more_samples_than_a_core_counts_are_learned_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(teach, "PIECE", 5)
    source = network()
    found = source.learn(X, Y, epochs=2)
    assert found.plan.epochs == 6 and found.plan.samples == 4
    codes = reference.encode(source, X)
    state = teach.begin(found.plan, 1, learner.masters_of(PLAN, source))
    wrong = [0, 0]
    for number in range(6):
        part = slice(4 * (number % 3), 4 * (number % 3) + 4)
        run = Learner(found.plan, state.copy())
        wrong[number // 3] += run.epoch(codes[part], Y[part])
        state = run.state
    assert (list(found.wrong), found.digest) == (wrong, state.digest)
    assert (found.state.epoch, found.state.position) == (6, 0)
    uneven = source.learn(X[:11], Y[:11], epochs=2)
    assert (uneven.plan.samples, uneven.state.epoch) == (4, 6)


def test_pieces_cover_every_sample_once() -> None:
    for count in (1, 65_535, 65_536, 1_000_003):
        parts = teach.pieces(count)
        assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
        assert (parts[0].start, parts[-1].stop) == (0, count)
        sizes = [part.stop - part.start for part in parts]
        assert max(sizes) <= 65_535 and max(sizes) - min(sizes) <= 1 and max(sizes) == sizes[0]


def test_every_learner_is_a_function() -> None:
    assert {"reference", "native", "icarus", "verilator"} <= set(backends.LEARNERS)
    options: dict[str, dict[str, Any]] = {"board": {"port": "/dev/null"}}
    for name in backends.LEARNERS:
        assert callable(backends.find(name, options.get(name, {}), backends.LEARNERS))


# Every piece is taken and counted as any implementation takes it, which keeps a piece at a time.
MILLION = f"""
from pathlib import Path
import numpy as np
from model import Network
from model.learning import teach
seen = []
def count(plan, state, x, labels, epochs):
    seen.append(int((x[:, 0] >= -128).sum()))
    return teach.Taught(state, [int((labels == 1).sum())])
teach.by_reference = count
network = Network.load({str(GOLDEN_IRIS)!r})
rng = np.random.default_rng(1)
features, labels = rng.uniform(0, 8, (1_000_000, 4)), rng.integers(0, 3, 1_000_000)
found = network.learn(features, labels, epochs=1, start="random")
assert sum(seen) == 1_000_000 and len(seen) == 16
assert found.wrong == (int((labels == 1).sum()),)
status = Path("/proc/self/status").read_text().splitlines()
print(*(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")))
"""


def megabytes(script: str) -> int:
    """Peak memory of a Python process, MB."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_million_samples_stay_small() -> None:
    assert megabytes(MILLION) < MOST_MEGABYTES


def test_memory_beyond_that_is_seen() -> None:
    assert megabytes("import numpy\nkept = numpy.ones(1 << 26)\n" + MILLION) > MOST_MEGABYTES
