"""A random slice of the box that `make exhaustive` runs whole, and that it would notice."""

from pathlib import Path

import numpy as np
import pytest

from model import artifact, datasets
from tb import box
from tb.box import BoxError, check, features
from tb.test_mutants import Mutant, mutated
from tb.tools import BUILD, ROOT

NETWORK = artifact.load(ROOT / "tb/golden/iris.network.json")
INDICES = np.random.default_rng(6).choice(box.VECTORS, 5000, replace=False)


def test_box_is_the_datas() -> None:
    data = datasets.load("iris").features
    assert tuple(zip(data.min(axis=0), data.max(axis=0), strict=True)) == tuple(
        (first / 10, last / 10) for first, last in box.ENDS
    )
    assert box.VECTORS == 37 * 25 * 60 * 25 == 1_387_500


def test_every_vector_has_a_number() -> None:
    ends = features(np.array([0, 1, box.VECTORS - 1]))
    assert ends.tolist() == [[4.3, 2.0, 1.0, 0.1], [4.3, 2.0, 1.0, 0.2], [7.9, 4.4, 6.9, 2.5]]
    assert len(np.unique(features(np.arange(10_000)), axis=0)) == 10_000


def test_random_vectors_are_equal() -> None:
    assert check(NETWORK, INDICES, optimize=False) == len(INDICES) * (1 + NETWORK.spec.n_out)


def test_a_flipped_bit_of_a_bias_is_named(tmp_path: Path) -> None:
    artifact.write_images(NETWORK, tmp_path)
    image = tmp_path / "linear03_biases.mem"
    words, width = artifact.image_shapes(NETWORK.spec)[image.name]
    values = artifact.read_image(image, words, width)
    artifact.write_image(image, [values[0] ^ 1 << (width - 3), *values[1:]], width)
    with pytest.raises(BoxError, match=r"vector \d+, \[\d\.\d, .*\] cm: class and probabilities"):
        check(NETWORK, INDICES, mem=tmp_path, optimize=False)


def test_a_mutant_of_the_rtl_is_noticed() -> None:
    mutant = Mutant("", "mlp_requantize", "|| kept[0])", "|| 1'b1)", "")
    with pytest.raises(BoxError, match="the reference has"):
        check(NETWORK, INDICES, rtl=mutated(mutant, BUILD / "mutants" / "box"), optimize=False)
