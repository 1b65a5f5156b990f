"""The softmax in integers against the same in exact rationals, and what it promises of both."""

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import artifact, images, reference, tables
from model.artifact import ArtifactError
from model.format import Format
from model.stages.softmax import DIVIDERS, MAX_CLASSES, SCORES, SoftmaxSpec
from tb.sim.made_up import codes, made_up

COMBINATIONS = list(itertools.product(SCORES, DIVIDERS))
INT8 = Format(8, 4)

each_combination = pytest.mark.parametrize(("score", "divider"), COMBINATIONS)


def exponential_bounds(x: Fraction) -> tuple[Fraction, Fraction]:
    """Rationals around ``exp(-x)`` for ``x >= 0``, by squaring the series of a small argument."""
    halvings = max(0, math.ceil(x).bit_length())
    small = x / 2**halvings
    # The terms alternate and shrink: the sum lies between two neighbouring partial sums.
    terms = [(-small) ** k / math.factorial(k) for k in range(26)]
    low, high = sum(terms), sum(terms[:-1])
    scale = 1 << 200
    for _ in range(halvings):
        low, high = low * low, high * high
        # Rounded outwards, so that the numbers stay short.
        low, high = (
            Fraction(math.floor(low * scale), scale),
            Fraction(math.ceil(high * scale), scale),
        )
    return low, high


def rational_score(logits: list[int], spec: SoftmaxSpec) -> list[Fraction]:
    """Scores by their definition: the polynomial, or the exponential rounded up to its units."""
    values = [Fraction(q, 1 << spec.x.frac) for q in logits]
    if spec.score == "taylor2":
        return [1 + x + x * x / 2 for x in values]
    scores = []
    for x in values:
        low, high = exponential_bounds(max(values) - x)
        # An exponential is above zero, also where its lower bound was rounded to it.
        below, above = max(1, math.ceil(low * spec.max_score)), math.ceil(high * spec.max_score)
        assert below == above, "the bounds are too far apart to tell the entry"
        scores.append(Fraction(above))
    return scores


def rational_quotient(score: Fraction, total: Fraction, divider: str) -> int:
    """255 * score / total rounded down; by the table, with total rounded up to 9 leading bits."""
    if divider == "restoring":
        return math.floor(255 * score / total)
    exponent = math.floor(math.log2(total))
    step = Fraction(2) ** (exponent - 8)
    assert 256 <= total / step < 512
    end = math.floor(total / step) + 1
    reciprocal = Fraction(math.floor(Fraction(255 << 16, end)), 1 << 16)
    return math.floor(score / step * reciprocal)


@st.composite
def softmaxes(draw, score=None, divider=None):
    """A softmax of any size and format, and logits: all over, at the ends, or close together."""
    fmt = Format(draw(st.integers(2, 16)), draw(st.integers(0, 16)))
    n = draw(st.integers(2, MAX_CLASSES))
    choice = score or draw(st.sampled_from(SCORES)), divider or draw(st.sampled_from(DIVIDERS))
    spec = SoftmaxSpec(n, fmt, *choice, lanes=1)
    centre = draw(st.integers(fmt.q_min, fmt.q_max))
    code = draw(
        st.sampled_from(
            [
                st.integers(fmt.q_min, fmt.q_max),
                st.sampled_from([fmt.q_min, fmt.q_min + 1, 0, fmt.q_max - 1, fmt.q_max]),
                st.integers(max(fmt.q_min, centre - 2), min(fmt.q_max, centre + 2)),
            ]
        )
    )
    return spec, draw(st.lists(code, min_size=n, max_size=n))


@given(softmaxes())
@settings(max_examples=300)
def test_integers_and_exact_rationals_agree_on_every_value(case):
    spec, logits = case
    made = reference.softmax(np.array(logits), spec)
    scores = rational_score(logits, spec)
    unit = made["scores"][0] / scores[0]
    assert (made["scores"] == [score * unit for score in scores]).all()
    assert unit == (2 ** (2 * spec.x.frac + 1) if spec.score == "taylor2" else 1)
    total = sum(scores)
    assert made["totals"] == total * unit
    quotients = [rational_quotient(score, total, spec.divider) for score in scores]
    assert made["quotients"].tolist() == quotients
    winner = scores.index(max(scores))
    assert made["class"] == winner
    quotients[winner] = 255 - sum(quotients[:winner] + quotients[winner + 1 :])
    assert made["probabilities"].tolist() == quotients


@each_combination
def test_sum_is_255_and_the_winner_stands_alone(score, divider):
    @given(softmaxes(score, divider))
    @settings(max_examples=200)
    def check(case):
        spec, logits = case
        made = reference.softmax(np.array(logits), spec)
        scores, p = made["scores"].tolist(), made["probabilities"].tolist()
        best = scores.index(max(scores))
        assert made["class"] == best
        assert sum(p) == 255
        assert min(p) >= 0
        for n, probability in zip(scores, p, strict=True):
            assert probability < p[best] or (probability == p[best] and n == scores[best])
        if score == "exp":
            assert logits[best] == max(logits)
            assert best == logits.index(max(logits))
        assert max(scores) <= spec.max_score
        assert sum(scores).bit_length() <= spec.total_w

    check()


@given(softmaxes())
@settings(max_examples=200)
def test_the_table_divides_a_loser_to_at_most_one_below_exactly(case):
    spec, logits = case
    exact = reference.softmax(np.array(logits), replace(spec, divider="restoring"))
    table = reference.softmax(np.array(logits), replace(spec, divider="reciprocal"))
    below = exact["quotients"] - table["quotients"]
    assert below.min() >= 0
    assert np.delete(below, exact["class"]).max() <= 1


@pytest.mark.parametrize("frac", [0, 1, 4, 16])
def test_each_entry_of_the_exponential_is_the_least_integer_above(frac):
    spec = SoftmaxSpec(3, Format(8, frac), "exp", "reciprocal", lanes=1)
    for distance, entry in enumerate(tables.exponential(spec).tolist()):
        low, high = exponential_bounds(Fraction(distance, 1 << frac))
        assert entry == 1 or entry - 1 < low * spec.max_score
        assert high * spec.max_score <= entry or distance == 0


@pytest.mark.parametrize("width", [2, 8, 16])
@pytest.mark.parametrize("frac", [0, 4, 15, 16])
def test_exponential_falls_and_its_first_entry_is_the_only_largest(width, frac):
    spec = SoftmaxSpec(3, Format(width, frac), "exp", "reciprocal", lanes=1)
    table = tables.exponential(spec)
    assert len(table) == 1 << width
    assert table[0] == spec.max_score == (1 << spec.score_w) - 1
    assert table[1] < table[0]
    assert (np.diff(table) <= 0).all()
    assert table[-1] >= 1


def test_exp_is_within_1_of_the_real_softmax_for_losers_and_2_for_the_winner():
    """Every int8 triple at frac 4: its probabilities are those with its largest logit at 127."""
    spec = SoftmaxSpec(3, INT8, "exp", "restoring", lanes=1)
    below = np.arange(256)
    triples = np.stack(np.broadcast_arrays(127, 127 - below[:, None], 127 - below), axis=-1)
    found = reference.softmax(triples, spec)["probabilities"]
    exponentials = np.exp((triples - 127) / 16)
    error = found - 255 * exponentials / exponentials.sum(axis=-1, keepdims=True)
    assert np.abs(error[..., 1:]).max() <= 1.0
    assert np.abs(error[..., 0]).max() <= 2.0


@each_combination
def test_trace_follows_the_choice_of_the_spec(score, divider):
    network = made_up([4, 6], softmax=(score, divider))
    values = reference.trace(network, codes(np.random.default_rng(1), network, 50))
    want = reference.softmax(values["fc1.y"], network.spec.softmax)
    for key, value in want.items():
        assert (values[f"softmax.{key}"] == value).all()
    others = [
        reference.softmax(values["fc1.y"], replace(network.spec.softmax, score=s, divider=d))
        for s, d in COMBINATIONS
        if (s, d) != (score, divider)
    ]
    assert all((other["quotients"] != want["quotients"]).any() for other in others)


@each_combination
def test_images_are_those_that_the_softmax_reads(score, divider, tmp_path):
    network = made_up([4, 6], softmax=(score, divider))
    path = tmp_path / "network.json"
    artifact.save(network, path)
    assert artifact.load(path).spec == network.spec
    images.write_images(network, tmp_path)
    images.check_images(network.spec, tmp_path)
    tabled = {path.name for path in tmp_path.glob("*.mem") if "linear" not in path.name}
    expected = {"exp.mem"} if score == "exp" else set()
    assert tabled == expected | ({"reciprocal.mem"} if divider == "reciprocal" else set())
    for name in tabled:
        whole = (tmp_path / name).read_text()
        (tmp_path / name).write_text(whole[5:])
        with pytest.raises(ArtifactError, match=f"{name}: must have 256 words, got 255"):
            images.check_images(network.spec, tmp_path)
        (tmp_path / name).write_text(whole)


def test_parameters_name_score_and_divider():
    parameters = made_up([4, 6], softmax=("exp", "restoring")).spec.parameters("")
    assert (parameters["SCORE"], parameters["DIVIDER"]) == ("exp", "restoring")
    assert (parameters["SCORE_W"], parameters["TOTAL_W"]) == (16, 19)
