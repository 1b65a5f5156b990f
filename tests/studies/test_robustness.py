"""Boxes of constant class: as enumeration finds them, and a checker that refuses all else."""

import ast
import dataclasses
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS, RECIPES, ROOT
from model import artifact, backends, recipe, reference
from model.artifact import Network
from model.bounds import accumulator_width
from model.data import datasets
from model.format import Format, Int
from model.spec import NetworkSpec
from model.stages.activation import Activation
from model.stages.linear import LayerSpec
from model.stages.output import LogitsSpec
from model.stages.softmax import SoftmaxSpec
from studies.robustness import check, measure, page, search
from studies.robustness.search import Prover, Sample

Holds = Callable[[Any, Any, int, bool], bool]

# Samples of iris of small radius, which enumeration reaches, and of both sorts of score.
FEW = (70, 85, 110, 125)


def drawn(seed: int, score: str) -> Network:
    """A small network at random whose logits saturate and tie, of 2 inputs with 5 bits."""
    draw = np.random.default_rng(seed)
    sizes, layers, weights, biases = (2, 4, 3, 3), [], {}, {}
    x, interval = Format(5, 1), (-16, 15)
    for n, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        y = Format(5, 1 - n // 2)
        w = Format(5, int(draw.integers(0, 3)))
        weights[f"l{n}"] = draw.integers(w.q_min, w.q_max + 1, (n_out, n_in))
        biases[f"l{n}"] = draw.integers(-40, 41, n_out)
        needed = accumulator_width(weights[f"l{n}"], biases[f"l{n}"], interval)
        shift = w.frac + x.frac - y.frac
        acc_w = max(needed, x.width + w.width, y.width + shift)
        relu = n == 0
        layers.append(LayerSpec(f"l{n}", f"l{n}", n_in, n_out, x, w, y, acc_w, relu, n_in, n_out))
        x, interval = y, (0 if relu else y.q_min, y.q_max)
    end = SoftmaxSpec(sizes[-1], x, score, "restoring", lanes=1)
    return Network(NetworkSpec("drawn", (*layers, end), 1, 1), weights, biases)


def enumerated(network: Network, x: Int) -> int:
    """The largest radius in which every vector of codes has the class of ``x``."""
    least, most = network.spec.x.q_min, network.spec.x.q_max
    (winner,) = reference.trace(network, x[None])["softmax.class"]
    for radius in range(1, most - least + 1):
        ends = [range(max(v - radius, least), min(v + radius, most) + 1) for v in x.tolist()]
        codes = np.array(list(itertools.product(*ends)))
        if (reference.trace(network, codes)["softmax.class"] != winner).any():
            return radius - 1
    return most - least


def write(network: Network, found: list[Sample], folder: Path) -> tuple[Path, Path]:
    """Files of a network and of its certificate."""
    path, proof = folder / "network.json", folder / "robustness.json"
    artifact.save(network, path)
    proof.write_text(measure.certificate(path, found))
    return path, proof


@pytest.mark.parametrize("score", ["taylor2", "exp"])
def test_radius_is_that_of_enumeration(score: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    radii = set()
    for seed in range(6):
        network = drawn(seed, score)
        codes = draw.integers(-16, 16, (6, 2))
        found = [search.search(Prover(network), x) for x in codes]
        assert [s.radius for s in found] == [enumerated(network, x) for x in codes]
        classes = reference.trace(network, codes)["softmax.class"].tolist()
        assert [s.winner for s in found] == classes
        for s in found:
            assert s.other is None or s.distance == s.radius + 1
        path, proof = write(network, found, tmp_path)
        exact = sum(s.other is not None for s in found)
        said = check.check(str(path), str(proof))
        assert said.startswith("6 boxes proved in ") and said.endswith(
            f"{exact} of them the largest"
        )
        radii |= {s.radius for s in found}
    assert {0, 1, 2} <= radii and len(radii) > 5


@dataclasses.dataclass
class Claim:
    """Classes that follow for a box of small networks, and those that there are in it."""

    point: bool
    held: set[int]
    classes: set[int]

    @property
    def is_wrong(self) -> bool:
        """True if a class follows that is not the only one, or that of a point does not."""
        return self.held != self.classes and (self.point or bool(self.held))


def claims(holds: Holds, score: str, folder: Path) -> Iterator[Claim]:
    """Claims of points and boxes, drawn at random."""
    draw = np.random.default_rng(2)
    for seed in range(10, 18):
        network = drawn(seed, score)
        path, _ = write(network, [], folder)
        file = json.loads(path.read_text())
        for width in [0] * 12 + [5] * 12:
            low, deep = draw.integers(-16, 11, 2), bool(draw.integers(2))
            box = np.stack([low, low + draw.integers(0, width + 1, 2)], axis=1).tolist()
            codes = np.array(list(itertools.product(*(range(a, b + 1) for a, b in box))))
            classes = {*reference.trace(network, codes)["softmax.class"].tolist()}
            yield Claim(width == 0, {k for k in range(3) if holds(file, box, k, deep)}, classes)


@pytest.mark.parametrize("score", ["taylor2", "exp"])
def test_checker_proves_nothing_that_is_wrong(score: str, tmp_path: Path) -> None:
    found = list(claims(check.holds, score, tmp_path))
    assert [claim for claim in found if claim.is_wrong] == []
    boxes = [claim for claim in found if not claim.point]
    assert len(boxes) > sum(len(claim.classes) == 1 for claim in boxes) > 30
    assert sum(len(claim.held) for claim in boxes) > 20


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        (" - (r < winner)", ""),
        (" - (v // step % 2 == 0)", ""),
        ("two[c < 0]", "two[c > 0]"),
        ("v[c < 0]", "v[c > 0]"),
        ("s * max(s *", "s * min(s *"),
        ("min(max(code, least), top - 1)", "max(code, least)"),
        ("centre * (s - t)", "centre"),
        ("(0, None): -top", "(0, None): 0"),
    ],
)
def test_mistake_in_the_checker_is_noticed(text: str, instead: str, tmp_path: Path) -> None:
    source = Path(check.__file__).read_text()
    assert source.count(text) == 1
    broken: dict[str, Any] = {"__name__": "broken"}
    exec(compile(source.replace(text, instead), "broken", "exec"), broken)
    both = itertools.chain(
        claims(broken["holds"], "taylor2", tmp_path), claims(broken["holds"], "exp", tmp_path)
    )
    assert any(claim.is_wrong for claim in both)


@pytest.fixture(scope="module")
def iris() -> tuple[Network, list[Sample]]:
    network = artifact.load(GOLDEN_IRIS)
    codes = reference.encode(network, datasets.load("iris").features)
    return network, [search.search(Prover(network), codes[n]) for n in FEW]


def test_radius_of_iris_is_that_of_enumeration(iris: tuple[Network, list[Sample]]) -> None:
    network, found = iris
    assert [s.radius for s in found] == [enumerated(network, s.codes) for s in found]
    assert [s.radius for s in found] == [0, 3, 1, 2]


def test_corners_and_counterexamples_are_the_rtls(
    iris: tuple[Network, list[Sample]], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, found = iris
    assert measure.replay(network, found) == len(FEW) * (16 + 1)

    def wrong(_: Network, codes: Int) -> tuple[Int, Int]:
        classes, probabilities = backends.find("reference", {})(network, codes)
        classes[-1] = (classes[-1] + 1) % 3
        return classes, probabilities

    monkeypatch.setattr(backends, "native", wrong, raising=False)
    monkeypatch.setitem(backends.BACKENDS, "native", "model.backends:native")
    with pytest.raises(measure.RobustnessError, match=r"sample 3: backend native must have class"):
        measure.replay(network, found)


def wider(entry: list[Any]) -> None:
    entry[2] += 1


def with_one_leaf_of_all(entry: list[Any]) -> None:
    assert measure.leaves_of(entry[3]) > 2
    entry[3] = [-2]


def with_two_leaves_of_all(entry: list[Any]) -> None:
    entry[3] = [*entry[3][:2], -1, -2]


def of_another_class(entry: list[Any]) -> None:
    entry[1] = (entry[1] + 1) % 3


def without_last_leaf(entry: list[Any]) -> None:
    del entry[3][-1]


def with_a_fraction(entry: list[Any]) -> None:
    entry[3] = [0, entry[0][0] + 0.5, -1, -1]


def with_a_negative_radius(entry: list[Any]) -> None:
    entry[2] = -1


def with_codes_out_of_range(entry: list[Any]) -> None:
    entry[0][0] = 200


def with_an_unknown_class(entry: list[Any]) -> None:
    entry[1] = -1


def with_a_counterexample_of_the_class(entry: list[Any]) -> None:
    entry[4] = entry[0]


def with_a_counterexample_that_is_none(entry: list[Any]) -> None:
    entry[4], entry[5] = entry[0], (entry[1] + 1) % 3


def with_a_rival_that_is_the_class(entry: list[Any]) -> None:
    entry[4], entry[5] = entry[0], entry[1]


BREAKS = [
    wider,
    with_one_leaf_of_all,
    with_two_leaves_of_all,
    of_another_class,
    without_last_leaf,
    with_a_fraction,
    with_a_negative_radius,
    with_codes_out_of_range,
    with_an_unknown_class,
    with_a_counterexample_of_the_class,
    with_a_counterexample_that_is_none,
    with_a_rival_that_is_the_class,
]


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_broken_entry_is_refused(
    change: Callable[[list[Any]], None], iris: tuple[Network, list[Sample]], tmp_path: Path
) -> None:
    path, proof = write(iris[0], iris[1][1:2], tmp_path)
    assert "1 boxes proved" in check.check(str(path), str(proof))
    content = json.loads(proof.read_text())
    change(content["samples"][0])
    proof.write_text(json.dumps(content))
    with pytest.raises((ValueError, StopIteration)):
        check.check(str(path), str(proof))


def test_code_that_no_input_has_is_refused(tmp_path: Path) -> None:
    """The class is constant, so that nothing but the range of the codes speaks against it."""
    spec = drawn(1, "exp").spec
    weights = {layer.name: np.zeros((layer.n_out, layer.n_in), np.int64) for layer in spec.layers}
    biases = {layer.name: np.zeros(layer.n_out, np.int64) for layer in spec.layers}
    biases["l2"][0] = 40
    network = Network(spec, weights, biases)
    path, proof = write(network, [search.search(Prover(network), np.array([15, 15]))], tmp_path)
    assert check.check(str(path), str(proof)).startswith("1 boxes proved")
    content = json.loads(proof.read_text())
    content["samples"][0][0][0] += 1
    proof.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="sample 1 is not proved"):
        check.check(str(path), str(proof))


def test_certificate_of_another_network_is_refused(
    iris: tuple[Network, list[Sample]], tmp_path: Path
) -> None:
    path, proof = write(iris[0], iris[1][:1], tmp_path)
    content = json.loads(path.read_text())
    content["biases"]["fc3"][0] += 1
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="sample 1 is not proved"):
        check.check(str(path), str(proof))
    with pytest.raises(measure.RobustnessError, match="refused: ValueError"):
        measure.checked(path, proof)


def test_one_changed_weight_of_the_network_is_noticed(
    iris: tuple[Network, list[Sample]], tmp_path: Path
) -> None:
    """The digest is not what proves: a certificate signed for a wrong network is refused too."""
    network, found = iris
    weights = {name: array.copy() for name, array in network.weights.items()}
    weights["fc3"][:] = weights["fc3"][::-1]
    other = Network(network.spec, weights, network.biases)
    path, proof = write(other, found, tmp_path)
    with pytest.raises(ValueError, match="is not proved"):
        check.check(str(path), str(proof))


def test_layers_and_outputs_of_other_kinds_are_refused(
    iris: tuple[Network, list[Sample]], tmp_path: Path
) -> None:
    network, found = iris
    first, *others = network.spec.layers
    table = dataclasses.replace(first, relu=False, activation=Activation("tanh", first.y))
    ranked = LogitsSpec(3, network.spec.output.x, lanes=1, ranked=True)
    for spec, words in (
        (network.spec.with_layers([table, *others]), "fc1, softmax"),
        (network.spec.with_output(ranked), "logits"),
    ):
        path, proof = write(dataclasses.replace(network, spec=spec), found, tmp_path)
        with pytest.raises((KeyError, TypeError)):
            check.check(str(path), str(proof))
        with pytest.raises(measure.RobustnessError, match=f"softmax at the end, got {words}"):
            measure.measure(recipe.load(RECIPES / "iris.toml"), path, tmp_path, 1)


def test_checker_is_short_and_needs_python_alone() -> None:
    text = Path(check.__file__).read_text()
    assert len(text.splitlines()) <= 80
    tree = list(ast.walk(ast.parse(text)))
    imported = {a.name for n in tree if isinstance(n, ast.Import) for a in n.names}
    imported |= {str(n.module) for n in tree if isinstance(n, ast.ImportFrom)}
    assert imported == {"hashlib", "json", "sys", "pathlib", "typing"}
    assert not [n for n in tree if isinstance(n, ast.Div)]
    assert not [n for n in tree if isinstance(n, ast.Constant) and isinstance(n.value, float)]


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, check.__file__, str(GOLDEN_IRIS), str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("refused: FileNotFoundError") and done.stderr.count("\n") == 1
    command = [sys.executable, "-m", measure.HERE, "--build", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"python -m {measure.HERE}: {tmp_path}/network.json: cannot be")
    assert list(tmp_path.iterdir()) == []


def test_tables_and_page_have_every_figure(
    iris: tuple[Network, list[Sample]], tmp_path: Path
) -> None:
    network, found = iris
    labels = np.array([s.winner for s in found])
    labels[0] += 1
    measured = measure.Measured(network, found, labels)
    row = measure.figures(measured) | {"check seconds": 1.5, "replayed": 68, "bits": 8}
    assert (row["samples"], row["correct"], row["exact"], row["gap"]) == (4, 3, 4, 0)
    assert row["constant"][:5] == [4, 3, 2, 1, 0]
    assert row["proved"][:5] == row["open"][:5] == [3, 3, 2, 1, 0]
    lines = measure.rows(measured).splitlines()
    assert len(lines) == 5 and lines[0].startswith("sample,label,class,radius,counterexample")
    assert sum(measure.leaves_of(s.cuts) for s in found) == row["leaves"]
    text = page.page([row], [row], least=6, narrow=16, lines=80)
    assert "| iris | 4 | 4 | 3 | 3 | 2 | 0 |" in text
    path = tmp_path / "picture.png"
    page.picture([row]).savefig(path)
    assert path.stat().st_size > 10_000
