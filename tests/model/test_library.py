"""`model.Network`: the same shapes, types and values whatever the backend, or one sentence."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.errors import VerbatimError
from common.paths import GOLDEN_IRIS, ROOT
from model import Network, Prediction, backends, images, library, reference
from model.backends import BackendError
from model.format import SpecError
from model.names import Names

NETWORK = Network.load(GOLDEN_IRIS)
# What a backend must be told.
OPTIONS: dict[str, dict[str, Any]] = {"board": {"port": "/dev/null"}}
X = np.random.default_rng(5).uniform(0, 8, (300, 4))

# A million samples and all that Python and NumPy take beside them.
MOST_MEGABYTES = 500


def test_prediction_is_the_references() -> None:
    found = NETWORK.predict(X)
    classes, probabilities = reference.predict(NETWORK, X)
    assert (found.classes.dtype, found.probabilities.dtype) == (np.int64, np.uint8)
    assert np.array_equal(found.classes, classes)
    assert np.array_equal(found.probabilities, probabilities)
    assert np.array_equal(found.fractions, probabilities / 255)


def test_trace_is_the_references() -> None:
    found = NETWORK.trace(X)
    expected = reference.trace(NETWORK, reference.quantize(X, NETWORK.spec.x))
    assert list(found) == list(expected)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_saved_network_loads_equal(tmp_path: Path) -> None:
    NETWORK.save(tmp_path / "copy.json")
    again = Network.load(str(tmp_path / "copy.json"))
    assert isinstance(again, Network)
    assert (tmp_path / "copy.json").read_text() == GOLDEN_IRIS.read_text()
    assert np.array_equal(again.predict(X).probabilities, NETWORK.predict(X).probabilities)


def test_network_refolded_is_a_network_still() -> None:
    assert isinstance(NETWORK.refolded(NETWORK.spec.unrolled()), Network)


def test_samples_are_served_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = NETWORK.predict(X)
    monkeypatch.setattr(library, "CHUNK", 7)
    pieces = NETWORK.predict(X)
    assert np.array_equal(whole.classes, pieces.classes)
    assert np.array_equal(whole.probabilities, pieces.probabilities)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8, list])
def test_real_numbers_of_each_type_are_taken(kind: Any) -> None:
    numbers = np.arange(40).reshape(10, 4) % 8
    given = numbers.tolist() if kind is list else numbers.astype(kind)
    assert np.array_equal(NETWORK.predict(given).classes, NETWORK.predict(numbers * 1.0).classes)


def test_no_sample_gives_no_result() -> None:
    for backend in backends.BACKENDS:
        found = NETWORK.predict(np.empty((0, 4)), backend=backend, **OPTIONS.get(backend, {}))
        assert (found.classes.shape, found.probabilities.shape) == ((0,), (0, 3))


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (np.zeros((3, 5)), r"shape \(samples, 4\), got \(3, 5\)"),
        (np.zeros(4), r"shape \(samples, 4\), got \(4,\)"),
        (np.array([[1.0, 2.0, np.nan, 3.0]]), r"feature \[0, 2\] must be a finite number, got nan"),
        (np.full((2, 4), np.inf), r"feature \[0, 0\] must be a finite number, got inf"),
        (np.full((2, 4), "x"), r"features must be real numbers, got <U1"),
        (np.full((2, 4), 1j), r"features must be real numbers, got complex128"),
        (np.full((2, 4), True), r"features must be real numbers, got bool"),
        ([[1.0, 2.0], [3.0]], r"must have equal length"),
    ],
)
def test_bad_features_are_one_sentence(features: Any, sentence: str) -> None:
    for ask in (NETWORK.predict, NETWORK.trace):
        with pytest.raises(VerbatimError, match=sentence):
            ask(features)


def test_a_bad_feature_is_named_by_its_place_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "CHUNK", 7)
    bad = X.copy()
    bad[100, 1] = np.nan
    with pytest.raises(VerbatimError, match=r"feature \[100, 1\] must be a finite number, got nan"):
        NETWORK.predict(bad)


def test_unknown_backend_is_one_sentence() -> None:
    with pytest.raises(
        BackendError, match=r"backend must be one of reference, icarus.*, got 'gpu'"
    ):
        NETWORK.predict(X, backend="gpu")


def test_backend_that_cannot_be_loaded_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backends.BACKENDS, "gpu", "no_such_package:run")
    with pytest.raises(BackendError, match=r"backend 'gpu' cannot be loaded: .*no_such_package"):
        NETWORK.predict(X, backend="gpu")


def test_backend_that_loses_a_sample_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        backends, "find", lambda name, options: lambda network, codes: (codes[1:, 0], codes[1:, :3])
    )
    with pytest.raises(BackendError, match=r"gave classes \(299,\).* for 300 samples"):
        NETWORK.predict(X)


def test_every_backend_is_a_function() -> None:
    assert all(callable(backends.find(name, OPTIONS.get(name, {}))) for name in backends.BACKENDS)


@pytest.mark.parametrize(
    ("backend", "options", "sentence"),
    [
        ("reference", {"port": "x"}, "'reference': unknown option 'port', it takes none"),
        ("board", {}, "'board': option 'port' is missing"),
        (
            "board",
            {"port": "x", "speed": 9600},
            "unknown option 'speed', expected one of port, baud",
        ),
    ],
)
def test_bad_option_of_a_backend_is_one_sentence(
    backend: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BackendError, match=sentence):
        NETWORK.predict(X, backend=backend, **options)


class Frame:
    """Columns by name, as pandas has them."""

    def __init__(self, **columns: np.ndarray) -> None:
        self.content, self.columns = columns, list(columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.content[name]

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return np.stack(list(self.content.values()), axis=1)


def test_columns_of_a_table_are_taken_by_name() -> None:
    names = Names(("a", "b", "c", "d"), ignored=("kind",))
    network = Network(**{**vars(NETWORK), "names": names})
    columns = {name: X[:, n] for n, name in enumerate("abcd")}
    frame = Frame(kind=X[:, 0], **{name: columns[name] for name in "dbca"})
    wanted = NETWORK.predict(X).probabilities
    assert (network.predict(frame).probabilities == wanted).all()
    assert (network.trace(frame)["input"] == NETWORK.trace(X)["input"]).all()
    with pytest.raises(SpecError, match="table lacks columns 'd', expected a, b, c, d"):
        network.predict(Frame(**{name: columns[name] for name in "abc"}))


def test_prediction_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        NETWORK.predict(X).classes = None  # type: ignore[misc]
    names = [field.name for field in dataclasses.fields(Prediction)]
    assert names == ["output", "results", "outside"]


def test_summary_has_a_line_for_each_part_and_the_totals() -> None:
    title, heads, _, *parts, totals = NETWORK.summary().splitlines()
    spec = NETWORK.spec
    assert title == "iris: 4 features, 3 classes"
    assert [line.split()[0].rstrip(",") for line in parts] == [
        *(layer.name for layer in spec.layers),
        "softmax",
    ]
    assert len({len(line) for line in (heads, *parts)}) == 1
    multipliers = sum(layer.multipliers for layer in spec.layers)
    bits = sum(words * width for words, width in images.image_shapes(spec).values())
    assert totals.startswith(f"{multipliers} multipliers, {bits:,} bits of ROM")
    assert f"every {spec.interval} cycles, {spec.latency} cycles after" in totals


# VmHWM and not ru_maxrss, which begins with the peak of whoever started the process.
MILLION = f"""
from pathlib import Path
import numpy as np
from model import Network
network = Network.load({str(GOLDEN_IRIS)!r})
features = np.random.default_rng(1).uniform(0, 8, (1_000_000, 4))
assert len(network.predict(features).classes) == 1_000_000
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
