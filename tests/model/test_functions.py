"""Each entry of each table is the value of its function, correctly rounded, by intervals."""

import dataclasses
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import iv, mp

from model import spec
from model.format import Format, SpecError
from model.functions import FUNCTIONS, table
from model.stages.activation import Activation
from tb.sim.made_up import ARGUMENTS, made_up

# Formats in front of a table and behind it: bytes, the longest there is, integers, few bits.
FORMATS = [
    (Format(8, 4), Format(8, 6)),
    (Format(12, 7), Format(16, 13)),
    (Format(7, -2), Format(9, 0)),
    (Format(3, 1), Format(2, 0)),
    (Format(10, 5), Format(16, 4)),  # ties, on whose sides functions come near
]
iv.dps, mp.dps = 300, 300
Interval = Any


def _erf(x: Interval) -> Interval:
    """Around the value of mpmath, whose error is far below what is added on both sides."""
    value, error = mp.erf(mp.mpf(x.a)), mp.mpf(10) ** -280
    return iv.mpf([value - error, value + error])


def _elu(x: Interval, alpha: float) -> Interval:
    return x if x.a > 0 else alpha * (iv.exp(x) - 1)


def _tanh(x: Interval) -> Interval:
    return 1 - 2 / (iv.exp(2 * x) + 1)


INTERVALS: dict[str, Callable[..., Interval]] = {
    "sigmoid": lambda x: 1 / (1 + iv.exp(-x)),
    "tanh": _tanh,
    "gelu": lambda x: x * (1 + _erf(x / iv.sqrt(2))) / 2 if x.a else x,
    "gelu_tanh": lambda x: (
        x * (1 + _tanh(iv.sqrt(2 / iv.pi) * (x + iv.mpf("0.044715") * x**3))) / 2
    ),
    "silu": lambda x: x / (1 + iv.exp(-x)),
    "elu": _elu,
    "softplus": lambda x: iv.log(1 + iv.exp(x)),
}
FRACTIONS: dict[str, Callable[..., Fraction]] = {
    "leaky_relu": lambda x, slope: max(x, 0) + slope * min(x, 0),
    "clamp": lambda x, low, high: sorted([low, x, high])[1],
    "hardsigmoid": lambda x: sorted([Fraction(0), (x + 3) / 6, Fraction(1)])[1],
    "hardswish": lambda x: x * sorted([Fraction(0), (x + 3) / 6, Fraction(1)])[1],
}


def rounded(value: Interval, y: Format) -> set[int]:
    """Codes that the ends of an interval are rounded to."""
    found = set()
    for end in (value.a, value.b):
        scaled = mp.mpf(end) * mp.mpf(2) ** y.frac
        limited = max(min(scaled, mp.mpf(y.q_max)), mp.mpf(y.q_min))
        found.add(int(mp.nint(limited)))
    return found


@pytest.mark.parametrize(("x", "y"), FORMATS, ids=lambda fmt: str(fmt))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_entry_is_correctly_rounded(name: str, x: Format, y: Format) -> None:
    arguments = ARGUMENTS.get(name, ())
    entries = table(name, arguments, x, y)
    assert entries.shape == (1 << x.width,)
    for code in range(x.q_min, x.q_max + 1):
        given = Fraction(code) * Fraction(2) ** -x.frac
        if name in FRACTIONS:
            exact = FRACTIONS[name](given, *map(Fraction, arguments)) * Fraction(2) ** y.frac
            wanted = {max(min(round(exact), y.q_max), y.q_min)}
        else:
            at = iv.mpf(given.numerator) / given.denominator
            wanted = rounded(INTERVALS[name](at, *arguments), y)
        assert wanted == {int(entries[code])}, f"{name}({given})"


def test_every_function_is_proved() -> None:
    assert set(INTERVALS) | set(FRACTIONS) == set(FUNCTIONS)
    assert {name for name, kind in FUNCTIONS.items() if kind.rational} == set(FRACTIONS)
    assert mpmath.__version__


def test_tables_that_must_rise_rise() -> None:
    for name in ("sigmoid", "tanh", "softplus", "elu", "clamp", "leaky_relu", "hardsigmoid"):
        x = Format(12, 8)
        entries = table(name, ARGUMENTS.get(name, ()), x, Format(12, 9))
        assert (np.diff(np.roll(entries, 1 << 11)) >= 0).all(), name


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"function": "cosh"}, "function must be one of leaky_relu, .*, got 'cosh'"),
        ({"arguments": (1.0,)}, r"arguments of tanh must be none, got \(1.0,\)"),
        ({"function": "elu"}, r"arguments of elu must be the floats alpha, got \(\)"),
        ({"function": "elu", "arguments": (1,)}, r"must be the floats alpha, got \(1,\)"),
        (
            {"function": "clamp", "arguments": (2.0, 1.0)},
            "clamp must have a low of at most its high",
        ),
        ({"x": Format(13, 4)}, "a table of tanh takes codes of at most 12 bits, got 13"),
    ],
)
def test_what_no_table_can_be_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        Activation(**{"function": "tanh", "x": Format(8, 4)} | changes)


NETWORK = made_up([3, 4, 2], activations=[("elu", Format(9, 5)), None])


def test_file_has_an_activation_where_there_is_one_and_no_key_where_there_is_none() -> None:
    plain = spec.to_plain(NETWORK.spec)
    assert ["activation" in stage for stage in plain["stages"]] == [True, False, False]
    assert spec.from_plain(json.loads(json.dumps(plain))) == NETWORK.spec


def test_relu_beside_an_activation_is_refused() -> None:
    layer = NETWORK.spec.layers[0]
    with pytest.raises(SpecError, match="layer fc1: relu must be false beside an activation"):
        dataclasses.replace(layer, relu=True)
