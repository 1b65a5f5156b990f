"""Sums that outputs share become carry chains one by one: the map is proved, and used for them."""

from pathlib import Path

import pytest

from model.shared import shared
from syn import synthesis, utilization
from syn.synthesis import ADDITIONS, ONE_BY_ONE, Design
from syn.targets import TARGETS
from syn.yosys import YosysError, run_yosys
from tb.sim.made_up import made_up

ECP5, XC7 = TARGETS["ecp5"], TARGETS["xc7"]
# Widths of the sum and of both operands; and which of these are signed.
SHAPES = [
    *((y, y, y) for y in (1, 2, 5, 8, 17)),
    *((8, 3, 5), (8, 11, 4), (3, 7, 9), (20, 9, 8)),
]
SIGNS = (0, 1)


def proof(name: str, shape: tuple[int, int, int], folder: Path, text: str) -> str:
    """Yosys's log of the proof that the map of a sum or difference equals it, at all signs."""
    y, a, b = shape
    cells = "".join(
        f"\\${name} #(.A_SIGNED({signed}), .B_SIGNED({signed}), .A_WIDTH({a}), .B_WIDTH({b}),"
        f" .Y_WIDTH({y})) u{k} (.A(a), .B(b), .Y(y[{k * y} +: {y}]));\n"
        for k, signed in enumerate(SIGNS)
    )
    ports = f"input [{a - 1}:0] a, input [{b - 1}:0] b, output [{len(SIGNS) * y - 1}:0] y"
    (folder / "sums.v").write_text(f"module sums({ports});\n{cells}endmodule\n")
    (folder / ADDITIONS.name).write_text(text)
    lines = ["read_verilog -icells sums.v", "design -save sums", f"techmap -map {ADDITIONS.name}"]
    lines += [f"select -assert-count {len(SIGNS)} t:$alu", "select -assert-none t:$add t:$sub"]
    lines += ["rename sums mapped", "design -copy-from sums sums"]
    lines += ["miter -equiv -flatten sums mapped equal", "sat -verify -prove trigger 0 equal"]
    return run_yosys(lines, folder, "prove")


@pytest.mark.parametrize("name", ["add", "sub"])
def test_each_sum_is_proved_equal_to_its_chain(name: str, tmp_path: Path) -> None:
    for shape in SHAPES:
        log = proof(name, shape, tmp_path, ADDITIONS.read_text())
        assert "SAT proof finished - no model found: SUCCESS!" in log


@pytest.mark.parametrize(
    ("name", "correct", "wrong"),
    [
        ("sub", ".BI(MINUS), .CI(MINUS)", ".BI(MINUS), .CI(1'b0)"),
        ("sub", '== "$sub"', '== "$add"'),
        ("add", "SIGNED = A_SIGNED && B_SIGNED", "SIGNED = 0"),
    ],
)
def test_a_wrong_map_is_refuted(name: str, correct: str, wrong: str, tmp_path: Path) -> None:
    text = ADDITIONS.read_text()
    assert text.count(correct) == 1
    with pytest.raises(YosysError, match=r"proof did fail"):
        proof(name, (8, 3, 5), tmp_path, text.replace(correct, wrong))


def test_additions_that_are_shared_alone_are_mapped() -> None:
    small = made_up([3, 2], folds=[(3, 2)])
    for network, target, mapped in (
        (small, ECP5, False),
        (shared(small), ECP5, True),
        (shared(small), XC7, False),
    ):
        design = utilization.design(network)
        commands = synthesis.script(design, target, None)
        assert (ONE_BY_ONE[0] in commands) == mapped, (design.parameters, target.name)
    assert Design("mlp_graph", {"PLAN": (1, 2)}).shares_sums
    assert not Design("mlp_layer", {"PLAN": ()}).shares_sums


def test_estimates_know_that_sums_are_shared() -> None:
    unrolled = made_up([12, 10], folds=[(12, 10)], output="logits", softmax_lanes=10)
    alone, together = unrolled.spec.area, shared(unrolled).spec.area
    assert together.luts < 0.8 * alone.luts and together.flip_flops < 0.6 * alone.flip_flops


def test_a_graph_is_synthesized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)
    layer = shared(made_up([3, 2], folds=[(3, 2)])).spec.layers[0]
    assert layer.plan is not None
    words = layer.plan.words
    sizes = {"N_IN": layer.n_in, "N_OUT": layer.n_out, "ACC_W": layer.acc_w}
    design = Design("mlp_graph", {**sizes, "WORDS": len(words), "PLAN": words})
    found = synthesis.synthesize(design, ECP5)
    outside = layer.n_out * layer.acc_w + layer.linear_cycles
    assert 0 < found.cells["FF"] <= layer.plan.flip_flops + outside
    assert found.cells["LUT"] > 0 and found.warnings == ()
