"""A wrong bit in the exported data is noticed, and the sentence says where it is seen first."""

import re
from pathlib import Path

import numpy as np
import pytest

from model import images
from model.words import Field
from tb.benches.scoreboard import Scoreboard
from tb.sim.made_up import codes, made_up
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tb.sim.runner import SimulationFailed

NETWORK = made_up([4, 6, 3], folds=[(2, 3), (3, 1)])
X = codes(np.random.default_rng(4), NETWORK, 12)


@pytest.mark.parametrize(
    "image, word, stream",
    [
        ("linear00_weights.mem", 3, r"fc1\.acc"),
        ("linear00_biases.mem", 1, r"fc1\.acc"),
        ("linear01_weights.mem", 1, r"fc2\.acc"),
        ("linear01_biases.mem", 2, r"fc2\.acc"),
        ("reciprocal.mem", None, r"softmax\.quotients"),
    ],
)
def test_a_flipped_bit_of_an_image_is_seen_where_it_enters(
    image: str, word: int | None, stream: str, tmp_path: Path
) -> None:
    images.write_images(NETWORK, tmp_path / "mem")
    path = tmp_path / "mem" / image
    words, width = images.image_shapes(NETWORK.spec)[image]
    values = images.read_image(path, words, width)
    # One bit of one word; of the table's every word, since few of them are used.
    flipped = [
        value ^ (1 << (width - 2)) if word is None or index == word else value
        for index, value in enumerate(values)
    ]
    images.write_image(path, flipped, width)
    with pytest.raises(SimulationFailed) as caught:
        run_network(
            NETWORK,
            X,
            "icarus",
            folder=tmp_path,
            mem=tmp_path / "mem",
            name=f"flipped-{image}",
            testcase=EVERY_SAMPLE,
        )
    sentence = rf"{stream}: sample \d+, element \d+: expected -?\d+, got -?\d+, at \d+ ns"
    assert re.search(sentence, str(caught.value)), str(caught.value)


FIELD = Field("y", 8, 2, signed=True)


def scoreboard() -> Scoreboard:
    """Two samples of four values, in beats of two."""
    board = Scoreboard()
    board.expect("layer.y", FIELD, np.arange(8).reshape(2, 4) - 4)
    return board


def test_a_scoreboard_counts_equal_values() -> None:
    board = scoreboard()
    for beat in (-4, -2, 0, 2):
        board.observe("layer.y", FIELD.pack([beat, beat + 1]), 10)
    assert board.conclude() == 8


def test_a_scoreboard_names_the_first_value_that_differs() -> None:
    board = scoreboard()
    board.observe("layer.y", FIELD.pack([-4, -3]), 10)
    board.observe("layer.y", FIELD.pack([-2, -1]), 20)
    board.observe("layer.y", FIELD.pack([0, 7]), 30)
    board.observe("layer.y", FIELD.pack([9, 3]), 40)
    sentence = "layer.y: sample 1, element 1: expected 1, got 7, at 30 ns"
    with pytest.raises(AssertionError, match=f"{sentence} \\(2 of 8 values differ\\)"):
        board.conclude()


def test_a_scoreboard_that_compared_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="nothing was compared"):
        Scoreboard().conclude()
    with pytest.raises(AssertionError, match="nothing was compared"):
        scoreboard().conclude()


def test_a_scoreboard_that_saw_too_little_or_too_much_fails() -> None:
    board = scoreboard()
    board.observe("layer.y", FIELD.pack([-4, -3]), 10)
    with pytest.raises(AssertionError, match="2 of 8 values came"):
        board.conclude()
    for beat in (-2, 0, 2):
        board.observe("layer.y", FIELD.pack([beat, beat + 1]), 10)
    with pytest.raises(AssertionError, match="beyond the 4"):
        board.observe("layer.y", 0, 20)
