"""Every neuron for every input: the quick layers are proved, and each lemma fails on mistakes."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from common.paths import BUILD, RTL
from model import artifact
from model.artifact import Network
from model.spec import NetworkSpec
from tb.modules.mutant import Mutant, mutated
from verify.formal import neurons, neurons_proof
from verify.formal.neurons_design import Design, read
from verify.formal.neurons_layer import Subject, design, open_products, subject
from verify.formal.neurons_rows import bounded, in_any_order
from verify.formal.neurons_top import wiring
from verify.formal.neurons_words import Words, constant
from verify.formal.softmax_proofs import ProofError

IRIS = artifact.load(neurons_proof.file("iris"))
FOLDER = BUILD / "formal" / "neurons-test"
LEMMAS: Mapping[str, Callable[[Design, Network, int], object]] = {
    "sums": neurons_proof.control,
    "queue": neurons_proof.queue,
    "rows": neurons_proof.rows,
}
# Layers of IrisNet: unrolled over the inputs, three outputs a cycle; and three cycles a sum.
FC1, FC3 = 0, 3


@cache
def elaborated(index: int) -> Design:
    """A layer of IrisNet as it ships."""
    return design(IRIS, index, FOLDER / f"layer{index}")


def broken(index: int, name: str, module: str, right: str, wrong: str) -> Design:
    """The same with a mistake in one module."""
    rtl = mutated(Mutant(name, module, right, wrong), BUILD / "mutants" / f"neurons-{name}")
    return design(IRIS, index, FOLDER / name, rtl)


def with_weight(output: int, element: int, change: int) -> Network:
    """IrisNet with another weight in fc1."""
    weights = {name: array.copy() for name, array in IRIS.weights.items()}
    weights["fc1"][output, element] += change
    return dataclasses.replace(IRIS, weights=weights)


@pytest.mark.parametrize("index", [FC1, FC3])
def test_layer_is_proved(index: int) -> None:
    layer, found = IRIS.spec.layers[index], elaborated(index)
    assert neurons_proof.rows(found, IRIS, index)[neurons_proof.NEURONS] == layer.n_out
    assert neurons_proof.control(found, IRIS, index)[neurons_proof.SUMS] > 10 * layer.cycles
    assert neurons_proof.queue(found, IRIS, index)[neurons_proof.BEHIND] > 10 * layer.groups


def test_every_neuron_that_ships_has_a_job() -> None:
    found = neurons.subjects()
    layers = [(subject.network, subject.layer.name) for subject in found]
    assert len(set(layers)) == len(layers) == len(found)
    counts = dict.fromkeys(neurons_proof.NETWORKS, 0)
    for one in found:
        counts[one.network] += one.layer.n_out
    assert counts == {"iris": 93, "wine": 19, "breast_cancer": 26, "digits": 42}
    assert {one.network for one in found} == {
        path.name.partition(".")[0] for path in neurons_proof.GOLDEN.glob("*.network.json")
    }


# A lemma, the message that it must fail with, the layer, and a mistake in its Verilog.
MISTAKES = {
    "tree-node": (
        *("sums", r"g_node\[2\].*sum_q' after place 3.* is refuted", FC1),
        *("mlp_dot", "g_node[2*i].value + g_node", "g_node[2*i].value - g_node"),
    ),
    "address": (
        *("sums", r"u_weights\.data' after place 0, cycle 0: is refuted", FC1),
        *("mlp_linear", ".addr(cycle), .data(w_read)", ".addr(cycle ^ 1'b1), .data(w_read)"),
    ),
    "turn": (
        *("sums", r"x' after cycle 0 of the fold: is refuted", FC3),
        *("mlp_vector", "(x >> (SIMD*W)) |", "(x >> W) |"),
    ),
    "bias-too-late": (
        *("sums", r"u_biases\.data' after place \d+.* is refuted", FC3),
        *("mlp_linear", ".CYCLES(STAGES-1)", ".CYCLES(STAGES-2)"),
    ),
    "first-step": (
        *("sums", r"out_acc' after the sums of cycle \d: is refuted", FC3),
        *("mlp_linear", "STEPS == 1 || sum_first ? bias", "STEPS == 1 || sum_last ? bias"),
    ),
    "moves-while-stalled": (
        *("sums", r"x_fetched' after a stall of place 2: is refuted", FC1),
        *("mlp_linear", "x_fetched <= x_read;\n            w_fetched <= w_read;\n        end\n",
          "w_fetched <= w_read;\n        end\n        x_fetched <= x_read;\n"),
    ),
    "shift": (
        *("rows", r"neuron 0: its code: is refuted", FC1),
        *("mlp_layer", ".SHIFT(SHIFT)", ".SHIFT(SHIFT-1)"),
    ),
    "rounds-half-up": (
        *("queue", r"u_requantize\.middle' after requantization: is refuted", FC1),
        *("mlp_requantize", " && (padded[DROPPED:0] != {(DROPPED+1){1'b0}} || kept[0])", ""),
    ),
    "sums-are-lost": (
        *("queue", r"u_sum_skid_buffer\.spare_valid' after requantization: is refuted", FC1),
        *("mlp_skid_buffer", "spare_valid <= out_valid && !out_ready;", "spare_valid <= 1'b0;"),
    ),
    "groups-in-reverse": (
        *("queue", r"out_x' after group 0: is refuted", FC1),
        *("mlp_stream_pack", "{in_lanes, out_x[N*W-1:LANES*W]}",
          "{out_x[N*W-LANES*W-1:0], in_lanes}"),
    ),
    "keeps-negative": (
        *("rows", r"neuron 0: its code: is refuted", FC1),
        *("mlp_relu", "{W{!x[k*W+W-1]}}", "{W{1'b1}}"),
    ),
    "product-of-naturals": (
        *("rows", r"neuron 0: its tree: is refuted", FC1),
        *("mlp_dot", "wire signed [X_W-1:0]     x     = $signed(", "wire [X_W-1:0] x = $unsigned("),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_lemma_is_refuted_on_a_mistake_in_verilog(name: str) -> None:
    lemma, message, index, module, right, wrong = MISTAKES[name]
    found = broken(index, name, module, right, wrong)
    with pytest.raises(ProofError, match=message):
        LEMMAS[lemma](found, IRIS, index)


@pytest.mark.parametrize(
    ("lemma", "message"),
    [("sums", r"u_weights\.data' after place 0, cycle 9"), ("rows", "fc1, neuron 29: its tree")],
)
def test_lemma_is_refuted_on_another_weight(lemma: str, message: str) -> None:
    with pytest.raises(ProofError, match=f"{message}: is refuted"):
        LEMMAS[lemma](elaborated(FC1), with_weight(29, 3, 1), FC1)


# A mistake in mlp_layers, and the message of the wiring's proof.
MISWIRED = {
    "skips-an-element": (
        "[FROM +: N_LANES*IN_W]",
        "[FROM + IN_W +: N_LANES*IN_W]",
        "in_x",
    ),
    "drops-ready": (".in_ready(x_ready[k]),", ".in_ready(x_ready[N_LAYERS-1]),", "in_ready"),
    "another-shift": (".SHIFT(DROPPED)", ".SHIFT(DROPPED - 1)", "fc1: SHIFT"),
    "another-image": ("48 + k % 10", "48 + (k ^ 1) % 10", "fc1: WEIGHTS"),
}


def test_layers_are_connected() -> None:
    assert wiring(IRIS, FOLDER / "top") == 5 * 2 + 8 * (4 + 30 + 30 + 30 + 3)


@pytest.mark.parametrize("name", MISWIRED)
def test_wiring_is_refuted_on_a_mistake(name: str) -> None:
    right, wrong, what = MISWIRED[name]
    rtl = mutated(Mutant(name, "mlp_layers", right, wrong), BUILD / "mutants" / f"neurons-{name}")
    with pytest.raises(ProofError, match=rf"{what}: is refuted"):
        wiring(IRIS, FOLDER / f"top-{name}", rtl)


def test_order_of_a_sum_is_refuted_where_a_product_is_taken_twice() -> None:
    given = subject(Words(), IRIS, FC3, cut=False)
    in_any_order(given, 2)

    class Twice(Subject):
        """Adds the first product of a cycle again, in the place of the last."""

        def elements(self, cycle: int) -> list[int]:
            found = super().elements(cycle)
            return [*found[:-1], found[0]]

    with pytest.raises(ProofError, match="neuron 2: order of its sum: is refuted"):
        in_any_order(Twice(**vars(open_products(given))), 2)


def test_bound_is_refuted_where_an_accumulator_is_too_narrow() -> None:
    layer = dataclasses.replace(IRIS.spec.layers[FC3], acc_w=17)
    spec: NetworkSpec = IRIS.spec.with_layers([*IRIS.spec.layers[:FC3], layer])
    narrow = object.__new__(Network)
    for name, value in {**vars(IRIS), "spec": spec}.items():
        object.__setattr__(narrow, name, value)
    bounded(subject(Words(), IRIS, FC3, cut=False), 1)
    with pytest.raises(ProofError, match="neuron 1: its bound is refuted: sums from -"):
        bounded(subject(Words(), narrow, FC3, cut=False), 1)


def test_what_a_solver_does_not_decide_is_not_proved() -> None:
    words = Words(seconds=1)
    prime = constant((1 << 61) - 1, 64)
    factors = [words.fresh(name, 32) + (0,) * 32 for name in ("a", "b")]
    with pytest.raises(ProofError, match="a prime: is undecided after 1 seconds"):
        words.require_equal("a prime", words.holds("EQUAL", words.multiply(*factors), prime), (0,))
    assert words.decided == words.alike == 0


def test_different_words_are_told_apart() -> None:
    words = Words()
    x = words.fresh("x", 8)
    words.require_equal("x", x, x)
    words.require_equal("2x", words.add(x, x), (0, *x[:-1]))
    assert (words.alike, words.decided) == (1, 1)
    for other in (constant(3, 8), x[1:] + x[:1], words.fresh("y", 8), x[:-1]):
        with pytest.raises(ProofError, match="x: is refuted"):
            words.require_equal("x", x, other)


def test_a_cycle_is_what_the_file_says() -> None:
    """Each operator on constants, and on terms by the solver, as integers calculate it."""
    lines = ["1 sort bitvec 4", "2 sort bitvec 1", "3 input 1 a", "4 input 1 b", "5 sort bitvec 8"]
    two = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
    lines += [f"{10 + k} {name} 1 3 4" for k, name in enumerate(two)]
    lines += ["20 eq 2 3 4", "21 neq 2 3 4", "22 not 1 3", "23 redor 2 3", "24 redand 2 3"]
    lines += ["25 ite 1 20 3 4", "26 concat 5 3 4", "27 sext 5 3 4", "28 uext 5 3 4"]
    lines += ["29 slice 2 3 3 3", "30 const 1 0010", "31 sll 1 3 30", "32 srl 1 3 30"]
    named = [*range(10, 16), *range(20, 30), 31, 32]
    found = read("\n".join([*lines, *(f"{100 + k} output {k} n{k}" for k in named)]))
    words = Words()
    free = {name: words.fresh(name, 4) for name in "ab"}
    terms = found.cycle(words, free, [f"n{k}" for k in named])
    for a, b in np.random.default_rng(1).integers(0, 16, size=(24, 2)).tolist():
        values = {"a": constant(a, 4), "b": constant(b, 4)}
        constants = found.cycle(words, values, terms)
        exact = [eval(f"a {sign} b", {"a": a, "b": b}) for sign in two.values()]
        low, high = [a, b][a != b], a - (16 if a > 7 else 0)
        exact += [a == b, a != b, ~a, a != 0, a == 15, low, a * 16 + b, high, a, a >> 3]
        exact += [a << 2, a >> 2]
        for k, value in zip(named, exact, strict=True):
            assert constants[f"n{k}"] == constant(int(value), len(terms[f"n{k}"])), (k, a, b)
            _require_at(words, terms[f"n{k}"], free, values, constants[f"n{k}"])


def _require_at(words: Words, term, free, values, expected) -> None:  # type: ignore[no-untyped-def]
    """A term has this value where its variables have theirs."""
    here = (1,)
    for name, word in free.items():
        here = words.either(here, words.holds("EQUAL", word, values[name]), (0,))
    words.require_equal("a term", words.either(here, term, expected), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 sort array 2 3", "sort must be bitvec"),
        ("1 sort bitvec 4\n2 input 1 a\n3 udiv 1 2 2", "line must be of a known kind"),
        ("1 sort bitvec 4\n2 state 1 a", "registers must have a next value, got none of a"),
    ],
)
def test_file_that_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(text)


def test_value_of_another_width_is_refused() -> None:
    found, words = read("1 sort bitvec 4\n2 input 1 a\n3 output 2 b"), Words()
    assert found.cycle(words, {"a": constant(5, 4)}, ["b"]) == {"b": (1, 0, 1, 0)}
    with pytest.raises(ProofError, match="a: is refuted: must have 3 bits, got 4"):
        found.cycle(words, {"a": constant(5, 3)}, ["b"])


def test_register_without_a_place_is_refused(tmp_path: Path) -> None:
    rtl = mutated(
        Mutant("more", "mlp_linear", "wire [SIMD*X_W-1:0] x;\n",
               "wire [SIMD*X_W-1:0] x;\n    reg odd;\n    always @(posedge clk) odd <= odd ^ rst;\n"
               "    always @(posedge clk) if (odd) out_last <= 1'b0;\n"),
        tmp_path / "rtl", RTL,
    )  # fmt: skip
    with pytest.raises(ProofError, match="odd: must belong to a place of mlp_linear"):
        neurons_proof.control(design(IRIS, FC1, tmp_path / "made", rtl), IRIS, FC1)
