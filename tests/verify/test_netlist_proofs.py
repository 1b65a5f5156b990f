"""Netlists are proved to be the RTL, and are not where a LUT, a product or a register differs."""

import dataclasses
import json
from collections.abc import Iterable
from functools import cache

import pytest

from common.paths import BUILD
from model.format import Format
from tb.modules.mutant import Mutant, mutated
from tb.sim.made_up import made_up
from verify.formal import netlist_proofs
from verify.formal.netlist_design import Functions, Netlist
from verify.formal.netlist_equal import Equality
from verify.formal.netlist_graph import Graph
from verify.formal.netlist_proofs import equality
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


# An iCE40 has DSPs for larger products alone.
LARGER = made_up(
    [6, 3],
    folds=[(2, 1)],
    formats=[Format(8, 2), Format(8, 2)],
    weight_format=Format(8, 2),
    output="logits",
)
# The device has DSPs for all products of its network, or, as the last one, none.
DEVICES = {"85k": ("ecp5", SMALL), "up5k": ("ice40", LARGER), "hx8k": ("ice40", SMALL)}


@cache
def proved(device: str) -> Equality:
    """The netlist of a small network beside its RTL, proved."""
    family, network = DEVICES[device]
    found = equality(network, family, device, FOLDER / device)
    assert found.prove(FOLDER / device / "proof") == []
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
    found = equality(made, "ecp5", "85k", folder)
    assert found.prove(folder / "proof") == []
    cells = json.loads((folder / "netlist" / "netlist.json").read_text())["modules"]["mlp_top"][
        "cells"
    ]
    blocks = [cell["parameters"] for cell in cells.values() if cell["type"] == "DP16KD"]
    assert {int(block["DATA_WIDTH_A"], 2) for block in blocks} == {width}


@pytest.mark.parametrize("device", DEVICES)
def test_netlist_is_the_rtl(device: str) -> None:
    found = proved(device)
    functions, absent, beyond, products = netlist_proofs.counts(found)
    assert functions > 150
    assert beyond > 0
    assert (products > 0) == (device != "hx8k")
    assert absent == len(found.absent) < functions / 10


def without_names(netlist: Netlist, lost: Iterable[int]) -> Netlist:
    """The netlist without the names of these registers."""
    kept = {name: bit for name, bit in netlist.bits.items() if bit not in lost}
    return dataclasses.replace(netlist, bits=kept)


def test_register_that_has_lost_its_name_is_found_by_what_it_does() -> None:
    """Those of products too, which are functions of what is cut, and are taken to be 0."""
    found = proved("hx8k")
    named = {
        register: found._named(register, set(found.netlist.registers))
        for register in found.rtl.registers
    }
    lost = [bit for bit in named.values() if bit in found.netlist.registers]
    again = Equality(found.rtl, without_names(found.netlist, lost[::7]))
    assert len(lost[::7]) > 10 and again.absent == found.absent
    assert again.prove(FOLDER / "hx8k" / "proof") == []


def test_wrong_guess_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = proved("hx8k")
    lost = max(bit for bit in found.netlist.registers if bit in found.netlist.readers())
    monkeypatch.setattr(Equality, "_doing_the_same", lambda *_: {})
    again = Equality(found.rtl, without_names(found.netlist, [lost]))
    assert len(again.absent) > len(found.absent)
    with pytest.raises(ProofError, match=r"is refuted: the netlist is not the RTL"):
        again.prove(FOLDER / "hx8k" / "proof")


@pytest.mark.parametrize("device", DEVICES)
def test_flipped_bit_of_a_lut_is_refuted(device: str) -> None:
    found = proved(device).mutants(5, 1, FOLDER / device / "proof")
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
    found = equality(SMALL, "ecp5", "85k", FOLDER / name, rtl)
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
