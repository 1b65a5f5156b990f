"""Synthesis and placement: what is counted, what is found again, and what a failure says."""

import dataclasses
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.progress import Progress

from common.errors import CommandError
from common.executors import Serial
from common.paths import GOLDEN_IRIS, RTL
from model.artifact import load
from scripts import synth
from syn import synthesis, utilization
from syn.folds import folded
from syn.synthesis import Design, counted, place, synthesize
from syn.targets import TARGETS, SynthesisError, target
from syn.yosys import run_yosys
from tb.sim.made_up import made_up

ICE40 = TARGETS["ice40"]
UP5K = ICE40.device("up5k")
IRIS = load(GOLDEN_IRIS)
PACK = Design("mlp_stream_pack", {"N": 4, "LANES": 2, "W": 3})


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path / "synthesis")


def scope(module: str) -> dict[str, object]:
    return {"type": "$scopeinfo", "attributes": {"module_hdlname": module}}


def test_a_cell_counts_for_the_deepest_instance_that_names_it() -> None:
    cells = {
        "u_a": scope("mlp_a"),
        "u_a.u_b": scope("mlp_b"),
        "u_a.x_LUT4_Z": {"type": "LUT4"},
        "u_a.u_b.y_CCU2C_S": {"type": "CCU2C"},
        "u_a.u_b.y_TRELLIS_FF_Q": {"type": "TRELLIS_FF"},
        "u_b.z_LUT4_Z": {"type": "LUT4"},
        "u_a.u_b.unknown": {"type": "PFUMX"},
    }
    netlist = {"modules": {"mlp_top": {"cells": cells}}}
    total, instances, modules = counted(netlist, "mlp_top", TARGETS["ecp5"])
    assert total == {"LUT": 4, "FF": 1, "DSP": 0, "BRAM": 0}
    assert {name: found["LUT"] for name, found in instances.items()} == {
        "": 1,
        "u_a": 1,
        "u_a.u_b": 2,
    }
    assert modules["mlp_b"] == {"LUT": 2, "FF": 1, "DSP": 0, "BRAM": 0}
    assert sum(found["LUT"] for found in modules.values()) == total["LUT"]


def test_a_tiny_network_fits_an_ice40_and_is_found_again(tmp_path: Path) -> None:
    network = made_up([2, 2, 2])
    with Progress(disable=True) as bar:
        facts = utilization.measure(network, ICE40, UP5K, (1,), bar, Serial())
        before = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*.json"))
        again = utilization.measure(network, ICE40, UP5K, (1,), bar, Serial())
    assert again == facts
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")) == before
    assert facts["cells"]["DSP"] == facts["estimate"]["DSP"] == 4
    assert 0 < facts["cells"]["LUT"] <= facts["placed"]["LUT"] < facts["available"]["LUT"] == 5280
    assert facts["clock"]["median"] > 12
    assert facts["clock"]["latency in ns"] == pytest.approx(
        1000 * network.spec.latency / facts["clock"]["median"], abs=0.1
    )
    assert sum(found["FF"] for found in facts["modules"].values()) == facts["cells"]["FF"]


def test_other_sources_and_parameters_are_other_results(tmp_path: Path) -> None:
    rtl = tmp_path / "rtl"
    shutil.copytree(RTL, rtl)
    source = rtl / "mlp_stream_pack.v"
    source.write_text(source.read_text().replace("too_long ? count :", ""))
    wider = dataclasses.replace(PACK, parameters={**PACK.parameters, "W": 4})
    first, wide, other = (
        synthesize(design, ICE40) for design in (PACK, wider, dataclasses.replace(PACK, rtl=rtl))
    )
    assert len({found.folder for found in (first, wide, other)}) == 3
    assert wide.cells["FF"] == first.cells["FF"] + 4


def test_an_unrolled_layer_has_no_multiplier() -> None:
    network = made_up([2, 3, 2], folds=[(2, 3), (3, 2)])
    netlist = synthesize(utilization.design(network), ICE40, UP5K)
    by_module = {module: cells["DSP"] for module, cells in netlist.modules.items()}
    assert sum(by_module.values()) == 2, by_module
    assert by_module["mlp_softmax_taylor2"] == by_module["mlp_softmax_reciprocal"] == 1


@pytest.mark.parametrize(
    ("width", "constants"),
    [
        (8, range(-128, 128)),
        (5, range(-16, 16)),
        (12, (-2048, -2047, -129, -128, -1, 127, 128, 383, 2047)),
        (16, (-32768, -12345, 32767)),
    ],
)
def test_a_product_with_a_constant_is_proved_equal(
    width: int, constants: Iterable[int], tmp_path: Path
) -> None:
    shutil.copy(synthesis.CONSTANT_MULTIPLIER, tmp_path)
    modules = [
        f"module m{number}(input signed [6:0] a, output signed [{width + 6}:0] y);\n"
        f"localparam signed [{width - 1}:0] W = {constant % (1 << width)}; assign y = a * W;\n"
        "endmodule\n"
        for number, constant in enumerate(constants)
    ]
    (tmp_path / "products.v").write_text("".join(modules))
    lines = ["read_verilog products.v", "proc", "design -save products"]
    lines += [f"techmap -map {synthesis.CONSTANT_MULTIPLIER.name}", "select -assert-none t:$mul"]
    for number in range(len(modules)):
        lines += [f"rename m{number} mapped{number}"]
        lines += [f"design -copy-from products m{number}"]
        lines += [f"miter -equiv -flatten m{number} mapped{number} equal{number}"]
        lines += [f"sat -verify -prove trigger 0 equal{number}"]
    log = run_yosys(lines, tmp_path, "prove")
    assert log.count("SAT proof finished - no model found: SUCCESS!") == len(modules)


def test_other_options_of_the_router_are_another_placement() -> None:
    assert UP5K is not None
    other = dataclasses.replace(UP5K, arguments=(*UP5K.arguments, "--no-promote-globals"))
    netlist = synthesize(PACK, ICE40, UP5K)
    for device, placements in ((UP5K, 1), (UP5K, 1), (other, 2)):
        place(netlist, ICE40, device, 1)
        assert len(list(synthesis.FOLDER.glob("placed/ice40-up5k-*"))) == placements


def test_time_weighs_less_in_a_large_design() -> None:
    ecp5 = TARGETS["ecp5"]
    weights = [ecp5.options(luts)[-1] for luts in (0, 19_999, 20_000, 80_000)]
    assert weights == ["60", "60", "10", "10"]
    assert ICE40.options(0) == ICE40.options(80_000) == ICE40.router_options


def test_what_is_not_routed_has_the_clock_that_is_expected() -> None:
    assert UP5K is not None
    netlist = synthesize(PACK, ICE40, UP5K)
    routed, expected = (place(netlist, ICE40, UP5K, 1, route=route) for route in (True, False))
    assert (routed.routed, expected.routed) == (True, False)
    assert expected.used == routed.used
    assert expected.megahertz == pytest.approx(routed.megahertz, rel=0.5)
    assert expected.megahertz != routed.megahertz


def test_a_design_that_is_too_large_is_an_error_of_one_sentence() -> None:
    pins = dataclasses.replace(PACK, parameters={"N": 16, "LANES": 16, "W": 8})
    netlist = synthesize(pins, ICE40, UP5K)
    with pytest.raises(SynthesisError, match=r"^ice40 up5k: nextpnr: .+"):
        assert UP5K is not None
        place(netlist, ICE40, UP5K, 1)


def test_a_design_that_yosys_refuses_is_an_error_of_one_sentence() -> None:
    with pytest.raises(SynthesisError, match=r"mlp_stream_pack: Yosys: .*`LANE`") as error:
        synthesize(dataclasses.replace(PACK, parameters={"LANE": 3}), ICE40)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: target("ecp6"), "target must be one of ecp5, ice40, xc7, got 'ecp6'"),
        (
            lambda: target("ice40").device("lp1k"),
            "device must be one of up5k, hx1k, hx8k, got 'lp1k'",
        ),
        (lambda: target("xc7").device("a35t"), "device must be left out, as no open router has it"),
        (lambda: folded(IRIS.spec, "4x3,30x1"), "SIMDxPE of each of the 4 layers"),
        (lambda: folded(IRIS.spec, "wide"), "fold must be serial, default, unrolled, shared"),
        (lambda: synth.seeds("1,two"), "must be integers"),
    ],
)
def test_what_is_not_legal_is_said(ask, sentence: str) -> None:
    with pytest.raises((SynthesisError, CommandError), match=sentence):
        ask()


def test_a_fold_is_named_or_spelled() -> None:
    assert folded(IRIS.spec, "serial") == IRIS.spec.serial()
    spelled = folded(IRIS.spec, "1x1,2x1,2x3,1x1")
    assert [(layer.simd, layer.pe) for layer in spelled.layers] == [(1, 1), (2, 1), (2, 3), (1, 1)]


def test_warnings_are_kept_once_and_without_the_clock() -> None:
    log = "Warning: a\nInfo: b\nWarning: a\nWarning: Max frequency for clock 'clk': 1 MHz\n"
    assert synthesis._warnings(log) == ("a",)


def test_estimates_know_each_multiplier_and_each_bit_of_rom() -> None:
    spec = IRIS.spec
    estimate = spec.area
    assert estimate.multipliers == sum(layer.multipliers for layer in spec.layers) + 2
    weights = sum(layer.n_in * layer.n_out * layer.w.width for layer in spec.layers)
    biases = sum(layer.n_out * layer.acc_w for layer in spec.layers)
    assert estimate.rom_bits == weights + biases + 256 * 16
