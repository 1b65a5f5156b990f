"""Netlists are proved to be the RTL, and are not where a LUT, a product or a register differs."""

import json
from functools import cache
from pathlib import Path

import pytest

from common.paths import BUILD
from model.artifact import save
from model.format import Format
from tb.modules.mutant import Mutant, mutated
from tb.sim.made_up import made_up
from verify.formal import netlist_proofs
from verify.formal.netlist_design import Functions, Netlist
from verify.formal.netlist_equal import Equality
from verify.formal.netlist_graph import Graph
from verify.formal.netlist_proofs import SUBJECTS, equality
from verify.formal.softmax_proofs import ProofError

FOLDER = BUILD / "formal" / "netlists-test"
# Three sums of three cycles, so that words lie beyond the end of a ROM, and no softmax.
SMALL = made_up(
    [6, 3],
    folds=[(2, 1)],
    formats=[Format(5, 2), Format(5, 2)],
    weight_format=Format(4, 2),
    output="logits",
)


@cache
def network() -> Path:
    """The file of the small network."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "small.network.json"
    save(SMALL, path)
    return path


@cache
def proved(family: str) -> Equality:
    """The small network's netlist beside its RTL, proved."""
    found = equality(network(), family, FOLDER / family)
    assert found.prove(FOLDER / family / "proof") == []
    return found


@pytest.mark.parametrize(("bits", "simd", "width"), [(2, 1, 2), (4, 1, 4), (6, 3, 18), (4, 9, 36)])
def test_netlist_with_words_of_a_block_of_each_width_is_the_rtl(
    bits: int, simd: int, width: int
) -> None:
    """The small network has 9 bits."""
    made = made_up(
        [9, 4],
        folds=[(simd, 1)],
        formats=[Format(5, 2), Format(5, 2)],
        weight_format=Format(bits, 2),
        output="logits",
    )
    folder = FOLDER / f"{width}-bits"
    folder.mkdir(parents=True, exist_ok=True)
    save(made, folder / "network.json")
    found = equality(folder / "network.json", "ecp5", folder)
    assert found.prove(folder / "proof") == []
    cells = json.loads((folder / "netlist" / "netlist.json").read_text())["modules"]["mlp_top"][
        "cells"
    ]
    blocks = [cell["parameters"] for cell in cells.values() if cell["type"] == "DP16KD"]
    assert {int(block["DATA_WIDTH_A"], 2) for block in blocks} == {width}


@pytest.mark.parametrize("family", SUBJECTS)
def test_netlist_is_the_rtl(family: str) -> None:
    found = proved(family)
    functions, absent, beyond, products = netlist_proofs.counts(found)
    assert functions > 150
    assert beyond > 0
    assert (products > 0) == (family == "ecp5")
    assert absent == len(found.absent) < functions / 10


@pytest.mark.parametrize("family", SUBJECTS)
def test_flipped_bit_of_a_lut_is_refuted(family: str) -> None:
    found = proved(family).mutants(5, 1, FOLDER / family / "proof")
    assert found["undecided"] == 0
    assert found["refuted"] > found["equal"]


@pytest.mark.parametrize(
    ("name", "module", "right", "wrong"),
    [
        ("other-product", "mlp_dot", "exact = x * w;", "exact = x * (w + 1'b1);"),
        ("never-stalls", "mlp_linear", "move = !out_valid || out_ready;", "move = 1'b1;"),
        (
            "no-reset",
            "mlp_linear",
            "        if (rst)\n            out_valid",
            "        if (1'b0)\n            out_valid",
        ),
    ],
)
def test_netlist_of_other_rtl_is_refuted(name: str, module: str, right: str, wrong: str) -> None:
    rtl = mutated(Mutant(name, module, right, wrong), FOLDER / name / "source")
    found = equality(network(), "ecp5", FOLDER / name, rtl)
    with pytest.raises(ProofError, match=r"is refuted: the netlist is not the RTL"):
        found.prove(FOLDER / name / "proof")


def test_unknown_bit_may_be_either() -> None:
    """What the RTL leaves open is any value; of a netlist, one that is free."""
    empty = Netlist({}, {}, {}, {}, {}, {}, 0)
    graph = Graph()
    ours = Functions(graph, empty, graph.product, unknown=True)
    theirs = Functions(graph, empty, graph.product)
    assert (ours.rails("x"), ours.rails(7)) == ((1, 1), (1, 1))
    assert theirs.literal("x") > 1
    with pytest.raises(ProofError, match=r"bit x: must be known"):
        ours.literal("x")
