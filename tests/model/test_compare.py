"""Two traces are equal in every value, or the first that is not is named."""

from typing import Any

import numpy as np
import pytest

from model.compare import DifferenceError, require_equal

WANTED = {"fc1": np.array([[1, 2], [3, 4]]), "fc2": np.array([[5], [6]])}


def found(**changed: Any) -> dict[str, Any]:
    return {**{name: array.copy() for name, array in WANTED.items()}, **changed}


def test_equal_traces_are_counted() -> None:
    assert require_equal(found(), WANTED, "it") == {"fc1": 4, "fc2": 2}
    assert require_equal({"fc2": WANTED["fc2"]}, WANTED, "it") == {"fc2": 2}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"fc1": np.array([[1, 2], [9, 8]])},
            r"fc1: sample 1, neuron 0: it gives 9, the reference 3; 2 of 4 values differ",
        ),
        (
            {"fc1": np.array([[1, 1], [3, 4]])},
            r"fc1: sample 0, neuron 1: it gives 1, the reference 2; 1 of 4 values differ",
        ),
        ({"fc2": np.array([[5], [7]])}, "fc2: sample 1, .* it gives 7, the reference 6"),
        # Each would be broadcast, and equal.
        ({"fc2": np.zeros((0, 1))}, r"fc2: it gives \(0, 1\), the reference \(2, 1\)"),
        ({"fc1": np.array([[1, 2]])}, r"fc1: it gives \(1, 2\), the reference \(2, 2\)"),
    ],
)
def test_difference_is_named(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DifferenceError, match=sentence):
        require_equal(found(**changed), WANTED, "it")


def test_another_shape_of_equal_values_is_a_difference() -> None:
    same = {"fc2": np.array([[5], [5]])}
    with pytest.raises(DifferenceError, match=r"fc2: it gives \(1, 1\), the reference \(2, 1\)"):
        require_equal({"fc2": np.array([[5]])}, same, "it")


def test_nothing_compared_is_no_equality() -> None:
    nothing = {"fc1": np.zeros((0, 2)), "fc2": WANTED["fc2"]}
    for name in ({}, nothing):
        with pytest.raises(DifferenceError, match="at least one sample must be compared, got none"):
            require_equal(name, nothing, "it")
