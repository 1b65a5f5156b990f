"""A random slice of the box that `make verify-exhaustive` runs whole, and that it would notice."""

from pathlib import Path

import numpy as np
import pytest

from common.paths import BUILD, GOLDEN_IRIS
from model import artifact, images
from model.data import datasets
from tb.modules.mutant import mutated
from tb.modules.registry import mutant_named
from verify.campaigns import input_grid
from verify.campaigns.input_grid import BoxError, check, features

NETWORK = artifact.load(GOLDEN_IRIS)
INDICES = np.random.default_rng(6).choice(input_grid.VECTORS, 5000, replace=False)


def test_box_is_the_datas() -> None:
    data = datasets.load("iris").features
    assert tuple(zip(data.min(axis=0), data.max(axis=0), strict=True)) == tuple(
        (first / 10, last / 10) for first, last in input_grid.ENDS
    )
    assert input_grid.VECTORS == 37 * 25 * 60 * 25 == 1_387_500


def test_every_vector_has_a_number() -> None:
    ends = features(np.array([0, 1, input_grid.VECTORS - 1]))
    assert ends.tolist() == [[4.3, 2.0, 1.0, 0.1], [4.3, 2.0, 1.0, 0.2], [7.9, 4.4, 6.9, 2.5]]
    assert len(np.unique(features(np.arange(10_000)), axis=0)) == 10_000


def test_random_vectors_are_equal() -> None:
    assert check(NETWORK, INDICES, optimize=False) == len(INDICES) * (1 + NETWORK.spec.n_out)


def test_a_flipped_bit_of_a_bias_is_named(tmp_path: Path) -> None:
    images.write_images(NETWORK, tmp_path)
    image = tmp_path / "linear03_biases.mem"
    words, width = images.image_shapes(NETWORK.spec)[image.name]
    values = images.read_image(image, words, width)
    images.write_image(image, [values[0] ^ 1 << (width - 3), *values[1:]], width)
    with pytest.raises(BoxError, match=r"vector \d+, \[\d\.\d, .*\] cm: class and probabilities"):
        check(NETWORK, INDICES, mem=tmp_path, optimize=False)


def test_a_mutant_of_the_rtl_is_noticed() -> None:
    mutant = mutant_named("rounds-half-up")
    with pytest.raises(BoxError, match="the reference has"):
        check(NETWORK, INDICES, rtl=mutated(mutant, BUILD / "mutants" / "box"), optimize=False)
