"""And-inverter graphs calculate as integers do, and what differs is found to."""

import itertools
from pathlib import Path

import pytest

from verify.formal.netlist_graph import ALWAYS, NEVER, Graph, Word, decide, exhausted


def word(value: int, width: int) -> Word:
    """Literals of a constant."""
    return [value >> k & 1 for k in range(width)]


@pytest.mark.parametrize(("a_w", "b_w"), [(1, 1), (3, 4), (4, 2)])
def test_product_is_the_product(a_w: int, b_w: int) -> None:
    graph, width = Graph(), a_w + b_w
    for a, b in itertools.product(
        range(-(1 << a_w - 1), 1 << a_w - 1), range(-(1 << b_w - 1), 1 << b_w - 1)
    ):
        assert graph.product(word(a, a_w), word(b, b_w)) == word(a * b, width)


def test_product_of_unknown_words_commutes(tmp_path: Path) -> None:
    graph = Graph()
    a, b = ([graph.fresh() for _ in range(4)] for _ in range(2))
    there, back = graph.product(a, b), graph.product(b, a)
    differ = NEVER
    for x, y in zip(there, back, strict=True):
        differ = graph.disjunction(differ, graph.differ(x, y))
    assert differ != NEVER
    assert decide(graph, differ, tmp_path) is True
    assert decide(graph, graph.disjunction(differ, a[0]), tmp_path) is False
    assert (decide(graph, NEVER, tmp_path), decide(graph, ALWAYS, tmp_path)) == (True, False)


def test_every_value_of_an_input_is_run() -> None:
    graph = Graph()
    a, b, c = (graph.fresh() for _ in range(3))
    root = graph.either(a, b, c ^ 1)
    found = exhausted(graph, root, graph.below([root]))
    values = [[case >> k & 1 for k in (2, 1, 0)] for case in range(8)]
    assert found == sum((y if x else 1 - z) << n for n, (x, y, z) in enumerate(values))


def test_solver_decides_on_many_inputs(tmp_path: Path) -> None:
    graph = Graph()
    bits = [graph.fresh() for _ in range(30)]
    there, back = bits[0], bits[-1]
    for forward, backward in zip(bits[1:], bits[-2::-1], strict=True):
        there, back = graph.differ(there, forward), graph.differ(back, backward)
    assert decide(graph, graph.differ(there, back), tmp_path) is True
    assert decide(graph, graph.conjunction(there, back), tmp_path) is False


def test_lut_reads_its_lowest_input_first() -> None:
    graph = Graph()
    for a, b in itertools.product((0, 1), repeat=2):
        assert graph.table("1000", [a, b]) == (a & b)
        assert graph.table("0010", [a, b]) == (a & (1 - b))
